//! What goes into an exchange and what comes out of it.

use std::fmt;
use std::time::Duration;

use http::Response;
use sr_auth_core::lifecycle::{StoreFailure, StoreOpId};
use sr_auth_core::{
    AccessToken, ClientCredentials, GrantError, Secret, SecretBytes, Transmit, TransmitId,
    TransportFailure,
};

use super::ExchangeEvent;
use crate::inbound::PartnerStoreRequest;
use crate::store::PartnerAnswer;

/// What can happen to an exchange. Its `Debug` shows no header, no body and no token.
#[derive(Clone)]
#[expect(clippy::exhaustive_enums, reason = "a driver that skips an input is broken")]
pub enum Input {
    /// A complete answer arrived.
    Response {
        /// The transmission that it answers.
        id: TransmitId,
        /// The answer, with a body of at most
        /// [`BODY_LIMIT`](crate::wire::integrations::BODY_LIMIT) bytes and one.
        response: Response<SecretBytes>,
    },
    /// The store answered, or did not.
    Stored {
        /// The operation.
        id: StoreOpId,
        /// What came of it.
        result: Result<PartnerAnswer<Secret>, StoreFailure>,
    },
    /// The moment named by [`Machine::poll_timeout`](sr_auth_core::Machine::poll_timeout) has come.
    Timeout,
    /// The token that was asked for, or why there is none.
    Token {
        /// The request.
        id: TokenRequestId,
        /// The token.
        result: Result<AccessToken, GrantError>,
    },
    /// A transmission brought no complete answer.
    TransportFailed {
        /// Whether bytes may have left.
        failure: TransportFailure,
        /// The transmission.
        id: TransmitId,
        /// What arrived of the answer before the connection broke: credentials may be in it.
        received: Option<Response<SecretBytes>>,
    },
}

impl fmt::Debug for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Response { id, response } => {
                write!(f, "Response({}, {})", id.count(), response.status().as_u16())
            }
            Self::Stored { id, result: Ok(answer) } => {
                write!(f, "Stored({}, {})", id.0, answer.outcome.name())
            }
            Self::Stored { id, result: Err(failure) } => write!(f, "Stored({}, {failure:?})", id.0),
            Self::Timeout => f.write_str("Timeout"),
            Self::Token { id, result: Ok(_) } => write!(f, "Token({}, granted)", id.0),
            Self::Token { id, result: Err(error) } => {
                write!(f, "Token({}, {})", id.0, error.code())
            }
            Self::TransportFailed { failure, id, .. } => {
                write!(f, "TransportFailed({}, {failure:?})", id.count())
            }
        }
    }
}

/// What an exchange asks for, in the order in which it must be done.
#[derive(Clone, Debug)]
#[expect(clippy::exhaustive_enums, reason = "a driver that skips an output is broken")]
pub enum Output {
    /// Something worth telling happened.
    Event(ExchangeEvent),
    /// Carry this out and answer with [`Input::Stored`].
    Store(PartnerStoreRequest),
    /// Get an access token and answer with [`Input::Token`].
    Token(TokenRequest),
    /// Send this and answer with [`Input::Response`] or [`Input::TransportFailed`].
    Transmit(Transmit),
}

/// An access token that an exchange needs: how it is got is no part of it.
#[derive(Clone, Debug)]
#[expect(clippy::exhaustive_structs, reason = "a driver that skips a field is broken")]
pub struct TokenRequest {
    /// After how long the exchange does not need it any more.
    pub answer_within: Duration,
    /// Names the request; the answer must carry it.
    pub id: TokenRequestId,
    /// Whose token.
    pub of: TokenOf,
}

/// Whose access token is needed.
#[derive(Clone, Debug)]
#[expect(clippy::exhaustive_enums, reason = "ours or the company's")]
pub enum TokenOf {
    /// That of the credentials which SmartRecruiters has just answered with. Client credentials
    /// grant, once; nothing has to be kept.
    Customer(ClientCredentials),
    /// That of the master credentials.
    Master {
        /// The service refused the one before with 401: it must be another.
        renew: bool,
    },
}

/// Names one request for a token.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[expect(clippy::exhaustive_structs, reason = "a number with a name")]
pub struct TokenRequestId(pub u32);
