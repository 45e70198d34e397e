//! A sandbox, a counting transport, and sources over them.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use http::Request;
use http::header::LOCATION;
use sr_auth_core::grant::{AuthorizationRequest, AuthorizationSettings};
use sr_auth_core::store::GrantKey;
use sr_auth_core::wire::callback::Callback;
use sr_auth_core::{FingerprintKey, SecretBytes, TokenSet};
use sr_auth_http::{
    Clock, Limits, ReqwestTransport, TokenClient, TokenSource, TokenSourceBuilder, TokenSources,
    TokenSourcesBuilder, Transport, entropy,
};
use sr_auth_store::Store;
use sr_testkit::{AutoDecision, Sandbox, SandboxSettings};

use crate::counted::Counted;

pub(crate) struct Scene {
    pub(crate) sandbox: Sandbox,
    pub(crate) transport: Arc<Counted>,
}

impl Scene {
    pub(crate) async fn start() -> Self {
        let mut settings = SandboxSettings::default();
        settings.switches.auto_decision = AutoDecision::Authorize;
        let sandbox = Sandbox::start(settings).await.unwrap();
        Self { sandbox, transport: Counted::new() }
    }

    fn transport(&self) -> Arc<dyn Transport> {
        Arc::clone(&self.transport) as Arc<dyn Transport>
    }

    /// Returns how many token requests the sandbox received.
    pub(crate) fn token_requests(&self) -> usize {
        self.sandbox.with(|it| it.journal().filter(|it| it.path.ends_with("/token")).count())
    }

    /// A source of client credentials.
    pub(crate) fn service(&self) -> TokenSourceBuilder {
        TokenSource::client_credentials(self.sandbox.credentials().service().clone())
            .endpoints(self.sandbox.endpoints().unwrap())
            .transport(self.transport())
    }

    /// The source of a user's grant.
    pub(crate) fn user(&self, store: Store) -> TokenSourceBuilder {
        let client = self.sandbox.credentials().application().clone();
        TokenSource::authorization_code(client, key("planner/acme"))
            .endpoints(self.sandbox.endpoints().unwrap())
            .store(store, FingerprintKey::new([7; 32]))
            .transport(self.transport())
    }

    /// Many companies with client credentials of their own.
    pub(crate) fn companies(&self) -> TokenSourcesBuilder {
        TokenSources::client_credentials()
            .endpoints(self.sandbox.endpoints().unwrap())
            .transport(self.transport())
    }

    /// Many users' grants.
    pub(crate) fn users(&self, store: Store) -> TokenSourcesBuilder {
        TokenSources::authorization_code(self.sandbox.credentials().application().clone())
            .endpoints(self.sandbox.endpoints().unwrap())
            .store(store, FingerprintKey::new([7; 32]))
            .transport(self.transport())
    }

    /// Lets a user agree, and exchanges the code, past the counting transport.
    pub(crate) async fn consent(&self) -> TokenSet {
        let credentials = self.sandbox.credentials();
        let endpoints = self.sandbox.endpoints().unwrap();
        let settings = AuthorizationSettings::new(
            credentials.application().clone(),
            endpoints.clone(),
            credentials.redirect_uri().clone(),
        );
        let clock = Clock::system();
        let request = AuthorizationRequest::new(&settings, entropy().unwrap(), clock.now());
        let request = request.unwrap();
        let visit = Request::get(request.url()).body(SecretBytes::default()).unwrap();
        let limits = Limits::new(Duration::from_secs(10), Duration::from_secs(10), 64 * 1024);
        let browser =
            Arc::new(ReqwestTransport::builder().without_root_certificates().build().unwrap());
        let back = browser.send(visit, limits).await.unwrap();
        let callback = Callback::new(back.headers()[LOCATION].to_str().unwrap());
        let grant = request.into_pending().accept(&settings, &callback, clock.now()).unwrap();
        let client = TokenClient::builder(credentials.application().clone());
        let client = client.endpoints(endpoints).transport(browser).build().unwrap();
        client.authorization_code(grant).await.unwrap()
    }
}

pub(crate) fn key(text: &str) -> GrantKey {
    GrantKey::new(text).unwrap()
}

/// A store in memory that takes what works once, as tests may.
pub(crate) fn memory() -> Store {
    Store::in_memory().unwrap().accept_volatile()
}

/// Waits until something has come true; a minute at most.
pub(crate) async fn until(what: &str, is_true: impl Fn() -> bool) {
    let wait = async {
        while !is_true() {
            tokio::task::yield_now().await;
        }
    };
    in_time(what, wait).await;
}

/// Waits a minute at most.
pub(crate) async fn in_time<T>(what: &str, future: impl Future<Output = T>) -> T {
    let outcome = tokio::time::timeout(Duration::from_secs(60), future).await;
    assert!(outcome.is_ok(), "not in time: {what}");
    outcome.unwrap()
}
