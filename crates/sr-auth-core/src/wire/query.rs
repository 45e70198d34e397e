//! Query strings of callbacks: decoded once, repeated names noticed.

use std::borrow::Cow;

/// The value of one parameter.
#[derive(Debug, Eq, PartialEq)]
pub(super) enum Parameter<'a> {
    /// Not there, or empty, which RFC 6749 §3.1 treats alike.
    Absent,
    /// There once.
    Once(Cow<'a, str>),
    /// There more than once, which RFC 6749 §3.1 forbids.
    Repeated,
}

/// Looks a parameter up in a query string.
///
/// The service's own sample has raw blanks in `error_description`; they decode as themselves.
pub(super) fn parameter<'a>(query: &'a str, name: &str) -> Parameter<'a> {
    let mut values = url::form_urlencoded::parse(query.as_bytes())
        .filter_map(|(key, value)| (key == name).then_some(value));
    match (values.next(), values.next()) {
        (None, _) => Parameter::Absent,
        (Some(_), Some(_)) => Parameter::Repeated,
        (Some(value), None) if value.is_empty() => Parameter::Absent,
        (Some(value), None) => Parameter::Once(value),
    }
}
