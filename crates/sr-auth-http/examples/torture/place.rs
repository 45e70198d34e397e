//! Where the grants rest: a file, or a server that is killed as well.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use sr_auth_core::Secret;
use sr_auth_store::{
    Backend, BackendError, BackendFault, PostgresBackend, RedisBackend, SqliteBackend,
};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;

use crate::Failure;

/// How often a store that is busy or down is tried again at the start.
const OPENINGS: u32 = 200;
/// How long to pause before the next time.
const PAUSE: Duration = Duration::from_millis(100);

/// A kind of store.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Kind {
    Postgres,
    Redis,
    Sqlite,
}

impl Kind {
    pub(crate) fn parse(name: &str) -> Option<Self> {
        [Self::Postgres, Self::Redis, Self::Sqlite].into_iter().find(|it| it.name() == name)
    }

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Postgres => "postgres",
            Self::Redis => "redis",
            Self::Sqlite => "sqlite",
        }
    }

    /// Tells whether it is a server.
    pub(crate) const fn is_remote(self) -> bool {
        !matches!(self, Self::Sqlite)
    }
}

/// A store of one run.
#[derive(Clone, Deserialize, Serialize)]
pub(crate) enum Place {
    /// Two addresses of one store: of the server, and of a pooler before it.
    Postgres {
        direct: String,
        pooled: String,
        schema: String,
    },
    Redis {
        address: String,
        name: String,
    },
    Sqlite(PathBuf),
}

impl std::fmt::Debug for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Postgres { .. } => "Place::Postgres",
            Self::Redis { .. } => "Place::Redis",
            Self::Sqlite(_) => "Place::Sqlite",
        })
    }
}

impl Place {
    /// Names a store that nobody has used.
    pub(crate) fn choose(kind: Kind, folder: &Path, random: u32) -> Result<Self, Failure> {
        let name = format!("torture_{random:08x}");
        Ok(match kind {
            Kind::Postgres => Self::Postgres {
                direct: variable("SR_AUTH_TEST_POSTGRES")?,
                pooled: variable("SR_AUTH_TEST_PGBOUNCER")?,
                schema: name,
            },
            Kind::Redis => Self::Redis { address: variable("SR_AUTH_TEST_REDIS")?, name },
            Kind::Sqlite => Self::Sqlite(folder.join("grants.db")),
        })
    }

    /// Opens the store, and waits while one that stands still holds its lock, or its server is down.
    /// Every other process goes through the pooler, where there is one.
    pub(crate) async fn open(
        &self,
        instance: u64,
        patience: Option<Duration>,
    ) -> Result<Arc<dyn Backend>, BackendError> {
        let mut tries = 0;
        loop {
            match self.open_once(instance, patience).await {
                Err(error) if is_for_now(&error) && tries < OPENINGS => tries += 1,
                outcome => return outcome,
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    async fn open_once(
        &self,
        instance: u64,
        patience: Option<Duration>,
    ) -> Result<Arc<dyn Backend>, BackendError> {
        Ok(match self {
            Self::Postgres { direct, pooled, schema } => {
                let address = if instance % 2 == 1 { pooled } else { direct };
                let mut builder = PostgresBackend::builder(&Secret::new(address.clone()))?;
                if let Some(span) = patience {
                    builder = builder.answer_within(span).connect_within(span);
                }
                Arc::new(builder.schema(schema)?.open().await?)
            }
            Self::Redis { address, name } => {
                let mut builder = RedisBackend::builder(&Secret::new(address.clone()))?;
                if let Some(span) = patience {
                    builder = builder.answer_within(span).connect_within(span);
                }
                Arc::new(builder.name(name)?.open().await?)
            }
            Self::Sqlite(path) => {
                let builder = SqliteBackend::builder(path);
                Arc::new(match patience {
                    Some(span) => builder.busy_timeout(span).open()?,
                    None => builder.open()?,
                })
            }
        })
    }
}

fn is_for_now(error: &BackendError) -> bool {
    matches!(error.fault(), BackendFault::Busy | BackendFault::Unreachable)
}

/// Kills the server of a store, has it lie down for a while, and starts it again.
pub(crate) async fn crash(kind: Kind, down_for: Duration) -> Result<(), Failure> {
    let mut stream = TcpStream::connect(variable("SR_AUTH_TEST_SERVERS")?).await?;
    let (input, mut output) = stream.split();
    let mut answers = BufReader::new(input).lines();
    for verb in ["kill", "start"] {
        output.write_all(format!("{verb} {}\n", kind.name()).as_bytes()).await?;
        let answer = answers.next_line().await?.ok_or("the servers are gone")?;
        if answer != "ok" {
            return Err(answer.into());
        }
        if verb == "kill" {
            tokio::time::sleep(down_for).await;
        }
    }
    Ok(())
}

fn variable(name: &str) -> Result<String, Failure> {
    let missing = || format!("{name} is not set: `cargo xtask torture` starts the servers");
    Ok(std::env::var(name).map_err(|_| missing())?)
}
