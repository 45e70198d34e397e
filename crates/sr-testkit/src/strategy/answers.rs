//! Answers of a token endpoint: good ones, odd ones, and whatever else may come.
//!
//! The parts are boxed: as one type they would be too large for the stack of a test.

use http::header::{CONTENT_TYPE, LOCATION, RETRY_AFTER};
use http::{Response, StatusCode};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use serde_json::{Value, json};
use sr_auth_core::SecretBytes;

/// Any answer of a token endpoint, or of what stands before it.
pub fn token_answer() -> impl Strategy<Value = Response<SecretBytes>> {
    prop_oneof![
        4 => granted().boxed(),
        3 => odd_grant().boxed(),
        3 => refusal().boxed(),
        2 => (status(), vec(any::<u8>(), 0..64))
            .prop_map(|(status, body)| answer(status, body)),
        1 => redirect(),
        1 => (Just(200), (65_000_usize..66_000).prop_map(|length| vec![b'x'; length]))
            .prop_map(|(status, body)| answer(status, body)),
    ]
}

/// A good answer, as documented for one grant or another.
pub fn granted() -> impl Strategy<Value = Response<SecretBytes>> {
    let members = (token(), option::of(token()), any::<bool>());
    members.prop_map(|(access, refresh, typed)| {
        let mut body = json!({ "access_token": access, "expires_in": 1_799 });
        if let Some(members) = body.as_object_mut() {
            members.extend(refresh.map(|it| ("refresh_token".to_owned(), json!(it))));
            members.extend(typed.then(|| ("token_type".to_owned(), json!("bearer"))));
        }
        answer(200, body.to_string().into_bytes())
    })
}

/// A success whose members are missing, of another type, or absurd.
fn odd_grant() -> impl Strategy<Value = Response<SecretBytes>> {
    let members = (
        option::of(prop_oneof![3 => token().prop_map(Value::from), 1 => odd_value()]),
        option::of(prop_oneof![2 => token().prop_map(Value::from), 1 => odd_value()]),
        option::of(odd_value()),
        option::of(prop_oneof![Just(json!("Bearer")), Just(json!("MAC")), odd_value()]),
        option::of(prop_oneof![Just(json!("")), Just(json!("jobs_read")), odd_value()]),
        prop_oneof![Just(200), Just(201), Just(204)],
    );
    members.prop_map(|(access, refresh, expires_in, token_type, scope, status)| {
        let members = [
            ("access_token", access),
            ("refresh_token", refresh),
            ("expires_in", expires_in),
            ("token_type", token_type),
            ("scope", scope),
        ];
        let members = members.into_iter().filter_map(|(name, value)| Some((name, value?)));
        let members = members.map(|(name, value)| (name.to_owned(), value)).collect();
        answer(status, Value::Object(members).to_string().into_bytes())
    })
}

fn odd_value() -> BoxedStrategy<Value> {
    let value = prop_oneof![
        Just(Value::Null),
        Just(json!(true)),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        (-1.0e300..1.0e300_f64).prop_map(Value::from),
        "[0-9]{1,25}".prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
        Just(json!([])),
        Just(json!({ "access_token": "x" })),
        Just(Value::from("x".repeat(17_000))),
    ];
    value.boxed()
}

fn refusal() -> impl Strategy<Value = Response<SecretBytes>> {
    let code = prop_oneof![
        Just("invalid_grant"),
        Just("invalid_client"),
        Just("invalid_request"),
        Just("invalid_scope"),
        Just("unauthorized_client"),
        Just("unsupported_grant_type"),
        Just("slow_down"),
        Just(""),
        Just("INVALID_GRANT"),
    ];
    let shape = prop_oneof![Just("rfc"), Just("resource"), Just("none"), Just("page")];
    (status(), code, shape, option::of(retry_after())).prop_map(|(status, code, shape, wait)| {
        let body = match shape {
            "rfc" => json!({ "error": code, "error_description": "no" }).to_string(),
            "resource" => json!({ "message": "no", "errors": [{ "code": code, "message": "no" }] })
                .to_string(),
            "page" => "<html><h1>Bad gateway</h1></html>".to_owned(),
            _ => String::new(),
        };
        let mut response = answer(status, body.into_bytes());
        if let Some(value) = wait.and_then(|wait| wait.parse().ok()) {
            response.headers_mut().insert(RETRY_AFTER, value);
        }
        response
    })
}

fn redirect() -> impl Strategy<Value = Response<SecretBytes>> {
    prop_oneof![Just(301), Just(302), Just(303), Just(307), Just(308)].prop_map(|status| {
        let mut response = answer(status, Vec::new());
        let elsewhere = http::HeaderValue::from_static("https://elsewhere.example/token");
        response.headers_mut().insert(LOCATION, elsewhere);
        response
    })
}

fn retry_after() -> impl Strategy<Value = String> {
    prop_oneof![
        (0..100_u32).prop_map(|seconds| seconds.to_string()),
        Just(u64::MAX.to_string()),
        Just("-1".to_owned()),
        Just("Wed, 21 Oct 2026 07:28:00 GMT".to_owned()),
        Just("soon".to_owned()),
    ]
}

fn status() -> impl Strategy<Value = u16> {
    const USUAL: &[u16] = &[200, 204, 400, 401, 403, 408, 415, 429, 500, 502, 503, 504];
    prop_oneof![5 => proptest::sample::select(USUAL), 1 => 200..600_u16]
}

fn token() -> BoxedStrategy<String> {
    let token = prop_oneof![
        "[0-9a-f]{32}",
        "DCRA1-[0-9a-f]{32}",
        "DCRD10-[0-9a-f]{32}",
        "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
        "[!-~]{1,200}",
    ];
    token.boxed()
}

fn answer(status: u16, body: Vec<u8>) -> Response<SecretBytes> {
    let mut response = Response::new(SecretBytes::new(body));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
    let json = http::HeaderValue::from_static("application/json");
    response.headers_mut().insert(CONTENT_TYPE, json);
    response
}
