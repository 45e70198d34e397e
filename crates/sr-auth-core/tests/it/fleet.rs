//! The fleet: who goes first, who stops everybody, and what is done without being asked.

use std::num::NonZeroU32;
use std::time::Duration;

use proptest::prelude::*;
use sr_auth_core::Machine as _;
use sr_auth_core::fleet::{ApplicationId, Fleet, FleetEvent, Input, Output, Ruling};
use sr_auth_core::lifecycle::{self, Availability, Event};
use sr_auth_core::store::{
    End, Health, IntentId, Model, NewIntent, OwnerId, Renewal, StoreIdentity, StoreOp,
};

use crate::fixture::at;
use crate::fleet_scene::{Scene, Server, application, key, process, settings, slow_pulse};

fn number(number: u32) -> NonZeroU32 {
    NonZeroU32::new(number).expect("not zero")
}

#[test]
fn requests_stay_inside_of_the_budget_and_all_are_served() {
    let mut scene = Scene::new(settings()).with_grants(100);
    let start = scene.now;
    (0..100).for_each(|number| scene.want(number));
    assert_eq!(scene.requests.len(), 10, "callers who wait borrow a burst");
    scene.pass_secs(20);
    assert!((0..100).all(|number| scene.is_ready(number)));
    assert_eq!(scene.requests.len(), 100, "each grant is renewed once");
    let last = scene.requests.last().expect("a request").0;
    assert_eq!(last.since(start).as_secs(), 9, "90 more at ten a second");
    assert!(scene.notices.is_empty(), "{:?}", scene.notices);
}

#[test]
fn no_more_requests_are_in_flight_than_there_are_places() {
    let mut scene = Scene::new(settings().with_in_flight(number(4))).with_grants(20);
    scene.server = Server::TakesItsTime;
    (0..20).for_each(|number| scene.want(number));
    scene.pass_secs(30);
    assert_eq!((scene.requests.len(), scene.waiting()), (4, 4));
    scene.answer_all();
    scene.pass_secs(5);
    assert!((0..20).all(|number| scene.is_ready(number)));
}

#[test]
fn who_waits_goes_before_what_nobody_asked_for() {
    let mut scene = Scene::new(slow_pulse(settings()).with_in_flight(number(1))).with_grants(9);
    // Old enough for keep-alive, all of them.
    scene.pass_secs(22 * 86_400);
    scene.requests.clear();
    scene.server = Server::TakesItsTime;
    for number in 0..9 {
        scene.input(Input::Open { application: scene.application, key: key(number) });
    }
    scene.pass_secs(1);
    scene.want(8);
    scene.answer_all();
    scene.pass_secs(5);
    let order: Vec<_> = scene.requests.iter().map(|it| it.1.as_str()).collect();
    assert!(order.iter().position(|it| *it == "planner/8") <= Some(1), "{order:?}");
}

#[test]
fn a_refused_application_spends_nothing_and_goes_on_with_new_credentials() {
    let mut scene = Scene::new(settings()).with_grants(50);
    scene.server = Server::RefusesTheClient;
    (0..50).for_each(|number| scene.want(number));
    assert_eq!(scene.requests.len(), 1, "one is enough");
    assert_eq!(scene.told(|it| matches!(it, FleetEvent::ApplicationStopped { .. })), 1);
    scene.pass_secs(29);
    assert_eq!(scene.requests.len(), 1);
    scene.pass_secs(30 + 60 + 120);
    assert_eq!(scene.requests.len(), 4, "one probe after 30, 90 and 210 s");
    scene.server = Server::Answers;
    let id = scene.application;
    scene.input(Input::Replace { application: application(), id });
    scene.pass_secs(120);
    assert!((0..50).all(|number| scene.is_ready(number)));
    assert_eq!(scene.deaths, 0);
}

