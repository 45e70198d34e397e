//! A store that may forget takes no refresh token that works once, unless it is told to.

use std::time::Duration;

use sr_auth_core::lifecycle::StoreFailure;
use sr_auth_core::store::{Generation, IntentId, NewGrant, NewIntent, OwnerId, Renewal, StoreOp};
use sr_auth_core::{Remedy, Secret};
use sr_auth_store::{Durability, Store, StoreError};

use crate::fixture::{adopt, commit, key, token};

fn arm(single_use: bool) -> StoreOp<Secret> {
    let id = IntentId { number: 1, owner: OwnerId::new(1) };
    let fingerprint = single_use.then(|| token("r1").fingerprint);
    let intent = NewIntent { fingerprint, id, quiet: Duration::from_secs(135) };
    StoreOp::Arm { generation: Generation::default(), intent, key: key("acme"), over: None }
}

#[tokio::test]
async fn what_works_once_is_refused_by_a_store_that_forgets() {
    let acme = key("acme");
    let repeatable = NewGrant { access: None, refresh: None, renewal: Renewal::Repeatable };
    let cases = [
        (
            "client credentials are adopted",
            StoreOp::Adopt { grant: repeatable, key: acme.clone(), only_if_missing: false },
            true,
        ),
        ("client credentials are armed", arm(false), true),
        ("a refresh token is adopted", adopt(&acme, "a1", "r1"), false),
        ("a refresh token is armed", arm(true), false),
        ("a successor exists already", commit(&acme, 1, "a2", Some("r2")), true),
        ("reading", StoreOp::Load { key: acme.clone() }, true),
    ];
    for (name, op, expected) in cases {
        let store = Store::in_memory().unwrap();
        assert_eq!(store.durability(), Durability::Volatile);
        match (store.apply(op.clone()).await, expected) {
            (Ok(_), true) => {}
            (Err(error @ StoreError::Volatile), false) => {
                assert_eq!(error.failure(), StoreFailure::NotDone, "{name}");
                assert_eq!(error.remedy(), Remedy::FixConfiguration, "{name}");
            }
            (answer, _) => panic!("{name}: {answer:?}"),
        }
        let told = Store::in_memory().unwrap().accept_volatile();
        assert!(told.apply(op).await.is_ok(), "{name}, when told");
    }
}
