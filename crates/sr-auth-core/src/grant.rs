//! The grants of RFC 6749, a machine each, and what they share.

mod authorization_code;
mod client_credentials;
mod presentation;
mod refresh_token;
mod retry;

pub use authorization_code::{
    AuthorizationCodeGrant, AuthorizationRequest, AuthorizationSettings, PendingAuthorization, Pkce,
};
pub use client_credentials::ClientCredentialsGrant;
pub use refresh_token::RefreshTokenGrant;
pub use retry::RetryPolicy;

use crate::SecretBytes;
use crate::machine::{Transmit, TransmitId, TransportFailure};

/// What can happen to a grant.
#[derive(Clone, Debug)]
#[expect(clippy::exhaustive_enums, reason = "a driver that skips an input is broken")]
pub enum Input {
    /// A complete answer arrived.
    Response {
        /// The transmission it answers.
        id: TransmitId,
        /// The answer; the driver bounds its body, see [`BODY_LIMIT`](crate::wire::token_answer::BODY_LIMIT).
        response: http::Response<SecretBytes>,
    },
    /// The moment named by [`Machine::poll_timeout`](crate::Machine::poll_timeout) has come.
    Timeout,
    /// A transmission brought no complete answer.
    TransportFailed {
        /// The transmission that failed.
        id: TransmitId,
        /// Whether bytes may have left.
        failure: TransportFailure,
    },
}

/// What a grant asks for; `Event` is its outcome, announced exactly once.
#[derive(Clone, Debug)]
#[expect(clippy::exhaustive_enums, reason = "a driver that skips an output is broken")]
pub enum Output<Event> {
    /// The grant has ended.
    Event(Event),
    /// Send this request.
    Transmit(Transmit),
}
