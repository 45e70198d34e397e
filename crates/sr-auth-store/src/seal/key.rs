//! One sealing key.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chacha20poly1305::{KeyInit as _, XChaCha20Poly1305};
use hkdf::Hkdf;
use sha2::Sha256;
use sr_auth_core::store::GrantKey;
use zeroize::{ZeroizeOnDrop, Zeroizing};

use crate::{KeyError, KeyFault, random};

/// A key that seals: 32 random bytes, kept where the store is not.
///
/// `openssl rand -base64 32` makes one.
///
/// # Examples
///
/// ```
/// use sr_auth_store::SealingKey;
///
/// let key = SealingKey::from_bytes([7; 32]);
/// assert_eq!(key.id(), SealingKey::from_bytes([7; 32]).id());
/// assert_ne!(key.id(), SealingKey::from_bytes([8; 32]).id());
/// ```
#[derive(Clone, ZeroizeOnDrop)]
pub struct SealingKey {
    #[zeroize(skip)]
    id: KeyId,
    /// What HKDF extracts of the key: the same for every grant.
    pseudorandom: Box<[u8; 32]>,
}

impl SealingKey {
    /// Takes a key.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        let bytes = Zeroizing::new(bytes);
        // Without a salt: the key is uniform already.
        let (extracted, _) = Hkdf::<Sha256>::extract(None, bytes.as_slice());
        let extracted = Zeroizing::new(<[u8; 32]>::from(extracted));
        let mut id = [0; 8];
        expand(&extracted, &[b"sr-auth.store.key-id.1"], &mut id);
        Self { id: KeyId(id), pseudorandom: Box::new(*extracted) }
    }

    /// Draws a key that nobody else has: for stores that end with their process.
    ///
    /// # Errors
    ///
    /// [`KeyFault::NoRandomness`] when the operating system gives no random bytes.
    pub fn random() -> Result<Self, KeyError> {
        let bytes = random::bytes().ok_or_else(|| KeyError::new(KeyFault::NoRandomness))?;
        Ok(Self::from_bytes(bytes))
    }

    /// Returns the name of the key, which says nothing about it.
    #[must_use]
    pub const fn id(&self) -> KeyId {
        self.id
    }

    /// Reads a key from base64.
    pub(super) fn parse(text: &str) -> Result<Self, KeyError> {
        let malformed = || KeyError::new(KeyFault::Malformed);
        // As much as the decoder may need for 44 letters.
        let mut decoded = Zeroizing::new([0; 33]);
        match STANDARD.decode_slice(text, decoded.as_mut_slice()) {
            Ok(32) => {}
            Ok(_) | Err(_) => return Err(malformed()),
        }
        let mut bytes = Zeroizing::new([0; 32]);
        bytes.copy_from_slice(decoded.get(..32).ok_or_else(malformed)?);
        Ok(Self::from_bytes(*bytes))
    }

    /// Returns the cipher of one grant, under a key that only this grant has.
    pub(super) fn cipher(&self, grant: &GrantKey) -> XChaCha20Poly1305 {
        let mut key = Zeroizing::new([0; 32]);
        let info: [&[u8]; 2] = [b"sr-auth.store.grant.1", grant.as_str().as_bytes()];
        expand(&self.pseudorandom, &info, key.as_mut_slice());
        XChaCha20Poly1305::new((&*key).into())
    }
}

impl fmt::Debug for SealingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SealingKey({}, ••••)", self.id)
    }
}

/// The second step of HKDF-SHA-256 (RFC 5869 §2.3).
fn expand(pseudorandom: &[u8; 32], info: &[&[u8]], output: &mut [u8]) {
    Hkdf::<Sha256>::from_prk(pseudorandom)
        .expect("it is as long as a digest")
        .expand_multi_info(info, output)
        .expect("32 bytes are less than HKDF gives");
}

/// Names a [`SealingKey`]: 64 bits that are derived from it one way.
#[derive(Clone, Copy, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct KeyId([u8; 8]);

impl KeyId {
    pub(super) const fn from_bytes(bytes: [u8; 8]) -> Self {
        Self(bytes)
    }

    pub(super) const fn as_bytes(&self) -> &[u8; 8] {
        &self.0
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyId({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_32_bytes_in_base64() {
        let good = STANDARD.encode([7; 32]);
        assert_eq!(SealingKey::parse(&good).unwrap().id(), SealingKey::from_bytes([7; 32]).id());
        let cases = [
            ("short", STANDARD.encode([7; 31])),
            ("long", STANDARD.encode([7; 33])),
            ("very long", STANDARD.encode([7; 99])),
            ("not base64", "ä".repeat(22)),
            ("hexadecimal", "07".repeat(32)),
            ("empty", String::new()),
        ];
        for (name, text) in cases {
            let error = SealingKey::parse(&text).unwrap_err();
            assert_eq!(error.fault(), KeyFault::Malformed, "{name}");
        }
    }

    #[test]
    fn debug_shows_the_name_of_a_key_only() {
        let key = SealingKey::from_bytes([7; 32]);
        assert_eq!(format!("{key:?}"), format!("SealingKey({}, ••••)", key.id()));
    }
}
