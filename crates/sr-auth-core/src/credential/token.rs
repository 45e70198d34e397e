//! Access tokens and refresh tokens, and when they end.

use std::time::Duration;

use super::{Authorization, checked_text};
use crate::{ConfigError, Fault, ScopeSet, Secret, Setting, Timestamp};

/// A bearer token (RFC 6750), opaque, with the moment of its end.
#[derive(Clone, Debug)]
pub struct AccessToken {
    expires_at: Timestamp,
    scope: GrantedScope,
    secret: Secret,
}

impl AccessToken {
    /// The longest token that is accepted, in bytes.
    pub const LIMIT: usize = 16 * 1024;

    /// Takes a stored access token, or one from elsewhere.
    ///
    /// # Errors
    ///
    /// [`Fault::Empty`], [`Fault::ControlCharacter`], [`Fault::NotPrintable`] for what no header can
    /// carry (RFC 6749 appendix A.12), and [`Fault::OutOfRange`] beyond [`LIMIT`](Self::LIMIT).
    pub fn new(
        secret: Secret,
        expires_at: Timestamp,
        scope: GrantedScope,
    ) -> Result<Self, ConfigError> {
        checked_access_token(&secret)?;
        Ok(Self { expires_at, scope, secret })
    }

    /// Returns the header that carries the token: `Authorization: Bearer …`, and nowhere else.
    #[must_use]
    pub fn authorization(&self) -> Authorization {
        Authorization::bearer(&self.secret)
    }

    /// Returns when the token ends, counted from the moment at which its request was sent: never
    /// later than the server's own count, which begins when the token is generated.
    #[must_use]
    pub const fn expires_at(&self) -> Timestamp {
        self.expires_at
    }

    /// Tells whether the token can still be used at `now`, with `margin` left.
    #[must_use]
    pub fn is_valid_at(&self, now: Timestamp, margin: Duration) -> bool {
        now.after(margin) < self.expires_at
    }

    /// Returns what the token may be used for, as far as the server said.
    #[must_use]
    pub const fn scope(&self) -> &GrantedScope {
        &self.scope
    }

    /// Returns the token itself.
    #[must_use]
    pub const fn secret(&self) -> &Secret {
        &self.secret
    }
}

/// Refuses what cannot be sent as a bearer token.
pub(super) fn checked_access_token(secret: &Secret) -> Result<(), ConfigError> {
    let text = secret.expose();
    // Nearly every token is of visible ASCII letters only: seen at once, without a look at each.
    let is_plain = text.bytes().fold(true, |plain, byte| plain & byte.is_ascii_graphic());
    if is_plain && !text.is_empty() && text.len() <= AccessToken::LIMIT {
        return Ok(());
    }
    checked_text(text, Setting::AccessToken)?;
    let printable = text.bytes().all(|byte| matches!(byte, 0x20..=0x7e));
    if !printable || text.starts_with(' ') || text.ends_with(' ') {
        return Err(ConfigError::new(Setting::AccessToken, Fault::NotPrintable));
    }
    if text.len() > AccessToken::LIMIT {
        return Err(ConfigError::new(Setting::AccessToken, Fault::OutOfRange));
    }
    Ok(())
}

/// What the server granted (RFC 6749 §3.3, §5.1).
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum GrantedScope {
    /// The answer had no `scope`: what was asked for, or what the credential was made with.
    AsRequested,
    /// The answer named the scopes; the empty set grants nothing.
    Explicit(ScopeSet),
}

/// A refresh token: 28 days, used once, replaced by every refresh.
#[derive(Clone, Debug)]
pub struct RefreshToken {
    obtained_at: Timestamp,
    secret: Secret,
}

impl RefreshToken {
    /// How long a refresh token lives from the moment it was issued: 28 days.
    pub const LIFE: Duration = Duration::from_secs(28 * 24 * 60 * 60);

    /// Takes a stored refresh token; `obtained_at` is when its request was sent.
    ///
    /// # Errors
    ///
    /// [`Fault::Empty`]; any other text may be one.
    pub fn new(secret: Secret, obtained_at: Timestamp) -> Result<Self, ConfigError> {
        if secret.is_empty() {
            return Err(ConfigError::new(Setting::RefreshToken, Fault::Empty));
        }
        Ok(Self { obtained_at, secret })
    }

    /// Takes whatever the server sent: it alone has to recognise it.
    pub(crate) const fn from_server(secret: Secret, obtained_at: Timestamp) -> Self {
        Self { obtained_at, secret }
    }

    /// Returns when it ends by the documented life. The server judges, not our clock: a token past
    /// this moment is still worth one try.
    #[must_use]
    pub fn expires_at(&self) -> Timestamp {
        self.obtained_at.after(Self::LIFE)
    }

    /// Returns when the request that brought it was sent.
    #[must_use]
    pub const fn obtained_at(&self) -> Timestamp {
        self.obtained_at
    }

    /// Returns the token itself.
    #[must_use]
    pub const fn secret(&self) -> &Secret {
        &self.secret
    }
}

/// What a successful authorization code or refresh exchange brings.
///
/// Store the refresh token before anything else is done with the set: the one before is used up.
#[derive(Clone, Debug)]
pub struct TokenSet {
    access: AccessToken,
    refresh: Option<RefreshToken>,
    rotated: bool,
}

impl TokenSet {
    pub(crate) const fn new(
        access: AccessToken,
        refresh: Option<RefreshToken>,
        rotated: bool,
    ) -> Self {
        Self { access, refresh, rotated }
    }

    /// Returns the access token.
    #[must_use]
    pub const fn access(&self) -> &AccessToken {
        &self.access
    }

    /// Returns the refresh token to keep.
    #[must_use]
    pub const fn refresh(&self) -> Option<&RefreshToken> {
        self.refresh.as_ref()
    }

    /// Tells whether the answer carried the refresh token.
    ///
    /// `false` after a refresh means that [`refresh`](Self::refresh) is the token that was sent:
    /// kept as RFC 6749 §6 asks, though a server with single-use tokens will likely refuse it.
    #[must_use]
    pub const fn rotated(&self) -> bool {
        self.rotated
    }

    /// Splits the set.
    #[must_use]
    pub fn into_parts(self) -> (AccessToken, Option<RefreshToken>) {
        (self.access, self.refresh)
    }
}
