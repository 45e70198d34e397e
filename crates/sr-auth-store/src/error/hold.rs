//! An order to hold grants that could not be given.

use sr_auth_core::{ConfigError, Remedy};

use super::StoreError;

/// Grants could not be held or released.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HoldError {
    /// The reason cannot be kept, or there are as many orders as there is room for.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl HoldError {
    /// Returns what can be done about it, and by whom.
    #[must_use]
    pub const fn remedy(&self) -> Remedy {
        match self {
            Self::Config(_) => Remedy::FixConfiguration,
            Self::Store(error) => error.remedy(),
        }
    }

    /// Returns a stable name for logs.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Config(error) => error.code(),
            Self::Store(error) => error.code(),
        }
    }
}
