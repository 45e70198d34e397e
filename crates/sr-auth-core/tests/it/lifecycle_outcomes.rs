//! Each class of answers of the token endpoint: who acts, what was spent, and what becomes of the
//! grant.

use std::fmt::Write as _;

use sr_auth_core::store::{CauseOfDeath, Health, Renewal};

use crate::lifecycle_scene::{Mood, Reply, Scene, Step};
use crate::lifecycle_words::{DAY, granted, invalid_grant, moment, refused, rotated};

fn body(status: u16, body: &str) -> Step {
    Step::Answer(Reply::Body(status, body.to_owned()))
}

/// What one answer led to, in one line: the record, the stage, and what a caller without a token
/// gets.
fn outcome(answer: Step) -> String {
    let mut scene = Scene::imported();
    scene.play(vec![(0, Step::Want), (10, answer)]);
    let view = scene.lifecycle.view(scene.now);
    let record = scene.record();
    let intent = if record.intent.is_some() { ", its intent stands" } else { "" };
    let health = record.health;
    let wakes = view.timeout_in.map_or(0, |it| it.as_millis());
    let caller = scene.caller();
    format!("{health:?}{intent}; {:?} for {wakes} ms\n        caller {caller}", view.stage)
}

#[test]
fn every_class_of_answers_has_its_own_consequence() {
    let salvageable = r#"{"refresh_token":"rt2","acc"#;
    let cases = [
        ("not sent", Step::Answer(Reply::NotSent)),
        ("no answer", Step::Answer(Reply::Lost)),
        ("broken off, with nothing in it", Step::Answer(Reply::Cut("{\"acc".to_owned()))),
        ("broken off, with a token in it", Step::Answer(Reply::Cut(salvageable.to_owned()))),
        ("tokens", rotated(2)),
        ("tokens, as 201", body(201, &crate::lifecycle_words::tokens(2))),
        ("an access token alone", granted(2)),
        ("truncated, with a token in it", body(200, salvageable)),
        ("200 {}", body(200, "{}")),
        ("200 with a page", body(200, "<html>hello</html>")),
        ("200 with invalid_grant", refused(200, "invalid_grant")),
        ("400 invalid_grant", invalid_grant()),
        ("401 invalid_grant", refused(401, "invalid_grant")),
        ("400 invalid_client", refused(400, "invalid_client")),
        ("401 invalid_client", refused(401, "invalid_client")),
        ("401 without a word", body(401, "")),
        ("400 unauthorized_client", refused(400, "unauthorized_client")),
        ("400 invalid_scope", refused(400, "invalid_scope")),
        ("400 invalid_request", refused(400, "invalid_request")),
        ("400 unsupported_grant_type", refused(400, "unsupported_grant_type")),
        ("415", body(415, "")),
        ("429", body(429, "")),
        ("429 with Retry-After", Step::Answer(Reply::Wait(429, 90))),
        ("307", body(307, "")),
        ("408", body(408, "")),
        ("500", body(500, "")),
        ("503 with Retry-After", Step::Answer(Reply::Wait(503, 400))),
        ("400 server_error", refused(400, "server_error")),
        ("403 with an unknown code", refused(403, "account_locked")),
        ("404 with a page", body(404, "<html>not here</html>")),
    ];
    let mut told = String::new();
    for (name, answer) in cases {
        writeln!(told, "{name}\n        {}", outcome(answer)).expect("writing to a text");
    }
    insta::assert_snapshot!(told);
}

