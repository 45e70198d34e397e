//! Errors of SQLite: what is wrong, and whether anything was changed.

use rusqlite::{Error, ErrorCode};
use sr_auth_core::lifecycle::StoreFailure;

use crate::stored::Nonsense;
use crate::{BackendError, BackendFault};

/// What can stop an operation.
#[derive(Debug)]
pub(super) enum Trouble {
    /// A row holds what no version of this software wrote.
    Nonsense,
    /// SQLite says no.
    Sqlite(Error),
}

impl From<Error> for Trouble {
    fn from(error: Error) -> Self {
        Self::Sqlite(error)
    }
}

impl From<Nonsense> for Trouble {
    fn from(_: Nonsense) -> Self {
        Self::Nonsense
    }
}

impl Trouble {
    /// An error before the transaction is to be committed: nothing was changed.
    pub(super) fn before_commit(self) -> BackendError {
        self.with(StoreFailure::NotDone)
    }

    /// An error of the commit. A sync that failed may have reached the disk all the same; a commit
    /// for which there was no room is incomplete, and the next start throws it away.
    pub(super) fn at_commit(self) -> BackendError {
        let not_done = matches!(
            self.fault(),
            BackendFault::Busy | BackendFault::DiskFull | BackendFault::ReadOnly
        );
        let failure = if not_done { StoreFailure::NotDone } else { StoreFailure::OutcomeUnknown };
        self.with(failure)
    }

    /// Tells whether the connection is better opened anew: what it holds in memory may differ from
    /// what is on the disk.
    pub(super) fn spoils_connection(&self) -> bool {
        matches!(self.fault(), BackendFault::Unreadable | BackendFault::Corrupted)
    }

    pub(super) fn fault(&self) -> BackendFault {
        match self {
            Self::Nonsense => BackendFault::Corrupted,
            Self::Sqlite(Error::SqliteFailure(error, _)) => of_code(error.code),
            // A column that is missing, or of another type.
            Self::Sqlite(_) => BackendFault::Corrupted,
        }
    }

    fn with(self, failure: StoreFailure) -> BackendError {
        let error = BackendError::new(self.fault(), failure);
        match self {
            Self::Nonsense => error,
            Self::Sqlite(source) => error.with_source(source),
        }
    }
}

#[expect(clippy::wildcard_enum_match_arm, reason = "the library adds codes; each is a failure")]
const fn of_code(code: ErrorCode) -> BackendFault {
    match code {
        ErrorCode::DatabaseBusy
        | ErrorCode::DatabaseLocked
        | ErrorCode::FileLockingProtocolFailed => BackendFault::Busy,
        ErrorCode::DatabaseCorrupt | ErrorCode::ConstraintViolation | ErrorCode::TypeMismatch => {
            BackendFault::Corrupted
        }
        ErrorCode::DiskFull => BackendFault::DiskFull,
        ErrorCode::NotADatabase => BackendFault::NotAStore,
        ErrorCode::PermissionDenied | ErrorCode::ReadOnly => BackendFault::ReadOnly,
        _ => BackendFault::Unreadable,
    }
}

#[cfg(test)]
mod tests {
    use rusqlite::ffi;

    use super::*;

    #[test]
    fn each_error_says_what_is_wrong_and_whether_anything_was_changed() {
        use BackendFault::{Busy, Corrupted, DiskFull, NotAStore, ReadOnly, Unreadable};
        use StoreFailure::{NotDone, OutcomeUnknown};
        let cases = [
            ("busy", ffi::SQLITE_BUSY, Busy, NotDone),
            ("locked", ffi::SQLITE_LOCKED, Busy, NotDone),
            ("full", ffi::SQLITE_FULL, DiskFull, NotDone),
            ("read-only", ffi::SQLITE_READONLY, ReadOnly, NotDone),
            ("a file replaced below us", ffi::SQLITE_READONLY_DBMOVED, ReadOnly, NotDone),
            ("a sync failed", ffi::SQLITE_IOERR_FSYNC, Unreadable, OutcomeUnknown),
            ("a write failed", ffi::SQLITE_IOERR_WRITE, Unreadable, OutcomeUnknown),
            ("no file", ffi::SQLITE_CANTOPEN, Unreadable, OutcomeUnknown),
            ("corrupted", ffi::SQLITE_CORRUPT, Corrupted, OutcomeUnknown),
            ("another file", ffi::SQLITE_NOTADB, NotAStore, OutcomeUnknown),
        ];
        for (name, code, fault, at_commit) in cases {
            let trouble = || Trouble::from(Error::SqliteFailure(ffi::Error::new(code), None));
            let error = trouble().before_commit();
            assert_eq!((error.fault(), error.failure()), (fault, NotDone), "{name}");
            let error = trouble().at_commit();
            assert_eq!((error.fault(), error.failure()), (fault, at_commit), "{name}");
        }
    }
}
