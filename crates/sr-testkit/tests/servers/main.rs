//! The backends for fleets against the suite, on real servers: `cargo xtask servers` runs them.

#![expect(clippy::unwrap_used, reason = "a test that goes wrong says so")]

mod fixture;
mod postgres;
mod redis;
