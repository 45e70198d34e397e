//! An exchange and what else happens to its company meanwhile: rows P08, P17.

use std::time::Duration;

use sr_partner::exchange::{ExchangeError, ExchangeEvent, StoreStep};
use sr_partner::store::{EndCause, PartnerOp, Phase};

use crate::exchange_scene::{Fate, Reaction, Scene, ok};
use crate::fixture::{Desk, consent, key, settings, tenant};

fn scene(desk: Desk, who: &str, seen: u64, number: u8) -> Scene {
    Scene::begin(desk, settings(), consent("5f1b", who, seen, number))
}

#[track_caller]
fn assert_failed(scene: &Scene, expected: ExchangeError) {
    assert_eq!(*scene.outcome(), ExchangeEvent::Failed(expected), "{}", scene.story);
}

#[test]
fn p17_one_consent_is_one_request_however_often_it_is_posted() {
    // The first lies under way: its answer is lost, so the attempt stands.
    let first = scene(Desk::new(), "acme", 0, 1).reacting([Reaction::Lost]).run();
    let mut machine_twin = scene(first.desk, "acme", 0, 1);
    machine_twin.machine = sr_partner::exchange::IntegrationExchange::new(
        machine_twin.desk.now,
        settings(),
        consent("5f1b", "acme", 0, 1),
        [8; 80],
    );
    let again = machine_twin.run();
    assert_failed(&again, ExchangeError::Taken);
    assert!(again.requests.is_empty());
    let bound = scene(Desk::new(), "acme", 0, 1).reacting([ok()]).run();
    let mut desk = bound.desk;
    let attempt = consent("5f1b", "acme", 0, 1).attempt();
    let verified = sr_partner::store::Verified::ByOwner;
    desk.apply(PartnerOp::Activate { attempt, key: key("5f1b"), verified });
    let after = scene(desk, "acme", 0, 1).run();
    assert_failed(&after, ExchangeError::Taken);
}

#[test]
fn p17_a_second_tab_that_was_opened_before_is_too_late() {
    let first = scene(Desk::new(), "acme", 0, 1).reacting([ok()]).run();
    let second = scene(first.desk, "acme", 0, 2).run();
    assert_failed(&second, ExchangeError::Moved);
    assert!(second.requests.is_empty());
}

#[test]
fn p08_a_company_of_another_tenant_stays_theirs_and_nothing_is_sent() {
    let mut desk = Desk::new();
    desk.bind("5f1b", "acme", 9, 0);
    let scene = scene(desk, "mallory", 1, 1).run();
    assert_failed(&scene, ExchangeError::BoundElsewhere);
    assert!(scene.requests.is_empty(), "a request might replace the credentials of the other");
    let record = scene.desk.store.record(&key("5f1b")).unwrap();
    assert_eq!(record.binding.as_ref().unwrap().tenant, tenant("acme"));
}

#[test]
fn an_attempt_that_stands_keeps_others_out_until_it_is_over() {
    let until = |secs| ExchangeError::Busy { until: crate::fixture::at(secs) };
    let mut desk = Desk::new();
    desk.arm("5f1b", "acme", 9, 0);
    let own = scene(desk, "acme", 1, 1).run();
    assert_failed(&own, until(135));
    let other = scene(own.desk, "globex", 1, 2).run();
    assert_failed(&other, until(900));
    let mut desk = other.desk;
    desk.now = crate::fixture::at(135);
    let own = scene(desk, "acme", 1, 3).reacting([ok()]).run();
    let ExchangeEvent::AwaitsOwner { .. } = own.outcome() else { panic!("{}", own.story) };
}

#[test]
fn an_attempt_that_ends_while_its_answer_travels_binds_nothing() {
    for cause in [EndCause::Disabled, EndCause::Revoked] {
        let mut scene = scene(Desk::new(), "acme", 0, 1);
        scene.reactions.push_back(Reaction::Silence);
        let mut scene = scene.run_until_request();
        scene.desk.apply(PartnerOp::End { cause, generation: None, key: key("5f1b") });
        let scene = scene.answered(200, crate::exchange_scene::CREDENTIALS).run();
        assert_failed(&scene, ExchangeError::Superseded);
        let record = scene.desk.store.record(&key("5f1b")).unwrap();
        assert!(record.attempt.is_none() && record.binding.is_none());
    }
}

#[test]
fn a_store_that_takes_nothing_stops_the_exchange_before_anything_leaves() {
    for (op, step) in [("Begin", StoreStep::Begin), ("Arm", StoreStep::Arm)] {
        for fate in [Fate::Fails, Fate::Lost] {
            let fates = [(op, fate); 4];
            let scene = scene(Desk::new(), "acme", 0, 1).with_fates(&fates).run();
            assert_failed(&scene, ExchangeError::Store { step });
            assert!(scene.requests.is_empty(), "{op} {fate:?}");
        }
    }
}

#[test]
fn a_store_that_is_slow_to_announce_lets_nothing_leave_too_late() {
    // Three seconds for each answer: the announcement is older than its fence.
    let slow = Duration::from_secs(3);
    let scene = scene(Desk::new(), "acme", 0, 1).reacting([ok()]).with_slow_store(slow).run();
    assert_failed(&scene, ExchangeError::Unavailable);
    assert!(scene.requests.is_empty());
}

#[test]
fn an_answer_is_kept_however_often_the_store_fails() {
    for failures in [1, 4, 12] {
        let fates = vec![("Commit", Fate::Fails); failures];
        let scene = scene(Desk::new(), "acme", 0, 1).reacting([ok()]).with_fates(&fates).run();
        let ExchangeEvent::AwaitsOwner { .. } = scene.outcome() else { panic!("{}", scene.story) };
        let record = scene.desk.store.record(&key("5f1b")).unwrap();
        let phase = &record.attempt.as_ref().unwrap().phase;
        assert!(matches!(phase, Phase::Integrated { .. }), "{failures}");
    }
}
