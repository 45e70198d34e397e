//! The power goes: of what was not synced, any part is missing. Each operation is there as a whole
//! or not at all, and nothing is corrupted.

use std::fs;

use sr_auth_store::SqliteBackend;

use crate::fixture::{Place, adopt, apply, commit, key, owner, record};

#[tokio::test]
async fn a_log_that_is_cut_or_torn_anywhere_leaves_whole_operations() {
    const ROTATIONS: u64 = 9;
    let acme = key("acme");
    let place = Place::new();
    let backend = place.open();
    apply(&backend, adopt(&acme, 1)).await.unwrap();
    for generation in 1..=ROTATIONS {
        let number = u8::try_from(1 + generation).unwrap();
        apply(&backend, commit(&acme, generation, owner(1), number)).await.unwrap();
    }
    let [file, log] = ["grants.db", "grants.db-wal"]
        .map(|name| fs::read(place.folder.path().join(name)).unwrap());
    drop(backend);
    let generation_of = async |log: &[u8]| {
        let cut = Place::new();
        // Made by the store, so that they are for their owner only.
        drop(cut.open());
        fs::write(cut.path(), &file).unwrap();
        fs::write(cut.folder.path().join("grants.db-wal"), log).unwrap();
        let backend = SqliteBackend::open(&cut.path()).unwrap();
        let record = record(&backend, &acme).await;
        let Some(record) = record else { return 0 };
        let generation = record.generation.number();
        let token = record.refresh.unwrap();
        assert_eq!(u64::from(token.fingerprint.as_bytes()[0]), generation, "of one rotation");
        assert_eq!(record.ledger.len() as u64, generation, "with its ledger");
        // It goes on from there.
        let next = commit(&acme, generation, owner(1), 99);
        assert_eq!(apply(&backend, next).await.unwrap().outcome.name(), "Done");
        generation
    };
    let mut seen = vec![0];
    for length in (0..log.len()).step_by(log.len() / 16) {
        let (kept, lost) = log.split_at(length);
        let cut = generation_of(kept).await;
        // What was not written yet reads as zeros.
        let torn = generation_of(&[kept, &vec![0; lost.len()]].concat()).await;
        assert_eq!(cut, torn, "at {length}");
        assert!(cut >= seen[seen.len() - 1], "at {length}");
        seen.push(cut);
    }
    assert_eq!(generation_of(&log).await, 1 + ROTATIONS);
    seen.dedup();
    assert!(seen.len() > 3, "the cuts fall between the rotations: {seen:?}");
}
