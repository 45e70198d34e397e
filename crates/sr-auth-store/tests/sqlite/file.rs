//! Which files are opened, and by whom they may be.

use std::fs;
use std::path::Path;
use std::time::Duration;

use sr_auth_core::lifecycle::StoreFailure;
use sr_auth_core::store::{End, StoreIdentity, StoreOp, StoreOutcome};
use sr_auth_store::{BackendFault, SqliteBackend};

use crate::fixture::{Place, adopt, apply, commit, key, owner, pulse, record};

fn fault(path: &Path) -> BackendFault {
    let error = SqliteBackend::open(path).expect_err("it must not be opened");
    assert_eq!(error.failure(), StoreFailure::NotDone, "{error}");
    error.fault()
}

#[test]
fn a_folder_that_is_not_there_or_stands_in_place_of_the_file_is_told() {
    let place = Place::new();
    assert_eq!(fault(&place.folder.path().join("no/grants.db")), BackendFault::MissingFolder);
    assert_eq!(fault(place.folder.path()), BackendFault::NotAStore);
}

#[cfg(unix)]
#[tokio::test]
async fn k03_the_file_and_what_belongs_to_it_are_for_their_owner_only() {
    use std::os::unix::fs::PermissionsExt as _;

    let place = Place::new();
    let backend = place.open();
    apply(&backend, adopt(&key("acme"), 1)).await.unwrap();
    let mut names = Vec::new();
    for entry in fs::read_dir(place.folder.path()).unwrap().map(Result::unwrap) {
        let name = entry.file_name().into_string().unwrap();
        assert_eq!(entry.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{name}");
        names.push(name);
    }
    names.sort();
    assert_eq!(names, ["grants.db", "grants.db-shm", "grants.db-wal"]);
}

#[cfg(unix)]
#[test]
fn k03_what_others_may_open_or_replace_is_refused() {
    use std::os::unix::fs::PermissionsExt as _;

    let place = Place::new();
    drop(place.open());
    let set = |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode));
    for mode in [0o640, 0o604, 0o660, 0o606] {
        set(&place.path(), mode).unwrap();
        assert_eq!(fault(&place.path()), BackendFault::OpenToOthers, "{mode:o}");
    }
    set(&place.path(), 0o600).unwrap();
    set(place.folder.path(), 0o777).unwrap();
    assert_eq!(fault(&place.path()), BackendFault::OpenToOthers, "the folder");
    set(place.folder.path(), 0o1777).unwrap();
    drop(place.open());
}

#[test]
fn what_is_no_store_or_a_broken_one_is_told_and_left_as_it_is() {
    use BackendFault::{Corrupted, Incompatible, NotAStore};
    type Damage = fn(&Path);
    let sql = |path: &Path, sql: &str| {
        rusqlite::Connection::open(path).unwrap().execute_batch(sql).unwrap();
    };
    fn overwrite(path: &Path, from: usize, byte: u8) {
        let mut bytes = fs::read(path).unwrap();
        bytes[from..].iter_mut().take(2_000).for_each(|it| *it = byte);
        fs::write(path, bytes).unwrap();
    }
    let damages: [(&str, Damage, BackendFault); 4] = [
        (
            "a text",
            |path| fs::write(path, "not a database, not at all".repeat(99)).unwrap(),
            NotAStore,
        ),
        ("an overwritten head", |path| overwrite(path, 0, 7), NotAStore),
        ("overwritten pages", |path| overwrite(path, 4_096 * 2, 0x55), Corrupted),
        (
            "cut in half",
            |path| {
                let bytes = fs::read(path).unwrap();
                fs::write(path, &bytes[..bytes.len() / 2]).unwrap();
            },
            Corrupted,
        ),
    ];
    for (name, damage, expected) in damages {
        check(name, expected, damage);
    }
    let pragmas = [
        ("another's database", "PRAGMA application_id = 7", NotAStore),
        ("a newer version", "PRAGMA user_version = 99", Incompatible),
        ("an older version than any", "PRAGMA user_version = -1", NotAStore),
    ];
    for (name, pragma, expected) in pragmas {
        check(name, expected, |path| sql(path, pragma));
    }
}

