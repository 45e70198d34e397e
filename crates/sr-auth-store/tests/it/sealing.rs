//! What is sealed opens in its place, and nowhere else.

use sr_auth_core::Secret;
use sr_auth_core::lifecycle::StoreFailure;
use sr_auth_core::store::{CauseOfDeath, Generation, GrantKey, Health, OwnerId, Record, StoreOp};
use sr_auth_store::{SealFault, Sealed, SealingKey, SealingKeys, Store, StoreError};

use crate::fixture::{OpenBackend, adopt, commit, escrow, key, keys, load, store, texts, token};

#[tokio::test]
async fn what_is_sealed_opens_again_through_every_way_into_a_record() {
    let backend = OpenBackend::new();
    let store = store(&backend);
    let acme = key("acme");
    let steps = [
        ("adopted", adopt(&acme, "a1", "r1"), [Some("a1"), Some("r1"), None]),
        ("rotated", commit(&acme, 1, "a2", Some("r2")), [Some("a2"), Some("r2"), None]),
        ("set aside", escrow(&acme, 1, "s1"), [Some("a2"), Some("r2"), Some("s1")]),
        ("last leg", commit(&acme, 2, "a3", None), [Some("a3"), Some("r2"), Some("s1")]),
        ("last leg again", commit(&acme, 3, "a4", None), [Some("a4"), Some("r2"), Some("s1")]),
        ("revived", commit(&acme, 4, "a5", Some("r5")), [Some("a5"), Some("r5"), Some("s1")]),
        ("repeated", commit(&acme, 4, "a5", Some("r5")), [Some("a5"), Some("r5"), Some("s1")]),
        ("adopted again", adopt(&acme, "a6", "r6"), [Some("a6"), Some("r6"), None]),
        ("last leg of it", commit(&acme, 6, "a7", None), [Some("a7"), Some("r6"), None]),
    ];
    for (name, op, expected) in steps {
        store.apply(op).await.unwrap_or_else(|error| panic!("{name}: {error}"));
        let expected = expected.map(|it| it.map(str::to_owned));
        assert_eq!(texts(&load(&store, &acme).await), expected, "{name}");
    }
}

#[tokio::test]
async fn k02_a_backend_never_sees_a_token() {
    let backend = OpenBackend::new();
    let store = store(&backend);
    let acme = key("acme");
    store.apply(adopt(&acme, "secret-access", "secret-refresh")).await.unwrap();
    store.apply(escrow(&acme, 0, "secret-sibling")).await.unwrap();
    let record = backend.record(&acme);
    let sibling = record.sibling.clone().map(|it| it.token);
    for token in [record.access.clone(), record.refresh.clone(), sibling].map(Option::unwrap) {
        let bytes = token.value.as_bytes();
        assert!(!bytes.windows(7).any(|it| it == b"secret-"), "in clear");
        assert_eq!(token.value.key_id(), Some(keys(1).newest().id()));
    }
    assert!(!format!("{record:?}").contains("secret-"));
}

#[tokio::test]
async fn k02_the_same_token_is_never_sealed_the_same_way() {
    let backend = OpenBackend::new();
    let store = store(&backend);
    for grant in ["acme", "globex"] {
        store.apply(adopt(&key(grant), "a1", "a1")).await.unwrap();
    }
    let [acme, globex] = ["acme", "globex"].map(|it| backend.record(&key(it)));
    let values = [acme.access, acme.refresh, globex.access, globex.refresh];
    let mut values: Vec<_> =
        values.map(|it| it.unwrap().value.as_bytes().to_vec()).into_iter().collect();
    values.sort();
    values.dedup();
    assert_eq!(values.len(), 4);
}

type Tampering = fn(&mut Record<Sealed>, &Record<Sealed>, &Record<Sealed>);

