//! A partner service on loopback, with a SmartRecruiters on loopback and a store in a file.
#![expect(clippy::unwrap_used, reason = "what cannot be set up has failed the test")]

mod assessment;
mod browsers;
mod companies;
mod connect;
mod consent_page;
mod endpoints;
mod guard;
mod limits;
mod once;
mod proxies;
mod restored;
mod scene;
mod secrets;
mod settings;
