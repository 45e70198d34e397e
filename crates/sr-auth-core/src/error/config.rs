//! Errors of constructors: a setting that cannot be used.

use super::Remedy;

/// A setting that cannot be used, found when it was given and before anything was sent.
///
/// # Examples
///
/// ```
/// use sr_auth_core::{ClientId, ConfigError, Fault, Setting};
///
/// let error = ClientId::new("").unwrap_err();
/// assert_eq!(error, ConfigError::new(Setting::ClientId, Fault::Empty));
/// assert_eq!(error.to_string(), "the client id is empty");
/// ```
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{setting} {fault}")]
pub struct ConfigError {
    setting: Setting,
    fault: Fault,
}

impl ConfigError {
    /// Names the setting and what is wrong with it.
    #[must_use]
    pub const fn new(setting: Setting, fault: Fault) -> Self {
        Self { setting, fault }
    }

    /// Returns which setting it is about.
    #[must_use]
    pub const fn setting(&self) -> Setting {
        self.setting
    }

    /// Returns what is wrong with it.
    #[must_use]
    pub const fn fault(&self) -> Fault {
        self.fault
    }

    /// Returns what can be done: a setting can only be corrected.
    #[must_use]
    pub const fn remedy(&self) -> Remedy {
        Remedy::FixConfiguration
    }

    /// Returns a stable name for logs.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self.fault {
            Fault::ControlCharacter => "sr_auth::config::control_character",
            Fault::Empty => "sr_auth::config::empty",
            Fault::Fragment => "sr_auth::config::fragment",
            Fault::HasPath => "sr_auth::config::has_path",
            Fault::Missing => "sr_auth::config::missing",
            Fault::NotACertificate => "sr_auth::config::not_a_certificate",
            Fault::NotAUrl => "sr_auth::config::not_a_url",
            Fault::NotHttps => "sr_auth::config::not_https",
            Fault::NotPrintable => "sr_auth::config::not_printable",
            Fault::NotStored => "sr_auth::config::not_stored",
            Fault::OtherOrigin => "sr_auth::config::other_origin",
            Fault::OutOfRange => "sr_auth::config::out_of_range",
            Fault::Unavailable => "sr_auth::config::unavailable",
            Fault::Reserved => "sr_auth::config::reserved",
            Fault::UnusualHost => "sr_auth::config::unusual_host",
            Fault::UserInfo => "sr_auth::config::user_info",
            Fault::Volatile => "sr_auth::config::volatile",
        }
    }
}

/// The setting that a [`ConfigError`] is about.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Setting {
    /// An access token given by the application.
    #[error("the access token")]
    AccessToken,
    /// The API key of a company.
    #[error("the API key")]
    ApiKey,
    /// The origin of the resource server.
    #[error("the API origin")]
    ApiOrigin,
    /// The path of an API call.
    #[error("the path of the API call")]
    ApiPath,
    /// The authorization endpoint (RFC 6749 §3.1).
    #[error("the authorization endpoint")]
    AuthorizationEndpoint,
    /// The identifier of the client (RFC 6749 §2.2).
    #[error("the client id")]
    ClientId,
    /// The client's secret (RFC 6749 §2.3.1).
    #[error("the client secret")]
    ClientSecret,
    /// The rules of a fleet.
    #[error("the settings of the fleet")]
    Fleet,
    /// The key that names a grant in a store.
    #[error("the key of the grant")]
    GrantKey,
    /// An order to hold grants: its reason, or one more than there is room for.
    #[error("the hold")]
    Hold,
    /// The issuer identifier (RFC 9207).
    #[error("the issuer")]
    Issuer,
    /// The spans of the lifecycle.
    #[error("the margins")]
    Margins,
    /// The legacy API key of a partner.
    #[error("the partner API key")]
    PartnerApiKey,
    /// A stored [`PendingAuthorization`](crate::grant::PendingAuthorization).
    #[error("the stored pending authorization")]
    PendingAuthorization,
    /// The redirection endpoint of the client (RFC 6749 §3.1.2).
    #[error("the redirect URI")]
    RedirectUri,
    /// A refresh token given by the application.
    #[error("the refresh token")]
    RefreshToken,
    /// How often and how long to repeat.
    #[error("the retry policy")]
    RetryPolicy,
    /// An access scope (RFC 6749 §3.3).
    #[error("the scope")]
    Scope,
    /// Where grants rest.
    #[error("the store")]
    Store,
    /// The token endpoint (RFC 6749 §3.2).
    #[error("the token endpoint")]
    TokenEndpoint,
    /// How the transport is set up: certificates, client certificate.
    #[error("the transport")]
    Transport,
}

/// What is wrong with a setting.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// A line break, a tab or another control character; usually left over from copying.
    #[error("contains a line break or another control character")]
    ControlCharacter,
    /// Nothing there.
    #[error("is empty")]
    Empty,
    /// A `#…` part, which RFC 6749 §3.1 forbids.
    #[error("has a fragment")]
    Fragment,
    /// A path or a query where only scheme, host and port belong.
    #[error("has a path or a query, where only scheme and host belong")]
    HasPath,
    /// Needed, and not given.
    #[error("is needed and was not given")]
    Missing,
    /// Not a certificate in PEM, or not with the private key that belongs to it.
    #[error("is not given a usable certificate")]
    NotACertificate,
    /// Not an absolute URL with a host.
    #[error("is not a URL")]
    NotAUrl,
    /// Neither https nor plain http on loopback.
    #[error("is not https (plain http is allowed on loopback only)")]
    NotHttps,
    /// A character outside of those that the protocol allows there.
    #[error("contains a character that is not allowed there")]
    NotPrintable,
    /// Not what was stored: damaged, or from another version.
    #[error("cannot be read back")]
    NotStored,
    /// A URL or path that leads to another origin than the configured one.
    #[error("leads to another origin")]
    OtherOrigin,
    /// Outside of the documented range.
    #[error("is out of range")]
    OutOfRange,
    /// Not to be had on this system, as where no certificate authority is installed.
    #[error("cannot be set up on this system")]
    Unavailable,
    /// A query that sets what every request sets itself, such as `state`.
    #[error("has a query that sets a parameter of the request")]
    Reserved,
    /// An IP address or a port, which no production endpoint has; see
    /// [`AllowedHosts::Any`](crate::AllowedHosts::Any).
    #[error("names an IP address or a port, which has to be allowed explicitly")]
    UnusualHost,
    /// `user:password@` in a URL.
    #[error("contains a user name or password")]
    UserInfo,
    /// A store that may forget, for a grant whose refresh token works once; see
    /// [`CauseOfDeath::LostInRotation`](crate::store::CauseOfDeath::LostInRotation).
    #[error("may forget what works only once")]
    Volatile,
}
