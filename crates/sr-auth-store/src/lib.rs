//! Where grants rest.
//!
//! A [`Backend`] carries out the operations of [`sr_auth_core::store`], each as one atomic step, on
//! values that it cannot read. A [`Store`] stands before it: it seals every token on the way in and
//! opens it on the way out. Machines and drivers talk to a [`Store`] only.
//!
//! | backend | for | keeps what it was told |
//! |---|---|---|
//! | [`MemoryBackend`] | tests, client credentials, API keys | until the process ends |
//! | `PostgresBackend` (feature `postgres`) | many machines | over a loss of power, as the server says |
//! | `RedisBackend` (feature `redis`) | many machines | as the server proves, else until it ends |
//! | `SqliteBackend` (feature `sqlite`) | one machine, several processes | over a loss of power |
//!
//! # Examples
//!
//! ```
//! use sr_auth_core::store::{GrantKey, StoreOp, StoreOutcome};
//! use sr_auth_store::{Durability, Store};
//!
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! let store = Store::in_memory()?;
//! let key = GrantKey::new("planner/acme")?;
//! let answer = store.apply(StoreOp::Load { key }).await?;
//! assert_eq!(answer.outcome.name(), "Missing");
//! assert_eq!(store.durability(), Durability::Volatile);
//! # Ok(())
//! # }
//! # tokio::runtime::Builder::new_current_thread().build()?.block_on(run())?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod backend;
mod clock;
mod error;
mod memory;
#[cfg(feature = "postgres")]
mod postgres;
mod random;
#[cfg(feature = "redis")]
mod redis;
mod seal;
mod spool;
#[cfg(feature = "sqlite")]
mod sqlite;
mod store;
#[cfg(any(feature = "postgres", feature = "redis", feature = "sqlite"))]
mod stored;
#[cfg(any(feature = "postgres", feature = "redis"))]
mod tls;

pub use backend::{Backend, Durability};
pub use error::{
    BackendError, BackendFault, HandOverError, HoldError, ImportError, KeyError, KeyFault,
    SealError, SealFault, SpoolError, StoreError,
};
pub use memory::MemoryBackend;
#[cfg(feature = "postgres")]
pub use postgres::{PostgresBackend, PostgresBuilder};
#[cfg(feature = "redis")]
pub use redis::{RedisBackend, RedisBuilder};
pub use seal::{KeyId, KeyService, Sealed, SealingKey, SealingKeys};
#[cfg(feature = "sqlite")]
pub use sqlite::{SqliteBackend, SqliteBuilder};
pub use store::{HandOver, Import, Incoming, Replay, Store};

#[cfg(doctest)]
#[cfg(all(feature = "postgres", feature = "redis"))]
#[doc = include_str!("../../../docs/guide/fleet.md")]
struct FleetGuide;

#[cfg(doctest)]
#[cfg(all(feature = "sqlite", unix))]
#[doc = include_str!("../../../docs/guide/stores.md")]
struct StoresGuide;
