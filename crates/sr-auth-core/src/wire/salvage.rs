//! Finds a refresh token in an answer that cannot be read.
//!
//! A truncated or garbled success has still used up the refresh token that was sent. The new one
//! may stand in the part that arrived, and is then worth more than the rest.

use crate::Secret;

/// Returns the value of the first member `"refresh_token"` whose end arrived.
pub(super) fn refresh_token(body: &[u8]) -> Option<Secret> {
    const NAME: &[u8] = b"\"refresh_token\"";
    let names = body.windows(NAME.len()).enumerate().filter(|(_, window)| *window == NAME);
    // The name may also stand as a value, so each place is looked at.
    names.filter_map(|(at, _)| value(body.get(at + NAME.len()..)?)).next()
}

/// The rest is cut and cannot be parsed as a whole; its first value can.
fn value(rest: &[u8]) -> Option<Secret> {
    let rest = skip_blank(skip_blank(rest).strip_prefix(b":")?);
    let mut values = serde_json::Deserializer::from_slice(rest).into_iter::<String>();
    let token = values.next()?.ok()?;
    (!token.is_empty()).then(|| Secret::new(token))
}

fn skip_blank(bytes: &[u8]) -> &[u8] {
    bytes.trim_ascii_start()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refresh_token_is_found_only_when_all_of_it_arrived() {
        let cases = [
            ("cut after it", r#"{"access_token":"a","refresh_token":"r1","exp"#, Some("r1")),
            ("cut inside it", r#"{"access_token":"a","refresh_token":"r"#, None),
            ("blanks and escapes", r#"{"refresh_token" : "r\u0031"}x"#, Some("r1")),
            ("not a text", r#"{"refresh_token":17}"#, None),
            ("empty", r#"{"refresh_token":""}"#, None),
            (
                "its name as a value before it",
                r#"{"issued_token_type":"refresh_token","refresh_token":"r1","acc"#,
                Some("r1"),
            ),
            ("absent", "<html>502</html>", None),
            ("nothing", "", None),
        ];
        for (name, body, expected) in cases {
            let found = refresh_token(body.as_bytes());
            assert_eq!(found.as_ref().map(Secret::expose), expected, "{name}");
        }
    }
}