#[test]
fn an_endpoint_that_is_down_is_asked_by_one_at_a_time() {
    let mut scene = Scene::new(settings()).with_grants(60);
    scene.server = Server::IsDown;
    (0..60).for_each(|number| scene.want(number));
    assert_eq!(scene.requests.len(), 5, "five faults in a row");
    assert_eq!(scene.told(|it| matches!(it, FleetEvent::EndpointStopped { .. })), 1);
    scene.pass_secs(64);
    assert_eq!(scene.requests.len(), 11, "probes after 1, 3, 7, 15, 31 and 63 s");
    scene.server = Server::Answers;
    scene.pass_secs(1_200);
    assert_eq!(scene.told(|it| matches!(it, FleetEvent::EndpointResumed { .. })), 1);
    assert!((0..60).all(|number| scene.is_ready(number)));
    assert_eq!(scene.deaths, 0);
}

#[test]
fn a_pause_that_the_server_asks_for_holds_for_all() {
    let mut scene = Scene::new(settings()).with_grants(30);
    scene.server = Server::Throttles(90);
    (0..30).for_each(|number| scene.want(number));
    assert_eq!(scene.requests.len(), 1);
    scene.server = Server::Answers;
    scene.pass_secs(89);
    assert_eq!(scene.requests.len(), 1);
    scene.pass_secs(30);
    assert!((0..30).all(|number| scene.is_ready(number)));
}

/// The process stood still, and hears of an answer when it has given up the presentation: the pause
/// that it asks for is kept.
#[test]
fn a_pause_that_the_server_asks_for_too_late_holds_for_all() {
    let mut scene = Scene::new(settings()).with_grants(2);
    scene.pass_secs(1);
    scene.server = Server::TakesItsTime;
    scene.want(0);
    scene.now = scene.now.after(Duration::from_secs(300));
    scene.input(Input::Timeout);
    let is_given_up = |it: &(String, Event)| matches!(it.1, Event::InDoubt { .. });
    assert!(scene.events.iter().any(is_given_up), "{:?}", scene.events);
    scene.answer_all_as(Server::Throttles(90));
    scene.want(1);
    scene.pass_secs(89);
    assert_eq!(scene.requests.len(), 1, "{:?}", scene.requests);
    scene.pass_secs(60);
    assert!(scene.is_ready(0) && scene.is_ready(1));
}

#[test]
fn a_mass_of_refusals_kills_no_more_than_the_first_few() {
    let mut scene = Scene::new(slow_pulse(settings())).with_grants(60);
    scene.server = Server::RefusesTheGrant;
    (0..60).for_each(|number| scene.want(number));
    scene.pass_secs(60);
    assert_eq!(scene.deaths, 5);
    assert_eq!(scene.notices, [FleetEvent::RefusalsDoubted]);
    scene.pass_secs(86_400 / 2);
    assert_eq!(scene.deaths, 5, "the same wave comes again and again");
    scene.server = Server::Answers;
    scene.pass_secs(2 * 86_400);
    let living = (0..60).filter(|it| scene.record(*it).health == Health::Live).count();
    assert_eq!((scene.deaths, living), (5, 55));
    assert_eq!(scene.notices.last(), Some(&FleetEvent::RefusalsBelieved));
}

#[test]
fn idle_grants_that_are_in_no_memory_are_renewed_before_they_grow_too_old() {
    let settings = slow_pulse(settings()).with_capacity(number(10));
    let mut scene = Scene::new(settings).with_grants(200);
    scene.pass_secs(27 * 86_400);
    assert!((0..200).all(|it| scene.record(it).generation.number() >= 2), "each was renewed");
    scene.pass_secs(27 * 86_400);
    assert!((0..200).all(|it| scene.record(it).health == Health::Live));
    let dying = scene.events.iter().filter(|it| matches!(it.1, Event::Dying { .. }));
    assert_eq!((scene.deaths, dying.count()), (0, 0));
    assert!(scene.fleet.len() <= 10, "{} resident", scene.fleet.len());
}

