//! One sealed value.

use std::fmt;

use sr_auth_core::store::Generation;

use super::key::KeyId;

/// The form of sealed values that this version writes.
const FORMAT: u8 = 1;

/// A token as a backend keeps it: bytes that only a holder of the key can read.
///
/// ```text
///  0        1       9        10           18      42
///  format   key id  origin   generation   nonce   ciphertext and tag
/// ```
///
/// All of it is authenticated, together with the grant, the field and the fingerprint that it
/// belongs to. Equality is that of the bytes: the same token sealed twice is not the same.
#[derive(Clone, Eq, PartialEq)]
pub struct Sealed(Box<[u8]>);

impl Sealed {
    /// Takes over stored bytes. What is wrong with them shows when they are opened.
    #[must_use]
    pub fn from_bytes(bytes: impl Into<Box<[u8]>>) -> Self {
        Self(bytes.into())
    }

    /// Returns the bytes, for storing them.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Returns the name of the key under which it is sealed; `None` if it is damaged.
    #[must_use]
    pub fn key_id(&self) -> Option<KeyId> {
        self.parts().map(|it| it.header.key)
    }

    pub(super) fn join(header: Header, nonce: &[u8; 24], ciphertext: &[u8]) -> Self {
        Self([&header.to_bytes()[..], nonce, ciphertext].concat().into())
    }

    pub(super) fn parts(&self) -> Option<Parts<'_>> {
        let (header, rest) = self.0.split_first_chunk()?;
        let (nonce, ciphertext) = rest.split_first_chunk()?;
        Some(Parts { ciphertext, header: Header::parse(header)?, nonce })
    }
}

impl fmt::Debug for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sealed({} bytes)", self.0.len())
    }
}

pub(super) struct Parts<'a> {
    pub(super) ciphertext: &'a [u8],
    pub(super) header: Header,
    pub(super) nonce: &'a [u8; 24],
}

/// What can be read without a key.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Header {
    pub(super) key: KeyId,
    pub(super) origin: Origin,
}

impl Header {
    pub(super) const LENGTH: usize = 18;

    pub(super) fn to_bytes(self) -> [u8; Self::LENGTH] {
        let (origin, generation) = match self.origin {
            Origin::Adopted => (1, Generation::default()),
            Origin::Rotated(to) => (2, to),
            Origin::SetAside(from) => (3, from),
            #[cfg(feature = "partner")]
            Origin::Integrated(generation) => (4, generation),
        };
        let [a, b, c, d, e, f, g, h] = *self.key.as_bytes();
        let [i, j, k, l, m, n, o, p] = generation.number().to_be_bytes();
        [FORMAT, a, b, c, d, e, f, g, h, origin, i, j, k, l, m, n, o, p]
    }

    fn parse(bytes: &[u8; Self::LENGTH]) -> Option<Self> {
        let [FORMAT, a, b, c, d, e, f, g, h, origin, i, j, k, l, m, n, o, p] = *bytes else {
            return None;
        };
        let number = u64::from_be_bytes([i, j, k, l, m, n, o, p]);
        let generation = Generation::from_number(number);
        let origin = match (origin, number) {
            (1, 0) => Origin::Adopted,
            (2, _) => Origin::Rotated(generation),
            (3, _) => Origin::SetAside(generation),
            #[cfg(feature = "partner")]
            (4, _) => Origin::Integrated(generation),
            (_, _) => return None,
        };
        Some(Self { key: KeyId::from_bytes([a, b, c, d, e, f, g, h]), origin })
    }
}

/// How a value came into its record: this binds it to a generation.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Origin {
    /// With a new grant, whose generation nobody knows before the store has answered.
    Adopted,
    /// With the exchange of this generation.
    #[cfg(feature = "partner")]
    Integrated(Generation),
    /// With the rotation that led to this generation.
    Rotated(Generation),
    /// As the successor of this generation that was put aside.
    SetAside(Generation),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_is_read_as_it_was_written() {
        let generation = Generation::from_number(0x0102_0304_0506_0708);
        let origins = [Origin::Adopted, Origin::Rotated(generation), Origin::SetAside(generation)];
        for origin in origins {
            let header = Header { key: KeyId::from_bytes([1, 2, 3, 4, 5, 6, 7, 8]), origin };
            assert_eq!(Header::parse(&header.to_bytes()), Some(header), "{origin:?}");
        }
    }

    #[test]
    fn what_is_cut_short_or_of_another_form_is_damaged() {
        let header = Header { key: KeyId::from_bytes([1; 8]), origin: Origin::Adopted };
        let whole = Sealed::join(header, &[2; 24], &[3; 16]);
        assert!(whole.parts().is_some());
        assert_eq!(whole.key_id(), Some(KeyId::from_bytes([1; 8])));
        let other = |at: usize, byte: u8| {
            let mut bytes = whole.as_bytes().to_vec();
            bytes[at] = byte;
            bytes
        };
        let cases = [
            ("nothing", Vec::new()),
            ("half a header", whole.as_bytes()[..9].to_vec()),
            ("half a nonce", whole.as_bytes()[..30].to_vec()),
            ("another format", other(0, 2)),
            ("another origin", other(9, 5)),
            ("a generation where there is none", other(17, 1)),
        ];
        for (name, bytes) in cases {
            assert!(Sealed::from_bytes(bytes).parts().is_none(), "{name}");
        }
    }

    #[test]
    fn debug_shows_the_length_only() {
        assert_eq!(format!("{:?}", Sealed::from_bytes(vec![7; 60])), "Sealed(60 bytes)");
    }
}