#[tokio::test]
async fn k02_what_was_moved_rolled_back_or_changed_is_refused() {
    // `old` is the same grant one rotation ago, `other` another grant of as many rotations.
    let cases: [(&str, Tampering, SealFault); 11] = [
        (
            "fields are swapped",
            |it, _, _| std::mem::swap(&mut it.access, &mut it.refresh),
            SealFault::Forged,
        ),
        ("the row of another grant", |it, _, other| *it = other.clone(), SealFault::Forged),
        (
            "the value of another grant",
            |it, _, other| it.refresh = other.refresh.clone(),
            SealFault::Forged,
        ),
        (
            "the value of the last generation",
            |it, old, _| value(it).clone_from(&old.refresh.as_ref().unwrap().value),
            SealFault::Forged,
        ),
        (
            "the token of the last generation",
            |it, old, _| it.refresh = old.refresh.clone(),
            SealFault::Misplaced,
        ),
        (
            "both tokens of the last generation",
            |it, old, _| {
                (it.access, it.refresh) = (old.access.clone(), old.refresh.clone());
            },
            SealFault::Misplaced,
        ),
        (
            "the generation is set back",
            |it, _, _| it.generation = Generation::from_number(1),
            SealFault::Misplaced,
        ),
        (
            "a sibling of another generation",
            |it, _, _| {
                it.sibling.as_mut().unwrap().from = Generation::from_number(9);
            },
            SealFault::Misplaced,
        ),
        (
            "a bit is flipped",
            |it, _, _| edit(value(it), |bytes| *bytes.last_mut().unwrap() ^= 1),
            SealFault::Forged,
        ),
        (
            "the nonce is changed",
            |it, _, _| edit(value(it), |bytes| bytes[20] ^= 1),
            SealFault::Forged,
        ),
        (
            "it is cut short",
            |it, _, _| edit(value(it), |bytes| bytes.truncate(40)),
            SealFault::Damaged,
        ),
    ];
    for (name, tamper, expected) in cases {
        let backend = OpenBackend::new();
        let store = store(&backend);
        let [acme, globex] = ["acme", "globex"].map(key);
        store.apply(adopt(&acme, "a1", "r1")).await.unwrap();
        let old = backend.record(&acme);
        store.apply(commit(&acme, 1, "a2", Some("r2"))).await.unwrap();
        store.apply(escrow(&acme, 1, "s1")).await.unwrap();
        store.apply(adopt(&globex, "a1", "r1")).await.unwrap();
        store.apply(commit(&globex, 1, "a2", Some("r2"))).await.unwrap();
        let other = backend.record(&globex);
        backend.change(&acme, |record| tamper(record, &old, &other));
        let error = store.apply(StoreOp::Load { key: acme.clone() }).await.unwrap_err();
        let StoreError::Seal(fault) = &error else { panic!("{name}: {error}") };
        assert_eq!(fault.fault(), expected, "{name}");
        assert_eq!(error.failure(), StoreFailure::NotDone, "{name}: nothing was asked for");
        // A new consent heals it, whatever is there.
        store.apply(adopt(&acme, "a9", "r9")).await.unwrap_or_else(|it| panic!("{name}: {it}"));
        load(&store, &acme).await;
    }
}

fn value(record: &mut Record<Sealed>) -> &mut Sealed {
    &mut record.refresh.as_mut().expect("it has one").value
}

fn edit(value: &mut Sealed, edit: impl FnOnce(&mut Vec<u8>)) {
    let mut bytes = value.as_bytes().to_vec();
    edit(&mut bytes);
    *value = Sealed::from_bytes(bytes);
}

#[tokio::test]
async fn an_operation_whose_answer_cannot_be_opened_was_carried_out() {
    let backend = OpenBackend::new();
    let store = store(&backend);
    let acme = key("acme");
    store.apply(adopt(&acme, "a1", "r1")).await.unwrap();
    store.apply(escrow(&acme, 0, "s1")).await.unwrap();
    backend.change(&acme, |record| {
        edit(&mut record.sibling.as_mut().unwrap().token.value, |bytes| bytes[50] ^= 1);
    });
    let error = store.apply(commit(&acme, 1, "a2", Some("r2"))).await.unwrap_err();
    assert!(matches!(error, StoreError::Opening(_)), "{error}");
    assert_eq!(error.failure(), StoreFailure::OutcomeUnknown);
    assert_eq!(backend.record(&acme).generation, Generation::from_number(2));
}

