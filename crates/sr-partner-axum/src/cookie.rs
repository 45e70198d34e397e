//! A session cookie that reaches the consent page.

use http::HeaderMap;
use http::header::{COOKIE, HeaderValue};
use sr_auth_core::Secret;
use sr_partner::consent::ConsentDisplayMode;

/// The session cookie of an application, with the attributes that its consent page needs.
///
/// In REDIRECT mode the browser comes to a page of its own, and `SameSite=Lax` is right. In a pop-up
/// the page is in a frame of SmartRecruiters: a cookie that was set there comes back with
/// `SameSite=None` and `Partitioned`, and only there. A browser that has no such cookie is led to a
/// window of its own, so an application that signs its users in elsewhere may keep its own cookie.
///
/// # Examples
///
/// ```
/// use sr_auth_core::Secret;
/// use sr_partner::consent::ConsentDisplayMode;
/// use sr_partner_axum::SessionCookie;
///
/// let cookie = SessionCookie::new("planner", ConsentDisplayMode::Redirect);
/// let set = cookie.set(&Secret::new("b7f3".to_owned())).ok_or("not a value of a cookie")?;
/// assert!(set.is_sensitive());
///
/// let mut headers = http::HeaderMap::new();
/// headers.insert("cookie", "theme=dark; __Host-planner=b7f3".parse()?);
/// assert!(cookie.read(&headers).is_some());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct SessionCookie {
    mode: ConsentDisplayMode,
    name: String,
}

impl SessionCookie {
    /// Names the cookie; the browser knows it with `__Host-` in front, so no other host can set it.
    #[must_use]
    pub fn new(name: &str, mode: ConsentDisplayMode) -> Self {
        Self { mode, name: format!("__Host-{name}") }
    }

    /// Returns the value of `Set-Cookie`; `None` for a session that no cookie can carry.
    #[must_use]
    pub fn set(&self, session: &Secret) -> Option<HeaderValue> {
        let value = session.expose();
        let is_plain = |byte: u8| byte.is_ascii_graphic() && !b"\",;\\".contains(&byte);
        if value.is_empty() || !value.bytes().all(is_plain) {
            return None;
        }
        self.header(value, "")
    }

    /// Returns the value of `Set-Cookie` that ends the session.
    #[must_use]
    pub fn clear(&self) -> Option<HeaderValue> {
        self.header("", "; Max-Age=0")
    }

    fn header(&self, value: &str, age: &str) -> Option<HeaderValue> {
        let site = match self.mode {
            ConsentDisplayMode::Popup => "SameSite=None; Partitioned",
            ConsentDisplayMode::Redirect => "SameSite=Lax",
        };
        let text = format!("{}={value}; Path=/; Secure; HttpOnly; {site}{age}", self.name);
        let mut header = HeaderValue::from_str(&text).ok()?;
        header.set_sensitive(true);
        Some(header)
    }

    /// Returns the session that a request brings; `None` when it brings none, or two.
    #[must_use]
    pub fn read(&self, headers: &HeaderMap) -> Option<Secret> {
        let texts = headers.get_all(COOKIE).iter().filter_map(|it| it.to_str().ok());
        let pairs = texts.flat_map(|it| it.split(';')).filter_map(|it| it.trim().split_once('='));
        let mut values = pairs.filter(|(name, _)| *name == self.name).map(|(_, value)| value);
        let (first, second) = (values.next()?, values.next());
        (second.is_none() && !first.is_empty()).then(|| Secret::new(first.to_owned()))
    }
}
