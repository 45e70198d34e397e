//! Our token endpoint: rows I02 to I15 and I24, I25.

use std::time::Duration;

use base64::Engine as _;
use http::Request;
use sr_auth_core::SecretBytes;
use sr_partner::inbound::{ExpiresInUnit, InboundEvent, Refusal, TokenIssuer};
use sr_partner::store::{AttemptLimits, PartnerModel, SourceKey};
use sr_partner::{CompanyId, OutboundCredentials};

use crate::fixture::{Desk, at, form, outbound, raw_form, scopes, token_form};

/// A desk with one live integration, whose credentials are number 1.
fn desk() -> Desk {
    let mut desk = Desk::new();
    desk.bind("5f1b", "acme", 1, 0);
    desk
}

fn basic(id: &str, secret: &str, body: &str) -> Request<SecretBytes> {
    let pair = format!("{id}:{secret}");
    let pair = base64::engine::general_purpose::STANDARD.encode(pair);
    let mut request = raw_form(body);
    let value = format!("Basic {pair}").parse().expect("a header");
    request.headers_mut().insert("authorization", value);
    request
}

fn good_form() -> String {
    let ours = outbound(1);
    format!(
        "client_id={}&client_secret={}&grant_type=client_credentials",
        ours.id(),
        ours.secret().expose()
    )
}

#[track_caller]
fn check(name: &str, request: &Request<SecretBytes>, expected: (u16, &str)) {
    let served = desk().token(request);
    let body = served.body();
    let error = body.strip_prefix("{\"error\":\"").and_then(|it| it.strip_suffix("\"}"));
    assert_eq!((served.status(), error.unwrap_or_default()), expected, "{name}: {body}");
}

#[test]
fn i02_i24_only_a_posted_form_is_read() {
    let types = [
        ("a form", Some("application/x-www-form-urlencoded"), (200, "")),
        ("in capitals", Some("Application/X-WWW-Form-Urlencoded"), (200, "")),
        ("with a charset", Some("application/x-www-form-urlencoded; charset=UTF-8"), (200, "")),
        ("JSON", Some("application/json"), (415, "invalid_request")),
        ("multipart", Some("multipart/form-data; boundary=x"), (415, "invalid_request")),
        ("almost", Some("application/x-www-form-urlencodedx"), (415, "invalid_request")),
        ("none", None, (415, "invalid_request")),
    ];
    for (name, kind, expected) in types {
        let mut request = raw_form(&good_form());
        request.headers_mut().remove("content-type");
        if let Some(kind) = kind {
            request.headers_mut().insert("content-type", kind.parse().expect("a header"));
        }
        check(name, &request, expected);
    }
    let mut twice = raw_form(&good_form());
    twice.headers_mut().append("content-type", "text/plain".parse().expect("a header"));
    check("two types", &twice, (415, "invalid_request"));
    for method in ["GET", "PUT", "DELETE", "HEAD", "PATCH", "OPTIONS", "post"] {
        let mut request = raw_form(&good_form());
        *request.method_mut() = method.parse().expect("a method");
        request.headers_mut().insert("origin", "https://evil.example".parse().expect("a header"));
        let served = desk().token(&request);
        assert_eq!(served.status(), 405, "{method}");
        assert_eq!(served.header("allow").as_deref(), Some("POST"), "{method}");
        let allowed = format!("{:?}", served.response).to_lowercase();
        assert!(!allowed.contains("access-control"), "{method}");
        assert_eq!(served.ops, [""; 0], "{method}: nothing is asked");
    }
}

#[test]
fn i03_credentials_in_the_uri_are_refused_and_told_nobody() {
    let ours = outbound(1);
    let query = good_form();
    let uri = format!("https://planner.example/oauth/token?{query}");
    for body in ["", query.as_str()] {
        let mut request = raw_form(body);
        *request.uri_mut() = uri.parse().expect("a URI");
        let served = desk().token(&request);
        assert_eq!(served.status(), 400, "{body}");
        let told = format!("{:?} {}", served.events, served.whole());
        assert!(!told.contains(ours.secret().expose()) && !told.contains(ours.id().as_str()));
    }
}