#[tokio::test]
async fn k02_keys_are_rotated_without_a_moment_in_which_a_value_cannot_be_read() {
    let backend = OpenBackend::new();
    let acme = key("acme");
    let [old, new] = [1, 2].map(|byte| SealingKey::from_bytes([byte; 32]));
    let both = SealingKeys::new(old.clone()).and_older(new.clone());
    let turned = SealingKeys::new(new.clone()).and_older(old.clone());
    store(&backend).apply(adopt(&acme, "a1", "r1")).await.unwrap();
    // Each process learns the new key before one seals with it.
    for (name, keys) in [("learnt", both), ("turned", turned.clone())] {
        let record = load(&Store::new(backend.clone(), keys), &acme).await;
        assert_eq!(record.health, Health::Live, "{name}");
    }
    let store = Store::new(backend.clone(), turned);
    store.apply(commit(&acme, 1, "a2", Some("r2"))).await.unwrap();
    let only_new = Store::new(backend.clone(), SealingKeys::new(new));
    assert_eq!(texts(&load(&only_new, &acme).await)[1].as_deref(), Some("r2"));
    // The old key alone is the wrong one now, and the error names the one that is missing.
    let only_old = Store::new(backend.clone(), SealingKeys::new(old));
    let error = only_old.apply(StoreOp::Load { key: acme.clone() }).await.unwrap_err();
    let StoreError::Seal(error) = error else { panic!("{error}") };
    let sealed_under = backend.record(&acme).access.unwrap().value.key_id().unwrap();
    assert_eq!(error.fault(), SealFault::UnknownKey(sealed_under));
}

#[tokio::test]
async fn k02_what_rests_under_an_old_key_is_sealed_anew_and_nothing_else_changes() {
    let [old, new] = [1, 2].map(|byte| SealingKey::from_bytes([byte; 32]));
    let acme = key("acme");
    let ways: [(&str, &[StoreOp<Secret>]); 4] = [
        ("adopted", &[]),
        ("rotated", &[commit(&acme, 1, "a2", Some("r2"))]),
        ("last leg", &[commit(&acme, 1, "a2", Some("r2")), commit(&acme, 2, "a3", None)]),
        ("dead", &[bury(&acme, 1, "r1")]),
    ];
    for (name, ops) in ways {
        let backend = OpenBackend::new();
        let store = store(&backend);
        store.apply(adopt(&acme, "a1", "r1")).await.unwrap();
        store.apply(escrow(&acme, 0, "s1")).await.unwrap();
        for op in ops {
            store.apply(op.clone()).await.unwrap();
        }
        let before = load(&store, &acme).await;
        let both = SealingKeys::new(new.clone()).and_older(old.clone());
        let turned = Store::new(backend.clone(), both);
        assert!(turned.reseal(&acme).await.unwrap(), "{name}");
        assert!(!turned.reseal(&acme).await.unwrap(), "{name}: a second time");
        let only_new = Store::new(backend.clone(), SealingKeys::new(new.clone()));
        let after = load(&only_new, &acme).await;
        assert_eq!(texts(&after), texts(&before), "{name}");
        let rest = |it: &Record<Secret>| (it.generation, it.health, it.ledger.clone());
        assert_eq!(rest(&after), rest(&before), "{name}");
    }
}

fn bury(key: &GrantKey, generation: u64, refused: &str) -> StoreOp<Secret> {
    let generation = Generation::from_number(generation);
    let (cause, owner) = (CauseOfDeath::Expired, OwnerId::new(1));
    let refused = Some(token(refused).fingerprint);
    StoreOp::Bury { cause, generation, key: key.clone(), owner, refused }
}
