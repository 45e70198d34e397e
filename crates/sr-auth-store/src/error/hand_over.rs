//! A grant that could not be handed over to another system.

use sr_auth_core::store::Health;
use sr_auth_core::{Remedy, Timestamp};

use super::{BackendError, StoreError};

/// A grant could not be handed over; the store keeps it.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HandOverError {
    /// A presentation is under way, or has to wait.
    #[error("a renewal of the grant is under way")]
    Busy {
        /// Until then nothing can be said.
        until: Timestamp,
    },
    /// There is no such grant.
    #[error("there is no such grant")]
    Missing,
    /// It was renewed or ended meanwhile.
    #[error("the grant was renewed or ended meanwhile")]
    Moved,
    /// It is of client credentials: another system gets tokens of its own.
    #[error("the grant has no refresh token to hand over")]
    NothingToGive,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// It was ended, is dead, or nobody knows which of its tokens is good.
    #[error("it is not sure that the grant has a good refresh token")]
    Unsure {
        /// How it is.
        health: Health,
    },
}

impl HandOverError {
    /// Returns what can be done about it, and by whom.
    #[must_use]
    pub const fn remedy(&self) -> Remedy {
        match self {
            Self::Busy { until } => Remedy::RetryLater { at: Some(*until) },
            Self::Missing | Self::NothingToGive => Remedy::FixConfiguration,
            Self::Moved => Remedy::RetryLater { at: None },
            Self::Store(error) => error.remedy(),
            Self::Unsure { .. } => Remedy::Reauthorize,
        }
    }

    /// Returns a stable name for logs.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Busy { .. } => "sr_auth::hand_over::busy",
            Self::Missing => "sr_auth::hand_over::missing",
            Self::Moved => "sr_auth::hand_over::moved",
            Self::NothingToGive => "sr_auth::hand_over::nothing_to_give",
            Self::Store(error) => error.code(),
            Self::Unsure { .. } => "sr_auth::hand_over::unsure",
        }
    }
}

impl From<BackendError> for HandOverError {
    fn from(error: BackendError) -> Self {
        Self::Store(error.into())
    }
}
