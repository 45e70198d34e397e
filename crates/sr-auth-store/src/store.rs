//! The store that machines and drivers talk to.

mod hand_over;
mod hold;
mod import;
mod keyring;
#[cfg(feature = "partner")]
mod partner;
mod replay;
mod reseal;

use std::path::Path;
use std::sync::Arc;

use sr_auth_core::store::{Renewal, StoreAnswer, StoreOp, StoreOutcome};
use sr_auth_core::{Fingerprint, Secret, Timestamp};

use crate::seal::{open_answer, seal_op};
use crate::spool::{Entry, Spool};
use crate::{
    Backend, BackendError, Durability, KeyError, KeyService, MemoryBackend, SealFault, Sealed,
    SealingKeys, SpoolError, StoreError,
};
pub use hand_over::HandOver;
pub use import::{Import, Incoming};
use keyring::Keyring;
pub use replay::Replay;

/// A backend behind a seal.
///
/// Each token is sealed before it reaches the backend, bound to its grant, its field, its
/// fingerprint and the generation under which it is written, so that neither rows nor fields can be
/// swapped. A clone is cheap and is the same store.
///
/// A grant whose refresh token works once is refused by a store that may forget, unless that was
/// [accepted](Self::accept_volatile).
#[derive(Clone, Debug)]
pub struct Store {
    accepts_volatile: bool,
    backend: Arc<dyn Backend>,
    keys: Arc<Keyring>,
    spool: Option<Arc<Spool>>,
}

impl Store {
    /// Puts a seal before a backend.
    #[must_use]
    pub fn new(backend: impl Backend + 'static, keys: SealingKeys) -> Self {
        Self::with(backend, Keyring::fixed(keys))
    }

    /// Puts a seal before a backend, with keys of a service.
    ///
    /// # Errors
    ///
    /// [`KeyError`] when the service gives none.
    pub async fn with_key_service(
        backend: impl Backend + 'static,
        service: impl KeyService + 'static,
    ) -> Result<Self, KeyError> {
        Ok(Self::with(backend, Keyring::of_service(Arc::new(service)).await?))
    }

    fn with(backend: impl Backend + 'static, keys: Keyring) -> Self {
        let (backend, keys) = (Arc::new(backend), Arc::new(keys));
        Self { accepts_volatile: false, backend, keys, spool: None }
    }

    /// Makes an empty store in memory, sealed under a key of its own.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the operating system gives no random bytes.
    pub fn in_memory() -> Result<Self, StoreError> {
        Self::on_memory(MemoryBackend::new())
    }

    /// Makes an empty store in memory on a clock of the application.
    ///
    /// # Errors
    ///
    /// As [`in_memory`](Self::in_memory).
    pub fn in_memory_with_clock(
        clock: impl Fn() -> Timestamp + Send + Sync + 'static,
    ) -> Result<Self, StoreError> {
        Self::on_memory(MemoryBackend::with_clock(clock))
    }

    fn on_memory(backend: Result<MemoryBackend, BackendError>) -> Result<Self, StoreError> {
        Ok(Self::new(backend?, SealingKeys::random()?))
    }

    /// Takes grants whose refresh token works once even if the backend may forget them: for tests
    /// and demonstrations, and for a backend that is durable in a way that it cannot know.
    #[must_use]
    pub fn accept_volatile(self) -> Self {
        Self { accepts_volatile: true, ..self }
    }

    /// Keeps successors, and the credentials of companies that were just connected, in a folder of
    /// the local disk while their commit travels: for a backend that is elsewhere, which may be out
    /// of reach when the process dies. The folder is made if there is
    /// none; what was left there is offered again by [`replay`](Self::replay).
    ///
    /// A commit never waits for it. When the disk is full, the successor rests in memory until the
    /// store has it, as without a spool, and [`spool_trouble`](Self::spool_trouble) tells.
    ///
    /// # Errors
    ///
    /// [`SpoolError`] when the folder cannot be used, or others may open it.
    pub fn with_spool(self, folder: &Path) -> Result<Self, SpoolError> {
        Ok(Self { spool: Some(Arc::new(Spool::open(folder)?)), ..self })
    }

    /// Returns why the last successor could not be written to the spool; `None` when it could.
    #[must_use]
    pub fn spool_trouble(&self) -> Option<SpoolError> {
        self.spool.as_ref().and_then(|it| it.trouble())
    }

