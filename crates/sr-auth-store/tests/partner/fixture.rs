//! A file to keep integrations in, and companies that are connected.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use sr_auth_core::store::{Generation, Sequence, StoreIdentity};
use sr_auth_core::{ClientId, ScopeSet, SecretDigest, Timestamp};
use sr_auth_store::{Backend, MemoryBackend, Sealed, SqliteBackend};
use sr_partner::store::{
    Integrated, NewAttempt, PartnerAnswer, PartnerOp, PartnerOutcome, Verified,
};
use sr_partner::{
    AppId, AttemptId, CompanyId, ExchangeId, IntegrationId, IntegrationKey, OutboundClient,
    TenantId,
};
use tempfile::TempDir;

/// A folder with a store in it, and a clock that stands until it is moved.
#[derive(Debug)]
pub(crate) struct Place {
    clock: Arc<AtomicU64>,
    folder: TempDir,
}

impl Place {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self { clock: Arc::new(AtomicU64::new(1_000)), folder }
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().join("grants.db")
    }

    pub(crate) fn open(&self) -> SqliteBackend {
        SqliteBackend::builder(&self.path()).clock(self.now()).open().unwrap()
    }

    /// Makes a store in memory on the same clock.
    pub(crate) fn memory(&self) -> MemoryBackend {
        MemoryBackend::with_clock(self.now()).unwrap()
    }

    pub(crate) fn set_clock(&self, secs: u64) {
        self.clock.store(secs, Ordering::Relaxed);
    }

    fn now(&self) -> impl Fn() -> Timestamp + Send + Sync + 'static {
        let clock = Arc::clone(&self.clock);
        move || Timestamp::from_unix_secs(clock.load(Ordering::Relaxed))
    }
}

pub(crate) fn key(company: &str) -> IntegrationKey {
    let company = CompanyId::new(company).unwrap();
    IntegrationKey { app: AppId::new("planner").unwrap(), company }
}

pub(crate) fn tenant(name: &str) -> TenantId {
    TenantId::new(name).unwrap()
}

/// The client that is invented for an attempt of a company.
pub(crate) fn client(key: &IntegrationKey, attempt: u8) -> OutboundClient {
    OutboundClient {
        id: ClientId::new(&format!("srp1-{}-{attempt}", key.company)).unwrap(),
        scopes: ScopeSet::parse("candidates_read interviews_read").unwrap(),
        secret: SecretDigest::from_bytes([attempt; 32]),
    }
}

pub(crate) fn new_attempt(key: &IntegrationKey, number: u8, seen: u64) -> NewAttempt {
    NewAttempt {
        exchange: ExchangeId::from_bytes([number; 16]),
        id: AttemptId::from_bytes([number; 16]),
        outbound: Some(client(key, number)),
        prepared_for: Duration::from_secs(60),
        rebind: None,
        seen: Generation::from_number(seen),
        tenant: tenant("acme"),
    }
}

/// The steps that connect a company that nobody has connected yet.
pub(crate) fn connect<V>(key: &IntegrationKey, number: u8, secret: V) -> [PartnerOp<V>; 4] {
    let attempt = AttemptId::from_bytes([number; 16]);
    [
        PartnerOp::Begin { attempt: new_attempt(key, number, 0), key: key.clone() },
        PartnerOp::Arm {
            attempt,
            exchange: ExchangeId::from_bytes([number; 16]),
            key: key.clone(),
            post: 1,
            provisional: Duration::from_secs(900),
            quiet: Duration::from_secs(135),
        },
        PartnerOp::Commit {
            attempt,
            confirm_within: Duration::from_secs(86_400),
            generation: Generation::from_number(1),
            integrated: integrated(secret),
            key: key.clone(),
        },
        PartnerOp::Activate { attempt, key: key.clone(), verified: Verified::ByProbe },
    ]
}

pub(crate) fn integrated<V>(secret: V) -> Integrated<V> {
    Integrated {
        client_id: ClientId::new("82e4").unwrap(),
        integration: Some(IntegrationId::new("7cbc").unwrap()),
        secret,
    }
}

pub(crate) fn apply(backend: &dyn Backend, op: PartnerOp<Sealed>) -> PartnerAnswer<Sealed> {
    wait(backend.apply_partner(op)).unwrap()
}

pub(crate) fn identity(backend: &dyn Backend) -> StoreIdentity {
    let outcome = apply(backend, PartnerOp::Pulse { since: Sequence(0) }).outcome;
    let PartnerOutcome::News(news) = outcome else { panic!("a pulse is answered with news") };
    news.store
}

/// Waits for what is tried in a runtime of its own.
pub(crate) fn wait<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}
