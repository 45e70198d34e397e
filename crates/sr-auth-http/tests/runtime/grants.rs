//! Users' grants: taken in, renewed, ended, and never lost.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use sr_auth_core::fleet::{FleetEvent, Settings};
use sr_auth_core::lifecycle::Event;
use sr_auth_core::store::{End, StoreOp, StoreOutcome};
use sr_auth_core::{Fault, FingerprintKey, Setting};
use sr_auth_http::{ApiClient, ApiError, Clock, News, SourceError, TokenSource};
use sr_auth_store::Store;
use sr_testkit::{Effect, Target};

use crate::flaky::Flaky;
use crate::scene::{Scene, in_time, key, memory, until};

/// Longer than a token wants to live, shorter than it does.
const RENEWAL_IS_DUE: Duration = Duration::from_secs(1_400);

#[tokio::test]
async fn a_consent_is_kept_and_renewed_ahead_while_the_old_token_is_served() {
    let scene = Scene::start().await;
    let clock = Clock::manual(Clock::system().now());
    let store = on(&clock);
    let source = scene.user(store.clone()).clock(clock.clone()).build().unwrap();
    let tokens = scene.consent().await;
    source.adopt(&tokens).await.unwrap();
    let first = source.authorization().await.unwrap();
    assert_eq!(first.value(), tokens.access().authorization().value());
    assert_eq!(scene.transport.begun(), 0, "what was adopted is served");

    clock.advance(RENEWAL_IS_DUE);
    scene.transport.hold();
    let during = source.authorization().await.unwrap();
    assert_eq!(during.value(), first.value());
    until("the renewal is under way", || scene.transport.begun() == 1).await;
    assert_eq!(source.ready().unwrap().value(), first.value(), "nobody waits for it");
    scene.transport.release();
    until("the next token is served", || {
        source.ready().is_some_and(|it| it.value() != first.value())
    })
    .await;
    assert_eq!(generation(&store).await, Some(2));
    let view = source.view().await.unwrap().unwrap();
    assert_eq!(view.generation.map(|it| it.number()), Some(2));
    assert_eq!(view.access_token, source.ready().unwrap().fingerprint());
}

#[tokio::test]
async fn a_shutdown_finishes_the_rotation_that_is_under_way() {
    let scene = Scene::start().await;
    let clock = Clock::manual(Clock::system().now());
    let store = on(&clock);
    let source = rotating(&scene, &clock, &store).await;
    let mut shutdown = shutting_down(source.clone());
    let early = tokio::time::timeout(Duration::from_millis(50), &mut shutdown).await;
    assert!(early.is_err(), "it waits for the answer");
    assert_eq!(source.authorization().await.map(|_| ()), Ok(()), "what is good is served");
    scene.transport.release();
    in_time("it is drained", shutdown).await.unwrap();
    assert_eq!(generation(&store).await, Some(2), "the successor is durable");
    assert_eq!(source.authorization().await.unwrap_err(), SourceError::ShutDown);
    assert_eq!(source.view().await.unwrap_err(), SourceError::ShutDown);
    in_time("a second shutdown", source.shutdown()).await;

    // Whoever comes next is served by what the store has.
    let next = scene.user(store).clock(clock).build().unwrap();
    assert!(next.authorization().await.is_ok());
    assert_eq!(scene.transport.begun(), 1);
}

#[tokio::test]
async fn a_rotation_outlives_the_last_handle() {
    let scene = Scene::start().await;
    let clock = Clock::manual(Clock::system().now());
    let store = on(&clock);
    drop(rotating(&scene, &clock, &store).await);
    scene.transport.release();
    until("the answer came", || scene.transport.ended() == 1).await;
    let committed = async {
        while generation(&store).await != Some(2) {
            tokio::task::yield_now().await;
        }
    };
    in_time("the successor is durable", committed).await;
}

#[tokio::test]
async fn a_successor_is_served_and_kept_until_the_store_takes_it() {
    let scene = Scene::start().await;
    let clock = Clock::manual(Clock::system().now());
    let (switch, store) = Flaky::new();
    let source = rotating(&scene, &clock, &store).await;
    let old = source.ready().unwrap();
    switch.set_down(true);
    scene.transport.release();
    until("the store has refused", || {
        clock.advance(Duration::from_millis(1));
        switch.refused() > 0
    })
    .await;
    until("the new token is served", || source.ready().is_some_and(|it| it.value() != old.value()))
        .await;
    assert_eq!(generation(&store).await, Some(1));
    switch.set_down(false);
    let taken = async {
        while generation(&store).await != Some(2) {
            clock.advance(Duration::from_secs(1));
            tokio::task::yield_now().await;
        }
    };
    in_time("the store takes it", taken).await;
    assert_eq!(scene.transport.begun(), 1);
}

