//! Stores that fail, forget, lag behind or come back from a backup.

use std::time::Duration;

use sr_auth_core::lifecycle::{Event, Input};
use sr_auth_core::store::{End, Generation, Health, Model, StoreIdentity};

use crate::fixture::at;
use crate::lifecycle_scene::{Mood, Reply, Scene, Step, fingerprint};
use crate::lifecycle_words::{
    consent, disabled_elsewhere, granted, invalid_grant, of_ledger, peer_arms, peer_commits,
    peer_disarms, peer_lives, rotated,
};

#[test]
fn a_store_that_cannot_be_read_is_asked_again_and_said_to_be_out_of_order() {
    insta::assert_snapshot!(Scene::of_user().story(vec![
        (0, Step::Store(Mood::Refusing)),
        (0, Step::Want),
        (1, Step::Store(Mood::Silent)),
        (1, Step::Want),
        (9, Step::Store(Mood::Up)),
        (12, Step::Pass),
    ]));
}

#[test]
fn a_restored_store_is_healed_by_the_process_that_holds_newer_tokens() {
    insta::assert_snapshot!(Scene::of_user().story(vec![
        (0, Step::Want),
        (0, Step::Save),
        (1_300, Step::Want),
        (1_301, rotated(2)),
        (2_000, Step::Restore),
        (2_600, Step::Want),
        (2_601, rotated(3)),
    ]));
}

#[test]
fn a_restored_store_with_a_newer_consent_is_believed() {
    let mut scene = Scene::of_user();
    scene.play(vec![
        (0, Step::Want),
        (900, peer_commits(1, 2, 900)),
        (901, peer_commits(2, 3, 901)),
        (1_300, Step::Want),
    ]);
    assert_eq!(scene.caller(), "gets at3 until 2670.000 s");
    let mut restored = Model::new(StoreIdentity(1));
    restored.apply(at(1_550), consent(7, 1_550));
    scene.store = restored;
    scene.play(vec![(2_200, Step::Want)]);
    assert_eq!(scene.caller(), "gets at7 until 3319.000 s");
    assert_eq!(scene.presented, [], "what is held is older than what is stored");
}

#[test]
fn a_store_that_has_lost_a_grant_gets_it_back_from_whoever_holds_it() {
    let mut scene = Scene::of_user();
    scene.play(vec![(0, Step::Want), (1_300, Step::Want), (1_301, rotated(2))]);
    let kept = scene.record().refresh.clone();
    scene.store = Model::new(StoreIdentity(1));
    scene.play(vec![(2_600, Step::Want), (2_601, rotated(3))]);
    let found = scene.record();
    assert_eq!(found.generation.number(), 2, "founded anew, then rotated");
    assert_ne!(found.refresh.as_ref().map(|it| it.fingerprint), kept.map(|it| it.fingerprint));
    assert_eq!(scene.presented.len(), 2, "what was held was good");
}

#[test]
fn a_restored_store_in_which_the_grant_was_ended_on_purpose_is_believed() {
    let mut scene = Scene::of_user();
    scene.play(vec![
        (0, Step::Want),
        (1_300, Step::Want),
        (1_301, rotated(2)),
        (2_600, Step::Want),
        (2_601, rotated(3)),
    ]);
    let mut restored = Scene::of_user();
    restored.play(vec![(0, disabled_elsewhere())]);
    scene.store = restored.store;
    scene.play(vec![(4_000, Step::Want)]);
    assert!(scene.caller().contains("sr_auth::ended::disabled"), "{}", scene.caller());
}

#[test]
fn a_commit_that_finds_a_restored_store_goes_there_all_the_same() {
    insta::assert_snapshot!(Scene::of_user().story(vec![
        (0, Step::Want),
        (0, Step::Save),
        (1_300, Step::Want),
        (1_301, rotated(2)),
        (2_600, Step::Want),
        (2_601, Step::Restore),
        (2_602, rotated(3)),
    ]));
}

#[test]
fn a_successor_whose_record_is_gone_becomes_a_grant_of_its_own() {
    let mut scene = Scene::of_user();
    scene.play(vec![(0, Step::Want), (1_300, Step::Want), (1_301, rotated(2))]);
    scene.play(vec![(2_600, Step::Want)]);
    scene.store = Model::new(StoreIdentity(2));
    scene.play(vec![(2_601, rotated(3))]);
    assert_eq!(scene.caller(), "gets at3 until 4369.000 s", "at once");
    assert_eq!(scene.record().refresh.as_ref().map(|it| it.value.expose()), Some("rt3"));
    scene.play(vec![(4_000, Step::Want), (4_001, rotated(4))]);
    assert_eq!(scene.presented.last().expect("three").1, "rt3");
    assert_eq!(scene.caller(), "gets at4 until 5769.000 s");
    let behind = |it: &(_, Event)| matches!(it.1, Event::StoreBehind { .. });
    assert!(!scene.events.iter().any(behind), "{:?}", scene.events);
}

