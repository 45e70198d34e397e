//! The settings of a service.

use std::sync::Arc;

use sr_auth_core::{Endpoints, Fault};
use sr_auth_http::{Clock, Transport};
use sr_auth_store::Store;
use sr_partner::consent::{RedirectOrigins, TicketKey};
use sr_partner::exchange::{ExchangeSettings, ExchangeSpans, Reconciliation, Verification};
use sr_partner::inbound::TokenIssuer;
use sr_partner::registration::{AppRegistration, InboundUrls, MasterCredentials};
use sr_partner::{PartnerConfigError, PartnerSetting, Profile};
use url::Url;

use super::{PartnerService, Paths, Shared};
use crate::PartnerHooks;
use crate::peers::Peers;
use crate::routes::DELETION_PATH;
use crate::running::Running;

/// Settings of a [`PartnerService`]; see [`PartnerService::builder`].
#[derive(Debug)]
pub struct PartnerServiceBuilder {
    clock: Clock,
    endpoints: Endpoints,
    issuer: TokenIssuer,
    master: MasterCredentials,
    origins: RedirectOrigins,
    peers: Peers,
    profile: Profile,
    reconciliation: Reconciliation,
    registration: AppRegistration,
    spans: ExchangeSpans,
    store: Store,
    transport: Arc<dyn Transport>,
    verification: Verification,
}

impl PartnerServiceBuilder {
    pub(super) fn new(
        registration: AppRegistration,
        master: MasterCredentials,
        store: Store,
        transport: Arc<dyn Transport>,
    ) -> Self {
        Self {
            clock: Clock::system(),
            endpoints: Endpoints::production(),
            issuer: TokenIssuer::default(),
            master,
            origins: RedirectOrigins::production(),
            peers: Peers::Direct,
            profile: Profile::default(),
            reconciliation: Reconciliation::default(),
            registration,
            spans: ExchangeSpans::default(),
            store,
            transport,
            verification: Verification::default(),
        }
    }

    /// Sets the clock; the system's by default.
    #[must_use]
    pub fn clock(self, clock: Clock) -> Self {
        Self { clock, ..self }
    }

    /// Sets the addresses of SmartRecruiters; production by default.
    #[must_use]
    pub fn endpoints(self, endpoints: Endpoints) -> Self {
        Self { endpoints, ..self }
    }

    /// Sets what our token endpoint promises.
    #[must_use]
    pub fn issuer(self, issuer: TokenIssuer) -> Self {
        Self { issuer, ..self }
    }

    /// Sets the origins of SmartRecruiters' own pages: where a browser may go back to, and who may
    /// show the consent page in a frame. Production by default.
    #[must_use]
    pub fn origins(self, origins: RedirectOrigins) -> Self {
        Self { origins, ..self }
    }

    /// Sets who is at the other end of a connection; clients themselves by default.
    #[must_use]
    pub fn peers(self, peers: Peers) -> Self {
        Self { peers, ..self }
    }

    /// Sets which exchange it is; the general one by default.
    #[must_use]
    pub fn profile(self, profile: Profile) -> Self {
        Self { profile, ..self }
    }

    /// Sets what is done when the answer to the request for credentials was lost.
    #[must_use]
    pub fn reconciliation(self, reconciliation: Reconciliation) -> Self {
        Self { reconciliation, ..self }
    }

    /// Sets how long an exchange waits for what.
    #[must_use]
    pub fn spans(self, spans: ExchangeSpans) -> Self {
        Self { spans, ..self }
    }

    /// Sets how it is found out which company new credentials open; its owner confirms by default.
    #[must_use]
    pub fn verification(self, verification: Verification) -> Self {
        Self { verification, ..self }
    }

    /// Makes the service. `key` signs the forms of the consent page: 32 random bytes that all
    /// processes of the application share.
    ///
    /// # Errors
    ///
    /// - [`PartnerSetting::AppId`]: the registration names another application than the master
    ///   credentials do.
    /// - [`PartnerSetting::OauthTokenUrl`] and [`PartnerSetting::CallbackUrl`]: two of the addresses
    ///   have the same path, or one has a query.
    pub fn build(
        self,
        hooks: impl PartnerHooks + 'static,
        key: TicketKey,
    ) -> Result<PartnerService, PartnerConfigError> {
        let app = self.master.app().clone();
        if self.registration.app().is_some_and(|it| *it != app) {
            return Err(PartnerConfigError::new(PartnerSetting::AppId, Fault::OutOfRange));
        }
        let mut exchange = ExchangeSettings::new(&self.endpoints)
            .with_profile(self.profile)
            .with_reconciliation(self.reconciliation)
            .with_spans(self.spans)
            .with_verification(self.verification);
        if let Some(granted) = self.registration.granted_scopes() {
            exchange = exchange.calling_us(granted.clone());
        }
        let paths = paths(&self.registration, self.profile)?;
        let shared = Shared {
            app,
            clock: self.clock,
            endpoints: self.endpoints,
            exchange,
            hooks: Arc::new(hooks),
            issuer: self.issuer,
            key,
            master: self.master.client().clone(),
            origins: self.origins,
            paths,
            peers: self.peers,
            profile: self.profile,
            registration: self.registration,
            running: Running::default(),
            store: self.store,
            transport: self.transport,
        };
        Ok(PartnerService(Arc::new(shared)))
    }
}

fn paths(app: &AppRegistration, profile: Profile) -> Result<Paths, PartnerConfigError> {
    let consent = parse(app.consent_url(), PartnerSetting::ConsentUrl)?;
    let origin = consent.origin().ascii_serialization();
    let consent = consent.path().to_owned();
    let token = app.inbound().map(InboundUrls::oauth_token_url);
    let token = token.map(|it| path(it, PartnerSetting::OauthTokenUrl)).transpose()?;
    let callback = app.inbound().and_then(InboundUrls::callback_url);
    let callback = callback.map(|it| path(it, PartnerSetting::CallbackUrl)).transpose()?;
    let style = crate::page::style_path(&consent);
    let taken = |path: &str| {
        let deletion = profile == Profile::Assessment && path.starts_with(DELETION_PATH);
        path == consent || path == style || deletion
    };
    let error = |setting| Err(PartnerConfigError::new(setting, Fault::Reserved));
    match (&token, &callback) {
        (Some(token), _) if taken(token) => error(PartnerSetting::OauthTokenUrl),
        (_, Some(callback)) if taken(callback) => error(PartnerSetting::CallbackUrl),
        (Some(token), Some(callback)) if token == callback => error(PartnerSetting::CallbackUrl),
        _ => Ok(Paths { callback, consent, origin, token }),
    }
}

/// Returns the path of an address that SmartRecruiters calls: one with a query could not be told
/// from credentials in the address.
fn path(url: &str, setting: PartnerSetting) -> Result<String, PartnerConfigError> {
    let url = parse(url, setting)?;
    match url.query() {
        None => Ok(url.path().to_owned()),
        Some(_) => Err(PartnerConfigError::new(setting, Fault::Reserved)),
    }
}

fn parse(url: &str, setting: PartnerSetting) -> Result<Url, PartnerConfigError> {
    Url::parse(url).map_err(|_| PartnerConfigError::new(setting, Fault::NotAUrl))
}
