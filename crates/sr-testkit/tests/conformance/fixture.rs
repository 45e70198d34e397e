//! A clock that tests move, and what broken backends have in common.

use std::fmt::Debug;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use sr_auth_core::Timestamp;
use sr_auth_core::store::StoreIdentity;
use sr_auth_store::{Backend, BackendError, MemoryBackend, SealingKey, SealingKeys, Store};
use sr_testkit::conformance::{Report, Rule, Subject, Suite, TrialError, Violation};

/// A clock that stands still unless it is moved.
#[derive(Clone, Debug)]
pub(crate) struct Hand(Arc<AtomicU64>);

impl Hand {
    pub(crate) fn new() -> Self {
        Self(Arc::new(AtomicU64::new(1_700_000_000_000)))
    }

    pub(crate) fn now(&self) -> Timestamp {
        Timestamp::from_unix_millis(self.0.load(Ordering::SeqCst))
    }

    pub(crate) fn advance(&self, span: Duration) {
        self.0.fetch_add(u64::try_from(span.as_millis()).unwrap(), Ordering::SeqCst);
    }
}

/// How many broken stores there are, which names each.
static STORES: AtomicU64 = AtomicU64::new(0);

/// Names a store.
pub(crate) fn identity() -> StoreIdentity {
    StoreIdentity(u128::from(STORES.fetch_add(1, Ordering::SeqCst)))
}

/// The keys that all tests seal with.
pub(crate) fn keys() -> SealingKeys {
    SealingKeys::new(SealingKey::from_bytes([3; 32]))
}

pub(crate) fn suite() -> Suite {
    Suite::new().with_sealing_keys(keys()).with_patience(Duration::from_secs(2))
}

/// A store with a defect.
pub(crate) trait Breakable: Send + Sync + 'static {
    fn connect(self: &Arc<Self>) -> Arc<dyn Backend>;

    fn restart(&self);

    fn raw_bytes(&self) -> Vec<u8>;

    fn hand(&self) -> &Hand;
}

/// A broken store, as the suite takes it.
pub(crate) struct Suspect<B>(pub(crate) Arc<B>);

#[async_trait]
impl<B: Breakable> Subject for Suspect<B> {
    async fn connect(&self) -> Result<Arc<dyn Backend>, TrialError> {
        Ok(self.0.connect())
    }

    async fn restart(&self) -> Result<(), TrialError> {
        self.0.restart();
        Ok(())
    }

    async fn raw_bytes(&self) -> Result<Vec<u8>, TrialError> {
        Ok(self.0.raw_bytes())
    }

    fn advance(&self, span: Duration) -> bool {
        self.0.hand().advance(span);
        true
    }
}

/// What is found first is said first, and names the rule.
#[track_caller]
pub(crate) fn assert_names(report: &Report, rule: Rule, defect: &dyn Debug) {
    let first = report.violations().first().map(Violation::rule);
    assert_eq!(first, Some(rule), "{defect:?}:\n{report}");
}

/// Somebody who holds the key and should not.
#[derive(Debug)]
pub(crate) struct Spy {
    pub(crate) backend: Arc<MemoryBackend>,
    pub(crate) store: Store,
}

impl Spy {
    pub(crate) fn new() -> Result<Self, BackendError> {
        let backend = Arc::new(MemoryBackend::new()?);
        let store = Store::new(Arc::clone(&backend), keys()).accept_volatile();
        Ok(Self { backend, store })
    }
}
