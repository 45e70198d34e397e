//! How the program ends: its exit codes, and what is said when something went wrong.

use std::fmt;
use std::process::ExitCode;

use sr_auth_core::wire::api_refusal::ApiRefusal;
use sr_auth_core::wire::callback::CallbackError;
use sr_auth_core::{ConfigError, Fault, GrantError, GrantFailure, Remedy, Setting};
use sr_auth_http::{ApiError, EntropyError, SourceError, TransportError};
use sr_testkit::SandboxError;

/// What the program tells the shell.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Exit {
    /// All went well.
    Done = 0,
    /// A file, a terminal or the system failed, or the API answered with another error status.
    Failed = 1,
    /// The command line or a setting cannot be used; nothing was sent.
    Usage = 2,
    /// The credential or the grant was refused.
    Refused = 3,
    /// The credential is good and may not do this: an administrator has to act.
    Forbidden = 4,
    /// Nobody answered, or the server asks to wait.
    Unavailable = 5,
    /// The server answered outside of its protocol.
    Misbehaved = 6,
    /// Interrupted from the keyboard.
    Interrupted = 130,
}

/// The exit codes as `--help` shows them.
pub(crate) const TABLE: &str = "\
Exit codes:
    0  done
    1  a file or the system failed, or the API answered with another error status
    2  the command line or a setting cannot be used; nothing was sent
    3  refused: the credential, code or token is wrong, expired or revoked, or the user declined
    4  forbidden: a scope, a System role or API access is missing; ask the administrator
    5  unavailable: no answer, an error of the server, or too many requests; try again later
    6  the server answered outside of its protocol
  130  interrupted";

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        // The discriminants are what the table says.
        Self::from(exit as u8)
    }
}

/// What went wrong, under which stable name, and what to do about it.
///
/// Made of our own words only: no text of the server, no body and no secret.
#[derive(Debug)]
pub(crate) struct Failure {
    advice: String,
    code: &'static str,
    exit: Exit,
    what: String,
}

impl Failure {
    pub(crate) fn new(
        exit: Exit,
        code: &'static str,
        what: impl Into<String>,
        advice: impl Into<String>,
    ) -> Self {
        Self { advice: advice.into(), code, exit, what: what.into() }
    }

    /// Something on the command line or in the environment cannot be used.
    pub(crate) fn usage(what: impl Into<String>, advice: impl Into<String>) -> Self {
        Self::new(Exit::Usage, "sr_auth::usage", what, advice)
    }

    /// A file, a socket or the terminal failed.
    pub(crate) fn io(what: impl fmt::Display, error: &std::io::Error) -> Self {
        let what = format!("{what}: {}", error.kind());
        Self::new(Exit::Failed, "sr_auth::io", what, "check the file, its owner and its mode")
    }

    pub(crate) fn interrupted() -> Self {
        Self::new(Exit::Interrupted, "sr_auth::interrupted", "interrupted", "start it again")
    }

    pub(crate) const fn exit(&self) -> Exit {
        self.exit
    }

    pub(crate) fn what(&self) -> &str {
        &self.what
    }

    pub(crate) const fn code(&self) -> &'static str {
        self.code
    }

    pub(crate) fn advice(&self) -> &str {
        &self.advice
    }
}

/// Turns a remedy into an exit code; `fix` is what a wrong configuration means here.
const fn exit_of(remedy: Remedy, fix: Exit) -> Exit {
    match remedy {
        Remedy::AskAdministrator => Exit::Forbidden,
        Remedy::FixConfiguration => fix,
        Remedy::Reauthorize => Exit::Refused,
        Remedy::ReportBug => Exit::Misbehaved,
        Remedy::RetryLater { .. } => Exit::Unavailable,
        // A remedy that is newer than this program.
        _ => Exit::Failed,
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        let advice = match error.setting() {
            Setting::ApiPath => "give a path that begins with one slash, such as /jobs".to_owned(),
            setting => match origin_of(setting) {
                Some(origin) if error.fault() == Fault::ControlCharacter => {
                    format!("check {origin} for a line break that was copied along")
                }
                Some(origin) => format!("correct {origin}"),
                None => error.remedy().advice().to_owned(),
            },
        };
        Self::new(Exit::Usage, error.code(), error.to_string(), advice)
    }
}

