//! Where requests go: authorization endpoint, token endpoint and API origin, each a setting.

mod api_origin;
mod redirect_uri;

pub use api_origin::ApiOrigin;
pub use redirect_uri::RedirectUri;

use std::net::IpAddr;
use std::sync::Arc;

use url::{Host, Url};

use crate::{ConfigError, Fault, Setting};

/// The addresses of one SmartRecruiters environment.
///
/// They come from the application's settings only, never from an answer. The host that shows the
/// consent page and the host of the token endpoint differ, and either may move, so each is a
/// setting of its own.
///
/// # Examples
///
/// ```
/// use sr_auth_core::Endpoints;
///
/// let endpoints = Endpoints::production();
/// assert_eq!(endpoints.token().as_str(), "https://api.smartrecruiters.com/identity/oauth/token");
/// ```
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Endpoints {
    api: ApiOrigin,
    authorization: Option<AuthorizationEndpoint>,
    issuer: Option<String>,
    token: TokenEndpoint,
}

/// Which hosts an endpoint may have.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum AllowedHosts {
    /// Any host and port, for a proxy or a private test server. Still https, unless on loopback.
    Any,
    /// Host names on the default port, as in production. Loopback may have a port.
    Named,
}

impl Endpoints {
    /// The path of the authorization endpoint.
    pub const AUTHORIZATION_PATH: &str = "/identity/oauth/allow";
    /// The path of the token endpoint.
    pub const TOKEN_PATH: &str = "/identity/oauth/token";

    /// Returns the production environment.
    #[must_use]
    pub fn production() -> Self {
        Self::environment(
            Some("https://www.smartrecruiters.com"),
            "https://api.smartrecruiters.com",
        )
    }

    /// Returns the vendor's sandbox environment.
    ///
    /// Its consent page has no documented address, so an authorization request fails until
    /// [`with_authorization`](Self::with_authorization) names one.
    #[must_use]
    pub fn sandbox() -> Self {
        Self::environment(None, "https://api.sandbox.smartrecruiters.com")
    }

    /// Takes all three from one origin, with the documented paths: a simulator on this machine.
    ///
    /// # Errors
    ///
    /// See [`custom`](Self::custom).
    pub fn at_origin(origin: &str) -> Result<Self, ConfigError> {
        let base = checked(origin, Setting::ApiOrigin, AllowedHosts::Named)?;
        let at = |path: &str| {
            let mut url = base.clone();
            url.set_path(path);
            url
        };
        let (authorize, token) = (at(Self::AUTHORIZATION_PATH), at(Self::TOKEN_PATH));
        Self::custom(authorize.as_str(), token.as_str(), base.as_str(), AllowedHosts::Named)
    }

    /// Takes any three addresses.
    ///
    /// # Errors
    ///
    /// - [`Fault::NotAUrl`]: not an absolute URL with a host.
    /// - [`Fault::NotHttps`]: another scheme than https; plain http is allowed on loopback only
    ///   (`127.0.0.0/8`, `[::1]`, `localhost`).
    /// - [`Fault::UserInfo`], [`Fault::Fragment`]: always refused.
    /// - [`Fault::UnusualHost`]: an IP address or a port that is neither loopback nor allowed by
    ///   `hosts`.
    /// - [`Fault::HasPath`]: an API origin with a path or a query.
    /// - [`Fault::Reserved`]: an authorization endpoint whose query sets a parameter of the request.
    pub fn custom(
        authorization: &str,
        token: &str,
        api: &str,
        hosts: AllowedHosts,
    ) -> Result<Self, ConfigError> {
        Ok(Self {
            api: ApiOrigin::parse(api, hosts)?,
            authorization: Some(AuthorizationEndpoint::parse(authorization, hosts)?),
            issuer: None,
            token: TokenEndpoint::parse(token, hosts)?,
        })
    }

    /// Sets another authorization endpoint.
    #[must_use]
    pub fn with_authorization(self, authorization: AuthorizationEndpoint) -> Self {
        Self { authorization: Some(authorization), ..self }
    }

    /// Sets another origin of the resource server.
    #[must_use]
    pub fn with_api(self, api: ApiOrigin) -> Self {
        Self { api, ..self }
    }

    /// Sets another token endpoint: older clients of the service use the one on `www`.
    #[must_use]
    pub fn with_token(self, token: TokenEndpoint) -> Self {
        Self { token, ..self }
    }

