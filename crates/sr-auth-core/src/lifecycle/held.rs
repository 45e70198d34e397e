//! What a process holds of a grant: the tokens, and what it knows about them.

use super::Margins;
use crate::store::{Generation, Health, NewGrant, Record, Renewal, StoredToken, Successor};
use crate::wire::token_answer::TokenResponse;
use crate::{Fingerprint, FingerprintKey, RefreshToken, Secret, Timestamp, TokenSet};

/// The tokens of one generation.
#[derive(Clone, Debug)]
pub(crate) struct Held {
    pub(crate) access: Option<Box<StoredToken<Secret>>>,
    pub(crate) generation: Generation,
    pub(crate) refresh: Option<StoredToken<Secret>>,
    /// Whether the API refused the access token that is held.
    pub(crate) rejected: bool,
    /// How many access tokens in a row the API refused soon after they were issued.
    pub(crate) rejections: u8,
    /// When this process first had the access token, in whole seconds since the Unix epoch.
    taken_at: u32,
    /// The warning, in percent of the refresh token's life, that was last given.
    pub(crate) warned: u8,
}

impl Held {
    /// How many seconds after its issue a rejection counts as one of a fresh token.
    const FRESH_FOR: u32 = 60;

    /// So many rejections mean that another token would be rejected too.
    pub(crate) const REJECTED_FOR_GOOD: u8 = 2;

    /// Tells whether this process has the access token since a moment ago.
    pub(crate) fn is_fresh(&self, now: Timestamp) -> bool {
        seconds(now).saturating_sub(self.taken_at) <= Self::FRESH_FOR
    }

    /// Notes that a warning was given.
    pub(crate) const fn warn(&mut self, percent: u8) {
        self.warned = percent;
    }

    /// Takes over a record; what is known about tokens that stay is kept.
    pub(crate) fn from_record(record: Record<Secret>, old: Option<&Self>, now: Timestamp) -> Self {
        let access = fingerprint(record.access.as_ref());
        let refresh = fingerprint(record.refresh.as_ref());
        let kept = old.filter(|old| fingerprint(old.access.as_deref()) == access);
        let warned = old.filter(|old| fingerprint(old.refresh.as_ref()) == refresh);
        Self {
            access: record.access.map(Box::new),
            generation: record.generation,
            refresh: record.refresh,
            rejected: kept.is_some_and(|it| it.rejected),
            // A new token gets a chance of its own.
            rejections: old
                .map_or(0, |it| if kept.is_some() { it.rejections } else { it.rejections.min(1) }),
            taken_at: kept.map_or_else(|| seconds(now), |it| it.taken_at),
            warned: warned.map_or(0, |it| it.warned),
        }
    }
}

fn seconds(at: Timestamp) -> u32 {
    u32::try_from(at.as_unix_millis() / 1_000).unwrap_or(u32::MAX)
}

/// Returns the fingerprint of a token, if there is one.
pub(crate) fn fingerprint<V>(token: Option<&StoredToken<V>>) -> Option<Fingerprint> {
    token.map(|it| it.fingerprint)
}

/// Turns an answer into what is stored.
pub(super) fn successor(
    response: TokenResponse,
    sent_at: Timestamp,
    margins: &Margins,
    key: &FingerprintKey,
) -> Successor<Secret> {
    Successor {
        access: Some(access(&response.access, sent_at, margins, key)),
        refresh: response.refresh.as_ref().map(|it| refresh(it, key)),
    }
}

/// Turns a refresh token into what is stored.
pub(super) fn refresh(token: &RefreshToken, key: &FingerprintKey) -> StoredToken<Secret> {
    let (ends_at, value) = (token.expires_at(), token.secret().clone());
    let fingerprint = key.fingerprint(&value);
    let renew_at = Margins::of_refresh(token.obtained_at(), ends_at, fingerprint);
    StoredToken { ends_at, fingerprint, renew_at, value }
}

fn access(
    token: &crate::AccessToken,
    sent_at: Timestamp,
    margins: &Margins,
    key: &FingerprintKey,
) -> StoredToken<Secret> {
    let value = token.secret().clone();
    let fingerprint = key.fingerprint(&value);
    let (ends_at, renew_at) = margins.of_access(sent_at, token.expires_at(), fingerprint);
    StoredToken { ends_at, fingerprint, renew_at, value }
}

impl NewGrant<Secret> {
    /// Makes a grant of what the exchange of a code brought; `sent_at` is when its request left.
    #[must_use]
    pub fn from_tokens(
        tokens: &TokenSet,
        sent_at: Timestamp,
        margins: &Margins,
        key: &FingerprintKey,
    ) -> Self {
        Self {
            access: Some(access(tokens.access(), sent_at, margins, key)),
            refresh: tokens.refresh().map(|it| refresh(it, key)),
            renewal: Renewal::SingleUse,
        }
    }

    /// Makes a grant of a refresh token alone, as from another system.
    #[must_use]
    pub fn from_refresh_token(token: &RefreshToken, key: &FingerprintKey) -> Self {
        Self { access: None, refresh: Some(refresh(token, key)), renewal: Renewal::SingleUse }
    }

    /// Makes a grant of client credentials, before the first token.
    #[must_use]
    pub const fn repeatable() -> Self {
        Self { access: None, refresh: None, renewal: Renewal::Repeatable }
    }
}

/// Tells whether an administrator or the application itself has ended the grant.
pub(super) const fn is_ended(health: Health) -> bool {
    matches!(health, Health::Disabled | Health::Revoked)
}
