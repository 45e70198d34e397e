//! What a pooler does with an answer that nobody waits for any more.

use std::time::Duration;

use sr_auth_core::Secret;
use sr_auth_store::{Backend, PostgresBackend};
use tokio::time::timeout;
use tokio_postgres::{Client, NoTls};

use crate::fixture::{adopt, arm, fresh_name, load, pulse, variable};

/// Long enough for a statement to reach the server and to wait there.
const MOMENT: Duration = Duration::from_millis(300);

async fn open(schema: &str) -> PostgresBackend {
    let address = Secret::new(variable("SR_AUTH_TEST_PGBOUNCER"));
    let builder = PostgresBackend::builder(&address).unwrap().connections(1);
    builder.schema(schema).unwrap().open().await.unwrap()
}

/// Holds the rows of a table until its connection ends.
async fn hold(table: &str) -> Client {
    let address = variable("SR_AUTH_TEST_POSTGRES");
    let (client, connection) = tokio_postgres::connect(&address, NoTls).await.unwrap();
    tokio::spawn(connection);
    client.batch_execute(&format!("BEGIN; SELECT FROM {table} FOR UPDATE")).await.unwrap();
    client
}

/// Lets the pooler, which tells nobody, do what it does.
async fn pass_a_moment() {
    assert!(timeout(MOMENT, std::future::pending::<()>()).await.is_err());
}

/// PgBouncer takes a session of the server for free once one statement of two is answered, and hands
/// the answer to the other one to whoever is served next.
#[tokio::test]
async fn an_answer_that_nobody_waits_for_reaches_nobody_else() {
    let schema = fresh_name();
    let leaver = open(&schema).await;
    leaver.apply(adopt()).await.unwrap();
    let rotation = hold(&format!("{schema}.rotation")).await;
    let store = hold(&format!("{schema}.store")).await;
    assert!(timeout(MOMENT, leaver.apply(arm(1))).await.is_err(), "the row is held");
    let mut second = Box::pin(leaver.apply(pulse(true)));
    assert!(timeout(MOMENT, &mut second).await.is_err(), "the row is held");
    drop(rotation);
    assert!(timeout(MOMENT, &mut second).await.is_err(), "the row is held");
    drop(second);
    drop(leaver);
    pass_a_moment().await;
    let next = tokio::spawn(async move { open(&schema).await });
    pass_a_moment().await;
    drop(store);
    let answer = next.await.unwrap().apply(load()).await.unwrap();
    assert_eq!(answer.outcome.name(), "Loaded");
}
