//! What keeps tokens, over sockets: who asks, who waits, what leaves, and what is lost: nothing.
#![expect(clippy::unwrap_used, reason = "what cannot be set up has failed the test")]

mod counted;
mod flaky;
mod grants;
mod herd;
mod redaction;
mod scene;
