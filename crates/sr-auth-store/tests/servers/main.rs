//! What the backends for fleets do beside the contract, on real servers: `cargo xtask servers` runs
//! these tests.

#![expect(clippy::panic, clippy::unwrap_used, reason = "a test that goes wrong says so")]

mod fixture;
mod partner;
mod pooler;
mod postgres;
mod proxy;
mod redis;
mod round_trips;
mod tls;
