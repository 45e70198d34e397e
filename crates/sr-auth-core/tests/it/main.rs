//! Tests of sr-auth-core through its public surface, without time, network or randomness.

#![expect(clippy::panic, reason = "a function that checks fails as a test fails")]

mod api_refusal;
mod callback;
mod challenge;
mod endpoint;
mod errors;
mod fixture;
mod fleet;
mod fleet_holds;
mod fleet_rewind;
mod fleet_scene;
mod grant_scripts;
mod lifecycle_ages;
mod lifecycle_client;
mod lifecycle_commands;
mod lifecycle_doubt;
mod lifecycle_lost_answer;
mod lifecycle_outcomes;
mod lifecycle_renewal;
mod lifecycle_scene;
mod lifecycle_serving;
mod lifecycle_store;
mod lifecycle_words;
mod redaction;
mod requests;
mod settings;
mod store_adoption;
mod store_model;
mod store_names;
mod store_pulse;
mod store_sibling;
mod token_answer;
mod wiping;
