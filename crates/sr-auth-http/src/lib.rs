//! Transport binding of `sr-auth-core`: sends what the machines ask for, and tells them what came.
//!
//! - [`TokenSource`] gives the header that authenticates a request, for every method, and keeps its
//!   token; [`TokenSources`] does so for many companies.
//! - The features `tower` and `reqwest-middleware` bring what signs every request of a client, to one
//!   API origin and nowhere else.
//! - [`TokenClient`] runs the grants: client credentials, a code, a refresh token.
//! - [`ApiClient`] calls the resource API with a credential that goes nowhere else.
//! - [`Transport`] is what they send with; [`ReqwestTransport`] is the one that comes along, and
//!   any other HTTP library can be put in its place. The feature `conformance` checks it.
//! - [`Clock`] and [`entropy()`] are the only doors to time and randomness.
//!
//! # The run loop
//!
//! [`drive`] runs any grant over any transport. Without its limits and its log it is this:
//!
//! ```
//! use sr_auth_core::grant::{Input, Output};
//! use sr_auth_core::Machine;
//! use sr_auth_core::wire::token_answer::BODY_LIMIT;
//! use sr_auth_http::{Clock, Limits, Transport};
//!
//! async fn run<M, Event>(mut machine: M, transport: &dyn Transport, clock: &Clock) -> Event
//! where
//!     M: Machine<Input = Input, Output = Output<Event>>,
//! {
//!     let mut now = clock.now();
//!     loop {
//!         let input = match machine.poll_output() {
//!             Some(Output::Event(event)) => return event,
//!             Some(Output::Transmit(it)) => {
//!                 let write_within = it.not_after.since(now);
//!                 let answer_within = write_within + it.answer_within;
//!                 let limits = Limits::new(write_within, answer_within, BODY_LIMIT + 1);
//!                 match transport.send(it.request, limits).await {
//!                     Ok(response) => Input::Response { id: it.id, response },
//!                     Err(error) => {
//!                         let failure = error.failure();
//!                         let received = error.into_received();
//!                         Input::TransportFailed { id: it.id, failure, received }
//!                     }
//!                 }
//!             }
//!             None => {
//!                 let at = machine.poll_timeout().expect("it has not ended, so it waits");
//!                 clock.sleep_until(at).await;
//!                 now = now.max(at);
//!                 Input::Timeout
//!             }
//!         };
//!         now = now.max(clock.now()); // A clock that was set back must not stall the machine.
//!         machine.handle_input(now, input);
//!     }
//! }
//! ```
//!
//! # Guarantees
//!
//! No redirect is followed, nothing is sent twice unless a machine asks for it, every wait and
//! every body is bounded, and no secret, URL or body reaches an error, a log or `Debug`.

#[cfg(feature = "conformance")]
pub mod conformance;

mod api_client;
#[cfg(any(feature = "reqwest-middleware", feature = "tower"))]
mod authorize;
mod clock;
mod driver;
mod entropy;
mod keep;
#[cfg(feature = "reqwest")]
mod reqwest_transport;
mod runtime;
mod token_client;
mod token_source;
mod token_sources;
mod transport;

pub use api_client::{ApiClient, ApiError, RefusedCall};
#[cfg(feature = "reqwest-middleware")]
pub use authorize::AuthorizeMiddleware;
#[cfg(feature = "tower")]
pub use authorize::{Authorize, AuthorizeError, AuthorizeFuture, AuthorizeLayer, Once, Replaying};
#[cfg(any(feature = "reqwest-middleware", feature = "tower"))]
pub use authorize::{Public, Replayable};
pub use clock::Clock;
pub use driver::{drive, transmit};
pub use entropy::{EntropyError, entropy};
#[cfg(feature = "reqwest")]
pub use reqwest_transport::{ReqwestTransport, ReqwestTransportBuilder};
pub use runtime::{Events, News};
pub use token_client::{TokenClient, TokenClientBuilder};
pub use token_source::{SourceError, TokenSource, TokenSourceBuilder};
pub use token_sources::{TokenSources, TokenSourcesBuilder};
pub use transport::{Limits, TlsFault, Transport, TransportError, TransportErrorKind};

#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct Readme;

#[cfg(doctest)]
#[doc = include_str!("../../../docs/guide/tokens.md")]
struct TokensGuide;

#[cfg(doctest)]
#[doc = include_str!("../../../docs/guide/authorization-code.md")]
struct AuthorizationCodeGuide;