#[tokio::test]
async fn a_store_that_takes_nothing_is_told_and_nothing_is_lost() {
    let scene = Scene::start().await;
    let (switch, store) = Flaky::new();
    switch.set_down(true);
    let within = Duration::from_millis(100);
    let source = scene.user(store.clone()).wait_within(within).build().unwrap();
    let adopted = source.adopt(&scene.consent().await).await;
    assert_eq!(adopted.unwrap_err(), SourceError::TimedOut);
    switch.set_down(false);
    let taken = async {
        while generation(&store).await.is_none() {
            tokio::task::yield_now().await;
        }
    };
    in_time("it is offered again", taken).await;
    assert!(source.authorization().await.is_ok());
}

#[tokio::test]
async fn an_end_counts_at_once_here_and_soon_elsewhere() {
    let scene = Scene::start().await;
    let store = memory();
    let quick = Settings::default().with_pulse_every(Duration::from_millis(20)).unwrap();
    let ours = scene.user(store.clone()).settings(quick).build().unwrap();
    let theirs = scene.user(store.clone()).settings(quick).build().unwrap();
    ours.adopt(&scene.consent().await).await.unwrap();
    assert!(theirs.authorization().await.is_ok());
    ours.end(End::Disabled).await.unwrap();
    assert!(ours.ready().is_none());
    let error = ours.authorization().await.unwrap_err();
    assert_eq!(error.code(), "sr_auth::ended::disabled");
    until("the other process hears", || theirs.ready().is_none()).await;
    assert_eq!(theirs.authorization().await.unwrap_err(), error);
    assert_eq!(scene.transport.begun(), 0);
}

#[tokio::test]
async fn a_rejected_token_is_replaced_once() {
    let scene = Scene::start().await;
    let source = scene.service().build().unwrap();
    let first = source.authorization().await.unwrap();
    let of = first.fingerprint().unwrap();
    for _ in 0..10 {
        source.rejected(of);
    }
    let second = source.authorization().await.unwrap();
    assert_ne!(second.value(), first.value());
    // What was in flight with the old one comes back late.
    source.rejected(of);
    assert_eq!(source.authorization().await.unwrap().value(), second.value());
    assert_eq!(scene.token_requests(), 2);
}

#[tokio::test]
async fn a_call_that_is_refused_with_401_has_the_token_replaced_and_one_with_403_has_not() {
    let scene = Scene::start().await;
    let endpoints = scene.sandbox.endpoints().unwrap();
    for (status, requests) in [(401, 2), (403, 1)] {
        let before = scene.token_requests();
        let source = scene.service().build().unwrap();
        let origin = endpoints.api().clone();
        let api = ApiClient::new(origin, source.clone(), Arc::clone(&scene.transport) as _);
        let refused = sr_testkit::Fault::new(Target::Resources, Effect::Status { status });
        scene.sandbox.with(|it| it.inject(refused));
        assert!(matches!(api.get("/jobs").await, Err(ApiError::Refused(_))), "{status}");
        assert!(api.get("/jobs").await.is_ok(), "{status}");
        assert_eq!(scene.token_requests() - before, requests, "{status}");
    }
}

#[tokio::test]
async fn a_grant_that_nobody_gave_is_missing() {
    let scene = Scene::start().await;
    let source = scene.user(memory()).build().unwrap();
    let error = in_time("at once", source.authorization()).await.unwrap_err();
    assert_eq!(error.code(), "sr_auth::missing");
    source.adopt(&scene.consent().await).await.unwrap();
    assert!(source.authorization().await.is_ok(), "until it is");
}

#[tokio::test]
async fn many_companies_take_turns_in_little_memory() {
    let scene = Scene::start().await;
    let room = Settings::default().with_capacity(NonZeroU32::new(4).unwrap());
    let companies = scene.companies().settings(room).build().unwrap();
    let mut events = companies.events();
    let client = scene.sandbox.credentials().service();
    let keys: Vec<_> = (0..20).map(|it| key(&format!("company/{it}"))).collect();
    let mut headers = Vec::new();
    for key in &keys {
        headers.push(companies.client(key, client.clone()).authorization().await.unwrap());
    }
    assert_eq!(scene.token_requests(), 20);
    let left = async {
        loop {
            if let Some(News::Fleet(FleetEvent::Evicted { .. })) = events.next().await {
                return;
            }
        }
    };
    in_time("some have left", left).await;
    // Those that have left are read from the store, and not exchanged again.
    for (key, header) in keys.iter().zip(&headers) {
        let source = companies.client(key, client.clone());
        assert_eq!(source.authorization().await.unwrap().value(), header.value(), "{key}");
    }
    assert_eq!(scene.token_requests(), 20);
}

