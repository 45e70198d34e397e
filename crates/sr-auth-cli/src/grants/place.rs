//! The store of one grant: reading what is known of it, opening it, ending it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use sr_auth_core::lifecycle::StoreFailure;
use sr_auth_core::store::{
    End, GrantKey, Health, Hold, NewGrant, Record, StoreAnswer, StoreOp, StoreOutcome,
};
use sr_auth_core::{ClientCredentials, Endpoints, FingerprintKey, RefreshToken, Timestamp};
use sr_auth_http::{SourceError, TokenSource, TokenSourceBuilder, Transport};
use sr_auth_store::{
    Backend as _, BackendFault, HoldError, Sealed, SqliteBackend, Store, StoreError,
};

use super::keys;
use super::name::GrantName;
use crate::exit::{Exit, Failure};
use crate::moment::{date_and_time, moment_and_span};
use crate::secret_file::make_folder;

/// Where one grant rests.
#[derive(Debug)]
pub(crate) struct Place {
    pub(crate) file: PathBuf,
    pub(crate) name: GrantName,
    folder: PathBuf,
    key: GrantKey,
}

/// What a store says about a grant, without its tokens.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) now: Timestamp,
    pub(crate) record: Record<Sealed>,
}

impl Place {
    pub(super) fn new(folder: PathBuf, name: GrantName) -> Result<Self, Failure> {
        let (file, key) = (folder.join(name.file()?), name.key()?);
        Ok(Self { file, name, folder, key })
    }

    /// Reads what is known of the grant; its tokens stay sealed, so no key is needed.
    pub(crate) async fn record(&self) -> Result<Option<Found>, Failure> {
        self.ask(StoreOp::Load { key: self.key.clone() }).await
    }

    /// Returns the order that holds the grant; `None` as well when the list cannot be opened here.
    pub(crate) async fn hold(&self) -> Option<Hold> {
        let store = Store::new(self.backend().ok()?, keys::sealing(false).ok()?);
        store.holds().await.ok()?.of(&self.key).cloned()
    }

    /// Ends the grant: its tokens leave the store.
    pub(crate) async fn end(&self) -> Result<Option<Found>, Failure> {
        let (end, key) = (End::Revoked, self.key.clone());
        self.ask(StoreOp::End { end, generation: None, key }).await
    }

    async fn ask(&self, op: StoreOp<Sealed>) -> Result<Option<Found>, Failure> {
        if !self.file.try_exists().map_err(|error| self.unreadable(&error))? {
            return Ok(None);
        }
        let answer = self.backend()?.apply(op).await.map_err(|it| self.failure(&it.into()))?;
        let StoreAnswer { now, outcome } = answer;
        Ok(match outcome {
            StoreOutcome::Armed(record)
            | StoreOutcome::Busy { record, .. }
            | StoreOutcome::Done(record)
            | StoreOutcome::Ended(record)
            | StoreOutcome::Loaded(record)
            | StoreOutcome::Moved(record)
            | StoreOutcome::NotDue { record, .. } => Some(Found { now, record }),
            StoreOutcome::Due(_) | StoreOutcome::Missing | StoreOutcome::Pulse(_) => None,
        })
    }

    /// Opens the store of a grant that is there.
    pub(crate) async fn open(&self) -> Result<Opened, Failure> {
        self.opened(false).await
    }

    /// Makes ready to store a grant, before its user is asked: what cannot work shows while nothing
    /// can be lost. The first login makes the keys.
    pub(crate) async fn prepare(&self) -> Result<Opened, Failure> {
        make_folder(&self.folder)?;
        let is_first = !self.has_stores().map_err(|error| self.unreadable(&error))?;
        self.opened(is_first).await
    }

    async fn opened(&self, may_make_keys: bool) -> Result<Opened, Failure> {
        let sealing = keys::sealing(may_make_keys)?;
        let fingerprints = keys::fingerprints(&self.folder, may_make_keys)?;
        let store = Store::new(self.backend()?, sealing);
        let key = self.key.clone();
        // A key that does not open what is there is found out now, with a reason.
        let loaded = store.apply(StoreOp::Load { key: key.clone() }).await;
        loaded.map_err(|error| self.failure(&error))?;
        Ok(Opened { file: self.file.clone(), fingerprints, key, store })
    }

    fn backend(&self) -> Result<Arc<SqliteBackend>, Failure> {
        let backend = SqliteBackend::open(&self.file);
        Ok(Arc::new(backend.map_err(|error| self.failure(&error.into()))?))
    }

