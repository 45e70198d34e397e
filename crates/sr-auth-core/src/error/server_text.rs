//! Text that a server chose: bounded, harmless to show, never shown by itself.

use std::fmt;

/// A short text from the server, such as an `error_description`.
///
/// Only the characters that RFC 6749 §5.2 allows are kept, others become `?`, and what is longer
/// than [`LIMIT`](Self::LIMIT) characters is cut. It is in no `Display` of an error and its `Debug`
/// shows only the length, since a server may repeat a secret in it: show it to the person who
/// configures the client, not in a shared log.
#[derive(Clone, Eq, PartialEq)]
pub struct ServerText(Box<str>);

impl ServerText {
    /// The longest text kept, in characters.
    pub const LIMIT: usize = 200;

    /// Takes a text that somebody else chose: cut, and without any character that could do harm.
    #[must_use]
    pub fn sanitize(text: &str) -> Self {
        Self(
            text.chars()
                .take(Self::LIMIT)
                .map(|it| if is_allowed(it) { it } else { '?' })
                .collect(),
        )
    }

    /// Returns the text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for ServerText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ServerText({} characters)", self.0.len())
    }
}

/// RFC 6749 §5.2: `%x20-21 / %x23-5B / %x5D-7E`.
const fn is_allowed(character: char) -> bool {
    matches!(character, '\x20'..='\x21' | '\x23'..='\x5b' | '\x5d'..='\x7e')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn c25_server_text_keeps_only_the_allowed_characters_and_is_cut() {
        let cases = [
            ("plain", "The user denied access", "The user denied access"),
            ("a terminal escape", "\u{1b}[31mred", "?[31mred"),
            ("quotes, backslash, line break", "a\"b\\c\nd", "a?b?c?d"),
            ("letters beyond ASCII", "né", "n?"),
        ];
        for (name, text, expected) in cases {
            assert_eq!(ServerText::sanitize(text).as_str(), expected, "{name}");
        }
        let long = ServerText::sanitize(&"x".repeat(10_000_000));
        assert_eq!(long.as_str().len(), ServerText::LIMIT);
        assert_eq!(format!("{long:?}"), "ServerText(200 characters)");
    }
}
