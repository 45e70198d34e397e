//! The origin of the resource server.

use http::uri::{Authority, Scheme};
use url::Url;

use super::{AllowedHosts, checked};
use crate::{ConfigError, Fault, Setting};

/// The origin of the resource server: the only place that access tokens and API keys are sent to.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct ApiOrigin {
    is_https: bool,
    /// Without a trailing slash.
    text: Box<str>,
    url: Url,
}

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
        let text = url.as_str().trim_end_matches('/').into();
        Ok(Self { is_https: url.scheme() == "https", text, url })
    }

    /// Returns the origin without a trailing slash, as in `https://api.smartrecruiters.com`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
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
        let url = self.url.join(path).map_err(|_| error(Fault::NotAUrl))?;
        // Nothing that passed the checks above leads away; this is the rule itself.
        if url.origin() != self.url.origin() {
            return Err(error(Fault::OtherOrigin));
        }
        Ok(url.into())
    }

    /// Tells whether a URL lies under this origin; only such requests get a credential. One that is
    /// spelled in an unusual way does not: its scheme, host and port are compared as they are.
    #[must_use]
    #[inline]
    pub fn contains(&self, uri: &http::Uri) -> bool {
        let Some((scheme, authority)) = uri.scheme().zip(uri.authority()) else { return false };
        // Nearly all are spelled as the origin is; the others are taken apart.
        let (usual, before) = match self.is_https {
            true => (&Scheme::HTTPS, "https://"),
            false => (&Scheme::HTTP, "http://"),
        };
        let is_spelled_so = self.text.get(before.len()..) == Some(authority.as_str());
        is_spelled_so && scheme == usual || self.contains_parts(scheme.as_str(), authority)
    }

    #[cold]
    #[inline(never)]
    fn contains_parts(&self, scheme: &str, authority: &Authority) -> bool {
        let (host, text) = (authority.host(), authority.as_str());
        // What is before the host is a user, what is after it the port.
        let port = match text.strip_prefix(host) {
            Some("" | ":") => None,
            Some(rest) => match rest.strip_prefix(':').and_then(|it| it.parse().ok()) {
                None => return false,
                port => port,
            },
            None => return false,
        };
        self.is(scheme, host, port)
    }

    /// Tells whether a URL that a parser has spelled out lies under this origin: an address of
    /// `url::Url`, say. One that is spelled in another way does not.
    #[must_use]
    pub fn begins(&self, url: &str) -> bool {
        // What follows the origin is not of it: a port, a longer name, or a host after a user.
        url.strip_prefix(&*self.text)
            .is_some_and(|it| it.is_empty() || it.starts_with(['/', '?', '#']))
    }

    /// Tells whether this is the origin of a scheme, a host and a port that may be the usual one.
    #[must_use]
    pub fn is(&self, scheme: &str, host: &str, port: Option<u16>) -> bool {
        let usual = match scheme {
            "http" => Some(80),
            "https" => Some(443),
            _ => None,
        };
        let is_host = self.url.host_str().is_some_and(|it| it.eq_ignore_ascii_case(host));
        is_host && self.url.scheme() == scheme && self.url.port_or_known_default() == port.or(usual)
    }
}
