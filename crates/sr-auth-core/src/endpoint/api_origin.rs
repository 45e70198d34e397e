//! The origin of the resource server.

use url::Url;

use super::{AllowedHosts, checked};
use crate::{ConfigError, Fault, Setting};

/// The origin of the resource server: the only place that access tokens and API keys are sent to.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct ApiOrigin(Url);

impl ApiOrigin {
    /// Checks an origin: scheme, host and, where allowed, port.
    ///
    /// # Errors
    ///
    /// As for [`Endpoints::custom`](crate::Endpoints::custom); a path, or a query, is [`Fault::HasPath`].
    pub fn parse(url: &str, hosts: AllowedHosts) -> Result<Self, ConfigError> {
        let url = checked(url, Setting::ApiOrigin, hosts)?;
        if url.path() != "/" || url.query().is_some() {
            return Err(ConfigError::new(Setting::ApiOrigin, Fault::HasPath));
        }
        Ok(Self(url))
    }

    /// Returns the origin without a trailing slash, as in `https://api.smartrecruiters.com`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str().trim_end_matches('/')
    }

    /// Returns the URL of a path and query under this origin.
    ///
    /// # Errors
    ///
    /// - [`Fault::NotAUrl`] when `path` does not begin with one slash, or is no path.
    /// - [`Fault::OtherOrigin`] when it would lead elsewhere, as `//host/` and `/\host/` do.
    /// - [`Fault::ControlCharacter`] and [`Fault::Fragment`].
    pub fn url(&self, path: &str) -> Result<String, ConfigError> {
        let error = |fault| ConfigError::new(Setting::ApiPath, fault);
        let Some(rest) = path.strip_prefix('/') else {
            return Err(error(Fault::NotAUrl));
        };
        if path.chars().any(char::is_control) {
            return Err(error(Fault::ControlCharacter));
        }
        if rest.starts_with(['/', '\\']) {
            return Err(error(Fault::OtherOrigin));
        }
        if path.contains('#') {
            return Err(error(Fault::Fragment));
        }
        let url = self.0.join(path).map_err(|_| error(Fault::NotAUrl))?;
        // Nothing that passed the checks above leads away; this is the rule itself.
        if url.origin() != self.0.origin() {
            return Err(error(Fault::OtherOrigin));
        }
        Ok(url.into())
    }

    /// Tells whether a URL lies under this origin; only such requests get a credential.
    #[must_use]
    pub fn contains(&self, uri: &http::Uri) -> bool {
        let has_user = uri.authority().is_some_and(|it| it.as_str().contains('@'));
        let same = |url: Url| url.origin() == self.0.origin();
        !has_user && Url::parse(&uri.to_string()).is_ok_and(same)
    }
}
