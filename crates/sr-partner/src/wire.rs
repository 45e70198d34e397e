//! Pure functions between bytes and types, one file per message; no machine is imported.

pub mod bearer;
pub mod integrations;
pub mod token_form;

pub(crate) mod answer;
pub(crate) mod query;