#[test]
fn memory_is_bounded_and_nothing_under_way_leaves_it() {
    let mut scene = Scene::new(settings().with_capacity(number(10))).with_grants(300);
    for number in 0..300 {
        scene.input(Input::Open { application: scene.application, key: key(number) });
        assert!(scene.fleet.len() <= 10);
    }
    assert_eq!(scene.told(|it| matches!(it, FleetEvent::Evicted { .. })), 290);
    scene.server = Server::TakesItsTime;
    (0..30).for_each(|number| scene.want(number));
    let under_way = scene.waiting();
    assert!(under_way >= 10 && scene.fleet.len() == 30, "those who wait stay");
    scene.answer_all();
    scene.pass_secs(5);
    assert!((0..30).all(|it| scene.record(it).generation.number() == 2), "all were served");
    assert!(scene.fleet.len() <= 10, "{} resident", scene.fleet.len());
}

#[test]
fn an_id_that_is_stale_changes_nothing() {
    let mut scene = Scene::new(settings().with_capacity(number(1))).with_grants(2);
    scene.want(0);
    let stale = scene.fleet.find(&key(0)).expect("resident");
    scene.want(1);
    assert!(scene.fleet.availability(scene.now, stale).is_none());
    let requests = scene.requests.len();
    scene.input(Input::Grant { id: stale, input: lifecycle::Input::Want });
    scene.input(Input::Grant { id: stale, input: lifecycle::Input::Timeout });
    assert_eq!((scene.requests.len(), scene.fleet.key(stale)), (requests, None));
}

#[test]
fn an_end_reaches_every_process_within_five_seconds() {
    let mut scene = Scene::new(settings()).with_grants(3);
    scene.want(1);
    scene.pass_secs(10);
    assert!(scene.is_ready(1));
    let op = StoreOp::End { end: End::Disabled, generation: None, key: key(1) };
    scene.store.apply(scene.now, op);
    scene.pass_secs(5);
    assert!(!scene.is_ready(1));
    let told = scene.events.last().expect("an event");
    assert!(
        matches!(told, (name, Event::TakenOver { health: Health::Disabled, .. }) if name == "planner/1")
    );
}

#[test]
fn who_waits_for_a_record_is_not_told_of_an_end_that_a_newer_consent_has_undone() {
    let mut scene = Scene::new(settings()).with_grants(2);
    let end = StoreOp::End { end: End::Revoked, generation: None, key: key(1) };
    scene.store.apply(scene.now, end);
    let grant = scene.consent();
    let again = StoreOp::Adopt { grant, key: key(1), only_if_missing: false };
    scene.store.apply(scene.now, again);

    // A process that begins hears the whole history before its record was read.
    let now = scene.now;
    let mut fleet = Fleet::new(now, process(8), settings());
    let application = fleet.register(now, application(), Renewal::SingleUse);
    fleet.handle_input(now, Input::Want { application, key: key(1) });
    let pulsed = now.after(Duration::from_secs(1));
    fleet.handle_input(pulsed, Input::Timeout);
    let id = fleet.find(&key(1)).expect("it is wanted");
    let mut pulses = 0;
    while let Some(output) = fleet.poll_output() {
        if let Output::Store { grant: None, request } = output {
            pulses += u32::from(matches!(request.op, StoreOp::Pulse { .. }));
            let (id, result) = (request.id, Ok(scene.store.apply(pulsed, request.op)));
            fleet.handle_input(pulsed, Input::Stored { id, result });
        }
    }
    assert_eq!(pulses, 1);
    let told = fleet.availability(pulsed, id);
    assert!(matches!(told, Some(Availability::Pending { .. })), "{told:?}");
}

