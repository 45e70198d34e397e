//! Client credentials: the same states, and nothing is ever spent.

use sr_auth_core::lifecycle::Input;
use sr_auth_core::store::{End, IntentId, NewGrant, NewIntent, StoreOp};

use crate::fixture::at;
use crate::lifecycle_scene::{B, Mood, Reply, Scene, Step, key};
use crate::lifecycle_words::{access, granted, invalid_grant, refused, tokens};

#[test]
fn client_credentials_make_their_record_when_they_are_first_used() {
    insta::assert_snapshot!(Scene::of_client().story(vec![
        (0, Step::Want),
        (1, granted(1)),
        (1_500, Step::Want),
        (1_501, granted(2)),
    ]));
}

#[test]
fn a_record_that_somebody_else_has_made_first_is_used_as_it_is() {
    let mut scene = Scene::of_client();
    let grant = NewGrant { access: Some(access(7, 0)), ..NewGrant::repeatable() };
    scene.play(vec![
        (0, Step::Store(Mood::Slow)),
        (0, Step::Want),
        (1, Step::Deliver(0)),
        (1, Step::Elsewhere(StoreOp::Adopt { grant, key: key(), only_if_missing: false })),
        (1, Step::Store(Mood::Up)),
        (1, Step::Deliver(0)),
    ]);
    assert!(scene.caller().starts_with("gets at7"), "{}", scene.caller());
    assert_eq!((scene.presented.len(), scene.record().generation.number()), (0, 1));
}

#[test]
fn client_credentials_are_asked_again_after_every_failure() {
    let failures = [
        ("lost", Step::Answer(Reply::Lost)),
        ("not sent", Step::Answer(Reply::NotSent)),
        ("503", Step::Answer(Reply::Body(503, String::new()))),
        ("200 {}", Step::Answer(Reply::Body(200, "{}".to_owned()))),
        ("a truncated answer", Step::Answer(Reply::Cut(r#"{"refresh_token":"rt1","#.to_owned()))),
        ("invalid_grant", invalid_grant()),
        ("invalid_client", refused(401, "invalid_client")),
        ("an unknown refusal", refused(403, "odd")),
    ];
    for (name, failure) in failures {
        let mut scene = Scene::of_client();
        scene.play(vec![(0, Step::Want), (1, failure)]);
        assert!(scene.caller().starts_with("fails: no access token: the token"), "{name}");
        assert!(scene.record().health.may_present(), "{name}");
        scene.play(vec![(3, Step::Pass)]);
        assert_eq!(scene.presented.len(), 2, "{name}: within two seconds");
        scene.play(vec![(3, granted(2))]);
        assert!(scene.caller().starts_with("gets at2"), "{name}: {}", scene.caller());
    }
}

#[test]
fn client_credentials_that_are_not_answered_are_given_up_after_15_seconds() {
    insta::assert_snapshot!(Scene::of_client().story(vec![
        (0, Step::Want),
        (23, Step::Pass),
        (23, Step::AnswerTo(1, Reply::Body(200, tokens(1)))),
    ]));
}

#[test]
fn a_refresh_token_beside_client_credentials_is_not_kept() {
    let mut scene = Scene::of_client();
    scene.play(vec![(0, Step::Want), (1, Step::Answer(Reply::Body(200, tokens(1))))]);
    assert!(scene.record().refresh.is_none());
    assert_eq!(scene.caller(), "gets at1 until 1769.000 s");
    scene.play(vec![(1_500, Step::Want)]);
    assert_eq!(scene.presented.last().expect("two").1, "-");
}

/// A claim only saves requests: after half a second another process asks, too.
#[test]
fn a_claim_of_another_process_is_waited_for_half_a_second() {
    let mut scene = Scene::of_client();
    scene.play(vec![(0, Step::Want), (1, granted(1)), (1_769, peer_claims())]);
    scene.play(vec![(1_769, Step::Want)]);
    assert_eq!(scene.presented.len(), 1, "somebody else asks");
    assert!(scene.caller().starts_with("waits"), "{}", scene.caller());
    scene.play(vec![(1_770, Step::Pass)]);
    assert_eq!(scene.presented.last().expect("two").0, at(1_769).after(HALF_A_SECOND));
}

const HALF_A_SECOND: std::time::Duration = std::time::Duration::from_millis(500);

fn peer_claims() -> Step {
    let id = IntentId { number: 1, owner: B };
    let intent = NewIntent { fingerprint: None, id, quiet: HALF_A_SECOND };
    let generation = sr_auth_core::store::Generation::from_number(2);
    Step::Elsewhere(StoreOp::Arm { generation, intent, key: key(), over: None })
}

#[test]
fn client_credentials_in_a_store_that_is_down_wait_for_it_and_serve_what_they_have() {
    let mut scene = Scene::of_client();
    scene.play(vec![(0, Step::Want), (1, Step::Store(Mood::Refusing)), (1, granted(1))]);
    assert_eq!(scene.caller(), "gets at1 until 1769.000 s");
    scene.play(vec![(600, Step::Store(Mood::Up)), (700, Step::Pass)]);
    assert_eq!(scene.record().generation.number(), 2);
    assert_eq!(scene.caller(), "gets at1 until 1769.000 s");
}

#[test]
fn client_credentials_that_were_given_up_stay_so() {
    let mut scene = Scene::of_client();
    scene.play(vec![
        (0, Step::Want),
        (1, granted(1)),
        (
            2,
            Step::Input("the application gives them up", || Input::End {
                end: End::Revoked,
                generation: None,
            }),
        ),
        (2_000, Step::Want),
    ]);
    assert!(scene.caller().contains("sr_auth::ended::revoked"), "{}", scene.caller());
    assert_eq!(scene.presented.len(), 1);
}
