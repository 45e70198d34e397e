//! The store of one grant: reading what is known of it, opening it, ending it.

use std::fmt;
use std::future::pending;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use sr_auth_core::lifecycle::Margins;
use sr_auth_core::store::{
    End, GrantKey, Health, Hold, NewGrant, OwnerId, Record, Sibling, StoreAnswer, StoreOp,
    StoreOutcome,
};
use sr_auth_core::{
    ClientCredentials, Endpoints, FingerprintKey, RefreshToken, Remedy, Secret, Timestamp, TokenSet,
};
use sr_auth_http::{SourceError, TokenSource, TokenSourceBuilder, Transport, entropy};
use sr_auth_store::{Backend as _, Sealed, Store, StoreError};
use tokio::time::timeout;

use super::address::{IfAbsent, StoreAt};
use super::keys;
use super::name::GrantName;
use crate::console::harmless;
use crate::exit::{Exit, Failure};
use crate::moment::{date_and_time, moment_and_span};
use crate::secret_file::make_folder;

/// Where one grant rests.
#[derive(Debug)]
pub(crate) struct Place {
    pub(crate) at: StoreAt,
    pub(crate) called: Called,
    key: GrantKey,
}

/// What a grant is called, and with that whose it is.
#[derive(Debug)]
pub(crate) enum Called {
    /// One of the user's own, below this folder.
    Own { folder: PathBuf, name: GrantName },
    /// One of a service, by its key.
    OfService(GrantKey),
}

impl fmt::Display for Called {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Own { name, .. } => name.fmt(f),
            Self::OfService(key) => write!(f, "grant {}", harmless(key.as_str())),
        }
    }
}

/// What a store says about a grant, without its tokens.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) now: Timestamp,
    pub(crate) record: Record<Sealed>,
}

impl Place {
    pub(super) fn new(folder: PathBuf, name: GrantName) -> Result<Self, Failure> {
        let (at, key) = (StoreAt::File(folder.join(name.file()?)), name.key()?);
        Ok(Self { at, called: Called::Own { folder, name }, key })
    }

    pub(super) fn of_service(at: StoreAt, key: GrantKey) -> Self {
        Self { at, called: Called::OfService(key.clone()), key }
    }

    /// Reads what is known of the grant; its tokens stay sealed, so no key is needed.
    pub(crate) async fn record(&self) -> Result<Option<Found>, Failure> {
        self.ask(StoreOp::Load { key: self.key.clone() }).await
    }

    /// Returns the order that holds the grant; `None` as well when the list cannot be opened here.
    pub(crate) async fn hold(&self) -> Option<Hold> {
        let backend = self.at.open(IfAbsent::Refuse).await.ok()?;
        let store = Store::new(backend, keys::sealing(false).ok()?);
        store.holds().await.ok()?.of(&self.key).cloned()
    }

    /// Ends the grant: its tokens leave the store.
    pub(crate) async fn end(&self) -> Result<Option<Found>, Failure> {
        let (end, key) = (End::Revoked, self.key.clone());
        self.ask(StoreOp::End { end, generation: None, key }).await
    }

    async fn ask(&self, op: StoreOp<Sealed>) -> Result<Option<Found>, Failure> {
        if !self.at.is_there()? {
            return Ok(None);
        }
        let backend = self.at.open(IfAbsent::Refuse).await?;
        let answer = backend.apply(op).await.map_err(|it| self.failure(&it.into()))?;
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
    /// can be lost. The first login makes the keys of the user's own grants.
    pub(crate) async fn prepare(&self) -> Result<Opened, Failure> {
        let Called::Own { folder, .. } = &self.called else {
            return self.opened(false).await?.that_keeps();
        };
        make_folder(folder)?;
        let is_first = !has_stores(folder)
            .map_err(|error| Failure::io(format!("{} cannot be read", folder.display()), &error))?;
        self.opened(is_first).await
    }

    async fn opened(&self, may_make_keys: bool) -> Result<Opened, Failure> {
        let sealing = keys::sealing(may_make_keys)?;
        let fingerprints = match &self.called {
            Called::Own { folder, .. } => keys::fingerprints(folder, may_make_keys)?,
            Called::OfService(_) => keys::fingerprints_of_service()?,
        };
        let store = Store::new(self.at.open(IfAbsent::Make).await?, sealing);
        let key = self.key.clone();
        // A key that does not open what is there is found out now, with a reason.
        let loaded = store.apply(StoreOp::Load { key: key.clone() }).await;
        loaded.map_err(|error| self.failure(&error))?;
        let is_own = matches!(self.called, Called::Own { .. });
        Ok(Opened { at: self.at.clone(), fingerprints, is_own, key, store })
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
            format!("no grant is stored: {}", self.called),
            "log in with `sr-auth login`",
        )
    }

    fn failure(&self, error: &StoreError) -> Failure {
        Failure::of_store(&self.at, error)
    }
}

