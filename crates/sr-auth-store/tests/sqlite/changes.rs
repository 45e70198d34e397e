//! What others are told, and what is forgotten.

use std::sync::Arc;

use sr_auth_core::store::{End, Model, Sequence, StoreOp, StoreOutcome};
use sr_auth_store::{Backend as _, Sealed};
use tokio::task::JoinSet;

use crate::fixture::{Place, adopt, apply, key, pulse};

#[tokio::test]
async fn the_newest_changes_are_told_and_the_oldest_forgotten() {
    let place = Place::new();
    let backend = Arc::new(place.open());
    let mut tasks = JoinSet::new();
    for grant in 0..700 {
        let backend = Arc::clone(&backend);
        tasks.spawn(async move {
            let key = key(&format!("company/{grant}"));
            backend.apply(adopt(&key, 1)).await.unwrap();
            let op = StoreOp::End { end: End::Disabled, generation: None, key };
            backend.apply(op).await.unwrap();
        });
    }
    while let Some(task) = tasks.join_next().await {
        task.unwrap();
    }
    let StoreOutcome::Pulse(told) = apply(&backend, pulse(false, 0)).await.unwrap().outcome else {
        panic!("a pulse is answered with a pulse");
    };
    assert_eq!(told.sequence, Sequence(1_400));
    let sequences: Vec<_> = told.changes.iter().map(|it| it.sequence.0).collect();
    assert_eq!(sequences, (1_400 - 1_024 + 1..=1_400).collect::<Vec<_>>());
    let kept: usize = rusqlite::Connection::open(place.path())
        .unwrap()
        .query_row("SELECT count(*) FROM change", [], |row| row.get::<_, i64>(0))
        .unwrap()
        .try_into()
        .unwrap();
    assert!(kept < Model::<Sealed>::CHANGES_LIMIT + 2 * 256, "{kept} are kept");
}