#[tokio::test]
async fn eviction_leaves_alone_who_waits() {
    let scene = Scene::start().await;
    let room = Settings::default().with_capacity(NonZeroU32::new(2).unwrap());
    let companies = scene.companies().settings(room).build().unwrap();
    let client = scene.sandbox.credentials().service();
    scene.transport.hold();
    let waiting: Vec<_> = (0..20)
        .map(|it| companies.client(&key(&format!("company/{it}")), client.clone()))
        .map(|source| tokio::spawn(async move { source.authorization().await }))
        .collect();
    until("all are under way", || scene.transport.begun() == 20).await;
    scene.transport.release();
    for it in waiting {
        assert!(in_time("served", it).await.unwrap().is_ok());
    }
    assert_eq!(scene.token_requests(), 20);
}

#[tokio::test]
async fn users_of_many_companies_are_told_apart() {
    let scene = Scene::start().await;
    let users = scene.users(memory()).build().unwrap();
    let mut events = users.events();
    let (acme, umbrella) = (key("acme"), key("umbrella"));
    let (first, second) = (scene.consent().await, scene.consent().await);
    users.adopt(&acme, &first).await.unwrap();
    users.adopt(&umbrella, &second).await.unwrap();
    for (key, tokens) in [(&acme, &first), (&umbrella, &second)] {
        let header = users.source(key).authorization().await.unwrap();
        assert_eq!(header.value(), tokens.access().authorization().value(), "{key}");
    }
    users.end(&acme, End::Revoked).await.unwrap();
    assert!(users.source(&acme).authorization().await.is_err());
    assert!(users.source(&umbrella).ready().is_some());
    let mut told = Vec::new();
    while told.len() < 3 {
        if let Some(News::Grant { event, key }) = in_time("told", events.next()).await {
            told.push((key, event));
        }
    }
    let ended = (acme, Event::Ended { end: End::Revoked });
    assert!(told.contains(&ended), "{told:?}");
    users.shutdown().await;
    assert_eq!(users.source(&umbrella).authorization().await.unwrap_err(), SourceError::ShutDown);
}

#[tokio::test]
async fn a_company_without_a_client_is_refused_and_costs_nothing() {
    let scene = Scene::start().await;
    let companies = scene.companies().build().unwrap();
    let _known = companies.client(&key("known"), scene.sandbox.credentials().service().clone());
    let stranger = companies.source(&key("stranger"));
    let error = in_time("at once", stranger.authorization()).await.unwrap_err();
    assert_eq!(error, SourceError::NoClient);
    assert_eq!(stranger.end(End::Revoked).await.unwrap_err(), SourceError::NoClient);
    assert_eq!(scene.transport.begun(), 0);
}

/// The server would still give tokens; nobody here asks for them, and none that is under way arrives.
#[tokio::test]
async fn a_company_that_was_retired_gets_no_token_from_here() {
    let scene = Scene::start().await;
    for (name, store) in [("in memory of its own", None), ("in a store", Some(memory()))] {
        let sources = match store {
            Some(store) => scene.companies().store(store, FingerprintKey::new([7; 32])),
            None => scene.companies(),
        };
        let sources = sources.build().unwrap();
        let client = scene.sandbox.credentials().service().clone();
        for used in [true, false] {
            let key = key(&format!("acme/{used}"));
            let source = sources.client(&key, client.clone());
            if used {
                source.authorization().await.unwrap();
            }
            let asked = scene.token_requests();
            let waits = tokio::spawn({
                let source = source.clone();
                async move { source.authorization().await }
            });
            in_time("the end is durable", sources.retire(&key, End::Disabled)).await.unwrap();
            assert!(source.ready().is_none(), "{name}, used: {used}");
            // Whoever asked before the end may have been given what was there.
            let earlier = waits.await.unwrap();
            let is_told = matches!(earlier, Ok(_) | Err(SourceError::Retired));
            assert!(is_told || !used, "{name}: {earlier:?}");
            for source in [source, sources.source(&key), sources.client(&key, client.clone())] {
                let refused = source.authorization().await.unwrap_err();
                assert_eq!(refused, SourceError::Retired, "{name}, used: {used}");
            }
            assert!(scene.token_requests() <= asked + 1, "{name}, used: {used}");
        }
        let other = sources.client(&key("umbrella"), client.clone());
        other.authorization().await.unwrap();
        sources.shutdown().await;
    }
}

