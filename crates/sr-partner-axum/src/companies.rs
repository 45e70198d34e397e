//! The credentials of connected companies as token sources, and their retirement in every process.
//!
//! ```text
//!  source() ── known, and the store was heard of lately ──▶ TokenSource
//!     │ else
//!     └──▶ Load ──▶ live: its client, under a key of its own generation ──▶ TokenSource
//!
//!  every 2 s: Pulse ──▶ another consent is live, or none ──▶ retired
//!                 └──▶ the store has another history ──▶ all are read again: what had ended is
//!                      ended again, and somebody is told what only a person can do
//!  invalid_client, again and again ──▶ End { Refused } ──▶ every process hears of it
//! ```

mod cursor;
mod ended;
mod live;
mod refusals;
mod watch;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use sr_auth_core::lifecycle::StoreFailure;
use sr_auth_core::store::{Generation, GrantKey};
use sr_auth_core::{Remedy, Timestamp};
use sr_auth_http::{TokenSource, TokenSources};
use sr_partner::{AttemptId, IntegrationKey, TenantId};
use tokio::sync::RwLock;
use tokio::task::JoinHandle;

use crate::PartnerService;
use crate::service::Shared;
use ended::Ended;

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
/// A store that went back, as after the restoration of a backup, is noticed within the same time. Then
/// every company is read again: one that the store does not have any more is retired, one that had
/// ended and is live again is ended once more, and one error in the log says what a person has to do.
/// What had ended is known to a process that had its source, and forgotten when it stops.
///
/// A clone is the same. When the last clone is dropped, so is the task that listens.
///
/// # Examples
///
/// ```no_run
/// use sr_auth_http::TokenSources;
/// use sr_partner::{CompanyId, TenantId};
/// use sr_partner_axum::{CompanyTokens, PartnerService};
///
/// # async fn example(service: PartnerService) -> Result<(), Box<dyn std::error::Error>> {
/// let companies = CompanyTokens::new(&service, TokenSources::client_credentials().build()?);
/// let (company, account) = (service.key(CompanyId::new("5f1b2c")?), TenantId::new("acme")?);
/// let auth = companies.source_for(&company, &account).await?.authorization().await?;
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

/// What was asked for and is live, as far as is known, and what has ended.
#[derive(Default)]
struct Companies {
    by_grant: BTreeMap<GrantKey, IntegrationKey>,
    by_key: BTreeMap<IntegrationKey, Known>,
    ended: Ended,
}

/// An integration, with the consent that it came from: a store that went back gives generations
/// twice, and no consent is given twice.
#[derive(Clone)]
struct Known {
    attempt: AttemptId,
    generation: Generation,
    grant: GrantKey,
    source: TokenSource,
    tenant: TenantId,
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

    /// Returns the source of a company's tokens, if the company is connected with this account: for
    /// whatever is done for somebody who is signed in there. It is cheap to ask for each time: the
    /// store is read when the company is new here, or when nothing was heard of the store for some
    /// seconds.
    ///
    /// # Errors
    ///
    /// See [`CompanyError`]. A company that is connected with another account is
    /// [`CompanyError::NotConnected`], as one that nobody has connected.
    pub async fn source_for(
        &self,
        key: &IntegrationKey,
        tenant: &TenantId,
    ) -> Result<TokenSource, CompanyError> {
        let known = self.inner.known_or_read(key).await?;
        if known.tenant != *tenant {
            return Err(CompanyError::NotConnected);
        }
        Ok(known.source)
    }

    /// Returns the source of a company's tokens, whichever account it is connected with: for what the
    /// application does of itself. Whoever takes the name of a company from a request asks
    /// [`source_for`](Self::source_for) its account instead.
    ///
    /// # Errors
    ///
    /// See [`CompanyError`].
    pub async fn source(&self, key: &IntegrationKey) -> Result<TokenSource, CompanyError> {
        Ok(self.inner.known_or_read(key).await?.source)
    }
}

impl Inner {
    /// For so long nothing has to be heard: two pulses, one of them lost.
    const SILENCE: Duration = Duration::from_secs(5);

    /// How long a record is waited for where another is known.
    const BRIEFLY: Duration = Duration::from_secs(1);

    /// How long a record is waited for.
    const PATIENTLY: Duration = Duration::from_secs(5);

    async fn known_or_read(&self, key: &IntegrationKey) -> Result<Known, CompanyError> {
        let known = self.known().by_key.get(key).cloned();
        let heard_at = Timestamp::from_unix_millis(self.heard_at.load(Ordering::Acquire));
        let is_fresh = self.service.clock.now().since(heard_at) < Self::SILENCE;
        match known {
            Some(known) if is_fresh => Ok(known),
            known => {
                let within = if known.is_some() { Self::BRIEFLY } else { Self::PATIENTLY };
                let _order = self.order.read().await;
                match self.read(key, within).await {
                    Ok(live) => live.ok_or(CompanyError::NotConnected),
                    // What is known is as good as it was, as long as nobody can say otherwise.
                    Err(failure) => known.ok_or(CompanyError::Store(failure)),
                }
            }
        }
    }

    /// Returns the company that a grant belongs to, if it is known, and which integration it is.
    fn company_of(&self, grant: &GrantKey) -> Option<(IntegrationKey, AttemptId, Generation)> {
        let known = self.known();
        let key = known.by_grant.get(grant)?;
        let it = known.by_key.get(key)?;
        Some((key.clone(), it.attempt, it.generation))
    }

    fn known(&self) -> MutexGuard<'_, Companies> {
        // Nothing that can panic leaves the maps half changed.
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
