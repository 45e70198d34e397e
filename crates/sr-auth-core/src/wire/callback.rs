//! The redirect back to the application (RFC 6749 §4.1.2), and the order in which it is judged.
//!
//! `state` first, then `error`, then `code`: the service adds `code=500` to a declined callback,
//! and that number is not an authorization code. Tolerances: a raw blank in `error_description`,
//! unknown parameters, a full URL, a path with a query, or the query alone.

use std::borrow::Cow;
use std::fmt;

use super::query::{Parameter, parameter};
use crate::{RedirectUri, Remedy, Secret, ServerText};

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

fn refusal(error: &str, description: Option<ServerText>) -> CallbackError {
    let reason = match error {
        "access_denied" => return CallbackError::Declined { description },
        "invalid_request" => AuthorizationRefusal::InvalidRequest,
        "invalid_scope" => AuthorizationRefusal::InvalidScope,
        "server_error" => AuthorizationRefusal::ServerError,
        "temporarily_unavailable" => AuthorizationRefusal::TemporarilyUnavailable,
        "unauthorized_client" => AuthorizationRefusal::UnauthorizedClient,
        "unsupported_response_type" => AuthorizationRefusal::UnsupportedResponseType,
        _ => AuthorizationRefusal::Unregistered,
    };
    CallbackError::Refused { reason, description }
}

/// Why a callback yields no authorization code. Nothing has been sent anywhere.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum CallbackError {
    /// The user pressed Decline (`access_denied`).
    #[error("the user declined")]
    Declined {
        /// The server's own words. Text from the server.
        description: Option<ServerText>,
    },
    /// The authorization was begun more than ten minutes ago.
    #[error("the authorization was begun too long ago")]
    Expired,
    /// `iss` is not the configured issuer, or missing (RFC 9207 §2.4).
    #[error("the callback comes from another issuer")]
    IssuerMismatch,
    /// Not a callback at all, or longer than 16 KiB.
    #[error("this is not a callback")]
    Malformed,
    /// Neither `code` nor `error`.
    #[error("the callback carries neither a code nor an error")]
    NoCode,
    /// The authorization was begun for another client id or redirect URI.
    #[error("the authorization was begun for another application")]
    OtherApplication,
    /// The URL is not that of this application's redirect URI.
    #[error("the callback is for another redirect URI")]
    OtherRedirectUri,
    /// The authorization was begun with other endpoints (RFC 9700 §4.4, mix-up).
    #[error("the authorization was begun at another authorization server")]
    OtherServer,
    /// The callback came through another browser session than the one that began (RFC 6749 §10.12).
    #[error("the callback belongs to another browser session")]
    OtherSession,
    /// The authorization server refused for a reason other than the user.
    #[error("the authorization server refused: {reason}")]
    Refused {
        /// The server's own words. Text from the server.
        description: Option<ServerText>,
        /// The error code.
        reason: AuthorizationRefusal,
    },
    /// A parameter is there twice (RFC 6749 §3.1).
    #[error("the callback repeats `{0}`")]
    Repeated(CallbackParameter),
    /// `state` is missing or not the one that was sent: forged, or of another authorization.
    #[error("the callback belongs to another authorization")]
    StateMismatch,
}

impl CallbackError {
    /// Returns what can be done about it, and by whom.
    #[must_use]
    pub const fn remedy(&self) -> Remedy {
        match self {
            Self::Declined { .. }
            | Self::Expired
            | Self::Malformed
            | Self::OtherRedirectUri
            | Self::OtherSession
            | Self::StateMismatch => Remedy::Reauthorize,
            Self::IssuerMismatch | Self::OtherApplication | Self::OtherServer => {
                Remedy::FixConfiguration
            }
            Self::NoCode | Self::Repeated(_) => Remedy::ReportBug,
            Self::Refused { reason, .. } => reason.remedy(),
        }
    }

    /// Returns a stable name for logs.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Declined { .. } => "sr_auth::callback::declined",
            Self::Expired => "sr_auth::callback::expired",
            Self::IssuerMismatch => "sr_auth::callback::issuer_mismatch",
            Self::Malformed => "sr_auth::callback::malformed",
            Self::NoCode => "sr_auth::callback::no_code",
            Self::OtherApplication => "sr_auth::callback::other_application",
            Self::OtherRedirectUri => "sr_auth::callback::other_redirect_uri",
            Self::OtherServer => "sr_auth::callback::other_server",
            Self::OtherSession => "sr_auth::callback::other_session",
            Self::Refused { .. } => "sr_auth::callback::refused",
            Self::Repeated(_) => "sr_auth::callback::repeated",
            Self::StateMismatch => "sr_auth::callback::state_mismatch",
        }
    }
}

/// The error codes of the authorization endpoint (RFC 6749 §4.1.2.1), without `access_denied`.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum AuthorizationRefusal {
    /// The server could not read the request.
    #[error("invalid_request")]
    InvalidRequest,
    /// A scope is unknown or was not approved for this application.
    #[error("invalid_scope")]
    InvalidScope,
    /// The server failed.
    #[error("server_error")]
    ServerError,
    /// The server is overloaded.
    #[error("temporarily_unavailable")]
    TemporarilyUnavailable,
    /// This application may not ask for codes.
    #[error("unauthorized_client")]
    UnauthorizedClient,
    /// A code that is not in RFC 6749.
    #[error("no error code of RFC 6749")]
    Unregistered,
    /// The server does not issue codes.
    #[error("unsupported_response_type")]
    UnsupportedResponseType,
}

impl AuthorizationRefusal {
    const fn remedy(self) -> Remedy {
        match self {
            Self::InvalidRequest | Self::UnsupportedResponseType => Remedy::FixConfiguration,
            Self::InvalidScope | Self::UnauthorizedClient => Remedy::AskAdministrator,
            Self::ServerError | Self::TemporarilyUnavailable | Self::Unregistered => {
                Remedy::RetryLater { at: None }
            }
        }
    }
}

/// A parameter of the callback that may be there only once.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum CallbackParameter {
    /// `code`
    Code,
    /// `error`
    Error,
    /// `iss`
    Issuer,
    /// `state`
    State,
}

impl fmt::Display for CallbackParameter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Code => "code",
            Self::Error => "error",
            Self::Issuer => "iss",
            Self::State => "state",
        })
    }
}
