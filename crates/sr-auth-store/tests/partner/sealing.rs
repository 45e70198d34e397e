//! The client secret of a company: sealed for its place, and begun only where it is kept.

use std::fs;

use sr_auth_core::lifecycle::StoreFailure;
use sr_auth_core::{Remedy, Secret};
use sr_auth_store::{
    Backend as _, BackendFault, SealFault, Sealed, SealingKey, SealingKeys, SqliteBackend, Store,
    StoreError,
};
use sr_partner::IntegrationKey;
use sr_partner::store::{Attempt, IntegrationRecord, PartnerOp, PartnerOutcome, Phase};

use crate::fixture::{Place, connect, key, wait};
use crate::open::OpenBackend;

const SECRET: &str = "9165e2c4-their-client-secret";

fn keys(byte: u8) -> SealingKeys {
    SealingKeys::new(SealingKey::from_bytes([byte; 32]))
}

fn load(store: &Store, key: &IntegrationKey) -> Result<PartnerOutcome<Secret>, StoreError> {
    wait(store.apply_partner(PartnerOp::Load { key: key.clone() })).map(|it| it.outcome)
}

fn secret_of(outcome: PartnerOutcome<Secret>) -> String {
    let PartnerOutcome::Loaded(record) = outcome else { panic!("no record") };
    let integrated = match (record.attempt, record.binding) {
        (_, Some(binding)) => binding.integrated,
        (Some(Attempt { phase: Phase::Integrated { integrated, .. }, .. }), None) => integrated,
        (attempt, None) => panic!("no secret in {attempt:?}"),
    };
    integrated.secret.expose().to_owned()
}

#[test]
fn k02_no_byte_of_the_file_is_an_unsealed_secret() {
    let place = Place::new();
    let acme = key("5f1b");
    let backend = SqliteBackend::open(&place.path()).unwrap();
    let store = Store::new(backend, keys(1));
    let [begin, arm, commit, activate] = connect(&acme, 1, Secret::new(SECRET.to_owned()));
    for (name, op, is_there) in [
        ("begun", begin, false),
        ("armed", arm, false),
        ("kept", commit, true),
        ("live", activate, true),
    ] {
        wait(store.apply_partner(op)).unwrap();
        if is_there {
            assert_eq!(secret_of(load(&store, &acme).unwrap()), SECRET, "{name}");
        }
        for file in fs::read_dir(place.path().parent().unwrap()).unwrap() {
            let bytes = fs::read(file.unwrap().path()).unwrap();
            assert!(
                !bytes.windows(8).any(|it| SECRET.as_bytes().windows(8).any(|part| part == it))
            );
        }
    }
    drop(store);
    let again = Store::new(SqliteBackend::open(&place.path()).unwrap(), keys(1));
    assert_eq!(secret_of(load(&again, &acme).unwrap()), SECRET, "after a restart");
    let foreign = Store::new(SqliteBackend::open(&place.path()).unwrap(), keys(2));
    let error = load(&foreign, &acme).unwrap_err();
    assert!(
        matches!(&error, StoreError::Seal(it) if matches!(it.fault(), SealFault::UnknownKey(_)))
    );
    assert_eq!(error.failure(), StoreFailure::NotDone);
}

type Tampering = fn(&mut IntegrationRecord<Sealed>, &IntegrationRecord<Sealed>);

#[test]
fn k02_a_secret_that_was_moved_or_changed_is_refused() {
    let cases: [(&str, Tampering, SealFault); 5] = [
        (
            "of another company",
            |it, other| it.binding.clone_from(&other.binding),
            SealFault::Forged,
        ),
        (
            "of another generation",
            |it, _| it.binding.as_mut().unwrap().generation = it.generation.next(),
            SealFault::Forged,
        ),
        (
            "of another consent",
            |it, _| {
                let consent = sr_partner::AttemptId::from_bytes([9; 16]);
                it.binding.as_mut().unwrap().attempt = consent;
            },
            SealFault::Forged,
        ),
        (
            "changed",
            |it, _| {
                let secret = &mut it.binding.as_mut().unwrap().integrated.secret;
                let mut bytes = secret.as_bytes().to_vec();
                *bytes.last_mut().unwrap() ^= 1;
                *secret = Sealed::from_bytes(bytes);
            },
            SealFault::Forged,
        ),
        (
            "cut",
            |it, _| {
                let secret = &mut it.binding.as_mut().unwrap().integrated.secret;
                *secret = Sealed::from_bytes(&secret.as_bytes()[..20]);
            },
            SealFault::Damaged,
        ),
    ];
    for (name, tamper, expected) in cases {
        let backend = OpenBackend::new();
        let store = Store::new(backend.clone(), keys(1));
        let [acme, globex] = ["5f1b", "77aa"].map(key);
        for (key, number) in [(&acme, 1), (&globex, 2)] {
            for op in connect(key, number, Secret::new(SECRET.to_owned())) {
                wait(store.apply_partner(op)).unwrap();
            }
        }
        assert_eq!(secret_of(load(&store, &acme).unwrap()), SECRET, "{name}, before");
        backend.tamper(&acme, &globex, tamper);
        match load(&store, &acme) {
            Err(StoreError::Seal(error)) => assert_eq!(error.fault(), expected, "{name}"),
            other => panic!("{name}: {other:?}"),
        }
    }
}

