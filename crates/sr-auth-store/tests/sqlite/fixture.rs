//! A file to keep grants in, and operations to apply to it.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use sr_auth_core::store::{
    Generation, GrantKey, IntentId, NewGrant, NewIntent, OwnerId, Record, Renewal, Sequence,
    StoreAnswer, StoreOp, StoreOutcome, StoredToken, Successor,
};
use sr_auth_core::{Fingerprint, Timestamp};
use sr_auth_store::{Backend as _, BackendError, Sealed, SqliteBackend, SqliteBuilder};
use tempfile::TempDir;

/// A folder with a store in it, and a clock that stands until it is moved.
#[derive(Debug)]
pub(crate) struct Place {
    pub(crate) folder: TempDir,
    pub(crate) clock: Arc<AtomicU64>,
}

impl Place {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self { clock: Arc::new(AtomicU64::new(1_000)), folder }
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().join("grants.db")
    }

    /// Begins to open the store on the clock of the test.
    pub(crate) fn builder(&self) -> SqliteBuilder {
        let clock = Arc::clone(&self.clock);
        let now = move || Timestamp::from_unix_secs(clock.load(Ordering::Relaxed));
        SqliteBackend::builder(&self.path()).clock(now)
    }

    pub(crate) fn open(&self) -> SqliteBackend {
        self.builder().open().unwrap()
    }

    pub(crate) fn set_clock(&self, secs: u64) {
        self.clock.store(secs, Ordering::Relaxed);
    }
}

pub(crate) fn key(text: &str) -> GrantKey {
    GrantKey::new(text).unwrap()
}

pub(crate) fn owner(number: u8) -> OwnerId {
    OwnerId::new(u128::from(number))
}

/// A sealed token that is as long as a real one.
pub(crate) fn token(number: u8) -> StoredToken<Sealed> {
    StoredToken {
        ends_at: Timestamp::from_unix_secs(9_000 + u64::from(number)),
        fingerprint: Fingerprint::from_bytes([number; 16]),
        renew_at: Timestamp::from_unix_secs(5_000 + u64::from(number)),
        value: Sealed::from_bytes(vec![number; 120]),
    }
}

pub(crate) fn adopt(key: &GrantKey, number: u8) -> StoreOp<Sealed> {
    let (access, refresh) = (Some(token(number)), Some(token(number)));
    let grant = NewGrant { access, refresh, renewal: Renewal::SingleUse };
    StoreOp::Adopt { grant, key: key.clone(), only_if_missing: false }
}

pub(crate) fn arm(key: &GrantKey, generation: u64, id: IntentId) -> StoreOp<Sealed> {
    let fingerprint = Some(Fingerprint::from_bytes([1; 16]));
    StoreOp::Arm {
        generation: Generation::from_number(generation),
        intent: NewIntent { fingerprint, id, quiet: Duration::from_secs(135) },
        key: key.clone(),
        over: None,
    }
}

pub(crate) fn commit(
    key: &GrantKey,
    generation: u64,
    owner: OwnerId,
    number: u8,
) -> StoreOp<Sealed> {
    let generation = Generation::from_number(generation);
    let successor = Successor { access: Some(token(number)), refresh: Some(token(number)) };
    StoreOp::Commit { generation, key: key.clone(), owner, successor }
}

pub(crate) fn load(key: &GrantKey) -> StoreOp<Sealed> {
    StoreOp::Load { key: key.clone() }
}

pub(crate) fn pulse(alive: bool, since: u64) -> StoreOp<Sealed> {
    StoreOp::Pulse { alive, owner: owner(9), since: Sequence(since) }
}

pub(crate) async fn apply(
    backend: &SqliteBackend,
    op: StoreOp<Sealed>,
) -> Result<StoreAnswer<Sealed>, BackendError> {
    backend.apply(op).await
}

pub(crate) async fn record(backend: &SqliteBackend, key: &GrantKey) -> Option<Record<Sealed>> {
    let outcome = apply(backend, load(key)).await.unwrap().outcome;
    if let StoreOutcome::Loaded(record) = outcome {
        return Some(record);
    }
    assert_eq!(outcome, StoreOutcome::Missing);
    None
}

/// Waits for what is tried in a runtime of its own.
pub(crate) fn wait<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}
