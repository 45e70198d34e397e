//! What people decide: a new consent, an end, the end of the process.

use sr_auth_core::lifecycle::{Event, Input, Stage};
use sr_auth_core::store::{End, Generation, Health, Model, StoreIdentity};

use crate::lifecycle_scene::{Mood, Reply, Scene, Step};
use crate::lifecycle_words::{
    DAY, consent, disabled_elsewhere, grant, granted, invalid_grant, peer_arms, peer_commits,
    rotated,
};

fn adopts() -> Step {
    Step::Input("the user consents anew", || Input::Adopt(grant(5, 1_300)))
}

fn revokes() -> Step {
    Step::Input("the application gives the grant up", || Input::End {
        end: End::Revoked,
        generation: None,
    })
}

fn disables(generation: u64) -> Step {
    match generation {
        1 => Step::Input("SmartRecruiters disables generation 1", || Input::End {
            end: End::Disabled,
            generation: Some(Generation::from_number(1)),
        }),
        _ => Step::Input("SmartRecruiters disables generation 9", || Input::End {
            end: End::Disabled,
            generation: Some(Generation::from_number(9)),
        }),
    }
}

fn shuts_down() -> Step {
    Step::Input("the process is about to end", || Input::Shutdown)
}

fn changed(words: &'static str, make: fn() -> Input) -> Step {
    Step::Input(words, make)
}

#[test]
fn a_new_consent_takes_the_place_of_a_dead_grant() {
    insta::assert_snapshot!(Scene::of_user().story(vec![
        (0, Step::Want),
        (1_290, Step::Want),
        (1_291, invalid_grant()),
        (1_300, adopts()),
        (1_301, Step::Want),
    ]));
}

#[test]
fn a_new_consent_beside_a_flight_puts_the_flights_successor_aside() {
    insta::assert_snapshot!(Scene::of_user().story(vec![
        (0, Step::Want),
        (1_300, Step::Want),
        (1_301, adopts()),
        (1_302, rotated(2)),
    ]));
}

/// A process that stood still goes on with a consent that was followed by another since. Whether
/// the later one works is not known.
#[test]
fn a_consent_that_is_told_after_a_later_one_is_kept_for_when_that_is_refused() {
    insta::assert_snapshot!(Scene::of_user().story(vec![
        (0, Step::Want),
        (1_400, Step::Elsewhere(consent(6, 1_400))),
        (1_401, adopts()),
        (3_200, Step::Want),
        (3_201, invalid_grant()),
        (3_202, rotated(7)),
    ]));
}

#[test]
fn a_new_consent_beside_an_arming_stops_the_presentation_of_the_old_token() {
    insta::assert_snapshot!(Scene::of_user().story(vec![
        (0, Step::Want),
        (1_300, Step::Store(Mood::Slow)),
        (1_300, Step::Want),
        (1_300, adopts()),
        (1_301, Step::Deliver(1)),
        (1_301, Step::Deliver(0)),
        (1_310, Step::Pass),
    ]));
}

/// What the store said before it took the new consent says nothing of it.
#[test]
fn an_answer_to_an_arming_that_a_new_consent_has_overtaken_is_not_believed() {
    for before in [peer_commits(1, 2, 0), peer_arms(1, 1, "rt1")] {
        let mut scene = Scene::of_user();
        scene.play(vec![
            (0, Step::Want),
            (1_300, before),
            (1_300, Step::Store(Mood::Slow)),
            (1_300, Step::Want),
            (1_300, Step::CarryOut),
            (1_301, adopts()),
            (1_301, Step::Deliver(1)),
            (1_301, Step::Deliver(0)),
        ]);
        assert_eq!(scene.caller(), "gets at5 until 3069.000 s");
        assert_eq!(scene.lifecycle.view(scene.now).stage, Stage::Idle, "nothing to wait for");
        assert!(!scene.events.iter().any(|it| matches!(it.1, Event::StoreBehind { .. })));
        assert!(scene.record().sibling.is_none());
    }
}

/// Whoever asks for a dead grant has it read, and waits for no second question when it lives again.
#[test]
fn a_question_that_finds_a_new_consent_begins_its_first_renewal() {
    insta::assert_snapshot!(Scene::of_user().story(vec![
        (0, Step::Want),
        (1_290, Step::Want),
        (1_291, invalid_grant()),
        (1_300, Step::Elsewhere(consent(5, 1_300))),
        (4_000, Step::Want),
        (4_001, rotated(6)),
    ]));
}

