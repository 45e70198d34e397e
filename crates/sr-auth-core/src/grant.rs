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
pub use retry::{RetryPolicy, WRITE_WITHIN};

use crate::SecretBytes;
use std::fmt;

use crate::machine::{Transmit, TransmitId, TransportFailure};

/// What can happen to a grant.
///
/// Its `Debug` shows no header and no body: a whole run may be logged.
#[derive(Clone)]
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
        /// What arrived of the answer before the connection broke: a refresh token may be in it.
        received: Option<http::Response<SecretBytes>>,
    },
}

impl fmt::Debug for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Response { id, response } => f
                .debug_struct("Response")
                .field("id", id)
                .field("status", &response.status())
                .field("body", response.body())
                .finish(),
            Self::Timeout => f.write_str("Timeout"),
            Self::TransportFailed { id, failure, received } => f
                .debug_struct("TransportFailed")
                .field("id", id)
                .field("failure", failure)
                .field("received", &received.as_ref().map(http::Response::body))
                .finish(),
        }
    }
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
