//! A store that does not take commits for a while.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use async_trait::async_trait;
use sr_auth_core::lifecycle::StoreFailure;
use sr_auth_core::store::{StoreAnswer, StoreOp};
use sr_auth_store::{
    Backend, BackendError, BackendFault, Durability, MemoryBackend, Sealed, SealingKeys, Store,
};

#[derive(Clone, Debug)]
pub(crate) struct Flaky {
    is_down: Arc<AtomicBool>,
    refused: Arc<AtomicUsize>,
}

impl Flaky {
    /// Makes a store, and the switch of it.
    pub(crate) fn new() -> (Self, Store) {
        let it = Self { is_down: Arc::default(), refused: Arc::default() };
        let backend = Switched { inner: MemoryBackend::new().unwrap(), switch: it.clone() };
        (it, Store::new(backend, SealingKeys::random().unwrap()).accept_volatile())
    }

    pub(crate) fn set_down(&self, is_down: bool) {
        self.is_down.store(is_down, Ordering::SeqCst);
    }

    pub(crate) fn refused(&self) -> usize {
        self.refused.load(Ordering::SeqCst)
    }
}

#[derive(Debug)]
struct Switched {
    inner: MemoryBackend,
    switch: Flaky,
}

#[async_trait]
impl Backend for Switched {
    async fn apply(&self, op: StoreOp<Sealed>) -> Result<StoreAnswer<Sealed>, BackendError> {
        let is_write = matches!(op, StoreOp::Adopt { .. } | StoreOp::Commit { .. });
        if is_write && self.switch.is_down.load(Ordering::SeqCst) {
            self.switch.refused.fetch_add(1, Ordering::SeqCst);
            return Err(BackendError::new(BackendFault::DiskFull, StoreFailure::NotDone));
        }
        self.inner.apply(op).await
    }

    fn durability(&self) -> Durability {
        self.inner.durability()
    }
}
