//! What all steps share: the sandbox, the parties, and the log of what they send.

use std::sync::Arc;

use http::{Request, Response};
use sr_auth_core::{AccessToken, ClientCredentials, ConfigError, Endpoints, SecretBytes};
use sr_auth_http::{
    ApiClient, ApiError, Clock, ReqwestTransport, TokenClient, TokenSource, Transport,
};
use sr_testkit::{Sandbox, SandboxSettings};

use super::user_agent::UserAgent;
use super::wire_log::{Recorder, WireLog};
use crate::exit::Failure;

/// A sandbox, an application, and a user with a browser.
#[derive(Debug)]
pub(super) struct Stage {
    /// Whether the consent is given in a real browser.
    pub(super) browser: bool,
    /// The clock of the application.
    pub(super) clock: Clock,
    /// Where everything is.
    pub(super) endpoints: Endpoints,
    /// What was sent.
    pub(super) log: WireLog,
    /// SmartRecruiters.
    pub(super) sandbox: Sandbox,
    /// The browser, as far as the demo plays it.
    pub(super) user_agent: UserAgent,
    application: Arc<dyn Transport>,
}

impl Stage {
    pub(super) async fn set(browser: bool) -> Result<Self, Failure> {
        let sandbox = Sandbox::start(SandboxSettings::default()).await?;
        let endpoints = sandbox.endpoints()?;
        let log = WireLog::default();
        // All of it is plain http on loopback: no machine needs a certificate store for that.
        let sending = ReqwestTransport::builder().without_root_certificates().build()?;
        let sending: Arc<dyn Transport> = Arc::new(sending);
        let application = Recorder::new("application", Arc::clone(&sending), &log);
        let user_agent = UserAgent::new(Recorder::new("browser", sending, &log));
        Ok(Self {
            application: Arc::new(application),
            browser,
            clock: Clock::system(),
            endpoints,
            log,
            sandbox,
            user_agent,
        })
    }

    /// Calls the API with a credential.
    pub(super) fn api(&self, source: TokenSource) -> ApiClient {
        ApiClient::new(self.endpoints.api().clone(), source, Arc::clone(&self.application))
    }

    /// Reads a resource with an access token.
    pub(super) async fn read_with(
        &self,
        token: &AccessToken,
        path: &str,
    ) -> Result<Response<SecretBytes>, ApiError> {
        let mut request = Request::new(SecretBytes::default());
        let no_url =
            || ConfigError::new(sr_auth_core::Setting::ApiPath, sr_auth_core::Fault::NotAUrl);
        *request.uri_mut() = self.endpoints.api().url(path)?.parse().map_err(|_| no_url())?;
        token.authorization().apply_to(request.headers_mut());
        self.api(TokenSource::none()).send(request).await
    }

    /// Returns a client at the token endpoint, by the application's own clock.
    pub(super) fn tokens(&self, client: &ClientCredentials) -> Result<TokenClient, Failure> {
        self.tokens_at(client, self.clock.clone())
    }

    /// Returns a client at the token endpoint, by another clock.
    pub(super) fn tokens_at(
        &self,
        client: &ClientCredentials,
        clock: Clock,
    ) -> Result<TokenClient, Failure> {
        let builder = TokenClient::builder(client.clone()).clock(clock);
        let builder = builder.endpoints(self.endpoints.clone());
        Ok(builder.transport(Arc::clone(&self.application)).build()?)
    }

    /// Returns how the application sends.
    pub(super) fn transport(&self) -> Arc<dyn Transport> {
        Arc::clone(&self.application)
    }

    /// Counts the requests that the token endpoint has received: the word of the other side.
    pub(super) fn token_requests(&self) -> usize {
        self.sandbox.with(|simulator| {
            simulator.journal().filter(|entry| entry.path == Endpoints::TOKEN_PATH).count()
        })
    }
}

/// Counts the items of a list of the API; `None` when it is none.
pub(super) fn items(response: &Response<SecretBytes>) -> Option<usize> {
    Some(json(response)?.get("content")?.as_array()?.len())
}

/// Reads an answer of the API.
pub(crate) fn json(response: &Response<SecretBytes>) -> Option<serde_json::Value> {
    serde_json::from_slice(response.body().expose()).ok()
}
