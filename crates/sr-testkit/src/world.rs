//! Who and what exists at the simulated SmartRecruiters: companies, users, credentials, data.

mod accounts;
mod company_data;
mod demo;
mod key;
mod partner_app;

pub use accounts::{Client, ClientKind, Company, SystemRole, User};
pub use company_data::{Candidate, Job};
pub use demo::DemoCredentials;
pub use key::{Key, KeyHolder};
pub use partner_app::PartnerApp;

use std::collections::BTreeMap;
use std::sync::Arc;

use sr_auth_core::Secret;

use crate::simulator::{Lookup, lookup};

/// Everything that a customer's administrator and the partner team could have set up.
///
/// # Examples
///
/// ```
/// use sr_testkit::{Company, SystemRole, User, World};
///
/// let mut world = World::new();
/// world.add_company(Company::new("5f1b", "AcmeLogistics", "Acme Logistics"));
/// world.add_user(User::new("u1", "5f1b", "Admin", "User", SystemRole::Administrator));
/// assert_eq!(world.users().count(), 1);
/// ```
#[derive(Clone, Debug, Default)]
pub struct World {
    candidates: BTreeMap<String, Candidate>,
    clients: BTreeMap<Arc<str>, Arc<Client>>,
    companies: BTreeMap<String, Company>,
    jobs: BTreeMap<String, Job>,
    keys: BTreeMap<Lookup, Key>,
    partner_apps: BTreeMap<String, PartnerApp>,
    users: BTreeMap<String, User>,
}

impl World {
    /// Makes an empty world.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Makes a small, complete world with two companies, one of them without API access, and tells
    /// its credentials; the same seed gives the same ones.
    #[must_use]
    pub fn demo(seed: u64) -> (Self, DemoCredentials) {
        demo::build(seed)
    }

    /// Adds a company, instead of an earlier one with the same id.
    pub fn add_company(&mut self, company: Company) {
        self.companies.insert(company.id.clone(), company);
    }

    /// Adds a user, instead of an earlier one with the same id.
    pub fn add_user(&mut self, user: User) {
        self.users.insert(user.id.clone(), user);
    }

    /// Adds a client, instead of an earlier one with the same id.
    pub fn add_client(&mut self, client: Client) {
        self.clients.insert(Arc::clone(&client.id), Arc::new(client));
    }

    /// Adds a partner's application, instead of an earlier one with the same id.
    pub fn add_partner_app(&mut self, app: PartnerApp) {
        self.partner_apps.insert(app.id.as_str().to_owned(), app);
    }

    /// Adds an API key.
    pub fn add_key(&mut self, key: Key) {
        self.keys.insert(lookup(key.secret.expose()), key);
    }

    /// Adds a job.
    pub fn add_job(&mut self, job: Job) {
        self.jobs.insert(job.id.clone(), job);
    }

    /// Adds a candidate.
    pub fn add_candidate(&mut self, candidate: Candidate) {
        self.candidates.insert(candidate.id.clone(), candidate);
    }

    /// Revokes a client in the Credential Manager: its secret and all its tokens are worth nothing
    /// from now on. Tells whether there was one.
    pub fn revoke_client(&mut self, client_id: &str) -> bool {
        self.clients.remove(client_id).is_some()
    }

    /// Revokes an API key; tells whether there was one.
    pub fn revoke_key(&mut self, key: &Secret) -> bool {
        self.keys.remove(&lookup(key.expose())).is_some()
    }

    /// Deletes a user, which breaks every grant that the user gave; tells whether there was one.
    pub fn delete_user(&mut self, user_id: &str) -> bool {
        self.users.remove(user_id).is_some()
    }

    /// Returns the companies in the order of their ids.
    pub fn companies(&self) -> impl Iterator<Item = &Company> {
        self.companies.values()
    }

    /// Returns the users in the order of their ids.
    pub fn users(&self) -> impl Iterator<Item = &User> {
        self.users.values()
    }

    /// Returns the clients in the order of their ids.
    pub fn clients(&self) -> impl Iterator<Item = &Client> {
        self.clients.values().map(AsRef::as_ref)
    }

    /// Returns the applications of partners in the order of their ids.
    pub fn partner_apps(&self) -> impl Iterator<Item = &PartnerApp> {
        self.partner_apps.values()
    }

    /// Returns the jobs in the order of their ids.
    pub fn jobs(&self) -> impl Iterator<Item = &Job> {
        self.jobs.values()
    }

    /// Returns the candidates in the order of their ids.
    pub fn candidates(&self) -> impl Iterator<Item = &Candidate> {
        self.candidates.values()
    }

    /// Returns the client of an id.
    #[must_use]
    pub fn client(&self, client_id: &str) -> Option<&Client> {
        self.clients.get(client_id).map(AsRef::as_ref)
    }

    /// Returns the company of an id.
    #[must_use]
    pub fn company(&self, company_id: &str) -> Option<&Company> {
        self.companies.get(company_id)
    }

    /// Returns the partner's application of an id.
    #[must_use]
    pub fn partner_app(&self, app_id: &str) -> Option<&PartnerApp> {
        self.partner_apps.get(app_id)
    }

    /// Returns the user of an id.
    #[must_use]
    pub fn user(&self, user_id: &str) -> Option<&User> {
        self.users.get(user_id)
    }

    /// The client of an id, to hold on to while the rest of the world is at work.
    pub(crate) fn shared_client(&self, client_id: &str) -> Option<&Arc<Client>> {
        self.clients.get(client_id)
    }

    pub(crate) fn keys(&self) -> impl Iterator<Item = &Key> {
        self.keys.values()
    }

    pub(crate) fn key(&self, secret: &Lookup) -> Option<&Key> {
        self.keys.get(secret)
    }

    pub(crate) fn job(&self, job_id: &str) -> Option<&Job> {
        self.jobs.get(job_id)
    }

    pub(crate) fn job_mut(&mut self, job_id: &str) -> Option<&mut Job> {
        self.jobs.get_mut(job_id)
    }

    /// Tells whether a secret of a client or a key stands anywhere in a text; one of fewer than
    /// eight bytes is in too many.
    pub(crate) fn has_secret(&self, text: &str) -> bool {
        let keys = self.keys.values().map(|key| &key.secret);
        let clients = self.clients.values();
        let clients =
            clients.flat_map(|it| [Some(&it.secret), it.also.as_ref()].into_iter().flatten());
        let mut secrets = keys.chain(clients);
        secrets.any(|secret| secret.expose().len() >= 8 && text.contains(secret.expose()))
    }
}
