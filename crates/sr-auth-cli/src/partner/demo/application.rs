//! The application of the partner: its accounts and sessions, and what it knows of its customers.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use http::HeaderMap;
use http::request::Parts;
use sr_auth_core::{Scope, Secret, SecretDigest};
use sr_auth_http::EntropyError;
use sr_partner::consent::ConsentDisplayMode;
use sr_partner::{CompanyId, IntegrationKey, TenantId};
use sr_partner_axum::{Account, Connected, Left, PartnerHooks, SessionCookie, Unavailable};
use tokio::sync::watch;
use url::form_urlencoded;

/// What customers know the application as.
pub(super) const NAME: &str = "Example Partner";

/// Its accounts: the name for itself, and the name for people.
pub(super) const ACCOUNTS: [(&str, &str); 2] =
    [("acme", "Acme Logistics at Example Partner"), ("globex", "Globex Foods at Example Partner")];

/// How many sessions are kept; the oldest make room.
const SESSIONS: usize = 1_000;

/// What a process of it remembers. A clone is the same.
#[derive(Clone, Debug)]
pub(super) struct Application {
    pub(super) cookie: SessionCookie,
    ended: watch::Sender<usize>,
    memory: Arc<Mutex<Memory>>,
}

#[derive(Debug, Default)]
struct Memory {
    connected: BTreeMap<IntegrationKey, Connected>,
    count: u64,
    /// By the digest of the session: its age and its account.
    sessions: BTreeMap<[u8; 32], (u64, &'static str)>,
}

impl Application {
    pub(super) fn new(mode: ConsentDisplayMode) -> Self {
        let cookie = SessionCookie::new("example-partner", mode);
        Self { cookie, ended: watch::Sender::new(0), memory: Arc::default() }
    }

    /// Begins a session of an account.
    pub(super) fn begin_session(&self, account: &str) -> Result<Option<Secret>, EntropyError> {
        let Some((account, _)) = ACCOUNTS.iter().find(|(name, _)| *name == account) else {
            return Ok(None);
        };
        let session = random_text()?;
        let mut memory = self.memory();
        memory.count += 1;
        let age = memory.count;
        memory.sessions.insert(*session.digest().as_bytes(), (age, account));
        if memory.sessions.len() > SESSIONS {
            let oldest = memory.sessions.iter().min_by_key(|(_, (age, _))| *age);
            if let Some(oldest) = oldest.map(|(digest, _)| *digest) {
                memory.sessions.remove(&oldest);
            }
        }
        Ok(Some(session))
    }

    /// Returns the account that is signed in, with its name for people and the session.
    pub(super) fn session(
        &self,
        headers: &HeaderMap,
    ) -> Option<(&'static str, &'static str, Secret)> {
        let session = self.cookie.read(headers)?;
        let digest: SecretDigest = session.digest();
        let account = self.memory().sessions.get(digest.as_bytes()).map(|(_, account)| *account)?;
        let (_, name) = ACCOUNTS.iter().find(|(it, _)| *it == account)?;
        Some((account, name, session))
    }

    /// Returns the companies that are connected with an account.
    pub(super) fn companies(&self, account: &str) -> Vec<Connected> {
        let memory = self.memory();
        memory.connected.values().filter(|it| it.tenant.as_str() == account).cloned().collect()
    }

    /// Waits until an integration has ended: the partner answers SmartRecruiters first, and clears
    /// up then. Tells whether one has, in time.
    pub(super) async fn has_ended_within(&self, span: Duration) -> bool {
        let mut ended = self.ended.subscribe();
        let waiting = ended.wait_for(|count| *count > 0);
        tokio::time::timeout(span, waiting).await.is_ok_and(|it| it.is_ok())
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        // A panic elsewhere says nothing about these tables.
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl PartnerHooks for Application {
    async fn signed_in(&self, request: &Parts) -> Result<Option<Account>, Unavailable> {
        let Some((account, name, session)) = self.session(&request.headers) else {
            return Ok(None);
        };
        let tenant = TenantId::new(account).map_err(|_| Unavailable)?;
        Ok(Some(Account::new(tenant, name, session)))
    }

    fn sign_in(&self, return_to: &str) -> String {
        let query: String = form_urlencoded::byte_serialize(return_to.as_bytes()).collect();
        format!("/sign-in?return_to={query}")
    }

    async fn company_name(&self, account: &Account, company: &CompanyId) -> Option<String> {
        // An application knows the names of its own customers, and tells nobody those of others.
        let names =
            [("60d1a4e2", "acme", "Acme Logistics"), ("71e2b5f3", "globex", "Globex Foods")];
        let mut names = names.iter();
        let known =
            names.find(|(id, of, _)| *id == company.as_str() && *of == account.tenant().as_str());
        known.map(|(_, _, name)| (*name).to_owned())
    }

    fn meaning(&self, scope: &Scope) -> Option<String> {
        (scope.as_str() == "interviews_read").then(|| "read the planned interviews".to_owned())
    }

    async fn connected(&self, connected: Connected) {
        self.memory().connected.insert(connected.key.clone(), connected);
    }

    async fn left(&self, left: Left) {
        let mut memory = self.memory();
        let live = memory.connected.get(&left.key).map(|it| it.generation);
        // A newer connection of the company has nothing to do with the end of an older one.
        if live == Some(left.generation) {
            memory.connected.remove(&left.key);
        }
        drop(memory);
        self.ended.send_modify(|count| *count += 1);
    }
}

/// Draws 128 bits.
fn random_text() -> Result<Secret, EntropyError> {
    let random = sr_auth_http::entropy()?;
    Ok(Secret::new(random.iter().take(16).map(|byte| format!("{byte:02x}")).collect()))
}
