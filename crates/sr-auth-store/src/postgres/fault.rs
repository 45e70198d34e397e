//! Errors of the server and of the connection, and whether anything was changed.

use deadpool_postgres::PoolError;
use sr_auth_core::lifecycle::StoreFailure;
use tokio_postgres::Error;
use tokio_postgres::error::Severity;

use crate::{BackendError, BackendFault, tls};

/// What can stop a statement.
#[derive(Debug)]
pub(super) enum Trouble {
    /// No answer came in time.
    Late,
    /// The server says no, or is gone.
    Server(Error),
}

impl From<Error> for Trouble {
    fn from(error: Error) -> Self {
        Self::Server(error)
    }
}

impl Trouble {
    /// An error after the statement was handed to the connection.
    ///
    /// Every statement is a transaction of its own, so an error that the server tells without
    /// ending the session means that it was rolled back. When the session ends, or the connection,
    /// the server may have committed without being able to say so.
    pub(super) fn after_sending(self, is_read: bool) -> BackendError {
        let failure = match &self {
            _ if is_read => StoreFailure::NotDone,
            Self::Server(error) if is_rolled_back(error) => StoreFailure::NotDone,
            Self::Late | Self::Server(_) => StoreFailure::OutcomeUnknown,
        };
        self.with(failure)
    }

    fn with(self, failure: StoreFailure) -> BackendError {
        match self {
            Self::Late => BackendError::new(BackendFault::Unreachable, failure),
            Self::Server(error) => {
                BackendError::new(fault(&error), failure).with_source(Quiet::of(error))
            }
        }
    }
}

/// An error while a connection was waited for or opened: nothing was sent.
pub(super) fn of_pool(error: PoolError) -> BackendError {
    match error {
        PoolError::Backend(error) => Trouble::Server(error).with(StoreFailure::NotDone),
        PoolError::Timeout(_)
        | PoolError::Closed
        | PoolError::NoRuntimeSpecified
        | PoolError::PostCreateHook(_) => {
            BackendError::new(BackendFault::Unreachable, StoreFailure::NotDone)
        }
    }
}

fn is_rolled_back(error: &Error) -> bool {
    let Some(error) = error.as_db_error() else { return false };
    error.parsed_severity() == Some(Severity::Error)
        // PgBouncer tells with this that the server's session ended, whatever it had done.
        && error.code().code() != "08P01"
}

fn fault(error: &Error) -> BackendFault {
    let Some(error) = error.as_db_error() else { return untold(error) };
    let code = error.code().code();
    let class = code.get(..2).unwrap_or_default();
    match (class, code) {
        // A value that does not fit, a check that does not hold, a row that contradicts another.
        ("22" | "23" | "XX", _) => BackendFault::Corrupted,
        (_, "25006") => BackendFault::ReadOnly,
        // Who asks is not who was expected, or may not.
        ("28", _) | (_, "42501" | "3D000") => BackendFault::Refused,
        // A schema, a table, a function or a column that is missing.
        ("3F" | "42", _) => BackendFault::NotAStore,
        ("40" | "55", _) => BackendFault::Busy,
        (_, "53100") => BackendFault::DiskFull,
        ("53", _) => BackendFault::Busy,
        ("08" | "57", _) => BackendFault::Unreachable,
        _ => BackendFault::Unreadable,
    }
}

/// Returns what is wrong before the server said anything.
fn untold(error: &Error) -> BackendFault {
    match tls::is_at_fault(error) {
        Some(_) => BackendFault::Untrusted,
        None => BackendFault::Unreachable,
    }
}

/// An error as it is told: with its code and message, without the parts that repeat what was sent.
#[derive(Debug)]
struct Quiet(String);

impl Quiet {
    fn of(error: Error) -> Self {
        Self(match error.as_db_error() {
            Some(told) => format!("{}: {}", told.code().code(), told.message()),
            None => {
                let source = error.into_source().map(|it| it.to_string());
                source.unwrap_or_else(|| "the connection was closed".to_owned())
            }
        })
    }
}

impl std::fmt::Display for Quiet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Quiet {}
