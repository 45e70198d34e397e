//! The settings of a token client.

use std::sync::Arc;

use sr_auth_core::grant::RetryPolicy;
use sr_auth_core::wire::token_request;
use sr_auth_core::{ClientCredentials, ConfigError, Endpoints};

use super::TokenClient;
use crate::{Clock, Transport};

/// Settings of a [`TokenClient`]; see [`TokenClient::builder`].
#[derive(Debug)]
pub struct TokenClientBuilder {
    client: ClientCredentials,
    clock: Clock,
    endpoints: Endpoints,
    retry: RetryPolicy,
    transport: Option<Arc<dyn Transport>>,
}

impl TokenClientBuilder {
    pub(super) fn new(client: ClientCredentials) -> Self {
        Self {
            client,
            clock: Clock::system(),
            endpoints: Endpoints::production(),
            retry: RetryPolicy::default(),
            transport: None,
        }
    }

    /// Sets the clock; the system's by default.
    #[must_use]
    pub fn clock(self, clock: Clock) -> Self {
        Self { clock, ..self }
    }

    /// Sets the addresses; production by default.
    #[must_use]
    pub fn endpoints(self, endpoints: Endpoints) -> Self {
        Self { endpoints, ..self }
    }

    /// Sets how often requests are repeated and how long answers are awaited. Its jitter is drawn
    /// anew for each grant.
    #[must_use]
    pub fn retry(self, retry: RetryPolicy) -> Self {
        Self { retry, ..self }
    }

    /// Sets the transport; by default [`ReqwestTransport`](crate::ReqwestTransport), where the
    /// feature `reqwest` is on.
    #[must_use]
    pub fn transport(self, transport: Arc<dyn Transport>) -> Self {
        Self { transport: Some(transport), ..self }
    }

    /// Makes the client.
    ///
    /// # Errors
    ///
    /// About the default transport only:
    /// [`Fault::Unavailable`](sr_auth_core::Fault::Unavailable) when TLS cannot be set up, and
    /// [`Fault::Missing`](sr_auth_core::Fault::Missing) when there is none, without the feature
    /// `reqwest`.
    pub fn build(self) -> Result<TokenClient, ConfigError> {
        let transport = match self.transport {
            Some(transport) => transport,
            None => default_transport()?,
        };
        let request = token_request::client_credentials(&self.client, self.endpoints.token());
        Ok(TokenClient {
            client: self.client,
            clock: self.clock,
            endpoints: self.endpoints,
            request: Arc::new(request),
            retry: self.retry,
            transport,
        })
    }
}

#[cfg(feature = "reqwest")]
pub(crate) fn default_transport() -> Result<Arc<dyn Transport>, ConfigError> {
    Ok(Arc::new(crate::ReqwestTransport::new()?))
}

#[cfg(not(feature = "reqwest"))]
pub(crate) fn default_transport() -> Result<Arc<dyn Transport>, ConfigError> {
    use sr_auth_core::{Fault, Setting};
    Err(ConfigError::new(Setting::Transport, Fault::Missing))
}
