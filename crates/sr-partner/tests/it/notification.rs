//! `callbackUrl` and its Assessment sibling: rows I16 to I22.

use sr_partner::inbound::{InboundEvent, Notification, Refusal};
use sr_partner::store::{DisableEffect, EndCause, PartnerOp};

use crate::fixture::{Desk, at, disabled, key, with_token};

const URL: &str = "https://planner.example/callback";
const DISABLED: &str = r#"{"eventType":"INTEGRATION_DISABLED"}"#;

fn desk() -> Desk {
    let mut desk = Desk::new();
    desk.bind("5f1b", "acme", 1, 0);
    desk.bind("77aa", "globex", 2, 0);
    desk
}

#[test]
fn i16_a_bearer_is_told_what_rfc_6750_says_and_no_more() {
    let token = desk().token_of(1);
    let malformed = Some("Bearer error=\"invalid_request\"");
    let invalid = Some("Bearer error=\"invalid_token\"");
    let cases = [
        ("no token", None, 401, Some("Bearer")),
        ("another scheme", Some("Basic eDp5".to_owned()), 401, Some("Bearer")),
        ("a good token", Some(format!("Bearer {token}")), 200, None),
        ("in other letters", Some(format!("bEARER {token}")), 200, None),
        ("no such token", Some(format!("Bearer {}", "0".repeat(64))), 401, invalid),
        ("the scheme alone", Some("Bearer".to_owned()), 400, malformed),
        ("two tokens", Some(format!("Bearer {token} {token}")), 400, malformed),
        ("a list", Some(format!("Bearer {token}, Bearer {token}")), 400, malformed),
        ("quoted", Some(format!("Bearer \"{token}\"")), 400, malformed),
        ("too long", Some(format!("Bearer {}", "a".repeat(1_025))), 400, malformed),
    ];
    for (name, value, status, challenge) in cases {
        let mut desk = desk();
        desk.token_of(1);
        let mut request = disabled("x");
        request.headers_mut().remove("authorization");
        if let Some(value) = value {
            request.headers_mut().insert("authorization", value.parse().expect("a header"));
        }
        let served = desk.notify(&request);
        assert_eq!(served.status(), status, "{name}");
        assert_eq!(served.header("www-authenticate").as_deref(), challenge, "{name}");
        assert_eq!(desk.live("5f1b").is_none(), status == 200, "{name}");
    }
}

