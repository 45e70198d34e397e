//! Where `login` stores a user's grant, and where every other command finds it.
//!
//! ```text
//!  state folder   one file for each client and environment, with all grants of that pair in it
//!                 fingerprint.key: what their tokens are named with
//!  config folder  sealing.key: what their tokens are sealed under
//! ```
//!
//! The store of a service may be elsewhere: a file of its own, or a server; see `address`.
//!
//! A file of the user's own is for one client, because whoever keeps a store also renews what nobody asks for, and does
//! so as its own client.

mod address;
mod failure;
mod keys;
mod name;
mod place;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use sr_auth_core::store::GrantKey;
use sr_auth_core::{ClientCredentials, Endpoints};
use sr_auth_http::{TokenSource, Transport};
use sr_auth_store::Store;

use crate::environment;
use crate::exit::Failure;
use crate::settings::{ClientArguments, ServiceArguments, application_id, given, no_client_id};
pub(crate) use address::{IfAbsent, StoreArguments, StoreAt};
use name::GrantName;
pub(crate) use place::{Called, Found, Opened, Place};

/// Which stored grant is meant.
#[derive(Args, Debug)]
#[command(next_help_heading = "Stored grant")]
pub(crate) struct GrantArguments {
    /// Which grant of the client, if it has several [env: SR_AUTH_GRANT_NAME]
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// The folder of the stored grants [env: SR_AUTH_STATE_FOLDER]
    #[arg(long, value_name = "PATH")]
    state_folder: Option<PathBuf>,
}

/// How a call uses a stored grant.
#[derive(Args, Debug)]
pub(crate) struct UseArguments {
    #[command(flatten)]
    grant: GrantArguments,
    /// How many seconds to wait for a token of the grant
    #[arg(long, default_value_t = 30, value_name = "SECONDS", help_heading = "Stored grant")]
    #[arg(value_parser = clap::value_parser!(u64).range(1..=600))]
    wait: u64,
}

/// The source of a stored grant, and where that rests.
#[derive(Debug)]
pub(crate) struct Stored {
    pub(crate) place: Place,
    pub(crate) source: TokenSource,
}

/// One of the user's own grants, for commands that need no secret of its client.
#[derive(Args, Debug)]
pub(crate) struct OwnArguments {
    /// The client id [env: SR_AUTH_APP_CLIENT_ID, SR_AUTH_CLIENT_ID]
    #[arg(long, value_name = "ID", help_heading = "Stored grant")]
    client_id: Option<String>,
    #[command(flatten)]
    grant: GrantArguments,
    #[command(flatten)]
    service: ServiceArguments,
}

/// A stored grant: one of the user's own, or one of a service.
#[derive(Args, Debug)]
pub(crate) struct StoredArguments {
    #[command(flatten)]
    of_service: OfServiceArguments,
    #[command(flatten)]
    own: OwnArguments,
}

/// One grant of a service.
#[derive(Args, Debug)]
pub(crate) struct OfServiceArguments {
    #[command(flatten)]
    store: StoreArguments,
    /// The key of the grant in the store of a service, such as planner/acme
    #[arg(long, value_name = "KEY", help_heading = "Store of a service")]
    grant: Option<String>,
}

/// A store that others may share, for who operates them.
#[derive(Args, Debug)]
pub(crate) struct SharedArguments {
    #[command(flatten)]
    store: StoreArguments,
    #[command(flatten)]
    own: OwnArguments,
}

impl SharedArguments {
    /// Opens a store that is there.
    pub(crate) async fn open(&self) -> Result<(StoreAt, Store), Failure> {
        let at = match self.store.at()? {
            Some(at) => at,
            None => self.own.place()?.at,
        };
        let backend = at.open(IfAbsent::Refuse).await?;
        let keys = keys::sealing(false)?;
        Ok((at, Store::new(backend, keys)))
    }
}

impl StoredArguments {
    /// Returns where the grant rests.
    pub(crate) fn place(&self) -> Result<Place, Failure> {
        match self.of_service.place()? {
            Some(place) => Ok(place),
            None => self.own.place(),
        }
    }
}

