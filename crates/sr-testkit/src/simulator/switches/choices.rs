//! The values of the switches.

mod partner;
mod refresh;

pub(super) use partner::read_retries;
pub use partner::{PartnerAuthentication, RepeatedIntegration, UnconsentedIntegration};
pub use refresh::{OldAccessToken, RefreshTokenType, Successor};

use std::fmt;
use std::time::Duration;

/// A closed set of values with names.
pub(super) trait Choice: Copy + PartialEq + 'static {
    /// Every value with its name, the default first.
    const ALL: &'static [(&'static str, Self)];
}

pub(super) fn name_of<T: Choice>(value: T) -> String {
    let found = T::ALL.iter().find(|(_, it)| *it == value);
    found.map_or_else(String::new, |(name, _)| (*name).to_owned())
}

pub(super) fn read<T: Choice>(slot: &mut T, text: &str) -> bool {
    let found = T::ALL.iter().find(|(name, _)| *name == text);
    if let Some((_, value)) = found {
        *slot = *value;
    }
    found.is_some()
}

pub(super) fn read_seconds(slot: &mut Option<u32>, text: &str) -> bool {
    match (text, text.parse()) {
        ("none", _) => *slot = None,
        (_, Ok(seconds)) => *slot = Some(seconds),
        (_, Err(_)) => return false,
    }
    true
}

/// How long an access token lives: 1,799 s as documented, or less, so that renewals can be watched.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct AccessTokenLife(u32);

impl AccessTokenLife {
    /// Takes a number of seconds; `None` when it is not between one second and a day.
    #[must_use]
    pub fn from_secs(seconds: u32) -> Option<Self> {
        (1..=86_400).contains(&seconds).then_some(Self(seconds))
    }

    /// Returns the number of seconds.
    #[must_use]
    pub const fn as_secs(self) -> u32 {
        self.0
    }

    pub(in crate::simulator) fn as_duration(self) -> Duration {
        Duration::from_secs(self.0.into())
    }

    pub(super) fn read(&mut self, text: &str) -> bool {
        let read = text.parse().ok().and_then(Self::from_secs);
        read.into_iter().for_each(|it| *self = it);
        read.is_some()
    }
}

impl Default for AccessTokenLife {
    fn default() -> Self {
        Self(1_799)
    }
}

impl fmt::Display for AccessTokenLife {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What the reuse of a spent refresh token does.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum SpentRefreshToken {
    /// It is refused; the grant lives on.
    #[default]
    Refused,
    /// It is refused, and every token of the grant dies (RFC 9700 §4.14.2).
    RevokesFamily,
    /// It is taken again for a while after its first use, and brings a sibling of its successor.
    Grace {
        /// How long after the first use, in seconds.
        seconds: u32,
    },
}

impl SpentRefreshToken {
    pub(super) fn to_text(self) -> String {
        match self {
            Self::Refused => "refused".to_owned(),
            Self::RevokesFamily => "revokes_family".to_owned(),
            Self::Grace { seconds } => format!("grace:{seconds}"),
        }
    }

    pub(super) fn read(&mut self, text: &str) -> bool {
        let seconds = text.strip_prefix("grace:").and_then(|it| it.parse().ok());
        *self = match (text, seconds) {
            ("refused", _) => Self::Refused,
            ("revokes_family", _) => Self::RevokesFamily,
            (_, Some(seconds)) => Self::Grace { seconds },
            (_, None) => return false,
        };
        true
    }
}

/// Whether an answer of the token endpoint carries `scope` (RFC 6749 §5.1).
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum AnswerScope {
    /// No `scope`, as on the pages.
    #[default]
    Absent,
    /// The scopes that were granted.
    Granted,
    /// An empty text, which grants nothing.
    Empty,
}

impl Choice for AnswerScope {
    const ALL: &'static [(&'static str, Self)] =
        &[("absent", Self::Absent), ("granted", Self::Granted), ("empty", Self::Empty)];
}

/// Whether consent needs a person.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum AutoDecision {
    /// The page is shown, and a person decides.
    #[default]
    Ask,
    /// The first active user agrees at once.
    Authorize,
    /// The user declines at once.
    Decline,
}

