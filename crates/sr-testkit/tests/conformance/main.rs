//! Every backend of ours against the suite, and the suite against backends that are broken.

#![expect(
    clippy::panic,
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm,
    reason = "a test that goes wrong says so; a defect leaves all but one thing as it is"
)]

mod broken;
mod broken_partner;
mod fixture;
mod memory;
mod sqlite;
