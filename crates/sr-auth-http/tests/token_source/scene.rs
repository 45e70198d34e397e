//! A sandbox, a recording transport, and what to do with them.

use std::sync::Arc;
use std::time::Duration;

use http::Request;
use http::header::LOCATION;
use sr_auth_core::grant::{
    AuthorizationCodeGrant, AuthorizationRequest, AuthorizationSettings, RetryPolicy,
};
use sr_auth_core::wire::callback::Callback;
use sr_auth_core::{ClientCredentials, SecretBytes, TokenSet};
use sr_auth_http::{ApiClient, Clock, Limits, TokenClient, TokenSource, Transport, entropy};
use sr_testkit::{AutoDecision, Sandbox, SandboxSettings};

use crate::recorder::Recorder;

pub(crate) struct Scene {
    pub(crate) recorder: Arc<Recorder>,
    pub(crate) sandbox: Sandbox,
}

impl Scene {
    pub(crate) async fn start() -> Self {
        let mut settings = SandboxSettings::default();
        settings.switches.auto_decision = AutoDecision::Authorize;
        let sandbox = Sandbox::start(settings).await.unwrap();
        Self { recorder: Recorder::new(), sandbox }
    }

    /// Returns how many requests of the grants the sandbox received.
    pub(crate) fn token_requests(&self) -> usize {
        self.sandbox.with(|it| it.journal().filter(|it| it.path.ends_with("/token")).count())
    }

    pub(crate) fn source(&self, client: &ClientCredentials) -> TokenSource {
        self.client(client).into()
    }

    pub(crate) fn client(&self, client: &ClientCredentials) -> TokenClient {
        TokenClient::builder(client.clone())
            .endpoints(self.sandbox.endpoints().unwrap())
            .retry(quick())
            .transport(Arc::clone(&self.recorder) as Arc<dyn Transport>)
            .build()
            .unwrap()
    }

    pub(crate) fn api(&self, source: TokenSource) -> ApiClient {
        let transport = Arc::clone(&self.recorder) as Arc<dyn Transport>;
        ApiClient::new(self.sandbox.endpoints().unwrap().api().clone(), source, transport)
    }

    /// Lets a user agree, and returns the grant that the callback began.
    pub(crate) async fn consent(&self) -> AuthorizationCodeGrant {
        let credentials = self.sandbox.credentials();
        let settings = AuthorizationSettings::new(
            credentials.application().clone(),
            self.sandbox.endpoints().unwrap(),
            credentials.redirect_uri().clone(),
        )
        .with_retry(quick());
        let clock = Clock::system();
        let request = AuthorizationRequest::new(&settings, entropy().unwrap(), clock.now());
        let request = request.unwrap();
        let visit = Request::get(request.url()).body(SecretBytes::default()).unwrap();
        let limits = Limits::new(Duration::from_secs(10), Duration::from_secs(10), 64 * 1024);
        // The browser is no part of the application: its requests are not recorded.
        let browser =
            sr_auth_http::ReqwestTransport::builder().without_root_certificates().build().unwrap();
        let back = browser.send(visit, limits).await.unwrap();
        let callback = Callback::new(back.headers()[LOCATION].to_str().unwrap());
        request.into_pending().accept(&settings, &callback, clock.now()).unwrap()
    }

    /// Lets a user agree, and exchanges the code.
    pub(crate) async fn authorize(&self) -> TokenSet {
        let client = self.client(self.sandbox.credentials().application());
        client.authorization_code(self.consent().await).await.unwrap()
    }
}

/// Three attempts, without waiting between them.
fn quick() -> RetryPolicy {
    let pause = Duration::from_millis(1);
    RetryPolicy::default().with_pauses(pause, pause).unwrap()
}
