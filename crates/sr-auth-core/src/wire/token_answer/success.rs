//! Successful answers (RFC 6749 §5.1).

use std::time::Duration;

use http::StatusCode;
use serde::Deserialize;

use super::class::{self, TokenAnswer};
use crate::wire::lenient::{self, Lenient};
use crate::wire::salvage;
use crate::{
    AccessToken, GrantedScope, RefreshToken, ScopeSet, Secret, ServerMisbehaved, Timestamp,
};

/// The life of an access token whose answer names none, or an impossible one: a sixth of what is
/// documented, so that it is renewed early rather than used late.
const DEFAULT_LIFE: Duration = Duration::from_secs(300);

/// The longest life that is believed.
const LONGEST_LIFE: Duration = Duration::from_secs(24 * 60 * 60);

/// A usable answer: an access token, and a refresh token where the grant has one.
#[derive(Clone, Debug)]
#[expect(clippy::exhaustive_structs, reason = "taken apart by every grant")]
pub struct TokenResponse {
    /// The access token.
    pub access: AccessToken,
    /// The refresh token, if the answer carried one.
    pub refresh: Option<RefreshToken>,
}

#[derive(Deserialize)]
struct Members<'a> {
    #[serde(borrow, default)]
    access_token: Option<Lenient<'a>>,
    #[serde(borrow, default)]
    error: Option<Lenient<'a>>,
    #[serde(borrow, default)]
    error_description: Option<Lenient<'a>>,
    #[serde(borrow, default)]
    expires_in: Option<Lenient<'a>>,
    #[serde(borrow, default)]
    refresh_token: Option<Lenient<'a>>,
    #[serde(borrow, default)]
    scope: Option<Lenient<'a>>,
    #[serde(borrow, default)]
    token_type: Option<Lenient<'a>>,
}

pub(super) fn read(status: StatusCode, body: &[u8], sent_at: Timestamp) -> TokenAnswer {
    // Salvage comes first: whatever is wrong with the rest, the token before this one is used up.
    let salvaged = |rule| TokenAnswer::Unusable {
        rule,
        salvaged: salvage::refresh_token(body).and_then(|token| refresh_token(token, sent_at)),
    };
    if body.len() > super::BODY_LIMIT {
        return salvaged(ServerMisbehaved::TooLong);
    }
    let Some(members) = lenient::object::<Members<'_>>(body) else {
        return salvaged(ServerMisbehaved::NotJson);
    };
    let Some(token) = members.access_token.as_ref().and_then(Lenient::text) else {
        let code = members.error.as_ref().and_then(Lenient::text);
        let description = members.error_description.as_ref().and_then(Lenient::text);
        return match code {
            Some(code) => class::by_code(status, code, description),
            None => salvaged(ServerMisbehaved::NoAccessToken),
        };
    };
    if token.is_empty() {
        return salvaged(ServerMisbehaved::NoAccessToken);
    }
    if !fits_header(token) {
        return salvaged(ServerMisbehaved::TokenShape);
    }
    if !is_bearer(members.token_type.as_ref()) {
        return salvaged(ServerMisbehaved::TokenType);
    }
    let expires_at = sent_at.after(life(members.expires_in.as_ref()));
    let scope = granted(members.scope.as_ref());
    let access = AccessToken::new(Secret::new(token.to_owned()), expires_at, scope);
    let refresh = members.refresh_token.as_ref().and_then(Lenient::text);
    let refresh = refresh.and_then(|token| refresh_token(Secret::new(token.to_owned()), sent_at));
    TokenAnswer::Granted(TokenResponse { access, refresh })
}

/// A refresh token may have any shape, since it travels in a form; only its length is bounded.
fn refresh_token(token: Secret, sent_at: Timestamp) -> Option<RefreshToken> {
    if token.expose().len() > AccessToken::LIMIT {
        return None;
    }
    RefreshToken::new(token, sent_at).ok()
}

/// Opaque means: any text that a header can carry (RFC 6749 appendix A.12), up to the limit.
fn fits_header(token: &str) -> bool {
    token.len() <= AccessToken::LIMIT
        && token.bytes().all(|byte| matches!(byte, 0x20..=0x7e))
        && !token.starts_with(' ')
        && !token.ends_with(' ')
}

fn is_bearer(token_type: Option<&Lenient<'_>>) -> bool {
    match token_type {
        // The documented refresh answer has none.
        None => true,
        Some(member) => member.text().is_some_and(|text| text.eq_ignore_ascii_case("bearer")),
    }
}

fn life(expires_in: Option<&Lenient<'_>>) -> Duration {
    let seconds = match expires_in {
        Some(Lenient::Number(seconds)) => Some(*seconds),
        Some(Lenient::Text(text)) => text.trim().parse::<f64>().ok(),
        Some(Lenient::Odd) | None => None,
    };
    match seconds {
        Some(seconds) if seconds >= 0.0 => {
            Duration::try_from_secs_f64(seconds).map_or(LONGEST_LIFE, |life| life.min(LONGEST_LIFE))
        }
        _ => DEFAULT_LIFE,
    }
}

fn granted(scope: Option<&Lenient<'_>>) -> GrantedScope {
    match scope.and_then(Lenient::text).map(ScopeSet::parse) {
        Some(Ok(scopes)) => GrantedScope::Explicit(scopes),
        // Names that RFC 6749 forbids grant nothing that could be asked for.
        Some(Err(_)) => GrantedScope::Explicit(ScopeSet::default()),
        None => GrantedScope::AsRequested,
    }
}