#[test]
fn an_admission_that_comes_after_a_command_begins_nothing() {
    let mut scene = Scene::of_user();
    scene.play(vec![
        (0, Step::Want),
        (1_300, Step::Store(Mood::Slow)),
        (1_300, revokes()),
        (1_300, Step::Want),
        (1_300, Step::Input("a renewal is admitted", || Input::Admitted)),
    ]);
    assert_eq!(scene.lifecycle.view(scene.now).stage, Stage::Idle);
    assert_eq!(scene.presented, []);
}

/// In a store that had lost the record, the new consent is generation 1 as the old one was.
#[test]
fn an_intent_that_names_another_token_of_the_same_generation_is_not_used() {
    let mut scene = Scene::of_user();
    scene.play(vec![(0, Step::Want), (1_300, Step::Store(Mood::Slow)), (1_300, Step::Want)]);
    scene.store = Model::new(StoreIdentity(2));
    scene.play(vec![
        (1_301, adopts()),
        (1_301, Step::Deliver(1)),
        (1_301, Step::Deliver(0)),
        (1_301, Step::Deliver(0)),
        (1_310, Step::Want),
    ]);
    assert_eq!(scene.presented, []);
    assert_eq!(scene.record().intent, None, "it was removed");
    assert_eq!(scene.caller(), "gets at5 until 3069.000 s");
}

#[test]
fn a_new_consent_ends_a_doubt() {
    let mut scene = Scene::of_user();
    scene.play(vec![
        (0, Step::Want),
        (1_300, Step::Want),
        (1_301, Step::Answer(Reply::Lost)),
        (1_302, adopts()),
        (1_440, Step::Want),
    ]);
    assert_eq!(scene.caller(), "gets at5 until 3069.000 s");
    assert_eq!(scene.presented.len(), 1);
}

#[test]
fn a_new_consent_is_offered_until_the_store_has_it() {
    insta::assert_snapshot!(Scene::of_user().story(vec![
        (0, Step::Want),
        (1_300, Step::Store(Mood::Refusing)),
        (1_300, adopts()),
        (1_303, Step::Store(Mood::Silent)),
        (1_307, Step::Store(Mood::Up)),
        (1_330, Step::Want),
    ]));
}

#[test]
fn an_end_counts_at_once_and_is_made_durable() {
    insta::assert_snapshot!(Scene::of_user().story(vec![
        (0, Step::Want),
        (1_300, Step::Store(Mood::Refusing)),
        (1_300, revokes()),
        (1_302, Step::Store(Mood::Up)),
        (1_310, Step::Want),
    ]));
}

/// Nothing can come of the presentation: whoever asks later has the record read, as of any end.
#[test]
fn an_end_beside_a_flight_whose_answer_is_lost_leaves_no_doubt() {
    let mut scene = Scene::of_user();
    scene.play(vec![
        (0, Step::Want),
        (1_300, Step::Want),
        (1_301, revokes()),
        (1_302, Step::Answer(Reply::Lost)),
    ]);
    let stage = |scene: &Scene| scene.lifecycle.view(scene.now).stage;
    assert_eq!(stage(&scene), Stage::Idle);
    scene.play(vec![(1_500, Step::Elsewhere(consent(5, 1_500))), (1_501, Step::Want)]);
    assert_eq!(scene.caller(), "gets at5 until 3269.000 s");
}

#[test]
fn the_successor_of_an_ended_grant_is_of_no_use() {
    insta::assert_snapshot!(Scene::of_user().story(vec![
        (0, Step::Want),
        (1_300, Step::Want),
        (1_301, disables(1)),
        (1_302, rotated(2)),
        (1_303, Step::Want),
    ]));
}

/// A successor that waits for the store is served, but not beyond the end of its grant.
#[test]
fn a_successor_that_is_not_durable_yet_ends_with_its_grant() {
    let cases = [
        ("an end", revokes(), "fails: no access token: the application has given the grant up"),
        ("a new consent", adopts(), "gets at5 until 3069.000 s"),
    ];
    for (name, command, expected) in cases {
        let mut scene = Scene::imported();
        scene.play(vec![
            (0, Step::Want),
            (1, Step::Store(Mood::Refusing)),
            (1, rotated(2)),
            (20, Step::Pass),
        ]);
        assert_eq!(scene.caller(), "gets at2 until 1769.000 s", "{name}");
        scene.play(vec![(20, Step::Store(Mood::Up)), (20, command)]);
        assert!(scene.caller().starts_with(expected), "{name}: {}", scene.caller());
        scene.play(vec![(90, Step::Want)]);
        assert!(scene.caller().starts_with(expected), "{name}: {}", scene.caller());
    }
}