impl Choice for AutoDecision {
    const ALL: &'static [(&'static str, Self)] =
        &[("ask", Self::Ask), ("authorize", Self::Authorize), ("decline", Self::Decline)];
}

/// Whether the token endpoint takes `Authorization: Basic` (RFC 6749 §2.3.1).
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum BasicAuthentication {
    /// It does.
    #[default]
    Accepted,
    /// The header is not looked at, as the service is said to have done once.
    Ignored,
    /// It does, except for a refresh, for which the changelog of the service does not promise it.
    NotForRefresh,
}

impl Choice for BasicAuthentication {
    const ALL: &'static [(&'static str, Self)] = &[
        ("accepted", Self::Accepted),
        ("ignored", Self::Ignored),
        ("not_for_refresh", Self::NotForRefresh),
    ];
}

/// What a second presentation of a code does (RFC 6749 §4.1.2).
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum CodeReplay {
    /// It is refused.
    #[default]
    Refused,
    /// It is refused, and the tokens of the first presentation die.
    RevokesIssued,
}

impl Choice for CodeReplay {
    const ALL: &'static [(&'static str, Self)] =
        &[("refused", Self::Refused), ("revokes_issued", Self::RevokesIssued)];
}

/// How the description of an error is written into the callback.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum DeclineSpaces {
    /// Percent-encoded.
    #[default]
    Encoded,
    /// With raw spaces, as the page of the service shows it.
    Raw,
}

impl Choice for DeclineSpaces {
    const ALL: &'static [(&'static str, Self)] = &[("encoded", Self::Encoded), ("raw", Self::Raw)];
}

/// The body of an error whose body is not documented.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum ErrorBody {
    /// `{"message":"…"}`.
    #[default]
    Message,
    /// None.
    Empty,
    /// A page, as from a proxy in between.
    Html,
}

impl Choice for ErrorBody {
    const ALL: &'static [(&'static str, Self)] =
        &[("message", Self::Message), ("empty", Self::Empty), ("html", Self::Html)];
}

/// Whether the code exchange must repeat `redirect_uri` (RFC 6749 §4.1.3).
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum ExchangeRedirect {
    /// It may be left out, and must match when sent.
    #[default]
    Optional,
    /// It must be sent, and must match.
    Required,
}

impl Choice for ExchangeRedirect {
    const ALL: &'static [(&'static str, Self)] =
        &[("optional", Self::Optional), ("required", Self::Required)];
}

/// How `expires_in` is written.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum ExpiresIn {
    /// `1799`.
    #[default]
    Number,
    /// `"1799"`.
    Text,
    /// `1799.0`.
    Float,
    /// `0`.
    Zero,
    /// `-1`.
    Negative,
    /// `18446744073709551615`.
    Huge,
    /// Not at all.
    Absent,
}

impl Choice for ExpiresIn {
    const ALL: &'static [(&'static str, Self)] = &[
        ("number", Self::Number),
        ("text", Self::Text),
        ("float", Self::Float),
        ("zero", Self::Zero),
        ("negative", Self::Negative),
        ("huge", Self::Huge),
        ("absent", Self::Absent),
    ];
}

/// Whether a registered loopback redirect URI matches on any port.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum LoopbackPort {
    /// Every byte counts, as documented.
    #[default]
    Exact,
    /// The port does not count on loopback (RFC 8252 §7.3).
    Any,
}

impl Choice for LoopbackPort {
    const ALL: &'static [(&'static str, Self)] = &[("exact", Self::Exact), ("any", Self::Any)];
}

/// The status of `invalid_client` (RFC 6749 §5.2 has both).
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum InvalidClientStatus {
    /// 401.
    #[default]
    Unauthorized,
    /// 400, like every other error.
    BadRequest,
}

impl Choice for InvalidClientStatus {
    const ALL: &'static [(&'static str, Self)] =
        &[("401", Self::Unauthorized), ("400", Self::BadRequest)];
}

/// The shape of the 403 answer to a call without a needed scope. The pages call it
/// `OAuthPermissionsException`, and do not show where that name stands.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum MissingScope {
    /// A `WWW-Authenticate` and a message that names the scopes, as middleware of the service has
    /// it.
    #[default]
    Challenge,
    /// The name is the code of an error; no challenge.
    ExceptionCode,
    /// The name is the message; no challenge.
    ExceptionMessage,
}

