//! What a process holds of a grant: the tokens, and what it knows about them.

use std::time::Duration;

use super::Margins;
use crate::store::{Generation, Health, NewGrant, Record, Renewal, StoredToken, Successor};
use crate::wire::token_answer::TokenResponse;
use crate::{AccessToken, Fingerprint, FingerprintKey, RefreshToken, Secret, Timestamp, TokenSet};

/// The tokens of one generation.
#[derive(Clone, Debug)]
pub(crate) struct Held {
    pub(crate) access: Option<Box<StoredToken<Secret>>>,
    pub(crate) generation: Generation,
    /// Beside the token and not around it, where it would take eight bytes.
    has_refresh: bool,
    refresh: StoredToken<Option<Secret>>,
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
    /// For so long an access token that has ended is kept: a clock that was set ahead and back again
    /// has not ended it.
    const ENDED_FOR: Duration = Duration::from_secs(24 * 60 * 60);

    /// How many seconds after its issue a rejection counts as one of a fresh token.
    const FRESH_FOR: u32 = 60;

    /// So many rejections mean that another token would be rejected too.
    pub(crate) const REJECTED_FOR_GOOD: u8 = 2;

    /// Tells whether this process has the access token since a moment ago.
    pub(crate) fn is_fresh(&self, now: Timestamp) -> bool {
        seconds(now).saturating_sub(self.taken_at) <= Self::FRESH_FOR
    }

    /// Lets go of what the store has and nobody needs until it is read again: an access token that
    /// has ended long ago, and the text of a refresh token that is older than `healing_for`, so that
    /// any backup which may be restored has it.
    pub(crate) fn shed(&mut self, now: Timestamp, healing_for: Duration) {
        let ended_at = now.before(Self::ENDED_FOR);
        self.access.take_if(|it| it.ends_at < ended_at);
        let left = RefreshToken::LIFE.saturating_sub(healing_for);
        if self.access.is_none() && now >= self.refresh.ends_at.before(left) {
            self.refresh.value = None;
        }
    }

    /// Returns the refresh token, if there is one. Its text is there while a store that went back
    /// may not have it: see [`shed`](Self::shed).
    pub(crate) fn refresh(&self) -> Option<&StoredToken<Option<Secret>>> {
        self.has_refresh.then_some(&self.refresh)
    }

    /// Returns the refresh token, if its text is there.
    pub(crate) fn refresh_token(&self) -> Option<StoredToken<Secret>> {
        let StoredToken { ends_at, fingerprint, renew_at, value } = self.refresh().cloned()?;
        Some(StoredToken { ends_at, fingerprint, renew_at, value: value? })
    }

    /// Tells whether there is a token that a store which has lost it can be given.
    pub(crate) fn has_tokens(&self) -> bool {
        let refresh = self.refresh().and_then(|it| it.value.as_ref());
        refresh.is_some() || self.access.is_some()
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
        let warned = old.filter(|old| fingerprint(old.refresh()) == refresh);
        Self {
            access: record.access.map(Box::new),
            generation: record.generation,
            has_refresh: record.refresh.is_some(),
            refresh: StoredToken::held(record.refresh),
            rejected: kept.is_some_and(|it| it.rejected),
            // A new token gets a chance of its own.
            rejections: old
                .map_or(0, |it| if kept.is_some() { it.rejections } else { it.rejections.min(1) }),
            taken_at: kept.map_or_else(|| seconds(now), |it| it.taken_at),
            warned: warned.map_or(0, |it| it.warned),
        }
    }
}

impl StoredToken<Option<Secret>> {
    fn held(token: Option<StoredToken<Secret>>) -> Self {
        let Some(StoredToken { ends_at, fingerprint, renew_at, value }) = token else {
            let (at, fingerprint) = (Timestamp::EPOCH, Fingerprint::from_bytes([0; 16]));
            return Self { ends_at: at, fingerprint, renew_at: at, value: None };
        };
        Self { ends_at, fingerprint, renew_at, value: Some(value) }
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
    token: &AccessToken,
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

    /// Adds an access token that came along, and spares the grant its first renewal; `sent_at` is when
    /// its request left, or any moment since.
    #[must_use]
    pub fn with_access_token(
        self,
        token: &AccessToken,
        sent_at: Timestamp,
        margins: &Margins,
        key: &FingerprintKey,
    ) -> Self {
        Self { access: Some(access(token, sent_at, margins, key)), ..self }
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
