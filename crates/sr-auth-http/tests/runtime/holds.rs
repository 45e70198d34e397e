//! The operator's switch: what every process that shares a store hears of it, and how soon.

use std::time::Duration;

use sr_auth_core::Remedy;
use sr_auth_core::lifecycle::Cause;
use sr_auth_core::store::{HoldScope, Holds};
use sr_auth_http::{Clock, SourceError, TokenSources};
use sr_auth_store::{SealingKeys, SqliteBackend, Store};

use crate::scene::{Scene, key, memory, until};

/// As fast as the end of a grant is heard everywhere.
const BOUND: Duration = Duration::from_secs(5);

const COMPANIES: [&str; 3] = ["planner/acme", "planner/acme/anna", "planner/globex"];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn k09_a_hold_reaches_every_process_within_five_seconds_and_a_release_too() {
    let scene = Scene::start().await;
    let folder = tempfile::tempdir().unwrap();
    let (file, keys) = (folder.path().join("grants.db"), SealingKeys::random().unwrap());
    let store = || Store::new(SqliteBackend::open(&file).unwrap(), keys.clone());
    let fleets: Vec<_> = (0..4).map(|_| scene.users(store()).build().unwrap()).collect();
    for company in COMPANIES {
        fleets[0].adopt(&key(company), &scene.consent().await).await.unwrap();
    }
    for fleet in &fleets {
        for company in COMPANIES {
            fleet.source(&key(company)).authorization().await.unwrap();
        }
    }
    let requests = scene.token_requests();

    // A program beside them, such as `sr-auth hold`.
    let operator = store();
    let cases = [
        (HoldScope::Under(key("planner/acme")), vec![false, false, true]),
        (HoldScope::All, vec![false, false, false]),
    ];
    for (scope, expected) in cases {
        operator.hold(scope.clone(), "a leaked key").await.unwrap();
        let held = heard(&fleets, &expected).await;
        let source = fleets[3].source(&key("planner/acme"));
        let error = source.authorization().await.unwrap_err();
        let SourceError::Unavailable(why) = &error else { panic!("{error:?}") };
        assert_eq!((why.cause(), error.remedy()), (Cause::Held, Remedy::AskOperator));
        operator.release(&scope).await.unwrap();
        let released = heard(&fleets, &[true, true, true]).await;
        println!("{scope:?}: four processes held within {held:?}, released within {released:?}");
        assert!(held.max(released) < BOUND, "{held:?}, {released:?}");
    }
    assert_eq!(scene.token_requests(), requests, "the tokens were kept");
}

#[tokio::test]
async fn a_process_that_holds_stops_at_once_and_nobody_gets_the_list() {
    let scene = Scene::start().await;
    let fleet = scene.users(memory()).build().unwrap();
    let source = fleet.source(&key("planner/acme"));
    fleet.adopt(&key("planner/acme"), &scene.consent().await).await.unwrap();
    source.authorization().await.unwrap();
    let first = fleet.hold(HoldScope::All, "first").await.unwrap();
    until("it is taken back", || source.ready().is_none()).await;
    assert_eq!(fleet.hold(HoldScope::All, "again").await.unwrap(), first, "it stands already");
    assert_eq!(fleet.holds().await.unwrap().iter().collect::<Vec<_>>(), [&first]);
    let list = fleet.source(&Holds::key()).authorization().await;
    assert_eq!(list.unwrap_err(), SourceError::Retired);
    assert_eq!(fleet.release(&HoldScope::All).await.unwrap(), [first]);
    while source.authorization().await.is_err() {
        tokio::task::yield_now().await;
    }
    assert!(fleet.release(&HoldScope::All).await.unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn operators_who_hold_at_once_lose_no_order() {
    let store = memory();
    let orders = (0..16).map(|number| {
        let (store, scope) = (store.clone(), HoldScope::Under(key(&format!("planner/{number}"))));
        tokio::spawn(async move { store.hold(scope, "").await })
    });
    for order in orders.collect::<Vec<_>>() {
        order.await.unwrap().unwrap();
    }
    assert_eq!(store.holds().await.unwrap().iter().count(), 16);
}

/// Waits until each process hands out what it may and nothing else; returns how long that took.
async fn heard(fleets: &[TokenSources], expected: &[bool]) -> Duration {
    let clock = Clock::system();
    let begun = clock.now();
    for fleet in fleets {
        for (company, is_served) in COMPANIES.iter().zip(expected) {
            let source = fleet.source(&key(company));
            while source.authorization().await.is_ok() != *is_served {
                assert!(
                    clock.now().since(begun) < Duration::from_secs(60),
                    "{company} was not heard of"
                );
                tokio::task::yield_now().await;
            }
        }
    }
    clock.now().since(begun)
}
