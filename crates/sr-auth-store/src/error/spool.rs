//! A spool that cannot keep a successor.

use std::io;
use std::sync::Arc;

use sr_auth_core::Remedy;

/// The spool cannot write or read: the successor rests in memory and in the store alone.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{what}")]
pub struct SpoolError {
    #[source]
    source: Option<Arc<io::Error>>,
    what: What,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
enum What {
    #[error("the disk of the spool is full")]
    DiskFull,
    #[error("others may open the folder of the spool")]
    OpenToOthers,
    #[error("the spool cannot be read or written")]
    Unreadable,
}

impl SpoolError {
    pub(crate) fn new(source: io::Error) -> Self {
        let is_full = matches!(
            source.kind(),
            io::ErrorKind::FileTooLarge | io::ErrorKind::QuotaExceeded | io::ErrorKind::StorageFull
        );
        let what = if is_full { What::DiskFull } else { What::Unreadable };
        Self { source: Some(Arc::new(source)), what }
    }

    pub(crate) const fn open_to_others() -> Self {
        Self { source: None, what: What::OpenToOthers }
    }

    /// Returns what can be done about it, and by whom.
    #[must_use]
    pub const fn remedy(&self) -> Remedy {
        match self.what {
            What::DiskFull | What::Unreadable => Remedy::RetryLater { at: None },
            What::OpenToOthers => Remedy::FixConfiguration,
        }
    }

    /// Returns a stable name for logs.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self.what {
            What::DiskFull => "sr_auth::spool::disk_full",
            What::OpenToOthers => "sr_auth::spool::open_to_others",
            What::Unreadable => "sr_auth::spool::unreadable",
        }
    }
}
