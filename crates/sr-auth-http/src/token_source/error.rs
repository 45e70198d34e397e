//! Why a source has no header.

use sr_auth_core::{GrantError, Remedy};

/// Why a [`TokenSource`](crate::TokenSource) gives no header.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum SourceError {
    /// The exchange brought no token.
    #[error(transparent)]
    Grant(#[from] GrantError),
    /// The source was made without a credential, for public endpoints.
    #[error("the source has no credential to send")]
    NoCredential,
}

impl SourceError {
    /// Returns what can be done about it, and by whom.
    #[must_use]
    pub const fn remedy(&self) -> Remedy {
        match self {
            Self::Grant(error) => error.remedy(),
            Self::NoCredential => Remedy::FixConfiguration,
        }
    }

    /// Returns a stable name for logs.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Grant(error) => error.code(),
            Self::NoCredential => "sr_auth::source::no_credential",
        }
    }
}