#[test]
fn a_store_that_forgets_begins_no_exchange_and_keeps_what_exists_already() {
    let acme = key("5f1b");
    let ops = || connect(&acme, 1, Secret::new(SECRET.to_owned()));
    let store = Store::in_memory().unwrap();
    for (op, is_refused) in ops().into_iter().zip([true, true, false, false]) {
        let name = op.name();
        match wait(store.apply_partner(op)) {
            Err(error @ StoreError::Volatile) if is_refused => {
                assert_eq!(error.failure(), StoreFailure::NotDone, "{name}");
                assert_eq!(error.remedy(), Remedy::FixConfiguration, "{name}");
            }
            Ok(answer) if !is_refused => assert_eq!(answer.outcome.name(), "Missing", "{name}"),
            other => panic!("{name}: {other:?}"),
        }
    }
    let told = Store::in_memory().unwrap().accept_volatile();
    for op in ops() {
        assert_eq!(wait(told.apply_partner(op)).unwrap().outcome.name(), "Done");
    }
}

#[test]
fn a_backend_that_keeps_grants_only_says_so() {
    let op = PartnerOp::Load { key: key("5f1b") };
    let error = wait(crate::open::GrantsOnly.apply_partner(op)).unwrap_err();
    assert_eq!((error.fault(), error.failure()), (BackendFault::NotOffered, StoreFailure::NotDone));
    assert_eq!(error.remedy(), Remedy::FixConfiguration);
}

/// Of credentials that wait for their owner, and of live ones.
#[test]
fn k02_a_secret_is_sealed_anew_when_keys_are_rotated() {
    let acme = key("5f1b");
    for is_live in [false, true] {
        let backend = OpenBackend::new();
        let [old, new] = [1, 2].map(|byte| SealingKey::from_bytes([byte; 32]));
        let store = Store::new(backend.clone(), SealingKeys::new(old.clone()));
        let steps = if is_live { 4 } else { 3 };
        let ops = connect(&acme, 1, Secret::new(SECRET.to_owned()));
        ops.into_iter().take(steps).for_each(|op| drop(wait(store.apply_partner(op)).unwrap()));
        let before = shown(&store, &acme);
        let turned = Store::new(backend.clone(), SealingKeys::new(new.clone()).and_older(old));
        assert!(!wait(turned.reseal_partner(&key("nobody"))).unwrap());
        assert!(wait(turned.reseal_partner(&acme)).unwrap(), "live: {is_live}");
        assert!(!wait(turned.reseal_partner(&acme)).unwrap(), "live: {is_live}, a second time");
        let only_new = Store::new(backend.clone(), SealingKeys::new(new));
        assert_eq!(secret_of(load(&only_new, &acme).unwrap()), SECRET, "live: {is_live}");
        assert_eq!(shown(&only_new, &acme), before, "live: {is_live}");
    }
}

/// What is known of a company and what was told, without secrets.
fn shown(store: &Store, key: &IntegrationKey) -> String {
    let PartnerOutcome::Loaded(record) = load(store, key).unwrap() else { panic!("no record") };
    let since = sr_auth_core::store::Sequence(0);
    let PartnerOutcome::News(news) =
        wait(store.apply_partner(PartnerOp::Pulse { since })).unwrap().outcome
    else {
        panic!("no news")
    };
    format!("{:?} {:?}", record.without_secrets(), news.changes)
}
