//! Grants that nobody uses, servers that are gone for weeks, and tokens past their 28 days.

use sr_auth_core::lifecycle::{Availability, Event, Input, Unavailable};
use sr_auth_core::store::{CauseOfDeath, Health};
use sr_auth_core::{Machine as _, Remedy, Timestamp};

use crate::fixture::at;
use crate::lifecycle_scene::{Reply, Scene, Step};
use crate::lifecycle_words::{DAY, grant, invalid_grant, rotated, tokens};

/// Lets a server answer, each request after a second, until the moment comes.
fn served_by(scene: &mut Scene, until: u64, answer: fn(u8) -> Step) {
    let mut number = 1;
    while scene.lifecycle.poll_timeout().is_some_and(|it| it <= at(until)) {
        let presented = scene.presented.len();
        scene.wake();
        if scene.presented.len() > presented {
            number = if number == 9 { 1 } else { number + 1 };
            let secs = scene.now.as_unix_millis().div_ceil(1_000) + 1;
            scene.play(vec![(secs, answer(number))]);
        }
    }
    scene.play(vec![(until, Step::Pass)]);
}

fn warnings(scene: &Scene) -> Vec<(Timestamp, u8)> {
    let warnings = scene.events.iter().filter_map(|(at, event)| {
        let Event::Dying { percent, .. } = event else { return None };
        Some((*at, *percent))
    });
    warnings.collect()
}

fn failure(scene: &Scene) -> Unavailable {
    let Availability::Failed(failure) = scene.lifecycle.availability(scene.now) else {
        panic!("{}", scene.caller());
    };
    failure
}

#[test]
fn the_virtual_clock_moved_27_days_over_an_idle_grant_keeps_it_alive() {
    let mut scene = Scene::of_user();
    scene.play(vec![(0, Step::Want)]);
    served_by(&mut scene, 27 * DAY, rotated);
    let presented: Vec<_> = scene.presented.iter().map(|it| it.1.as_str()).collect();
    assert_eq!(presented, ["rt1"], "once, before its end");
    assert!(scene.presented.iter().all(|it| it.0 == at(18 * DAY)));
    assert_eq!(scene.record().health, Health::Live);
    assert_eq!(warnings(&scene), [], "nothing had to be said");
    scene.play(vec![(27 * DAY, Step::Want), (27 * DAY + 1, rotated(3))]);
    assert!(scene.caller().starts_with("gets at3"), "{}", scene.caller());
}

/// A jump, as after a suspend: one time-out, 27 days later.
#[test]
fn a_machine_that_wakes_after_27_days_renews_at_once() {
    let mut scene = Scene::of_user();
    scene.play(vec![(0, Step::Want)]);
    scene.now = at(27 * DAY);
    scene.play(vec![(27 * DAY, Step::Pass), (27 * DAY + 1, rotated(2))]);
    assert_eq!(scene.presented, [(at(27 * DAY), "rt1".to_owned())]);
    let dying = [(at(27 * DAY), 85), (at(27 * DAY), 95)];
    assert_eq!(warnings(&scene), dying);
    assert_eq!(scene.record().health, Health::Live);
}

#[test]
fn a_grant_of_a_year_of_idleness_is_rotated_every_17_to_21_days() {
    let mut scene = Scene::of_user();
    scene.play(vec![(0, Step::Want)]);
    served_by(&mut scene, 365 * DAY, rotated);
    let times = scene.presented.iter().map(|it| it.0);
    let spans: Vec<_> = times.clone().zip(times.skip(1)).map(|(a, b)| b.since(a)).collect();
    assert!((16..=21).contains(&spans.len()), "{}", spans.len());
    for span in spans {
        let days = span.as_secs() as f64 / DAY as f64;
        assert!((28.0 * 0.6..28.0 * 0.75 + 0.01).contains(&days), "{days}");
    }
}

#[test]
fn a_server_that_is_gone_for_29_days_ends_in_an_error_that_says_what_to_do() {
    let mut scene = Scene::of_user();
    scene.play(vec![(0, Step::Want)]);
    served_by(&mut scene, 29 * DAY, |_| Step::Answer(Reply::NotSent));
    assert_eq!(scene.record().health, Health::Live, "no clock kills a grant");
    let told = failure(&scene);
    assert_eq!(told.to_string(), "no access token: the token endpoint cannot be reached");
    assert_eq!(told.code(), "sr_auth::renewal::transport");
    assert!(matches!(told.remedy(), Remedy::RetryLater { at: Some(_) }));
    let [first, second] = warnings(&scene)[..] else { panic!("{:?}", warnings(&scene)) };
    let day = |it: Timestamp| it.as_unix_millis() as f64 / 1_000.0 / DAY as f64;
    assert_eq!((first.1, second.1), (85, 95));
    assert!((day(first.0) - 23.8).abs() < 0.01, "85 % of 28 days: {first:?}");
    assert!((day(second.0) - 26.6).abs() < 0.01, "95 % of 28 days: {second:?}");

    served_by(&mut scene, 30 * DAY, |_| invalid_grant());
    assert_eq!(scene.record().health, Health::Dead(CauseOfDeath::Expired));
    let told = failure(&scene);
    assert_eq!(
        told.to_string(),
        "no access token: the refresh token was refused after its 28 days; the user has to \
         consent again",
    );
    assert_eq!(told.code(), "sr_auth::dead::expired");
    assert_eq!(told.remedy(), Remedy::Reauthorize);
    assert_eq!(told.retry_at(), None);
}

#[test]
fn a_refresh_token_past_its_28_days_is_still_presented_once() {
    for (answer, expected) in [
        (invalid_grant as fn() -> Step, Health::Dead(CauseOfDeath::Expired)),
        (|| rotated(2), Health::Live),
    ] {
        let mut scene = Scene::of_user();
        scene.now = at(29 * DAY);
        scene.play(vec![(29 * DAY, Step::Want), (29 * DAY + 1, answer())]);
        assert_eq!(scene.presented, [(at(29 * DAY), "rt1".to_owned())]);
        assert_eq!(scene.record().health, expected);
    }
}

#[test]
fn a_silent_server_is_presented_the_same_token_until_it_speaks() {
    let mut scene = Scene::of_user();
    scene.play(vec![(0, Step::Want)]);
    served_by(&mut scene, 29 * DAY, |_| Step::Answer(Reply::Lost));
    assert_eq!(scene.record().health, Health::Live);
    assert!(scene.caller().starts_with("waits, more is known at"), "{}", scene.caller());
    served_by(&mut scene, 29 * DAY + 3_600, |_| Step::Answer(Reply::Body(200, tokens(2))));
    assert_eq!(scene.record().health, Health::Live, "the server judges, not our clock");
    assert_eq!(scene.record().refresh.as_ref().map(|it| it.value.expose()), Some("rt2"));
}

#[test]
fn a_new_consent_ends_the_warnings() {
    let mut scene = Scene::of_user();
    scene.play(vec![(0, Step::Want)]);
    served_by(&mut scene, 25 * DAY, |_| Step::Answer(Reply::NotSent));
    assert_eq!(warnings(&scene).len(), 1);
    scene.play(vec![(
        25 * DAY,
        Step::Input("the user consents anew", || Input::Adopt(grant(5, 25 * DAY))),
    )]);
    served_by(&mut scene, 28 * DAY, rotated);
    assert_eq!(warnings(&scene).len(), 1);
}
