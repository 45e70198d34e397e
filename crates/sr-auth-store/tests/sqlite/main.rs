//! Grants in a SQLite file: what the model says, durably, from several processes, with one sync.
#![expect(clippy::unwrap_used, reason = "what cannot be set up has failed the test")]

mod changes;
mod clock;
mod file;
mod fixture;
mod model;
mod process;
mod room;
mod syncs;
