//! What an answer means for the request, and for what the request has spent.

use std::time::Duration;

use http::header::{HeaderValue, WWW_AUTHENTICATE};
use http::{HeaderMap, StatusCode};

use super::TokenResponse;
use crate::wire::error_object::ErrorObject;
use crate::{ErrorCode, ErrorResponse, RefreshToken, ServerMisbehaved, ServerText};

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

pub(super) fn refusal(
    status: StatusCode,
    headers: &HeaderMap,
    body: &[u8],
    retry_after: Option<Duration>,
) -> TokenAnswer {
    if status.is_redirection() {
        return TokenAnswer::Unusable { rule: ServerMisbehaved::Redirect, salvaged: None };
    }
    if status == StatusCode::TOO_MANY_REQUESTS {
        return TokenAnswer::Throttled { retry_after };
    }
    if status.is_server_error()
        || status.is_informational()
        || status == StatusCode::REQUEST_TIMEOUT
    {
        return TokenAnswer::ServerFault { retry_after };
    }
    let readable = if body.len() > super::BODY_LIMIT { &[] } else { body };
    let object = ErrorObject::read(readable);
    let words = object.words();
    let description = words.as_deref();
    let lower = |code: String| code.to_ascii_lowercase();
    let code = object.error().or_else(|| object.codes().into_iter().next().map(lower));
    if let Some(code) = code {
        return by_code(status, &code, description, retry_after);
    }
    let response = |code| response(status, code, description);
    match status {
        // A body that says something else may come from anywhere on the way.
        StatusCode::UNAUTHORIZED if body.is_empty() || asks_for_basic(headers) => {
            TokenAnswer::ClientRefused(response(ErrorCode::InvalidClient))
        }
        StatusCode::UNSUPPORTED_MEDIA_TYPE => {
            TokenAnswer::RequestRefused(response(ErrorCode::InvalidRequest))
        }
        _ => TokenAnswer::Unrecognised(response(ErrorCode::Unregistered)),
    }
}

/// A client that failed to authenticate is challenged by the scheme it may use (RFC 6749 §5.2).
fn asks_for_basic(headers: &HeaderMap) -> bool {
    let scheme = |field: &HeaderValue| field.as_bytes().get(..5).map(<[u8]>::to_ascii_lowercase);
    headers.get_all(WWW_AUTHENTICATE).iter().any(|it| scheme(it).as_deref() == Some(b"basic"))
}

/// Sorts an answer by its `error`, whatever its status.
pub(super) fn by_code(
    status: StatusCode,
    code: &str,
    description: Option<&str>,
    retry_after: Option<Duration>,
) -> TokenAnswer {
    let response = |code| response(status, code, description);
    match code {
        "invalid_client" => TokenAnswer::ClientRefused(response(ErrorCode::InvalidClient)),
        "invalid_grant" => TokenAnswer::GrantRefused(response(ErrorCode::InvalidGrant)),
        "invalid_request" => TokenAnswer::RequestRefused(response(ErrorCode::InvalidRequest)),
        "invalid_scope" => TokenAnswer::RequestRefused(response(ErrorCode::InvalidScope)),
        "server_error" | "temporarily_unavailable" => TokenAnswer::ServerFault { retry_after },
        "unauthorized_client" => {
            TokenAnswer::ClientRefused(response(ErrorCode::UnauthorizedClient))
        }
        "unsupported_grant_type" => {
            TokenAnswer::RequestRefused(response(ErrorCode::UnsupportedGrantType))
        }
        unregistered => TokenAnswer::Unrecognised(
            response(ErrorCode::Unregistered).with_unregistered(ServerText::sanitize(unregistered)),
        ),
    }
}

fn response(status: StatusCode, code: ErrorCode, description: Option<&str>) -> ErrorResponse {
    ErrorResponse::new(status, code, description.map(ServerText::sanitize))
}