#[test]
fn an_end_of_another_generation_changes_nothing() {
    insta::assert_snapshot!(Scene::of_user().story(vec![
        (0, Step::Want),
        (100, disables(9)),
        (101, Step::Want),
    ]));
}

#[test]
fn an_end_that_is_followed_by_a_consent_gives_way_to_it() {
    let mut scene = Scene::of_user();
    scene.play(vec![
        (0, Step::Want),
        (100, Step::Store(Mood::Slow)),
        (100, disables(1)),
        (101, adopts()),
    ]);
    assert_eq!(scene.caller(), "gets at1 until 1769.000 s", "until the new one is durable");
    scene.play(vec![(102, Step::Deliver(0)), (102, Step::Deliver(0))]);
    assert_eq!(scene.caller(), "gets at5 until 3069.000 s");
    assert_eq!(scene.record().health, Health::Live);
}

#[test]
fn a_consent_that_is_followed_by_an_end_is_ended() {
    let mut scene = Scene::of_user();
    scene.play(vec![
        (0, Step::Want),
        (100, Step::Store(Mood::Slow)),
        (100, adopts()),
        (101, revokes()),
    ]);
    assert!(scene.caller().contains("sr_auth::ended::revoked"), "{}", scene.caller());
    scene.play(vec![(102, Step::Deliver(0)), (102, Step::Deliver(0))]);
    assert!(scene.caller().contains("sr_auth::ended::revoked"), "{}", scene.caller());
    assert_eq!(scene.record().health, Health::Revoked);
}

#[test]
fn news_of_a_change_is_read_at_once_and_old_news_is_not() {
    insta::assert_snapshot!(Scene::of_user().story(vec![
        (0, Step::Want),
        (
            100,
            changed("the store tells of generation 1", || Input::Changed {
                generation: Generation::from_number(1),
                health: Health::Live,
            })
        ),
        (200, disabled_elsewhere()),
        (
            202,
            changed("the store tells of generation 2, disabled", || Input::Changed {
                generation: Generation::from_number(2),
                health: Health::Disabled,
            })
        ),
        (300, Step::Elsewhere(consent(5, 300))),
        (
            302,
            changed("the store tells of generation 3", || Input::Changed {
                generation: Generation::from_number(3),
                health: Health::Live,
            })
        ),
    ]));
}

#[test]
fn news_that_come_while_the_record_is_read_lead_to_another_reading() {
    let mut scene = Scene::of_user();
    scene.play(vec![
        (0, Step::Store(Mood::Slow)),
        (0, Step::Want),
        (
            1,
            changed("the store tells of generation 2", || Input::Changed {
                generation: Generation::from_number(2),
                health: Health::Disabled,
            }),
        ),
        (2, Step::Deliver(0)),
    ]);
    let ended = |scene: &Scene| scene.caller().contains("sr_auth::ended::disabled");
    assert!(ended(&scene), "an older record does not revive it: {}", scene.caller());
    scene.play(vec![(3, disabled_elsewhere()), (20, Step::Pass), (20, Step::Deliver(0))]);
    assert!(ended(&scene), "{}", scene.caller());
}

fn told_of_an_end() -> Step {
    changed("the store tells of generation 2, disabled", || Input::Changed {
        generation: Generation::from_number(2),
        health: Health::Disabled,
    })
}

/// The store was restored to a time before an end that had been told, and takes a new consent: its
/// numbers are lower than that of the end. Without a pause the record would be read as fast as the
/// store answers, until the fleet notices.
#[test]
fn an_end_that_a_restored_store_has_not_is_looked_for_with_pauses() {
    let mut scene = Scene::of_user();
    let told = changed("the store tells of generation 9, disabled", || Input::Changed {
        generation: Generation::from_number(9),
        health: Health::Disabled,
    });
    scene.play(vec![(0, Step::Want), (1, told), (1_300, adopts()), (1_301, Step::Want)]);
    assert!(scene.caller().contains("at5"), "{}", scene.caller());
}

