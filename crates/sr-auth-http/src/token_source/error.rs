//! Why a source has no header.

use sr_auth_core::lifecycle::Unavailable;
use sr_auth_core::{ConfigError, GrantError, Remedy};

use crate::EntropyError;

/// Why a [`TokenSource`](crate::TokenSource) gives no header, or does not do what it was told.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum SourceError {
    /// The store holds a token that no header can carry.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The operating system gave no random bytes to name the process with.
    #[error(transparent)]
    Entropy(#[from] EntropyError),
    /// The exchange brought no token.
    #[error(transparent)]
    Grant(#[from] GrantError),
    /// No client credentials are known for the company; see
    /// [`TokenSources::client`](crate::TokenSources::client).
    #[error("no client credentials are known for this company")]
    NoClient,
    /// The source was made without a credential, for public endpoints.
    #[error("the source has no credential to send")]
    NoCredential,
    /// There is no tokio runtime to keep tokens on.
    #[error("the source was used outside of a tokio runtime")]
    NoRuntime,
    /// The source keeps no grant: it sends a key, or exchanges anew for every call.
    #[error("the source keeps no grant")]
    NotKept,
    /// The source was retired: what it gave tokens of has ended. See
    /// [`TokenSources::retire`](crate::TokenSources::retire).
    #[error("what the source gave tokens of has ended; somebody has to connect again")]
    Retired,
    /// The source was shut down.
    #[error("the source was shut down")]
    ShutDown,
    /// The deadline of the call has passed; what was begun goes on.
    #[error("the deadline of the call has passed, and what was begun goes on")]
    TimedOut,
    /// There is no token, and no attempt to get one before the deadline.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

impl SourceError {
    /// Returns what can be done about it, and by whom.
    #[must_use]
    pub const fn remedy(&self) -> Remedy {
        match self {
            Self::Config(error) => error.remedy(),
            Self::Entropy(error) => error.remedy(),
            Self::Grant(error) => error.remedy(),
            Self::NoClient
            | Self::NoCredential
            | Self::NoRuntime
            | Self::NotKept
            | Self::ShutDown => Remedy::FixConfiguration,
            Self::Retired => Remedy::Reauthorize,
            Self::TimedOut => Remedy::RetryLater { at: None },
            Self::Unavailable(error) => error.remedy(),
        }
    }

    /// Returns a stable name for logs.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Config(error) => error.code(),
            Self::Entropy(error) => error.code(),
            Self::Grant(error) => error.code(),
            Self::NoClient => "sr_auth::source::no_client",
            Self::NoCredential => "sr_auth::source::no_credential",
            Self::NoRuntime => "sr_auth::source::no_runtime",
            Self::NotKept => "sr_auth::source::not_kept",
            Self::Retired => "sr_auth::source::retired",
            Self::ShutDown => "sr_auth::source::shut_down",
            Self::TimedOut => "sr_auth::source::timed_out",
            Self::Unavailable(error) => error.code(),
        }
    }
}
