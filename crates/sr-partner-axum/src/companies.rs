//! The credentials of connected companies as token sources, and their retirement in every process.
//!
//! ```text
//!  source() ── known, and the store was heard of lately ──▶ TokenSource
//!     │ else
//!     └──▶ Load ──▶ live: its client, under a key of its own generation ──▶ TokenSource
//!
//!  every 2 s: Pulse ──▶ another generation is live, or none ──▶ retired
//!  invalid_client, again and again ──▶ End { Refused } ──▶ every process hears of it
//! ```

mod refusals;
mod watch;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use sr_auth_core::lifecycle::StoreFailure;
use sr_auth_core::store::{End, Generation, GrantKey};
use sr_auth_core::{ClientCredentials, Remedy, Timestamp};
use sr_auth_http::{TokenSource, TokenSources};
use sr_partner::IntegrationKey;
use sr_partner::store::{Binding, IntegrationRecord, PartnerOp, PartnerOutcome};
use tokio::sync::RwLock;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tracing::{info, warn};

use crate::PartnerService;
use crate::service::Shared;

/// The credentials of connected companies, each as a [`TokenSource`] of a fleet.
///
/// An integration that ends, whichever process hears of it first, is retired in every process within
/// five seconds while the store answers: whoever holds its source is refused with
/// [`SourceError::Retired`](sr_auth_http::SourceError::Retired). While the store does not answer,
/// sources that are known go on giving tokens.
///
/// A notification may be lost. When the token endpoint refuses a company's credentials again and
/// again with `invalid_client` ([`REFUSALS`](Self::REFUSALS) times over
/// [`REFUSED_FOR`](Self::REFUSED_FOR)), its integration is ended. Credentials cannot be asked for
/// again, so many companies that are refused at once are believed to be somebody else's mistake:
/// beyond [`AT_ONCE`](Self::AT_ONCE) in an hour none is ended, and the log says so.
///
/// A clone is the same. When the last clone is dropped, so is the task that listens.
///
/// # Examples
///
/// ```no_run
/// use sr_auth_http::TokenSources;
/// use sr_partner::CompanyId;
/// use sr_partner_axum::{CompanyTokens, PartnerService};
///
/// # async fn example(service: PartnerService) -> Result<(), Box<dyn std::error::Error>> {
/// let companies = CompanyTokens::new(&service, TokenSources::client_credentials().build()?);
/// let company = service.key(CompanyId::new("5f1b2c")?);
/// let auth = companies.source(&company).await?.authorization().await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct CompanyTokens {
    inner: Arc<Inner>,
    _tasks: Arc<Tasks>,
}

struct Inner {
    /// When the store was heard of last, in milliseconds of this process's clock.
    heard_at: AtomicU64,
    known: Mutex<Companies>,
    /// Held by whoever reads a record and remembers it, and alone by whoever takes in news: so that
    /// no record is remembered that was read before its end was told.
    order: RwLock<()>,
    service: Arc<Shared>,
    sources: TokenSources,
}

/// What was asked for and is live, as far as is known.
#[derive(Default)]
struct Companies {
    by_grant: BTreeMap<GrantKey, IntegrationKey>,
    by_key: BTreeMap<IntegrationKey, Known>,
}

#[derive(Clone)]
struct Known {
    generation: Generation,
    source: TokenSource,
}

/// What runs as long as anybody may ask.
#[derive(Debug)]
struct Tasks([JoinHandle<()>; 2]);

impl Drop for Tasks {
    fn drop(&mut self) {
        self.0.iter().for_each(JoinHandle::abort);
    }
}

impl fmt::Debug for CompanyTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CompanyTokens({} known)", self.inner.known().by_key.len())
    }
}

/// Why there is no source for a company.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum CompanyError {
    /// The company is not connected, or not any more.
    #[error("the company is not connected")]
    NotConnected,
    /// The store does not answer, and nothing was known of the company before.
    #[error("the store failed")]
    Store(StoreFailure),
}

impl CompanyError {
    /// Returns what can be done, and by whom.
    #[must_use]
    pub const fn remedy(&self) -> Remedy {
        match self {
            Self::NotConnected => Remedy::Reauthorize,
            Self::Store(_) => Remedy::RetryLater { at: None },
        }
    }

    /// Returns a stable name for logs.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotConnected => "sr_partner::company::not_connected",
            Self::Store(_) => "sr_partner::company::store",
        }
    }
}

impl CompanyTokens {
    /// How many companies are ended in an hour because their credentials are refused.
    pub const AT_ONCE: usize = 5;
    /// So many refusals in a row, and none of them a moment of somebody's mistake, end a company.
    pub const REFUSALS: u32 = 3;
    /// How much time lies between the first of them and the last, at least.
    pub const REFUSED_FOR: Duration = Duration::from_secs(300);

