//! Presentations that may have happened: whose they were, how long everybody keeps quiet, and what
//! a refusal means.

use sr_auth_core::lifecycle::{Input, Margins, Recovery, Settings};
use sr_auth_core::store::{CauseOfDeath, Generation, Health, Model, StoreIdentity};

use crate::fixture::at;
use crate::lifecycle_scene::{Mood, Reply, Scene, Step};
use crate::lifecycle_words::{
    consent, granted, invalid_grant, peer_arms, peer_commits, peer_escrows, peer_lives, rotated,
    sibling, tokens,
};

fn by(recovery: Recovery) -> Scene {
    Scene::with(Settings::default().with_recovery(recovery))
}

#[test]
fn while_somebody_waits_a_peers_renewal_is_looked_for_and_found() {
    insta::assert_snapshot!(Scene::of_user().story(vec![
        (0, Step::Want),
        (1_768, peer_arms(1, 1, "rt1")),
        (1_769, Step::Want),
        (1_774, Step::Pass),
        (1_774, peer_commits(1, 2, 1_768)),
        (1_777, Step::Pass),
    ]));
}

#[test]
fn looks_at_a_peers_renewal_come_after_50_milliseconds_to_2_seconds() {
    let mut scene = Scene::of_user();
    scene.play(vec![(0, Step::Want), (1_769, peer_arms(1, 1, "rt1")), (1_769, Step::Want)]);
    let mut last = scene.now;
    let mut pauses = Vec::new();
    while pauses.len() < 12 {
        let due = sr_auth_core::Machine::poll_timeout(&scene.lifecycle).expect("a look");
        pauses.push(due.since(last).as_millis());
        last = due;
        scene.wake();
    }
    assert!(pauses.iter().all(|it| (25..=2_000).contains(it)), "{pauses:?}");
    assert!(pauses.iter().rev().take(3).all(|it| *it >= 1_000), "they grow: {pauses:?}");
    assert!(pauses.iter().take(2).all(|it| *it <= 100), "they begin soon: {pauses:?}");
}

/// A replica that lags may not show the intent, so that the look after it is an arming.
#[test]
fn a_peers_intent_that_has_stood_for_long_is_looked_at_seldom() {
    for (stood, first) in [(0, 25..=50), (4, 500..=1_000), (60, 1_000..=2_000)] {
        let mut scene = Scene::of_user();
        scene.play(vec![(0, Step::Want), (1_770, peer_arms(1, 1, "rt1"))]);
        scene.play(vec![(1_770 + stood, Step::Want)]);
        let due = sr_auth_core::Machine::poll_timeout(&scene.lifecycle).expect("a look");
        let pause = due.since(scene.now).as_millis();
        assert!(first.contains(&pause), "{pause} ms after {stood} s");
    }
}

#[test]
fn while_nobody_waits_a_peers_renewal_is_not_looked_for() {
    insta::assert_snapshot!(Scene::of_user().story(vec![
        (0, Step::Want),
        (1_300, peer_arms(1, 1, "rt1")),
        (1_301, Step::Want),
        (1_302, peer_commits(1, 2, 1_300)),
        (1_436, Step::Pass),
    ]));
}

/// The first look comes with the caller that waits, not with the peer's intent.
#[test]
fn looking_begins_when_the_token_has_ended_and_somebody_asks() {
    let mut scene = Scene::of_user();
    scene.play(vec![
        (0, Step::Want),
        (1_700, peer_arms(1, 1, "rt1")),
        (1_701, Step::Want),
        (1_765, peer_commits(1, 2, 1_700)),
        (1_768, Step::Pass),
    ]);
    assert_eq!(scene.caller(), "gets at1 until 1769.000 s");
    scene.play(vec![(1_770, Step::Want), (1_771, Step::Pass)]);
    assert_eq!(scene.caller(), "gets at2 until 3469.000 s");
}

#[test]
fn a_peer_that_is_gone_is_taken_over_after_its_quiet_period() {
    insta::assert_snapshot!(Scene::of_user().story(vec![
        (0, Step::Want),
        (1_300, peer_arms(1, 1, "rt1")),
        (1_301, Step::Want),
        (1_440, rotated(2)),
    ]));
}

