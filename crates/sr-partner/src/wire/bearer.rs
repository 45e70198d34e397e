//! The token of a request to us (RFC 6750 §2): in the `Authorization` header, once, or not at all.

use http::Request;
use http::header::AUTHORIZATION;
use sr_auth_core::{Secret, SecretBytes};

use super::query::Form;

/// The longest token that is looked up, in bytes; ours have 64.
pub const TOKEN_LIMIT: usize = 1_024;

/// Why a request carries no token that could be looked up.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "RFC 6750 §3.1 has an answer for each")]
pub enum BearerFault {
    /// Two headers, a token in the query, or one that is no token: `invalid_request`.
    Malformed,
    /// No token at all: a challenge without an error.
    Missing,
}

/// Reads the token of a request.
///
/// # Errors
///
/// [`BearerFault::Malformed`] for two `Authorization` headers, for `access_token` in the query
/// (beside a header or instead of one), and for what is no token (RFC 6750 §2.1);
/// [`BearerFault::Missing`] without a header, and for another scheme.
pub fn read(request: &Request<SecretBytes>) -> Result<Secret, BearerFault> {
    let query = request.uri().query().unwrap_or_default();
    let in_query = match Form::read(query.as_bytes()) {
        Ok(form) => form.filled("access_token").is_some(),
        Err(_) => query.contains("access_token"),
    };
    if in_query {
        return Err(BearerFault::Malformed);
    }
    let mut values = request.headers().get_all(AUTHORIZATION).iter();
    let value = values.next().ok_or(BearerFault::Missing)?;
    if values.next().is_some() {
        return Err(BearerFault::Malformed);
    }
    let value = value.to_str().map_err(|_| BearerFault::Malformed)?;
    let (scheme, token) = value.split_once(' ').unwrap_or((value, ""));
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(BearerFault::Missing);
    }
    let token = token.trim_matches(' ');
    let body = token.trim_end_matches('=');
    let in_token = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+/".contains(&byte);
    if body.is_empty() || token.len() > TOKEN_LIMIT || !body.bytes().all(in_token) {
        return Err(BearerFault::Malformed);
    }
    Ok(Secret::new(token.to_owned()))
}
