//! Where a browser may be sent back to: never anywhere that is not on a list (RFC 9700 §4.11).

use std::fmt;

use http::header::{CACHE_CONTROL, HeaderValue, LOCATION, REFERRER_POLICY};
use http::{Response, StatusCode};
use sr_auth_core::{AllowedHosts, ApiOrigin, Fault, SecretBytes};
use url::Url;

use crate::{PartnerConfigError, PartnerSetting};

/// The origins that a `redirect` may lead to.
///
/// An origin is compared as a whole, scheme, host and port, character by character: no suffix, no
/// wildcard, no other spelling.
///
/// # Examples
///
/// ```
/// use sr_partner::consent::RedirectOrigins;
///
/// let origins = RedirectOrigins::production();
/// let back = origins.admit("https://www.smartrecruiters.com/settings/apps?id=7")?;
/// assert_eq!(back.as_str(), "https://www.smartrecruiters.com/settings/apps?id=7");
/// assert!(origins.admit("https://www.smartrecruiters.com.evil.example/").is_err());
/// assert!(origins.admit("https://www.smartrecruiters.com@evil.example/").is_err());
/// # Ok::<(), sr_partner::consent::RedirectError>(())
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RedirectOrigins(Vec<ApiOrigin>);

impl RedirectOrigins {
    /// Allows the host on which the service's customers work.
    #[must_use]
    #[expect(clippy::missing_panics_doc, reason = "the address of this file is valid")]
    pub fn production() -> Self {
        let origin = ApiOrigin::parse("https://www.smartrecruiters.com", AllowedHosts::Named);
        Self(vec![origin.expect("the address of this file is valid")])
    }

    /// Allows these origins and no others. Plain http is allowed on loopback, for a sandbox.
    ///
    /// # Errors
    ///
    /// [`Fault::Empty`] for none; otherwise as for
    /// [`Endpoints::custom`](sr_auth_core::Endpoints::custom).
    pub fn new<'a>(origins: impl IntoIterator<Item = &'a str>) -> Result<Self, PartnerConfigError> {
        let error = |fault| PartnerConfigError::new(PartnerSetting::RedirectOrigins, fault);
        let parse = |it| ApiOrigin::parse(it, AllowedHosts::Any).map_err(|it| error(it.fault()));
        let origins = origins.into_iter().map(parse).collect::<Result<Vec<_>, _>>()?;
        if origins.is_empty() {
            return Err(error(Fault::Empty));
        }
        Ok(Self(origins))
    }

    /// Returns the origins, for the policies of a page.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(ApiOrigin::as_str)
    }

    /// Judges an address that a browser brought, or one that was judged before.
    ///
    /// # Errors
    ///
    /// [`RedirectError::TooLong`], [`RedirectError::Characters`] for anything but visible ASCII and
    /// for a backslash, [`RedirectError::OtherOrigin`], and [`RedirectError::Path`] for a path that
    /// a browser or a server could read in more than one way.
    pub fn admit(&self, text: &str) -> Result<RedirectTarget, RedirectError> {
        if text.len() > RedirectTarget::LIMIT {
            return Err(RedirectError::TooLong);
        }
        if !text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\') {
            return Err(RedirectError::Characters);
        }
        let allowed = self.0.iter().find_map(|origin| Some((origin, rest_after(origin, text)?)));
        let (origin, rest) = allowed.ok_or(RedirectError::OtherOrigin)?;
        let url = Url::parse(text).map_err(|_| RedirectError::OtherOrigin)?;
        // Nothing that begins so leads elsewhere; this is the rule itself, by the parser of browsers.
        let home = Url::parse(origin.as_str()).map_err(|_| RedirectError::OtherOrigin)?;
        let has_user = !url.username().is_empty() || url.password().is_some();
        if has_user || url.origin() != home.origin() {
            return Err(RedirectError::OtherOrigin);
        }
        let path = rest.split(['?', '#']).next().unwrap_or_default();
        if !is_plain(path, url.path()) {
            return Err(RedirectError::Path);
        }
        Ok(RedirectTarget(url))
    }
}

/// Returns what follows an origin that a text begins with.
fn rest_after<'a>(origin: &ApiOrigin, text: &'a str) -> Option<&'a str> {
    let rest = text.strip_prefix(origin.as_str())?;
    (rest.is_empty() || rest.starts_with(['/', '?', '#'])).then_some(rest)
}

/// Tells whether a path means the same to everybody: nothing that a parser repairs, no empty segment
/// and no escape that hides a separator or a control character.
fn is_plain(written: &str, parsed: &str) -> bool {
    let same = written == parsed || (written.is_empty() && parsed == "/");
    let escapes = written.split('%').skip(1).map(|it| it.get(..2).unwrap_or_default());
    let harmless = |escape: &str| {
        u8::from_str_radix(escape, 16).is_ok_and(|byte| {
            escape.len() == 2 && !byte.is_ascii_control() && !b"/\\.%;".contains(&byte)
        })
    };
    // `..;/` is a step up to some servers (CVE-2026-3872).
    let steps = written.split('/').any(|it| it.starts_with("..") || it.starts_with(".;"));
    same && !written.contains("//") && !steps && { escapes }.all(harmless)
}

/// An address that was judged, as its parser writes it.
#[derive(Clone, Eq, PartialEq)]
pub struct RedirectTarget(Url);

impl RedirectTarget {
    /// The longest address, in bytes.
    pub const LIMIT: usize = 2_048;

    /// Returns the address, re-serialised.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl fmt::Debug for RedirectTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Path and query are the service's own, and may name a session.
        write!(f, "RedirectTarget({})", self.0.origin().ascii_serialization())
    }
}

/// Why an address is not gone to.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum RedirectError {
    /// A blank, a control character, a backslash, or anything that is not ASCII.
    #[error("the redirect has characters that no address has")]
    Characters,
    /// Not an origin on the list.
    #[error("the redirect leads to an origin that is not on the list")]
    OtherOrigin,
    /// A path that can be read in more than one way.
    #[error("the redirect has an ambiguous path")]
    Path,
    /// Longer than [`RedirectTarget::LIMIT`].
    #[error("the redirect is too long")]
    TooLong,
}

/// What becomes of the browser when the exchange has succeeded. There is none for a failure: that is
/// shown on our own page.
#[derive(Clone, Debug, Eq, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "back, or closed by them")]
pub enum BrowserReturn {
    /// SmartRecruiters closes the frame by itself.
    Popup,
    /// The browser goes back to SmartRecruiters.
    Redirect(RedirectTarget),
}

impl BrowserReturn {
    /// Returns the answer that sends the browser back, after a form was posted: 303, so that the form
    /// is not posted again elsewhere (RFC 9700 §4.12). `None` in a pop-up, which they close.
    #[must_use]
    pub fn to_response(&self) -> Option<Response<SecretBytes>> {
        let Self::Redirect(target) = self else { return None };
        let location = HeaderValue::from_str(target.as_str()).ok()?;
        let mut response = Response::new(SecretBytes::default());
        *response.status_mut() = StatusCode::SEE_OTHER;
        let headers = response.headers_mut();
        headers.insert(LOCATION, location);
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
        Some(response)
    }
}
