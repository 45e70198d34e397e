//! One renewal from its intent to its successor, and each way in which it can go wrong.

use sr_auth_core::lifecycle::Input;

use crate::fixture::at;
use crate::lifecycle_scene::{Mood, Reply, Scene, Step};
use crate::lifecycle_words::{
    consent, disabled_elsewhere, granted, invalid_grant, peer_arms, peer_commits, peer_disarms,
    refused, rotated, tokens,
};

#[test]
fn an_intent_is_durable_before_anything_leaves_and_the_successor_before_anything_is_told() {
    insta::assert_snapshot!(Scene::of_user().story(vec![
        (0, Step::Want),
        (1_300, Step::Store(Mood::Slow)),
        (1_300, Step::Want),
        (1_301, Step::Deliver(0)),
        (1_302, rotated(2)),
        (1_303, Step::Deliver(0)),
    ]));
}

/// What is presented was read within the claim, and a claim that came too late is given up.
#[test]
fn an_answer_of_the_store_that_comes_too_late_to_send_leads_to_a_disarming() {
    insta::assert_snapshot!(Scene::of_user().story(vec![
        (0, Step::Want),
        (1_300, Step::Store(Mood::Slow)),
        (1_300, Step::Want),
        (1_303, Step::Store(Mood::Up)),
        (1_303, Step::Deliver(0)),
    ]));
}

#[test]
fn a_record_that_has_moved_is_taken_over_instead_of_presented() {
    insta::assert_snapshot!(Scene::of_user().story(vec![
        (0, Step::Want),
        (1_250, peer_commits(1, 2, 1_250)),
        (1_300, Step::Want),
    ]));
}

#[test]
fn a_pause_that_the_server_asks_for_is_kept() {
    insta::assert_snapshot!(Scene::imported().story(vec![
        (0, Step::Want),
        (1, Step::Answer(Reply::Wait(429, 100))),
        (50, Step::Want),
        (101, Step::Pass),
    ]));
}

#[test]
fn a_pause_that_another_process_was_asked_for_is_kept_too() {
    insta::assert_snapshot!(Scene::of_user().story(vec![
        (0, Step::Want),
        (1_290, peer_arms(1, 1, "rt1")),
        (1_291, peer_disarms(1, 1_400)),
        (1_300, Step::Want),
        (1_399, Step::Want),
        (1_401, rotated(2)),
    ]));
}

#[test]
fn a_grant_that_was_ended_elsewhere_is_not_presented() {
    insta::assert_snapshot!(Scene::of_user().story(vec![
        (0, Step::Want),
        (1_250, disabled_elsewhere()),
        (1_300, Step::Want),
        (1_301, Step::Want),
    ]));
}

#[test]
fn a_store_that_does_not_take_an_intent_costs_a_pause() {
    insta::assert_snapshot!(Scene::of_user().story(vec![
        (0, Step::Want),
        (1_300, Step::Store(Mood::Refusing)),
        (1_300, Step::Want),
        (1_303, Step::Store(Mood::Up)),
        (1_310, rotated(2)),
    ]));
}

/// The same intent is offered once more inside the fence, and a standing one is recognised.
#[test]
fn an_intent_whose_answer_was_lost_is_offered_again_while_there_is_time() {
    insta::assert_snapshot!(Scene::of_user().story(vec![
        (0, Step::Want),
        (1_300, Step::Store(Mood::Slow)),
        (1_300, Step::Want),
        (1_301, Step::DeliverUnseen),
        (1_301, Step::Deliver(0)),
        (1_310, rotated(2)),
    ]));
}

/// A store that fails at once is asked twice and not as fast as it can fail.
#[test]
fn c36_an_intent_whose_answers_are_all_lost_is_given_up_with_a_pause() {
    insta::assert_snapshot!(Scene::of_user().story(vec![
        (0, Step::Want),
        (1_300, Step::Store(Mood::Deaf)),
        (1_300, Step::Want),
        (1_301, Step::Store(Mood::Up)),
        (1_310, rotated(2)),
    ]));
}

