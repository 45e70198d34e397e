//! The redirection endpoint of the client.

use super::{AllowedHosts, checked};
use crate::{ConfigError, Fault, Setting};

/// Where the authorization server sends the browser back to (RFC 6749 §3.1.2).
///
/// Kept byte for byte: the service compares it exactly, letter case and trailing slash included,
/// with one of the up to three that were registered.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct RedirectUri(String);

impl RedirectUri {
    /// Checks a redirect URI.
    ///
    /// # Errors
    ///
    /// [`Fault::NotAUrl`], [`Fault::NotHttps`] (plain http is allowed on loopback only),
    /// [`Fault::UserInfo`] and [`Fault::Fragment`].
    pub fn parse(uri: &str) -> Result<Self, ConfigError> {
        // What a parser would quietly repair would not equal what was registered.
        if uri.trim() != uri || uri.contains('\\') || !uri.contains("://") {
            let fault = if uri.is_empty() { Fault::Empty } else { Fault::NotAUrl };
            return Err(ConfigError::new(Setting::RedirectUri, fault));
        }
        checked(uri, Setting::RedirectUri, AllowedHosts::Any).map(|_| Self(uri.to_owned()))
    }

    /// Returns the URI as it was given.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
