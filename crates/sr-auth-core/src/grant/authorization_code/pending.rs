//! While the browser is away: what an authorization has to remember.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{AuthorizationCodeGrant, AuthorizationSettings};
use crate::wire::callback::{Callback, CallbackError, Expected};
use crate::{AuthorizationEndpoint, ConfigError, Fault, Secret, SecretDigest, Setting, Timestamp};

/// An authorization that waits for its callback.
///
/// A web service stores it under the browser's session ([`to_secret`](Self::to_secret)), and takes
/// it *out* of there, durably, before it is used: [`accept`](Self::accept) consumes it, so that a
/// `state` counts once, and what is stored has to follow suit.
#[derive(Debug)]
pub struct PendingAuthorization {
    application: Application,
    expires_at: Timestamp,
    server: Server,
    session: Option<SecretDigest>,
    state: Secret,
    verifier: Option<Secret>,
}

/// The application that asked: a code works for this client and this redirect URI only.
#[derive(Debug, Eq, PartialEq)]
struct Application {
    client_id: String,
    redirect_uri: String,
}

impl Application {
    fn of(settings: &AuthorizationSettings) -> Self {
        Self {
            client_id: settings.client().id().as_str().to_owned(),
            redirect_uri: settings.redirect_uri().as_str().to_owned(),
        }
    }
}

/// The authorization server that the browser was sent to (RFC 9700 §4.4.2).
#[derive(Debug, Eq, PartialEq)]
struct Server {
    authorization: String,
    issuer: Option<String>,
    token: String,
}

impl Server {
    fn of(settings: &AuthorizationSettings) -> Self {
        let endpoints = settings.endpoints();
        let authorization = endpoints.authorization().map(AuthorizationEndpoint::as_str);
        Self {
            authorization: authorization.unwrap_or_default().to_owned(),
            issuer: endpoints.issuer().map(str::to_owned),
            token: endpoints.token().as_str().to_owned(),
        }
    }
}

/// What [`PendingAuthorization::to_secret`] writes: version 1.
#[derive(Deserialize, Serialize)]
struct Stored<'a> {
    authorization: String,
    client_id: String,
    expires_at: u64,
    issuer: Option<String>,
    redirect_uri: String,
    session: Option<[u8; 32]>,
    #[serde(borrow)]
    state: &'a str,
    token: String,
    #[serde(borrow)]
    verifier: Option<&'a str>,
    version: u8,
}

impl PendingAuthorization {
    /// How long a user may take to decide.
    pub const LIFE: Duration = Duration::from_secs(600);

    /// How far the clock of the process that takes the callback may be behind.
    pub const CLOCK_SKEW: Duration = Duration::from_secs(60);

    pub(super) fn new(
        settings: &AuthorizationSettings,
        state: Secret,
        verifier: Option<Secret>,
        now: Timestamp,
    ) -> Self {
        let expires_at = now.after(Self::LIFE);
        let (application, server) = (Application::of(settings), Server::of(settings));
        Self { application, expires_at, server, session: None, state, verifier }
    }

    pub(super) fn bound_to(self, session: &Secret) -> Self {
        Self { session: Some(session.digest()), ..self }
    }

    /// Returns `state`; a callback that belongs here has the same [`Callback::state`].
    #[must_use]
    pub const fn state(&self) -> &Secret {
        &self.state
    }

    /// Judges a callback and starts the exchange of its code; `now` is when the callback arrived.
    ///
    /// # Errors
    ///
    /// In this order, and nothing is sent: [`CallbackError::OtherServer`] and
    /// [`CallbackError::OtherApplication`] when `settings` are not those that it was begun with; [`CallbackError::Malformed`],
    /// [`CallbackError::OtherRedirectUri`], [`CallbackError::StateMismatch`] and
    /// [`CallbackError::IssuerMismatch`] when the callback is not this authorization's;
    /// [`CallbackError::OtherSession`] and [`CallbackError::Expired`];
    /// [`CallbackError::Declined`] and [`CallbackError::Refused`] for an `error`, whatever else is
    /// there; [`CallbackError::NoCode`]. A repeated parameter is [`CallbackError::Repeated`] when
    /// its turn comes.
    pub fn accept(
        self,
        settings: &AuthorizationSettings,
        callback: &Callback,
        now: Timestamp,
    ) -> Result<AuthorizationCodeGrant, CallbackError> {
        if self.server != Server::of(settings) {
            return Err(CallbackError::OtherServer);
        }
        if self.application != Application::of(settings) {
            return Err(CallbackError::OtherApplication);
        }
        let answer = callback.authenticate(&Expected {
            issuer: self.server.issuer.as_deref(),
            redirect_uri: settings.redirect_uri(),
            state: &self.state,
        })?;
        if self.session.is_some_and(|bound| callback.session().map(Secret::digest) != Some(bound)) {
            return Err(CallbackError::OtherSession);
        }
        let begun_at = self.expires_at.before(Self::LIFE);
        if now >= self.expires_at || now.after(Self::CLOCK_SKEW) < begun_at {
            return Err(CallbackError::Expired);
        }
        let code = answer.code()?;
        Ok(AuthorizationCodeGrant::new(settings, &code, self.verifier.as_ref(), now))
    }

    /// Writes it down, to be kept wherever sessions are kept: it holds secrets.
    #[must_use]
    #[expect(clippy::missing_panics_doc, reason = "writing texts and numbers as JSON cannot fail")]
    pub fn to_secret(&self) -> Secret {
        let stored = Stored {
            authorization: self.server.authorization.clone(),
            client_id: self.application.client_id.clone(),
            expires_at: self.expires_at.as_unix_millis(),
            issuer: self.server.issuer.clone(),
            redirect_uri: self.application.redirect_uri.clone(),
            session: self.session.map(|digest| *digest.as_bytes()),
            state: self.state.expose(),
            token: self.server.token.clone(),
            verifier: self.verifier.as_ref().map(Secret::expose),
            version: 1,
        };
        let text = serde_json::to_string(&stored).expect("texts and numbers are always JSON");
        Secret::new(text)
    }

    /// Reads it back.
    ///
    /// # Errors
    ///
    /// [`Fault::NotStored`] when it is damaged, or was written by another version.
    pub fn from_secret(stored: &Secret) -> Result<Self, ConfigError> {
        let error = ConfigError::new(Setting::PendingAuthorization, Fault::NotStored);
        let stored: Stored<'_> = serde_json::from_str(stored.expose()).map_err(|_| error)?;
        if stored.version != 1 || stored.state.is_empty() {
            return Err(error);
        }
        Ok(Self {
            application: Application {
                client_id: stored.client_id,
                redirect_uri: stored.redirect_uri,
            },
            expires_at: Timestamp::from_unix_millis(stored.expires_at),
            server: Server {
                authorization: stored.authorization,
                issuer: stored.issuer,
                token: stored.token,
            },
            session: stored.session.map(SecretDigest::from_bytes),
            state: Secret::new(stored.state.to_owned()),
            verifier: stored.verifier.map(|verifier| Secret::new(verifier.to_owned())),
        })
    }
}