#[test]
fn a_peer_that_shows_signs_of_life_is_waited_for() {
    insta::assert_snapshot!(Scene::of_user().story(vec![
        (0, Step::Want),
        (1_300, peer_arms(1, 1, "rt1")),
        (1_301, Step::Want),
        (1_400, peer_lives()),
        (1_535, Step::Pass),
    ]));
}

#[test]
fn a_peer_that_shows_signs_of_life_is_passed_over_when_the_settings_say_so() {
    let mut scene = by(Recovery::QuietOver);
    scene.play(vec![
        (0, Step::Want),
        (1_300, peer_arms(1, 1, "rt1")),
        (1_301, Step::Want),
        (1_400, peer_lives()),
        (1_436, Step::Pass),
    ]);
    assert_eq!(scene.presented, [(at(1_435), "rt1".to_owned())]);
}

#[test]
fn a_token_in_doubt_is_left_alone_for_ever_when_the_settings_say_so() {
    let mut scene = by(Recovery::Never);
    scene.play(vec![
        (0, Step::Want),
        (1_300, Step::Want),
        (1_301, Step::Answer(Reply::Lost)),
        (1_500, Step::Want),
    ]);
    assert_eq!(scene.caller(), "gets at1 until 1769.000 s");
    scene.play(vec![(1_800, Step::Want)]);
    assert_eq!(
        scene.caller(),
        "fails: no access token: the answer to a refresh was lost, and the settings forbid to \
         present the token again [sr_auth::renewal::doubt; ask the user to authorize the \
         application again], next try at 2335.000 s",
    );
    scene.play(vec![(20_000, Step::Want)]);
    assert_eq!(scene.presented.len(), 1);
}

/// The quiet period ends while the record is being read.
#[test]
fn a_look_that_outlasts_the_quiet_period_is_no_reason_to_present_what_the_settings_forbid() {
    let mut scene = by(Recovery::Never);
    scene.play(vec![
        (0, Step::Want),
        (1_768, peer_arms(1, 1, "rt1")),
        (1_769, Step::Want),
        (1_900, Step::Store(Mood::Slow)),
        (1_904, Step::Deliver(0)),
        (1_904, Step::Store(Mood::Up)),
        (2_500, Step::Want),
    ]);
    assert_eq!(scene.presented, []);
}

#[test]
fn a_token_in_doubt_that_a_peer_replaces_is_settled_even_when_the_settings_forbid_more() {
    let mut scene = by(Recovery::Never);
    scene.play(vec![
        (0, Step::Want),
        (1_300, Step::Want),
        (1_301, Step::Answer(Reply::Lost)),
        (1_500, peer_commits(1, 2, 1_400)),
        (3_000, Step::Want),
    ]);
    assert_eq!(scene.caller(), "gets at2 until 3169.000 s");
}

/// The peer's commit was told before the answer to the arming came, which is from before it. Nobody
/// may present again, and nobody needs to.
#[test]
fn what_was_told_while_an_intent_was_written_is_read_before_the_wait_for_another() {
    let mut scene = by(Recovery::Never);
    scene.play(vec![
        (0, Step::Want),
        (1_300, peer_arms(1, 1, "rt1")),
        (1_301, Step::Store(Mood::Slow)),
        (1_301, Step::Want),
        (1_301, Step::CarryOut),
        (1_302, peer_commits(1, 2, 1_300)),
        (
            1_302,
            Step::Input("the store tells of generation 2", || Input::Changed {
                generation: Generation::from_number(2),
                health: Health::Live,
            }),
        ),
        (1_303, Step::Store(Mood::Up)),
        (1_303, Step::Deliver(0)),
    ]);
    assert_eq!(scene.caller(), "gets at2 until 3069.000 s");
    assert_eq!(scene.presented, []);
}

