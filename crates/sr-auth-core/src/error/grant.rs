//! Errors of the grants: why no token came.

use super::{Remedy, ServerText};
use crate::Timestamp;
use crate::credential::RefreshToken;

/// Why a grant ended without a token.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum GrantError {
    /// A single-use credential was too old to be sent, so it was not.
    #[error("{0} expired before it could be sent")]
    Expired(ExpiredCredential),
    /// A single-use credential was sent, or may have been, and no usable answer came back: whether
    /// the server has used it up cannot be known.
    #[error("the single-use credential was sent, and its answer was lost")]
    OutcomeUnknown,
    /// The authorization server said no (RFC 6749 §5.2).
    #[error("the token endpoint refused the request: {} ({})", .0.code(), .0.code().meaning())]
    Refused(ErrorResponse),
    /// The authorization server broke the protocol.
    #[error("the token endpoint misbehaved: {0}")]
    ServerMisbehaved(ServerMisbehaved),
    /// No attempt got a usable answer, and nothing that can be used only once was spent.
    #[error("the token endpoint gave no usable answer in {attempts} attempt(s)")]
    Unavailable {
        /// How many requests were made, sent or not.
        attempts: u32,
        /// When the server asked to be called again, if it did.
        retry_at: Option<Timestamp>,
    },
}

impl GrantError {
    /// Returns what can be done about it, and by whom.
    ///
    /// For a grant of a user, [`GrantFailure::remedy`] knows more.
    #[must_use]
    pub const fn remedy(&self) -> Remedy {
        match self {
            Self::Expired(_) | Self::OutcomeUnknown => Remedy::Reauthorize,
            Self::Refused(response) => response.code().remedy(),
            Self::ServerMisbehaved(_) => Remedy::ReportBug,
            Self::Unavailable { retry_at, .. } => Remedy::RetryLater { at: *retry_at },
        }
    }

    /// Returns a stable name for logs.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Expired(_) => "sr_auth::expired",
            Self::OutcomeUnknown => "sr_auth::outcome_unknown",
            Self::Refused(response) => response.code().code(),
            Self::ServerMisbehaved(_) => "sr_auth::server_misbehaved",
            Self::Unavailable { .. } => "sr_auth::unavailable",
        }
    }

    /// Returns what became of the code or refresh token that the grant was given.
    #[must_use]
    pub const fn single_use(&self) -> SingleUse {
        match self {
            Self::Expired(_) | Self::Unavailable { .. } => SingleUse::Unspent,
            Self::OutcomeUnknown | Self::ServerMisbehaved(_) => SingleUse::MaybeSpent,
            Self::Refused(response) => match response.code() {
                ErrorCode::InvalidGrant => SingleUse::Spent,
                ErrorCode::Unregistered => SingleUse::MaybeSpent,
                ErrorCode::InvalidClient
                | ErrorCode::InvalidRequest
                | ErrorCode::InvalidScope
                | ErrorCode::UnauthorizedClient
                | ErrorCode::UnsupportedGrantType => SingleUse::Unspent,
            },
        }
    }
}

/// What became of a code or refresh token when its grant failed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "unused, used, or unknown: there is no fourth case")]
pub enum SingleUse {
    /// It may have been used up; present it again only when nothing else is left.
    MaybeSpent,
    /// It is worthless: used up, expired or revoked.
    Spent,
    /// The server has not used it up: it can be presented.
    Unspent,
}

/// Why a grant of a user ended without a usable access token, and what could be saved.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{error}")]
pub struct GrantFailure {
    error: GrantError,
    remedy: Remedy,
    salvaged: Option<RefreshToken>,
}

impl GrantFailure {
    pub(crate) const fn new(
        error: GrantError,
        remedy: Remedy,
        salvaged: Option<RefreshToken>,
    ) -> Self {
        Self { error, remedy, salvaged }
    }

    /// Returns what can be done about it, and by whom.
    ///
    /// A refresh whose outcome is unknown can be tried once more with the same token, at the moment
    /// named here and not before; with a salvaged token, at once. After a code, only the user can
    /// help.
    #[must_use]
    pub const fn remedy(&self) -> Remedy {
        self.remedy
    }

    /// Returns why there is no access token.
    #[must_use]
    pub const fn error(&self) -> &GrantError {
        &self.error
    }

    /// Returns the refresh token that an otherwise unusable answer carried.
    ///
    /// Keep it: the server has used up the one before, and this one still opens the grant.
    #[must_use]
    pub const fn salvaged(&self) -> Option<&RefreshToken> {
        self.salvaged.as_ref()
    }
}

/// What was too old to be sent.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ExpiredCredential {
    /// An authorization code lives 30 seconds from its reception.
    #[error("the authorization code")]
    AuthorizationCode,
}