/// Of two processes that found a lost record at once, the second must not take what the first has
/// written for something lost.
#[test]
fn of_two_that_found_a_lost_record_the_newer_tokens_stay() {
    let cases = [
        ("an older grant is overtaken", consent(1, 0), "rt2", 2, "at2"),
        ("a newer grant is taken over", consent(3, 2_500), "rt3", 1, "at3"),
    ];
    for (name, peer, refresh, generation, access) in cases {
        let mut scene = Scene::of_user();
        scene.play(vec![(0, Step::Want), (1_300, Step::Want), (1_301, rotated(2))]);
        scene.store = Model::new(StoreIdentity(1));
        scene.play(vec![
            (2_600, Step::Store(Mood::Slow)),
            (2_600, Step::Want),
            (2_600, Step::Deliver(0)),
            (2_600, Step::Elsewhere(peer)),
            (2_600, Step::Store(Mood::Up)),
            (2_600, Step::Deliver(0)),
        ]);
        let found = scene.record();
        let kept = found.refresh.as_ref().map(|it| it.value.expose());
        let sibling = found.sibling.as_ref().map(|it| it.token.value.expose());
        assert_eq!((kept, sibling), (Some(refresh), None), "{name}");
        assert_eq!(found.generation.number(), generation, "{name}");
        assert!(scene.caller().contains(access), "{name}: {}", scene.caller());
    }
}

/// What a presentation has just brought is kept, though somebody else has founded the record anew
/// with tokens that end later.
#[test]
fn a_successor_is_put_aside_when_somebody_has_founded_the_record_with_newer_tokens() {
    let mut scene = Scene::of_user();
    scene.play(vec![(0, Step::Want), (1_300, Step::Want)]);
    scene.store = Model::new(StoreIdentity(1));
    scene.play(vec![
        (1_301, Step::Store(Mood::Slow)),
        (1_301, rotated(2)),
        (1_301, Step::Deliver(0)),
        (1_301, Step::Elsewhere(consent(3, 1_400))),
        (1_301, Step::Store(Mood::Up)),
        (1_301, Step::Deliver(0)),
    ]);
    let found = scene.record();
    assert_eq!(found.refresh.as_ref().map(|it| it.value.expose()), Some("rt3"));
    assert_eq!(found.sibling.as_ref().map(|it| it.token.value.expose()), Some("rt2"));
}

#[test]
fn a_replica_that_lags_behind_changes_nothing() {
    let mut scene = Scene::of_user();
    scene.play(vec![(0, Step::Want), (0, Step::Save), (1_300, Step::Want), (1_301, rotated(2))]);
    let primary = scene.store.clone();
    scene.play(vec![(1_400, Step::Restore), (1_400, changed()), (1_401, Step::Want)]);
    assert_eq!(scene.caller(), "gets at2 until 3069.000 s");
    scene.store = primary;
    scene.play(vec![(2_600, Step::Want), (2_601, rotated(3))]);
    assert_eq!(scene.presented.last().expect("two").1, "rt2");
}

fn changed() -> Step {
    Step::Input("the store tells of generation 3", || Input::Changed {
        generation: Generation::from_number(3),
        health: Health::Live,
    })
}

/// The store went back, the process was told, and ended the grant before it had read the record: a
/// replica that lags still shows it as it was, and is not the store that went back any more.
#[test]
fn an_end_that_is_durable_since_the_store_went_back_is_not_undone_by_a_replica() {
    let mut scene = Scene::of_user();
    scene.play(vec![
        (0, Step::Want),
        (1, Step::Save),
        (100, Step::Store(Mood::Slow)),
        (100, has_gone_back()),
        (101, revokes()),
        (102, Step::Deliver(1)),
    ]);
    let primary = scene.store.clone();
    scene.play(vec![(103, Step::Restore), (103, Step::Deliver(1))]);
    scene.store = primary;
    scene.play(vec![(104, Step::Deliver(0)), (104, Step::Store(Mood::Up)), (200, Step::Want)]);
    assert!(scene.caller().contains("sr_auth::ended::revoked"), "{}", scene.caller());
}

