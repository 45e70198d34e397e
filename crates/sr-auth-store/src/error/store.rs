//! A store that could not carry out an operation.

use sr_auth_core::Remedy;
use sr_auth_core::lifecycle::StoreFailure;

use super::{BackendError, KeyError, SealError, SpoolError};

/// A [`Store`](crate::Store) could not carry out an operation, or cannot tell what came of it.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The backend failed.
    #[error(transparent)]
    Backend(#[from] BackendError),
    /// The keys cannot be had; nothing was changed.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The operation was carried out, and its answer cannot be opened.
    #[error("the answer of the store cannot be opened: {0}")]
    Opening(#[source] SealError),
    /// The operation cannot be sealed, or what was read cannot be opened; nothing was changed.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// The spool cannot be read; nothing was changed.
    #[error(transparent)]
    Spool(#[from] SpoolError),
    /// What exists once, such as a refresh token that works once or the credentials of a company, was
    /// to rest in a store that forgets; nothing was changed.
    #[error("the store may forget, and what exists once must not be forgotten")]
    Volatile,
}

impl StoreError {
    /// Tells whether the operation was certainly not carried out.
    #[must_use]
    pub const fn failure(&self) -> StoreFailure {
        match self {
            Self::Backend(error) => error.failure(),
            Self::Key(_) | Self::Seal(_) | Self::Spool(_) | Self::Volatile => StoreFailure::NotDone,
            Self::Opening(_) => StoreFailure::OutcomeUnknown,
        }
    }

    /// Returns what can be done about it, and by whom.
    #[must_use]
    pub const fn remedy(&self) -> Remedy {
        match self {
            Self::Backend(error) => error.remedy(),
            Self::Key(error) => error.remedy(),
            Self::Opening(error) | Self::Seal(error) => error.remedy(),
            Self::Spool(error) => error.remedy(),
            Self::Volatile => Remedy::FixConfiguration,
        }
    }

    /// Returns a stable name for logs.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Backend(error) => error.code(),
            Self::Key(error) => error.code(),
            Self::Opening(error) | Self::Seal(error) => error.code(),
            Self::Spool(error) => error.code(),
            Self::Volatile => "sr_auth::store::volatile",
        }
    }
}
