//! What an answer means for the request, and for what the request has spent.

use std::time::Duration;

use http::{HeaderMap, StatusCode};
use serde::Deserialize;

use super::TokenResponse;
use crate::wire::lenient::{self, Lenient};
use crate::wire::retry_after;
use crate::{ErrorCode, ErrorResponse, RefreshToken, ServerMisbehaved, ServerText, Timestamp};

/// What the token endpoint said, sorted by who has to act and what was spent.
#[derive(Clone, Debug)]
#[expect(clippy::exhaustive_enums, reason = "every grant decides about every case")]
pub enum TokenAnswer {
    /// The client itself is refused; a code or refresh token is not spent.
    ClientRefused(ErrorResponse),
    /// An access token.
    Granted(TokenResponse),
    /// The code or refresh token is refused: used up, expired, revoked or unknown.
    GrantRefused(ErrorResponse),
    /// The request is refused as it stands; a code or refresh token is not spent.
    RequestRefused(ErrorResponse),
    /// The server broke, or something in front of it did: whether it acted is unknown.
    ServerFault {
        /// How long the server asks to be left alone.
        retry_after: Option<Duration>,
    },
    /// Too many requests: refused before anything was done.
    Throttled {
        /// How long the server asks to be left alone.
        retry_after: Option<Duration>,
    },
    /// A refusal that says nothing that RFC 6749 knows.
    Unrecognised(ErrorResponse),
    /// A success that brings no usable access token, or a redirect.
    Unusable {
        /// The rule that the answer breaks.
        rule: ServerMisbehaved,
        /// The refresh token in it, if there is one: the only one that still opens the grant.
        salvaged: Option<RefreshToken>,
    },
}

/// RFC 6749 §5.2, and the resource API's object.
#[derive(Default, Deserialize)]
struct Members<'a> {
    #[serde(borrow, default)]
    error: Option<Lenient<'a>>,
    #[serde(borrow, default)]
    error_description: Option<Lenient<'a>>,
    #[serde(borrow, default)]
    message: Option<Lenient<'a>>,
}

pub(super) fn refusal(
    status: StatusCode,
    headers: &HeaderMap,
    body: &[u8],
    now: Timestamp,
) -> TokenAnswer {
    if status.is_redirection() {
        return TokenAnswer::Unusable { rule: ServerMisbehaved::Redirect, salvaged: None };
    }
    let retry_after = retry_after::read(headers, now);
    if status == StatusCode::TOO_MANY_REQUESTS {
        return TokenAnswer::Throttled { retry_after };
    }
    if status.is_server_error()
        || status == StatusCode::REQUEST_TIMEOUT
        || status.is_informational()
    {
        return TokenAnswer::ServerFault { retry_after };
    }
    let members = if body.len() > super::BODY_LIMIT {
        Members::default()
    } else {
        lenient::object::<Members<'_>>(body).unwrap_or_default()
    };
    let description = members.error_description.as_ref().or(members.message.as_ref());
    let description = description.and_then(Lenient::text);
    if let Some(code) = members.error.as_ref().and_then(Lenient::text) {
        return by_code(status, code, description);
    }
    let response = |code| response(status, code, description);
    match status {
        StatusCode::UNAUTHORIZED => TokenAnswer::ClientRefused(response(ErrorCode::InvalidClient)),
        StatusCode::UNSUPPORTED_MEDIA_TYPE => {
            TokenAnswer::RequestRefused(response(ErrorCode::InvalidRequest))
        }
        _ => TokenAnswer::Unrecognised(response(ErrorCode::Unregistered)),
    }
}

/// Sorts an answer by its `error`, whatever its status.
pub(super) fn by_code(status: StatusCode, code: &str, description: Option<&str>) -> TokenAnswer {
    let response = |code| response(status, code, description);
    match code {
        "invalid_client" => TokenAnswer::ClientRefused(response(ErrorCode::InvalidClient)),
        "invalid_grant" => TokenAnswer::GrantRefused(response(ErrorCode::InvalidGrant)),
        "invalid_request" => TokenAnswer::RequestRefused(response(ErrorCode::InvalidRequest)),
        "invalid_scope" => TokenAnswer::RequestRefused(response(ErrorCode::InvalidScope)),
        "server_error" | "temporarily_unavailable" => {
            TokenAnswer::ServerFault { retry_after: None }
        }
        "unauthorized_client" => {
            TokenAnswer::ClientRefused(response(ErrorCode::UnauthorizedClient))
        }
        "unsupported_grant_type" => {
            TokenAnswer::RequestRefused(response(ErrorCode::UnsupportedGrantType))
        }
        unregistered => TokenAnswer::Unrecognised(
            response(ErrorCode::Unregistered)
                .with_unregistered(Some(ServerText::sanitize(unregistered))),
        ),
    }
}

fn response(status: StatusCode, code: ErrorCode, description: Option<&str>) -> ErrorResponse {
    ErrorResponse::new(status, code, description.map(ServerText::sanitize))
}