#[track_caller]
fn check(name: &str, expected: BackendFault, damage: impl FnOnce(&Path)) {
    let place = Place::new();
    let backend = place.open();
    for number in 0..20 {
        let op = adopt(&key(&format!("company/{number}")), number);
        crate::fixture::wait(apply(&backend, op)).unwrap();
    }
    drop(backend);
    damage(&place.path());
    let damaged = fs::read(place.path()).unwrap();
    assert_eq!(fault(&place.path()), expected, "{name}");
    assert!(fs::read(place.path()).unwrap() == damaged, "{name}: the file was changed");
}

#[tokio::test]
async fn another_process_that_does_not_let_go_is_waited_for_only_so_long() {
    let place = Place::new();
    let backend = place.builder().busy_timeout(Duration::from_millis(50)).open().unwrap();
    let acme = key("acme");
    let other = rusqlite::Connection::open(place.path()).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let error = apply(&backend, adopt(&acme, 1)).await.unwrap_err();
    assert_eq!((error.fault(), error.failure()), (BackendFault::Busy, StoreFailure::NotDone));
    assert!(record(&backend, &acme).await.is_none(), "reading waits for nobody");
    other.execute_batch("ROLLBACK").unwrap();
    apply(&backend, adopt(&acme, 1)).await.unwrap();
    assert!(record(&backend, &acme).await.is_some());
}

#[cfg(unix)]
#[tokio::test]
async fn a_backup_that_is_put_in_place_of_the_file_is_noticed() {
    let place = Place::new();
    let [acme, globex] = ["acme", "globex"].map(key);
    let backend = place.open();
    apply(&backend, adopt(&acme, 1)).await.unwrap();
    let first = identity(&backend).await;
    let other = Place::new();
    apply(&other.open(), adopt(&globex, 2)).await.unwrap();
    let second = identity(&other.open()).await;
    fs::rename(other.path(), place.path()).unwrap();
    for name in ["grants.db-wal", "grants.db-shm"] {
        fs::remove_file(place.folder.path().join(name)).unwrap();
    }
    // Both who reads and who writes go on with the file that is there now.
    assert!(record(&backend, &globex).await.is_some());
    assert!(record(&backend, &acme).await.is_none());
    apply(&backend, adopt(&acme, 3)).await.unwrap();
    assert_eq!(identity(&backend).await, second);
    assert_ne!(first, second);
    assert!(record(&place.open(), &acme).await.is_some(), "others see it");
    fs::remove_file(place.path()).unwrap();
    assert!(record(&backend, &acme).await.is_none(), "a store that is gone begins anew");
}

#[cfg(unix)]
async fn identity(backend: &SqliteBackend) -> StoreIdentity {
    let outcome = apply(backend, pulse(false, 0)).await.unwrap().outcome;
    let StoreOutcome::Pulse(pulse) = outcome else { panic!("a pulse is answered with a pulse") };
    pulse.store
}

#[tokio::test]
async fn a_token_that_was_replaced_is_gone_when_the_file_is_closed() {
    let place = Place::new();
    let backend = place.open();
    let acme = key("acme");
    let holds = |number: u8| {
        let bytes = fs::read(place.path()).unwrap();
        bytes.windows(100).any(|it| it.iter().all(|byte| *byte == number))
    };
    apply(&backend, adopt(&acme, 0xa1)).await.unwrap();
    apply(&backend, commit(&acme, 1, owner(1), 0xa2)).await.unwrap();
    drop(backend);
    assert_eq!([0xa1, 0xa2].map(holds), [false, true]);
    let end = StoreOp::End { end: End::Revoked, generation: None, key: acme };
    apply(&place.open(), end).await.unwrap();
    assert_eq!([0xa1, 0xa2].map(holds), [false, false]);
}
