//! Every answer that the token endpoint is known, or has to be feared, to give.

use std::time::Duration;

use sr_auth_core::wire::token_answer::{BODY_LIMIT, TokenAnswer, classify};
use sr_auth_core::{GrantedScope, ScopeSet};

use crate::fixture::{answer, at};

/// Writes a classification as one line; tokens by name only, so that a failure is readable.
fn told(status: u16, body: &str) -> String {
    match classify(&answer(status, body), at(100), at(101)) {
        TokenAnswer::Granted(it) => {
            let refresh =
                it.refresh.map_or_else(|| "none".to_owned(), |it| it.secret().expose().to_owned());
            let token = it.access.secret().expose();
            format!("granted {token} until {:?}, refresh {refresh}", it.access.expires_at())
        }
        TokenAnswer::ClientRefused(it) => format!("client refused: {}", it.code()),
        TokenAnswer::GrantRefused(it) => format!("grant refused: {}", it.code()),
        TokenAnswer::RequestRefused(it) => format!("request refused: {}", it.code()),
        TokenAnswer::Unrecognised(it) => format!("unrecognised: {}", it.status()),
        TokenAnswer::ServerFault { retry_after } => format!("server fault, {retry_after:?}"),
        TokenAnswer::Throttled { retry_after } => format!("throttled, {retry_after:?}"),
        TokenAnswer::Unusable { rule, salvaged } => {
            let kept =
                salvaged.map_or_else(|| "nothing".to_owned(), |it| it.secret().expose().to_owned());
            format!("unusable: {rule}; kept {kept}")
        }
    }
}

#[track_caller]
fn check(cases: &[(&str, u16, &str, &str)]) {
    for (name, status, body, expected) in cases {
        assert_eq!(&told(*status, body), expected, "{name}: {status} {body}");
    }
}

#[test]
fn documented_answers_are_read() {
    check(&[
        (
            "client credentials",
            200,
            r#"{"access_token":"DCRD10-e7c5","token_type":"bearer","expires_in":1799}"#,
            "granted DCRD10-e7c5 until 1899.000s, refresh none",
        ),
        (
            "authorization code",
            200,
            r#"{"token_type":"bearer","access_token":"e7c5","expires_in":1799,"refresh_token":"b259"}"#,
            "granted e7c5 until 1899.000s, refresh b259",
        ),
        (
            "refresh, which has no token_type",
            200,
            r#"{"access_token":"e7c5","expires_in":1799,"refresh_token":"0260"}"#,
            "granted e7c5 until 1899.000s, refresh 0260",
        ),
    ]);
}

