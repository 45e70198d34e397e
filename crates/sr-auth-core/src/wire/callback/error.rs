//! Why a callback yields no code, and who can act.

use std::fmt;

use crate::{Remedy, ServerText};

/// Why a callback yields no authorization code. Nothing has been sent anywhere.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum CallbackError {
    /// The user pressed Decline (`access_denied`).
    #[error("the user declined")]
    Declined {
        /// The server's own words. Text from the server.
        description: Option<ServerText>,
    },
    /// The authorization was begun more than ten minutes ago.
    #[error("the authorization was begun too long ago")]
    Expired,
    /// `iss` is not the configured issuer, or missing (RFC 9207 §2.4).
    #[error("the callback comes from another issuer")]
    IssuerMismatch,
    /// Not a callback at all, or longer than 16 KiB.
    #[error("this is not a callback")]
    Malformed,
    /// Neither `code` nor `error`.
    #[error("the callback carries neither a code nor an error")]
    NoCode,
    /// The authorization was begun for another client id or redirect URI.
    #[error("the authorization was begun for another application")]
    OtherApplication,
    /// The URL is not that of this application's redirect URI.
    #[error("the callback is for another redirect URI")]
    OtherRedirectUri,
    /// The authorization was begun with other endpoints (RFC 9700 §4.4, mix-up).
    #[error("the authorization was begun at another authorization server")]
    OtherServer,
    /// The callback came through another browser session than the one that began (RFC 6749 §10.12).
    #[error("the callback belongs to another browser session")]
    OtherSession,
    /// The authorization server refused for a reason other than the user.
    #[error("the authorization server refused: {reason}")]
    Refused {
        /// The server's own words. Text from the server.
        description: Option<ServerText>,
        /// The error code.
        reason: AuthorizationRefusal,
    },
    /// A parameter is there twice (RFC 6749 §3.1).
    #[error("the callback repeats `{0}`")]
    Repeated(CallbackParameter),
    /// `state` is missing or not the one that was sent: forged, or of another authorization.
    #[error("the callback belongs to another authorization")]
    StateMismatch,
}

impl CallbackError {
    /// Returns what can be done about it, and by whom.
    #[must_use]
    pub const fn remedy(&self) -> Remedy {
        match self {
            Self::Declined { .. }
            | Self::Expired
            | Self::Malformed
            | Self::OtherRedirectUri
            | Self::OtherSession
            | Self::StateMismatch => Remedy::Reauthorize,
            Self::IssuerMismatch | Self::OtherApplication | Self::OtherServer => {
                Remedy::FixConfiguration
            }
            Self::NoCode | Self::Repeated(_) => Remedy::ReportBug,
            Self::Refused { reason, .. } => reason.remedy(),
        }
    }

    /// Returns a stable name for logs.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Declined { .. } => "sr_auth::callback::declined",
            Self::Expired => "sr_auth::callback::expired",
            Self::IssuerMismatch => "sr_auth::callback::issuer_mismatch",
            Self::Malformed => "sr_auth::callback::malformed",
            Self::NoCode => "sr_auth::callback::no_code",
            Self::OtherApplication => "sr_auth::callback::other_application",
            Self::OtherRedirectUri => "sr_auth::callback::other_redirect_uri",
            Self::OtherServer => "sr_auth::callback::other_server",
            Self::OtherSession => "sr_auth::callback::other_session",
            Self::Refused { .. } => "sr_auth::callback::refused",
            Self::Repeated(_) => "sr_auth::callback::repeated",
            Self::StateMismatch => "sr_auth::callback::state_mismatch",
        }
    }
}

/// The error codes of the authorization endpoint (RFC 6749 §4.1.2.1), without `access_denied`.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum AuthorizationRefusal {
    /// The server could not read the request.
    #[error("invalid_request")]
    InvalidRequest,
    /// A scope is unknown or was not approved for this application.
    #[error("invalid_scope")]
    InvalidScope,
    /// The server failed.
    #[error("server_error")]
    ServerError,
    /// The server is overloaded.
    #[error("temporarily_unavailable")]
    TemporarilyUnavailable,
    /// This application may not ask for codes.
    #[error("unauthorized_client")]
    UnauthorizedClient,
    /// A code that is not in RFC 6749.
    #[error("no error code of RFC 6749")]
    Unregistered,
    /// The server does not issue codes.
    #[error("unsupported_response_type")]
    UnsupportedResponseType,
}

impl AuthorizationRefusal {
    const fn remedy(self) -> Remedy {
        match self {
            Self::InvalidRequest | Self::UnsupportedResponseType => Remedy::FixConfiguration,
            Self::InvalidScope | Self::UnauthorizedClient => Remedy::AskAdministrator,
            Self::ServerError | Self::TemporarilyUnavailable | Self::Unregistered => {
                Remedy::RetryLater { at: None }
            }
        }
    }
}

/// A parameter of the callback that may be there only once.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum CallbackParameter {
    /// `code`
    Code,
    /// `error`
    Error,
    /// `iss`
    Issuer,
    /// `state`
    State,
}

impl fmt::Display for CallbackParameter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Code => "code",
            Self::Error => "error",
            Self::Issuer => "iss",
            Self::State => "state",
        })
    }
}

/// Sorts an `error` of the authorization endpoint.
pub(super) fn refusal(error: &str, description: Option<ServerText>) -> CallbackError {
    let reason = match error {
        "access_denied" => return CallbackError::Declined { description },
        "invalid_request" => AuthorizationRefusal::InvalidRequest,
        "invalid_scope" => AuthorizationRefusal::InvalidScope,
        "server_error" => AuthorizationRefusal::ServerError,
        "temporarily_unavailable" => AuthorizationRefusal::TemporarilyUnavailable,
        "unauthorized_client" => AuthorizationRefusal::UnauthorizedClient,
        "unsupported_response_type" => AuthorizationRefusal::UnsupportedResponseType,
        _ => AuthorizationRefusal::Unregistered,
    };
    CallbackError::Refused { reason, description }
}
