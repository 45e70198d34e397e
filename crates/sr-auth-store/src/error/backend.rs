//! A backend that could not carry out an operation.

use std::error::Error;
use std::fmt;
use std::sync::Arc;

use sr_auth_core::Remedy;
use sr_auth_core::lifecycle::StoreFailure;

/// A backend could not carry out an operation, or cannot tell whether it did.
///
/// # Examples
///
/// ```
/// use sr_auth_core::lifecycle::StoreFailure;
/// use sr_auth_store::{BackendError, BackendFault};
///
/// let error = BackendError::new(BackendFault::DiskFull, StoreFailure::NotDone);
/// assert_eq!(error.to_string(), "the disk of the store is full; nothing was changed");
/// assert_eq!(error.code(), "sr_auth::store::disk_full");
/// ```
#[derive(Clone, Debug)]
pub struct BackendError {
    failure: StoreFailure,
    fault: BackendFault,
    source: Option<Arc<dyn Error + Send + Sync>>,
}

impl BackendError {
    /// Says what is wrong, and whether the operation may have been carried out all the same.
    #[must_use]
    pub const fn new(fault: BackendFault, failure: StoreFailure) -> Self {
        Self { failure, fault, source: None }
    }

    /// Adds the error of the library below. It must carry no secret; a backend sees none.
    #[must_use]
    pub fn with_source(self, source: impl Error + Send + Sync + 'static) -> Self {
        Self { source: Some(Arc::new(source)), ..self }
    }

    /// Tells whether the operation was certainly not carried out.
    #[must_use]
    pub const fn failure(&self) -> StoreFailure {
        self.failure
    }

    /// Returns what is wrong.
    #[must_use]
    pub const fn fault(&self) -> BackendFault {
        self.fault
    }

    /// Returns what can be done about it, and by whom.
    #[must_use]
    pub const fn remedy(&self) -> Remedy {
        self.fault.remedy()
    }

    /// Returns a stable name for logs.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        self.fault.code()
    }
}

impl fmt::Display for BackendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let outcome = match self.failure {
            StoreFailure::NotDone => "nothing was changed",
            StoreFailure::OutcomeUnknown => "it may have been changed",
        };
        write!(f, "{}; {outcome}", self.fault)
    }
}

impl Error for BackendError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|source| source as &(dyn Error + 'static))
    }
}

/// What is wrong with a backend.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum BackendFault {
    /// Another process holds the store for longer than anybody waits.
    #[error("the store is busy")]
    Busy,
    /// The backend was shut down.
    #[error("the store is closed")]
    Closed,
    /// What is stored contradicts itself: a torn or edited file.
    #[error("the store is corrupted")]
    Corrupted,
    /// No room is left, or a limit on the size of a file or of the store is reached.
    #[error("the disk of the store is full")]
    DiskFull,
    /// The store was written by a newer version of this software.
    #[error("the store was written by a newer version")]
    Incompatible,
    /// A setting of the backend makes no sense: an address that cannot be read, certificates that are
    /// none.
    #[error("the settings of the store cannot be used")]
    Misconfigured,
    /// The folder of the store is not there.
    #[error("the folder of the store does not exist")]
    MissingFolder,
    /// The operating system gives no random bytes.
    #[error("the operating system gave no random bytes")]
    NoRandomness,
    /// The server does not write to its disk before it answers any more.
    #[error("the store does not wait for its disk")]
    NotDurable,
    /// What is there belongs to something else.
    #[error("this is not a store of sr-auth")]
    NotAStore,
    /// The backend keeps grants only.
    #[error("the store keeps no integrations")]
    NotOffered,
    /// Others may read the store, or replace it.
    #[error("others may open the store")]
    OpenToOthers,
    /// It may be read and not written.
    #[error("the store is read-only")]
    ReadOnly,
    /// The server of the store does not let us in, or not that far.
    #[error("the server of the store refuses this user")]
    Refused,
    /// A value is longer than the backend keeps.
    #[error("a value is too large for the store")]
    TooLarge,
    /// Reading or writing failed below the store: a disk, a file system, a server that answered
    /// with an error.
    #[error("the store cannot be read or written")]
    Unreadable,
    /// The store did not answer: a connection that was refused, lost or too slow.
    #[error("the store is unreachable")]
    Unreachable,
    /// The server's certificate is not for its name, has ended, or is of nobody who is trusted.
    #[error("the server of the store cannot prove who it is")]
    Untrusted,
}

