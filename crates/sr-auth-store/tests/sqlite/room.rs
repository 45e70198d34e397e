//! A disk that is full loses nothing.

use std::sync::Arc;

use sr_auth_core::lifecycle::StoreFailure;
use sr_auth_core::store::IntentId;
use sr_auth_store::{Backend as _, BackendFault};
use tokio::task::JoinSet;

use crate::fixture::{Place, adopt, apply, arm, commit, key, owner, record};

#[tokio::test]
async fn a_full_store_says_so_keeps_what_it_has_and_goes_on_when_there_is_room() {
    let place = Place::new();
    let small = || place.builder().size_limit(40 * 4_096).open().unwrap();
    let backend = small();
    let grant = |number: usize| key(&format!("company/{number}"));
    let mut kept = 0;
    let error = loop {
        match apply(&backend, adopt(&grant(kept), 1)).await {
            Ok(_) => kept += 1,
            Err(error) => break error,
        }
        assert!(kept < 10_000, "it never becomes full");
    };
    assert_eq!((error.fault(), error.failure()), (BackendFault::DiskFull, StoreFailure::NotDone));
    assert_eq!(error.code(), "sr_auth::store::disk_full");
    assert!(record(&backend, &grant(kept)).await.is_none(), "what was refused is not there");
    for number in 0..kept {
        assert!(record(&backend, &grant(number)).await.is_some(), "{number}");
    }
    drop(backend);
    let backend = place.open();
    apply(&backend, adopt(&grant(kept), 1)).await.unwrap();
    let id = IntentId { number: 1, owner: owner(1) };
    apply(&backend, arm(&grant(0), 1, id)).await.unwrap();
    apply(&backend, commit(&grant(0), 1, owner(1), 2)).await.unwrap();
}

#[tokio::test]
async fn one_operation_for_which_there_is_no_room_spoils_no_other_that_waits_with_it() {
    let place = Place::new();
    let backend = Arc::new(place.builder().size_limit(34 * 4_096).open().unwrap());
    let acme = key("acme");
    apply(&backend, adopt(&acme, 1)).await.unwrap();
    // A grant that is larger than the store, between others that are small.
    let mut tasks = JoinSet::new();
    for number in 0..12_u8 {
        let backend = Arc::clone(&backend);
        tasks.spawn(async move {
            let key = key(&format!("company/{number}"));
            let mut op = adopt(&key, number);
            if let (4, sr_auth_core::store::StoreOp::Adopt { grant, .. }) = (number, &mut op) {
                let token = grant.refresh.as_mut().unwrap();
                token.value = sr_auth_store::Sealed::from_bytes(vec![7; 30 * 4_096]);
            }
            (number, backend.apply(op).await)
        });
    }
    while let Some(task) = tasks.join_next().await {
        let (number, answer) = task.unwrap();
        match answer {
            Ok(_) => assert_ne!(number, 4),
            Err(error) => assert_eq!((number, error.fault()), (4, BackendFault::DiskFull)),
        }
    }
}
