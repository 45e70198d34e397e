//! Names for secrets, and where the simulator's own secrets come from.

use std::fmt;
use std::io::Write as _;

use sha2::{Digest as _, Sha256};
use sr_auth_core::{Secret, SecretDigest};

/// A short name for a secret that may be shown: the first 32 bits of its SHA-256 digest.
///
/// The secrets of the simulator are long and random, so the name gives nothing away.
#[derive(Clone, Copy, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Fingerprint([u8; 4]);

impl Fingerprint {
    /// Names a secret.
    #[must_use]
    pub fn of(secret: &Secret) -> Self {
        Self::of_digest(&secret.digest())
    }

    pub(crate) fn of_digest(digest: &SecretDigest) -> Self {
        let [a, b, c, d, ..] = *digest.as_bytes();
        Self([a, b, c, d])
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The key under which a secret is found again: its digest, so that no table holds it in clear.
pub(crate) type Lookup = [u8; 32];

/// The digest of [`Secret::digest`], of a text that is looked at where it stands.
pub(crate) fn lookup(text: &str) -> Lookup {
    Sha256::digest(text.as_bytes()).into()
}

/// Draws secrets from a seed: the same seed gives the same secrets in the same order.
///
/// One draw does not tell the next, since each is a digest of the seed and a count.
#[derive(Clone)]
pub(crate) struct Generator {
    drawn: u64,
    seed: u64,
}

impl fmt::Debug for Generator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Generator({} drawn)", self.drawn)
    }
}

impl Generator {
    pub(crate) const fn new(seed: u64) -> Self {
        Self { drawn: 0, seed }
    }

    /// Draws lower-case hexadecimal digits, at most 64.
    pub(crate) fn hex(&mut self, digits: usize) -> String {
        const DIGITS: [char; 16] =
            ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'];
        let digit = |nibble: u8| DIGITS.get(usize::from(nibble)).copied().unwrap_or_default();
        self.drawn = self.drawn.saturating_add(1);
        let mut text = [0; 64];
        let mut rest = text.as_mut_slice();
        write!(rest, "sr-testkit {:016x} {}", self.seed, self.drawn).expect("it is shorter");
        let unused = rest.len();
        let (text, _) = text.split_at(text.len() - unused);
        let digest = Sha256::digest(text);
        let digits = digest.iter().flat_map(|byte| [byte >> 4, byte & 15]).take(digits);
        digits.map(digit).collect()
    }

    /// Draws a UUID of version 4.
    pub(crate) fn uuid(&mut self) -> String {
        let hex = self.hex(30);
        let part = |from: usize, to: usize| hex.get(from..to).unwrap_or_default();
        format!(
            "{}-{}-4{}-a{}-{}",
            part(0, 8),
            part(8, 12),
            part(12, 15),
            part(15, 18),
            part(18, 30)
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_looked_up_under_the_digest_of_its_secret() {
        let secret = Secret::new("DCRA1-0123".to_owned());
        assert_eq!(lookup("DCRA1-0123"), *secret.digest().as_bytes());
    }

    #[test]
    fn a_seed_gives_the_same_secrets_and_no_secret_twice() {
        let mut first = Generator::new(7);
        let mut second = Generator::new(7);
        let drawn: Vec<String> = (0..4).map(|_| first.hex(32)).collect();
        assert_eq!(drawn, (0..4).map(|_| second.hex(32)).collect::<Vec<_>>());
        assert!(drawn.iter().enumerate().all(|(at, it)| !drawn[..at].contains(it)));
        assert_ne!(drawn[0], Generator::new(8).hex(32));
        assert_eq!(first.uuid().len(), 36);
    }
}
