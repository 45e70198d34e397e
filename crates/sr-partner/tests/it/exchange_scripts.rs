//! One exchange, step by step, against a service that answers in every way it can.

use sr_auth_core::{GrantError, Remedy};
use sr_partner::consent::BrowserReturn;
use sr_partner::exchange::{
    ExchangeError, ExchangeEvent, Probe, Reconciliation, Unverified, Verification,
};
use sr_partner::store::{Phase, Verified};

use crate::exchange_scene::{CREDENTIALS, Fate, Reaction, Scene, ok, status};
use crate::fixture::{Desk, consent, key, settings};

fn scene() -> Scene {
    Scene::begin(Desk::new(), settings(), consent("5f1b", "acme", 0, 1))
}

fn probing() -> Scene {
    let probe = Probe::new("/configuration/company", "/id").expect("valid");
    let settings = settings().with_verification(Verification::Probe(probe));
    Scene::begin(Desk::new(), settings, consent("5f1b", "acme", 0, 1))
}

fn unavailable() -> GrantError {
    GrantError::Unavailable { attempts: 3, retry_at: None }
}

#[test]
fn a_consent_becomes_an_integration_that_its_owner_confirms() {
    insta::assert_snapshot!(scene().reacting([ok()]).run().story);
}

#[test]
fn a_consent_becomes_an_integration_that_a_call_confirms() {
    let company = Reaction::Answer(200, r#"{"id":"5f1b","name":"Acme"}"#.to_owned());
    insta::assert_snapshot!(probing().reacting([ok(), company]).run().story);
}

#[test]
fn a_lost_answer_is_waited_for_and_nothing_is_sent_again() {
    insta::assert_snapshot!(scene().reacting([Reaction::Silence]).run().story);
}

#[test]
fn a_lost_answer_may_be_asked_for_once_more_when_the_first_request_is_over() {
    let settings = settings().with_reconciliation(Reconciliation::PostOnceMore);
    let scene = Scene::begin(Desk::new(), settings, consent("5f1b", "acme", 0, 1));
    insta::assert_snapshot!(scene.reacting([Reaction::Lost, ok()]).run().story);
}

#[test]
fn a_master_token_that_is_refused_is_renewed_once() {
    insta::assert_snapshot!(scene().reacting([status(401), ok()]).run().story);
}

#[test]
fn a_store_that_fails_keeps_the_credentials_waiting_and_the_browser_too() {
    let fates = [
        ("Begin", Fate::Lost),
        ("Arm", Fate::Fails),
        ("Commit", Fate::Fails),
        ("Commit", Fate::Fails),
        ("Commit", Fate::Lost),
    ];
    insta::assert_snapshot!(scene().reacting([ok()]).with_fates(&fates).run().story);
}

#[test]
fn p18_every_way_to_fail_ends_without_a_way_back() {
    use ExchangeError as E;
    let refused = |status| E::Refused { status };
    let redirect = Reaction::Answer(307, String::new());
    let master = |remedy| E::MasterToken { remedy };
    let cases = [
        ("no consent at SmartRecruiters", vec![status(403)], refused(403)),
        ("no such thing", vec![status(404)], refused(404)),
        ("a bad request", vec![status(400)], refused(400)),
        ("there already", vec![status(409)], E::AlreadyIntegrated),
        ("too many requests", vec![status(429)], E::Throttled { retry_at: None }),
        ("401 twice", vec![status(401), status(401)], master(Remedy::FixConfiguration)),
        (
            "never sent",
            vec![Reaction::NotSent, Reaction::NotSent, Reaction::NotSent],
            E::Unavailable,
        ),
        ("lost", vec![Reaction::Lost], E::OutcomeUnknown),
        ("silence", vec![Reaction::Silence], E::OutcomeUnknown),
        ("a server fault", vec![status(500)], E::OutcomeUnknown),
        ("a gateway's fault", vec![status(504)], E::OutcomeUnknown),
        ("a request timeout", vec![status(408)], E::OutcomeUnknown),
        ("a redirect", vec![redirect], E::OutcomeUnknown),
        ("an empty object", vec![Reaction::Answer(200, "{}".to_owned())], E::OutcomeUnknown),
        ("no JSON", vec![Reaction::Answer(200, "<html>".to_owned())], E::OutcomeUnknown),
        ("an array", vec![Reaction::Answer(200, r#"["a","b"]"#.to_owned())], E::OutcomeUnknown),
        (
            "an empty secret",
            vec![Reaction::Answer(200, CREDENTIALS.replace("customer-secret", ""))],
            E::OutcomeUnknown,
        ),
        ("half an answer", vec![Reaction::Part(CREDENTIALS[..40].to_owned())], E::OutcomeUnknown),
        (
            "too long",
            vec![Reaction::Answer(200, format!("{CREDENTIALS}{}", " ".repeat(70_000)))],
            E::OutcomeUnknown,
        ),
    ];
    for (name, reactions, expected) in cases {
        let posts = reactions.len();
        let scene = scene().reacting(reactions).run();
        assert_eq!(*scene.outcome(), ExchangeEvent::Failed(expected), "{name}");
        assert_eq!(scene.requests.len(), posts, "{name}: {}", scene.story);
        assert_eq!(scene.desk.live("5f1b"), None, "{name}");
        let attempt = scene.desk.store.record(&key("5f1b")).unwrap().attempt.as_ref();
        let doubtful = expected == E::OutcomeUnknown;
        assert_eq!(attempt.is_some(), doubtful, "{name}: what was refused is void");
    }
}

#[test]
fn success_takes_whatever_holds_the_credentials() {
    let more = CREDENTIALS.replace('}', r#","scopes":["a"],"x":null}"#);
    let without_id = r#"{"clientId":"customer-82e4","clientSecret":"customer-secret"}"#;
    let cases = [
        ("as documented", ok()),
        ("201", Reaction::Answer(201, CREDENTIALS.to_owned())),
        ("unknown members", Reaction::Answer(200, more)),
        ("without an id", Reaction::Answer(200, without_id.to_owned())),
        ("broken off after its last byte", Reaction::Part(CREDENTIALS.to_owned())),
        ("late", Reaction::Late(127, 200, CREDENTIALS.to_owned())),
        ("later than was waited for", Reaction::Late(133, 200, CREDENTIALS.to_owned())),
    ];
    for (name, reaction) in cases {
        let scene = scene().reacting([reaction]).run();
        let ExchangeEvent::AwaitsOwner { back, .. } = scene.outcome() else {
            panic!("{name}: {}", scene.story)
        };
        assert!(matches!(back, BrowserReturn::Redirect(_)), "{name}");
        let record = scene.desk.store.record(&key("5f1b")).unwrap();
        let Phase::Integrated { integrated, .. } = &record.attempt.as_ref().unwrap().phase else {
            panic!("{name}: {record:?}")
        };
        assert_eq!(integrated.secret.expose(), "customer-secret", "{name}");
    }
}

#[test]
fn a_late_refusal_settles_what_was_in_doubt() {
    let scene = scene().reacting([Reaction::Late(131, 403, String::new())]).run();
    let refused = ExchangeError::Refused { status: 403 };
    assert_eq!(scene.events, [ExchangeEvent::Unsettled, ExchangeEvent::Failed(refused)]);
    assert!(scene.desk.store.record(&key("5f1b")).unwrap().attempt.is_none(), "void");
}

#[test]
fn p09_credentials_of_another_company_are_destroyed_and_bind_nothing() {
    for body in [r#"{"id":"77aa"}"#, r#"{"id":12379433}"#, r#"{"id":"5f1B"}"#] {
        let scene = probing().reacting([ok(), Reaction::Answer(200, body.to_owned())]).run();
        assert_eq!(*scene.outcome(), ExchangeEvent::Failed(ExchangeError::OtherCompany), "{body}");
        let record = scene.desk.store.record(&key("5f1b")).unwrap();
        assert!(record.binding.is_none() && record.attempt.is_none(), "{body}");
    }
    let fates = [("Void", Fate::Fails); 9];
    let other = Reaction::Answer(200, r#"{"id":"77aa"}"#.to_owned());
    let scene = probing().reacting([ok(), other]).with_fates(&fates).run();
    assert!(
        scene.desk.store.record(&key("5f1b")).unwrap().attempt.is_none(),
        "however long it takes"
    );
}

#[test]
fn p09_what_no_call_can_confirm_waits_for_its_owner() {
    let answer = |body: &str| Reaction::Answer(200, body.to_owned());
    let cases = [
        ("refused", vec![status(403)], Unverified::Refused),
        ("not authenticated", vec![status(401)], Unverified::Refused),
        ("a fault that lasts", vec![status(503), status(503), status(503)], Unverified::NoAnswer),
        ("too many requests", vec![status(429), status(429), status(429)], Unverified::NoAnswer),
        (
            "silence",
            vec![Reaction::Silence, Reaction::Lost, Reaction::NotSent],
            Unverified::NoAnswer,
        ),
        ("no company", vec![answer("{}")], Unverified::Unreadable),
        ("another type", vec![answer(r#"{"id":["5f1b"]}"#)], Unverified::Unreadable),
        ("no JSON", vec![answer("5f1b")], Unverified::Unreadable),
    ];
    for (name, reactions, expected) in cases {
        let scene = probing().reacting([ok()]).reacting(reactions).run();
        let ExchangeEvent::AwaitsOwner { why, .. } = scene.outcome() else {
            panic!("{name}: {}", scene.story)
        };
        assert_eq!(*why, expected, "{name}");
        assert_eq!(scene.desk.live("5f1b"), None, "{name}");
    }
    let mut without_token = probing().reacting([ok()]);
    without_token.tokens.extend([Ok("master-token"), Err(unavailable())]);
    let scene = without_token.run();
    let ExchangeEvent::AwaitsOwner { why: Unverified::NoToken, .. } = scene.outcome() else {
        panic!("{}", scene.story)
    };
    let fault_then_good = [ok(), status(503), answer(r#"{"id":"5f1b"}"#)];
    let scene = probing().reacting(fault_then_good).run();
    let ExchangeEvent::Bound { verified: Verified::ByProbe, .. } = scene.outcome() else {
        panic!("{}", scene.story)
    };
    assert_eq!(scene.desk.live("5f1b"), Some(1));
}

#[test]
fn without_a_master_token_nothing_is_sent_and_nothing_is_left() {
    let mut scene = scene();
    scene.tokens.push_back(Err(unavailable()));
    let scene = scene.run();
    let remedy = Remedy::RetryLater { at: None };
    assert_eq!(*scene.outcome(), ExchangeEvent::Failed(ExchangeError::MasterToken { remedy }));
    assert!(scene.requests.is_empty());
    assert!(scene.desk.store.record(&key("5f1b")).unwrap().attempt.is_none());
}

#[test]
fn what_was_not_sent_is_announced_again_and_sent_with_the_same_credentials() {
    let scene = scene().reacting([Reaction::NotSent, Reaction::NotSent, ok()]).run();
    let ExchangeEvent::AwaitsOwner { .. } = scene.outcome() else { panic!("{}", scene.story) };
    let bodies: Vec<&[u8]> = scene.requests.iter().map(|it| it.request.body().expose()).collect();
    assert!(bodies.iter().all(|it| *it == bodies[0]) && bodies.len() == 3);
}

#[test]
fn our_own_api_is_open_to_smartrecruiters_before_its_answer_and_shut_after_a_refusal() {
    let mut lost = scene().reacting([Reaction::Lost]).run();
    let body: serde_json::Value =
        serde_json::from_slice(lost.requests[0].request.body().expose()).unwrap();
    let ours = |body: &serde_json::Value| {
        crate::fixture::form(&[
            ("client_id", body["clientId"].as_str().unwrap()),
            ("client_secret", body["clientSecret"].as_str().unwrap()),
            ("grant_type", "client_credentials"),
        ])
    };
    assert_eq!(lost.desk.token(&ours(&body)).status(), 200, "it may have been processed");
    let mut refused = scene().reacting([status(403)]).run();
    assert_eq!(refused.desk.token(&ours(&body)).status(), 401);
}
