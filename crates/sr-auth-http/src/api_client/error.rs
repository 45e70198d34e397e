//! Why an API call has no usable answer.

use std::fmt;

use http::Response;
use sr_auth_core::wire::api_refusal::{self, ApiRefusal};
use sr_auth_core::wire::rate_limit::RateLimit;
use sr_auth_core::{ConfigError, Remedy, SecretBytes, ServerText};

use crate::{SourceError, TransportError};

/// Why a call of the resource API has no usable answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ApiError {
    /// The URL is no URL of the configured API.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The server redirects, which is never followed: it would carry the credential elsewhere.
    #[error("the API redirects, and credentials are not sent elsewhere")]
    Redirected,
    /// The server refused the credential.
    #[error(transparent)]
    Refused(RefusedCall),
    /// There is no credential to be had.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The answer is longer than the limit.
    #[error("the answer of the API is too long")]
    TooLong,
    /// There is no complete answer.
    #[error(transparent)]
    Transport(#[from] TransportError),
}

impl ApiError {
    /// Returns what can be done about it, and by whom.
    #[must_use]
    pub const fn remedy(&self) -> Remedy {
        match self {
            Self::Config(error) => error.remedy(),
            Self::Redirected => Remedy::ReportBug,
            Self::Refused(refused) => refused.refusal.remedy(),
            Self::Source(error) => error.remedy(),
            Self::TooLong => Remedy::FixConfiguration,
            Self::Transport(error) => error.remedy(),
        }
    }

    /// Returns a stable name for logs.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Config(error) => error.code(),
            Self::Redirected => "sr_auth::api::redirected",
            Self::Refused(refused) => refused.refusal.code(),
            Self::Source(error) => error.code(),
            Self::TooLong => "sr_auth::api::too_long",
            Self::Transport(error) => error.code(),
        }
    }
}

/// A refusal of the credential, with the answer that it was read from.
///
/// `Debug` shows the refusal and leaves the answer out.
#[derive(thiserror::Error)]
#[error("{refusal}")]
pub struct RefusedCall {
    refusal: ApiRefusal,
    response: Box<Response<SecretBytes>>,
}

impl RefusedCall {
    pub(super) fn new(refusal: ApiRefusal, response: Response<SecretBytes>) -> Self {
        Self { refusal, response: Box::new(response) }
    }

    /// Returns the server's own words, if it sent any. Text from the server: see [`ServerText`].
    #[must_use]
    pub fn message(&self) -> Option<ServerText> {
        api_refusal::message(&self.response)
    }

    /// Returns what may still be sent.
    #[must_use]
    pub fn rate_limit(&self) -> RateLimit {
        RateLimit::read(self.response.headers())
    }

    /// Returns why the server refused.
    #[must_use]
    pub const fn refusal(&self) -> &ApiRefusal {
        &self.refusal
    }

    /// Returns the whole answer.
    #[must_use]
    pub fn response(&self) -> &Response<SecretBytes> {
        &self.response
    }
}

impl fmt::Debug for RefusedCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RefusedCall").field("refusal", &self.refusal).finish_non_exhaustive()
    }
}