/// The same for a presentation whose answer is lost.
#[test]
fn what_was_told_while_a_token_was_presented_is_read_before_the_wait_for_another() {
    let mut scene = by(Recovery::Never);
    scene.play(vec![
        (0, Step::Want),
        (1_300, Step::Want),
        (1_301, peer_commits(1, 2, 1_300)),
        (
            1_302,
            Step::Input("the store tells of generation 2", || Input::Changed {
                generation: Generation::from_number(2),
                health: Health::Live,
            }),
        ),
        (1_303, Step::Answer(Reply::Lost)),
    ]);
    assert_eq!(scene.caller(), "gets at2 until 3069.000 s");
    scene.play(vec![(1_800, Step::Want)]);
    assert_eq!(scene.caller(), "gets at2 until 3069.000 s");
}

#[test]
fn a_server_that_stays_silent_is_asked_in_growing_spans_of_up_to_15_minutes() {
    let mut scene = Scene::of_user();
    scene.play(vec![(0, Step::Want), (1_300, Step::Want)]);
    for _ in 0..6 {
        let silence = (scene.now.as_unix_millis() / 1_000 + 129, Step::Answer(Reply::Lost));
        scene.play(vec![silence]);
        let presented = scene.presented.len();
        while scene.presented.len() == presented {
            scene.wake();
        }
    }
    let times = scene.presented.iter().map(|it| it.0);
    let spans: Vec<_> = times.clone().zip(times.skip(1)).map(|(a, b)| b.since(a)).collect();
    let seconds = [135, 270, 540, 900, 900, 900].map(std::time::Duration::from_secs);
    assert_eq!(spans, seconds);
    assert!(scene.presented.iter().all(|it| it.1 == "rt1"));
}

#[test]
fn the_loser_of_a_race_does_not_kill_the_winner() {
    insta::assert_snapshot!(Scene::of_user().story(vec![
        (0, Step::Want),
        (1_300, Step::Want),
        (1_301, peer_commits(1, 2, 1_300)),
        (1_302, invalid_grant()),
    ]));
}

#[test]
fn a_sibling_that_was_put_aside_is_promoted_before_a_verdict() {
    insta::assert_snapshot!(Scene::of_user().story(vec![
        (0, Step::Want),
        (1_000, peer_escrows(0, 4, 900)),
        (1_300, Step::Want),
        (1_301, invalid_grant()),
        (1_302, rotated(5)),
    ]));
}

/// A server that revokes on reuse is not shown a spent token while there is a newer one. The old one
/// has brought an access token without a successor, and the answer to an earlier presentation of it
/// came after all.
#[test]
fn a_sibling_that_was_put_aside_is_promoted_before_a_last_leg_is_presented() {
    let mut scene = Scene::of_user();
    scene.play(vec![
        (0, Step::Want),
        (1_300, Step::Want),
        (1_301, granted(2)),
        (1_400, peer_escrows(1, 4, 1_300)),
        (3_100, Step::Want),
        (3_101, rotated(5)),
    ]);
    let presented: Vec<_> = scene.presented.iter().map(|it| it.1.as_str()).collect();
    assert_eq!(presented, ["rt1", "rt4"]);
    assert_eq!(scene.caller(), "gets at5 until 4869.000 s");
    let record = scene.record();
    assert_eq!((record.health, record.sibling.is_none()), (Health::Live, true));
}

/// A record that is founded anew counts from the beginning: the number of the generation that was
/// refused may be that of another token.
#[test]
fn a_refusal_says_nothing_of_the_token_of_a_record_that_was_founded_anew() {
    let mut scene = Scene::of_user();
    scene.play(vec![(0, Step::Want), (1_300, Step::Want)]);
    let refused = scene.record().generation;
    scene.store = Model::new(StoreIdentity(1));
    scene.store.apply(at(1_301), consent(7, 1_301));
    scene.store.apply(at(1_301), sibling(0, 8));
    assert_eq!(scene.record().generation, refused);
    scene.play(vec![(1_302, invalid_grant())]);
    assert_eq!(scene.caller(), "gets at7 until 3070.000 s");
    let record = scene.record();
    assert_eq!((record.health, record.generation), (Health::Live, refused));
    assert_eq!(record.refresh.as_ref().map(|it| it.value.expose()), Some("rt7"));
}