impl OfServiceArguments {
    /// Returns where the grant rests, if it is one of a service.
    pub(crate) fn place(&self) -> Result<Option<Place>, Failure> {
        match (self.store.at()?, &self.grant) {
            (Some(at), Some(key)) => Ok(Some(Place::of_service(at, GrantKey::new(key)?))),
            (Some(_), None) => Err(Failure::usage(
                "which grant of that store is meant?",
                "name its key with --grant, or unset SR_AUTH_STORE for one of your own",
            )),
            (None, Some(_)) => Err(Failure::usage(
                "--grant names a grant of a service, and no store is named",
                "use --store or --store-address-file, or set SR_AUTH_STORE",
            )),
            (None, None) => Ok(None),
        }
    }
}

impl OwnArguments {
    /// Returns where the grant rests.
    fn place(&self) -> Result<Place, Failure> {
        let endpoints = self.service.endpoints()?;
        let (id, _) = application_id(self.client_id.as_deref())?.ok_or_else(no_client_id)?;
        self.grant.known_place(&endpoints, &id)
    }
}

impl GrantArguments {
    /// Returns where a grant rests; an error when no folder is known.
    pub(crate) fn known_place(&self, endpoints: &Endpoints, id: &str) -> Result<Place, Failure> {
        self.place(endpoints, id)?.ok_or_else(|| {
            Failure::usage(
                "it is not known where grants are stored: HOME is not set",
                "name a folder with --state-folder or SR_AUTH_STATE_FOLDER",
            )
        })
    }

    fn place(&self, endpoints: &Endpoints, id: &str) -> Result<Option<Place>, Failure> {
        let name = given(&self.name, "SR_AUTH_GRANT_NAME")?;
        let name = GrantName::new(endpoints, id, name.as_deref())?;
        let folder = match given(&self.state_folder, "SR_AUTH_STATE_FOLDER")? {
            Some(folder) => Some(folder),
            None => environment::folder("XDG_STATE_HOME", ".local/state")?,
        };
        folder.map(|folder| Place::new(folder, name)).transpose()
    }
}

impl UseArguments {
    /// Returns the source of the stored grant that a call uses unless it is told otherwise: `None`
    /// when nobody has logged in, or somebody has logged out again, and the command line names no
    /// grant.
    pub(crate) async fn stored(
        &self,
        client: &ClientArguments,
        endpoints: &Endpoints,
        transport: &Arc<dyn Transport>,
    ) -> Result<Option<Stored>, Failure> {
        if self.grant.name.is_some() {
            return self.demanded(client, endpoints, transport).await.map(Some);
        }
        let Some((id, secret)) = client.of_grant()? else { return Ok(None) };
        let Some(place) = self.grant.place(endpoints, &id)? else { return Ok(None) };
        if !place.is_occupied().await? {
            return Ok(None);
        }
        let credentials = client.with_secret(&id, secret).await?;
        self.open(place, credentials, endpoints, transport).await.map(Some)
    }

    /// Returns the source of the stored grant that a call asks for.
    pub(crate) async fn demanded(
        &self,
        client: &ClientArguments,
        endpoints: &Endpoints,
        transport: &Arc<dyn Transport>,
    ) -> Result<Stored, Failure> {
        let (id, secret) = client.of_grant()?.ok_or_else(no_client_id)?;
        let place = self.grant.known_place(endpoints, &id)?;
        if !place.is_occupied().await? {
            return Err(place.missing());
        }
        let credentials = client.with_secret(&id, secret).await?;
        self.open(place, credentials, endpoints, transport).await
    }

    async fn open(
        &self,
        place: Place,
        client: ClientCredentials,
        endpoints: &Endpoints,
        transport: &Arc<dyn Transport>,
    ) -> Result<Stored, Failure> {
        let builder = place.open().await?.source(client, endpoints.clone(), Arc::clone(transport));
        let source = builder.wait_within(Duration::from_secs(self.wait)).build()?;
        Ok(Stored { place, source })
    }
}
