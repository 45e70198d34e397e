//! Tests of sr-partner through its public surface, without time, network or randomness.

mod admission;
mod consent;
mod errors;
mod exchange_scene;
mod exchange_scripts;
mod exchange_store;
mod fixture;
mod identity;
mod issuer;
mod notification;
mod redaction;
mod redirects;
mod registration;
mod requests;
mod store_model;
mod ticket;