#[test]
fn a_grant_that_has_rested_for_weeks_presents_what_the_store_has() {
    let mut scene = Scene::new(slow_pulse(settings())).with_grants(1);
    scene.want(0);
    scene.pass_secs(14 * 24 * 60 * 60);
    assert!(!scene.is_ready(0));
    scene.want(0);
    assert!(scene.is_ready(0));
    // The record is lost while nothing of the grant is in memory but its name.
    scene.pass_secs(14 * 24 * 60 * 60);
    scene.store = Model::new(StoreIdentity(1));
    scene.want(0);
    scene.pass_secs(600);
    assert!(!scene.is_ready(0));
    assert_eq!((scene.requests.len(), scene.deaths), (2, 0));
    assert!(scene.store.record(&key(0)).is_none());
}

#[test]
fn a_process_that_ends_finishes_what_it_began_and_begins_nothing() {
    let mut scene = Scene::new(settings()).with_grants(3);
    scene.server = Server::TakesItsTime;
    scene.want(0);
    scene.input(Input::Shutdown);
    scene.want(1);
    scene.pass_secs(20);
    assert_eq!((scene.requests.len(), scene.drained), (1, 0));
    scene.answer_all();
    assert_eq!((scene.drained, scene.record(0).generation.number()), (1, 2));
    scene.pass_secs(600);
    assert_eq!((scene.requests.len(), scene.drained), (1, 1));
}

#[test]
fn a_store_that_is_away_stops_nothing_for_ever() {
    let mut scene = Scene::new(settings()).with_grants(20);
    scene.store_is_away = true;
    (0..20).for_each(|number| scene.want(number));
    scene.pass_secs(3_600);
    assert_eq!(scene.requests.len(), 0, "nothing is presented without an intent");
    scene.store_is_away = false;
    (0..20).for_each(|number| scene.want(number));
    scene.pass_secs(120);
    assert!((0..20).all(|number| scene.is_ready(number)));
}

#[test]
fn a_clock_set_back_stops_nothing() {
    let mut scene = Scene::new(settings()).with_grants(20);
    (0..20).for_each(|number| scene.want(number));
    scene.pass_secs(1_000);
    scene.now = at(900_000);
    scene.input(Input::ClockDiverged);
    scene.want(3);
    scene.pass_secs(60);
    let op = StoreOp::End { end: End::Revoked, generation: None, key: key(3) };
    scene.store.apply(scene.now, op);
    scene.pass_secs(5);
    assert!(!scene.is_ready(3), "the pulse goes on");
    assert!(scene.fleet.poll_timeout() > Some(scene.now));
}

#[test]
fn an_operator_may_believe_a_mass_of_refusals() {
    let mut scene = Scene::new(settings()).with_grants(30);
    scene.input(Input::Judge(Ruling::Believe));
    scene.server = Server::RefusesTheGrant;
    (0..30).for_each(|number| scene.want(number));
    scene.pass_secs(60);
    assert_eq!((scene.deaths, scene.notices.len()), (30, 0));
}

#[test]
fn an_operator_who_has_repaired_something_lets_all_go_on() {
    let mut scene = Scene::new(settings()).with_grants(9);
    scene.server = Server::RefusesTheClient;
    (0..9).for_each(|number| scene.want(number));
    scene.server = Server::Answers;
    scene.input(Input::Resume);
    scene.pass_secs(2);
    // The first waits for its own back-off.
    assert!((1..9).all(|number| scene.is_ready(number)));
}

#[test]
fn what_is_due_of_an_unknown_application_is_asked_for() {
    let mut scene = Scene::new(slow_pulse(settings())).with_grants(2);
    let other = scene.fleet.register(scene.now, application(), Renewal::SingleUse);
    scene.pass_secs(22 * 86_400);
    let unplaced = |it: &FleetEvent| *it == FleetEvent::Unplaced { key: key(1) };
    assert!(scene.told(unplaced) > 0 && scene.requests.is_empty());
    scene.input(Input::Open { application: other, key: key(1) });
    scene.pass_secs(600);
    assert_eq!(scene.record(1).generation.number(), 2);
}