#[test]
fn i04_both_ways_of_authentication_are_taken_and_never_two_at_once() {
    let ours = outbound(1);
    let (id, secret) = (ours.id().as_str(), ours.secret().expose());
    let grant = "grant_type=client_credentials";
    let escaped = id.replace('-', "%2D");
    let both = format!("{grant}&client_secret={secret}");
    let cases = [
        ("body", raw_form(&good_form()), (200, "")),
        ("basic", basic(id, secret, grant), (200, "")),
        ("basic, form-encoded", basic(&escaped, secret, grant), (200, "")),
        (
            "basic, and the same id",
            basic(id, secret, &format!("{grant}&client_id={id}")),
            (200, ""),
        ),
        (
            "basic, another id",
            basic(id, secret, &format!("{grant}&client_id=x")),
            (400, "invalid_request"),
        ),
        ("both", basic(id, secret, &both), (400, "invalid_request")),
        (
            "both, the secret empty",
            basic(id, secret, &format!("{grant}&client_secret=")),
            (200, ""),
        ),
        ("neither", raw_form(grant), (401, "invalid_client")),
        ("no secret", raw_form(&format!("{grant}&client_id={id}")), (401, "invalid_client")),
    ];
    for (name, request, expected) in cases {
        check(name, &request, expected);
    }
    let mut twice = basic(id, secret, grant);
    let value = twice.headers()["authorization"].clone();
    twice.headers_mut().append("authorization", value);
    check("two headers", &twice, (400, "invalid_request"));
}

#[test]
fn i05_a_form_is_read_strictly() {
    let good = good_form();
    let many = |count| (0..count).map(|it| format!("&p{it}=x")).collect::<String>();
    let cases = [
        ("as documented", good.clone(), (200, "")),
        ("unknown parameters", format!("{good}&audience=x&resource="), (200, "")),
        ("in another order", good.split('&').rev().collect::<Vec<_>>().join("&"), (200, "")),
        ("an empty pair", format!("{good}&&"), (200, "")),
        ("32 parameters", format!("{good}{}", many(29)), (200, "")),
        ("33 parameters", format!("{good}{}", many(30)), (400, "invalid_request")),
        (
            "grant_type twice",
            format!("{good}&grant_type=client_credentials"),
            (400, "invalid_request"),
        ),
        ("an empty one twice", format!("{good}&grant_type="), (400, "invalid_request")),
        ("client_id twice, escaped", format!("{good}&client%5Fid=x"), (400, "invalid_request")),
        ("an unknown one twice", format!("{good}&a=1&a=1"), (400, "invalid_request")),
        ("a broken escape", format!("{good}&a=%2"), (400, "invalid_request")),
        ("an escape that is none", format!("{good}&a=%zz"), (400, "invalid_request")),
        ("a line break", format!("{good}&a=\n"), (400, "invalid_request")),
        ("a raw blank", format!("{good}&a= "), (400, "invalid_request")),
        ("not UTF-8", format!("{good}&a=%ff"), (400, "invalid_request")),
        ("an empty grant_type", good.replace("client_credentials", ""), (400, "invalid_request")),
        (
            "no grant_type",
            good.replace("&grant_type=client_credentials", ""),
            (400, "invalid_request"),
        ),
        (
            "in capitals",
            good.replace("client_credentials", "CLIENT_CREDENTIALS"),
            (400, "unsupported_grant_type"),
        ),
        (
            "with a blank",
            good.replace("client_credentials", "client_credentials+"),
            (400, "unsupported_grant_type"),
        ),
        ("nothing", String::new(), (400, "invalid_request")),
        ("the longest", format!("{good}&a={}", "x".repeat(8 * 1024 - good.len() - 3)), (200, "")),
        (
            "too long",
            format!("{good}&a={}", "x".repeat(8 * 1024 - good.len() - 2)),
            (413, "invalid_request"),
        ),
    ];
    for (name, body, expected) in cases {
        check(name, &raw_form(&body), expected);
    }
}