#[test]
fn c18_only_bearer_tokens_are_used_in_any_letter_case_or_without_a_type() {
    let of = |token_type: &str| {
        told(200, &format!(r#"{{"access_token":"t","expires_in":10,"token_type":{token_type}}}"#))
    };
    let bearer = "granted t until 110.000s, refresh none";
    let refused = "unusable: the token is not a bearer token; kept nothing";
    assert_eq!(of(r#""bearer""#), bearer, "as the service writes it");
    assert_eq!(of(r#""Bearer""#), bearer, "as RFC 6750 writes it");
    assert_eq!(of("null"), bearer, "the same as absent");
    for odd in [r#""MAC""#, r#""""#, "1", "[]", r#""bearer ""#] {
        assert_eq!(of(odd), refused, "{odd}");
    }
}

#[test]
fn a_success_without_a_token_is_a_failure() {
    let no_token = "unusable: a successful answer holds no access token; kept nothing";
    let not_json = "unusable: a successful answer is not a JSON object; kept nothing";
    check(&[
        ("200 {}, which the service is known to send", 200, "{}", no_token),
        ("an empty token", 200, r#"{"access_token":""}"#, no_token),
        ("a token that is a number", 200, r#"{"access_token":17}"#, no_token),
        ("no body", 200, "", not_json),
        ("204", 204, "", not_json),
        ("a page", 200, "<html>hello</html>", not_json),
        ("an array", 200, r#"["t"]"#, not_json),
        ("a repeated member", 200, r#"{"access_token":"a","access_token":"b"}"#, not_json),
        (
            "an error with status 200",
            200,
            r#"{"error":"invalid_grant"}"#,
            "grant refused: invalid_grant",
        ),
    ]);
}

#[test]
fn c16_a_refresh_token_is_salvaged_from_an_unusable_success() {
    let tail = "kept r2";
    let cases = [
        ("no access token", r#"{"refresh_token":"r2"}"#),
        ("another token type", r#"{"access_token":"t","token_type":"mac","refresh_token":"r2"}"#),
        ("cut in the middle", r#"{"refresh_token":"r2","access_tok"#),
        (
            "its name as a value before it",
            r#"{"issued_token_type":"refresh_token","refresh_token":"r2","token_type":"mac","access_token":"t"}"#,
        ),
        ("an error beside it", r#"{"error":"invalid_scope","refresh_token":"r2"}"#),
        (
            "a temporary error beside it",
            r#"{"error":"temporarily_unavailable","refresh_token":"r2"}"#,
        ),
        (
            "an access token no header carries",
            "{\"access_token\":\"a\\nb\",\"refresh_token\":\"r2\"}",
        ),
    ];
    for (name, body) in cases {
        assert!(told(200, body).ends_with(tail), "{name}: {}", told(200, body));
    }
    let long = format!(r#"{{"refresh_token":"r2","pad":"{}"}}"#, "x".repeat(BODY_LIMIT));
    assert_eq!(told(200, &long), "unusable: the answer is too long; kept r2");
}

#[test]
fn c20_bodies_and_tokens_are_bounded_and_unknown_members_ignored() {
    let body =
        |pad: usize| format!(r#"{{"access_token":"t","expires_in":1,"x":"{}"}}"#, "p".repeat(pad));
    let frame = body(0).len();
    assert_eq!(told(200, &body(BODY_LIMIT - frame)), "granted t until 101.000s, refresh none");
    let beyond = told(200, &body(BODY_LIMIT - frame + 1));
    assert_eq!(beyond, "unusable: the answer is too long; kept nothing");
    let token = |length: usize| {
        let body = format!(r#"{{"access_token":"{}","expires_in":1}}"#, "t".repeat(length));
        told(200, &body).starts_with("granted")
    };
    assert!(token(16 * 1024));
    assert!(!token(16 * 1024 + 1));
    let nested = r#"{"access_token":"t","expires_in":1,"x":{"access_token":["y"]}}"#;
    assert_eq!(told(200, nested), "granted t until 101.000s, refresh none");
}

#[test]
fn opaque_tokens_of_any_shape_are_carried_as_they_are() {
    let shapes = [
        "DCRA1-d5c77a928320f57ef60329e7d5c77a92",
        "DCRD10-e7c5c8139165228a82e442445fe01c16",
        "e7c5c8139165228a82e442445fe01c16",
        "cd251a04-4a00-4e7d-99e2-1b2e5431adb1",
        "eyJhbGciOiJub25lIn0.e30.",
        "a/b+c==~_.",
        "with blank",
        "x",
    ];
    for shape in shapes {
        let body = format!(r#"{{"access_token":"{shape}","expires_in":1}}"#);
        let TokenAnswer::Granted(it) = classify(&answer(200, &body), at(0), at(0)) else {
            panic!("{shape} is refused");
        };
        let header = it.access.authorization();
        assert_eq!(header.name(), "authorization");
        assert_eq!(header.value().as_bytes(), format!("Bearer {shape}").as_bytes());
        assert!(header.value().is_sensitive());
    }
    for odd in ["a\\nb", "a\\u0000", "\\u00e9", " a", "a "] {
        let body = format!(r#"{{"access_token":"{odd}","expires_in":1}}"#);
        assert!(told(200, &body).contains("no header can carry"), "{odd}");
    }
}

#[test]
fn c21_every_expires_in_is_decided() {
    let until = |expires_in: &str| {
        let body = format!(r#"{{"access_token":"t","expires_in":{expires_in}}}"#);
        told(200, &body)
    };
    let cases = [
        ("1799", "1899.000s"),
        (r#""1799""#, "1899.000s"),
        (r#"" 1799 ""#, "1899.000s"),
        ("1799.5", "1899.500s"),
        ("0", "100.000s"),
        ("18446744073709551615", "400.000s"),
        ("1e300", "400.000s"),
        ("1e400", "400.000s"),
        ("86400", "86500.000s"),
        ("1799000", "400.000s"),
        ("-1", "400.000s"),
        (r#""soon""#, "400.000s"),
        (r#""NaN""#, "400.000s"),
        ("null", "400.000s"),
        ("true", "400.000s"),
        ("[1799]", "400.000s"),
    ];
    for (expires_in, expected) in cases {
        assert_eq!(
            until(expires_in),
            format!("granted t until {expected}, refresh none"),
            "{expires_in}"
        );
    }
    assert_eq!(told(200, r#"{"access_token":"t"}"#), "granted t until 400.000s, refresh none");
}

#[test]
fn expiry_is_counted_from_the_moment_of_sending() {
    let body = r#"{"access_token":"t","expires_in":1799}"#;
    let slow = classify(&answer(200, body), at(100), at(220));
    let TokenAnswer::Granted(it) = slow else { panic!("a token") };
    assert_eq!(it.access.expires_at(), at(1_899));
    assert!(it.access.is_valid_at(at(1_868), Duration::from_secs(30)));
    assert!(!it.access.is_valid_at(at(1_869), Duration::from_secs(30)));
}

#[test]
fn c19_a_missing_scope_is_as_requested_and_an_empty_one_grants_nothing() {
    let granted = |scope: &str| {
        let body = format!(r#"{{"access_token":"t","expires_in":1{scope}}}"#);
        let TokenAnswer::Granted(it) = classify(&answer(200, &body), at(0), at(0)) else {
            panic!("{body} is refused");
        };
        it.access.scope().clone()
    };
    let explicit = |names: &str| GrantedScope::Explicit(ScopeSet::parse(names).expect("valid"));
    assert_eq!(granted(""), GrantedScope::AsRequested);
    assert_eq!(granted(r#","scope":null"#), GrantedScope::AsRequested);
    assert_eq!(granted(r#","scope":"""#), explicit(""));
    assert_eq!(granted(r#","scope":"jobs_read users_read""#), explicit("jobs_read users_read"));
    assert_eq!(granted(r#","scope":"a\u0000b""#), explicit(""));
    assert_eq!(granted(r#","scope":["jobs_read","users_read"]"#), explicit("jobs_read users_read"));
    assert_eq!(granted(r#","scope":1e999"#), explicit(""));
}

#[test]
fn refusals_are_sorted_by_who_has_to_act() {
    check(&[
        ("revoked client", 401, r#"{"error":"invalid_client"}"#, "client refused: invalid_client"),
        ("401 with nothing", 401, "", "client refused: invalid_client"),
        (
            "401 with other words",
            401,
            r#"{"message":"Refresh token expired"}"#,
            "unrecognised: 401",
        ),
        (
            "the resource API's object with a code of RFC 6749",
            401,
            r#"{"message":"no","errors":[{"code":"INVALID_CLIENT"}]}"#,
            "client refused: invalid_client",
        ),
        ("401 of a gateway", 401, "<html></html>", "unrecognised: 401"),
        (
            "a byte order mark",
            400,
            "\u{feff}{\"error\":\"invalid_grant\"}",
            "grant refused: invalid_grant",
        ),
        (
            "grant type not allowed",
            400,
            r#"{"error":"unauthorized_client"}"#,
            "client refused: unauthorized_client",
        ),
        ("dead refresh token", 400, r#"{"error":"invalid_grant"}"#, "grant refused: invalid_grant"),
        ("the same with 401", 401, r#"{"error":"invalid_grant"}"#, "grant refused: invalid_grant"),
        ("scope", 400, r#"{"error":"invalid_scope"}"#, "request refused: invalid_scope"),
        (
            "grant type",
            400,
            r#"{"error":"unsupported_grant_type"}"#,
            "request refused: unsupported_grant_type",
        ),
        ("media type", 415, "", "request refused: invalid_request"),
        (
            "the resource API's object",
            400,
            r#"{"message":"no","errors":[{"code":"X"}]}"#,
            "unrecognised: 400",
        ),
        ("an unknown code", 400, r#"{"error":"teapot"}"#, "unrecognised: 400"),
        ("403 of a firewall", 403, "<html></html>", "unrecognised: 403"),
        ("not found", 404, "", "unrecognised: 404"),
        ("error that is no text", 400, r#"{"error":{"a":1}}"#, "unrecognised: 400"),
    ]);
}

#[test]
fn faults_of_the_server_are_never_refusals() {
    check(&[
        ("500", 500, "", "server fault, None"),
        ("a proxy's page", 502, "<html>Bad gateway</html>", "server fault, None"),
        ("5xx wins over its body", 503, r#"{"error":"invalid_grant"}"#, "server fault, None"),
        ("408", 408, "", "server fault, None"),
        ("server_error as 400", 400, r#"{"error":"server_error"}"#, "server fault, None"),
        ("429", 429, r#"{"error":"invalid_client"}"#, "throttled, None"),
    ]);
}

#[test]
fn c21_a_successor_of_any_shape_is_kept() {
    let long = "r".repeat(20_000);
    let cases = [
        ("a number", "12345678901234567890123".to_owned(), "12345678901234567890123".to_owned()),
        ("a control character", r#""r\u0001""#.to_owned(), "r\u{1}".to_owned()),
        ("longer than an access token may be", format!("\"{long}\""), long),
        ("no token", "null".to_owned(), "none".to_owned()),
        ("an empty text", "\"\"".to_owned(), "none".to_owned()),
    ];
    for (name, written, kept) in cases {
        let body = format!(r#"{{"access_token":"t","expires_in":1,"refresh_token":{written}}}"#);
        assert_eq!(told(200, &body), format!("granted t until 101.000s, refresh {kept}"), "{name}");
    }
}

#[test]
fn a_clock_that_was_set_back_does_not_lengthen_a_life() {
    let body = r#"{"access_token":"t","expires_in":1799}"#;
    let TokenAnswer::Granted(it) = classify(&answer(200, body), at(3_600), at(2)) else {
        panic!("a token");
    };
    assert_eq!(it.access.expires_at(), at(2 + 1_799));
}

#[test]
fn the_code_of_the_resource_apis_object_is_kept() {
    let body = r#"{"message":"no","errors":[{"code":"TOKEN_SPENT","message":"no"}]}"#;
    let TokenAnswer::Unrecognised(it) = classify(&answer(400, body), at(0), at(0)) else {
        panic!("a refusal");
    };
    assert_eq!(it.unregistered_code().map(|it| it.as_str()), Some("token_spent"));
}

#[test]
fn a_401_that_asks_for_basic_is_about_the_client() {
    let mut response = answer(401, "<html></html>");
    let challenge = http::HeaderValue::from_static("Basic realm=\"x\"");
    response.headers_mut().insert("www-authenticate", challenge);
    assert!(matches!(classify(&response, at(0), at(0)), TokenAnswer::ClientRefused(_)));
}

#[test]
fn retry_after_is_read_when_it_comes() {
    let mut response = answer(503, "");
    response.headers_mut().insert("retry-after", http::HeaderValue::from_static("7"));
    let TokenAnswer::ServerFault { retry_after } = classify(&response, at(0), at(0)) else {
        panic!("a fault");
    };
    assert_eq!(retry_after, Some(Duration::from_secs(7)));
    let body = r#"{"error":"temporarily_unavailable"}"#;
    let mut response = answer(400, body);
    response.headers_mut().insert("retry-after", http::HeaderValue::from_static("30"));
    let TokenAnswer::ServerFault { retry_after } = classify(&response, at(0), at(0)) else {
        panic!("a fault");
    };
    assert_eq!(retry_after, Some(Duration::from_secs(30)));
}

#[test]
fn c26_a_redirect_is_never_a_reason_to_send_elsewhere() {
    for status in [300, 301, 302, 303, 304, 307, 308] {
        let expected =
            "unusable: it redirects, and credentials are not sent elsewhere; kept nothing";
        assert_eq!(told(status, r#"{"access_token":"t"}"#), expected);
    }
}

#[test]
fn c25_the_servers_words_are_kept_apart_from_the_message() {
    let body =
        r#"{"error":"invalid_client","error_description":"\u001b[31mclient_secret=hunter2"}"#;
    let TokenAnswer::ClientRefused(it) = classify(&answer(401, body), at(0), at(0)) else {
        panic!("a refusal");
    };
    assert_eq!(it.description().map(|it| it.as_str()), Some("?[31mclient_secret=hunter2"));
    assert!(!format!("{it:?}").contains("hunter2"));
    let odd = r#"{"error":"tea\u0007pot"}"#;
    let TokenAnswer::Unrecognised(it) = classify(&answer(400, odd), at(0), at(0)) else {
        panic!("a refusal");
    };
    assert_eq!(it.unregistered_code().map(|it| it.as_str()), Some("tea?pot"));
}

proptest::proptest! {
    /// No body, status or cut makes the codec panic, and a token comes out only of a success.
    #[test]
    fn any_bytes_are_classified(
        status in 100_u16..600,
        body in proptest::collection::vec(proptest::num::u8::ANY, 0..300),
        cut in 0_usize..120,
    ) {
        let whole = r#"{"access_token":"t","expires_in":1799,"refresh_token":"r2","token_type":"bearer"}"#;
        for bytes in [body, whole.as_bytes().get(..cut.min(whole.len())).unwrap_or_default().to_vec()] {
            let response = http::Response::builder()
                .status(status)
                .body(sr_auth_core::SecretBytes::new(bytes))
                .expect("a valid status");
            let answer = classify(&response, at(5), at(6));
            if matches!(answer, TokenAnswer::Granted(_)) {
                proptest::prop_assert!((200..300).contains(&status));
            }
        }
    }
}