    /// Joins the companies of a service with `sources`, made by
    /// [`TokenSources::client_credentials`] for the same environment, and listens to both.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime.
    #[must_use]
    pub fn new(service: &PartnerService, sources: TokenSources) -> Self {
        let inner = Arc::new(Inner {
            heard_at: AtomicU64::new(0),
            known: Mutex::default(),
            order: RwLock::default(),
            service: Arc::clone(&service.0),
            sources,
        });
        // Before anything can be asked for, so that no refusal is missed.
        let events = inner.sources.events();
        let watch = tokio::spawn(watch::run(Arc::clone(&inner)));
        let refusals = tokio::spawn(refusals::run(Arc::clone(&inner), events));
        Self { inner, _tasks: Arc::new(Tasks([watch, refusals])) }
    }

    /// Returns the source of a company's tokens. It is cheap to ask for each time: the store is read
    /// when the company is new here, or when nothing was heard of the store for some seconds.
    ///
    /// # Errors
    ///
    /// See [`CompanyError`].
    pub async fn source(&self, key: &IntegrationKey) -> Result<TokenSource, CompanyError> {
        self.inner.source(key).await
    }
}

impl Inner {
    /// For so long nothing has to be heard: two pulses, one of them lost.
    const SILENCE: Duration = Duration::from_secs(5);

    /// How long a record is waited for where another is known.
    const BRIEFLY: Duration = Duration::from_secs(1);

    /// How long a record is waited for.
    const PATIENTLY: Duration = Duration::from_secs(5);

    async fn source(&self, key: &IntegrationKey) -> Result<TokenSource, CompanyError> {
        let known = self.known().by_key.get(key).map(|it| it.source.clone());
        let heard_at = Timestamp::from_unix_millis(self.heard_at.load(Ordering::Acquire));
        let is_fresh = self.service.clock.now().since(heard_at) < Self::SILENCE;
        match known {
            Some(source) if is_fresh => Ok(source),
            known => {
                let within = if known.is_some() { Self::BRIEFLY } else { Self::PATIENTLY };
                let _order = self.order.read().await;
                match self.read(key, within).await {
                    Ok(source) => source.ok_or(CompanyError::NotConnected),
                    // What is known is as good as it was, as long as nobody can say otherwise.
                    Err(failure) => known.ok_or(CompanyError::Store(failure)),
                }
            }
        }
    }

    /// Reads the record of a company, and remembers what is live.
    async fn read(
        &self,
        key: &IntegrationKey,
        within: Duration,
    ) -> Result<Option<TokenSource>, StoreFailure> {
        let load = self.service.apply(PartnerOp::Load { key: key.clone() });
        let outcome = timeout(within, load).await.map_err(|_| StoreFailure::OutcomeUnknown)??;
        // Whatever else: there is no such company.
        let PartnerOutcome::Loaded(IntegrationRecord { binding, .. }) = outcome else {
            self.live_is(key, None);
            return Ok(None);
        };
        self.live_is(key, binding.as_ref().map(|it| it.generation));
        let Some(Binding { generation, integrated, .. }) = binding else { return Ok(None) };
        let client = ClientCredentials::new(integrated.client_id.as_str(), integrated.secret);
        // A record is only taken with good credentials.
        let client = client.map_err(|_| StoreFailure::NotDone)?;
        let grant = key.grant_key(generation);
        let source = self.sources.client(&grant, client);
        let mut known = self.known();
        known.by_grant.insert(grant, key.clone());
        known.by_key.insert(key.clone(), Known { generation, source: source.clone() });
        Ok(Some(source))
    }

    /// Retires what is known of a company, unless it is what is live now.
    fn live_is(&self, key: &IntegrationKey, live: Option<Generation>) {
        let mut known = self.known();
        let known_generation = known.by_key.get(key).map(|it| it.generation);
        let Some(generation) = known_generation.filter(|it| live != Some(*it)) else { return };
        let grant = key.grant_key(generation);
        known.by_key.remove(key);
        known.by_grant.remove(&grant);
        drop(known);
        info!(target: "sr_partner", %key, generation = generation.number(), "retired");
        // Nobody gets a token from here on; the rest is for those who share a store of grants.
        let durable = self.sources.retire(&grant, End::Disabled);
        tokio::spawn(async move {
            if let Err(error) = durable.await {
                warn!(target: "sr_partner", error = error.code(), "the end is not durable yet");
            }
        });
    }

    /// Returns the company that a grant belongs to, if it is known.
    fn company_of(&self, grant: &GrantKey) -> Option<(IntegrationKey, Generation)> {
        let known = self.known();
        let key = known.by_grant.get(grant)?;
        Some((key.clone(), known.by_key.get(key)?.generation))
    }

    fn known(&self) -> MutexGuard<'_, Companies> {
        // Nothing that can panic leaves the maps half changed.
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
