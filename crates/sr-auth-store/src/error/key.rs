//! A sealing key that cannot be had.

use std::error::Error;
use std::fmt;
use std::sync::Arc;

use sr_auth_core::Remedy;

/// The keys that seal a store cannot be had.
#[derive(Clone, Debug)]
pub struct KeyError {
    fault: KeyFault,
    source: Option<Arc<dyn Error + Send + Sync>>,
}

impl KeyError {
    /// Says what is wrong.
    #[must_use]
    pub const fn new(fault: KeyFault) -> Self {
        Self { fault, source: None }
    }

    /// Adds the error of the system or service below. It must carry no key.
    #[must_use]
    pub fn with_source(self, source: impl Error + Send + Sync + 'static) -> Self {
        Self { source: Some(Arc::new(source)), ..self }
    }

    /// Returns what is wrong.
    #[must_use]
    pub const fn fault(&self) -> KeyFault {
        self.fault
    }

    /// Returns what can be done about it, and by whom.
    #[must_use]
    pub const fn remedy(&self) -> Remedy {
        match self.fault {
            KeyFault::Malformed | KeyFault::Missing | KeyFault::OpenToOthers => {
                Remedy::FixConfiguration
            }
            KeyFault::NoRandomness | KeyFault::Unavailable => Remedy::RetryLater { at: None },
        }
    }

    /// Returns a stable name for logs.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self.fault {
            KeyFault::Malformed => "sr_auth::sealing_key::malformed",
            KeyFault::Missing => "sr_auth::sealing_key::missing",
            KeyFault::NoRandomness => "sr_auth::sealing_key::no_randomness",
            KeyFault::OpenToOthers => "sr_auth::sealing_key::open_to_others",
            KeyFault::Unavailable => "sr_auth::sealing_key::unavailable",
        }
    }
}

impl fmt::Display for KeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.fault.fmt(f)
    }
}

impl Error for KeyError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|source| source as &(dyn Error + 'static))
    }
}

/// What is wrong with the keys.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyFault {
    /// A key is not 32 bytes in base64, as `openssl rand -base64 32` prints them.
    #[error("a sealing key is not 32 bytes in base64")]
    Malformed,
    /// There is no key: no variable, no file, or nothing in it.
    #[error("there is no sealing key")]
    Missing,
    /// The operating system gives no random bytes.
    #[error("the operating system gave no random bytes")]
    NoRandomness,
    /// Others may read the file: its mode must be 0600.
    #[error("others may read the file of the sealing keys")]
    OpenToOthers,
    /// The file cannot be read, or the service does not answer.
    #[error("the sealing keys cannot be read")]
    Unavailable,
}