    /// Tells whether grants rest here already, which need the keys that there are.
    fn has_stores(&self) -> std::io::Result<bool> {
        for entry in std::fs::read_dir(&self.folder)? {
            if Path::new(&entry?.file_name()).extension().is_some_and(|it| it == "db") {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Tells whether a grant rests here that nobody has logged out of.
    pub(crate) async fn is_occupied(&self) -> Result<bool, Failure> {
        Ok(self.record().await?.is_some_and(|it| it.record.health != Health::Revoked))
    }

    /// Adds to a failure of waiting what the store knows: a presentation whose outcome nobody knows,
    /// and until when it stands.
    pub(crate) async fn explain(&self, failure: Failure) -> Failure {
        if failure.code() != SourceError::TimedOut.code() {
            return failure;
        }
        let Ok(Some(Found { now, record })) = self.record().await else { return failure };
        let Some(intent) = record.intent else { return failure };
        let begun = moment_and_span(intent.armed_at, now);
        let until = date_and_time(intent.armed_at.after(intent.quiet));
        Failure::new(
            Exit::Unavailable,
            SourceError::TimedOut.code(),
            format!("no token yet: a renewal was begun {begun}, and its answer has not come"),
            format!("try again later, and not before {until} if nobody else renews it"),
        )
    }

    pub(crate) fn missing(&self) -> Failure {
        Failure::new(
            Exit::Refused,
            "sr_auth::missing",
            format!("no grant is stored: {}", self.name),
            "log in with `sr-auth login`",
        )
    }

    fn failure(&self, error: &StoreError) -> Failure {
        Failure::of_store(&self.file, error)
    }

    fn unreadable(&self, error: &std::io::Error) -> Failure {
        Failure::io(format!("{} cannot be read", self.folder.display()), error)
    }
}

/// The open store of one grant.
#[derive(Debug)]
pub(crate) struct Opened {
    file: PathBuf,
    fingerprints: FingerprintKey,
    key: GrantKey,
    store: Store,
}

impl Opened {
    /// Makes the source of the grant's access tokens, which renews them as this client.
    pub(crate) fn source(
        self,
        client: ClientCredentials,
        endpoints: Endpoints,
        transport: Arc<dyn Transport>,
    ) -> TokenSourceBuilder {
        TokenSource::authorization_code(client, self.key)
            .endpoints(endpoints)
            .store(self.store, self.fingerprints)
            .transport(transport)
    }

    /// Stores a refresh token that came in an otherwise unusable answer.
    pub(crate) async fn rescue(&self, token: &RefreshToken) -> Result<(), Failure> {
        let grant = NewGrant::from_refresh_token(token, &self.fingerprints);
        let op = StoreOp::Adopt { grant, key: self.key.clone(), only_if_missing: false };
        let adopted = self.store.apply(op).await;
        adopted.map(drop).map_err(|error| Failure::of_store(&self.file, &error))
    }
}

impl Failure {
    /// Says why grants could not be held or released.
    pub(crate) fn of_hold(file: &Path, error: HoldError) -> Self {
        match error {
            HoldError::Config(error) => Self::new(
                Exit::Usage,
                error.code(),
                error.to_string(),
                "release what is held no more, or hold more with one order; a reason has at most \
                 200 bytes, and no line break",
            ),
            HoldError::Store(error) => Self::of_store(file, &error),
            error => {
                Self::new(Exit::Failed, error.code(), error.to_string(), error.remedy().advice())
            }
        }
    }

    /// Says what is wrong with a store, and where.
    pub(crate) fn of_store(file: &Path, error: &StoreError) -> Self {
        let what = format!("{}: {error}", file.display());
        let (exit, advice) = match error {
            StoreError::Backend(error) if error.fault() == BackendFault::OpenToOthers => {
                (Exit::Usage, error.fault().advice().to_owned())
            }
            StoreError::Backend(error) => (Exit::Failed, error.fault().advice().to_owned()),
            StoreError::Seal(_) | StoreError::Opening(_) => (
                Exit::Usage,
                "give the key that it was sealed under (SR_AUTH_SEALING_KEY_FILE), \
                 or remove the file and log in again"
                    .to_owned(),
            ),
            StoreError::Key(_) | StoreError::Spool(_) | StoreError::Volatile | _ => {
                (Exit::Failed, error.remedy().advice().to_owned())
            }
        };
        let what = match error.failure() {
            StoreFailure::NotDone => what,
            StoreFailure::OutcomeUnknown => format!("{what}; `sr-auth status` tells"),
        };
        Self::new(exit, error.code(), what, advice)
    }
}
