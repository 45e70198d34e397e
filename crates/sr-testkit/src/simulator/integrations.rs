//! The exchange of credentials with partners, and SmartRecruiters as a caller of their endpoints.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{Method, Request, Response, StatusCode};
use serde::Deserialize;
use serde_json::json;
use sr_auth_core::{Secret, SecretBytes, Timestamp};
use sr_partner::{AppId, CompanyId, IntegrationKey, Profile};

use super::Simulator;
use super::access::{Caller, Identified};
use super::answer::{self, Handled};
use super::fingerprint::Fingerprint;
use super::partner_call::{self, PartnerCall, PartnerCallRecord};
use super::switches::{PartnerAuthentication, RepeatedIntegration, UnconsentedIntegration};
use crate::world::{Client, ClientKind, PartnerApp, SystemRole};

/// What customers have agreed to, and what came of it.
#[derive(Debug, Default)]
pub(super) struct Integrations {
    /// Calls of partners that somebody has asked for, and nobody has made yet.
    pub(super) calls: VecDeque<PartnerCall>,
    consents: BTreeSet<IntegrationKey>,
    /// How often a partner has exchanged credentials.
    exchanges: BTreeMap<IntegrationKey, u64>,
    live: BTreeMap<IntegrationKey, Vec<Live>>,
    /// What became of the last ones.
    pub(super) records: VecDeque<PartnerCallRecord>,
}

/// One integration of one company.
#[derive(Clone, Debug)]
struct Live {
    client: String,
    id: String,
    ours: Option<PartnerPair>,
}

/// The pair that a partner sent.
#[derive(Clone, Debug)]
struct PartnerPair {
    id: String,
    secret: Secret,
}

/// One integration, as SmartRecruiters sees it.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct IntegrationView {
    /// The id of the client that the partner acts with.
    pub client_id: String,
    /// The id of the integration.
    pub integration_id: String,
    /// The id of the client that SmartRecruiters acts with at the partner.
    pub partner_client_id: Option<String>,
    /// Names the secret that goes with it.
    pub partner_secret: Option<Fingerprint>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Body {
    app_id: Option<String>,
    company_id: Option<String>,
    client_id: Option<String>,
    client_secret: Option<String>,
}

impl Simulator {
    /// Has a customer's administrator connect an application: the consent without which the partner
    /// cannot exchange credentials. Tells whether there is such a company and such an application.
    pub fn consent_to(&mut self, app: &AppId, company: &CompanyId) -> bool {
        let known = self.world.company(company.as_str()).is_some();
        if known && self.world.partner_app(app.as_str()).is_some() {
            let key = IntegrationKey { app: app.clone(), company: company.clone() };
            self.integrations.consents.insert(key);
            return true;
        }
        false
    }

    /// Has the administrator disable it: the company's credentials are worth nothing from now on, and
    /// the consent is gone. Returns the integrations that ended; the partner learns of it by
    /// [`disable_requests`](Self::disable_requests).
    pub fn disable_integration(&mut self, key: &IntegrationKey) -> Vec<IntegrationView> {
        self.integrations.consents.remove(key);
        let ended = self.integrations.live.remove(key).unwrap_or_default();
        for live in &ended {
            self.world.revoke_client(&live.client);
        }
        ended.iter().map(view).collect()
    }

    /// Tells whether a customer's administrator has connected an application, whatever has come of
    /// it.
    pub(super) fn has_consent(&self, key: &IntegrationKey) -> bool {
        self.integrations.consents.contains(key)
    }

    /// Counts the exchanges of credentials that were answered with some.
    pub(super) fn exchanges(&self, key: &IntegrationKey) -> u64 {
        self.integrations.exchanges.get(key).copied().unwrap_or_default()
    }

    /// Returns the integrations of a company, the newest last.
    #[must_use]
    pub fn integrations(&self, key: &IntegrationKey) -> Vec<IntegrationView> {
        self.integrations.live.get(key).into_iter().flatten().map(view).collect()
    }

    /// Writes the request with which SmartRecruiters asks the partner for a token, with the newest
    /// pair that it was sent. `None` when the partner has no endpoint or sent no pair.
    #[must_use]
    pub fn partner_token_request(&self, key: &IntegrationKey) -> Option<Request<SecretBytes>> {
        let url = self.world.partner_app(key.app.as_str())?.inbound()?.oauth_token_url();
        let live = self.integrations.live.get(key)?;
        let pair = live.iter().rev().find_map(|it| it.ours.as_ref())?;
        Some(token_request(url, pair, self.switches.partner_authentication))
    }

