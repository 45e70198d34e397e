//! Grants in PostgreSQL: many machines.
//!
//! ```text
//!  connect    addresses, TLS, the pool
//!  schema     tables and functions, and which version they are (schema.sql, late.sql)
//!  statement  an operation as one statement with its parameters
//!  answer     what a statement returned
//!  partner    the same for integrations (partner.sql)
//!  fault      errors of the server and of the connection, and whether anything was changed
//! ```

mod answer;
mod connect;
mod fault;
#[cfg(feature = "partner")]
mod partner;
mod schema;
mod statement;

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use deadpool_postgres::{Object, Pool};
use sr_auth_core::lifecycle::StoreFailure;
use sr_auth_core::store::{StoreAnswer, StoreOp};
use sr_auth_core::{Secret, Timestamp};
#[cfg(feature = "partner")]
use sr_partner::store::{PartnerAnswer, PartnerOp};
use tokio::time::timeout;
use tokio_postgres::Row;

use crate::clock::Highest;
use crate::stored::call::VALUE_LIMIT;
use crate::{Backend, BackendError, BackendFault, Durability, Sealed};
use connect::Settings;
use fault::Trouble;
use schema::Schema;
use statement::Statement;

/// Keeps grants in PostgreSQL, for processes on many machines.
///
/// - Each operation is one statement, with no name, in a transaction of its own: one round trip, no
///   state in a session, no lock that outlives it. So it works through a pooler in transaction mode,
///   such as PgBouncer, of any version.
/// - An operation that changes something is answered when it is on the disk of the server, and of
///   the standby where there is a synchronous one, whatever `synchronous_commit` is set to.
/// - The store's clock is the server's. It never goes back for a process, and never before a sign of
///   life; keep it in step by slewing, since a clock that is set forward ends quiet periods early.
/// - The connections of a process are few, shared, and opened again when they are lost. An operation
///   whose connection is lost under way has an outcome that nobody knows.
///
/// Connections to other machines are encrypted, and the server's certificate is verified.
///
/// A server with `fsync = off` promises nothing: this backend is [`Durability::Volatile`] then.
///
/// # Examples
///
/// ```no_run
/// use sr_auth_core::Secret;
/// use sr_auth_store::{PostgresBackend, SealingKeys, Store};
///
/// # async fn run() -> Result<(), Box<dyn std::error::Error>> {
/// let address = Secret::new("postgres://planner:password@db.example.com/planner".to_owned());
/// let backend = PostgresBackend::open(&address).await?;
/// let keys = SealingKeys::from_file("/etc/planner/keys".as_ref())?;
/// // A successor is on the local disk while its commit travels.
/// let store = Store::new(backend, keys).with_spool("/var/lib/planner/spool".as_ref())?;
/// # drop(store);
/// # Ok(())
/// # }
/// ```
pub struct PostgresBackend {
    answer_within: Duration,
    durability: Durability,
    highest: Highest,
    pool: Pool,
    schema: Schema,
}

impl PostgresBackend {
    /// The longest sealed value that is kept, in bytes: many times the longest answer of a token
    /// endpoint that is read.
    pub const VALUE_LIMIT: usize = VALUE_LIMIT;

    /// Opens a store in the schema `sr_auth` of a database, and makes it if there is none.
    ///
    /// The address is a URL, or pairs of key and value, as `psql` takes them.
    ///
    /// # Errors
    ///
    /// As [`PostgresBuilder::open`].
    pub async fn open(address: &Secret) -> Result<Self, BackendError> {
        Self::builder(address)?.open().await
    }

    /// Begins to open a store with other settings.
    ///
    /// # Errors
    ///
    /// [`BackendFault::Misconfigured`] for an address that cannot be read.
    pub fn builder(address: &Secret) -> Result<PostgresBuilder, BackendError> {
        let settings = Settings::parse(address)?;
        Ok(PostgresBuilder { has_to_exist: false, schema: Schema::default(), settings })
    }

    /// Carries out a statement, and returns its rows.
    async fn run(&self, statement: &Statement) -> Result<Vec<Row>, BackendError> {
        let client = self.pool.get().await.map_err(fault::of_pool)?;
        let outcome = timeout(self.answer_within, ask(client, statement)).await;
        let trouble = match outcome {
            Ok(Ok(rows)) => return Ok(rows),
            Ok(Err(trouble)) => trouble,
            Err(_late) => Trouble::Late,
        };
        Err(trouble.after_sending(statement.is_read()))
    }
}

/// Carries out a statement over a connection that nobody else uses meanwhile, nor afterwards unless
/// the whole answer came.
async fn ask(client: Object, statement: &Statement) -> Result<Vec<Row>, Trouble> {
    let mut owing = Owing(None);
    let rows = statement.run(owing.0.insert(client)).await?;
    // Back to the pool.
    drop(owing.0.take());
    Ok(rows)
}

/// A connection that may owe an answer, also to one who has stopped waiting: it is closed.
///
/// A second statement behind the first would be answered to the right one here, but not by a pooler:
/// PgBouncer 1.18 takes the server's session for free when the first is answered, and if this process
/// dies then, whoever is served next is told the answer to the second.
struct Owing(Option<Object>);

