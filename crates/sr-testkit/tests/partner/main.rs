//! The General Partner Integration in simulated time: real machines, the model of the store, and the
//! simulator as the other side, with every fault and every order of events.

#![expect(clippy::panic, reason = "a function that checks fails as a test fails")]

mod crash;
mod laws;
mod oracle;
mod order;
mod secrecy;
mod stage;