    /// Sets the issuer identifier that every callback must carry as `iss` (RFC 9207 §2.4).
    ///
    /// The service documents none, so by default `iss` is not looked at.
    ///
    /// # Errors
    ///
    /// [`Fault::Empty`] when it is empty.
    pub fn with_issuer(self, issuer: &str) -> Result<Self, ConfigError> {
        if issuer.is_empty() {
            return Err(ConfigError::new(Setting::Issuer, Fault::Empty));
        }
        Ok(Self { issuer: Some(issuer.to_owned()), ..self })
    }

    /// Returns the origin of the resource server.
    #[must_use]
    pub const fn api(&self) -> &ApiOrigin {
        &self.api
    }

    /// Returns the authorization endpoint, if one is known.
    #[must_use]
    pub const fn authorization(&self) -> Option<&AuthorizationEndpoint> {
        self.authorization.as_ref()
    }

    /// Returns the issuer that callbacks must name, if one is set.
    #[must_use]
    pub fn issuer(&self) -> Option<&str> {
        self.issuer.as_deref()
    }

    /// Returns the token endpoint.
    #[must_use]
    pub const fn token(&self) -> &TokenEndpoint {
        &self.token
    }

    fn environment(consent: Option<&str>, api: &str) -> Self {
        let known = "the addresses of this file are valid";
        let hosts = AllowedHosts::Named;
        let authorization = consent.map(|origin| {
            let url = format!("{origin}{}", Self::AUTHORIZATION_PATH);
            AuthorizationEndpoint::parse(&url, hosts).expect(known)
        });
        let token = format!("{api}{}", Self::TOKEN_PATH);
        Self {
            api: ApiOrigin::parse(api, hosts).expect(known),
            authorization,
            issuer: None,
            token: TokenEndpoint::parse(&token, hosts).expect(known),
        }
    }
}

/// Where the user's browser is sent (RFC 6749 §3.1).
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct AuthorizationEndpoint(Url);

impl AuthorizationEndpoint {
    /// Checks an address.
    ///
    /// # Errors
    ///
    /// As for [`Endpoints::custom`], and [`Fault::Reserved`] when its query sets a parameter of the
    /// request.
    pub fn parse(url: &str, hosts: AllowedHosts) -> Result<Self, ConfigError> {
        const SET_BY_US: [&str; 7] = [
            "client_id",
            "code_challenge",
            "code_challenge_method",
            "redirect_uri",
            "response_type",
            "scope",
            "state",
        ];
        let url = checked(url, Setting::AuthorizationEndpoint, hosts)?;
        if url.query_pairs().any(|(name, _)| SET_BY_US.contains(&name.as_ref())) {
            return Err(ConfigError::new(Setting::AuthorizationEndpoint, Fault::Reserved));
        }
        Ok(Self(url))
    }

    /// Returns the address.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

/// Where credentials are exchanged for tokens (RFC 6749 §3.2). A clone shares the address.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct TokenEndpoint(Arc<Url>);

impl TokenEndpoint {
    /// Checks an address.
    ///
    /// # Errors
    ///
    /// As for [`Endpoints::custom`].
    pub fn parse(url: &str, hosts: AllowedHosts) -> Result<Self, ConfigError> {
        checked(url, Setting::TokenEndpoint, hosts).map(|url| Self(Arc::new(url)))
    }

    pub(crate) fn url(&self) -> &Url {
        &self.0
    }

    /// Returns the address.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

fn checked(url: &str, setting: Setting, hosts: AllowedHosts) -> Result<Url, ConfigError> {
    let error = |fault| ConfigError::new(setting, fault);
    let text = url;
    if text.is_empty() {
        return Err(error(Fault::Empty));
    }
    if text.chars().any(char::is_control) {
        return Err(error(Fault::ControlCharacter));
    }
    let url = Url::parse(text).map_err(|_| error(Fault::NotAUrl))?;
    let loopback = is_loopback(&url);
    match (url.scheme(), loopback) {
        ("https", _) | ("http", true) if url.has_host() => {}
        _ => return Err(error(Fault::NotHttps)),
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(error(Fault::UserInfo));
    }
    if url.fragment().is_some() {
        return Err(error(Fault::Fragment));
    }
    let unusual = url.port().is_some() || !matches!(url.host(), Some(Host::Domain(_)));
    if unusual && !loopback && hosts == AllowedHosts::Named {
        return Err(error(Fault::UnusualHost));
    }
    // What `url` accepts and `http` does not could not be sent.
    if url.as_str().parse::<http::Uri>().is_err() {
        return Err(error(Fault::NotAUrl));
    }
    Ok(url)
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => IpAddr::V4(address).is_loopback(),
        Some(Host::Ipv6(address)) => IpAddr::V6(address).is_loopback(),
        None => false,
    }
}
