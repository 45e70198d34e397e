//! What keeps tokens, over sockets: who asks, who waits, what leaves, and what is lost: nothing.
#![expect(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "what cannot be set up has failed the test"
)]
#![expect(clippy::print_stdout, reason = "some figures are shown to who asks for them")]

mod counted;
mod flaky;
mod fleets;
mod grants;
mod herd;
mod holds;
mod processes;
mod redaction;
mod scene;
