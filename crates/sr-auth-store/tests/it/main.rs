//! What rests in a backend, what comes out of it, and what is refused.
#![expect(clippy::panic, reason = "a function that checks fails as a test fails")]

mod fixture;
mod handing;
mod keys;
mod sealing;
mod spool;
mod volatile;
