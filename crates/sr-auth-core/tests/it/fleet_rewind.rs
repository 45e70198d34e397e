//! The fleet over a store that goes back to an earlier state: a backup was restored.

use std::time::Duration;

use sr_auth_core::fleet::{FleetEvent, Input, Output};
use sr_auth_core::lifecycle::{self, Availability, Event};
use sr_auth_core::store::{End, Health, StoreOp};
use sr_auth_core::{Machine as _, RefreshToken};

use crate::fleet_scene::{Scene, Server, key, settings, slow_pulse};

#[test]
fn a_restored_backup_is_noticed_and_met_with_care() {
    let mut scene = Scene::new(settings()).with_grants(20);
    scene.pass_secs(10);
    let backup = scene.store.clone();
    (0..6).for_each(|number| scene.want(number));
    scene.pass_secs(10);
    assert!((0..6).all(|number| scene.is_ready(number)));
    scene.store = backup;
    scene.pass_secs(5);
    assert_eq!(scene.notices, [FleetEvent::StoreRolledBack]);
    scene.server = Server::TakesItsTime;
    (6..20).for_each(|number| scene.want(number));
    scene.pass_secs(5);
    assert_eq!(scene.waiting(), 1, "one at a time");
    scene.answer_all();
    scene.pass_secs(10);
    assert!((0..20).all(|number| scene.is_ready(number)));
    assert_eq!(scene.notices.get(1..), Some(&[FleetEvent::StoreTrusted][..]));
    // Those that were renewed before are, when their time comes, written again from memory.
    scene.pass_secs(1_800);
    (0..6).for_each(|number| scene.want(number));
    scene.pass_secs(60);
    assert!((0..6).all(|number| scene.is_ready(number)));
    assert_eq!(scene.deaths, 0);
}

#[test]
fn a_backup_of_the_last_week_is_healed_from_memory_and_an_older_one_where_it_is_wished() {
    let day = Duration::from_secs(24 * 60 * 60);
    let usual = slow_pulse(settings());
    let longest = usual.with_healing_for(RefreshToken::LIFE);
    for (settings, days, is_healed) in [(usual, 6, true), (usual, 8, false), (longest, 16, true)] {
        let mut scene = Scene::new(settings).with_grants(1);
        let backup = scene.store.clone();
        scene.pass_secs(600);
        scene.want(0);
        let stored = |scene: &Scene| scene.record(0).refresh.as_ref().map(|it| it.fingerprint);
        let rotated = stored(&scene);
        scene.pass(day * days);
        scene.store = backup;
        scene.pass_secs(120);
        assert_eq!(scene.notices, [FleetEvent::StoreRolledBack]);
        assert_eq!(stored(&scene) == rotated, is_healed, "after {days} days");
        assert_eq!(scene.record(0).health, Health::Live, "nothing was presented");
        scene.want(0);
        scene.pass_secs(600);
        assert_eq!((scene.is_ready(0), scene.deaths), (is_healed, u32::from(!is_healed)));
    }
}

/// Whatever is older counts once the store has gone back; what it tells of an end afterwards counts
/// more than a record that a lagging replica shows.
#[test]
fn an_end_that_is_told_after_a_restoration_outlives_a_record_from_before_it() {
    let mut scene = Scene::new(slow_pulse(settings())).with_grants(1);
    scene.want(0);
    scene.pass_secs(60);
    let backup = scene.store.clone();
    let grant = scene.consent();
    let other = StoreOp::Adopt { grant, key: key(1), only_if_missing: false };
    scene.store.apply(scene.now, other);
    scene.pass_secs(60);
    scene.store = backup;
    scene.pass_secs(60);
    assert_eq!(scene.notices, [FleetEvent::StoreRolledBack]);

    // All records are read again, and somebody ends the grant.
    let mut replica = scene.store.clone();
    let end = StoreOp::End { end: End::Disabled, generation: None, key: key(0) };
    scene.store.apply(scene.now, end);
    let (mut reading, mut pulse) = (None, None);
    while reading.is_none() || pulse.is_none() {
        scene.now = scene.fleet.poll_timeout().expect("the next pulse");
        scene.fleet.handle_input(scene.now, Input::Timeout);
        while let Some(output) = scene.fleet.poll_output() {
            let Output::Store { grant, request } = output else { continue };
            match grant {
                Some(id) => reading = Some((id, request)),
                None => pulse = Some(request),
            }
        }
    }
    let pulse = pulse.expect("the fleet asks what has changed");
    let result = Ok(scene.store.apply(scene.now, pulse.op));
    scene.fleet.handle_input(scene.now, Input::Stored { id: pulse.id, result });
    let (id, reading) = reading.expect("the record is read");
    let result = Ok(replica.apply(scene.now, reading.op));
    let input = lifecycle::Input::Stored { id: reading.id, result };
    scene.fleet.handle_input(scene.now, Input::Grant { id, input });
    let told = scene.fleet.availability(scene.now, id);
    assert!(matches!(told, Some(Availability::Failed(_))), "{told:?}");

    scene.pass_secs(120);
    let last = scene.events.last().map(|(_, event)| event);
    assert!(matches!(last, Some(Event::TakenOver { health: Health::Disabled, .. })), "{last:?}");
    assert!(!scene.is_ready(0));
}
