//! The SQLite backend: each connection is one of a process of its own, with its own threads.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use sr_auth_store::{Backend, SqliteBackend};
use sr_testkit::conformance::{Subject, Suite, TrialError};
use tempfile::TempDir;

use crate::fixture::Hand;

struct Sqlite {
    folder: TempDir,
    /// Without one, the backend is on the machine's clock.
    hand: Option<Hand>,
}

impl Sqlite {
    fn new(hand: Option<Hand>) -> Result<Self, TrialError> {
        Ok(Self { folder: tempfile::tempdir()?, hand })
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("grants.db")
    }
}

#[async_trait]
impl Subject for Sqlite {
    async fn connect(&self) -> Result<Arc<dyn Backend>, TrialError> {
        let builder = SqliteBackend::builder(&self.path());
        let builder = match self.hand.clone() {
            Some(hand) => builder.clock(move || hand.now()),
            None => builder,
        };
        Ok(Arc::new(builder.open()?))
    }

    /// Every connection is closed already, and with the last one the file.
    async fn restart(&self) -> Result<(), TrialError> {
        Ok(())
    }

    async fn raw_bytes(&self) -> Result<Vec<u8>, TrialError> {
        let mut bytes = Vec::new();
        for entry in std::fs::read_dir(self.folder.path())? {
            bytes.extend(std::fs::read(entry?.path())?);
        }
        Ok(bytes)
    }

    fn advance(&self, span: Duration) -> bool {
        self.hand.as_ref().map(|hand| hand.advance(span)).is_some()
    }
}

#[test]
fn sqlite_keeps_to_the_contract_on_a_clock_of_the_test() {
    let report = Suite::new().check(async || Sqlite::new(Some(Hand::new()))).unwrap();
    assert!(report.conforms(), "{report}");
    assert!(report.left_out().is_empty(), "{report}");
}

#[test]
fn sqlite_keeps_to_the_contract_on_the_machines_clock() {
    let suite = Suite::new().with_seed(2).with_cases(8);
    let report = suite.check(async || Sqlite::new(None)).unwrap();
    assert!(report.conforms(), "{report}");
    let waits = "the end of a sign of life: the store's clock cannot be moved";
    assert_eq!(report.left_out(), [waits], "{report}");
}

#[test]
fn sqlite_keeps_integrations_to_the_contract_on_a_clock_of_the_test() {
    let report = Suite::new().check_partner(async || Sqlite::new(Some(Hand::new()))).unwrap();
    assert!(report.conforms(), "{report}");
    assert!(report.left_out().is_empty(), "{report}");
}

#[test]
fn sqlite_keeps_integrations_to_the_contract_on_the_machines_clock() {
    let suite = Suite::new().with_seed(2).with_cases(8);
    let report = suite.check_partner(async || Sqlite::new(None)).unwrap();
    assert!(report.conforms(), "{report}");
    assert!(report.left_out().is_empty(), "{report}");
}
