//! A value that cannot be sealed or opened.

use sr_auth_core::Remedy;

use crate::KeyId;

/// A value cannot be sealed, or what is stored cannot be opened.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, thiserror::Error)]
#[error("{fault}")]
pub struct SealError {
    fault: SealFault,
}

impl SealError {
    pub(crate) const fn new(fault: SealFault) -> Self {
        Self { fault }
    }

    /// Returns what is wrong.
    #[must_use]
    pub const fn fault(&self) -> SealFault {
        self.fault
    }

    /// Returns what can be done about it, and by whom.
    #[must_use]
    pub const fn remedy(&self) -> Remedy {
        match self.fault {
            SealFault::Damaged | SealFault::Forged | SealFault::Misplaced => Remedy::Reauthorize,
            SealFault::NoRandomness => Remedy::RetryLater { at: None },
            SealFault::UnknownKey(_) => Remedy::FixConfiguration,
        }
    }

    /// Returns a stable name for logs.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self.fault {
            SealFault::Damaged => "sr_auth::seal::damaged",
            SealFault::Forged => "sr_auth::seal::forged",
            SealFault::Misplaced => "sr_auth::seal::misplaced",
            SealFault::NoRandomness => "sr_auth::seal::no_randomness",
            SealFault::UnknownKey(_) => "sr_auth::seal::unknown_key",
        }
    }
}

/// What is wrong with a sealed value.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum SealFault {
    /// It is cut short, or of a form that this version does not know.
    #[error("a sealed value is damaged")]
    Damaged,
    /// It was changed, or belongs to another grant, token or field.
    #[error("a sealed value was changed, or moved from another place")]
    Forged,
    /// It belongs to another generation of the grant.
    #[error("a sealed value belongs to another generation of its grant")]
    Misplaced,
    /// The operating system gives no random bytes to seal with.
    #[error("the operating system gave no random bytes")]
    NoRandomness,
    /// It was sealed under a key that is not among those that were given.
    #[error("a value is sealed under the key {0}, which was not given")]
    UnknownKey(KeyId),
}