#[test]
fn i06_i15_there_is_one_grant_and_no_refresh_token() {
    let good = good_form();
    for other in [
        "authorization_code",
        "refresh_token",
        "password",
        "implicit",
        "urn:ietf:params:oauth:grant-type:jwt-bearer",
    ] {
        let body = good.replace("client_credentials", other);
        check(other, &raw_form(&body), (400, "unsupported_grant_type"));
    }
    let served = desk().token(&raw_form(&good));
    let body: serde_json::Value = serde_json::from_str(&served.body()).unwrap();
    let members: Vec<&String> = body.as_object().unwrap().keys().collect();
    assert_eq!(members, ["access_token", "expires_in", "scope", "token_type"]);
}

#[test]
fn i07_a_bad_client_is_401_and_basic_is_asked_for_where_it_was_tried() {
    let grant = "grant_type=client_credentials";
    let mut bearer = raw_form(grant);
    bearer.headers_mut().insert("authorization", "Bearer x".parse().unwrap());
    let mut garbled = raw_form(grant);
    garbled.headers_mut().insert("authorization", "Basic !!!".parse().unwrap());
    let cases = [
        (
            "wrong, in the body",
            form(&[
                ("client_id", "x"),
                ("client_secret", "y"),
                ("grant_type", "client_credentials"),
            ]),
            false,
        ),
        ("wrong, in the header", basic("x", "y", grant), true),
        ("another scheme", bearer, true),
        ("no base64", garbled, true),
        ("no colon", basic("", "", grant), true),
    ];
    for (name, request, asked) in cases {
        let served = desk().token(&request);
        assert_eq!(
            (served.status(), served.body().as_str()),
            (401, r#"{"error":"invalid_client"}"#),
            "{name}"
        );
        let challenge = served.header("www-authenticate");
        assert_eq!(challenge.is_some_and(|it| it.starts_with("Basic ")), asked, "{name}");
    }
}

#[test]
fn i08_i11_whoever_is_refused_learns_nothing_about_the_client() {
    let (ours, right) = (outbound(1), outbound(1).secret().expose().to_owned());
    let mut first = right.clone();
    first.replace_range(..1, if right.starts_with('0') { "1" } else { "0" });
    let last = format!("{}{}", &right[..63], if right.ends_with('0') { "1" } else { "0" });
    let no_client = OutboundCredentials::generate([77; 64], scopes());
    let request = |id: &str, secret: &str, in_header: bool| match in_header {
        true => basic(id, secret, "grant_type=client_credentials"),
        false => form(&[
            ("client_id", id),
            ("client_secret", secret),
            ("grant_type", "client_credentials"),
        ]),
    };
    for in_header in [false, true] {
        let mut told = Vec::new();
        let mut tell = |name, desk: &mut Desk, id: &str, secret: &str| {
            let (request, source) = (request(id, secret, in_header), SourceKey::of("192.0.2.7"));
            let served = desk.token(&request);
            assert_eq!(served.events, [InboundEvent::Refused(Refusal::Client)], "{name}");
            let issuance = desk.issuer.answer(desk.now, &request, Some(source), [0; 32]);
            let from_somewhere = desk.serve(issuance);
            assert_eq!(from_somewhere.whole(), served.whole(), "{name}");
            let ops = [served.ops.clone(), from_somewhere.ops.clone()].concat();
            told.push((name, ops, served.whole()));
        };
        tell("no such client", &mut desk(), no_client.id().as_str(), &right);
        tell("first character wrong", &mut desk(), ours.id().as_str(), &first);
        tell("last character wrong", &mut desk(), ours.id().as_str(), &last);
        tell("shorter", &mut desk(), ours.id().as_str(), &right[..63]);
        let mut ended = desk();
        let token = ended.token_of(1);
        ended.notify(&crate::fixture::disabled(&token));
        tell("disabled", &mut ended, ours.id().as_str(), &right);
        let mut prepared = Desk::new();
        let attempt = crate::fixture::new_attempt(1, "acme", 0);
        let key = crate::fixture::key("5f1b");
        prepared.apply(sr_partner::store::PartnerOp::Begin { attempt, key });
        tell("not sent yet", &mut prepared, ours.id().as_str(), &right);
        for (name, ops, whole) in &told {
            let once = ["FindClient", "CountRefusal"];
            let from_somewhere = ["FindClient", "FindClient", "CountRefusal"];
            assert_eq!(ops, &[&once[..], &from_somewhere].concat(), "{name}: the same work");
            assert_eq!(*whole, told[0].2, "{name}: the same bytes");
        }
    }
}

#[test]
fn i09_guesses_are_limited_and_cost_no_memory() {
    let limits = AttemptLimits::new(3, 5, Duration::from_secs(60)).unwrap();
    let mut desk = desk();
    desk.issuer = TokenIssuer::default().with_limits(limits);
    let wrong = |id: &str| {
        form(&[("client_id", id), ("client_secret", "x"), ("grant_type", "client_credentials")])
    };
    let ours = outbound(1);
    let mut statuses = Vec::new();
    for _ in 0..4 {
        statuses.push(desk.token(&wrong(ours.id().as_str())).status());
    }
    assert_eq!(statuses, [401, 401, 401, 429], "of one client");
    assert_eq!(desk.token(&token_form(&ours)).header("retry-after").as_deref(), Some("60"));
    desk.now = at(60);
    assert_eq!(desk.token(&token_form(&ours)).status(), 200, "a new minute");
    let source = Some(SourceKey::of("192.0.2.7"));
    let mut statuses = Vec::new();
    for guess in 0..6_u8 {
        let request = wrong(&format!("guess-{guess}"));
        let issuance = desk.issuer.answer(desk.now, &request, source, [0; 32]);
        statuses.push(desk.serve(issuance).status());
    }
    assert_eq!(statuses, [401, 401, 401, 401, 401, 429], "from one source");
    let issuance = desk.issuer.answer(desk.now, &wrong(ours.id().as_str()), source, [0; 32]);
    assert_eq!(desk.serve(issuance).status(), 429, "which is not told that there is such a client");
    let issuance = desk.issuer.answer(desk.now, &token_form(&ours), source, [0; 32]);
    assert_eq!(desk.serve(issuance).status(), 200, "and shuts out nobody whose secret is right");
    let generous = AttemptLimits::new(u32::MAX, u32::MAX, Duration::from_secs(60)).unwrap();
    let mut store = PartnerModel::<String>::new(sr_auth_core::store::StoreIdentity(7));
    for guess in 0..100_000_u32 {
        let client = sr_partner::ClientKey::of(&guess.to_string());
        let op = sr_partner::store::PartnerOp::CountRefusal { client, limits: generous, source };
        store.apply(at(u64::from(guess) / 1_000), op);
    }
    assert!(store.held().1 <= PartnerModel::<String>::REFUSALS_LIMIT, "{:?}", store.held());
}

#[test]
fn i10_every_digit_of_what_is_generated_is_as_likely_as_the_next() {
    // The digits of all bytes: each pair once, so each digit 32 times.
    let mut counts = std::collections::BTreeMap::new();
    for block in 0..4_u8 {
        let mut entropy = [0; 64];
        for (byte, value) in entropy.iter_mut().zip(block * 64..=block * 64 + 63) {
            *byte = value;
        }
        let made = OutboundCredentials::generate(entropy, scopes());
        let id = made.id().as_str().strip_prefix(OutboundCredentials::ID_PREFIX).unwrap();
        assert_eq!((id.len(), made.secret().expose().len()), (64, 64), "256 bits each");
        for digit in id.chars().chain(made.secret().expose().chars()) {
            *counts.entry(digit).or_insert(0) += 1;
        }
    }
    assert_eq!(counts.len(), 16);
    assert!(counts.values().all(|count| *count == 32), "{counts:?}");
}

#[test]
fn i12_i13_an_answer_is_never_kept_by_anybody_and_its_token_lives_half_an_hour() {
    let mut desk = desk();
    let served = desk.token(&token_form(&outbound(1)));
    assert_eq!(served.header("cache-control").as_deref(), Some("no-store"));
    assert_eq!(served.header("pragma").as_deref(), Some("no-cache"));
    assert_eq!(served.header("content-type").as_deref(), Some("application/json;charset=UTF-8"));
    let token = served.token();
    assert_eq!(token.len(), 64, "256 bits, opaque");
    let expected = format!(
        r#"{{"access_token":"{token}","token_type":"bearer","expires_in":1800,"scope":"interviews_manage interviews_read"}}"#
    );
    assert_eq!(served.body(), expected);
    let refused = desk.token(&form(&[("grant_type", "client_credentials")]));
    for name in ["cache-control", "pragma", "content-type"] {
        assert_eq!(refused.header(name), served.header(name), "{name} of an error");
    }
    desk.now = at(1_799);
    assert!(desk.call(&token, None).admitted.is_some(), "one second before its end");
    desk.now = at(1_800);
    assert_eq!(desk.call(&token, None).status(), 401, "at its end");
}

#[test]
fn i13_the_life_and_its_unit_are_settings_and_the_life_is_never_longer() {
    let minutes = |count: u64| Duration::from_secs(60 * count);
    let issuer = TokenIssuer::default();
    for (life, allowed) in [(minutes(1), true), (minutes(30), true), (minutes(31), false)] {
        assert_eq!(issuer.with_life(life).is_ok(), allowed, "{life:?}");
    }
    assert!(issuer.with_life(Duration::from_secs(59)).is_err());
    let cases = [(ExpiresInUnit::Seconds, 600), (ExpiresInUnit::Milliseconds, 600_000)];
    for (unit, expected) in cases {
        let mut desk = desk();
        desk.issuer = issuer.with_life(minutes(10)).unwrap().with_expires_in(unit);
        let body: serde_json::Value =
            serde_json::from_str(&desk.token(&token_form(&outbound(1))).body()).unwrap();
        assert_eq!(body["expires_in"], expected);
    }
}

#[test]
fn scopes_are_those_of_the_client_and_may_be_named_and_nothing_else() {
    let cases = [
        ("as they are", "interviews_read interviews_manage", (200, "")),
        ("fewer", "interviews_read", (400, "invalid_scope")),
        ("more", "interviews_read interviews_manage admin", (400, "invalid_scope")),
        ("malformed", "\u{7f}", (400, "invalid_scope")),
        ("empty", "", (200, "")),
    ];
    let ours = outbound(1);
    for (name, scope, expected) in cases {
        let request = form(&[
            ("client_id", ours.id().as_str()),
            ("client_secret", ours.secret().expose()),
            ("grant_type", "client_credentials"),
            ("scope", scope),
        ]);
        check(name, &request, expected);
    }
}

#[test]
fn i25_client_ids_are_ours_and_no_company_has_one() {
    let mut seen = std::collections::BTreeSet::new();
    for number in 0..20_000_u32 {
        let mut entropy = [0; 64];
        for (byte, value) in entropy.iter_mut().zip(number.to_be_bytes()) {
            *byte = value;
        }
        let id = OutboundCredentials::generate(entropy, sr_auth_core::ScopeSet::default());
        assert!(CompanyId::new(id.id().as_str()).is_err());
        assert!(seen.insert(sr_partner::ClientKey::of(id.id().as_str())), "{number}");
    }
}

#[test]
fn a_store_that_fails_is_503_and_no_token_is_handed_out() {
    for op in ["FindClient", "Issue"] {
        for done in [false, true] {
            let mut desk = desk();
            desk.failing = vec![(op, 1, done)];
            let served = desk.token(&token_form(&outbound(1)));
            assert_eq!(served.status(), 503, "{op}");
            assert_eq!(served.header("retry-after").as_deref(), Some("5"));
            assert_eq!(served.body(), r#"{"error":"temporarily_unavailable"}"#);
        }
    }
    let mut desk = desk();
    desk.failing = vec![("CountRefusal", 1, false)];
    let request =
        form(&[("client_id", "x"), ("client_secret", "y"), ("grant_type", "client_credentials")]);
    assert_eq!(desk.token(&request).status(), 401, "a refusal stays one");
}

#[test]
fn tokens_of_one_client_are_bounded_and_expired_ones_are_swept() {
    let mut desk = desk();
    let mut tokens = Vec::new();
    for number in 0..70_u8 {
        let request = token_form(&outbound(1));
        let issuance = desk.issuer.answer(desk.now, &request, None, [number; 32]);
        tokens.push(desk.serve(issuance).token());
    }
    assert_eq!(desk.store.held().0, PartnerModel::<String>::TOKENS_LIMIT);
    assert_eq!(desk.call(&tokens[5], None).status(), 401, "the oldest went");
    assert!(desk.call(&tokens[6], None).admitted.is_some());
    desk.now = at(1_800);
    desk.token_of(1);
    assert_eq!(desk.store.held().0, 1);
}
