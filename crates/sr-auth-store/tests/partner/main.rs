//! Integrations in memory and in a SQLite file: what the model says, sealed, over restarts.
#![expect(clippy::panic, reason = "a function that checks fails as a test fails")]
#![expect(clippy::unwrap_used, reason = "what cannot be set up has failed the test")]

mod file;
mod fixture;
mod model;
mod open;
mod refusals;
mod sealing;
mod spool;
mod step;
