//! Integrations in a file: made beside grants that were there before, durable, and never torn.

use std::fs;
#[cfg(unix)]
use std::os::unix::fs::PermissionsExt as _;
use std::sync::Arc;
use std::time::Duration;

use sr_auth_core::SecretDigest;
use sr_auth_core::lifecycle::StoreFailure;
use sr_auth_core::store::{End, Generation, GrantKey, Sequence, StoreOp, StoreOutcome};
use sr_auth_store::{Backend as _, BackendFault, Sealed, SqliteBackend};
use sr_partner::store::{AttemptLimits, EndCause, PartnerOp, PartnerOutcome};

use crate::fixture::{Place, apply, client, connect, key, new_attempt, wait};

#[test]
fn a_file_that_was_made_before_keeps_its_grants_and_takes_integrations() {
    let place = Place::new();
    let made = rusqlite::Connection::open(place.path()).unwrap();
    made.execute_batch(include_str!("version-1.sql")).unwrap();
    drop(made);
    #[cfg(unix)]
    fs::set_permissions(place.path(), fs::Permissions::from_mode(0o600)).unwrap();
    let acme = key("5f1b");
    for round in 0..2 {
        let backend = place.open();
        let load = StoreOp::Load { key: GrantKey::new("acme").unwrap() };
        let StoreOutcome::Loaded(grant) = wait(backend.apply(load)).unwrap().outcome else {
            panic!("the grant is gone");
        };
        assert_eq!(grant.generation, Generation::from_number(2));
        assert_eq!(grant.refresh.unwrap().value, Sealed::from_bytes(vec![2; 120]));
        if round == 0 {
            for op in connect(&acme, 1, Sealed::from_bytes(vec![7; 60])) {
                assert_eq!(apply(&backend, op).outcome.name(), "Done");
            }
        }
        let loaded = apply(&backend, PartnerOp::Load { key: acme.clone() }).outcome;
        let PartnerOutcome::Loaded(record) = loaded else { panic!("round {round}: {loaded:?}") };
        let secret = record.binding.unwrap().integrated.secret;
        assert_eq!(secret, Sealed::from_bytes(vec![7; 60]), "round {round}");
    }
}

#[test]
fn what_ended_leaves_no_trace_of_its_secret_in_the_file() {
    let place = Place::new();
    let acme = key("5f1b");
    let secret = b"sealed-client-secret-of-one-company".repeat(3);
    let backend = place.open();
    for op in connect(&acme, 1, Sealed::from_bytes(secret.clone())) {
        apply(&backend, op);
    }
    let holds = |secret: &[u8]| {
        let bytes = fs::read(place.path()).unwrap();
        bytes.windows(secret.len()).any(|it| it == secret)
    };
    drop(backend);
    assert!(holds(&secret), "the search would find it");
    let backend = place.open();
    apply(&backend, PartnerOp::End { cause: EndCause::Revoked, generation: None, key: acme });
    drop(backend);
    assert!(!holds(&secret));
}

#[test]
fn a_record_that_was_edited_is_told_and_not_believed() {
    let place = Place::new();
    let acme = key("5f1b");
    let backend = place.open();
    for op in connect(&acme, 1, Sealed::from_bytes(vec![7; 60])) {
        apply(&backend, op);
    }
    let file = rusqlite::Connection::open(place.path()).unwrap();
    let edits = [
        ("cut", "UPDATE partner SET record = CAST(substr(record, 1, length(record) - 1) AS BLOB)"),
        ("of another form", "UPDATE partner SET record = CAST(X'09' || substr(record, 2) AS BLOB)"),
        ("empty", "UPDATE partner SET record = X''"),
    ];
    for (name, edit) in edits {
        let before: Vec<u8> =
            file.query_row("SELECT record FROM partner", [], |row| row.get(0)).unwrap();
        file.execute(edit, []).unwrap();
        let error = wait(backend.apply_partner(PartnerOp::Load { key: acme.clone() })).unwrap_err();
        let expected = (BackendFault::Corrupted, StoreFailure::NotDone);
        assert_eq!((error.fault(), error.failure()), expected, "{name}");
        file.execute("UPDATE partner SET record = ?1", [before]).unwrap();
    }
    assert_eq!(apply(&backend, PartnerOp::Load { key: acme }).outcome.name(), "Loaded");
}

