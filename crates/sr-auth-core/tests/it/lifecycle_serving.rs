//! What a caller is served, and when a renewal is wanted.

use sr_auth_core::lifecycle::{Event, Input, Wanted};

use crate::fixture::at;
use crate::lifecycle_scene::{Reply, Scene, Step, fingerprint};
use crate::lifecycle_words::{granted, invalid_grant, refused, rotated};

fn rejects(token: &'static str) -> Step {
    match token {
        "at1" => Step::Input("the API rejects at1", || Input::Rejected {
            fingerprint: fingerprint("at1"),
        }),
        "at2" => Step::Input("the API rejects at2", || Input::Rejected {
            fingerprint: fingerprint("at2"),
        }),
        _ => Step::Input("the API rejects at3", || Input::Rejected {
            fingerprint: fingerprint("at3"),
        }),
    }
}

#[test]
fn a_good_token_is_served_at_once_and_a_due_one_is_renewed_beside() {
    insta::assert_snapshot!(Scene::of_user().story(vec![
        (0, Step::Want),
        (1_199, Step::Want),
        (1_200, Step::Want),
        (1_202, rotated(2)),
    ]));
}

#[test]
fn without_a_token_everybody_waits_for_one_renewal() {
    insta::assert_snapshot!(Scene::imported().story(vec![
        (0, Step::Want),
        (1, Step::Want),
        (1, Step::Want),
        (2, rotated(2)),
        (2, Step::Want),
    ]));
}

/// Whoever is served does not wait: what is read decides how urgent a renewal is.
#[test]
fn a_renewal_is_as_urgent_as_the_token_is_old() {
    let cases = [
        ("fresh", 100, None),
        ("due", 1_300, Some(Wanted::Soft)),
        ("about to end", 1_700, Some(Wanted::Expiring)),
        ("ended", 1_800, Some(Wanted::Interactive)),
    ];
    for (name, secs, expected) in cases {
        let mut scene = Scene::of_user();
        scene.now = at(secs);
        scene.play(vec![(secs, Step::Want)]);
        assert_eq!(scene.lifecycle.view(scene.now).wanted, expected, "{name}, first asked");
        let mut scene = Scene::of_user();
        scene.play(vec![(0, Step::Want), (secs, Step::Want)]);
        assert_eq!(scene.lifecycle.view(scene.now).wanted, expected, "{name}, asked again");
    }
}

#[test]
fn a_token_is_served_until_its_last_moment_and_not_in_it() {
    let mut scene = Scene::of_user();
    scene.play(vec![(0, Step::Want), (1_768, Step::Pass)]);
    assert_eq!(scene.caller(), "gets at1 until 1769.000 s");
    scene.play(vec![(1_769, Step::Pass)]);
    assert_eq!(scene.caller(), "waits", "nobody has asked since");
}

#[test]
fn a_dead_grant_serves_its_last_token_and_then_says_why_it_is_dead() {
    insta::assert_snapshot!(Scene::of_user().story(vec![
        (0, Step::Want),
        (1_300, Step::Want),
        (1_301, invalid_grant()),
        (1_302, Step::Want),
        (1_800, Step::Want),
    ]));
}

#[test]
fn a_late_401_for_an_old_token_changes_nothing() {
    insta::assert_snapshot!(Scene::of_user().story(vec![
        (0, Step::Want),
        (1_300, Step::Want),
        (1_301, rotated(2)),
        (1_302, rejects("at1")),
        (1_303, Step::Want),
    ]));
}

#[test]
fn c23_a_rejected_token_is_replaced_and_asked_for_once() {
    insta::assert_snapshot!(Scene::of_user().story(vec![
        (0, Step::Want),
        (100, rejects("at1")),
        (100, rejects("at1")),
        (101, rotated(2)),
        (102, rejects("at1")),
    ]));
}

#[test]
fn c23_two_fresh_tokens_rejected_mean_that_renewing_does_not_help() {
    insta::assert_snapshot!(Scene::of_user().story(vec![
        (0, Step::Want),
        (1, rejects("at1")),
        (2, rotated(2)),
        (3, rejects("at2")),
        (4, rejects("at2")),
        (5, Step::Want),
        (70, rejects("at2")),
        (71, Step::Want),
    ]));
}

/// The next token, renewed because of its age, gets its own chance; one rejection is then enough.
#[test]
fn c23_a_later_token_is_tried_once_and_not_renewed_for_its_rejection() {
    let mut scene = Scene::of_user();
    scene.play(vec![
        (0, Step::Want),
        (1, rejects("at1")),
        (2, rotated(2)),
        (3, rejects("at2")),
        (1_500, Step::Want),
        (1_501, rotated(3)),
        (1_502, rejects("at3")),
        (1_503, Step::Want),
    ]);
    assert_eq!(scene.presented.len(), 2, "{:?}", scene.presented);
    let is_told = |it: &&(_, Event)| matches!(it.1, Event::PersistentlyRejected { .. });
    assert_eq!(scene.events.iter().filter(is_told).count(), 2);
    assert_eq!(scene.caller(), "gets at3 until 3269.000 s");
}

#[test]
fn a_token_that_was_good_for_a_while_is_replaced_however_often_it_is_rejected() {
    let mut scene = Scene::of_user();
    scene.play(vec![
        (0, Step::Want),
        (61, rejects("at1")),
        (62, rotated(2)),
        (123, rejects("at2")),
        (124, rotated(3)),
        (185, rejects("at3")),
        (186, rotated(4)),
    ]);
    assert_eq!(scene.caller(), "gets at4 until 1954.000 s");
    assert!(!scene.events.iter().any(|it| matches!(it.1, Event::PersistentlyRejected { .. })));
}

/// Whatever an early renewal comes to, a caller does not see it while the old token is good.
#[test]
fn a_failed_early_renewal_is_nobodys_business() {
    let failures = [
        ("not sent", Step::Answer(Reply::NotSent)),
        ("lost", Step::Answer(Reply::Lost)),
        ("invalid_grant", invalid_grant()),
        ("invalid_client", refused(401, "invalid_client")),
        ("invalid_scope", refused(400, "invalid_scope")),
        ("an unknown refusal", refused(403, "quota")),
        ("429", Step::Answer(Reply::Wait(429, 600))),
        ("503", Step::Answer(Reply::Body(503, String::new()))),
        ("garbage", Step::Answer(Reply::Body(200, "<html>".to_owned()))),
        ("no successor", granted(2)),
    ];
    for (name, failure) in failures {
        let mut scene = Scene::of_user();
        scene.play(vec![(0, Step::Want), (1_300, Step::Want)]);
        assert_eq!(scene.presented.len(), 1, "{name}");
        scene.play(vec![(1_310, failure), (1_311, Step::Want)]);
        assert!(scene.caller().starts_with("gets at"), "{name}: {}", scene.caller());
        scene.play(vec![(1_768, Step::Pass)]);
        assert!(scene.caller().starts_with("gets at"), "{name}: {}", scene.caller());
    }
}
