//! Recognisable secrets, and a search for them in whatever came out.

use std::fmt;

use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use sr_auth_core::Secret;

/// A secret that is looked for afterwards, in any of the spellings in which secrets leak.
///
/// # Examples
///
/// ```
/// use sr_testkit::Canary;
///
/// let canary = Canary::new("client secret", 7);
/// let log = format!("sent {:?}", canary.secret());
/// assert!(canary.find(log.as_bytes()).is_empty());
/// let careless = format!("sent {}", canary.secret().expose());
/// assert!(!canary.find(careless.as_bytes()).is_empty());
/// ```
#[derive(Clone)]
pub struct Canary {
    name: &'static str,
    secret: Secret,
}

/// One place where a canary was found.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Sighting {
    /// The spelling.
    pub encoding: Encoding,
    /// The name of the canary.
    pub name: &'static str,
    /// The first byte of it in what was searched.
    pub offset: usize,
}

/// How a secret may be spelled where it should not be.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Encoding {
    /// Base64 with either alphabet, wherever the secret lies in the encoded text.
    Base64,
    /// Hexadecimal digits, in either case.
    Hex,
    /// With the escapes of JSON.
    Json,
    /// Twelve or more characters of it.
    Part,
    /// Percent-encoded, each byte or only the reserved ones.
    Percent,
    /// As it is.
    Raw,
    /// Backwards.
    Reversed,
}

/// The number of neighbouring bytes that count as a part of a secret.
const PART: usize = 12;

impl Canary {
    /// Makes a canary; those of different seeds or names have nothing in common.
    ///
    /// It holds characters that every encoding changes, and is fit for a client secret, a token or
    /// a key: printable, without blanks.
    #[must_use]
    pub fn new(name: &'static str, seed: u64) -> Self {
        let drawn = Secret::new(format!("canary {name} {seed}")).digest();
        let text: String = drawn.as_bytes().iter().take(16).map(|it| format!("{it:02x}")).collect();
        Self { name, secret: Secret::new(format!("Kanarie+/{text}\"&=%~")) }
    }

    /// Watches for a secret that came from elsewhere, of at least 12 bytes.
    #[must_use]
    pub const fn of(name: &'static str, secret: Secret) -> Self {
        Self { name, secret }
    }

    /// Returns the secret.
    #[must_use]
    pub const fn secret(&self) -> &Secret {
        &self.secret
    }

    /// Looks for the secret in bytes, in all spellings, and says where each was found first.
    #[must_use]
    pub fn find(&self, haystack: &[u8]) -> Vec<Sighting> {
        let spellings = self.spellings();
        let mut found = vec![None; spellings.len()];
        // One pass over what may be a whole disk: by the byte with which a spelling begins.
        let begins_with = |byte: u8| {
            let all = spellings.iter().enumerate();
            let some = all.filter(move |(_, (encoding, needle))| {
                needle.first().is_some_and(|it| same(&[*it], &[byte], ignores_case(*encoding)))
            });
            some.map(|(index, _)| index).collect::<Vec<_>>()
        };
        let by_first: Vec<Vec<usize>> = (0..=u8::MAX).map(begins_with).collect();
        for (offset, byte) in haystack.iter().enumerate() {
            for index in by_first.get(usize::from(*byte)).into_iter().flatten() {
                let (Some((encoding, needle)), Some(found)) =
                    (spellings.get(*index), found.get_mut(*index))
                else {
                    continue;
                };
                let here = haystack.get(offset..offset + needle.len());
                if here.is_some_and(|here| same(here, needle, ignores_case(*encoding))) {
                    found.get_or_insert(offset);
                }
            }
        }
        let sighted = spellings.iter().zip(found).filter_map(|((encoding, _), offset)| {
            Some(Sighting { encoding: *encoding, name: self.name, offset: offset? })
        });
        sighted.collect()
    }

    fn spellings(&self) -> Vec<(Encoding, Vec<u8>)> {
        let secret = self.secret.expose().as_bytes();
        let mut spellings = vec![
            (Encoding::Raw, secret.to_vec()),
            (Encoding::Hex, hex(secret)),
            (Encoding::Json, json(self.secret.expose())),
            (Encoding::Reversed, secret.iter().rev().copied().collect()),
            (Encoding::Percent, percent(secret, |_| true)),
            (Encoding::Percent, percent(secret, |byte| !is_unreserved(byte))),
        ];
        for lead in 0..3 {
            spellings.push((Encoding::Base64, base64(&STANDARD_NO_PAD, secret, lead)));
            spellings.push((Encoding::Base64, base64(&URL_SAFE_NO_PAD, secret, lead)));
        }
        spellings.extend(secret.windows(PART).map(|part| (Encoding::Part, part.to_vec())));
        spellings
    }
}

