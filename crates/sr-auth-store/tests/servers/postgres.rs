//! How a store on PostgreSQL is made and kept.

use std::time::Duration;

use sr_auth_core::Secret;
use sr_auth_core::lifecycle::StoreFailure;
use sr_auth_core::store::StoreOutcome;
use sr_auth_store::{Backend, BackendFault, Durability, PostgresBackend};
use tokio_postgres::{Client, NoTls};

use crate::fixture::{adopt, arm, fresh_name, load, order, pulse, variable};
use crate::partner;

/// How long to wait on a machine that is busy otherwise.
const PATIENCE: Duration = Duration::from_secs(60);

fn address() -> Secret {
    Secret::new(variable("SR_AUTH_TEST_POSTGRES"))
}

/// A connection of the test's own, for what a backend never does.
async fn administrator() -> Client {
    let (client, connection) =
        tokio_postgres::connect(&variable("SR_AUTH_TEST_POSTGRES"), NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

async fn open(schema: &str) -> PostgresBackend {
    let builder = PostgresBackend::builder(&address()).unwrap();
    let builder = builder.connect_within(PATIENCE).answer_within(PATIENCE);
    builder.schema(schema).unwrap().open().await.unwrap()
}

#[tokio::test]
async fn many_processes_that_begin_at_once_make_one_store() {
    // Whom the others are ahead of, and by how much, is up to the machine.
    for _ in 0..20 {
        let schema = fresh_name();
        let open = || {
            let schema = schema.clone();
            tokio::spawn(async move { open(&schema).await })
        };
        let opened: Vec<_> = (0..8).map(|_| open()).collect();
        let mut identities = Vec::new();
        for backend in opened {
            let backend = backend.await.unwrap();
            assert_eq!(backend.durability(), Durability::Durable);
            let answer = backend.apply(pulse(false)).await.unwrap();
            let StoreOutcome::Pulse(pulse) = answer.outcome else { panic!() };
            identities.push(pulse.store);
        }
        identities.dedup();
        assert_eq!(identities.len(), 1);
    }
}

#[tokio::test]
async fn a_tool_makes_no_store_and_changes_none() {
    let (administrator, schema) = (administrator().await, fresh_name());
    let existing = || {
        let builder = PostgresBackend::builder(&address()).unwrap().connect_within(PATIENCE);
        builder.schema(&schema).unwrap().existing_only().open()
    };
    let error = existing().await.unwrap_err();
    assert_eq!(error.fault(), BackendFault::NotAStore);
    let made = format!("SELECT FROM pg_namespace WHERE nspname = '{schema}'");
    assert!(administrator.query_opt(&made, &[]).await.unwrap().is_none());
    drop(open(&schema).await);
    let older = format!("UPDATE {schema}.store SET version = 1");
    administrator.batch_execute(&older).await.unwrap();
    existing().await.unwrap().apply(adopt()).await.unwrap();
    let version = format!("SELECT version FROM {schema}.store");
    assert_eq!(administrator.query_one(&version, &[]).await.unwrap().get::<_, i32>(0), 1);
}

#[tokio::test]
async fn what_is_no_store_of_this_version_is_left_alone() {
    let administrator = administrator().await;
    let [newer, foreign, shop, empty] = [(); 4].map(|()| fresh_name());
    drop(open(&newer).await);
    let text = format!(
        "UPDATE {newer}.store SET version = 99; CREATE SCHEMA {foreign};
         CREATE TABLE {foreign}.orders (id integer); CREATE SCHEMA {shop};
         CREATE TABLE {shop}.store (city text); CREATE SCHEMA {empty};
         CREATE TABLE {empty}.store (version integer)"
    );
    administrator.batch_execute(&text).await.unwrap();
    for (name, schema, expected) in [
        ("a newer version", newer, BackendFault::Incompatible),
        ("somebody else's schema", foreign, BackendFault::NotAStore),
        ("somebody else's store", shop, BackendFault::NotAStore),
        ("a store without a version", empty, BackendFault::NotAStore),
    ] {
        let builder = PostgresBackend::builder(&address()).unwrap().schema(&schema).unwrap();
        let error = builder.open().await.unwrap_err();
        let seen = (error.fault(), error.failure());
        assert_eq!(seen, (expected, StoreFailure::NotDone), "{name}: {error:?}");
        let tells_why = std::error::Error::source(&error).is_some();
        assert_eq!(tells_why, expected == BackendFault::NotAStore, "{name}: {error:?}");
    }
}

/// The first version, as it made a store.
const VERSION_1: &str = include_str!("../../src/postgres/schema.sql");

#[tokio::test]
async fn a_store_of_the_first_version_becomes_one_of_this_with_its_grants() {
    // Whom the others are ahead of, and by how much, is up to the machine.
    for _ in 0..10 {
        let (administrator, schema) = (administrator().await, fresh_name());
        let identity = "00112233445566778899aabbccddeeff";
        let text = VERSION_1.replace("{schema}", &schema).replace("{identity}", identity);
        administrator.batch_execute(&text).await.unwrap();
        let adopt = format!(
            "SELECT outcome FROM {schema}.adopt(
               0, 'planner/acme', false, '\\x01', 'single_use',
               '\\x01', decode(repeat('01', 16), 'hex'), 0, 9,
               '\\x02', decode(repeat('02', 16), 'hex'), 0, 9)"
        );
        administrator.batch_execute(&adopt).await.unwrap();
        // As from processes that begin at once.
        let open = || {
            let schema = schema.clone();
            tokio::spawn(async move { open(&schema).await })
        };
        let opened: Vec<_> = (0..4).map(|_| open()).collect();
        for backend in opened {
            let backend = backend.await.unwrap();
            let pulse = backend.apply(pulse(false)).await.unwrap();
            let StoreOutcome::Pulse(pulse) = pulse.outcome else { panic!() };
            assert_eq!(format!("{:032x}", pulse.store.0), identity);
            assert_eq!(backend.apply(arm(1)).await.unwrap().outcome.name(), "Armed");
            for op in partner::connect(&partner::key("acme")) {
                let name = op.name();
                let outcome = backend.apply_partner(op).await.unwrap().outcome;
                assert!(["Done", "Superseded", "Taken"].contains(&outcome.name()), "{name}");
            }
        }
        // A process of the first version that still runs goes on.
        let row = administrator.query_one(&adopt, &[]).await.unwrap();
        assert_eq!(row.get::<_, &str>(0), "Done");
        let select = format!("SELECT version, generation FROM {schema}.store, {schema}.rotation");
        let row = administrator.query_one(&select, &[]).await.unwrap();
        assert_eq!((row.get::<_, i32>(0), row.get::<_, i64>(1)), (3, 1), "the same grant");
    }
}

/// `pg_stat_wal` counts syncs of the log: with a commit that does not wait, there are none here.
#[tokio::test]
async fn a_change_waits_for_the_disk_whatever_the_role_is_set_to() {
    let administrator = administrator().await;
    let role = fresh_name();
    let schema = fresh_name();
    drop(open(&schema).await);
    let text = format!(
        "CREATE ROLE {role} LOGIN SUPERUSER PASSWORD 'only-on-loopback';
         ALTER ROLE {role} SET synchronous_commit = off"
    );
    administrator.batch_execute(&text).await.unwrap();
    let address = variable("SR_AUTH_TEST_POSTGRES").replace("//sr_auth:", &format!("//{role}:"));
    let builder = PostgresBackend::builder(&Secret::new(address)).unwrap();
    let backend = builder.schema(&schema).unwrap().open().await.unwrap();
    let flushed = async || {
        let select = "SELECT pg_current_wal_flush_lsn() - '0/0'::pg_lsn,
                             pg_current_wal_insert_lsn() - '0/0'::pg_lsn";
        let row = administrator
            .query_one(&format!("SELECT (a)::text, (b)::text FROM ({select}) AS it(a, b)"), &[])
            .await;
        let row = row.unwrap();
        [0, 1].map(|at| row.get::<_, String>(at).parse::<u64>().unwrap())
    };
    backend.apply(adopt()).await.unwrap();
    let [_, written] = flushed().await;
    for number in 1..20 {
        let [_, before] = flushed().await;
        backend.apply(arm(number)).await.unwrap();
        let [on_disk, _] = flushed().await;
        // The first of them writes; the others find it busy and write nothing.
        let wrote = number == 1;
        assert!(!wrote || on_disk > before.max(written), "{number}: {on_disk} of {before}");
    }
}

#[tokio::test]
async fn a_server_that_is_down_is_told_in_time_and_found_again() {
    let builder = PostgresBackend::builder(&address()).unwrap();
    let span = Duration::from_secs(2);
    let builder = builder.answer_within(span).connect_within(span);
    let backend = builder.schema(&fresh_name()).unwrap().open().await.unwrap();
    backend.apply(adopt()).await.unwrap();
    order("kill", "postgres");
    let error = backend.apply(load()).await.unwrap_err();
    assert_eq!(error.fault(), BackendFault::Unreachable, "{error:?}");
    assert_eq!(error.failure(), StoreFailure::NotDone, "nothing is changed by a look");
    // The connections that were lost are gone by now, so this one is not sent at all.
    let error = backend.apply(arm(1)).await.unwrap_err();
    assert_eq!(error.fault(), BackendFault::Unreachable, "{error:?}");
    order("start", "postgres");
    let mut answer = backend.apply(load()).await;
    for _ in 0..50 {
        if answer.is_ok() {
            break;
        }
        answer = backend.apply(load()).await;
    }
    assert_eq!(answer.unwrap().outcome.name(), "Loaded");
}

#[tokio::test]
async fn who_may_not_enter_is_told_so_without_the_password() {
    let wrong = variable("SR_AUTH_TEST_POSTGRES").replace("only-on-loopback", "canary-password");
    let error = PostgresBackend::open(&Secret::new(wrong)).await.unwrap_err();
    assert_eq!(error.fault(), BackendFault::Refused, "{error:?}");
    assert!(!format!("{error} {error:?}").contains("canary"), "{error:?}");
}
