//! Grants that change their owner: taken in where nothing stands, and given up before anybody else
//! has them.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use sr_auth_core::store::{
    CauseOfDeath, End, Generation, GrantKey, Health, IntentId, NewIntent, OwnerId, Refusals,
    StoreOp, StoreOutcome,
};
use sr_auth_core::{AccessToken, FingerprintKey, GrantedScope, RefreshToken, Secret, Timestamp};
use sr_auth_store::{HandOverError, Import, ImportError, Incoming, Store};

use crate::fixture::{adopt, commit, key};

const NOW: Timestamp = Timestamp::from_unix_secs(5_000_000);
const DAY: u64 = 86_400;

/// A store in memory, and its clock in milliseconds.
fn store() -> (Store, Arc<AtomicU64>) {
    let clock = Arc::new(AtomicU64::new(NOW.as_unix_millis()));
    let read = Arc::clone(&clock);
    let now = move || Timestamp::from_unix_millis(read.load(Ordering::SeqCst));
    (Store::in_memory_with_clock(now).expect("random bytes").accept_volatile(), clock)
}

fn names() -> FingerprintKey {
    FingerprintKey::new([9; 32])
}

fn secret(text: &str) -> Secret {
    Secret::new(text.to_owned())
}

fn incoming(key: &GrantKey, token: &str) -> Incoming {
    let token = RefreshToken::new(secret(token), NOW.before(days(3))).expect("a token");
    Incoming::new(key.clone(), &token, &names(), NOW).expect("a good one")
}

const fn days(days: u64) -> std::time::Duration {
    std::time::Duration::from_secs(days * DAY)
}

async fn health(store: &Store, key: &GrantKey) -> Health {
    let answer = store.apply(StoreOp::Load { key: key.clone() }).await.expect("it answers");
    let StoreOutcome::Loaded(record) = answer.outcome else { panic!("{answer:?}") };
    record.health
}

#[tokio::test]
async fn an_import_overwrites_nothing_and_may_be_repeated() {
    let (store, _) = store();
    let [fresh, live, ended, dead, renewed] =
        ["fresh", "live", "ended", "dead", "renewed"].map(key);
    for key in [&live, &ended, &dead] {
        store.apply(adopt(key, "a1", "r1")).await.expect("it is taken");
    }
    let end = StoreOp::End { end: End::Revoked, generation: None, key: ended.clone() };
    store.apply(end).await.expect("it is ended");
    let bury = StoreOp::Bury {
        cause: CauseOfDeath::RefusedByServer,
        generation: Generation::from_number(1),
        key: dead.clone(),
        owner: OwnerId::new(1),
        refused: Some(names().fingerprint(&secret("r1"))),
    };
    store.apply(bury).await.expect("it is buried");
    let standing = |health| Err(ImportError::Standing { health }.code());
    let dead_of = Health::Dead(CauseOfDeath::RefusedByServer);
    for round in 0..2 {
        for (key, expected) in [
            (&fresh, Ok(Import::Taken)),
            (&live, standing(Health::Live)),
            (&ended, standing(Health::Revoked)),
            (&dead, standing(dead_of)),
        ] {
            let imported = store.import(incoming(key, "r0")).await;
            assert_eq!(imported.map_err(|it| it.code()), expected, "{} {round}", key.as_str());
        }
    }
    assert_eq!(health(&store, &dead).await, dead_of);
    store.import(incoming(&renewed, "r0")).await.expect("it is taken");
    store.apply(commit(&renewed, 1, "a2", Some("r2"))).await.expect("it is renewed");
    let again = store.import(incoming(&renewed, "r0")).await.expect("it is known");
    assert_eq!(again, Import::Renewed);
}

#[tokio::test]
async fn an_import_that_is_repeated_without_its_access_token_is_the_same() {
    let (store, _) = store();
    let ends_at = NOW.after(days(1));
    let access = AccessToken::new(secret("a0"), ends_at, GrantedScope::AsRequested);
    let access = access.expect("a token");
    let grant = incoming(&key("acme"), "r0");
    let with = grant.clone().with_access_token(&access, &names(), NOW);
    assert_eq!(store.import(with).await.expect("it is taken"), Import::Taken);
    let late = grant.with_access_token(&access, &names(), ends_at);
    assert_eq!(store.import(late).await.expect("it is known"), Import::Taken);
}

#[test]
fn a_token_that_has_ended_or_is_from_the_future_is_refused() {
    let cases = [
        ("of now", NOW, Ok(())),
        ("nearly 28 days old", NOW.before(days(28)).after(second()), Ok(())),
        ("28 days old", NOW.before(days(28)), Err("sr_auth::import::too_old")),
        ("of a clock that is ahead", NOW.after(second()), Ok(())),
        ("of tomorrow", NOW.after(days(1)), Err("sr_auth::import::not_yet")),
        (
            "in seconds, not milliseconds",
            Timestamp::from_unix_millis(5_000_000),
            Err("sr_auth::import::too_old"),
        ),
    ];
    for (name, obtained_at, expected) in cases {
        let token = RefreshToken::new(secret("canary"), obtained_at).expect("a token");
        let made = Incoming::new(key("acme"), &token, &names(), NOW);
        assert!(!format!("{made:?}").contains("canary"), "{name}");
        assert_eq!(made.map(drop).map_err(|it| it.code()), expected, "{name}");
    }
}

