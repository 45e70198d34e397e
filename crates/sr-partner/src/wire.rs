//! Pure functions between bytes and types, one file per message; no machine is imported.

pub mod bearer;
pub mod integrations;
pub mod token_form;

pub(crate) mod answer;
pub(crate) mod query;

use serde::Serialize;
use sr_auth_core::SecretBytes;

/// Writes JSON with room for all of it at once: a buffer that grows leaves copies of secrets behind.
fn json(value: &impl Serialize, room: usize) -> SecretBytes {
    let mut text = Vec::with_capacity(room);
    serde_json::to_writer(&mut text, value).expect("texts and numbers are always JSON");
    SecretBytes::new(text)
}
