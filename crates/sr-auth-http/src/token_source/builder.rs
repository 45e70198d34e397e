//! The settings of a token source.

use std::sync::Arc;

use sr_auth_core::grant::RetryPolicy;
use sr_auth_core::{ConfigError, Endpoints};

use super::TokenSource;
use crate::{Clock, TokenClientBuilder, Transport};

/// Settings of a [`TokenSource`] that exchanges client credentials; see
/// [`TokenSource::client_credentials`].
#[derive(Debug)]
pub struct TokenSourceBuilder(TokenClientBuilder);

impl TokenSourceBuilder {
    pub(super) const fn new(client: TokenClientBuilder) -> Self {
        Self(client)
    }

    /// Sets the clock; see [`TokenClientBuilder::clock`].
    #[must_use]
    pub fn clock(self, clock: Clock) -> Self {
        Self(self.0.clock(clock))
    }

    /// Sets the addresses; see [`TokenClientBuilder::endpoints`].
    #[must_use]
    pub fn endpoints(self, endpoints: Endpoints) -> Self {
        Self(self.0.endpoints(endpoints))
    }

    /// Sets the retry policy; see [`TokenClientBuilder::retry`].
    #[must_use]
    pub fn retry(self, retry: RetryPolicy) -> Self {
        Self(self.0.retry(retry))
    }

    /// Sets the transport; see [`TokenClientBuilder::transport`].
    #[must_use]
    pub fn transport(self, transport: Arc<dyn Transport>) -> Self {
        Self(self.0.transport(transport))
    }

    /// Makes the source.
    ///
    /// # Errors
    ///
    /// As for [`TokenClientBuilder::build`].
    pub fn build(self) -> Result<TokenSource, ConfigError> {
        self.0.build().map(TokenSource::from)
    }
}