#[test]
fn a_token_that_is_salvaged_from_a_truncated_answer_is_committed_and_used() {
    insta::assert_snapshot!(Scene::of_user().story(vec![
        (0, Step::Want),
        (1_300, Step::Want),
        (1_301, body(200, r#"{"refresh_token":"rt2","access_tok"#)),
        (1_303, rotated(3)),
    ]));
}

#[test]
fn a_server_that_breaks_after_rotating_is_presented_the_old_token_once_more() {
    insta::assert_snapshot!(Scene::of_user().story(vec![
        (0, Step::Want),
        (1_300, Step::Want),
        (1_301, body(502, "<html>bad gateway</html>")),
        (1_440, invalid_grant()),
    ]));
}

#[test]
fn a_wrong_client_secret_never_kills_a_grant() {
    let mut scene = Scene::imported();
    scene.play(vec![(0, Step::Want)]);
    for _ in 0..200 {
        let secs = scene.now.as_unix_millis() / 1_000 + 1;
        scene.play(vec![(secs, refused(401, "invalid_client"))]);
        scene.wake();
    }
    assert_eq!(scene.record().health, Health::Live);
    assert!(scene.now.as_unix_millis() > 5_000_000, "pauses grow: {:?}", scene.now);
    let secs = scene.now.as_unix_millis() / 1_000 + 1;
    scene.play(vec![(secs, rotated(2))]);
    assert!(scene.caller().starts_with("gets at2"), "{}", scene.caller());
    assert!(scene.presented.iter().all(|it| it.1 == "rt1"));
}

#[test]
fn c36_a_server_that_refuses_is_asked_four_times_a_minute_at_most_after_the_first_minute() {
    let mut scene = Scene::imported();
    scene.play(vec![(0, Step::Want)]);
    while scene.now < crate::fixture::at(3_600) {
        scene.play(vec![(
            scene.now.as_unix_millis().div_ceil(1_000),
            refused(400, "invalid_scope"),
        )]);
        scene.wake();
    }
    let times: Vec<_> = scene.presented.iter().map(|it| it.0).collect();
    for (nth, from) in times.iter().enumerate() {
        let minute = from.after(std::time::Duration::from_secs(60));
        let within = times.iter().skip(nth).filter(|it| **it < minute).count();
        let limit = if nth == 0 { 8 } else { 7 };
        assert!(within <= limit, "{within} in the minute from {from:?}");
        assert!(*from < crate::fixture::at(60) || within <= 4, "{within} from {from:?}");
    }
}

/// Each answer is a success, and none is of use: a token without a life, or a truncated body.
#[test]
fn c36_a_server_whose_tokens_are_all_useless_is_asked_with_growing_pauses() {
    let useless: [fn(usize) -> String; 2] = [
        |nth| format!(r#"{{"access_token":"a","expires_in":0,"refresh_token":"r{nth}"}}"#),
        |nth| format!(r#"{{"refresh_token":"r{nth}","acc"#),
    ];
    for body in useless {
        for mut scene in [Scene::imported(), Scene::of_user()] {
            scene.play(vec![(0, Step::Want), (1_300, Step::Want)]);
            let begin = scene.presented.first().expect("a request").0;
            for nth in 0..20 {
                let secs = scene.now.as_unix_millis().div_ceil(1_000);
                scene.play(vec![(secs, Step::Answer(Reply::Body(200, body(nth))))]);
                let presented = scene.presented.len();
                while scene.presented.len() == presented && presented == nth + 1 {
                    scene.wake();
                }
            }
            let newest = scene.presented.last().expect("many").0;
            assert!(newest.since(begin).as_secs() > 300, "{:?}", scene.presented);
            let newest = scene.now.as_unix_millis().div_ceil(1_000);
            scene.play(vec![(newest, rotated(2)), (newest + 1, Step::Want)]);
            assert!(scene.caller().starts_with("gets at2"), "{}", scene.caller());
        }
    }
}

/// Five times over a day: then it is believed, and said for what it is.
#[test]
fn a_refusal_that_nobody_knows_is_believed_after_a_day_and_five_times() {
    let mut scene = Scene::imported();
    scene.play(vec![(0, Step::Want)]);
    let mut told = String::new();
    while scene.record().health.may_present() {
        let secs = scene.now.as_unix_millis().div_ceil(1_000);
        scene.play(vec![(secs, refused(403, "account_locked"))]);
        let (count, health) = (scene.presented.len(), scene.record().health);
        let (now, caller) = (moment(scene.now), scene.caller());
        writeln!(told, "{now}  presentation {count}: {health:?}\n    caller {caller}")
            .expect("writing to a text");
        if health.may_present() {
            scene.wake();
        }
    }
    assert_eq!(scene.record().health, Health::Dead(CauseOfDeath::Unrecognised));
    assert!(scene.now >= crate::fixture::at(DAY) && scene.now < crate::fixture::at(2 * DAY));
    insta::assert_snapshot!(told);
}

#[test]
fn a_refusal_that_nobody_knows_is_forgotten_with_the_next_success() {
    let mut scene = Scene::imported();
    scene.play(vec![(0, Step::Want), (0, refused(403, "account_locked"))]);
    assert_eq!(scene.record().health, Health::Suspect);
    assert_eq!(scene.record().refusals.count, 1);
    scene.play(vec![(136, rotated(2))]);
    assert_eq!((scene.record().health, scene.record().refusals.count), (Health::Live, 0));
}

#[test]
fn refusals_of_different_kinds_do_not_add_up() {
    let mut scene = Scene::imported();
    scene.play(vec![(0, Step::Want)]);
    for nth in 0..8 {
        let secs = scene.now.as_unix_millis().div_ceil(1_000);
        let status = if nth % 2 == 0 { 403 } else { 404 };
        scene.play(vec![(secs, refused(status, "odd"))]);
        assert_eq!(scene.record().refusals.count, 1, "{nth}");
        scene.wake();
    }
    assert_eq!(scene.record().health, Health::Suspect);
}

/// A suspect grant is read by another process with its back-off and its reason.
#[test]
fn a_suspicion_is_shared_by_all_processes() {
    let mut scene = Scene::imported();
    scene.play(vec![(0, Step::Want), (0, refused(403, "account_locked"))]);
    let mut other = Scene::empty(Renewal::SingleUse, sr_auth_core::lifecycle::Settings::default());
    other.store = scene.store.clone();
    other.play(vec![(1, Step::Want)]);
    assert_eq!(other.caller(), scene.caller());
    assert!(other.caller().contains("renewal::suspicion"), "{}", other.caller());
    other.play(vec![(2, Step::Store(Mood::Up)), (136, rotated(2))]);
    assert!(other.caller().starts_with("gets at2"), "{}", other.caller());
}
