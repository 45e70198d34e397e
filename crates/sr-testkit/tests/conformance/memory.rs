//! The memory backend.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use sr_auth_store::{Backend, MemoryBackend};
use sr_testkit::conformance::{Subject, Suite, TrialError};

use crate::fixture::Hand;

struct Memory {
    backend: Arc<MemoryBackend>,
    /// Without one, the backend is on the machine's clock.
    hand: Option<Hand>,
}

impl Memory {
    fn on_the_machines_clock() -> Result<Self, TrialError> {
        Ok(Self { backend: Arc::new(MemoryBackend::new()?), hand: None })
    }

    fn moved_by_hand() -> Result<Self, TrialError> {
        let hand = Hand::new();
        let clock = hand.clone();
        let backend = Arc::new(MemoryBackend::with_clock(move || clock.now())?);
        Ok(Self { backend, hand: Some(hand) })
    }
}

#[async_trait]
impl Subject for Memory {
    async fn connect(&self) -> Result<Arc<dyn Backend>, TrialError> {
        Ok(Arc::clone(&self.backend) as Arc<dyn Backend>)
    }

    async fn restart(&self) -> Result<(), TrialError> {
        Err("it promises no durability".into())
    }

    async fn raw_bytes(&self) -> Result<Vec<u8>, TrialError> {
        Ok(format!("{:?}", self.backend).into_bytes())
    }

    fn advance(&self, span: Duration) -> bool {
        self.hand.as_ref().map(|hand| hand.advance(span)).is_some()
    }
}

#[test]
fn memory_keeps_to_the_contract_on_a_clock_of_the_test() {
    let report = Suite::new().check(async || Memory::moved_by_hand()).unwrap();
    assert!(report.conforms(), "{report}");
    assert_eq!(report.left_out(), ["restarts: the backend promises no durability"]);
}

#[test]
fn memory_keeps_to_the_contract_on_the_machines_clock() {
    let report = Suite::new().check(async || Memory::on_the_machines_clock()).unwrap();
    assert!(report.conforms(), "{report}");
    let waits = "the end of a sign of life: the store's clock cannot be moved";
    assert_eq!(report.left_out(), [waits, "restarts: the backend promises no durability"]);
}

#[test]
fn memory_keeps_integrations_to_the_contract_on_a_clock_of_the_test() {
    let report = Suite::new().check_partner(async || Memory::moved_by_hand()).unwrap();
    assert!(report.conforms(), "{report}");
    assert_eq!(report.left_out(), ["restarts: the backend promises no durability"]);
}

#[test]
fn memory_keeps_integrations_to_the_contract_on_the_machines_clock() {
    let report = Suite::new().check_partner(async || Memory::on_the_machines_clock()).unwrap();
    assert!(report.conforms(), "{report}");
    assert_eq!(report.left_out(), ["restarts: the backend promises no durability"]);
}
