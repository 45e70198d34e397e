//! Grants in a SQLite file: what the model says, durably, from several processes, with one sync.
#![expect(clippy::panic, reason = "a function that checks fails as a test fails")]
#![expect(clippy::unwrap_used, reason = "what cannot be set up has failed the test")]

mod changes;
mod clock;
mod file;
mod fixture;
mod model;
mod power;
mod process;
mod room;
mod syncs;
