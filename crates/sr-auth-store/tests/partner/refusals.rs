//! What strangers make grow stays within the model's limits, in a file too.

use std::sync::Arc;
use std::time::Duration;

use sr_auth_core::store::Generation;
use sr_auth_core::{SecretDigest, Timestamp};
use sr_auth_store::{Backend as _, Sealed};
use sr_partner::ClientKey;
use sr_partner::store::{AttemptLimits, PartnerModel, PartnerOp, SourceKey};
use tokio::task::JoinSet;

use crate::fixture::{Place, apply, client, connect, identity, key, wait};

#[test]
fn a_full_table_of_refusals_forgets_those_that_end_first() {
    let place = Place::new();
    let backend = Arc::new(place.open());
    let mut model = PartnerModel::new(identity(&backend));
    let limits = AttemptLimits::new(1, 1, Duration::from_secs(600)).unwrap();
    let parties = |number: usize| {
        let text = number.to_string();
        (ClientKey::of(&text), Some(SourceKey::of(&text)))
    };
    for (secs, numbers) in [(1_000, 0..1_500), (1_001, 1_500..2_300), (1_002, 100..130)] {
        place.set_clock(secs);
        wait(async {
            let mut asked = JoinSet::new();
            for number in numbers {
                let (client, source) = parties(number);
                let op = PartnerOp::CountRefusal { client, limits, source };
                model.apply(Timestamp::from_unix_secs(secs), op.clone());
                let backend = Arc::clone(&backend);
                asked.spawn(async move { backend.apply_partner(op).await });
            }
            asked.join_all().await.into_iter().for_each(|it| drop(it.unwrap()));
        });
    }
    let limit = PartnerModel::<Sealed>::REFUSALS_LIMIT;
    assert_eq!(model.held().1, limit, "the table is full");
    let mut throttled = 0;
    for number in (0..2_300).step_by(7) {
        let (client, source) = parties(number);
        for source in [source, None] {
            let op = PartnerOp::FindClient { client, limits, source };
            let expected = model.apply(Timestamp::from_unix_secs(1_002), op.clone());
            throttled += usize::from(expected.outcome.name() == "Throttled");
            assert_eq!(apply(&backend, op), expected, "{number}");
        }
    }
    assert!((400..650).contains(&throttled), "some were forgotten, most not: {throttled}");
}

#[test]
fn a_client_has_so_many_tokens_and_expired_ones_are_removed() {
    let place = Place::new();
    let backend = place.open();
    let mut model = PartnerModel::new(identity(&backend));
    let acme = key("5f1b");
    let mut both = |secs, op: PartnerOp<Sealed>| {
        place.set_clock(secs);
        let expected = model.apply(Timestamp::from_unix_secs(secs), op.clone());
        assert_eq!(apply(&backend, op), expected);
        expected.outcome.name()
    };
    for op in connect(&acme, 1, Sealed::from_bytes(vec![1; 60])) {
        both(1_000, op);
    }
    let token = |number: u8| SecretDigest::from_bytes([number; 32]);
    let issue = |number| PartnerOp::Issue {
        client: client(&acme, 1).key(),
        generation: Generation::from_number(1),
        life: Duration::from_secs(600),
        token: token(number),
    };
    // The first one is offered again, and stays the oldest.
    for number in (0..64).chain([0, 64]) {
        assert_eq!(both(1_001, issue(number)), "Issued");
    }
    for (number, expected) in [(0, "Foreign"), (1, "Identified"), (64, "Identified")] {
        assert_eq!(both(1_002, PartnerOp::Identify { token: token(number) }), expected, "{number}");
    }
    assert_eq!(both(1_601, issue(65)), "Issued");
    assert_eq!(both(1_601, PartnerOp::Identify { token: token(64) }), "Foreign");
    let file = rusqlite::Connection::open(place.path()).unwrap();
    let count = "SELECT count(*) FROM partner_token";
    let count: i64 = file.query_row(count, [], |row| row.get(0)).unwrap();
    assert_eq!(count, 1, "what has expired is removed");
}
