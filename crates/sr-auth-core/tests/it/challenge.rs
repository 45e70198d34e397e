//! `WWW-Authenticate`, as servers and proxies write it.

use http::{HeaderMap, HeaderValue};
use sr_auth_core::wire::challenge::BearerChallenge;
use sr_auth_core::wire::rate_limit::RateLimit;

/// Writes a challenge as one line: error, scope, description.
fn told(fields: &[&[u8]]) -> Option<String> {
    let mut headers = HeaderMap::new();
    for field in fields {
        headers.append("www-authenticate", HeaderValue::from_bytes(field).expect("a header value"));
    }
    BearerChallenge::read(&headers).map(|it| {
        let scope = it.scope.map_or_else(|| "-".to_owned(), |it| it.to_string());
        let description = it.description.as_ref().map_or("-", |it| it.as_str());
        format!("{:?} | {scope} | {description}", it.error)
    })
}

#[test]
fn c24_challenges_are_read_safely() {
    let cases: [(&str, &[&[u8]], Option<&str>); 16] = [
        ("bare", &[b"Bearer"], Some("None | - | -")),
        (
            "the service's own, scope first",
            &[br#"Bearer scope="jobs_read jobs_manage", error="insufficient_scope", error_description="Insufficient scope for this resource""#],
            Some("Some(InsufficientScope) | jobs_manage jobs_read | Insufficient scope for this resource"),
        ),
        ("a token as value", &[b"bearer error=invalid_token"], Some("Some(InvalidToken) | - | -")),
        (
            "another challenge before it, in one field",
            &[br#"Basic realm="a, Bearer error=x", Bearer error="invalid_token""#],
            Some("Some(InvalidToken) | - | -"),
        ),
        (
            "another challenge after it",
            &[br#"Bearer error="invalid_token", Basic realm="x", error="insufficient_scope""#],
            Some("Some(InvalidToken) | - | -"),
        ),
        (
            "after a token68 with a slash",
            &[br#"Negotiate YII/abc==, Bearer error="invalid_token""#],
            Some("Some(InvalidToken) | - | -"),
        ),
        ("a token68 that is called Bearer", &[b"Negotiate Bearer, x=y"], None),
        ("in the second field", &[b"Negotiate abc=", b"Bearer"], Some("None | - | -")),
        (
            "a quoted pair",
            &[br#"Bearer error_description="say \"hi\"", error="invalid_request""#],
            Some("Some(InvalidRequest) | - | say ?hi?"),
        ),
        (
            "repeated: the first counts",
            &[br#"Bearer error="invalid_token", error="insufficient_scope""#],
            Some("Some(InvalidToken) | - | -"),
        ),
        ("empty list elements", &[b"Bearer , , error=invalid_token,,"], Some("Some(InvalidToken) | - | -")),
        ("no closing quote", &[br#"Bearer error="invalid_token"#], Some("None | - | -")),
        ("unknown error", &[br#"Bearer error="nope""#], Some("Some(Unregistered) | - | -")),
        (
            "bytes beyond ASCII",
            &[b"Bearer error_description=\"n\xe9\", error=invalid_token"],
            Some("Some(InvalidToken) | - | n?"),
        ),
        ("another scheme", &[b"Basic realm=x"], None),
        ("nothing", &[], None),
    ];
    for (name, fields, expected) in cases {
        assert_eq!(told(fields).as_deref(), expected, "{name}");
    }
}

#[test]
fn rate_limit_headers_are_read_where_they_are_numbers() {
    let mut headers = HeaderMap::new();
    headers.insert("X-RateLimit-Limit", HeaderValue::from_static("10"));
    headers.insert("X-RateLimit-Remaining", HeaderValue::from_static(" 9"));
    headers.insert("X-RateLimit-Concurrent-Limit", HeaderValue::from_static("many"));
    let limit = RateLimit::read(&headers);
    assert_eq!((limit.limit, limit.remaining), (Some(10), Some(9)));
    assert_eq!((limit.concurrent_limit, limit.concurrent_remaining), (None, None));
}

proptest::proptest! {
    /// Any bytes are read to an end, with at most the allowed number of elements.
    #[test]
    fn c24_any_field_is_read_without_panic(field in proptest::collection::vec(32_u8..=255, 0..200)) {
        if field.iter().all(|byte| *byte != 127) {
            told(&[&field]);
            told(&[&[b"Bearer ", field.as_slice()].concat()]);
        }
    }
}
