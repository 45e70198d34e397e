//! Refusals of the resource API: whose fault, and whether a new token would help.

use http::{HeaderMap, Response, StatusCode};

use super::challenge::{BearerChallenge, BearerError};
use super::error_object::ErrorObject;
use super::retry_after;
use crate::{Remedy, ScopeSet, SecretBytes, ServerText, Timestamp};

/// Why the resource API refused a call.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ApiRefusal {
    /// The credential is valid and lacks a scope; a new token would lack it too.
    #[error("the credential lacks a scope")]
    MissingScope {
        /// The scopes of which one is needed, as far as the answer names them.
        needed: ScopeSet,
    },
    /// The company has not subscribed to API access.
    #[error("the company has no API access")]
    NoApiAccess,
    /// The credential is valid and may not do this, most often for want of a System role.
    #[error("the credential's System role does not allow this")]
    NotAllowed,
    /// Too many requests in this second, or at the same time.
    #[error("too many requests")]
    Throttled {
        /// When the server asks to be called again; the documentation promises no such header.
        retry_at: Option<Timestamp>,
    },
    /// No credential was sent, or it is wrong, expired or revoked.
    #[error("the credential is missing, expired or revoked")]
    Unauthenticated,
}

impl ApiRefusal {
    /// Sorts an answer; `None` when it is no refusal of the credential.
    ///
    /// `now` is when the answer arrived: a `Retry-After` counts from there.
    #[must_use]
    pub fn read(response: &Response<SecretBytes>, now: Timestamp) -> Option<Self> {
        let (headers, body) = (response.headers(), response.body().expose());
        match response.status() {
            StatusCode::UNAUTHORIZED => Some(Self::Unauthenticated),
            StatusCode::FORBIDDEN => Some(forbidden(headers, body)),
            StatusCode::TOO_MANY_REQUESTS => {
                let retry_at = retry_after::read(headers, now).map(|pause| now.after(pause));
                Some(Self::Throttled { retry_at })
            }
            _ => None,
        }
    }

    /// Returns what can be done about it, and by whom.
    #[must_use]
    pub const fn remedy(&self) -> Remedy {
        match self {
            Self::MissingScope { .. } | Self::NoApiAccess | Self::NotAllowed => {
                Remedy::AskAdministrator
            }
            Self::Throttled { retry_at } => Remedy::RetryLater { at: *retry_at },
            Self::Unauthenticated => Remedy::FixConfiguration,
        }
    }

    /// Returns a stable name for logs.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::MissingScope { .. } => "sr_auth::api::missing_scope",
            Self::NoApiAccess => "sr_auth::api::no_api_access",
            Self::NotAllowed => "sr_auth::api::not_allowed",
            Self::Throttled { .. } => "sr_auth::api::throttled",
            Self::Unauthenticated => "sr_auth::api::unauthenticated",
        }
    }
}

fn forbidden(headers: &HeaderMap, body: &[u8]) -> ApiRefusal {
    let challenge = BearerChallenge::read(headers).unwrap_or_default();
    let object = ErrorObject::read(body);
    let message = object.message().unwrap_or_default();
    if message.starts_with("No access to feature") {
        return ApiRefusal::NoApiAccess;
    }
    let listed = message.strip_prefix("Missing required scopes:");
    // The documentation names this exception, and not where it stands.
    let codes = object.codes();
    let mut named = codes.iter().chain([&message]);
    let excepted = named.any(|it| it.contains("OAuthPermissionsException"));
    let insufficient = challenge.error == Some(BearerError::InsufficientScope);
    if insufficient || excepted || listed.is_some() {
        let listed = listed.and_then(|names| ScopeSet::parse(&names.replace(',', " ")).ok());
        return ApiRefusal::MissingScope { needed: challenge.scope.or(listed).unwrap_or_default() };
    }
    ApiRefusal::NotAllowed
}

/// Returns the `message` of an error object of the resource API. Text from the server.
#[must_use]
pub fn message(response: &Response<SecretBytes>) -> Option<ServerText> {
    let message = ErrorObject::read(response.body().expose()).message();
    message.as_deref().map(ServerText::sanitize)
}
