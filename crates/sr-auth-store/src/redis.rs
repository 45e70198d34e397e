//! Grants and integrations in Redis: many machines, and a durability that is asked for at each
//! operation.
//!
//! ```text
//!  connect  addresses, the connection, the script
//!  answer   what the script returned (script.lua, after common.lua)
//!  partner  the same for integrations (partner.lua)
//!  proof    whether the server writes to its disk before it answers
//!  fault    errors of the server and of the connection, and whether anything was changed
//! ```

mod answer;
mod connect;
mod fault;
#[cfg(feature = "partner")]
mod partner;
mod proof;

use std::fmt;
use std::time::Duration;

use ::redis::Value;
use async_trait::async_trait;
use sr_auth_core::lifecycle::StoreFailure;
use sr_auth_core::store::{StoreAnswer, StoreOp};
use sr_auth_core::{Secret, Timestamp};
#[cfg(feature = "partner")]
use sr_partner::store::{PartnerAnswer, PartnerOp};

use crate::clock::Highest;
use crate::stored::call::{Call, VALUE_LIMIT};
use crate::stored::moment;
use crate::{Backend, BackendError, BackendFault, Durability, Sealed};
use connect::{GRANTS, Link, Program, Settings};

/// Keeps grants in Redis 6 or newer, for processes on many machines.
///
/// - Each operation is one script, which the server runs alone: one round trip.
/// - The store's clock is the server's, and never goes back.
/// - A whole store is in one hash slot, so that what is due, what has changed and who lives are as of
///   the same moment as the grants.
///
/// **What it keeps.** With `appendonly yes`, `appendfsync always`, `no-appendfsync-on-rewrite no` and
/// `maxmemory-policy noeviction`, what was answered survives the end of the process and of the power:
/// the store is [`Durability::Durable`]. The server is asked for these settings again with every
/// operation that changes something, in the same round trip; if they are others by then, the
/// operation ends with [`BackendFault::NotDurable`], and its outcome counts as unknown. With any
/// other settings, and where the server does not tell, the store is [`Durability::Volatile`], and a
/// [`Store`](crate::Store) refuses grants whose refresh token works once.
///
/// None of this covers a fail-over: a replica may lack the last changes.
///
/// # Examples
///
/// ```no_run
/// use sr_auth_core::Secret;
/// use sr_auth_store::{Durability, RedisBackend, SealingKeys, Store};
///
/// # async fn run() -> Result<(), Box<dyn std::error::Error>> {
/// let address = Secret::new("rediss://planner:password@redis.example.com/".to_owned());
/// let store = Store::new(
///     RedisBackend::open(&address).await?,
///     SealingKeys::from_file("/etc/planner/keys".as_ref())?,
/// );
/// assert_eq!(store.durability(), Durability::Durable);
/// # Ok(())
/// # }
/// ```
pub struct RedisBackend {
    durability: Durability,
    highest: Highest,
    link: Link,
}

impl RedisBackend {
    /// The longest sealed value that is kept, in bytes: many times the longest answer of a token
    /// endpoint that is read.
    pub const VALUE_LIMIT: usize = VALUE_LIMIT;

    /// Opens the store `sr-auth` of a server, and makes it if there is none.
    ///
    /// # Errors
    ///
    /// As [`RedisBuilder::open`].
    pub async fn open(address: &Secret) -> Result<Self, BackendError> {
        Self::builder(address)?.open().await
    }

    /// Begins to open a store with other settings.
    ///
    /// # Errors
    ///
    /// [`BackendFault::Misconfigured`] for an address that cannot be read.
    pub fn builder(address: &Secret) -> Result<RedisBuilder, BackendError> {
        Ok(RedisBuilder { settings: Settings::parse(address)? })
    }

    /// Calls a script, and has the server prove that a change is on its disk.
    async fn call(
        &self,
        program: &Program,
        call: &Call,
        key: Option<&str>,
    ) -> Result<Value, BackendError> {
        let not_before = moment(self.highest.at_least(Timestamp::EPOCH));
        let has_to_prove = self.durability == Durability::Durable && !call.is_read;
        let (answer, told) = self.link.call(program, call, not_before, key, has_to_prove).await?;
        if has_to_prove && !proof::holds(&told) {
            let failure = StoreFailure::OutcomeUnknown;
            return Err(BackendError::new(BackendFault::NotDurable, failure));
        }
        Ok(answer)
    }
}