/// Tells whether grants rest in a folder already, which need the keys that there are.
fn has_stores(folder: &Path) -> std::io::Result<bool> {
    for entry in std::fs::read_dir(folder)? {
        if Path::new(&entry?.file_name()).extension().is_some_and(|it| it == "db") {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The open store of one grant.
#[derive(Debug)]
pub(crate) struct Opened {
    at: StoreAt,
    fingerprints: FingerprintKey,
    is_own: bool,
    key: GrantKey,
    store: Store,
}

impl Opened {
    /// How often a server that does not answer is offered a token that nobody can get again, and how
    /// long to pause in between.
    const OFFERS: u32 = 20;
    const PAUSE: Duration = Duration::from_secs(1);

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

    /// Tells whether the store is the user's own: a source may then keep what else is in it.
    pub(crate) const fn is_own(&self) -> bool {
        self.is_own
    }

    /// Refuses a store that would forget the grant.
    fn that_keeps(self) -> Result<Self, Failure> {
        if self.store.takes_single_use() {
            return Ok(self);
        }
        Err(Failure::of_store(&self.at, &StoreError::Volatile))
    }

    /// Stores what the exchange of a code brought; returns when it is durable.
    pub(crate) async fn adopt(&self, tokens: &TokenSet, now: Timestamp) -> Result<(), Failure> {
        let sent_at = tokens.refresh().map_or(now, RefreshToken::obtained_at);
        let margins = Margins::default();
        self.put(NewGrant::from_tokens(tokens, sent_at, &margins, &self.fingerprints)).await
    }

    /// Stores a refresh token that came in an otherwise unusable answer.
    pub(crate) async fn rescue(&self, token: &RefreshToken) -> Result<(), Failure> {
        self.put(NewGrant::from_refresh_token(token, &self.fingerprints)).await
    }

    /// Stores a grant; beside the one that is there if that seems to have come later, as after a
    /// clock was set.
    async fn put(&self, grant: NewGrant<Secret>) -> Result<(), Failure> {
        let (key, refresh) = (self.key.clone(), grant.refresh.clone());
        let adopt = StoreOp::Adopt { grant, key: key.clone(), only_if_missing: false };
        if let (StoreOutcome::Moved(record), Some(token)) = (self.offer(adopt).await?, refresh) {
            let random = entropy()?;
            let owner = random.first_chunk().map_or(0, |it| u128::from_be_bytes(*it));
            let sibling = Sibling { from: record.generation, token };
            self.offer(StoreOp::Escrow { key, owner: OwnerId::new(owner), sibling }).await?;
        }
        Ok(())
    }

    async fn offer(&self, op: StoreOp<Secret>) -> Result<StoreOutcome<Secret>, Failure> {
        let mut answer = self.store.apply(op.clone()).await;
        // The same a second time changes nothing.
        for _ in 1..Self::OFFERS {
            let Err(error) = &answer else { break };
            if !matches!(error.remedy(), Remedy::RetryLater { .. }) {
                break;
            }
            drop(timeout(Self::PAUSE, pending::<()>()).await);
            answer = self.store.apply(op.clone()).await;
        }
        answer.map(|it| it.outcome).map_err(|error| Failure::of_store(&self.at, &error))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use sr_auth_core::Secret;
    use sr_auth_core::store::StoredToken;
    use sr_auth_store::{SealingKeys, SqliteBackend};

    use super::*;

    type Caught = Box<dyn std::error::Error>;

    #[tokio::test]
    async fn a_rescued_token_is_kept_though_the_stored_one_seems_newer() -> Result<(), Caught> {
        let folder = tempfile::tempdir()?;
        let file = folder.path().join("grant.db");
        let backend = Arc::new(SqliteBackend::open(&file)?);
        let opened = Opened {
            at: StoreAt::File(file),
            fingerprints: FingerprintKey::new([7; 32]),
            is_own: true,
            key: GrantKey::new("planner/acme")?,
            store: Store::new(backend, SealingKeys::random()?),
        };
        let later = Timestamp::from_unix_secs(1_800_000_000);
        let token = |text: &str, at| RefreshToken::new(Secret::new(text.to_owned()), at);
        opened.rescue(&token("rt-2", later)?).await.map_err(|it| it.code())?;
        let earlier = later.before(Duration::from_secs(60));
        opened.rescue(&token("rt-1", earlier)?).await.map_err(|it| it.code())?;
        let load = StoreOp::Load { key: opened.key.clone() };
        let StoreOutcome::Loaded(record) = opened.store.apply(load).await?.outcome else {
            return Err("no record".into());
        };
        let text = |it: Option<&StoredToken<Secret>>| it.map(|it| it.value.expose().to_owned());
        assert_eq!(text(record.refresh.as_ref()).as_deref(), Some("rt-2"));
        let sibling = record.sibling.map(|it| it.token);
        assert_eq!(text(sibling.as_ref()).as_deref(), Some("rt-1"));
        Ok(())
    }
}
