//! `WWW-Authenticate` (RFC 9110 §11.6.1, RFC 6750 §3).
//!
//! Tolerances: several challenges in one field or in several, quoted pairs, empty list elements,
//! any letter case. A field that cannot be read to its end yields what was read before.

use http::HeaderMap;
use http::header::WWW_AUTHENTICATE;

use crate::{ScopeSet, ServerText};

/// The bearer challenge of a refused request (RFC 6750 §3).
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct BearerChallenge {
    /// Why the token was refused; `None` when no token was sent.
    pub error: Option<BearerError>,
    /// The server's own words. Text from the server.
    pub description: Option<ServerText>,
    /// The scopes of which one is needed.
    pub scope: Option<ScopeSet>,
}

/// Why a bearer token was refused (RFC 6750 §3.1).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum BearerError {
    /// The token lacks a scope: a new token will not help.
    InsufficientScope,
    /// The request itself is malformed.
    InvalidRequest,
    /// The token is unknown, expired or revoked: a new one may help.
    InvalidToken,
    /// An error that RFC 6750 does not know.
    Unregistered,
}

impl BearerChallenge {
    /// The most fields and parameters that are read; what comes after them is ignored.
    pub const LIMIT: usize = 32;

    /// Reads the first bearer challenge.
    ///
    /// A parameter that is repeated within the challenge counts the first time only.
    #[must_use]
    pub fn read(headers: &HeaderMap) -> Option<Self> {
        headers.get_all(WWW_AUTHENTICATE).iter().take(Self::LIMIT).find_map(|field| {
            // Bytes beyond ASCII are allowed inside quoted texts, and mean nothing to us.
            Self::parse(&String::from_utf8_lossy(field.as_bytes()))
        })
    }

    fn parse(field: &str) -> Option<Self> {
        let mut challenge: Option<Self> = None;
        for element in Elements(field).take(Self::LIMIT) {
            match element {
                Element::Scheme(scheme) if challenge.is_none() => {
                    challenge = scheme.eq_ignore_ascii_case("bearer").then(Self::default);
                }
                Element::Scheme(_) => break,
                Element::Parameter(name, value) => {
                    if let Some(challenge) = &mut challenge {
                        challenge.set(name, &value);
                    }
                }
            }
        }
        challenge
    }

    fn set(&mut self, name: &str, value: &str) {
        if name.eq_ignore_ascii_case("error") && self.error.is_none() {
            self.error = Some(match value {
                "insufficient_scope" => BearerError::InsufficientScope,
                "invalid_request" => BearerError::InvalidRequest,
                "invalid_token" => BearerError::InvalidToken,
                _ => BearerError::Unregistered,
            });
        } else if name.eq_ignore_ascii_case("error_description") && self.description.is_none() {
            self.description = Some(ServerText::sanitize(value));
        } else if name.eq_ignore_ascii_case("scope") && self.scope.is_none() {
            self.scope = ScopeSet::parse(value).ok();
        }
    }
}

/// A part of the field: a scheme begins a challenge, parameters belong to it.
enum Element<'a> {
    Parameter(&'a str, String),
    Scheme(&'a str),
}

/// Walks through a field; ends at the first thing that is no element.
struct Elements<'a>(&'a str);

impl<'a> Iterator for Elements<'a> {
    type Item = Element<'a>;

    fn next(&mut self) -> Option<Element<'a>> {
        let rest = self.0.trim_start_matches([' ', '\t', ',']);
        let end = rest.find(|it: char| !is_token(it)).unwrap_or(rest.len());
        let (name, after) = rest.split_at_checked(end).filter(|(name, _)| !name.is_empty())?;
        let blank = after.trim_start_matches([' ', '\t']);
        let Some(value) = blank.strip_prefix('=') else {
            self.0 = without_token68(blank);
            return Some(Element::Scheme(name));
        };
        let (value, rest) = read_value(value.trim_start_matches([' ', '\t']))?;
        self.0 = rest;
        Some(Element::Parameter(name, value))
    }
}

/// Reads a token or a quoted text, and returns what follows it.
fn read_value(text: &str) -> Option<(String, &str)> {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find(|it: char| !is_token(it));
        let (value, rest) = text.split_at_checked(end.unwrap_or(text.len()))?;
        return Some((value.to_owned(), rest));
    };
    let mut value = String::new();
    let mut characters = quoted.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return Some((value, quoted.get(at + 1..)?)),
            '\\' => value.push(characters.next()?.1),
            other => value.push(other),
        }
    }
    None
}

/// Passes over the `token68` of a scheme that has no parameters (RFC 9110 §11.2), such as Negotiate.
fn without_token68(text: &str) -> &str {
    let is_in_it = |it: char| it.is_ascii_alphanumeric() || "-._~+/".contains(it);
    let rest = text.trim_start_matches(is_in_it).trim_start_matches('=');
    let ends = rest.trim_start_matches([' ', '\t']);
    if ends.is_empty() || ends.starts_with(',') { rest } else { text }
}

/// RFC 9110 §5.6.2.
const fn is_token(character: char) -> bool {
    matches!(character, '!' | '#'..='\'' | '*' | '+' | '-' | '.' | '^'..='`' | '|' | '~')
        || character.is_ascii_alphanumeric()
}
