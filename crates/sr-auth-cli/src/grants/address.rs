//! Where the store of a service is: a file of this machine, or a server, whose address is a secret.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use sr_auth_core::Secret;
use sr_auth_store::{Backend, BackendError, PostgresBackend, RedisBackend, SqliteBackend};

use crate::exit::Failure;
use crate::secret_file;
use crate::secret_source::SecretName;
use crate::settings::given;

/// Names the store; with `_FILE` after it, the file that does.
const STORE: SecretName = SecretName { variable: "SR_AUTH_STORE", what: "address of the store" };

/// Which store is meant, if it is not that of the user's own grants.
#[derive(Args, Debug)]
#[command(next_help_heading = "Store of a service")]
pub(crate) struct StoreArguments {
    /// The SQLite file of a service; otherwise the store of your own grants [env: SR_AUTH_STORE]
    #[arg(long, value_name = "FILE", conflicts_with = "store_address_file")]
    store: Option<PathBuf>,
    /// A file (mode 0600) with the address of a service's store, postgres:// or rediss://
    /// [env: SR_AUTH_STORE has the address itself, SR_AUTH_STORE_FILE names its file]
    #[arg(long, value_name = "PATH")]
    store_address_file: Option<PathBuf>,
    /// The schema in PostgreSQL, or the name in Redis, if the service has set one
    /// [env: SR_AUTH_STORE_NAME]
    #[arg(long, value_name = "NAME")]
    store_name: Option<String>,
    /// A PEM file with the only certificate authorities to trust with that server
    /// [env: SR_AUTH_STORE_ROOT_CERTIFICATES]
    #[arg(long, value_name = "PATH")]
    store_root_certificates: Option<PathBuf>,
}

/// Where a store is.
#[derive(Clone, Debug)]
pub(crate) enum StoreAt {
    File(PathBuf),
    Postgres(Server),
    Redis(Server),
}

/// A server, and which of its stores is meant.
#[derive(Clone, Debug)]
pub(crate) struct Server {
    address: Secret,
    name: Option<String>,
    root_certificates: Option<Vec<u8>>,
}

/// What is to become of a store that is not there.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum IfAbsent {
    Make,
    Refuse,
}

impl StoreArguments {
    /// Returns the store that is named; `None` for that of the user's own grants.
    pub(crate) fn at(&self) -> Result<Option<StoreAt>, Failure> {
        if let Some(file) = &self.store {
            // What is typed is seen by others, and an address has a password.
            if file.to_string_lossy().contains("://") {
                return Err(Failure::usage(
                    "--store names a file: an address has a password, and is never an argument",
                    "set SR_AUTH_STORE, or use --store-address-file; \
                     if there was a real password in it, change it",
                ));
            }
            return Ok(Some(StoreAt::File(file.clone())));
        }
        let address = match &self.store_address_file {
            Some(path) => Some(secret_file::read(path)?),
            None => STORE.in_environment()?,
        };
        address.map(|it| self.of_address(it)).transpose()
    }

    fn of_address(&self, address: Secret) -> Result<StoreAt, Failure> {
        let Some((scheme, _)) = address.expose().split_once("://") else {
            return Ok(StoreAt::File(PathBuf::from(address.expose())));
        };
        let make = match scheme {
            "postgres" | "postgresql" => StoreAt::Postgres,
            "redis" | "rediss" => StoreAt::Redis,
            _ => {
                return Err(Failure::usage(
                    "the address of the store is of no kind that is known",
                    "it begins with postgres:// or rediss://, or is the path of a SQLite file",
                ));
            }
        };
        let name = given(&self.store_name, "SR_AUTH_STORE_NAME")?;
        let path: Option<PathBuf> =
            given(&self.store_root_certificates, "SR_AUTH_STORE_ROOT_CERTIFICATES")?;
        let pem = path.map(|path| {
            let failed = |error| Failure::io(format!("{} cannot be read", path.display()), &error);
            std::fs::read(&path).map_err(failed)
        });
        Ok(make(Server { address, name, root_certificates: pem.transpose()? }))
    }
}

impl StoreAt {
    /// Opens the store.
    pub(crate) async fn open(&self, if_absent: IfAbsent) -> Result<Arc<dyn Backend>, Failure> {
        let opened = match self {
            Self::File(_) if if_absent == IfAbsent::Refuse && !self.is_there()? => {
                return Err(Failure::usage(
                    format!("there is no store: {self}"),
                    "name the SQLite file of the service with --store",
                ));
            }
            Self::File(file) => SqliteBackend::open(file).map(shared),
            Self::Postgres(server) => postgres(server, if_absent).await.map(shared),
            Self::Redis(server) => redis(server, if_absent).await.map(shared),
        };
        opened.map_err(|error| Failure::of_store(self, &error.into()))
    }

    /// Tells whether it is on a server.
    pub(crate) const fn is_server(&self) -> bool {
        matches!(self, Self::Postgres(_) | Self::Redis(_))
    }

    /// Tells whether there may be a store: a server is asked when it is opened.
    pub(crate) fn is_there(&self) -> Result<bool, Failure> {
        let Self::File(file) = self else { return Ok(true) };
        file.try_exists().map_err(|error| Failure::io(self, &error))
    }
}

fn shared(backend: impl Backend + 'static) -> Arc<dyn Backend> {
    Arc::new(backend)
}

async fn postgres(server: &Server, if_absent: IfAbsent) -> Result<PostgresBackend, BackendError> {
    let mut builder = PostgresBackend::builder(&server.address)?.connections(2);
    if let Some(name) = &server.name {
        builder = builder.schema(name)?;
    }
    if let Some(pem) = &server.root_certificates {
        builder = builder.root_certificates(pem);
    }
    if if_absent == IfAbsent::Refuse {
        builder = builder.existing_only();
    }
    builder.open().await
}

async fn redis(server: &Server, if_absent: IfAbsent) -> Result<RedisBackend, BackendError> {
    let mut builder = RedisBackend::builder(&server.address)?;
    if let Some(name) = &server.name {
        builder = builder.name(name)?;
    }
    if let Some(pem) = &server.root_certificates {
        builder = builder.root_certificates(pem);
    }
    if if_absent == IfAbsent::Refuse {
        builder = builder.existing_only();
    }
    builder.open().await
}

impl fmt::Display for StoreAt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(file) => write!(f, "{}", file.display()),
            // Never the address.
            Self::Postgres(server) => {
                write!(f, "PostgreSQL, schema {}", server.name.as_deref().unwrap_or("sr_auth"))
            }
            Self::Redis(server) => {
                write!(f, "Redis, store {}", server.name.as_deref().unwrap_or("sr-auth"))
            }
        }
    }
}