    /// Tells what an answer is worth after a crash.
    #[must_use]
    pub fn durability(&self) -> Durability {
        self.backend.durability()
    }

    /// Tells whether it takes grants whose refresh token works once.
    #[must_use]
    pub fn takes_single_use(&self) -> bool {
        self.accepts_volatile || self.durability() == Durability::Durable
    }

    /// Carries out one operation.
    ///
    /// A future that is dropped leaves the operation undone or done.
    ///
    /// # Errors
    ///
    /// [`StoreError`], which says whether the operation was certainly not carried out.
    pub async fn apply(&self, op: StoreOp<Secret>) -> Result<StoreAnswer<Secret>, StoreError> {
        self.check_durability(&op)?;
        let key = op.key().cloned();
        let is_load = matches!(op, StoreOp::Load { .. });
        let sealed = seal_op(&self.keys.now(), op)?;
        let brings = key.as_ref().zip(refresh_of(&sealed));
        if let (Some(spool), Some(entry)) = (&self.spool, entry_of(&sealed)) {
            spool.keep(&entry);
        }
        let answer = self.backend.apply(sealed).await?;
        if let (Some(spool), Some((key, refresh)), StoreOutcome::Done(_)) =
            (&self.spool, brings, &answer.outcome)
        {
            spool.settle(key, refresh);
        }
        let opening = if is_load { StoreError::Seal } else { StoreError::Opening };
        // Another process may have begun to seal under a newer key, which only a service can tell.
        let again = self.keys.is_of_service().then(|| answer.clone());
        match (open_answer(&self.keys.now(), key.as_ref(), answer), again) {
            (Err(error), Some(answer)) if matches!(error.fault(), SealFault::UnknownKey(_)) => {
                let keys = self.keys.asked_again().await;
                open_answer(&keys, key.as_ref(), answer).map_err(opening)
            }
            (opened, _) => opened.map_err(opening),
        }
    }

    /// Refuses what works once in a store that may forget it. A successor is never refused: it
    /// exists already.
    fn check_durability(&self, op: &StoreOp<Secret>) -> Result<(), StoreError> {
        let begins_single_use = match op {
            StoreOp::Adopt { grant, .. } => grant.renewal == Renewal::SingleUse,
            // Client credentials have no token to name.
            StoreOp::Arm { intent, .. } => intent.fingerprint.is_some(),
            StoreOp::Bury { .. }
            | StoreOp::Commit { .. }
            | StoreOp::Disarm { .. }
            | StoreOp::Due { .. }
            | StoreOp::End { .. }
            | StoreOp::Escrow { .. }
            | StoreOp::Load { .. }
            | StoreOp::Pulse { .. } => false,
        };
        if begins_single_use && !self.takes_single_use() {
            Err(StoreError::Volatile)
        } else {
            Ok(())
        }
    }
}

/// Returns what is to be spooled of an operation.
fn entry_of(op: &StoreOp<Sealed>) -> Option<Entry> {
    match op {
        StoreOp::Commit { generation, key, owner, successor } => {
            Entry::of_commit(key, *generation, *owner, successor)
        }
        StoreOp::Adopt { .. }
        | StoreOp::Arm { .. }
        | StoreOp::Bury { .. }
        | StoreOp::Disarm { .. }
        | StoreOp::Due { .. }
        | StoreOp::End { .. }
        | StoreOp::Escrow { .. }
        | StoreOp::Load { .. }
        | StoreOp::Pulse { .. } => None,
    }
}

/// Returns the refresh token that is durable when an operation is done.
fn refresh_of<V>(op: &StoreOp<V>) -> Option<Fingerprint> {
    let token = match op {
        StoreOp::Adopt { grant, .. } => grant.refresh.as_ref(),
        StoreOp::Commit { successor, .. } => successor.refresh.as_ref(),
        StoreOp::Escrow { sibling, .. } => Some(&sibling.token),
        StoreOp::Arm { .. }
        | StoreOp::Bury { .. }
        | StoreOp::Disarm { .. }
        | StoreOp::Due { .. }
        | StoreOp::End { .. }
        | StoreOp::Load { .. }
        | StoreOp::Pulse { .. } => None,
    };
    token.map(|it| it.fingerprint)
}
