//! JSON members of any type: an odd value is judged by its reader, not by the parser.

use serde::Deserialize;
use serde_json::value::RawValue;

/// Reads a JSON object; `None` for anything else.
///
/// `serde` would also take an array for an object, member by member. The message of its error
/// quotes the value it stumbles over, which may be a token, so it goes no further than here.
pub(super) fn object<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Option<T> {
    const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";
    let body = body.strip_prefix(BYTE_ORDER_MARK).unwrap_or(body).trim_ascii_start();
    if !body.starts_with(b"{") {
        return None;
    }
    serde_json::from_slice(body).ok()
}

/// One member of a JSON object, not yet looked into.
#[derive(Clone, Copy, Deserialize)]
#[serde(transparent)]
pub(super) struct Member<'a>(#[serde(borrow)] &'a RawValue);

impl<'a> Member<'a> {
    /// Returns the text of a string.
    pub(super) fn text(self) -> Option<String> {
        self.plain().map_or_else(|| serde_json::from_str(self.0.get()).ok(), |it| Some(it.into()))
    }

    /// Returns the text of a string in which nothing is escaped, as in nearly all: it is copied when
    /// it was parsed, and needs no parser once more.
    fn plain(self) -> Option<&'a str> {
        let text = self.0.get().strip_prefix('"')?.strip_suffix('"')?;
        let is_escaped = text.bytes().fold(false, |any, byte| any | (byte == b'\\'));
        (!is_escaped).then_some(text)
    }

    /// Returns the text of a string, or a number as it is written.
    pub(super) fn text_or_digits(self) -> Option<String> {
        let raw = self.0.get();
        let is_number = raw.starts_with(|it: char| it == '-' || it.is_ascii_digit());
        if is_number { Some(raw.to_owned()) } else { self.text() }
    }

    /// Returns a number, whether it is written as one or as a string.
    pub(super) fn number(self) -> Option<f64> {
        self.text_or_digits()?.trim().parse().ok()
    }

    /// Returns the texts of an array of strings.
    pub(super) fn texts(self) -> Option<Vec<String>> {
        serde_json::from_str(self.0.get()).ok()
    }

    /// Reads it as something else.
    pub(super) fn read<T: for<'de> Deserialize<'de>>(self) -> Option<T> {
        serde_json::from_str(self.0.get()).ok()
    }
}
