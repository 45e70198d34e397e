//! Secrets: held in one place, shown by one door, wiped when dropped.

use std::fmt;

use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;
use zeroize::{Zeroize as _, ZeroizeOnDrop, Zeroizing};

/// A secret text: a client secret, an API key, a token, a code, a `state`.
///
/// It has no `Display`, no `PartialEq`, no `Hash` and no `Serialize`; its `Debug` shows a row of
/// dots, not even the length. [`expose`](Self::expose) is the only way to the text. The memory is
/// wiped when the value is dropped.
///
/// # Examples
///
/// ```
/// use sr_auth_core::Secret;
///
/// let secret = Secret::new("hunter2".to_owned());
/// assert_eq!(format!("{secret:?}"), "Secret(••••)");
/// assert!(secret.matches(&Secret::new("hunter2".to_owned())));
/// ```
#[derive(Clone, ZeroizeOnDrop)]
pub struct Secret(Box<str>);

impl Secret {
    /// Takes over a text; a buffer that is larger than the text is wiped after the copy.
    #[must_use]
    pub fn new(text: String) -> Self {
        if text.capacity() == text.len() {
            return Self(text.into_boxed_str());
        }
        let text = Zeroizing::new(text);
        Self(text.as_str().into())
    }

    /// Returns the secret text: the one door, called only where a request is written or a token
    /// handed to the user.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Tells whether both secrets are the same, in a time that depends on their lengths only.
    #[must_use]
    pub fn matches(&self, other: &Self) -> bool {
        self.0.as_bytes().ct_eq(other.0.as_bytes()).into()
    }

    /// Tells whether there is no text at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the SHA-256 digest, for comparing with a secret that is not kept in clear.
    #[must_use]
    pub fn digest(&self) -> SecretDigest {
        SecretDigest(Sha256::digest(self.0.as_bytes()).into())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(••••)")
    }
}

/// Bytes that may hold secrets: the body of a token request or of its answer.
///
/// The same rules as for [`Secret`]: one door, no content in `Debug`, wiped when dropped.
#[derive(Clone, Default, ZeroizeOnDrop)]
pub struct SecretBytes(Box<[u8]>);

impl SecretBytes {
    /// Takes over bytes; a buffer that is larger than them is wiped after the copy.
    #[must_use]
    pub fn new(bytes: Vec<u8>) -> Self {
        if bytes.capacity() == bytes.len() {
            return Self(bytes.into_boxed_slice());
        }
        let bytes = Zeroizing::new(bytes);
        Self(bytes.as_slice().into())
    }

    /// Returns the bytes: the one door, called by codecs and transports.
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        &self.0
    }

    /// Returns how many bytes there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Tells whether there are no bytes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for SecretBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SecretBytes({} bytes)", self.0.len())
    }
}

/// The SHA-256 digest of a secret with at least 128 bits of entropy.
///
/// Good for recognising such a secret again without keeping it; not for passwords.
#[derive(Clone, Copy, Eq, Hash, PartialEq)]
pub struct SecretDigest([u8; 32]);

impl SecretDigest {
    /// Takes over a stored digest.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Returns the digest, for storing it.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for SecretDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretDigest(••••)")
    }
}

/// Random bytes as lower-case hexadecimal: every character is unreserved in URLs (RFC 3986 §2.3).
pub(crate) fn hex(mut random: [u8; 32]) -> Secret {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |nibble: u8| char::from(DIGITS.get(usize::from(nibble)).copied().unwrap_or(b'0'));
    let text = random.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect();
    random.zeroize();
    Secret::new(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn k05_debug_shows_the_kind_and_hides_the_content() {
        let secret = Secret::new("s3cr3t-value".to_owned());
        let bytes = SecretBytes::new(b"s3cr3t-value".to_vec());
        let shown = format!("{secret:?} {bytes:?} {:?}", secret.digest());
        assert_eq!(shown, "Secret(••••) SecretBytes(12 bytes) SecretDigest(••••)");
    }

    #[test]
    fn bytes_say_how_many_they_are() {
        for (bytes, length) in [(Vec::new(), 0), (vec![7], 1), (Vec::with_capacity(9), 0)] {
            let bytes = SecretBytes::new(bytes);
            assert_eq!((bytes.len(), bytes.is_empty()), (length, length == 0));
        }
    }

    #[test]
    fn only_equal_texts_match() {
        let cases = [("a", "a", true), ("a", "b", false), ("a", "ab", false), ("", "", true)];
        for (left, right, expected) in cases {
            let [left, right] = [left, right].map(|it| Secret::new(it.to_owned()));
            assert_eq!(left.matches(&right), expected);
            assert_eq!(left.digest() == right.digest(), expected);
        }
    }

    #[test]
    fn hex_writes_every_byte() {
        let mut random = [0; 32];
        random[0] = 0xe6;
        random[31] = 0x3d;
        assert_eq!(hex(random).expose(), format!("e6{}3d", "00".repeat(30)));
    }
}
