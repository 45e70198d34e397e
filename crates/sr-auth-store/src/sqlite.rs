//! Grants in a SQLite file: one machine, several processes.
//!
//! ```text
//!  file        who may open it
//!  connection  one connection: settings, checks, schema
//!  schema      tables and migrations
//!  moment      the store's clock, which never goes back
//!  row         a record as a row of the table `rotation`
//!  operation   what an operation reads and writes
//!  partner     the same for integrations (feature `partner`)
//!  worker      the threads: one that writes, and commits waiting operations together; one that reads
//!  fault       errors of SQLite, and whether anything was changed
//! ```

mod connection;
mod fault;
mod file;
mod moment;
mod operation;
#[cfg(feature = "partner")]
mod partner;
mod row;
mod schema;
mod worker;

use std::path::{Path, PathBuf};
use std::time::Duration;

use async_trait::async_trait;
use sr_auth_core::Timestamp;
use sr_auth_core::store::{StoreAnswer, StoreOp};
#[cfg(feature = "partner")]
use sr_partner::store::{PartnerAnswer, PartnerOp};

use crate::clock::Clock;
use crate::{Backend, BackendError, Durability, Sealed};
use connection::Settings;
use worker::Workers;

/// Keeps grants in a SQLite file, durably, for several processes of one machine.
///
/// - An operation that changes something is answered when its transaction is synced to the disk.
///   Operations that wait at the same time are committed together, with one sync.
/// - Reading needs no sync and does not wait for writers.
/// - Processes share the file; a transaction waits for another's for at most the busy timeout.
/// - The store's clock never goes back, and goes on at its pace when somebody sets the clock of the
///   machine: on Linux it counts from the start of the system.
///
/// The file is for local disks: what a network file system says about locks and syncs is not to be
/// relied on. It holds sealed tokens, fingerprints, keys of grants and moments; only its owner may
/// open it.
///
/// A future that is dropped does not take its operation back. Dropping the backend ends what waits
/// and closes the file.
///
/// # Examples
///
/// ```
/// use sr_auth_core::store::{GrantKey, StoreOp};
/// use sr_auth_store::{Durability, SealingKeys, SqliteBackend, Store};
///
/// # async fn run() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("grants.db");
/// let backend = SqliteBackend::open(&path)?;
/// // Keys of a real store come from elsewhere: `SealingKeys::from_file`.
/// let store = Store::new(backend, SealingKeys::random()?);
/// assert_eq!(store.durability(), Durability::Durable);
/// let answer = store.apply(StoreOp::Load { key: GrantKey::new("planner/acme")? }).await?;
/// assert_eq!(answer.outcome.name(), "Missing");
/// # Ok(())
/// # }
/// # tokio::runtime::Builder::new_current_thread().build()?.block_on(run())?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct SqliteBackend {
    path: PathBuf,
    workers: Workers,
}

impl SqliteBackend {
    /// Opens a store, and makes it if there is none.
    ///
    /// It reads and checks the whole file, so it takes its time; call it at the start.
    ///
    /// # Errors
    ///
    /// [`BackendError`] with
    /// [`MissingFolder`](crate::BackendFault::MissingFolder),
    /// [`OpenToOthers`](crate::BackendFault::OpenToOthers),
    /// [`ReadOnly`](crate::BackendFault::ReadOnly),
    /// [`NotAStore`](crate::BackendFault::NotAStore),
    /// [`Incompatible`](crate::BackendFault::Incompatible),
    /// [`Corrupted`](crate::BackendFault::Corrupted) or what else the disk says.
    pub fn open(path: &Path) -> Result<Self, BackendError> {
        Self::builder(path).open()
    }

    /// Begins to open a store with other settings.
    pub fn builder(path: &Path) -> SqliteBuilder {
        SqliteBuilder { clock: None, path: path.to_owned(), settings: Settings::default() }
    }

    /// Returns the path of the file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

#[async_trait]
impl Backend for SqliteBackend {
    async fn apply(&self, op: StoreOp<Sealed>) -> Result<StoreAnswer<Sealed>, BackendError> {
        self.workers.apply(op).await
    }

    #[cfg(feature = "partner")]
    async fn apply_partner(
        &self,
        op: PartnerOp<Sealed>,
    ) -> Result<PartnerAnswer<Sealed>, BackendError> {
        self.workers.apply(op).await
    }

    fn durability(&self) -> Durability {
        Durability::Durable
    }
}

/// Opens a [`SqliteBackend`] with settings of its own.
#[derive(Clone, Debug)]
#[must_use = "nothing is opened before `open`"]
pub struct SqliteBuilder {
    clock: Option<Clock>,
    path: PathBuf,
    settings: Settings,
}

impl SqliteBuilder {
    /// Sets how long to wait for another process: 5 s unless set.
    pub fn busy_timeout(mut self, timeout: Duration) -> Self {
        self.settings.busy_timeout = timeout;
        self
    }

    /// Sets a clock of the application, for tests. One that is set back stands still until it has
    /// caught up, in all processes that share the file.
    pub fn clock(self, clock: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        Self { clock: Some(Clock::given(clock)), ..self }
    }

    /// Sets how large the file may become, in bytes. A store that is full answers
    /// [`DiskFull`](crate::BackendFault::DiskFull).
    pub fn size_limit(mut self, bytes: u64) -> Self {
        self.settings.size_limit = Some(bytes);
        self
    }

    /// Opens the store.
    ///
    /// # Errors
    ///
    /// As [`SqliteBackend::open`].
    pub fn open(self) -> Result<SqliteBackend, BackendError> {
        let workers = Workers::start(&self.path, self.settings, self.clock)?;
        Ok(SqliteBackend { path: self.path, workers })
    }
}