#[test]
fn what_is_due_and_was_not_opened_here_is_left_alone_where_the_settings_say_so() {
    let mut scene = Scene::new(slow_pulse(settings()).with_only_opened()).with_grants(2);
    scene.pass_secs(22 * 86_400);
    assert!(scene.requests.is_empty());
    let application = ApplicationId::default();
    scene.input(Input::Open { application, key: key(1) });
    scene.pass_secs(600);
    let generations = [0, 1].map(|number| scene.record(number).generation.number());
    assert_eq!(generations, [1, 2]);
}

#[test]
fn an_intent_that_a_dead_process_left_is_settled_though_nobody_asks() {
    let mut scene = Scene::new(settings()).with_grants(600);
    for number in 0..600 {
        let record = scene.record(number);
        let (generation, key) = (record.generation, key(number));
        let fingerprint = record.refresh.as_ref().map(|it| it.fingerprint);
        let id = IntentId { number: u64::from(number), owner: OwnerId::new(666) };
        let quiet = Duration::from_secs(135);
        let intent = NewIntent { fingerprint, id, quiet };
        scene.store.apply(scene.now, StoreOp::Arm { generation, intent, key, over: None });
    }
    scene.pass_secs(1_800);
    assert!((0..600).all(|number| scene.record(number).intent.is_none()));
    assert!((0..600).all(|number| scene.record(number).generation.number() == 2));
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Clock(i32),
    Pass(u32),
    Reject(u32),
    Resume,
    Server(Server),
    Store(bool),
    Want(u32),
}

fn step() -> impl Strategy<Value = Step> {
    let server = prop_oneof![
        Just(Server::Answers),
        Just(Server::IsDown),
        Just(Server::RefusesTheClient),
        (1_u64..200).prop_map(Server::Throttles),
    ];
    prop_oneof![
        1 => (-9_000_i32..9_000).prop_map(Step::Clock),
        4 => (0_u32..400).prop_map(Step::Pass),
        1 => (0_u32..12).prop_map(Step::Reject),
        1 => Just(Step::Resume),
        3 => server.prop_map(Step::Server),
        1 => any::<bool>().prop_map(Step::Store),
        6 => (0_u32..12).prop_map(Step::Want),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever stops a fleet, it goes on when that is over: nobody is forgotten, no place in
    /// flight is lost, no grant dies.
    #[test]
    fn a_fleet_never_stalls(steps in proptest::collection::vec(step(), 1..60)) {
        let settings = slow_pulse(settings());
        let settings = settings.with_capacity(number(6)).with_in_flight(number(2));
        let mut scene = Scene::new(settings).with_grants(12);
        let mut latest = scene.now;
        for step in steps {
            match step {
                Step::Clock(secs) => {
                    latest = latest.max(scene.now);
                    let span = Duration::from_secs(secs.unsigned_abs().into());
                    let (ahead, back) = (scene.now.after(span), scene.now.before(span));
                    scene.now = if secs > 0 { ahead } else { back };
                    scene.input(Input::ClockDiverged);
                }
                Step::Pass(secs) => scene.pass_secs(secs.into()),
                Step::Reject(number) => scene.reject(number),
                Step::Resume => scene.input(Input::Resume),
                Step::Server(server) => scene.server = server,
                Step::Store(is_away) => scene.store_is_away = is_away,
                Step::Want(number) => scene.want(number),
            }
        }
        (scene.server, scene.store_is_away) = (Server::Answers, false);
        // A quiet period is never shortened: what was written before a clock was set back lasts.
        scene.pass(latest.since(scene.now));
        scene.pass_secs(3 * 3_600);
        for number in 0..12 {
            scene.want(number);
            scene.pass_secs(60);
            prop_assert!(scene.is_ready(number), "{} at {:?}", number, scene.now);
        }
        prop_assert_eq!((scene.deaths, scene.fleet.is_busy()), (0, false));
        prop_assert!(scene.fleet.len() <= 6);
    }
}
