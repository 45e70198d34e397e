//! What an operator holds is neither presented nor handed out, and nothing of it is lost.

use std::time::Duration;

use sr_auth_core::fleet::{Fleet, FleetEvent, Input, Output, Settings};
use sr_auth_core::lifecycle::{self, Availability, Cause};
use sr_auth_core::store::{
    End, GrantKey, Health, Hold, HoldScope, Holds, NewGrant, OwnerId, Renewal, StoreOp, Successor,
};
use sr_auth_core::{Machine as _, Remedy, Timestamp};

use crate::fleet_scene::{Scene, Server, application, key, process};

#[test]
fn a_hold_is_heard_with_the_next_pulse_and_a_release_too() {
    let mut scene = ready(3);
    hold(&mut scene, &[HoldScope::Under(key(1))]);
    assert!(scene.is_ready(1), "nobody has told this process yet");
    scene.pass_secs(2);
    assert_eq!([0, 1, 2].map(|it| scene.is_ready(it)), [true, false, true]);
    let error = failure(&scene, 1);
    assert_eq!((error.cause(), error.remedy()), (Cause::Held, Remedy::AskOperator));
    assert_eq!(scene.told(|it| matches!(it, FleetEvent::Held { .. })), 1);
    hold(&mut scene, &[]);
    scene.pass_secs(2);
    assert!((0..3).all(|it| scene.is_ready(it)));
    assert_eq!(scene.told(|it| matches!(it, FleetEvent::Released { .. })), 1);
    assert_eq!(scene.requests.len(), 3, "none was renewed for it");
}

#[test]
fn nothing_that_is_held_is_presented_however_long() {
    let mut scene = ready(3);
    hold(&mut scene, &[HoldScope::All]);
    scene.pass_secs(2);
    let before = scene.requests.len();
    // Longer than the access token lives, and past some scans.
    scene.pass_secs(3_600);
    (0..3).for_each(|it| scene.want(it));
    scene.pass_secs(3_600);
    assert_eq!(scene.requests.len(), before);
    hold(&mut scene, &[]);
    scene.pass_secs(30);
    assert!((0..3).all(|it| scene.is_ready(it)), "who has waited is served");
    assert_eq!((scene.requests.len() - before, scene.deaths), (3, 0));
}

#[test]
fn a_successor_that_is_under_way_is_committed_under_a_hold() {
    let mut scene = Scene::new(Settings::default()).with_grants(1);
    scene.pass_secs(1);
    scene.server = Server::TakesItsTime;
    scene.want(0);
    hold(&mut scene, &[HoldScope::All]);
    scene.pass_secs(4);
    let presented = scene.record(0).generation;
    scene.answer_all();
    assert_eq!(scene.record(0).generation, presented.next(), "it is durable");
    assert!(!scene.is_ready(0), "and not handed out");
    hold(&mut scene, &[]);
    scene.pass_secs(2);
    assert!(scene.is_ready(0));
    assert_eq!(scene.requests.len(), 1);
}

#[test]
fn who_begins_under_a_hold_hands_out_nothing_before_the_store_has_said() {
    let mut scene = ready(1);
    hold(&mut scene, &[HoldScope::All]);
    // Another process begins, and hears of the grant before it hears of the hold.
    let mut fleet = begin(&scene);
    let (now, mut pulse) = (scene.now, Vec::new());
    let mut later = Vec::new();
    answer(&mut scene, &mut fleet, now, |output| later.push(output));
    assert!(matches!(seen(&fleet, now), Some(Availability::Pending { .. })), "it is not known yet");
    later.into_iter().for_each(|it| give(&mut scene, &mut fleet, now, it));
    answer(&mut scene, &mut fleet, now, |output| pulse.push(output));
    assert!(matches!(seen(&fleet, now), Some(Availability::Pending { .. })), "the list is read");
    pulse.into_iter().for_each(|it| give(&mut scene, &mut fleet, now, it));
    let Some(Availability::Failed(error)) = seen(&fleet, now) else { panic!("it is held") };
    assert_eq!(error.cause(), Cause::Held);
}

#[test]
fn a_store_that_does_not_say_what_is_held_keeps_no_token_back() {
    let mut scene = ready(1);
    let mut fleet = begin(&scene);
    let mut now = scene.now;
    answer(&mut scene, &mut fleet, now, drop);
    assert!(matches!(seen(&fleet, now), Some(Availability::Pending { .. })));
    while !matches!(seen(&fleet, now), Some(Availability::Ready(_))) {
        now = fleet.poll_timeout().expect("a moment");
        assert!(now < scene.now.after(Duration::from_secs(20)), "a question is given up");
        fleet.handle_input(now, Input::Timeout);
        answer(&mut scene, &mut fleet, now, drop);
    }
}

