//! Answers of ours: of the token endpoint (RFC 6749 §5), and to a bearer (RFC 6750 §3).

use http::header::{
    ALLOW, CACHE_CONTROL, CONTENT_TYPE, HeaderName, HeaderValue, PRAGMA, RETRY_AFTER,
    WWW_AUTHENTICATE, X_CONTENT_TYPE_OPTIONS,
};
use http::{Response, StatusCode};
use serde::Serialize;
use sr_auth_core::{ScopeSet, Secret, SecretBytes};

/// A successful token answer: no refresh token, since client credentials can be presented again
/// (RFC 6749 §4.4.3).
#[derive(Serialize)]
struct Granted<'a> {
    access_token: &'a str,
    token_type: &'static str,
    expires_in: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<String>,
}

/// Writes the answer with a token.
pub(crate) fn granted(token: &Secret, expires_in: u64, scopes: &ScopeSet) -> Response<SecretBytes> {
    let scope = (!scopes.is_empty()).then(|| scopes.to_string());
    let body = Granted { access_token: token.expose(), token_type: "bearer", expires_in, scope };
    let room = 256 + token.expose().len() + body.scope.as_ref().map_or(0, String::len);
    uncached(StatusCode::OK, super::json(&body, room))
}

/// Writes an error of the token endpoint.
pub(crate) fn error(status: StatusCode, code: &'static str) -> Response<SecretBytes> {
    uncached(status, SecretBytes::new(format!("{{\"error\":\"{code}\"}}").into_bytes()))
}

/// Writes `invalid_client`; Basic is asked for where it was tried.
pub(crate) fn invalid_client(in_header: bool) -> Response<SecretBytes> {
    let response = error(StatusCode::UNAUTHORIZED, "invalid_client");
    match in_header {
        true => with(response, WWW_AUTHENTICATE, "Basic realm=\"token\", charset=\"UTF-8\""),
        false => response,
    }
}

/// Writes 405 for an endpoint that has one method.
pub(crate) fn only(method: &'static str) -> Response<SecretBytes> {
    with(empty(StatusCode::METHOD_NOT_ALLOWED), ALLOW, method)
}

/// Writes an answer that asks to come again after so many seconds.
pub(crate) fn later(status: StatusCode, seconds: u64) -> Response<SecretBytes> {
    let mut response = error(status, "temporarily_unavailable");
    response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds.max(1)));
    response
}

/// Writes an answer to a bearer without a body.
pub(crate) fn empty(status: StatusCode) -> Response<SecretBytes> {
    let mut response = Response::new(SecretBytes::default());
    *response.status_mut() = status;
    with(response, CACHE_CONTROL, "no-store")
}

/// Writes a challenge: without an error when no token was sent.
pub(crate) fn challenge(status: StatusCode, error: Option<&'static str>) -> Response<SecretBytes> {
    let response = empty(status);
    match error {
        None => with(response, WWW_AUTHENTICATE, "Bearer"),
        Some("insufficient_scope") => {
            with(response, WWW_AUTHENTICATE, "Bearer error=\"insufficient_scope\"")
        }
        Some("invalid_token") => with(response, WWW_AUTHENTICATE, "Bearer error=\"invalid_token\""),
        Some(_) => with(response, WWW_AUTHENTICATE, "Bearer error=\"invalid_request\""),
    }
}

fn uncached(status: StatusCode, body: SecretBytes) -> Response<SecretBytes> {
    let mut response = empty(status);
    *response.body_mut() = body;
    let response = with(response, CONTENT_TYPE, "application/json;charset=UTF-8");
    let response = with(response, PRAGMA, "no-cache");
    with(response, X_CONTENT_TYPE_OPTIONS, "nosniff")
}

fn with(
    mut response: Response<SecretBytes>,
    name: HeaderName,
    value: &'static str,
) -> Response<SecretBytes> {
    response.headers_mut().insert(name, HeaderValue::from_static(value));
    response
}
