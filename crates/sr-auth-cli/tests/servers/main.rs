//! The real program on real servers: `cargo xtask servers` runs these tests.

#![expect(clippy::expect_used, reason = "a test that goes wrong says so")]

mod operator;
mod scene;