/// An error answer of the token endpoint (RFC 6749 §5.2).
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ErrorResponse {
    code: ErrorCode,
    description: Option<ServerText>,
    status: u16,
    unregistered: Option<ServerText>,
}

impl ErrorResponse {
    pub(crate) fn new(
        status: http::StatusCode,
        code: ErrorCode,
        description: Option<ServerText>,
    ) -> Self {
        Self { code, description, status: status.as_u16(), unregistered: None }
    }

    pub(crate) fn with_unregistered(self, unregistered: ServerText) -> Self {
        Self { unregistered: Some(unregistered), ..self }
    }

    /// Returns the error code.
    #[must_use]
    pub const fn code(&self) -> ErrorCode {
        self.code
    }

    /// Returns the server's own words, if it sent any. Text from the server: see [`ServerText`].
    #[must_use]
    pub const fn description(&self) -> Option<&ServerText> {
        self.description.as_ref()
    }

    /// Returns the HTTP status of the answer.
    #[must_use]
    pub const fn status(&self) -> u16 {
        self.status
    }

    /// Returns the code that the server sent when it is none of RFC 6749. Text from the server.
    #[must_use]
    pub const fn unregistered_code(&self) -> Option<&ServerText> {
        self.unregistered.as_ref()
    }
}

/// The error codes of RFC 6749 §5.2.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ErrorCode {
    /// Client id and secret are not accepted: mistyped, or revoked by an administrator.
    #[error("invalid_client")]
    InvalidClient,
    /// The code or refresh token is unknown, used up, expired or revoked.
    #[error("invalid_grant")]
    InvalidGrant,
    /// The server could not read the request.
    #[error("invalid_request")]
    InvalidRequest,
    /// A scope is unknown or was not approved for this client.
    #[error("invalid_scope")]
    InvalidScope,
    /// This client may not use this grant type.
    #[error("unauthorized_client")]
    UnauthorizedClient,
    /// A refusal with no code, or with one that is not in RFC 6749.
    #[error("no error code of RFC 6749")]
    Unregistered,
    /// The server does not know the grant type.
    #[error("unsupported_grant_type")]
    UnsupportedGrantType,
}

impl ErrorCode {
    /// Returns what it means here, in words for a person.
    #[must_use]
    pub const fn meaning(&self) -> &'static str {
        match self {
            Self::InvalidClient => {
                "the client id or secret is wrong, or an administrator has revoked them"
            }
            Self::InvalidGrant => "the code or refresh token is used up, expired or revoked",
            Self::InvalidRequest => "the server could not read it",
            Self::InvalidScope => "a scope is unknown, or not approved for this client",
            Self::UnauthorizedClient => "this client may not use this grant",
            Self::Unregistered => "the server gave no reason that is known",
            Self::UnsupportedGrantType => "the server does not know this grant",
        }
    }

    /// Returns what can be done about it, and by whom.
    #[must_use]
    pub const fn remedy(&self) -> Remedy {
        match self {
            Self::InvalidGrant => Remedy::Reauthorize,
            Self::InvalidScope | Self::UnauthorizedClient => Remedy::AskAdministrator,
            Self::InvalidClient | Self::InvalidRequest | Self::UnsupportedGrantType => {
                Remedy::FixConfiguration
            }
            Self::Unregistered => Remedy::RetryLater { at: None },
        }
    }

    /// Returns a stable name for logs.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::InvalidClient => "sr_auth::refused::invalid_client",
            Self::InvalidGrant => "sr_auth::refused::invalid_grant",
            Self::InvalidRequest => "sr_auth::refused::invalid_request",
            Self::InvalidScope => "sr_auth::refused::invalid_scope",
            Self::UnauthorizedClient => "sr_auth::refused::unauthorized_client",
            Self::Unregistered => "sr_auth::refused::unregistered",
            Self::UnsupportedGrantType => "sr_auth::refused::unsupported_grant_type",
        }
    }
}

/// The rule of the protocol that an answer of the token endpoint broke.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ServerMisbehaved {
    /// A successful answer without an access token, such as `{}`.
    #[error("a successful answer holds no access token")]
    NoAccessToken,
    /// A successful answer whose body is not one JSON object.
    #[error("a successful answer is not a JSON object")]
    NotJson,
    /// A redirect, which is never followed: it would carry the credentials elsewhere.
    #[error("it redirects, and credentials are not sent elsewhere")]
    Redirect,
    /// A token that cannot be put into a header, or is longer than 16 KiB.
    #[error("a token is too long or has characters that no header can carry")]
    TokenShape,
    /// An access token of another type than bearer (RFC 6749 §7.1).
    #[error("the token is not a bearer token")]
    TokenType,
    /// A body longer than the limit.
    #[error("the answer is too long")]
    TooLong,
}