impl fmt::Debug for Canary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Canary({})", self.name)
    }
}

const fn ignores_case(encoding: Encoding) -> bool {
    matches!(encoding, Encoding::Hex | Encoding::Percent)
}

fn same(left: &[u8], right: &[u8], ignore_case: bool) -> bool {
    if ignore_case { left.eq_ignore_ascii_case(right) } else { left == right }
}

fn hex(bytes: &[u8]) -> Vec<u8> {
    bytes.iter().flat_map(|byte| format!("{byte:02x}").into_bytes()).collect()
}

/// What stands between the quotes of a JSON text.
fn json(text: &str) -> Vec<u8> {
    let quoted = serde_json::Value::from(text).to_string();
    quoted.trim_start_matches('"').strip_suffix('"').unwrap_or_default().as_bytes().to_vec()
}

const fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

fn percent(bytes: &[u8], escape: impl Fn(u8) -> bool) -> Vec<u8> {
    let escaped = bytes.iter().flat_map(|byte| match escape(*byte) {
        true => format!("%{byte:02X}").into_bytes(),
        false => vec![*byte],
    });
    escaped.collect()
}

/// The digits that only the secret decides when `lead` bytes stand before it: those that share
/// bits with a neighbour are left out.
fn base64(engine: &impl base64::Engine, secret: &[u8], lead: usize) -> Vec<u8> {
    let mut padded = vec![0; lead];
    padded.extend_from_slice(secret);
    let digits = engine.encode(&padded);
    let own = digits.len() - usize::from(!padded.len().is_multiple_of(3));
    digits.as_bytes().get((lead * 8).div_ceil(6)..own).unwrap_or_default().to_vec()
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;

    use super::*;

    fn text(canary: &Canary) -> String {
        canary.secret().expose().to_owned()
    }

    #[track_caller]
    fn check(canary: &Canary, haystack: &str, expected: Encoding) {
        let found = canary.find(haystack.as_bytes());
        assert!(found.iter().any(|it| it.encoding == expected), "{expected:?} in {haystack}");
    }

    #[test]
    fn every_spelling_is_found() {
        let canary = Canary::new("token", 7);
        let secret = text(&canary);
        check(&canary, &format!("before {secret} after"), Encoding::Raw);
        let reversed: String = secret.chars().rev().collect();
        check(&canary, &reversed, Encoding::Reversed);
        let quoted = serde_json::to_string(&format!("{{\"token\": \"{secret}\"}}")).unwrap();
        check(&canary, &serde_json::to_string(&secret).unwrap(), Encoding::Json);
        assert!(!canary.find(quoted.as_bytes()).is_empty(), "escaped twice");
        let hex: String = secret.bytes().map(|byte| format!("{byte:02x}")).collect();
        check(&canary, &hex, Encoding::Hex);
        check(&canary, &hex.to_uppercase(), Encoding::Hex);
        let form: String = url::form_urlencoded::byte_serialize(secret.as_bytes()).collect();
        assert!(!canary.find(form.as_bytes()).is_empty(), "{form}");
        let every: String = secret.bytes().map(|byte| format!("%{byte:02x}")).collect();
        check(&canary, &every, Encoding::Percent);
    }

    #[test]
    fn base64_is_found_wherever_the_secret_lies() {
        let canary = Canary::new("token", 7);
        for (before, after) in
            [("", ""), ("a", "b"), ("id:", ""), ("user:", ":x"), ("1234567", "z")]
        {
            let whole = format!("{before}{}{after}", text(&canary));
            check(&canary, &STANDARD_NO_PAD.encode(&whole), Encoding::Base64);
            check(&canary, &URL_SAFE_NO_PAD.encode(&whole), Encoding::Base64);
        }
    }

    #[test]
    fn any_twelve_characters_are_found_and_eleven_are_not() {
        let canary = Canary::new("token", 7);
        let secret = text(&canary);
        for start in 0..=secret.len() - PART {
            check(&canary, &format!("…{}…", &secret[start..start + PART]), Encoding::Part);
            assert!(canary.find(&secret.as_bytes()[start..start + PART - 1]).is_empty());
        }
    }

    #[test]
    fn nothing_is_found_where_nothing_is() {
        let canary = Canary::new("token", 7);
        for other in [Canary::new("token", 8), Canary::new("code", 7)] {
            assert!(canary.find(&[]).is_empty());
            assert!(canary.find(format!("{:?}", canary.secret()).as_bytes()).is_empty());
            let whole = canary.find(text(&other).as_bytes());
            assert!(whole.is_empty(), "{whole:?}");
        }
    }
}