#[test]
fn a_store_that_never_answers_an_intent_is_told_to_forget_it() {
    insta::assert_snapshot!(Scene::of_user().story(vec![
        (0, Step::Want),
        (1_300, Step::Store(Mood::Silent)),
        (1_300, Step::Want),
        (1_305, Step::Store(Mood::Up)),
        (1_310, Step::Pass),
    ]));
}

#[test]
fn what_was_not_sent_is_disarmed_and_tried_again() {
    insta::assert_snapshot!(Scene::of_user().story(vec![
        (0, Step::Want),
        (1_300, Step::Want),
        (1_301, Step::Answer(Reply::NotSent)),
        (1_302, rotated(2)),
    ]));
}

#[test]
fn a_refusal_that_spends_nothing_is_disarmed_and_never_kills() {
    insta::assert_snapshot!(Scene::of_user().story(vec![
        (0, Step::Want),
        (1_300, Step::Want),
        (1_301, refused(401, "invalid_client")),
        (1_303, refused(401, "invalid_client")),
        (1_310, refused(400, "invalid_scope")),
        (1_320, rotated(2)),
    ]));
}

#[test]
fn a_success_without_a_successor_is_the_last_leg_and_is_tried_once_more_at_the_end() {
    insta::assert_snapshot!(Scene::of_user().story(vec![
        (0, Step::Want),
        (1_300, Step::Want),
        (1_301, granted(2)),
        (2_500, Step::Want),
        (3_069, Step::Pass),
        (3_070, invalid_grant()),
    ]));
}

#[test]
fn a_last_leg_ends_with_the_next_successor() {
    let mut scene = Scene::of_user();
    scene.play(vec![
        (0, Step::Want),
        (1_300, Step::Want),
        (1_301, granted(2)),
        (3_100, Step::Want),
        (3_101, rotated(3)),
    ]);
    assert_eq!(scene.record().health, sr_auth_core::store::Health::Live);
    assert_eq!(scene.presented, [(at(1_300), "rt1".to_owned()), (at(3_100), "rt1".to_owned())]);
    assert_eq!(scene.caller(), "gets at3 until 4869.000 s");
}

#[test]
fn a_successor_whose_commit_was_carried_out_unseen_is_recognised() {
    insta::assert_snapshot!(Scene::of_user().story(vec![
        (0, Step::Want),
        (1_300, Step::Want),
        (1_301, Step::Store(Mood::Deaf)),
        (1_301, rotated(2)),
        (1_301, Step::Store(Mood::Up)),
        (1_303, Step::Pass),
    ]));
}

#[test]
fn while_the_store_is_down_for_hours_the_new_token_is_served_from_memory_and_committed_later() {
    let mut scene = Scene::imported();
    scene.play(vec![(0, Step::Want), (1, Step::Store(Mood::Refusing)), (1, rotated(2))]);
    assert_eq!(scene.caller(), "gets at2 until 1769.000 s", "though it is not durable");
    scene.play(vec![(1_700, Step::Want)]);
    assert_eq!(scene.caller(), "gets at2 until 1769.000 s");
    scene.play(vec![(4 * 3_600, Step::Want)]);
    assert!(scene.caller().starts_with("fails: no access token: the store"), "{}", scene.caller());
    assert_eq!(scene.presented.len(), 1, "what is not durable is not presented");
    scene.play(vec![(4 * 3_600 + 1, Step::Store(Mood::Up)), (4 * 3_600 + 61, Step::Pass)]);
    assert_eq!(scene.record().generation.number(), 2);
    let newest = scene.presented.last().expect("a presentation");
    assert_eq!(newest.1, "rt2", "the successor, as soon as it is durable");
    scene.play(vec![(4 * 3_600 + 62, rotated(3))]);
    assert!(scene.caller().starts_with("gets at3"), "{}", scene.caller());
}