    /// Writes what SmartRecruiters sends when a customer disables an integration: first the request
    /// for a token, and then the notification with it. Call it before
    /// [`disable_integration`](Self::disable_integration).
    #[must_use]
    pub fn disable_requests(&self, key: &IntegrationKey) -> Option<DisableRequests> {
        let app = self.world.partner_app(key.app.as_str())?;
        let callback = app.inbound()?.callback_url()?.to_owned();
        Some(DisableRequests { callback, token: self.partner_token_request(key)? })
    }

    /// Answers `POST …/integrations`, or its Assessment sibling; `None` for another path.
    pub(super) fn integration(
        &mut self,
        now: Timestamp,
        request: &Request<SecretBytes>,
    ) -> Option<Handled> {
        let path = request.uri().path();
        let in_path = path.strip_prefix(Profile::ASSESSMENT_PATH);
        if path != Profile::GENERAL_PATH && in_path.is_none() {
            return None;
        }
        if request.method() != Method::POST {
            let response = answer::method_not_allowed("POST");
            return Some(Handled::new(response).because("an exchange is posted"));
        }
        let identified = match self.identify(now, request) {
            Ok(identified) => identified,
            Err(why) => return Some(self.nobody(why)),
        };
        let Identified { caller, fingerprint, .. } = identified;
        let Caller::Master(app) = caller else {
            let response = answer::message(StatusCode::FORBIDDEN, "Access denied");
            let handled = Handled::new(response).because("not a token of master credentials");
            return Some(handled.by(Some(fingerprint)));
        };
        Some(self.exchange_credentials(&app, in_path, request).by(Some(fingerprint)))
    }

    fn exchange_credentials(
        &mut self,
        app: &str,
        in_path: Option<&str>,
        request: &Request<SecretBytes>,
    ) -> Handled {
        let refused = |status, reason: &'static str| {
            Handled::new(answer::coded(status, "INTEGRATION_REFUSED", reason)).because(reason)
        };
        let bad = StatusCode::BAD_REQUEST;
        let Ok(body) = serde_json::from_slice::<Body>(request.body().expose()) else {
            return refused(bad, "the body cannot be read");
        };
        let company = in_path.map(str::to_owned).or(body.company_id);
        let named = in_path.map(|_| app.to_owned()).or(body.app_id);
        if named.as_deref() != Some(app) {
            return refused(StatusCode::FORBIDDEN, "the application is not that of the token");
        }
        let company = company.and_then(|it| CompanyId::new(&it).ok());
        let (Ok(app), Some(company)) = (AppId::new(app), company) else {
            return refused(bad, "appId and companyId are needed");
        };
        let ours = match (body.client_id, body.client_secret) {
            (None, None) => None,
            (Some(id), Some(secret)) => Some(PartnerPair { id, secret: Secret::new(secret) }),
            _ => return refused(bad, "clientId and clientSecret belong together"),
        };
        let key = IntegrationKey { app, company };
        if !self.integrations.consents.contains(&key) {
            let status = match self.switches.unconsented_integration {
                UnconsentedIntegration::Accepted => None,
                UnconsentedIntegration::Forbidden => Some(StatusCode::FORBIDDEN),
                UnconsentedIntegration::NotFound => Some(StatusCode::NOT_FOUND),
            };
            if let Some(status) = status {
                return refused(status, "the company has not connected the application");
            }
        }
        let same_pair = ours.as_ref().filter(|ours| self.integrations.knows(&key, &ours.id));
        if same_pair.is_some() {
            return refused(bad, "clientId is not unique among the integrations");
        }
        let handled = self.trade(key.clone(), ours);
        if handled.reason.is_none() {
            *self.integrations.exchanges.entry(key).or_default() += 1;
        }
        handled
    }

    fn trade(&mut self, key: IntegrationKey, ours: Option<PartnerPair>) -> Handled {
        let live = self.integrations.live.get(&key).cloned().unwrap_or_default();
        match (live.last(), self.switches.repeated_integration) {
            (Some(_), RepeatedIntegration::Refused) => {
                let text = "the integration exists";
                let response = answer::coded(StatusCode::CONFLICT, "INTEGRATION_EXISTS", text);
                return Handled::new(response).because(text);
            }
            (Some(last), RepeatedIntegration::Same) => {
                let last = Live { ours, ..last.clone() };
                let response = self.answered(&last);
                if let Some(kept) =
                    self.integrations.live.get_mut(&key).and_then(|it| it.last_mut())
                {
                    *kept = last;
                }
                return Handled::new(response);
            }
            (Some(_), RepeatedIntegration::Replaces) => {
                for old in &live {
                    self.world.revoke_client(&old.client);
                }
                self.integrations.live.remove(&key);
            }
            (Some(_), RepeatedIntegration::Adds) | (None, _) => {}
        }
        let (client, secret) = (self.secrets.hex(32), Secret::new(self.secrets.hex(32)));
        let app = self.world.partner_app(key.app.as_str());
        let scopes = app.map(|it| it.scopes.clone()).unwrap_or_default();
        let name = app.and_then(PartnerApp::registration).map_or(key.app.as_str(), |it| it.name());
        let (company, role) = (key.company.as_str(), SystemRole::Administrator);
        let service = Client::service(&client, secret, name, company, role, scopes)
            .with_description("Integration of a partner");
        self.world.add_client(service);
        let new = Live { client, id: self.secrets.uuid(), ours };
        let response = self.answered(&new);
        self.integrations.live.entry(key).or_default().push(new);
        Handled::new(response)
    }

    fn answered(&self, live: &Live) -> Response<SecretBytes> {
        let secret = self.world.client(&live.client).map(|it| it.secret.expose().to_owned());
        let members = [
            ("clientId", json!(live.client)),
            ("clientSecret", json!(secret)),
            ("integrationId", json!(live.id)),
        ];
        answer::uncached_object(StatusCode::OK, &members)
    }

    /// Who a token of master credentials speaks for.
    pub(super) fn master_of(client: &Client) -> Option<Caller> {
        match &client.kind {
            ClientKind::Master { app } => Some(Caller::Master(app.clone())),
            ClientKind::Application { .. } | ClientKind::Service { .. } => None,
        }
    }
}

