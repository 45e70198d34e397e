//! How the program ends: its exit codes, and what is said when something went wrong.

mod causes;

use std::fmt;
use std::process::ExitCode;

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
        use std::io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};

        let what = format!("{what}: {}", error.kind());
        let advice = if error.kind() == FileTooLarge {
            "a secret has at most 64 KiB; a limit may be lower (ulimit -f)"
        } else if [QuotaExceeded, StorageFull].contains(&error.kind()) {
            "make room there, or take another place"
        } else {
            "check the file, its owner and its mode"
        };
        Self::new(Exit::Failed, "sr_auth::io", what, advice)
    }

    pub(crate) fn interrupted() -> Self {
        Self::new(Exit::Interrupted, "sr_auth::interrupted", "interrupted", "start it again")
    }

    /// Says something else to do about it.
    pub(crate) fn advising(self, advice: impl Into<String>) -> Self {
        Self { advice: advice.into(), ..self }
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