impl Drop for Owing {
    fn drop(&mut self) {
        drop(self.0.take().map(Object::take));
    }
}

#[async_trait]
impl Backend for PostgresBackend {
    async fn apply(&self, op: StoreOp<Sealed>) -> Result<StoreAnswer<Sealed>, BackendError> {
        let not_before = self.highest.at_least(Timestamp::EPOCH);
        let statement = Statement::of(&self.schema, not_before, &op)?;
        let rows = self.run(&statement).await?;
        let answer = answer::read(&op, &rows).map_err(|_| corrupted(statement.is_read()))?;
        // What is asked from now on is carried out no earlier. Answers that travel at the same time
        // keep their own moments, which stand in the records.
        self.highest.at_least(answer.now);
        Ok(answer)
    }

    #[cfg(feature = "partner")]
    async fn apply_partner(
        &self,
        op: PartnerOp<Sealed>,
    ) -> Result<PartnerAnswer<Sealed>, BackendError> {
        let not_before = self.highest.at_least(Timestamp::EPOCH);
        let statement = partner::statement(&self.schema, not_before, &op)?;
        let rows = self.run(&statement).await?;
        let answer = partner::read(&op, &rows).map_err(|_| corrupted(statement.is_read()))?;
        // As above.
        self.highest.at_least(answer.now);
        Ok(answer)
    }

    fn durability(&self) -> Durability {
        self.durability
    }
}

/// An answer that cannot be read, to an operation that may have changed something.
const fn corrupted(is_read: bool) -> BackendError {
    let failure = if is_read { StoreFailure::NotDone } else { StoreFailure::OutcomeUnknown };
    BackendError::new(BackendFault::Corrupted, failure)
}

impl fmt::Debug for PostgresBackend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresBackend")
            .field("durability", &self.durability)
            .field("schema", &self.schema)
            .finish_non_exhaustive()
    }
}

/// Opens a [`PostgresBackend`] with settings of its own.
#[must_use = "nothing is opened before `open`"]
pub struct PostgresBuilder {
    has_to_exist: bool,
    schema: Schema,
    settings: Settings,
}

impl PostgresBuilder {
    /// Sets how long an answer may take: 10 s unless set. An operation that takes longer has an
    /// outcome that nobody knows.
    pub const fn answer_within(mut self, span: Duration) -> Self {
        self.settings.answer_within = span;
        self
    }

    /// Sets how long to wait for a connection, whether it is to be opened or is in use: 5 s unless
    /// set.
    pub const fn connect_within(mut self, span: Duration) -> Self {
        self.settings.connect_within = span;
        self
    }

    /// Sets how many connections there are at most: 8 unless set, and at least one.
    ///
    /// A connection carries out one operation at a time; with a millisecond for each, eight carry
    /// out some thousands in a second.
    pub fn connections(mut self, count: usize) -> Self {
        self.settings.connections = count.max(1);
        self
    }

    /// Makes no store and changes none: where there is none, opening fails with
    /// [`BackendFault::NotAStore`], and one of an older version stays one. For tools of an operator, whose
    /// slip of the pen must leave nothing behind.
    pub const fn existing_only(mut self) -> Self {
        self.has_to_exist = true;
        self
    }

    /// Trusts these certificate authorities, in PEM form, and no others: for a server whose
    /// certificate is not of a public one.
    pub fn root_certificates(mut self, pem: &[u8]) -> Self {
        self.settings.root_certificates = Some(pem.to_vec());
        self
    }

    /// Sets the schema in which the store is: `sr_auth` unless set.
    ///
    /// # Errors
    ///
    /// [`BackendFault::Misconfigured`] for a name that is not made of at most 63 small letters,
    /// digits and underscores, or begins with a digit.
    pub fn schema(self, name: &str) -> Result<Self, BackendError> {
        Ok(Self { schema: Schema::new(name)?, ..self })
    }

    /// Opens the store.
    ///
    /// Tables and functions are made if there are none, which needs the right to create a schema;
    /// afterwards the right to use them is enough.
    ///
    /// # Errors
    ///
    /// [`BackendError`] with [`Unreachable`](BackendFault::Unreachable),
    /// [`Untrusted`](BackendFault::Untrusted), [`Refused`](BackendFault::Refused),
    /// [`ReadOnly`](BackendFault::ReadOnly), [`NotAStore`](BackendFault::NotAStore),
    /// [`Incompatible`](BackendFault::Incompatible) or what else the server says.
    pub async fn open(self) -> Result<PostgresBackend, BackendError> {
        let Self { has_to_exist, schema, settings } = self;
        let pool = settings.pool()?;
        let open = async {
            let client = pool.get().await.map_err(fault::of_pool)?;
            schema::prepare(&client, &schema, has_to_exist).await
        };
        let durability = timeout(settings.answer_within, open).await;
        let durability = durability.unwrap_or_else(|_| Err(Trouble::Late.after_sending(true)))?;
        Ok(PostgresBackend {
            answer_within: settings.answer_within,
            durability,
            highest: Highest::default(),
            pool,
            schema,
        })
    }
}

impl fmt::Debug for PostgresBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresBuilder").field("schema", &self.schema).finish_non_exhaustive()
    }
}