impl Choice for MissingScope {
    const ALL: &'static [(&'static str, Self)] = &[
        ("challenge", Self::Challenge),
        ("exception_code", Self::ExceptionCode),
        ("exception_message", Self::ExceptionMessage),
    ];
}

/// What becomes of PKCE parameters (RFC 7636).
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum Pkce {
    /// They are not looked at: the service documents none.
    #[default]
    Ignored,
    /// A challenge is verified; only `S256` is taken.
    Verified,
    /// A request without a challenge is refused.
    Required,
}

impl Choice for Pkce {
    const ALL: &'static [(&'static str, Self)] =
        &[("ignored", Self::Ignored), ("verified", Self::Verified), ("required", Self::Required)];
}

/// What `scope` in a token request does.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum RequestScope {
    /// Nothing: scopes are fixed with the credential.
    #[default]
    Ignored,
    /// It is refused with `invalid_scope`.
    Refused,
    /// It narrows the grant; more than was granted is `invalid_scope`.
    Honoured,
}

impl Choice for RequestScope {
    const ALL: &'static [(&'static str, Self)] =
        &[("ignored", Self::Ignored), ("refused", Self::Refused), ("honoured", Self::Honoured)];
}

/// Whether an authorization request needs `response_type`.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum ResponseType {
    /// Missing means `code`.
    #[default]
    Optional,
    /// Missing is an error.
    Required,
    /// It is not looked at: any value means `code`.
    Ignored,
}

impl Choice for ResponseType {
    const ALL: &'static [(&'static str, Self)] =
        &[("optional", Self::Optional), ("required", Self::Required), ("ignored", Self::Ignored)];
}

/// What a second client-credentials token does to the first.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum SecondToken {
    /// Both live.
    #[default]
    Coexists,
    /// The first dies.
    KillsFirst,
}

impl Choice for SecondToken {
    const ALL: &'static [(&'static str, Self)] =
        &[("coexists", Self::Coexists), ("kills_first", Self::KillsFirst)];
}

/// The shape of token errors, which is not documented.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum TokenErrors {
    /// `{"error","error_description"}` (RFC 6749 §5.2).
    #[default]
    Rfc,
    /// `{"message","errors":[{"code","message"}]}`, as the resource server has it.
    SmartRecruiters,
    /// No body at all.
    Empty,
    /// `200` with `{}`, as the FAQ of the service reports.
    EmptyObject,
}

impl Choice for TokenErrors {
    const ALL: &'static [(&'static str, Self)] = &[
        ("rfc", Self::Rfc),
        ("smartrecruiters", Self::SmartRecruiters),
        ("empty", Self::Empty),
        ("empty_object", Self::EmptyObject),
    ];
}

/// What access tokens look like.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum TokenShape {
    /// `DCRD10-` and hex for client credentials, bare hex for a user's grant: as on the pages.
    #[default]
    Documented,
    /// `DCRA1-` and 32 hexadecimal digits.
    Dcra1,
    /// `DCRD10-` and 32 hexadecimal digits.
    Dcrd10,
    /// 32 hexadecimal digits.
    Hex,
    /// A UUID.
    Uuid,
    /// 2,000 characters of every kind that a bearer token may have.
    Long,
}

impl Choice for TokenShape {
    const ALL: &'static [(&'static str, Self)] = &[
        ("documented", Self::Documented),
        ("dcra1", Self::Dcra1),
        ("dcrd10", Self::Dcrd10),
        ("hex", Self::Hex),
        ("uuid", Self::Uuid),
        ("long", Self::Long),
    ];
}

/// What a JSON body at the token endpoint gets, whatever its declared type.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum UnreadableBody {
    /// `400 invalid_request`.
    #[default]
    Refused,
    /// `200` with `{}`, as users of the service have reported.
    EmptyObject,
    /// It is read as if it had been a form.
    AcceptJson,
}

impl Choice for UnreadableBody {
    const ALL: &'static [(&'static str, Self)] = &[
        ("refused", Self::Refused),
        ("empty_object", Self::EmptyObject),
        ("accept_json", Self::AcceptJson),
    ];
}
