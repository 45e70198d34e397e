//! A store that lives as long as its process.

use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use sr_auth_core::Timestamp;
use sr_auth_core::lifecycle::StoreFailure;
use sr_auth_core::store::{Model, StoreAnswer, StoreIdentity, StoreOp};
#[cfg(feature = "partner")]
use sr_partner::store::{PartnerAnswer, PartnerModel, PartnerOp};

use crate::clock::{Clock, Highest};
use crate::{Backend, BackendError, BackendFault, Durability, Sealed, random};

/// The model of a store behind a lock: for tests, client credentials and API keys.
///
/// It is gone with its process, and with it whatever works once: see [`Durability::Volatile`].
#[derive(Debug)]
pub struct MemoryBackend {
    clock: Clock,
    highest: Highest,
    model: Mutex<Model<Sealed>>,
    #[cfg(feature = "partner")]
    partner: Mutex<PartnerModel<Sealed>>,
}

impl MemoryBackend {
    /// Makes an empty store on the machine's clock.
    ///
    /// # Errors
    ///
    /// [`BackendFault::NoRandomness`] when the operating system gives no random bytes for the
    /// identity of the store.
    pub fn new() -> Result<Self, BackendError> {
        Self::on(Clock::Wall)
    }

    /// Makes an empty store on a clock of the application. One that is set back stands still until
    /// it has caught up.
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new).
    ///
    /// # Examples
    ///
    /// ```
    /// use std::sync::Arc;
    /// use std::sync::atomic::{AtomicU64, Ordering};
    /// use sr_auth_core::Timestamp;
    /// use sr_auth_store::MemoryBackend;
    ///
    /// let secs = Arc::new(AtomicU64::new(0));
    /// let clock = Arc::clone(&secs);
    /// let backend =
    ///     MemoryBackend::with_clock(move || Timestamp::from_unix_secs(clock.load(Ordering::Relaxed)))?;
    /// secs.store(1_799, Ordering::Relaxed);
    /// # drop(backend);
    /// # Ok::<(), sr_auth_store::BackendError>(())
    /// ```
    pub fn with_clock(
        clock: impl Fn() -> Timestamp + Send + Sync + 'static,
    ) -> Result<Self, BackendError> {
        Self::on(Clock::given(clock))
    }

    fn on(clock: Clock) -> Result<Self, BackendError> {
        let random = random::bytes()
            .ok_or_else(|| BackendError::new(BackendFault::NoRandomness, StoreFailure::NotDone))?;
        let identity = StoreIdentity(u128::from_be_bytes(random));
        let model = Mutex::new(Model::new(identity));
        Ok(Self {
            clock,
            highest: Highest::default(),
            model,
            #[cfg(feature = "partner")]
            partner: Mutex::new(PartnerModel::new(identity)),
        })
    }
}

#[async_trait]
impl Backend for MemoryBackend {
    async fn apply(&self, op: StoreOp<Sealed>) -> Result<StoreAnswer<Sealed>, BackendError> {
        // The model changes a record as a whole, so a panic leaves nothing half done.
        let mut model = self.model.lock().unwrap_or_else(PoisonError::into_inner);
        // Under the lock, so that the order of the answers is that of their moments.
        let now = self.highest.at_least(self.clock.now());
        Ok(model.apply(now, op))
    }

    #[cfg(feature = "partner")]
    async fn apply_partner(
        &self,
        op: PartnerOp<Sealed>,
    ) -> Result<PartnerAnswer<Sealed>, BackendError> {
        // As above.
        let mut partner = self.partner.lock().unwrap_or_else(PoisonError::into_inner);
        let now = self.highest.at_least(self.clock.now());
        Ok(partner.apply(now, op))
    }

    fn durability(&self) -> Durability {
        Durability::Volatile
    }
}