#[test]
fn an_end_elsewhere_counts_at_once_whatever_is_under_way() {
    insta::assert_snapshot!(Scene::of_user().story(vec![
        (0, Step::Want),
        (1_300, Step::Want),
        (1_301, disabled_elsewhere()),
        (1_303, told_of_an_end()),
        (1_304, Step::Want),
        (1_310, rotated(2)),
    ]));
    let mut scene = Scene::of_user();
    scene.play(vec![
        (0, Step::Want),
        (1_300, Step::Want),
        (1_301, Step::Store(Mood::Refusing)),
        (1_301, rotated(2)),
        (1_302, Step::Pass),
        (1_302, disabled_elsewhere()),
        (1_303, told_of_an_end()),
    ]);
    assert!(scene.caller().contains("sr_auth::ended::disabled"), "{}", scene.caller());
}

/// The answer to the commit is from before the end, and arrives after the news of it; the first
/// reading fails.
#[test]
fn news_that_overtake_an_answer_are_read_after_it() {
    let answers = [rotated(2), Step::Answer(Reply::Wait(429, 5)), Step::Answer(Reply::NotSent)];
    for answer in answers {
        let mut scene = Scene::of_user();
        scene.play(vec![
            (0, Step::Want),
            (1_300, Step::Want),
            (
                1_301,
                changed("the store tells of generation 3, live", || Input::Changed {
                    generation: Generation::from_number(3),
                    health: Health::Live,
                }),
            ),
            (1_302, Step::Store(Mood::Slow)),
            (1_302, answer),
            (1_303, Step::Deliver(0)),
            (1_304, Step::Elsewhere(consent(6, 1_304))),
            (1_305, Step::Elsewhere(consent(7, 1_305))),
            (1_306, Step::Store(Mood::Up)),
            (1_320, Step::Pass),
        ]);
        assert_eq!(scene.caller(), "gets at7 until 3074.000 s");
    }
}

/// The answer to the consent is from before the end, and arrives after the news of it.
#[test]
fn news_that_overtake_the_answer_to_a_consent_are_read_after_it() {
    let mut scene = Scene::of_user();
    scene.play(vec![
        (0, Step::Want),
        (100, Step::Store(Mood::Slow)),
        (100, adopts()),
        (
            101,
            changed("the store tells of generation 3, disabled", || Input::Changed {
                generation: Generation::from_number(3),
                health: Health::Disabled,
            }),
        ),
        (102, Step::Deliver(0)),
        (102, disabled_elsewhere()),
        (103, Step::Store(Mood::Up)),
        (103, Step::Deliver(1)),
    ]);
    assert!(scene.caller().contains("sr_auth::ended::disabled"), "{}", scene.caller());
}

#[test]
fn a_process_that_ends_begins_nothing_and_finishes_what_it_began() {
    insta::assert_snapshot!(Scene::of_user().story(vec![
        (0, Step::Want),
        (1_300, Step::Want),
        (1_301, shuts_down()),
        (1_302, Step::Store(Mood::Refusing)),
        (1_302, rotated(2)),
        (1_303, Step::Store(Mood::Up)),
        (1_305, Step::Want),
        (3_100, Step::Want),
    ]));
}

#[test]
fn a_process_that_ends_sends_nothing_for_an_intent_that_it_still_gets() {
    insta::assert_snapshot!(Scene::of_user().story(vec![
        (0, Step::Want),
        (1_300, Step::Store(Mood::Slow)),
        (1_300, Step::Want),
        (1_300, shuts_down()),
        (1_301, Step::Store(Mood::Up)),
        (1_301, Step::Deliver(0)),
        (1_310, Step::Want),
    ]));
}

/// The end of a last leg is no moment for a process that begins nothing any more.
#[test]
fn a_process_that_ends_does_not_wake_for_a_last_leg_over_and_over() {
    let mut scene = Scene::of_user();
    scene.play(vec![
        (0, Step::Want),
        (1_300, Step::Want),
        (1_301, granted(2)),
        (2_500, Step::Want),
        (2_501, shuts_down()),
        (3_100, Step::Want),
        (40 * DAY, Step::Pass),
    ]);
    assert_eq!(scene.presented.len(), 1);
    assert_eq!(scene.lifecycle.view(scene.now).timeout_in, None);
}
