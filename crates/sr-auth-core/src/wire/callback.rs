//! The redirect back to the application (RFC 6749 §4.1.2), and the order in which it is judged.
//!
//! `state` first, then `error`, then `code`: the service adds `code=500` to a declined callback,
//! and that number is not an authorization code. Tolerances: a raw blank in `error_description`,
//! unknown parameters, a full URL, a path with a query, or the query alone.

mod error;

pub use error::{AuthorizationRefusal, CallbackError, CallbackParameter};

use std::borrow::Cow;

use super::query::{Parameter, parameter};
use crate::{RedirectUri, Secret, ServerText};
use error::refusal;

/// What the browser brought back: untrusted until it is judged, and secret, since it holds a code.
#[derive(Clone, Debug)]
pub struct Callback {
    session: Option<Secret>,
    text: Secret,
}

impl Callback {
    /// The longest callback that is read, in bytes.
    pub const LIMIT: usize = 16 * 1024;

    /// Takes the URL, the path with its query, or the query alone.
    #[must_use]
    pub fn new(url: &str) -> Self {
        Self { session: None, text: Secret::new(url.trim().to_owned()) }
    }

    /// Adds the value that names the browser's session, such as its cookie; see
    /// [`AuthorizationRequest::bind_to`](crate::grant::AuthorizationRequest::bind_to).
    #[must_use]
    pub fn with_session(self, session: Secret) -> Self {
        Self { session: Some(session), ..self }
    }

    /// Returns `state`, to find the pending authorization that the callback belongs to.
    ///
    /// It is what the browser brought, not yet judged:
    /// [`PendingAuthorization::accept`](crate::grant::PendingAuthorization::accept) does that.
    ///
    /// # Errors
    ///
    /// [`CallbackError::Malformed`] when this is no callback, [`CallbackError::Repeated`] when there
    /// are two, and [`CallbackError::StateMismatch`] when there is none.
    pub fn state(&self) -> Result<Secret, CallbackError> {
        let form = Form::of(self.text.expose())?;
        let state = once(form.query(), "state", CallbackParameter::State)?;
        Ok(Secret::new(state.ok_or(CallbackError::StateMismatch)?.into_owned()))
    }

    pub(crate) const fn session(&self) -> Option<&Secret> {
        self.session.as_ref()
    }

    /// Checks that the callback belongs to an authorization, before anything in it is believed.
    pub(crate) fn authenticate(
        &self,
        expected: &Expected<'_>,
    ) -> Result<Answer<'_>, CallbackError> {
        let query = query_of(self.text.expose(), expected.redirect_uri)?;
        let state = once(query, "state", CallbackParameter::State)?;
        let state = state.ok_or(CallbackError::StateMismatch)?;
        if !expected.state.matches(&Secret::new(state.into_owned())) {
            return Err(CallbackError::StateMismatch);
        }
        let issuer = once(query, "iss", CallbackParameter::Issuer)?;
        if expected.issuer.is_some_and(|expected| issuer.as_deref() != Some(expected)) {
            return Err(CallbackError::IssuerMismatch);
        }
        Ok(Answer { query })
    }
}

/// The parameters of a callback whose `state` is right.
pub(crate) struct Answer<'a> {
    query: &'a str,
}

impl Answer<'_> {
    /// Returns the code, unless there is an error beside it.
    pub(crate) fn code(&self) -> Result<Secret, CallbackError> {
        if let Some(error) = once(self.query, "error", CallbackParameter::Error)? {
            let description = match parameter(self.query, "error_description") {
                Parameter::Once(text) => Some(ServerText::sanitize(&text)),
                Parameter::Absent | Parameter::Repeated => None,
            };
            return Err(refusal(&error, description));
        }
        let code = once(self.query, "code", CallbackParameter::Code)?;
        Ok(Secret::new(code.ok_or(CallbackError::NoCode)?.into_owned()))
    }
}

fn once<'a>(
    query: &'a str,
    name: &str,
    of: CallbackParameter,
) -> Result<Option<Cow<'a, str>>, CallbackError> {
    match parameter(query, name) {
        Parameter::Absent => Ok(None),
        Parameter::Once(value) => Ok(Some(value)),
        Parameter::Repeated => Err(CallbackError::Repeated(of)),
    }
}

/// What a callback is compared with.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Expected<'a> {
    pub(crate) issuer: Option<&'a str>,
    pub(crate) redirect_uri: &'a RedirectUri,
    pub(crate) state: &'a Secret,
}

/// What the text of a callback is, told by its beginning: a query may hold `?` and `://` itself.
enum Form<'a> {
    PathOrQuery { query: &'a str },
    Url { base: &'a str, query: &'a str },
}

impl<'a> Form<'a> {
    fn of(text: &'a str) -> Result<Self, CallbackError> {
        if text.len() > Callback::LIMIT {
            return Err(CallbackError::Malformed);
        }
        let text = text.split_once('#').map_or(text, |(before, _)| before);
        let name_ends_at = text.find(|it: char| !it.is_ascii_alphanumeric());
        let is_url =
            name_ends_at.and_then(|at| text.get(at..)).is_some_and(|it| it.starts_with(':'));
        if is_url {
            let (base, query) = text.split_once('?').ok_or(CallbackError::Malformed)?;
            return Ok(Self::Url { base, query });
        }
        if text.starts_with("//") || text.starts_with("/\\") {
            return Err(CallbackError::OtherRedirectUri);
        }
        let query = match text.strip_prefix('?') {
            Some(query) => query,
            None if text.starts_with('/') => text.split_once('?').map_or("", |(_, query)| query),
            None => text,
        };
        if query.contains('=') {
            Ok(Self::PathOrQuery { query })
        } else {
            Err(CallbackError::Malformed)
        }
    }

    const fn query(&self) -> &'a str {
        match self {
            Self::PathOrQuery { query } | Self::Url { query, .. } => query,
        }
    }
}

/// Finds the query; a full URL must lead to the redirect URI of this authorization.
fn query_of<'a>(text: &'a str, redirect_uri: &RedirectUri) -> Result<&'a str, CallbackError> {
    let form = Form::of(text)?;
    let expected = redirect_uri.as_str();
    let expected = expected.split_once('?').map_or(expected, |(before, _)| before);
    match form {
        Form::Url { base, .. } if !same_address(base, expected) => {
            Err(CallbackError::OtherRedirectUri)
        }
        Form::PathOrQuery { .. } | Form::Url { .. } => Ok(form.query()),
    }
}

/// Browsers show an address re-serialised, so both sides are, before they are compared.
fn same_address(left: &str, right: &str) -> bool {
    match (url::Url::parse(left), url::Url::parse(right)) {
        (Ok(left), Ok(right)) => left == right,
        _ => false,
    }
}