/// Counts the commits in the write-ahead log, each of which is one sync: a header of 32 bytes, then
/// frames of 24 bytes and a page; the second word of a frame that ends a commit is not zero, and
/// frames of an earlier round have another salt.
fn commits(place: &Place) -> usize {
    let log = fs::read(place.path().with_extension("db-wal")).unwrap();
    let (header, frames) = log.split_at(32);
    let word = |bytes: &[u8], number: usize| {
        u32::from_be_bytes(bytes.chunks(4).nth(number).unwrap().try_into().unwrap())
    };
    let salt = [word(header, 4), word(header, 5)];
    let frames = frames.chunks(24 + word(header, 2) as usize);
    let current = frames.filter(|it| [word(it, 2), word(it, 3)] == salt);
    current.filter(|it| word(it, 1) != 0).count()
}

#[test]
fn an_operation_that_changes_something_is_one_sync() {
    let place = Place::new();
    let backend = place.open();
    let acme = key("5f1b");
    let [begin, arm, commit, activate] = connect(&acme, 1, Sealed::from_bytes(vec![1; 60]));
    let client = client(&acme, 1).key();
    let token = SecretDigest::from_bytes([3; 32]);
    let limits = AttemptLimits::default();
    let issue = PartnerOp::Issue {
        client,
        generation: Generation::from_number(1),
        life: Duration::from_secs(600),
        token,
    };
    let steps = [
        ("begin", begin.clone(), 1),
        ("begin again", begin, 0),
        ("arm", arm, 1),
        ("commit", commit.clone(), 1),
        ("activate", activate, 1),
        ("commit again", commit, 0),
        ("find a client", PartnerOp::FindClient { client, limits, source: None }, 0),
        ("count a refusal", PartnerOp::CountRefusal { client, limits, source: None }, 1),
        ("issue", issue, 1),
        ("identify", PartnerOp::Identify { token }, 0),
        ("unsettled", PartnerOp::Unsettled { limit: 9 }, 0),
        ("pulse", PartnerOp::Pulse { since: Sequence(0) }, 0),
        ("disable", PartnerOp::Disable { token }, 1),
        ("disable again", PartnerOp::Disable { token }, 0),
        ("load", PartnerOp::Load { key: acme }, 0),
        ("end all of none", PartnerOp::EndAll { cause: EndCause::Revoked }, 0),
    ];
    for (name, op, expected) in steps {
        let before = commits(&place);
        apply(&backend, op);
        assert_eq!(commits(&place) - before, expected, "{name}");
    }
}

#[test]
fn operations_on_grants_and_integrations_that_wait_are_committed_together() {
    let place = Place::new();
    let backend = Arc::new(SqliteBackend::open(&place.path()).unwrap());
    let before = commits(&place);
    wait(async {
        let mut asked = tokio::task::JoinSet::new();
        for number in 0..40_u8 {
            let (grants, partner) = (backend.clone(), backend.clone());
            let grant = GrantKey::new(&format!("grant/{number}")).unwrap();
            let company = key(&format!("company{number}"));
            let end = StoreOp::End { end: End::Revoked, generation: None, key: grant };
            asked.spawn(async move { grants.apply(end).await.unwrap().outcome.name() });
            asked.spawn(async move {
                let [begin, ..] = connect(&company, number, Sealed::from_bytes(vec![1; 60]));
                partner.apply_partner(begin).await.unwrap().outcome.name()
            });
        }
        let answers = asked.join_all().await;
        assert_eq!(answers.iter().filter(|it| **it == "Done").count(), 40, "{answers:?}");
        assert_eq!(answers.iter().filter(|it| **it == "Missing").count(), 40, "{answers:?}");
    });
    let syncs = commits(&place) - before;
    assert!(syncs <= 40, "{syncs} syncs for 80 operations at once");
    let unsettled = apply(&backend, PartnerOp::Unsettled { limit: 99 }).outcome;
    assert!(matches!(unsettled, PartnerOutcome::Keys(keys) if keys.len() == 40));
}

