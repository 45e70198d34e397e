//! Before the browser: what is asked for, and the URL that asks.

use std::fmt;

use zeroize::Zeroize as _;

use super::PendingAuthorization;
use crate::grant::RetryPolicy;
use crate::secret::hex;
use crate::wire::authorization_url::AuthorizationUrl;
use crate::{
    ClientCredentials, ConfigError, Endpoints, Fault, RedirectUri, ScopeSet, Secret, Setting,
    Timestamp,
};

/// Everything about an application that its authorizations have in common.
#[derive(Clone, Debug)]
pub struct AuthorizationSettings {
    client: ClientCredentials,
    endpoints: Endpoints,
    pkce: Pkce,
    redirect_uri: RedirectUri,
    response_type: bool,
    retry: RetryPolicy,
    scopes: Option<ScopeSet>,
    sends_redirect_uri: bool,
}

/// Whether a proof key goes with the code (RFC 7636).
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum Pkce {
    /// Nothing is sent: the service does not document PKCE.
    #[default]
    Off,
    /// `code_challenge_method=S256`. The weaker `plain` does not exist here.
    S256,
}

impl AuthorizationSettings {
    /// Takes what every authorization needs.
    ///
    /// By default the scopes are those that the application was registered with, PKCE is off,
    /// `response_type=code` is sent, and the exchange repeats the redirect URI.
    #[must_use]
    pub fn new(client: ClientCredentials, endpoints: Endpoints, redirect_uri: RedirectUri) -> Self {
        Self {
            client,
            endpoints,
            pkce: Pkce::Off,
            redirect_uri,
            response_type: true,
            retry: RetryPolicy::default(),
            scopes: None,
            sends_redirect_uri: true,
        }
    }

    /// Sets whether PKCE is used.
    #[must_use]
    pub fn with_pkce(self, pkce: Pkce) -> Self {
        Self { pkce, ..self }
    }

    /// Sets how often a request that was not sent is repeated, and how long answers are awaited.
    #[must_use]
    pub fn with_retry(self, retry: RetryPolicy) -> Self {
        Self { retry, ..self }
    }

    /// Asks for these scopes.
    ///
    /// # Errors
    ///
    /// [`Fault::Empty`] for the empty set: the service refuses `scope=`.
    pub fn with_scopes(self, scopes: ScopeSet) -> Result<Self, ConfigError> {
        if scopes.is_empty() {
            return Err(ConfigError::new(Setting::Scope, Fault::Empty));
        }
        Ok(Self { scopes: Some(scopes), ..self })
    }

    /// Leaves `response_type` out of the URL, as the documented sample does.
    #[must_use]
    pub fn without_response_type(self) -> Self {
        Self { response_type: false, ..self }
    }

    /// Leaves `redirect_uri` out of the exchange, as the documented sample does; RFC 6749 §4.1.3
    /// asks for it.
    #[must_use]
    pub fn without_redirect_uri_in_exchange(self) -> Self {
        Self { sends_redirect_uri: false, ..self }
    }

    /// Returns the application's credentials.
    #[must_use]
    pub const fn client(&self) -> &ClientCredentials {
        &self.client
    }

    /// Returns the addresses.
    #[must_use]
    pub const fn endpoints(&self) -> &Endpoints {
        &self.endpoints
    }

    /// Returns the redirect URI.
    #[must_use]
    pub const fn redirect_uri(&self) -> &RedirectUri {
        &self.redirect_uri
    }

    pub(super) const fn retry(&self) -> RetryPolicy {
        self.retry
    }

    pub(super) const fn sends_redirect_uri(&self) -> bool {
        self.sends_redirect_uri
    }
}

/// One authorization that is about to begin: a URL for the browser, and what to remember.
///
/// # Examples
///
/// ```
/// use sr_auth_core::grant::{AuthorizationRequest, AuthorizationSettings};
/// use sr_auth_core::{ClientCredentials, Endpoints, RedirectUri, Secret, Timestamp};
///
/// let settings = AuthorizationSettings::new(
///     ClientCredentials::new("82e4424135fe", Secret::new("9165228a82e4".to_owned()))?,
///     Endpoints::production(),
///     RedirectUri::parse("https://yourapp.example/callback")?,
/// );
/// let entropy = [7; 64]; // From the operating system's generator.
/// let request = AuthorizationRequest::new(&settings, entropy, Timestamp::from_unix_secs(0))?;
/// assert!(request.url().starts_with("https://www.smartrecruiters.com/identity/oauth/allow?"));
/// let pending = request.into_pending(); // Keep it until the callback.
/// # Ok::<(), sr_auth_core::ConfigError>(())
/// ```
pub struct AuthorizationRequest {
    pending: PendingAuthorization,
    url: String,
}

impl AuthorizationRequest {
    /// Begins an authorization.
    ///
    /// `entropy` comes from the operating system's generator and is used once: the first half
    /// becomes `state`, the second the PKCE verifier.
    ///
    /// # Errors
    ///
    /// [`Fault::Missing`] when the endpoints name no authorization endpoint.
    pub fn new(
        settings: &AuthorizationSettings,
        mut entropy: [u8; 64],
        now: Timestamp,
    ) -> Result<Self, ConfigError> {
        let Some(endpoint) = settings.endpoints.authorization() else {
            return Err(ConfigError::new(Setting::AuthorizationEndpoint, Fault::Missing));
        };
        let (mut for_state, mut for_verifier) = ([0; 32], [0; 32]);
        for_state.copy_from_slice(&entropy[..32]);
        for_verifier.copy_from_slice(&entropy[32..]);
        entropy.zeroize();
        let state = hex(for_state);
        let verifier = (settings.pkce == Pkce::S256).then(|| hex(for_verifier));
        for_state.zeroize();
        for_verifier.zeroize();
        let url = AuthorizationUrl {
            client_id: settings.client.id(),
            endpoint,
            pkce_verifier: verifier.as_ref(),
            redirect_uri: &settings.redirect_uri,
            response_type: settings.response_type,
            scopes: settings.scopes.as_ref(),
            state: &state,
        };
        let url = url.write();
        Ok(Self { pending: PendingAuthorization::new(settings, state, verifier, now), url })
    }

    /// Binds the authorization to the browser's session, so that only the browser that began it
    /// can end it (RFC 6749 §10.12). `session` is an unguessable value that the browser keeps,
    /// such as a cookie; only its digest is remembered.
    #[must_use]
    pub fn bind_to(self, session: &Secret) -> Self {
        Self { pending: self.pending.bound_to(session), ..self }
    }

    /// Returns the URL to send the user's browser to. It holds `state`: not for logs.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Returns what to keep until the callback.
    #[must_use]
    pub fn into_pending(self) -> PendingAuthorization {
        self.pending
    }
}

impl fmt::Debug for AuthorizationRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthorizationRequest")
            .field("pending", &self.pending)
            .finish_non_exhaustive()
    }
}