#[async_trait]
impl Backend for RedisBackend {
    async fn apply(&self, op: StoreOp<Sealed>) -> Result<StoreAnswer<Sealed>, BackendError> {
        let call = Call::of(&op)?;
        let value = self.call(&GRANTS, &call, op.key().map(|it| it.as_str())).await?;
        let answer = answer::read(&op, value).map_err(|_| corrupted(call.is_read))?;
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
        let call = Call::of_partner(&op)?;
        let value = self.call(&partner::INTEGRATIONS, &call, None).await?;
        let answer = partner::read(&op, value).map_err(|_| corrupted(call.is_read))?;
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

impl fmt::Debug for RedisBackend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisBackend")
            .field("durability", &self.durability)
            .field("link", &self.link)
            .finish_non_exhaustive()
    }
}

/// Opens a [`RedisBackend`] with settings of its own.
#[must_use = "nothing is opened before `open`"]
pub struct RedisBuilder {
    settings: Settings,
}

impl RedisBuilder {
    /// Goes without TLS to a server that is not on this machine: whoever is on the way sees which
    /// grants there are, and can undo what was written. A plain address is refused otherwise.
    pub const fn accept_plaintext(mut self) -> Self {
        self.settings.accepts_plaintext = true;
        self
    }

    /// Sets how long an answer may take: 5 s unless set. An operation that takes longer has an
    /// outcome that nobody knows.
    pub const fn answer_within(mut self, span: Duration) -> Self {
        self.settings.answer_within = span;
        self
    }

    /// Sets how long to wait for the connection: 5 s unless set.
    pub const fn connect_within(mut self, span: Duration) -> Self {
        self.settings.connect_within = span;
        self
    }

    /// Makes no store: where there is none, opening fails with [`BackendFault::NotAStore`]. For tools of
    /// an operator, whose slip of the pen must leave nothing behind.
    pub const fn existing_only(mut self) -> Self {
        self.settings.has_to_exist = true;
        self
    }

    /// Sets the name of the store, which all of its keys begin with: `sr-auth` unless set. Stores
    /// with other names are other stores, in other hash slots.
    ///
    /// # Errors
    ///
    /// [`BackendFault::Misconfigured`] for a name that is not made of at most 63 letters, digits,
    /// hyphens and underscores.
    pub fn name(mut self, name: &str) -> Result<Self, BackendError> {
        self.settings.set_name(name)?;
        Ok(self)
    }

    /// Trusts these certificate authorities, in PEM form, and no others: for a server whose
    /// certificate is not of a public one.
    pub fn root_certificates(mut self, pem: &[u8]) -> Self {
        self.settings.root_certificates = Some(pem.to_vec());
        self
    }

    /// Opens the store.
    ///
    /// For `rediss://`, where the program has chosen no cryptography for `rustls` yet, that of
    /// `aws-lc-rs` becomes its default.
    ///
    /// # Errors
    ///
    /// [`BackendError`] with [`Unreachable`](BackendFault::Unreachable),
    /// [`Untrusted`](BackendFault::Untrusted), [`Misconfigured`](BackendFault::Misconfigured) for a
    /// plain address elsewhere that was not accepted and for certificates that are none,
    /// [`Refused`](BackendFault::Refused), [`ReadOnly`](BackendFault::ReadOnly),
    /// [`NotAStore`](BackendFault::NotAStore), [`Incompatible`](BackendFault::Incompatible) or what
    /// else the server says.
    pub async fn open(self) -> Result<RedisBackend, BackendError> {
        let link = Link::open(self.settings).await?;
        let durability = proof::durability(&link).await?;
        Ok(RedisBackend { durability, highest: Highest::default(), link })
    }
}

impl fmt::Debug for RedisBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisBuilder").finish_non_exhaustive()
    }
}