impl BackendFault {
    /// Returns what can be done about it, and by whom.
    #[must_use]
    pub const fn remedy(self) -> Remedy {
        match self {
            Self::Busy
            | Self::Closed
            | Self::DiskFull
            | Self::NoRandomness
            | Self::Unreachable
            | Self::Unreadable => Remedy::RetryLater { at: None },
            Self::Corrupted
            | Self::Incompatible
            | Self::Misconfigured
            | Self::MissingFolder
            | Self::NotAStore
            | Self::NotDurable
            | Self::NotOffered
            | Self::OpenToOthers
            | Self::ReadOnly
            | Self::Refused
            | Self::TooLarge
            | Self::Untrusted => Remedy::FixConfiguration,
        }
    }

    /// Returns what an operator does about it: one sentence without a full stop.
    #[must_use]
    pub const fn advice(self) -> &'static str {
        match self {
            Self::Busy => "end whatever holds the store, then try again",
            Self::Closed => "open the store again",
            Self::Corrupted => "keep the file, and restore the newest backup beside it",
            Self::DiskFull => "make room; what waits is kept in memory meanwhile",
            Self::Incompatible => "use the version that wrote it, or a newer one",
            Self::Misconfigured => "look at the address and the other settings of the store",
            Self::MissingFolder => "create the folder, with mode 0700",
            Self::NoRandomness => "try again later",
            Self::NotAStore => "name another file",
            Self::NotDurable => "set the server of the store to write each change to its disk",
            Self::NotOffered => "use a backend that keeps integrations",
            Self::OpenToOthers => "chmod 600 the file, and let nobody else write to its folder",
            Self::ReadOnly => "let this process write to the file and its folder",
            Self::Refused => "look at user, password and rights at the server of the store",
            Self::TooLarge => "look at what the token endpoint answers, or choose another store",
            Self::Unreachable => "look at the server of the store and the network",
            Self::Unreadable => "look at the disk and the log of the operating system",
            Self::Untrusted => {
                "look at the server's certificate, its name in the address, and `root_certificates`"
            }
        }
    }

    const fn code(self) -> &'static str {
        match self {
            Self::Busy => "sr_auth::store::busy",
            Self::Closed => "sr_auth::store::closed",
            Self::Corrupted => "sr_auth::store::corrupted",
            Self::DiskFull => "sr_auth::store::disk_full",
            Self::Incompatible => "sr_auth::store::incompatible",
            Self::Misconfigured => "sr_auth::store::misconfigured",
            Self::MissingFolder => "sr_auth::store::missing_folder",
            Self::NoRandomness => "sr_auth::store::no_randomness",
            Self::NotAStore => "sr_auth::store::not_a_store",
            Self::NotDurable => "sr_auth::store::not_durable",
            Self::NotOffered => "sr_auth::store::not_offered",
            Self::OpenToOthers => "sr_auth::store::open_to_others",
            Self::ReadOnly => "sr_auth::store::read_only",
            Self::Refused => "sr_auth::store::refused",
            Self::TooLarge => "sr_auth::store::too_large",
            Self::Unreachable => "sr_auth::store::unreachable",
            Self::Unreadable => "sr_auth::store::unreadable",
            Self::Untrusted => "sr_auth::store::untrusted",
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn each_fault_has_a_name_of_its_own_and_says_what_to_do() {
        use BackendFault::{
            Busy, Closed, Corrupted, DiskFull, Incompatible, Misconfigured, MissingFolder,
            NoRandomness, NotAStore, NotDurable, NotOffered, OpenToOthers, ReadOnly, Refused,
            TooLarge, Unreachable, Unreadable, Untrusted,
        };
        let faults = [
            Busy,
            Closed,
            Corrupted,
            DiskFull,
            Incompatible,
            Misconfigured,
            MissingFolder,
            NoRandomness,
            NotAStore,
            NotDurable,
            NotOffered,
            OpenToOthers,
            ReadOnly,
            Refused,
            TooLarge,
            Unreachable,
            Unreadable,
            Untrusted,
        ];
        let names: BTreeSet<_> = faults.iter().map(|it| it.code()).collect();
        let told: BTreeSet<_> = faults.iter().map(|it| format!("{it}: {}", it.advice())).collect();
        assert_eq!([names.len(), told.len()], [faults.len(); 2]);
        assert!(names.iter().all(|it| it.starts_with("sr_auth::store::")), "{names:?}");
    }

    #[test]
    fn an_error_says_whether_anything_was_changed_and_why_it_failed() {
        let error = BackendError::new(BackendFault::Unreachable, StoreFailure::OutcomeUnknown)
            .with_source(std::io::Error::other("reset by peer"));
        assert_eq!(error.to_string(), "the store is unreachable; it may have been changed");
        assert_eq!(error.source().unwrap().to_string(), "reset by peer");
    }
}