/// The kill switch ends what it cannot read, too: row K09.
#[test]
fn k09_a_record_that_cannot_be_read_keeps_nothing_alive() {
    let broken: [(&str, &str); 5] = [
        ("a record of no form", "UPDATE partner SET record = x'00' WHERE company = 'damaged'"),
        (
            "a record that is cut",
            "UPDATE partner SET record = substr(record, 1, 40) WHERE company = 'damaged'",
        ),
        (
            "a record that is text",
            "UPDATE partner SET record = CAST('' AS BLOB) WHERE company = 'damaged'",
        ),
        (
            "a token of no scope",
            "UPDATE partner_token SET scopes = char(7) WHERE company = 'damaged'",
        ),
        ("a company of no name", "UPDATE partner SET company = '../../' WHERE company = 'damaged'"),
    ];
    for (name, damage) in broken {
        let place = Place::new();
        let backend = place.open();
        let [good, damaged] = ["good", "damaged"].map(key);
        let secret = |fill| Sealed::from_bytes(vec![fill; 60]);
        for (company, fill) in [(&good, 1), (&damaged, 0xd7)] {
            for op in connect(company, fill, secret(fill)) {
                assert_eq!(apply(&backend, op).outcome.name(), "Done", "{name}");
            }
            let issue = PartnerOp::Issue {
                client: client(company, fill).key(),
                generation: Generation::from_number(1),
                life: Duration::from_secs(600),
                token: SecretDigest::from_bytes([fill; 32]),
            };
            assert_eq!(apply(&backend, issue).outcome.name(), "Issued", "{name}");
        }
        let file = rusqlite::Connection::open(place.path()).unwrap();
        assert_eq!(file.execute(damage, []).unwrap(), 1, "{name}");
        drop(file);
        let end = PartnerOp::EndAll { cause: EndCause::Revoked };
        let outcome = wait(backend.apply_partner(end)).expect(name).outcome;
        assert!(
            matches!(outcome, PartnerOutcome::AllEnded { count: 1 | 2 }),
            "{name}: {outcome:?}"
        );
        for (company, fill) in [(&good, 1), (&damaged, 0xd7)] {
            let limits = AttemptLimits::default();
            let client = client(company, fill).key();
            let found = apply(&backend, PartnerOp::FindClient { client, limits, source: None });
            assert!(matches!(found.outcome, PartnerOutcome::Client(None)), "{name}: {found:?}");
            let token = SecretDigest::from_bytes([fill; 32]);
            let named = apply(&backend, PartnerOp::Identify { token });
            assert_eq!(named.outcome.name(), "Foreign", "{name}");
            // The company can be connected again, and no generation comes twice.
            let load = apply(&backend, PartnerOp::Load { key: company.clone() }).outcome;
            let is_gone = matches!(load, PartnerOutcome::Missing);
            assert_eq!(is_gone, name == "a company of no name" && fill == 0xd7, "{name}");
            let mut seen = 0;
            if let PartnerOutcome::Loaded(record) = load {
                assert_eq!((record.attempt, record.binding), (None, None), "{name}");
                seen = record.generation.number();
                assert!(seen >= 1, "{name}");
            }
            let attempt = new_attempt(company, fill ^ 0xff, seen);
            let begun = apply(&backend, PartnerOp::Begin { attempt, key: company.clone() });
            assert_eq!(begun.outcome.name(), "Done", "{name}");
        }
        drop(backend);
        let bytes = fs::read(place.path()).unwrap();
        assert!(!bytes.windows(60).any(|it| it == [0xd7; 60]), "{name}: a secret is left");
    }
}