/// The answer to the end is from before the store went back: what the store has now is believed.
#[test]
fn an_end_that_the_store_has_forgotten_is_forgotten() {
    let mut scene = Scene::of_user();
    scene.play(vec![
        (0, Step::Want),
        (1, Step::Save),
        (100, Step::Store(Mood::Slow)),
        (100, revokes()),
        (101, Step::CarryOut),
        (102, Step::Restore),
        (103, has_gone_back()),
        (104, Step::Deliver(0)),
        (105, Step::Store(Mood::Up)),
        (105, Step::Deliver(1)),
        (200, Step::Want),
    ]);
    assert_eq!(scene.caller(), "gets at1 until 1769.000 s");
}

fn has_gone_back() -> Step {
    Step::Input("the store has gone back", || Input::Changed {
        generation: Generation::from_number(u64::MAX),
        health: Health::Live,
    })
}

fn revokes() -> Step {
    Step::Input("the application gives the grant up", || Input::End {
        end: End::Revoked,
        generation: None,
    })
}

#[test]
fn a_successor_that_comes_after_a_peers_is_put_aside_and_a_presentation_of_it_settles_the_rest() {
    let mut scene = Scene::of_user();
    scene.play(vec![
        (0, Step::Want),
        (1_300, Step::Want),
        (1_301, peer_commits(1, 4, 1_300)),
        (1_302, rotated(2)),
    ]);
    assert_eq!(scene.caller(), "gets at4 until 3069.000 s");
    scene.play(vec![(2_600, Step::Want), (2_601, invalid_grant()), (2_603, rotated(5))]);
    let presented: Vec<_> = scene.presented.iter().map(|it| it.1.as_str()).collect();
    assert_eq!(presented, ["rt1", "rt4", "rt2"]);
    insta::assert_snapshot!(of_ledger(scene.record()));
}

/// What was committed unseen, and rotated further by a peer, is spent: nothing to put aside.
#[test]
fn a_successor_that_was_taken_unseen_and_replaced_since_is_not_put_aside() {
    insta::assert_snapshot!(Scene::imported().story(vec![
        (0, Step::Want),
        (1, Step::Store(Mood::Deaf)),
        (1, rotated(2)),
        (1, peer_commits(2, 6, 0)),
        (1, Step::Store(Mood::Up)),
        (3, Step::Pass),
    ]));
}

/// The store judges by its own clock, and is not asked over and over until that agrees.
#[test]
fn c36_a_store_whose_clock_is_behind_is_not_asked_without_pauses() {
    // Its 1545 s and 1450 s are 1565 s and 1470 s of ours.
    for (settled, due) in [(peer_lives(), 1_565), (peer_disarms(1, 1_450), 1_470)] {
        let mut scene = Scene::of_user();
        scene.behind = Duration::from_secs(20);
        scene.play(vec![
            (0, Step::Want),
            (1_430, peer_arms(1, 1, "rt1")),
            (1_430, settled),
            (1_440, Step::Want),
            (1_600, Step::Pass),
        ]);
        let [(presented_at, _)] = scene.presented[..] else { panic!("{:?}", scene.presented) };
        assert_eq!(presented_at, at(due));
        let story = scene.story(vec![]);
        assert_eq!(story.matches("store: arm A").count(), 2, "{story}");
    }
}

/// Three failures of a disarming are enough: the quiet period ends what stands.
#[test]
fn an_intent_that_cannot_be_removed_costs_its_quiet_period_and_no_more() {
    let mut scene = Scene::imported();
    scene.play(vec![
        (0, Step::Want),
        (1, Step::Store(Mood::Lost)),
        (1, Step::Answer(Reply::NotSent)),
        (3, Step::Store(Mood::Up)),
        (134, Step::Pass),
    ]);
    assert_eq!(scene.presented.len(), 1);
    scene.play(vec![(136, Step::Pass)]);
    assert_eq!(scene.presented.last().expect("two").0, at(135));
    assert_eq!(scene.presented.len(), 2);
}

/// The access token came without a successor, and the old refresh token was in the record only.
#[test]
fn a_last_leg_whose_record_is_gone_is_founded_with_its_refresh_token() {
    let mut scene = Scene::of_user();
    scene.play(vec![(0, Step::Want), (1_300, Step::Want)]);
    scene.store = Model::new(StoreIdentity(2));
    scene.play(vec![(1_301, granted(2))]);
    let refresh = scene.record().refresh.as_ref().map(|it| it.fingerprint);
    assert_eq!(refresh, Some(fingerprint("rt1")));
    assert_eq!(scene.record().access.as_ref().map(|it| it.fingerprint), Some(fingerprint("at2")));
}