#[test]
fn a_new_consent_that_came_before_the_commit_puts_the_successor_aside() {
    insta::assert_snapshot!(Scene::of_user().story(vec![
        (0, Step::Want),
        (1_300, Step::Want),
        (1_301, Step::Elsewhere(consent(5, 1_301))),
        (1_302, rotated(2)),
    ]));
}

#[test]
fn an_answer_after_the_machines_own_time_out_still_saves_the_successor() {
    insta::assert_snapshot!(Scene::of_user().story(vec![
        (0, Step::Want),
        (1_300, Step::Want),
        (1_435, Step::Pass),
        (1_440, Step::AnswerTo(1, Reply::Body(200, tokens(2)))),
    ]));
}

#[test]
fn what_arrived_of_an_answer_after_the_time_out_is_salvaged_too() {
    let mut scene = Scene::of_user();
    let part = r#"{"refresh_token":"rt2","acc"#;
    scene.play(vec![
        (0, Step::Want),
        (1_300, Step::Want),
        (1_435, Step::Pass),
        (1_440, Step::AnswerTo(1, Reply::Cut(part.to_owned()))),
        (1_441, Step::Pass),
    ]);
    assert_eq!(scene.presented.last().expect("three").1, "rt2");
}

/// A peer's successor is in use: what the late answer brings is spent, and the flight goes on.
#[test]
fn a_late_answer_for_an_older_token_leaves_the_flight_of_a_newer_one_alone() {
    insta::assert_snapshot!(Scene::of_user().story(vec![
        (0, Step::Want),
        (1_300, Step::Want),
        (1_434, peer_commits(1, 4, 100)),
        (1_440, Step::AnswerTo(1, Reply::Body(200, tokens(2)))),
        (1_441, rotated(3)),
    ]));
}

/// Without a successor the old token would be presented again, beside the presentation that is
/// under way.
#[test]
fn a_late_answer_without_a_successor_waits_for_the_newer_presentation() {
    let late = || Reply::Body(200, r#"{"access_token":"at2","expires_in":1799}"#.to_owned());
    let mut scene = Scene::of_user();
    scene.play(vec![(0, Step::Want), (1_300, Step::Want), (1_436, Step::AnswerTo(1, late()))]);
    assert_eq!(scene.presented.len(), 2, "the second is under way");
    assert_eq!(scene.caller(), "gets at1 until 1769.000 s");
    scene.play(vec![(1_437, rotated(3))]);
    assert_eq!(scene.caller(), "gets at3 until 3204.000 s");

    let mut scene = Scene::imported();
    scene.play(vec![
        (0, Step::Want),
        (130, Step::Answer(Reply::Lost)),
        (406, Step::Pass),
        (407, Step::AnswerTo(2, late())),
    ]);
    assert_eq!(scene.presented.len(), 3, "each in its own time");
    assert!(!scene.caller().starts_with("gets"), "{}", scene.caller());
}

/// Some servers answer both presentations: neither successor is thrown away.
#[test]
fn a_late_answer_and_the_answer_to_the_next_presentation_are_both_kept() {
    insta::assert_snapshot!(Scene::of_user().story(vec![
        (0, Step::Want),
        (1_300, Step::Want),
        (1_436, Step::AnswerTo(1, Reply::Body(200, tokens(2)))),
        (1_437, Step::AnswerTo(2, Reply::Body(200, tokens(3)))),
        (1_438, Step::AnswerTo(2, Reply::Body(200, tokens(3)))),
    ]));
}

#[test]
fn a_moved_clock_breaks_the_fence_of_an_arming() {
    insta::assert_snapshot!(Scene::of_user().story(vec![
        (0, Step::Want),
        (1_300, Step::Store(Mood::Slow)),
        (1_300, Step::Want),
        (1_301, Step::Input("the clocks have parted", || Input::ClockDiverged)),
        (1_301, Step::Store(Mood::Up)),
        (1_301, Step::Deliver(0)),
        (1_310, rotated(2)),
    ]));
}
