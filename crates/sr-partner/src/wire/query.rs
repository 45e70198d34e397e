//! Names and values of queries and forms, read strictly: one decoder for all that strangers send.

use std::borrow::Cow;
use std::collections::BTreeSet;

/// The most pairs that are read: no request of this protocol comes near.
pub(crate) const PAIRS: usize = 32;

/// Why a query or a form cannot be read.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum FormFault {
    /// A broken percent escape, a byte that has to be escaped, or text that is not UTF-8.
    Malformed,
    /// A name comes twice.
    Repeated,
    /// More pairs than anybody needs.
    TooMany,
}

/// Decoded names and values.
#[derive(Debug)]
pub(crate) struct Form<'a>(Vec<(Cow<'a, str>, Cow<'a, str>)>);

impl<'a> Form<'a> {
    /// Reads `application/x-www-form-urlencoded`; a name that comes twice is refused, whichever it
    /// is (RFC 6749 §3.2).
    pub(crate) fn read(bytes: &'a [u8]) -> Result<Self, FormFault> {
        let pairs = bytes.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty());
        if pairs.clone().nth(PAIRS).is_some() {
            return Err(FormFault::TooMany);
        }
        let read = |pair: &'a [u8]| {
            let mut halves = pair.splitn(2, |byte| *byte == b'=');
            let name = decode(halves.next().unwrap_or_default())?;
            Some((name, decode(halves.next().unwrap_or_default())?))
        };
        let pairs: Option<Vec<_>> = pairs.map(read).collect();
        let pairs = pairs.ok_or(FormFault::Malformed)?;
        let mut seen = BTreeSet::new();
        if pairs.iter().any(|(name, _)| !seen.insert(name.as_ref())) {
            return Err(FormFault::Repeated);
        }
        Ok(Self(pairs))
    }

    /// Returns the value of a name; an empty one counts as left out.
    pub(crate) fn filled(&self, name: &str) -> Option<&str> {
        let value = self.0.iter().find(|(it, _)| it == name).map(|(_, value)| value.as_ref());
        value.filter(|value| !value.is_empty())
    }
}

/// Decodes percent escapes, and `+` as a space; what is neither escaped nor visible ASCII is no form.
pub(crate) fn decode(text: &[u8]) -> Option<Cow<'_, str>> {
    if text.iter().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'%' | b'+')) {
        return std::str::from_utf8(text).ok().map(Cow::Borrowed);
    }
    let mut decoded = Vec::with_capacity(text.len());
    let mut bytes = text.iter();
    while let Some(byte) = bytes.next() {
        decoded.push(match byte {
            b'%' => (digit(*bytes.next()?)? << 4) | digit(*bytes.next()?)?,
            b'+' => b' ',
            byte if byte.is_ascii_graphic() => *byte,
            _ => return None,
        });
    }
    String::from_utf8(decoded).ok().map(Cow::Owned)
}

fn digit(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}
