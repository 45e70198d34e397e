//! Fingerprints: how a secret is named in logs, ledgers and comparisons.

use std::fmt;

use sha2::{Digest as _, Sha256};
use zeroize::ZeroizeOnDrop;

use crate::Secret;

/// The key of a deployment's fingerprints: 32 random bytes that are kept like a secret.
///
/// With it, a fingerprint in a log can be compared with a token in hand, and without it nothing
/// can: neither a short token nor a known one can be looked for.
#[derive(Clone, ZeroizeOnDrop)]
pub struct FingerprintKey([u8; 32]);

impl FingerprintKey {
    /// Takes the key.
    #[must_use]
    pub const fn new(key: [u8; 32]) -> Self {
        Self(key)
    }

    /// Returns the fingerprint of a secret under this key.
    #[must_use]
    pub fn fingerprint(&self, secret: &Secret) -> Fingerprint {
        // The key has a fixed length and half of the digest is kept, so nothing can be appended.
        let digest = Sha256::new().chain_update(self.0).chain_update(secret.expose()).finalize();
        let mut half = [0; 16];
        half.iter_mut().zip(digest).for_each(|(kept, byte)| *kept = byte);
        Fingerprint(half)
    }
}

impl fmt::Debug for FingerprintKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FingerprintKey(••••)")
    }
}

/// 128 bits that name a token without showing any of it.
///
/// `Debug` and `Display` show the first eight hexadecimal digits, enough to follow one token
/// through a log.
///
/// # Examples
///
/// ```
/// use sr_auth_core::{FingerprintKey, Secret};
///
/// let key = FingerprintKey::new([7; 32]);
/// let token = Secret::new("b2591f58e63d".to_owned());
/// assert_eq!(key.fingerprint(&token), key.fingerprint(&token));
/// assert_eq!(key.fingerprint(&token).to_string().len(), 8);
/// ```
#[derive(Clone, Copy, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Fingerprint([u8; 16]);

impl Fingerprint {
    /// Takes over a stored fingerprint.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// Returns the fingerprint, for storing it.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().take(4).try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fingerprint({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_depends_on_key_and_secret_and_shows_neither() {
        let of = |key: u8, text: &str| {
            FingerprintKey::new([key; 32]).fingerprint(&Secret::new(text.to_owned()))
        };
        assert_eq!(of(1, "a"), of(1, "a"));
        assert_ne!(of(1, "a"), of(2, "a"));
        assert_ne!(of(1, "a"), of(1, "b"));
        assert_eq!(format!("{:?}", FingerprintKey::new([1; 32])), "FingerprintKey(••••)");
        let shown = Fingerprint::from_bytes([0xab; 16]);
        assert_eq!(format!("{shown} {shown:?}"), "abababab Fingerprint(abababab)");
        assert_eq!(shown.as_bytes(), &[0xab; 16]);
    }
}
