//! Names and values of queries and forms, read strictly.

use std::borrow::Cow;
use std::collections::BTreeSet;

/// Decoded names and values, in the order of arrival; what has no escapes is not copied.
#[derive(Debug)]
pub(super) struct Form<'a>(Vec<(Cow<'a, str>, Cow<'a, str>)>);

impl<'a> Form<'a> {
    /// How many pairs a form may have: no request of OAuth comes near, and each lookup is a walk.
    const PAIRS: usize = 256;

    /// Reads `application/x-www-form-urlencoded`; `None` for more pairs than anybody needs and for
    /// what such an encoder never writes: broken percent escapes, control characters, bytes outside
    /// of ASCII, text that is not UTF-8.
    pub(super) fn read(bytes: &'a [u8]) -> Option<Self> {
        let pairs = bytes.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty());
        if pairs.clone().nth(Self::PAIRS).is_some() {
            return None;
        }
        let read = |pair: &'a [u8]| {
            let mut halves = pair.splitn(2, |byte| *byte == b'=');
            let name = decode(halves.next().unwrap_or_default())?;
            Some((name, decode(halves.next().unwrap_or_default())?))
        };
        pairs.map(read).collect::<Option<Vec<_>>>().map(Self)
    }

    /// Takes the members of a JSON object with text values.
    pub(super) fn from_json(bytes: &[u8]) -> Option<Self> {
        let object: serde_json::Map<String, serde_json::Value> =
            serde_json::from_slice(bytes).ok()?;
        if object.len() > Self::PAIRS {
            return None;
        }
        let pairs = object.into_iter().map(|(name, value)| match value {
            serde_json::Value::String(value) => Some((Cow::Owned(name), Cow::Owned(value))),
            serde_json::Value::Array(_)
            | serde_json::Value::Bool(_)
            | serde_json::Value::Null
            | serde_json::Value::Number(_)
            | serde_json::Value::Object(_) => None,
        });
        pairs.collect::<Option<Vec<_>>>().map(Self)
    }

    /// Returns the first name that comes twice.
    pub(super) fn repeated(&self) -> Option<&str> {
        let mut seen = BTreeSet::new();
        self.0.iter().map(|(name, _)| name.as_ref()).find(|name| !seen.insert(*name))
    }

    /// Returns the value of a name, present though it may be empty.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(it, _)| it == name).map(|(_, value)| value.as_ref())
    }

    /// Returns the values of a name that may come several times, in their order.
    pub(super) fn all<'s>(&'s self, name: &'s str) -> impl Iterator<Item = &'s str> {
        self.0.iter().filter(move |(it, _)| it == name).map(|(_, value)| value.as_ref())
    }

    /// Returns the value of a name; an empty one counts as left out (RFC 6749 §3.2).
    pub(super) fn filled(&self, name: &str) -> Option<&str> {
        self.get(name).filter(|value| !value.is_empty())
    }
}

/// Decodes percent escapes, and `+` as a space.
pub(super) fn decode(text: &[u8]) -> Option<Cow<'_, str>> {
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

/// Decodes percent escapes as far as there are any: what is none stays as it is.
pub(super) fn decode_leniently(text: &str) -> String {
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        let escaped = match rest {
            [b'%', high, low, after @ ..] => digit(*high).zip(digit(*low)).map(|it| (it, after)),
            _ => None,
        };
        let (byte, after) = match escaped {
            Some(((high, low), after)) => ((high << 4) | low, after),
            None => (*first, after),
        };
        decoded.push(byte);
        rest = after;
    }
    String::from_utf8_lossy(&decoded).into_owned()
}

fn digit(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

/// Writes a text so that it can stand in a query: everything but unreserved characters (RFC 3986
/// §2.3) is escaped, a space as `%20`.
pub(super) fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_are_read_strictly() {
        let cases = [
            ("plain", "a=1&b=2", Some(vec![("a", "1"), ("b", "2")])),
            ("escaped", "a=x%20y%2B&b=x+y", Some(vec![("a", "x y+"), ("b", "x y")])),
            ("without a value", "a&b=", Some(vec![("a", ""), ("b", "")])),
            ("with an equals sign in the value", "a=b=c", Some(vec![("a", "b=c")])),
            ("a broken escape", "a=%2", None),
            ("an escape that is not hexadecimal", "a=%zz", None),
            ("bytes outside of ASCII", "a=ü", None),
            ("escapes that are not UTF-8", "a=%ff", None),
            ("a line break", "a=1\nb=2", None),
        ];
        for (name, text, expected) in cases {
            let form = Form::read(text.as_bytes()).map(|form| form.0);
            let expected = expected.map(|pairs| {
                pairs
                    .into_iter()
                    .map(|(name, value)| (name.into(), value.into()))
                    .collect::<Vec<_>>()
            });
            assert_eq!(form, expected, "{name}");
        }
    }

    #[test]
    fn a_form_has_a_bounded_number_of_pairs() {
        let pairs = |count: usize| (0..count).map(|at| format!("p{at}=x")).collect::<Vec<_>>();
        let object = |count: usize| {
            let members = (0..count).map(|at| format!("\"p{at}\":\"x\""));
            format!("{{{}}}", members.collect::<Vec<_>>().join(","))
        };
        for (count, read) in [(Form::PAIRS, true), (Form::PAIRS + 1, false)] {
            let text = pairs(count).join("&");
            let form = Form::read(text.as_bytes());
            assert_eq!(form.as_ref().is_some(), read, "{count}");
            assert_eq!(form.and_then(|form| form.repeated().map(str::to_owned)), None);
            assert_eq!(Form::from_json(object(count).as_bytes()).is_some(), read, "{count}");
        }
        let twice = Form::read(b"a=1&b=2&c=3&b=4&a=5").unwrap();
        assert_eq!(twice.repeated(), Some("b"), "the first that comes again");
    }

    #[test]
    fn lenient_decoding_takes_every_escape_that_there_is() {
        let cases = [
            ("a%2Db", "a-b"),
            ("a%2db%2", "a-b%2"),
            ("%zz%41%", "%zzA%"),
            ("%%41", "%A"),
            ("a+b%252D", "a+b%2D"),
            ("%ff", "\u{fffd}"),
            ("ü", "ü"),
        ];
        for (text, expected) in cases {
            assert_eq!(decode_leniently(text), expected);
        }
    }

    #[test]
    fn what_is_encoded_is_decoded_again() {
        let text = "a b+c&d=e/ü%";
        assert_eq!(decode(encode(text).as_bytes()).as_deref(), Some(text));
        assert_eq!(encode("a b~"), "a%20b~");
    }
}
