//! The settings of the sources of many companies.

use std::sync::Arc;
use std::time::Duration;

use sr_auth_core::lifecycle::Application;
use sr_auth_core::store::Renewal;
use sr_auth_core::{ClientCredentials, ConfigError, Endpoints, FingerprintKey, fleet};
use sr_auth_store::Store;

use super::{Inner, TokenSources};
use crate::keep::Keep;
use crate::runtime::{Entry, Runtime};
use crate::{Clock, Transport};

/// Settings of [`TokenSources`].
#[derive(Debug)]
pub struct TokenSourcesBuilder {
    client: Option<ClientCredentials>,
    keep: Keep,
}

impl TokenSourcesBuilder {
    pub(super) fn new(client: Option<ClientCredentials>) -> Self {
        Self { client, keep: Keep::default() }
    }

    /// Sets the clock; the system's by default.
    #[must_use]
    pub fn clock(self, clock: Clock) -> Self {
        Self { keep: self.keep.clock(clock), ..self }
    }

    /// Sets the addresses; production by default.
    #[must_use]
    pub fn endpoints(self, endpoints: Endpoints) -> Self {
        Self { keep: self.keep.endpoints(endpoints), ..self }
    }

    /// Sets the rules: margins, recovery, budget, and how many companies are kept in memory.
    #[must_use]
    pub fn settings(self, settings: fleet::Settings) -> Self {
        Self { keep: self.keep.settings(settings), ..self }
    }

    /// Sets where grants rest; access tokens of client credentials rest in memory by default. All
    /// processes that share a store share the key of its fingerprints.
    #[must_use]
    pub fn store(self, store: Store, fingerprints: FingerprintKey) -> Self {
        Self { keep: self.keep.store(store, fingerprints), ..self }
    }

    /// Sets the transport; by default [`ReqwestTransport`](crate::ReqwestTransport), where the
    /// feature `reqwest` is on.
    #[must_use]
    pub fn transport(self, transport: Arc<dyn Transport>) -> Self {
        Self { keep: self.keep.transport(transport), ..self }
    }

    /// Sets how long a call waits for a header;
    /// [`TokenSource::WAIT_WITHIN`](crate::TokenSource::WAIT_WITHIN) by default.
    #[must_use]
    pub fn wait_within(self, span: Duration) -> Self {
        Self { keep: self.keep.wait_within(span), ..self }
    }

    /// Makes the sources, and begins to keep what is in the store alive.
    ///
    /// # Errors
    ///
    /// As for [`TokenSourceBuilder::build`](crate::TokenSourceBuilder::build).
    pub fn build(self) -> Result<TokenSources, ConfigError> {
        let renewal = if self.client.is_some() { Renewal::SingleUse } else { Renewal::Repeatable };
        let endpoint = self.keep.token_endpoint();
        let runtime = Runtime::new(self.keep.into_parts(renewal)?, true);
        let application = self.client.map_or(Entry::NOBODY, |client| {
            runtime.register(Application::new(client, endpoint.clone()), renewal)
        });
        runtime.begin();
        Ok(TokenSources(Arc::new(Inner { application, endpoint, runtime })))
    }
}
