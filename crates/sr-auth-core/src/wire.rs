//! Pure functions between bytes and types, one file per message.
//!
//! What is sent is built by `oauth2`; what is received is read here, since the documented answers
//! are wider than RFC 6749: status first, bounded, tolerant only where the service is known to
//! depart, and never with a body in an error.

pub mod api_refusal;
pub mod authorization_url;
pub mod callback;
pub mod challenge;
pub mod rate_limit;
pub mod retry_after;
pub mod token_answer;
pub mod token_request;

mod captured;
mod error_object;
mod lenient;
mod query;
mod salvage;
