//! Codes, states and refresh tokens on a network that loses things.

use std::collections::BTreeMap;
use std::time::Duration;

use sr_auth_core::grant::{AuthorizationRequest, Input, Output, PendingAuthorization};
use sr_auth_core::wire::callback::{Callback, CallbackError};
use sr_auth_core::{
    ExpiredCredential, GrantError, Machine, Secret, SingleUse, Timestamp, TransportFailure,
};
use sr_testkit::{DemoCredentials, Effect, Fault, Target, drive};

use crate::fixture::{Scene, at, fingerprint, refresh_of, scene};

/// Every way in which an exchange can go wrong once it has begun.
fn accidents() -> Vec<(&'static str, Fault)> {
    let redirect = Effect::Redirect { location: "https://elsewhere.example/".into(), status: 307 };
    let late = Effect::Delay { millis: 200_000 };
    let token = |effect| Fault::new(Target::Token, effect);
    vec![
        ("the request is lost", token(Effect::LostBefore)),
        ("the answer is lost", token(Effect::LostAfter)),
        ("the answer is late", token(late)),
        ("an error before processing", token(Effect::Status { status: 503 })),
        ("an error after processing", token(Effect::Status { status: 502 }).after_processing()),
        ("garbage after processing", token(Effect::Garbage).after_processing()),
        ("an endless answer", token(Effect::HugeBody { bytes: 100_000 }).after_processing()),
        ("a redirect", token(redirect)),
    ]
}

#[test]
fn c12_a_code_is_presented_once_whatever_happens_to_it() {
    for (name, fault) in accidents() {
        let mut scene = scene(&[]);
        scene.simulator.inject(fault.times(9));
        let settings = scene.settings();
        let failure = scene.sign_in(&settings, DemoCredentials::ADMINISTRATOR);
        let failure = failure.expect_err(name);
        assert_eq!(scene.presentations("authorization_code"), 1, "{name}");
        assert_ne!(failure.error().single_use(), SingleUse::Unspent, "{name}");
    }
}

#[test]
fn a_refresh_token_is_presented_once_whatever_happens_to_it() {
    for (name, fault) in accidents() {
        let mut scene = scene(&[]);
        let tokens = scene.tokens();
        scene.simulator.inject(fault.times(9));
        let failure = scene.refresh(&refresh_of(&tokens)).expect_err(name);
        assert_eq!(scene.presentations("refresh_token"), 1, "{name}");
        assert_ne!(failure.error().single_use(), SingleUse::Unspent, "{name}");
    }
}

#[test]
fn c13_a_code_that_cannot_be_sent_in_time_is_not_sent() {
    for late in 0..=31 {
        let mut scene = scene(&[]);
        let settings = scene.settings();
        let (pending, callback) = begun(&mut scene);
        let mut grant = pending.accept(&settings, &callback, scene.now).expect("a code");
        let Some(Output::Transmit(transmit)) = grant.poll_output() else {
            unreachable!("a request first")
        };
        // The driver could not write before now.
        scene.now = at(late);
        let writable = scene.now <= transmit.not_after;
        assert_eq!(writable, late <= 15, "{late} s");
        let failure = TransportFailure::BeforeSend;
        grant.handle_input(
            scene.now,
            Input::TransportFailed { id: transmit.id, failure, received: None },
        );
        let outcome = drive(&mut grant, &mut scene.simulator, &mut scene.now).expect("it ends");
        let sent = scene.presentations("authorization_code");
        assert_eq!(sent, usize::from(late <= 26), "{late} s");
        match outcome {
            Ok(_) => assert!(scene.now <= at(27), "{late} s"),
            Err(failure) => {
                let expired = GrantError::Expired(ExpiredCredential::AuthorizationCode);
                assert_eq!(*failure.error(), expired, "{late} s");
            }
        }
    }
}

/// An authorization with its callback, fresh from the browser.
fn begun(scene: &mut Scene) -> (PendingAuthorization, Callback) {
    let request = AuthorizationRequest::new(&scene.settings(), [9; 64], scene.now);
    let request = request.expect("an endpoint");
    let location = scene.browse(request.url(), "authorize", DemoCredentials::ADMINISTRATOR);
    (request.into_pending(), Callback::new(&location))
}