/// Where a setting comes from.
const fn origin_of(setting: Setting) -> Option<&'static str> {
    match setting {
        Setting::ApiKey => Some("SR_AUTH_API_KEY"),
        Setting::ApiOrigin => Some("--origin or --api-origin"),
        Setting::AuthorizationEndpoint => Some("--authorization-endpoint"),
        Setting::ClientId => Some("--client-id or SR_AUTH_CLIENT_ID"),
        Setting::ClientSecret => Some("SR_AUTH_CLIENT_SECRET"),
        Setting::PartnerApiKey => Some("SR_AUTH_PARTNER_API_KEY"),
        Setting::RedirectUri => Some("--redirect-uri"),
        Setting::Scope => Some("--scope"),
        Setting::TokenEndpoint => Some("--token-endpoint"),
        Setting::Transport => Some("--client-certificate or --root-certificates"),
        _ => None,
    }
}

impl From<GrantError> for Failure {
    fn from(error: GrantError) -> Self {
        let advice = match (&error, error.remedy()) {
            (GrantError::Refused(_), Remedy::FixConfiguration) => {
                "compare client id, secret and environment with the Credential Manager".to_owned()
            }
            (_, remedy) => remedy.advice().to_owned(),
        };
        let exit = exit_of(error.remedy(), Exit::Refused);
        Self::new(exit, error.code(), error.to_string(), advice)
    }
}

impl From<GrantFailure> for Failure {
    fn from(failure: GrantFailure) -> Self {
        failure.error().clone().into()
    }
}

impl From<SourceError> for Failure {
    fn from(error: SourceError) -> Self {
        match error {
            SourceError::Grant(error) => error.into(),
            other => {
                let exit = exit_of(other.remedy(), Exit::Usage);
                Self::new(exit, other.code(), other.to_string(), other.remedy().advice())
            }
        }
    }
}

impl From<TransportError> for Failure {
    fn from(error: TransportError) -> Self {
        let advice = match error.remedy() {
            Remedy::FixConfiguration => "check the address and the certificates",
            remedy => remedy.advice(),
        };
        let exit = exit_of(error.remedy(), Exit::Usage);
        Self::new(exit, error.code(), error.to_string(), advice)
    }
}

impl From<ApiError> for Failure {
    fn from(error: ApiError) -> Self {
        match error {
            ApiError::Config(error) => error.into(),
            ApiError::Refused(refused) => refused.refusal().into(),
            ApiError::Source(error) => error.into(),
            ApiError::Transport(error) => error.into(),
            other => {
                let exit = exit_of(other.remedy(), Exit::Failed);
                Self::new(exit, other.code(), other.to_string(), other.remedy().advice())
            }
        }
    }
}

impl From<&ApiRefusal> for Failure {
    fn from(refusal: &ApiRefusal) -> Self {
        let exit = exit_of(refusal.remedy(), Exit::Refused);
        let (what, advice) = match refusal {
            ApiRefusal::MissingScope { needed } if !needed.is_empty() => (
                format!("the credential lacks a scope; one of these is needed: {needed}"),
                "have an administrator add the scope to the credential, then get a new token",
            ),
            ApiRefusal::NoApiAccess => (
                refusal.to_string(),
                "the company has to subscribe to API access at SmartRecruiters",
            ),
            ApiRefusal::NotAllowed => (
                refusal.to_string(),
                "have an administrator give it a System role that may, or use another kind of credential",
            ),
            ApiRefusal::Throttled { retry_after: Some(span) } => {
                let what = format!("too many requests; the server asks for {} s", span.as_secs());
                (what, "wait for that long, then send fewer requests at a time")
            }
            ApiRefusal::Unauthenticated => (
                refusal.to_string(),
                "check that the credential is of this environment and was not revoked",
            ),
            other => (other.to_string(), other.remedy().advice()),
        };
        Self::new(exit, refusal.code(), what, advice)
    }
}

impl From<CallbackError> for Failure {
    fn from(error: CallbackError) -> Self {
        let advice = match &error {
            CallbackError::Declined { .. } => "start again when the user wants to agree",
            CallbackError::StateMismatch => "start again, and use the callback of that attempt",
            other => other.remedy().advice(),
        };
        let exit = exit_of(error.remedy(), Exit::Usage);
        Self::new(exit, error.code(), error.to_string(), advice)
    }
}

impl From<EntropyError> for Failure {
    fn from(error: EntropyError) -> Self {
        let advice = "check the random number generator of the operating system";
        Self::new(Exit::Failed, error.code(), error.to_string(), advice)
    }
}

impl From<SandboxError> for Failure {
    fn from(error: SandboxError) -> Self {
        let advice = "take another port, or --port 0 for any that is free";
        Self::new(Exit::Failed, "sr_auth::sandbox", error.to_string(), advice)
    }
}
