//! One sync for each operation, two for each rotation, and few for many at once.
//!
//! With `synchronous=FULL` each commit is one sync of the write-ahead log, so the frames that end a
//! commit are counted there.

use std::fs;
use std::sync::Arc;

use sr_auth_core::store::{IntentId, StoreOutcome};
use sr_auth_store::Backend as _;
use tokio::task::JoinSet;

use crate::fixture::{Place, adopt, apply, arm, commit, key, load, owner, pulse};

/// Counts the commits in the write-ahead log, by its format: a header of 32 bytes, then frames of 24
/// bytes and a page; the second word of a frame that ends a commit is not zero, and frames of an
/// earlier round have another salt.
fn commits(place: &Place) -> usize {
    let log = fs::read(place.folder.path().join("grants.db-wal")).unwrap();
    let (header, frames) = log.split_at(32);
    let word = |bytes: &[u8], number: usize| {
        let word = bytes.chunks(4).nth(number).unwrap();
        u32::from_be_bytes(word.try_into().unwrap())
    };
    let salt = [word(header, 4), word(header, 5)];
    let frames = frames.chunks(24 + word(header, 2) as usize);
    let current = frames.filter(|it| [word(it, 2), word(it, 3)] == salt);
    current.filter(|it| word(it, 1) != 0).count()
}

#[tokio::test]
async fn an_operation_that_changes_something_is_one_sync_and_a_rotation_two() {
    let place = Place::new();
    let backend = place.open();
    let acme = key("acme");
    let id = IntentId { number: 1, owner: owner(1) };
    let other = IntentId { number: 1, owner: owner(2) };
    let steps = [
        ("adopt", adopt(&acme, 1), 1),
        ("adopt again", adopt(&acme, 1), 0),
        ("load", load(&acme), 0),
        ("pulse", pulse(false, 0), 0),
        ("arm", arm(&acme, 1, id), 1),
        ("arm again", arm(&acme, 1, id), 0),
        ("busy", arm(&acme, 1, other), 0),
        ("commit", commit(&acme, 1, owner(1), 2), 1),
        ("commit again", commit(&acme, 1, owner(1), 2), 0),
        ("moved", arm(&acme, 1, other), 0),
        ("a sign of life", pulse(true, 0), 1),
    ];
    for (name, op, expected) in steps {
        let before = commits(&place);
        apply(&backend, op).await.unwrap();
        assert_eq!(commits(&place) - before, expected, "{name}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn operations_that_wait_together_are_committed_together_and_each_gets_its_own_answer() {
    let place = Place::new();
    let backend = Arc::new(place.open());
    let before = commits(&place);
    let mut tasks = JoinSet::new();
    for number in 0..200_u8 {
        let backend = Arc::clone(&backend);
        tasks.spawn(async move {
            let key = key(&format!("company/{number}"));
            let answer = backend.apply(adopt(&key, number)).await.unwrap();
            let StoreOutcome::Done(record) = answer.outcome else { panic!("{key}") };
            assert_eq!(record.refresh.unwrap().value.as_bytes(), [number; 120]);
        });
    }
    while let Some(task) = tasks.join_next().await {
        task.unwrap();
    }
    let commits = commits(&place) - before;
    assert!(commits <= 100, "{commits} syncs for 200 operations at once");
}
