//! What an administrator does on the page Apps & Integrations, and the partner team before.

use sr_auth_core::{ClientCredentials, Secret};
use sr_partner::registration::{AppRegistration, MasterCredentials};
use sr_partner::{AppId, CompanyId, IntegrationKey};
use url::Url;

use super::Simulator;
use super::partner_call::{PartnerCall, PartnerCallRecord};
use crate::world::{Client, PartnerApp};

/// How an application and a company stand to each other.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Connection {
    /// The partner has exchanged credentials.
    Connected,
    /// The administrator has agreed, and the partner has not exchanged credentials.
    Consented,
    /// Neither.
    NotConnected,
}

impl Connection {
    /// Returns its name in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Connected => "connected",
            Self::Consented => "consented",
            Self::NotConnected => "not_connected",
        }
    }
}

impl Simulator {
    /// How many records of calls to partners are kept.
    const RECORDS: usize = 200;

    /// Registers an application as the Partner & API Team does: approves what it asks for, and gives
    /// it an id, unless it has one, and master credentials. Those of an earlier registration with
    /// that id are worth nothing from now on.
    #[expect(clippy::missing_panics_doc, reason = "digits are unreserved and printable")]
    pub fn register_partner(&mut self, registration: AppRegistration) -> MasterCredentials {
        let drawn = AppId::new(&self.secrets.hex(24)).expect("digits are unreserved");
        let app = registration.app().cloned().unwrap_or(drawn);
        let masters = self.world.clients().filter(|it| it.is_master_of(&app));
        let masters: Vec<String> = masters.map(|it| it.id().to_owned()).collect();
        for id in masters {
            self.world.revoke_client(&id);
        }
        let (id, secret) = (self.secrets.hex(32), Secret::new(self.secrets.hex(32)));
        self.world.add_client(Client::master(&id, secret.clone(), &app));
        self.world.add_partner_app(PartnerApp::registered(app.clone(), registration));
        let pair = ClientCredentials::new(&id, secret).expect("digits are printable");
        MasterCredentials::new(app, pair)
    }

    /// Returns how an application and a company stand to each other.
    #[must_use]
    pub fn connection(&self, key: &IntegrationKey) -> Connection {
        match (self.integrations(key).is_empty(), self.has_consent(key)) {
            (false, _) => Connection::Connected,
            (true, true) => Connection::Consented,
            (true, false) => Connection::NotConnected,
        }
    }

    /// Has a customer's administrator connect an application: gives the consent, and returns where
    /// the browser goes now. `back` is the page that it comes from. `None` for a company or an
    /// application that does not exist or that does not see the other.
    pub fn connect(&mut self, app: &AppId, company: &CompanyId, back: &str) -> Option<Url> {
        let known = self.world.partner_app(app.as_str())?;
        if !known.is_visible_to(self.world.company(company.as_str())?) {
            return None;
        }
        let visit = known.consent_visit(company, back)?;
        self.consent_to(app, company).then_some(visit)
    }

    /// Has the administrator disable an integration, and queues what the partner is told of it: see
    /// [`poll_partner_call`](Self::poll_partner_call). Tells whether there was one.
    pub fn disable(&mut self, key: &IntegrationKey) -> bool {
        let was = self.connection(key);
        if let Some(requests) = self.disable_requests(key) {
            let call = PartnerCall::notice(key.clone(), requests, self.retries());
            self.integrations.calls.push_back(call);
        }
        self.disable_integration(key);
        was != Connection::NotConnected
    }

    /// Queues a call of the partner's own API, at a path of the host that has its `oauthTokenUrl`,
    /// with a token from there. Tells whether that can be done: it takes an integration with
    /// credentials for SmartRecruiters, and a path that begins with one `/`.
    pub fn call_partner_api(&mut self, key: &IntegrationKey, path: &str) -> bool {
        let Some(url) = self.partner_api_url(key, path) else { return false };
        let Some(token) = self.partner_token_request(key) else { return false };
        let call = PartnerCall::api(key.clone(), token, url.into(), self.retries());
        self.integrations.calls.push_back(call);
        true
    }

    /// Returns the next call of a partner, for whoever can make it.
    pub fn poll_partner_call(&mut self) -> Option<PartnerCall> {
        self.integrations.calls.pop_front()
    }

    /// Takes in what became of a request to a partner.
    pub fn note_partner_call(&mut self, record: PartnerCallRecord) {
        self.integrations.records.push_back(record);
        if self.integrations.records.len() > Self::RECORDS {
            self.integrations.records.pop_front();
        }
    }

    /// Returns what became of the last requests to partners, the oldest first.
    pub fn partner_calls(&self) -> impl DoubleEndedIterator<Item = &PartnerCallRecord> {
        self.integrations.records.iter()
    }

    fn partner_api_url(&self, key: &IntegrationKey, path: &str) -> Option<Url> {
        let inbound = self.world.partner_app(key.app.as_str())?.inbound()?;
        let base = Url::parse(inbound.oauth_token_url()).ok()?;
        let url = base.join(path).ok()?;
        (path.starts_with('/') && url.origin() == base.origin()).then_some(url)
    }

    fn retries(&self) -> u32 {
        self.switches.partner_retries.unwrap_or_default()
    }
}

impl Client {
    fn is_master_of(&self, app: &AppId) -> bool {
        match self.kind() {
            crate::world::ClientKind::Master { app: of } => of == app.as_str(),
            crate::world::ClientKind::Application { .. }
            | crate::world::ClientKind::Service { .. } => false,
        }
    }
}