#[test]
fn an_end_says_more_than_a_hold() {
    let mut scene = ready(1);
    hold(&mut scene, &[HoldScope::All]);
    scene
        .store
        .apply(scene.now, StoreOp::End { end: End::Disabled, generation: None, key: key(0) });
    scene.pass_secs(4);
    assert_eq!(failure(&scene, 0).cause(), Cause::Ended(End::Disabled));
}

#[test]
fn the_list_is_no_grant_and_nobody_gets_it_as_a_token() {
    let mut scene = ready(1);
    hold(&mut scene, &[HoldScope::Under(GrantKey::new("elsewhere").expect("a key"))]);
    scene.pass_secs(2);
    let application = scene.application;
    scene.input(Input::Want { application, key: Holds::key() });
    scene.input(Input::Open { application, key: Holds::key() });
    scene.pass_secs(600);
    assert!(scene.fleet.find(&Holds::key()).is_none());
    assert!(scene.is_ready(0));
}

#[test]
fn a_hold_outlives_a_backup_from_before_it() {
    let mut scene = ready(2);
    let backup = scene.store.clone();
    hold(&mut scene, &[HoldScope::Under(key(0))]);
    scene.pass_secs(2);
    scene.store = backup;
    scene.pass_secs(10);
    assert_eq!(scene.told(|it| *it == FleetEvent::StoreRolledBack), 1);
    assert_eq!([0, 1].map(|it| scene.is_ready(it)), [false, true]);
    // What an operator says from then on counts.
    hold(&mut scene, &[HoldScope::Under(key(1))]);
    scene.pass_secs(4);
    assert_eq!([0, 1].map(|it| scene.is_ready(it)), [true, false]);
}

/// Grants of which each has an access token.
fn ready(count: u32) -> Scene {
    let mut scene = Scene::new(Settings::default()).with_grants(count);
    (0..count).for_each(|number| scene.want(number));
    scene.pass_secs(10);
    assert!((0..count).all(|number| scene.is_ready(number)));
    scene
}

/// Writes the list as another process would.
fn hold(scene: &mut Scene, scopes: &[HoldScope]) {
    let hold = |scope: &HoldScope| Hold::new(scope.clone(), "leak", Timestamp::EPOCH);
    let holds = scopes.iter().fold(Holds::default(), |holds, scope| {
        holds.with(hold(scope).expect("a reason")).expect("room")
    });
    let access = Some(holds.to_token());
    let standing = scene.store.record(&Holds::key()).filter(|it| it.health == Health::Live);
    let op = match standing.map(|it| it.generation) {
        None => StoreOp::Adopt {
            grant: NewGrant { access, refresh: None, renewal: Renewal::Repeatable },
            key: Holds::key(),
            only_if_missing: true,
        },
        Some(generation) => StoreOp::Commit {
            generation,
            key: Holds::key(),
            owner: OwnerId::new(0),
            successor: Successor { access, refresh: None },
        },
    };
    scene.store.apply(scene.now, op);
    scene.pass(Duration::ZERO);
}

/// Another process, of which somebody wants the grant.
fn begin(scene: &Scene) -> Fleet {
    let mut fleet = Fleet::new(scene.now, process(8), Settings::default());
    let application = fleet.register(scene.now, application(), Renewal::SingleUse);
    fleet.handle_input(scene.now, Input::Want { application, key: key(0) });
    fleet.handle_input(scene.now, Input::Timeout);
    fleet
}

/// Answers what a fleet asks about grants, and puts the rest aside.
fn answer(scene: &mut Scene, fleet: &mut Fleet, now: Timestamp, mut aside: impl FnMut(Output)) {
    while let Some(output) = fleet.poll_output() {
        if matches!(output, Output::Store { grant: None, .. }) {
            aside(output);
        } else {
            give(scene, fleet, now, output);
        }
    }
}

fn give(scene: &mut Scene, fleet: &mut Fleet, now: Timestamp, output: Output) {
    let Output::Store { grant, request } = output else { return };
    let (id, result) = (request.id, Ok(scene.store.apply(now, request.op)));
    fleet.handle_input(
        now,
        match grant {
            Some(grant) => {
                Input::Grant { id: grant, input: lifecycle::Input::Stored { id, result } }
            }
            None => Input::Stored { id, result },
        },
    );
}

fn seen(fleet: &Fleet, now: Timestamp) -> Option<Availability<'_>> {
    fleet.availability(now, fleet.find(&key(0))?)
}

fn failure(scene: &Scene, number: u32) -> lifecycle::Unavailable {
    let id = scene.fleet.find(&key(number)).expect("resident");
    let Some(Availability::Failed(error)) = scene.fleet.availability(scene.now, id) else {
        panic!("it is available")
    };
    error
}
