//! PostgreSQL, directly and through PgBouncer in transaction mode.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use sr_auth_core::Secret;
use sr_auth_store::{Backend, PostgresBackend};
use sr_testkit::conformance::{Subject, Suite, TrialError};

use crate::fixture::{bytes_below, crash, fresh_name, variable};

/// How long an operation may wait, for a connection and for its answer.
const PATIENCE: Duration = Duration::from_secs(60);

/// A store in a schema of its own. Each connection is one of a process of its own, with its pool.
struct Postgres {
    address: Secret,
    schema: String,
}

impl Postgres {
    fn at(variable_name: &str) -> Self {
        Self { address: Secret::new(variable(variable_name)), schema: fresh_name() }
    }
}

#[async_trait]
impl Subject for Postgres {
    async fn connect(&self) -> Result<Arc<dyn Backend>, TrialError> {
        let builder = PostgresBackend::builder(&self.address)?.schema(&self.schema)?;
        // Thousands ask at once, of few connections, on a machine that does other things as well.
        let builder = builder.connect_within(PATIENCE).answer_within(PATIENCE);
        Ok(Arc::new(builder.open().await?))
    }

    async fn restart(&self) -> Result<(), TrialError> {
        tokio::task::spawn_blocking(|| crash("postgres")).await?
    }

    /// Tables, indexes and the log of what is written ahead, of all stores of this server.
    async fn raw_bytes(&self) -> Result<Vec<u8>, TrialError> {
        bytes_below(&PathBuf::from(variable("SR_AUTH_TEST_POSTGRES_FOLDER")))
    }
}

#[track_caller]
fn check(variable: &str, suite: &Suite) {
    let report = suite.check(async || Ok(Postgres::at(variable))).unwrap();
    assert!(report.conforms(), "{report}");
    let waits = "the end of a sign of life: the store's clock cannot be moved";
    assert_eq!(report.left_out(), [waits], "{report}");
}

#[test]
fn postgres_keeps_to_the_contract() {
    check("SR_AUTH_TEST_POSTGRES", &Suite::new().with_cases(4));
}

#[test]
fn postgres_keeps_to_the_contract_through_pgbouncer() {
    check("SR_AUTH_TEST_PGBOUNCER", &Suite::new().with_seed(2).with_cases(2).with_rounds(3));
}

#[track_caller]
fn check_partner(variable: &str, suite: &Suite) {
    let report = suite.check_partner(async || Ok(Postgres::at(variable))).unwrap();
    assert!(report.conforms(), "{report}");
    assert!(report.left_out().is_empty(), "{report}");
}

#[test]
fn postgres_keeps_integrations_to_the_contract() {
    check_partner("SR_AUTH_TEST_POSTGRES", &Suite::new().with_cases(4));
}

#[test]
fn postgres_keeps_integrations_to_the_contract_through_pgbouncer() {
    let suite = Suite::new().with_seed(2).with_cases(2).with_rounds(3);
    check_partner("SR_AUTH_TEST_PGBOUNCER", &suite);
}
