//! The simulator's own rules, and the machines of the core against it.

mod authorize;
mod departures;
mod documents;
mod exploration;
mod fixture;
mod grant_chain;
mod integrations;
mod pages;
mod partner_calls;
mod recorder;
mod resources;
mod simulation;
mod single_use;
mod token;