const fn second() -> std::time::Duration {
    std::time::Duration::from_secs(1)
}

#[tokio::test]
async fn a_batch_tells_of_each_grant_in_its_order() {
    let (store, _) = store();
    store.apply(adopt(&key("company/7"), "a1", "r1")).await.expect("it is taken");
    let grants = || {
        (0..1_000)
            .map(|number| incoming(&key(&format!("company/{number}")), &format!("r{number}-0")))
    };
    for _ in 0..2 {
        let done = store.import_all(grants()).await;
        assert_eq!(done.len(), 1_000);
        for (number, done) in done.iter().enumerate() {
            assert_eq!(done.is_err(), number == 7, "{number}: {done:?}");
        }
    }
}

fn presents(key: &GrantKey, generation: u64) -> StoreOp<Secret> {
    let intent = NewIntent {
        fingerprint: None,
        id: IntentId { number: 9, owner: OwnerId::new(9) },
        quiet: second(),
    };
    let generation = Generation::from_number(generation);
    StoreOp::Arm { generation, intent, key: key.clone(), over: None }
}

#[tokio::test]
async fn nobody_presents_a_grant_while_it_is_handed_over_nor_afterwards() {
    let (store, _) = store();
    let acme = key("acme");
    store.apply(adopt(&acme, "a1", "r1")).await.expect("it is taken");
    let grant = store.begin_hand_over(&acme).await.expect("it is at rest");
    assert_eq!(grant.refresh().value.expose(), "r1");
    assert!(!format!("{grant:?}").contains("r1"));
    let busy = store.apply(presents(&acme, 1)).await.expect("it answers").outcome;
    assert_eq!(busy.name(), "Busy");
    let twice = store.begin_hand_over(&acme).await.expect_err("another has begun");
    assert_eq!(twice.code(), "sr_auth::hand_over::busy");
    for _ in 0..2 {
        store.finish_hand_over(&grant).await.expect("an answer may have been lost");
    }
    assert_eq!(health(&store, &acme).await, Health::Disabled);
    let ended = store.apply(presents(&acme, 2)).await.expect("it answers").outcome;
    assert_eq!(ended.name(), "Ended");
}

#[tokio::test]
async fn a_hand_over_that_is_called_off_leaves_the_grant_as_it_was() {
    let (store, _) = store();
    let acme = key("acme");
    store.apply(adopt(&acme, "a1", "r1")).await.expect("it is taken");
    let grant = store.begin_hand_over(&acme).await.expect("it is at rest");
    store.call_off_hand_over(grant).await.expect("it answers");
    let armed = store.apply(presents(&acme, 1)).await.expect("it answers").outcome;
    assert_eq!(armed.name(), "Armed");
}

#[tokio::test]
async fn a_hand_over_that_takes_too_long_gives_nothing_up() {
    let (store, clock) = store();
    let acme = key("acme");
    store.apply(adopt(&acme, "a1", "r1")).await.expect("it is taken");
    let grant = store.begin_hand_over(&acme).await.expect("it is at rest");
    clock.fetch_add(9 * 60 * 1_000, Ordering::SeqCst);
    let late = store.finish_hand_over(&grant).await.expect_err("another may present soon");
    assert_eq!(late.code(), "sr_auth::hand_over::moved");
    assert_eq!(health(&store, &acme).await, Health::Live);
}

#[tokio::test]
async fn only_a_grant_that_is_sure_is_handed_over() {
    let (store, _) = store();
    let cases = ["nobody", "ended", "suspect", "under way", "fresh"];
    let [nobody, ended, suspect, under_way, fresh] = cases.map(key);
    for key in [&ended, &suspect, &under_way, &fresh] {
        store.apply(adopt(key, "a1", "r1")).await.expect("it is taken");
    }
    let end = StoreOp::End { end: End::Revoked, generation: None, key: ended.clone() };
    store.apply(end).await.expect("it is ended");
    store.apply(presents(&suspect, 1)).await.expect("it is armed");
    let disarm = StoreOp::Disarm {
        intent: IntentId { number: 9, owner: OwnerId::new(9) },
        key: suspect.clone(),
        not_before: Timestamp::EPOCH,
        refusals: Refusals { count: 1, first_at: NOW, status: 401 },
    };
    store.apply(disarm).await.expect("it is disarmed");
    store.apply(presents(&under_way, 1)).await.expect("it is armed");
    for (key, expected) in [
        (&nobody, Err("sr_auth::hand_over::missing")),
        (&ended, Err("sr_auth::hand_over::unsure")),
        (&suspect, Err("sr_auth::hand_over::unsure")),
        (&under_way, Err("sr_auth::hand_over::busy")),
        (&fresh, Ok(())),
    ] {
        let begun = store.begin_hand_over(key).await.map(drop);
        assert_eq!(begun.map_err(|it: HandOverError| it.code()), expected, "{}", key.as_str());
    }
}