#[test]
fn i17_a_token_stands_in_the_header_once_or_nowhere() {
    let mut desk = desk();
    let token = desk.token_of(1);
    let mut twice = disabled(&token);
    let value = twice.headers()["authorization"].clone();
    twice.headers_mut().append("authorization", value);
    assert_eq!(desk.notify(&twice).status(), 400, "two headers");
    for query in [format!("access_token={token}"), format!("a=1&access%5Ftoken={token}")] {
        let mut both = disabled(&token);
        *both.uri_mut() = format!("{URL}?{query}").parse().unwrap();
        assert_eq!(desk.notify(&both).status(), 400, "{query}: header and query");
        both.headers_mut().remove("authorization");
        assert_eq!(desk.notify(&both).status(), 400, "{query}: query alone");
    }
    let mut garbled = disabled(&token);
    *garbled.uri_mut() = format!("{URL}?access_token={token}&a=%zz").parse().unwrap();
    assert_eq!(desk.notify(&garbled).status(), 400, "a query that cannot be read");
    assert_eq!(desk.live("5f1b"), Some(1), "nothing has changed");
    let in_body = format!(r#"{{"eventType":"INTEGRATION_DISABLED","access_token":"{token}"}}"#);
    let mut request = with_token("POST", URL, "x", &in_body);
    request.headers_mut().remove("authorization");
    assert_eq!(desk.notify(&request).status(), 401, "a body is no place for a token");
}

#[test]
fn i18_the_company_is_that_of_the_token_whatever_the_request_says() {
    for body in [
        r#"{"eventType":"INTEGRATION_DISABLED","companyId":"77aa"}"#,
        r#"{"companyId":"77aa","clientId":"srp1-x","eventType":"INTEGRATION_DISABLED"}"#,
    ] {
        let mut desk = desk();
        let token = desk.token_of(1);
        let request = with_token("POST", &format!("{URL}?companyId=77aa"), &token, body);
        let served = desk.notify(&request);
        assert_eq!(served.status(), 200);
        let [InboundEvent::Disabled { effect: DisableEffect::Ended, principal }] =
            &served.events[..]
        else {
            panic!("{:?}", served.events)
        };
        assert_eq!((principal.key.clone(), principal.tenant.as_str()), (key("5f1b"), "acme"));
        assert_eq!((desk.live("5f1b"), desk.live("77aa")), (None, Some(1)));
    }
}

#[test]
fn i18_the_path_of_the_assessment_sibling_is_compared_and_never_believed() {
    let mut desk = desk();
    let token = desk.token_of(1);
    let delete = |desk: &mut Desk, company: &str| {
        let uri = format!("https://planner.example/integrations/companies/{company}");
        let request = with_token("DELETE", &uri, &token, "");
        let notification = Notification::receive_deletion(desk.now, &request, company);
        desk.serve(notification)
    };
    let other = delete(&mut desk, "77aa");
    assert_eq!(other.status(), 403);
    assert_eq!(other.events, [InboundEvent::Refused(Refusal::OtherCompany)]);
    assert_eq!((desk.live("5f1b"), desk.live("77aa")), (Some(1), Some(1)));
    assert_eq!(delete(&mut desk, "5f1b").status(), 200);
    assert_eq!((desk.live("5f1b"), desk.live("77aa")), (None, Some(1)));
    assert_eq!(delete(&mut desk, "5f1b").status(), 200, "a second time");
    let posted = with_token("POST", "https://planner.example/", &token, DISABLED);
    let notification = Notification::receive_deletion(desk.now, &posted, "5f1b");
    let served = desk.serve(notification);
    assert_eq!((served.status(), served.header("allow").as_deref()), (405, Some("DELETE")));
}

#[test]
fn i19_a_disable_ends_its_own_generation_once_and_no_other() {
    let mut desk = desk();
    let old = desk.token_of(1);
    let effects = |served: &crate::fixture::Served| match &served.events[..] {
        [InboundEvent::Disabled { effect, .. }] => *effect,
        other => panic!("{other:?}"),
    };
    let first = desk.notify(&disabled(&old));
    assert_eq!((first.status(), effects(&first)), (200, DisableEffect::Ended));
    let again = desk.notify(&disabled(&old));
    assert_eq!((again.status(), effects(&again)), (200, DisableEffect::AlreadyEnded));
    desk.bind("5f1b", "acme", 3, 1);
    let late = desk.notify(&disabled(&old));
    assert_eq!((late.status(), effects(&late)), (200, DisableEffect::AlreadyEnded));
    assert_eq!(desk.live("5f1b"), Some(2), "connected again, and left alone");
    let newer = desk.token_of(3);
    desk.bind("5f1b", "acme", 4, 2);
    let stale = desk.notify(&disabled(&newer));
    assert_eq!((stale.status(), effects(&stale)), (200, DisableEffect::Stale));
    assert_eq!(desk.live("5f1b"), Some(3));
}

#[test]
fn i19_a_disable_of_an_attempt_leaves_the_live_integration() {
    let mut desk = desk();
    desk.arm("5f1b", "acme", 3, 1);
    let provisional = desk.token_of(3);
    assert_eq!(desk.notify(&disabled(&provisional)).status(), 200);
    assert_eq!(desk.live("5f1b"), Some(1));
    let record = desk.store.record(&key("5f1b")).unwrap();
    assert!(record.attempt.is_none(), "what it spoke for has ended");
}

#[test]
fn i20_bodies_are_judged_by_a_written_rule_and_change_nothing() {
    let json = Some("application/json");
    let extra = r#"{"eventType":"INTEGRATION_DISABLED","x":[1,{"y":null}]}"#;
    let long = format!(r#"{{"eventType":"OTHER","x":"{}"}}"#, "x".repeat(1_000_000));
    let cases = [
        ("an unknown event", json, r#"{"eventType":"INTEGRATION_ENABLED"}"#.to_owned(), 202),
        ("another spelling", json, DISABLED.to_lowercase().replace("eventtype", "eventType"), 202),
        ("an empty event", json, r#"{"eventType":""}"#.to_owned(), 202),
        ("no event", json, "{}".to_owned(), 400),
        ("an event that is no text", json, r#"{"eventType":7}"#.to_owned(), 400),
        ("an event that comes twice", json, r#"{"eventType":"A","eventType":"B"}"#.to_owned(), 400),
        ("an array", json, r#"["INTEGRATION_DISABLED"]"#.to_owned(), 400),
        ("no JSON", json, "INTEGRATION_DISABLED".to_owned(), 400),
        ("nothing", json, String::new(), 400),
        ("something after it", json, format!("{DISABLED}x"), 400),
        ("another type", Some("text/plain"), DISABLED.to_owned(), 415),
        ("a form", Some("application/x-www-form-urlencoded"), DISABLED.to_owned(), 415),
        ("too long", json, long, 413),
    ];
    for (name, kind, body, status) in cases {
        let mut desk = desk();
        let token = desk.token_of(1);
        let mut request = with_token("POST", URL, &token, &body);
        request.headers_mut().insert("content-type", kind.unwrap().parse().unwrap());
        let served = desk.notify(&request);
        assert_eq!(served.status(), status, "{name}");
        assert_eq!(desk.live("5f1b"), Some(1), "{name}");
        let told =
            served.events.iter().any(|it| matches!(it, InboundEvent::UnknownNotification { .. }));
        assert_eq!(told, status == 202, "{name}");
        // Whoever has no token learns nothing of the body's rules.
        let mut foreign = with_token("POST", URL, &"0".repeat(64), &body);
        foreign.headers_mut().insert("content-type", kind.unwrap().parse().unwrap());
        assert_eq!(desk.notify(&foreign).status(), 401, "{name}");
    }
    let accepted = [
        ("extra members", json, extra),
        ("a charset", Some("application/json; charset=utf-8"), DISABLED),
        ("no type", None, DISABLED),
    ];
    for (name, kind, body) in accepted {
        let mut desk = desk();
        let token = desk.token_of(1);
        let mut request = with_token("POST", URL, &token, body);
        request.headers_mut().remove("content-type");
        if let Some(kind) = kind {
            request.headers_mut().insert("content-type", kind.parse().unwrap());
        }
        assert_eq!(desk.notify(&request).status(), 200, "{name}");
        assert_eq!(desk.live("5f1b"), None, "{name}");
    }
    let mut desk = desk();
    let token = desk.token_of(1);
    let mut get = disabled(&token);
    *get.method_mut() = http::Method::GET;
    assert_eq!(desk.notify(&get).status(), 405);
}

#[test]
fn i21_success_is_answered_when_the_end_is_durable_and_not_before() {
    for failures in 0..=4_u32 {
        for done in [false, true] {
            let mut desk = desk();
            let token = desk.token_of(1);
            desk.failing = vec![("Disable", failures, done)];
            let served = desk.notify(&disabled(&token));
            let durable = desk.live("5f1b").is_none();
            let name = format!("{failures} failures, carried out: {done}");
            assert_eq!(served.status(), if failures < 3 { 200 } else { 503 }, "{name}");
            assert!(served.status() != 200 || durable, "{name}");
            assert_eq!(served.ops.len(), 3.min(failures as usize + 1), "{name}");
        }
    }
}

#[test]
fn i22_nothing_is_issued_or_admitted_after_the_end() {
    let mut desk = desk();
    let (first, second) = (desk.token_of(1), desk.token_of(1));
    assert!(desk.call(&first, None).admitted.is_some());
    assert_eq!(desk.notify(&disabled(&first)).status(), 200);
    for token in [&first, &second] {
        let served = desk.call(token, None);
        assert_eq!(served.status(), 401);
        assert_eq!(served.events, [InboundEvent::Refused(Refusal::Retired)]);
    }
    let refused = desk.token(&crate::fixture::token_form(&crate::fixture::outbound(1)));
    assert_eq!(refused.status(), 401);
    let other = desk.token_of(2);
    assert!(desk.call(&other, None).admitted.is_some(), "the other company goes on");
}

#[test]
fn a_token_that_has_ended_can_disable_nothing() {
    let mut desk = desk();
    let token = desk.token_of(1);
    desk.now = at(1_800);
    assert_eq!(desk.notify(&disabled(&token)).status(), 401);
    assert_eq!(desk.live("5f1b"), Some(1));
}

#[test]
fn k09_one_operation_ends_everything_of_a_company_or_of_all() {
    let mut desk = desk();
    let (ours, other) = (desk.token_of(1), desk.token_of(2));
    desk.apply(PartnerOp::End { cause: EndCause::Revoked, generation: None, key: key("5f1b") });
    assert_eq!(desk.call(&ours, None).events, [InboundEvent::Refused(Refusal::Foreign)]);
    assert_eq!(desk.notify(&disabled(&ours)).status(), 401);
    let record = desk.store.record(&key("5f1b")).unwrap();
    assert!(record.binding.is_none() && record.attempt.is_none(), "no secret is left");
    assert!(desk.call(&other, None).admitted.is_some());
    desk.arm("c3", "initech", 3, 0);
    desk.apply(PartnerOp::EndAll { cause: EndCause::Revoked });
    assert_eq!(desk.store.held().0, 0, "no token is left");
    for (company, number) in [("77aa", 2), ("c3", 3)] {
        let record = desk.store.record(&key(company)).unwrap();
        assert!(record.binding.is_none() && record.attempt.is_none(), "{company}");
        let form = crate::fixture::token_form(&crate::fixture::outbound(number));
        assert_eq!(desk.token(&form).status(), 401, "{company}");
    }
}
