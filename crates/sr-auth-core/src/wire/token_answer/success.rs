//! Successful answers (RFC 6749 §5.1).

use std::time::Duration;

use http::StatusCode;
use serde::Deserialize;

use super::class::{self, TokenAnswer};
use crate::wire::lenient::{self, Member};
use crate::wire::salvage;
use crate::{
    AccessToken, GrantedScope, RefreshToken, ScopeSet, Secret, ServerMisbehaved, Timestamp,
};

/// The life of an access token whose answer names none, or an impossible one: a sixth of what is
/// documented, so that it is renewed early rather than used late.
const DEFAULT_LIFE: Duration = Duration::from_secs(300);

/// The longest life that is believed: beyond it the number was probably meant as milliseconds.
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
    access_token: Option<Member<'a>>,
    #[serde(borrow, default)]
    error: Option<Member<'a>>,
    #[serde(borrow, default)]
    error_description: Option<Member<'a>>,
    #[serde(borrow, default)]
    expires_in: Option<Member<'a>>,
    #[serde(borrow, default)]
    refresh_token: Option<Member<'a>>,
    #[serde(borrow, default)]
    scope: Option<Member<'a>>,
    #[serde(borrow, default)]
    token_type: Option<Member<'a>>,
}

pub(super) fn read(
    status: StatusCode,
    body: &[u8],
    sent_at: Timestamp,
    retry_after: Option<Duration>,
) -> TokenAnswer {
    let within_limit = body.len() <= super::BODY_LIMIT;
    let members = within_limit.then(|| lenient::object::<Members<'_>>(body)).flatten();
    // Salvage comes first: whatever is wrong with the rest, the token before this one is used up.
    let Some(members) = members else {
        let rule = if within_limit { ServerMisbehaved::NotJson } else { ServerMisbehaved::TooLong };
        let salvaged = salvage::refresh_token(body).and_then(|it| refresh_token(it, sent_at));
        return TokenAnswer::Unusable { rule, salvaged };
    };
    let refresh = members.refresh_token.and_then(Member::text_or_digits);
    let refresh = refresh.and_then(|it| refresh_token(Secret::new(it), sent_at));
    match access_token(&members, sent_at) {
        Ok(access) => TokenAnswer::Granted(TokenResponse { access, refresh }),
        // An error beside a new refresh token: the one before is used up all the same.
        Err(rule) if refresh.is_some() => TokenAnswer::Unusable { rule, salvaged: refresh },
        Err(rule) => match members.error.and_then(Member::text) {
            Some(code) => {
                let description = members.error_description.and_then(Member::text);
                class::by_code(status, &code, description.as_deref(), retry_after)
            }
            None => TokenAnswer::Unusable { rule, salvaged: None },
        },
    }
}

fn access_token(
    members: &Members<'_>,
    sent_at: Timestamp,
) -> Result<AccessToken, ServerMisbehaved> {
    let token = members.access_token.and_then(Member::text).filter(|it| !it.is_empty());
    let token = Secret::new(token.ok_or(ServerMisbehaved::NoAccessToken)?);
    if !is_bearer(members.token_type) {
        return Err(ServerMisbehaved::TokenType);
    }
    let expires_at = sent_at.after(life(members.expires_in));
    AccessToken::new(token, expires_at, granted(members.scope))
        .map_err(|_| ServerMisbehaved::TokenShape)
}

/// A refresh token may have any shape: it travels in a form, which can carry every text.
fn refresh_token(token: Secret, sent_at: Timestamp) -> Option<RefreshToken> {
    (!token.is_empty()).then(|| RefreshToken::from_server(token, sent_at))
}

fn is_bearer(token_type: Option<Member<'_>>) -> bool {
    // The documented refresh answer has none, and another answer without one is not worth losing
    // a grant for: only bearer tokens are ever issued here.
    token_type.is_none_or(|it| it.text().is_some_and(|it| it.eq_ignore_ascii_case("bearer")))
}

fn life(expires_in: Option<Member<'_>>) -> Duration {
    match expires_in.and_then(Member::number) {
        Some(seconds) if (0.0..=LONGEST_LIFE.as_secs_f64()).contains(&seconds) => {
            Duration::from_secs_f64(seconds)
        }
        _ => DEFAULT_LIFE,
    }
}

fn granted(scope: Option<Member<'_>>) -> GrantedScope {
    let Some(scope) = scope else { return GrantedScope::AsRequested };
    let names = scope.text().or_else(|| scope.texts().map(|names| names.join(" ")));
    // What cannot be read grants nothing that could be asked for.
    let scopes = names.and_then(|names| ScopeSet::parse(&names).ok());
    GrantedScope::Explicit(scopes.unwrap_or_default())
}
