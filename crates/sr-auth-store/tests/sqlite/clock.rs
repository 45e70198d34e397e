//! The store's clock never goes back.

use sr_auth_core::Timestamp;
use sr_auth_core::store::{IntentId, StoreOp, StoreOutcome, TakeOver};

use crate::fixture::{Place, adopt, apply, arm, commit, key, load, owner};

const DAY: u64 = 86_400;

#[tokio::test]
async fn a_clock_that_is_set_back_a_day_neither_ends_nor_prolongs_a_quiet_period() {
    let place = Place::new();
    let backend = place.open();
    let acme = key("acme");
    place.set_clock(10 * DAY);
    apply(&backend, adopt(&acme, 1)).await.unwrap();
    let [first, second] = [1, 2].map(|by| IntentId { number: 1, owner: owner(by) });
    apply(&backend, arm(&acme, 1, first)).await.unwrap();
    let over = || {
        let mut op = arm(&acme, 1, second);
        if let StoreOp::Arm { over, .. } = &mut op {
            *over = Some(TakeOver { even_if_alive: false, intent: first });
        }
        op
    };
    // Who opens the file now has never heard of the moment before.
    place.set_clock(9 * DAY);
    let other = place.open();
    let until = Timestamp::from_unix_secs(10 * DAY + 135);
    for (name, secs, expected) in
        [("set back", 9 * DAY, 10 * DAY), ("caught up", 10 * DAY + 134, 10 * DAY + 134)]
    {
        place.set_clock(secs);
        let answer = apply(&other, over()).await.unwrap();
        assert_eq!(answer.now, Timestamp::from_unix_secs(expected), "{name}");
        assert!(
            matches!(answer.outcome, StoreOutcome::Busy { until: it, .. } if it == until),
            "{name}: {}",
            answer.outcome.name()
        );
    }
    place.set_clock(10 * DAY + 135);
    assert_eq!(apply(&other, over()).await.unwrap().outcome.name(), "Armed");
    // The first was only slow: generation gives order.
    let answer = apply(&backend, commit(&acme, 1, owner(1), 2)).await.unwrap();
    assert_eq!(answer.outcome.name(), "Done");
}

#[tokio::test]
async fn what_is_told_to_a_reader_is_not_taken_back() {
    let place = Place::new();
    let backend = place.open();
    for (secs, expected) in [(5_000, 5_000), (4_000, 5_000), (6_000, 6_000)] {
        place.set_clock(secs);
        let answer = apply(&backend, load(&key("acme"))).await.unwrap();
        assert_eq!(answer.now, Timestamp::from_unix_secs(expected));
    }
}

#[tokio::test]
async fn two_processes_of_one_machine_have_one_clock() {
    let place = Place::new();
    let open = || sr_auth_store::SqliteBackend::open(&place.path()).unwrap();
    let [one, two] = [open(), open()];
    let mut last = Timestamp::EPOCH;
    for round in 0..20 {
        for backend in [&one, &two] {
            let now = apply(backend, load(&key("acme"))).await.unwrap().now;
            assert!(now >= last, "round {round}: {now:?} after {last:?}");
            last = now;
        }
    }
    assert!(last > Timestamp::from_unix_secs(1_500_000_000), "the wall clock counts: {last:?}");
}