#[tokio::test]
async fn a_store_with_another_clock_is_believed() {
    let ahead = Duration::from_secs(86_400);
    let system = Clock::system();
    for (name, is_ahead) in [("a day ahead", true), ("a day behind", false)] {
        let (scene, clock) = (Scene::start().await, system.clone());
        let told = move || {
            if is_ahead { clock.now().after(ahead) } else { clock.now().before(ahead) }
        };
        let store = Store::in_memory_with_clock(told).unwrap();
        let key = FingerprintKey::new([7; 32]);
        let source = scene.service().store(store, key).build().unwrap();
        let first = source.authorization().await.unwrap();
        assert_eq!(source.ready().map(|it| it.value().clone()), Some(first.value().clone()));
        let left = source.view().await.unwrap().unwrap().ends_in.unwrap();
        assert!(left > Duration::from_secs(1_600) && left < Duration::from_secs(1_800), "{name}");
        assert_eq!(scene.token_requests(), 1, "{name}");
    }
}

#[test]
fn a_source_outlives_the_tokio_runtime_that_it_began_on() {
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let first = runtime();
    let scene = std::thread::spawn(|| {
        // The sandbox has a runtime of its own.
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
        let scene = runtime.block_on(Scene::start());
        (runtime, scene)
    });
    let (_sandbox_runs, scene) = scene.join().unwrap();
    let store = Store::in_memory().unwrap();
    let key = FingerprintKey::new([7; 32]);
    let source = scene.service().store(store, key).build().unwrap();
    let before = first.block_on(source.authorization()).unwrap();
    drop(first);
    // Its driver is gone; what it published is good all the same, until it is rejected.
    source.rejected(before.fingerprint().unwrap());
    let after = runtime().block_on(async { source.authorization().await });
    assert!(after.is_ok(), "{after:?}");
}

#[test]
fn outside_of_a_tokio_runtime_there_is_an_error_and_no_panic() {
    let client = sr_auth_core::Secret::new("9165228a82e4".to_owned());
    let client = sr_auth_core::ClientCredentials::new("82e4424135fe", client).unwrap();
    let source = TokenSource::client_credentials(client).build().unwrap();
    let mut call = Box::pin(source.authorization());
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    let std::task::Poll::Ready(outcome) = call.as_mut().poll(&mut context) else {
        panic!("it waits")
    };
    assert_eq!(outcome.unwrap_err(), SourceError::NoRuntime);
}

#[tokio::test]
async fn what_works_once_is_refused_where_it_could_be_forgotten() {
    let scene = Scene::start().await;
    let error = scene.user(Store::in_memory().unwrap()).build().unwrap_err();
    assert_eq!((error.setting(), error.fault()), (Setting::Store, Fault::Volatile));
    let client = scene.sandbox.credentials().application().clone();
    let error = TokenSource::authorization_code(client, key("acme")).build().unwrap_err();
    assert_eq!((error.setting(), error.fault()), (Setting::Store, Fault::Missing));
}

/// A source whose renewal is under way, and held.
async fn rotating(scene: &Scene, clock: &Clock, store: &Store) -> TokenSource {
    let source = scene.user(store.clone()).clock(clock.clone()).build().unwrap();
    source.adopt(&scene.consent().await).await.unwrap();
    clock.advance(RENEWAL_IS_DUE);
    scene.transport.hold();
    assert!(source.authorization().await.is_ok());
    until("the renewal is under way", || scene.transport.begun() == 1).await;
    source
}

fn shutting_down(source: TokenSource) -> tokio::task::JoinHandle<()> {
    tokio::spawn(async move { source.shutdown().await })
}

fn on(clock: &Clock) -> Store {
    let clock = clock.clone();
    Store::in_memory_with_clock(move || clock.now()).unwrap().accept_volatile()
}

/// Reads how often the tokens of the grant were replaced, from the store itself.
async fn generation(store: &Store) -> Option<u64> {
    let answer = store.apply(StoreOp::Load { key: key("planner/acme") }).await.unwrap();
    let StoreOutcome::Loaded(record) = answer.outcome else { return None };
    Some(record.generation.number())
}
