//! Tests of sr-auth-core through its public surface, without time, network or randomness.

#![expect(clippy::panic, reason = "a function that checks fails as a test fails")]

mod api_refusal;
mod callback;
mod challenge;
mod endpoint;
mod errors;
mod fixture;
mod grant_scripts;
mod redaction;
mod requests;
mod settings;
mod store_model;
mod store_names;
mod token_answer;