/// Nobody is told of a death that is none.
#[test]
fn a_sibling_that_arrives_with_the_verdict_revives_the_grant() {
    insta::assert_snapshot!(Scene::imported().story(vec![
        (0, Step::Want),
        (1, Step::Store(Mood::Slow)),
        (1, invalid_grant()),
        (1, Step::Deliver(0)),
        (2, peer_escrows(0, 4, 0)),
        (3, Step::Store(Mood::Up)),
        (3, Step::Deliver(0)),
        (4, rotated(5)),
    ]));
}

#[test]
fn a_late_commit_revives_a_grant_that_was_thought_dead() {
    insta::assert_snapshot!(Scene::of_user().story(vec![
        (0, Step::Want),
        (1_300, Step::Want),
        (1_435, Step::Pass),
        (1_436, invalid_grant()),
        (1_440, Step::AnswerTo(1, Reply::Body(200, tokens(2)))),
    ]));
}

/// A verdict waits for the store: nothing is decided on what was read before.
#[test]
fn a_refusal_is_verified_as_soon_as_the_store_is_back() {
    let mut scene = Scene::of_user();
    scene.play(vec![
        (0, Step::Want),
        (1_300, Step::Want),
        (1_301, Step::Store(Mood::Refusing)),
        (1_301, invalid_grant()),
        (3_000, Step::Want),
    ]);
    assert_eq!(scene.record().health, Health::Live);
    assert!(scene.lifecycle.is_busy());
    assert!(scene.caller().starts_with("waits"), "{}", scene.caller());
    scene.play(vec![(3_000, Step::Store(Mood::Up)), (3_061, Step::Pass)]);
    assert_eq!(scene.record().health, Health::Dead(CauseOfDeath::RefusedByServer));
    assert!(!scene.lifecycle.is_busy());
    assert_eq!(scene.presented.len(), 1);
}

#[test]
fn a_verdict_that_the_store_did_not_take_is_written_again() {
    insta::assert_snapshot!(Scene::of_user().story(vec![
        (0, Step::Want),
        (1_300, Step::Want),
        (1_301, Step::Store(Mood::Slow)),
        (1_301, invalid_grant()),
        (1_301, Step::Deliver(0)),
        (1_302, Step::Store(Mood::Deaf)),
        (1_302, Step::Deliver(0)),
        (1_303, Step::Store(Mood::Up)),
        (1_305, Step::Pass),
    ]));
}

/// The answers to the disarming were lost, three times: the intent is ours, and its quiet period
/// settles it.
#[test]
fn an_own_intent_that_could_not_be_removed_is_armed_over_after_its_quiet_period() {
    insta::assert_snapshot!(Scene::of_user().story(vec![
        (0, Step::Want),
        (1_300, Step::Want),
        (1_301, Step::Store(Mood::Lost)),
        (1_301, Step::Answer(Reply::NotSent)),
        (1_304, Step::Store(Mood::Up)),
        (1_440, rotated(2)),
    ]));
}

#[test]
fn a_quiet_period_follows_the_margins() {
    let margins = Margins::default().scaled_down(100);
    let mut scene = Scene::with(Settings::default().with_margins(margins));
    scene.play(vec![(0, Step::Want), (1_300, Step::Want)]);
    let span = std::time::Duration::from_millis(1_350);
    scene.play(vec![(1_302, Step::Pass)]);
    let times: Vec<_> = scene.presented.iter().map(|it| it.0).collect();
    assert_eq!(times, [at(1_300), at(1_300).after(span)]);
}

#[test]
fn a_grant_that_vanished_while_it_was_presented_is_missing() {
    let mut scene = Scene::of_user();
    scene.play(vec![(0, Step::Want), (1_300, Step::Want)]);
    scene.store = Model::new(StoreIdentity(2));
    scene.play(vec![(1_301, invalid_grant())]);
    assert!(scene.caller().contains("[sr_auth::missing;"), "{}", scene.caller());
    scene.store.apply(at(1_302), consent(7, 1_302));
    scene.play(vec![(1_303, Step::Want)]);
    assert_eq!(scene.caller(), "gets at7 until 3071.000 s");
}