#[test]
fn c08_another_session_another_state_and_an_old_one_are_refused() {
    let cookie = Secret::new("the-cookie-of-the-browser-that-began".to_owned());
    let other = Secret::new("the-cookie-of-another-browser".to_owned());
    let cases = [
        ("its own session", Some(cookie.clone()), "", 0, None),
        ("another session", Some(other), "", 0, Some(CallbackError::OtherSession)),
        ("no session", None, "", 0, Some(CallbackError::OtherSession)),
        ("another state", Some(cookie.clone()), "0", 0, Some(CallbackError::StateMismatch)),
        ("too late", Some(cookie.clone()), "", 600, Some(CallbackError::Expired)),
    ];
    for (name, session, tampered, later, expected) in cases {
        let mut scene = scene(&[]);
        let settings = scene.settings();
        let request = AuthorizationRequest::new(&settings, [9; 64], scene.now);
        let request = request.expect("an endpoint").bind_to(&cookie);
        let url = request.url().to_owned();
        let location = scene.browse(&url, "authorize", DemoCredentials::ADMINISTRATOR);
        let mut callback = Callback::new(&format!("{location}{tampered}"));
        if let Some(session) = session {
            callback = callback.with_session(session);
        }
        let now = scene.now.after(Duration::from_secs(later));
        let accepted = request.into_pending().accept(&settings, &callback, now);
        assert_eq!(accepted.err(), expected, "{name}");
        assert_eq!(scene.presentations("authorization_code"), 0, "{name}");
    }
}

/// What a web service keeps between the two visits of a browser: one entry per `state`.
type Sessions = BTreeMap<String, Secret>;

/// Takes an authorization out of the sessions, then judges the callback and exchanges the code,
/// unless the process dies in between.
fn answer(scene: &mut Scene, sessions: &mut Sessions, callback: &str, dies: bool) -> bool {
    let state = callback.split_once("state=").map_or("", |(_, state)| state);
    let Some(stored) = sessions.remove(state) else { return false };
    let pending = PendingAuthorization::from_secret(&stored).expect("what was stored");
    let settings = scene.settings();
    let mut grant = pending.accept(&settings, &Callback::new(callback), scene.now).expect("a code");
    if dies {
        return false;
    }
    drive(&mut grant, &mut scene.simulator, &mut scene.now).expect("it ends").is_ok()
}

#[test]
fn c09_a_state_is_used_up_before_its_code_is_sent() {
    for dies in [false, true] {
        let mut scene = scene(&[]);
        let request = AuthorizationRequest::new(&scene.settings(), [9; 64], scene.now);
        let request = request.expect("an endpoint");
        let url = request.url().to_owned();
        let pending = request.into_pending();
        let state = pending.state().expose().to_owned();
        let mut sessions = Sessions::from([(state, pending.to_secret())]);
        let callback = scene.browse(&url, "authorize", DemoCredentials::ADMINISTRATOR);
        assert_eq!(answer(&mut scene, &mut sessions, &callback, dies), !dies);
        // The same callback again, as by a reload or from another process.
        assert!(!answer(&mut scene, &mut sessions, &callback, false));
        assert_eq!(scene.presentations("authorization_code"), usize::from(!dies));
    }
}

#[test]
fn a_lost_answer_leaves_the_truth_with_the_server() {
    let mut scene = scene(&[]);
    let tokens = scene.tokens();
    let held = refresh_of(&tokens);
    scene.simulator.inject(Fault::new(Target::Token, Effect::LostAfter));
    let failure = scene.refresh(&held).expect_err("the answer is lost");
    assert_eq!(*failure.error(), GrantError::OutcomeUnknown);
    let grants = scene.simulator.grants(scene.now);
    let grant = grants.first().expect("one grant");
    assert_eq!(grant.spent_refresh, [fingerprint(held.secret())]);
    assert_eq!(grant.live_refresh.len(), 1, "the successor that nobody holds");
    let failure = scene.refresh(&held).expect_err("it was used");
    assert_eq!(failure.error().single_use(), SingleUse::Spent);
}

#[test]
fn time_at_the_epoch_is_as_good_as_any() {
    let mut scene = scene(&[]);
    scene.now = Timestamp::from_unix_millis(0);
    assert!(scene.tokens().rotated());
}