impl Integrations {
    /// Tells whether a partner has sent this client id before, for another exchange of a live
    /// integration of its application.
    fn knows(&self, key: &IntegrationKey, client_id: &str) -> bool {
        let others = self.live.iter().filter(|(it, _)| it.app == key.app && *it != key);
        others
            .flat_map(|(_, live)| live)
            .any(|it| it.ours.as_ref().is_some_and(|it| it.id == client_id))
    }
}

/// What SmartRecruiters sends when a customer disables an integration.
#[derive(Debug)]
pub struct DisableRequests {
    callback: String,
    token: Request<SecretBytes>,
}

impl DisableRequests {
    /// Returns the request for a token.
    #[must_use]
    pub const fn token(&self) -> &Request<SecretBytes> {
        &self.token
    }

    /// Writes the notification, with the token that the partner answered.
    #[must_use]
    pub fn notification(&self, answer: &Response<SecretBytes>) -> Option<Request<SecretBytes>> {
        let token = partner_call::granted(answer)?;
        let body = br#"{"eventType":"INTEGRATION_DISABLED"}"#.to_vec();
        Request::post(&self.callback)
            .header(AUTHORIZATION, format!("Bearer {}", token.expose()))
            .header(CONTENT_TYPE, "application/json")
            .body(SecretBytes::new(body))
            .ok()
    }
}

fn token_request(
    url: &str,
    pair: &PartnerPair,
    how: PartnerAuthentication,
) -> Request<SecretBytes> {
    use base64::Engine as _;
    let encode = super::form::encode;
    let (id, secret) = (encode(&pair.id), encode(pair.secret.expose()));
    let grant = "grant_type=client_credentials";
    let (body, header) = match how {
        PartnerAuthentication::Basic => {
            let pair = base64::engine::general_purpose::STANDARD.encode(format!("{id}:{secret}"));
            (grant.to_owned(), Some(format!("Basic {pair}")))
        }
        PartnerAuthentication::Body => {
            (format!("client_id={id}&client_secret={secret}&{grant}"), None)
        }
    };
    let mut request = Request::new(SecretBytes::new(body.into_bytes()));
    *request.method_mut() = Method::POST;
    *request.uri_mut() = url.parse().unwrap_or_default();
    let form = http::HeaderValue::from_static("application/x-www-form-urlencoded");
    request.headers_mut().insert(CONTENT_TYPE, form);
    if let Some(mut value) = header.and_then(|it| http::HeaderValue::from_str(&it).ok()) {
        value.set_sensitive(true);
        request.headers_mut().insert(AUTHORIZATION, value);
    }
    request
}

fn view(live: &Live) -> IntegrationView {
    IntegrationView {
        client_id: live.client.clone(),
        integration_id: live.id.clone(),
        partner_client_id: live.ours.as_ref().map(|it| it.id.clone()),
        partner_secret: live.ours.as_ref().map(|it| Fingerprint::of(&it.secret)),
    }
}
