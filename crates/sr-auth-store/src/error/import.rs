//! A grant of another system that was not taken in.

use sr_auth_core::Remedy;
use sr_auth_core::store::Health;

use super::StoreError;

/// A grant of another system was not taken in.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ImportError {
    /// Its refresh token was obtained after now: the clocks differ, or the unit does.
    #[error("the refresh token is from the future")]
    NotYet,
    /// The key has a grant already, or had one that was ended; it stays as it is.
    #[error("another grant stands under its key")]
    Standing {
        /// How that one is.
        health: Health,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Its refresh token has ended: 28 days after it was obtained.
    #[error("the refresh token has ended")]
    TooOld,
}

impl ImportError {
    /// Returns what can be done about it, and by whom.
    #[must_use]
    pub const fn remedy(&self) -> Remedy {
        match self {
            Self::NotYet => Remedy::FixConfiguration,
            Self::Standing { .. } => Remedy::AskOperator,
            Self::Store(error) => error.remedy(),
            Self::TooOld => Remedy::Reauthorize,
        }
    }

    /// Returns a stable name for logs.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotYet => "sr_auth::import::not_yet",
            Self::Standing { .. } => "sr_auth::import::standing",
            Self::Store(error) => error.code(),
            Self::TooOld => "sr_auth::import::too_old",
        }
    }
}
