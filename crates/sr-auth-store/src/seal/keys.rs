//! The keys of a store, and where they come from.

use std::fs::{self, File};
use std::io::{ErrorKind, Read as _};
use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use zeroize::Zeroizing;

use super::key::{KeyId, SealingKey};
use crate::{KeyError, KeyFault};

/// The longest file of keys, in bytes.
const LIMIT: u64 = 64 * 1024;

/// The keys of a store: the newest seals, each opens.
///
/// To rotate, put a new key first and keep the old ones for as long as a value may rest under them:
/// every rotation of a grant seals anew, and [`Store::reseal`](crate::Store::reseal) does so at
/// once. Every process needs the new key before one of them seals with it.
///
/// Clones share the keys.
///
/// # Examples
///
/// ```
/// use sr_auth_store::{SealingKey, SealingKeys};
///
/// let [old, new] = [1, 2].map(|byte| SealingKey::from_bytes([byte; 32]));
/// let keys = SealingKeys::new(new.clone()).and_older(old);
/// assert_eq!(keys.newest().id(), new.id());
/// ```
#[derive(Clone, Debug)]
pub struct SealingKeys {
    newest: Arc<SealingKey>,
    older: Arc<[SealingKey]>,
}

impl SealingKeys {
    /// Takes one key.
    #[must_use]
    pub fn new(key: SealingKey) -> Self {
        Self { newest: Arc::new(key), older: Arc::new([]) }
    }

    /// Adds a key that opens and does not seal any more.
    #[must_use]
    pub fn and_older(self, key: SealingKey) -> Self {
        let older = self.older.iter().cloned().chain([key]).collect();
        Self { older, ..self }
    }

    /// Draws one random key: for stores that end with their process.
    ///
    /// # Errors
    ///
    /// [`KeyFault::NoRandomness`] when the operating system gives no random bytes.
    pub fn random() -> Result<Self, KeyError> {
        SealingKey::random().map(Self::new)
    }

    /// Reads keys from text: base64, the newest first, apart by blanks or line breaks.
    ///
    /// # Errors
    ///
    /// [`KeyFault::Missing`] when there is none, [`KeyFault::Malformed`] when one is no key.
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        let mut keys = text.split_ascii_whitespace().map(SealingKey::parse);
        let newest = keys.next().ok_or_else(|| KeyError::new(KeyFault::Missing))??;
        let older = keys.collect::<Result<Vec<_>, _>>()?;
        Ok(Self { newest: Arc::new(newest), older: older.into() })
    }

    /// Reads keys from a variable of the environment, in the form of [`parse`](Self::parse).
    ///
    /// Other processes of the same user may read the environment: a file is better.
    ///
    /// # Errors
    ///
    /// As [`parse`](Self::parse).
    pub fn from_env(variable: &str) -> Result<Self, KeyError> {
        #[expect(clippy::disallowed_methods, reason = "this is the door to the environment")]
        let text = std::env::var_os(variable).ok_or_else(|| KeyError::new(KeyFault::Missing))?;
        let text = text.into_string().map(Zeroizing::new);
        Self::parse(&text.map_err(|_| KeyError::new(KeyFault::Malformed))?)
    }

    /// Reads keys from a file that only its owner may open, in the form of [`parse`](Self::parse).
    ///
    /// # Errors
    ///
    /// As [`parse`](Self::parse); [`KeyFault::OpenToOthers`] when the mode of the file lets others
    /// in; [`KeyFault::Unavailable`] when it cannot be read.
    pub fn from_file(path: &Path) -> Result<Self, KeyError> {
        let failed = |error: std::io::Error| {
            let missing = error.kind() == ErrorKind::NotFound;
            let fault = if missing { KeyFault::Missing } else { KeyFault::Unavailable };
            KeyError::new(fault).with_source(error)
        };
        // To open a pipe would wait until somebody writes to it.
        check(&fs::metadata(path).map_err(failed)?)?;
        let file = File::open(path).map_err(failed)?;
        // The open file is judged, not the name alone: that may lead elsewhere a moment later.
        let metadata = file.metadata().map_err(failed)?;
        check(&metadata)?;
        if metadata.len() > LIMIT {
            return Err(KeyError::new(KeyFault::Malformed));
        }
        // Large enough from the start, so that growing leaves no copy behind.
        let mut text = Zeroizing::new(Vec::with_capacity(1 + LIMIT as usize));
        file.take(LIMIT).read_to_end(&mut text).map_err(failed)?;
        let text = str::from_utf8(&text).map_err(|_| KeyError::new(KeyFault::Malformed))?;
        Self::parse(text)
    }

    /// Returns the key that seals.
    #[must_use]
    pub fn newest(&self) -> &SealingKey {
        &self.newest
    }

    pub(super) fn find(&self, id: KeyId) -> Option<&SealingKey> {
        [&*self.newest].into_iter().chain(self.older.iter()).find(|key| key.id() == id)
    }
}

/// A service that gives the keys of a store: a key management service, a vault.
///
/// It is asked when the store is made, and again when a value turns up that none of the keys opens:
/// another process may have begun to seal under a newer one.
#[async_trait]
pub trait KeyService: std::fmt::Debug + Send + Sync {
    /// Gives the keys, the newest first.
    ///
    /// # Errors
    ///
    /// [`KeyError`] when there are none, or the service does not answer.
    async fn keys(&self) -> Result<SealingKeys, KeyError>;
}

fn check(metadata: &fs::Metadata) -> Result<(), KeyError> {
    if !metadata.is_file() {
        return Err(KeyError::new(KeyFault::Unavailable));
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        if metadata.permissions().mode() & 0o077 != 0 {
            return Err(KeyError::new(KeyFault::OpenToOthers));
        }
    }
    Ok(())
}
