//! The settings of a token source.

use std::sync::Arc;
use std::time::Duration;

use sr_auth_core::lifecycle::Application;
use sr_auth_core::store::{GrantKey, Renewal};
use sr_auth_core::{ClientCredentials, ConfigError, Endpoints, FingerprintKey, fleet};
use sr_auth_store::Store;

use super::TokenSource;
use crate::keep::Keep;
use crate::runtime::Runtime;
use crate::{Clock, Transport};

/// Settings of a [`TokenSource`] that keeps its token; see [`TokenSource::client_credentials`] and
/// [`TokenSource::authorization_code`].
#[derive(Debug)]
pub struct TokenSourceBuilder {
    client: ClientCredentials,
    keep: Keep,
    key: Option<GrantKey>,
    renewal: Renewal,
}

impl TokenSourceBuilder {
    pub(super) fn repeatable(client: ClientCredentials) -> Self {
        Self { client, keep: Keep::default(), key: None, renewal: Renewal::Repeatable }
    }

    pub(super) fn single_use(client: ClientCredentials, key: GrantKey) -> Self {
        Self { client, keep: Keep::default(), key: Some(key), renewal: Renewal::SingleUse }
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

    /// Sets the name of the grant in a store. By default client credentials are named after their
    /// client id.
    #[must_use]
    pub fn key(self, key: GrantKey) -> Self {
        Self { key: Some(key), ..self }
    }

    /// Sets the rules: margins, recovery, budget.
    #[must_use]
    pub fn settings(self, settings: fleet::Settings) -> Self {
        Self { keep: self.keep.settings(settings), ..self }
    }

    /// Sets where the grant rests; by default client credentials rest in memory. All processes that
    /// share a store share the key of its fingerprints.
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

    /// Sets how long a call waits for a header; [`TokenSource::WAIT_WITHIN`] by default.
    #[must_use]
    pub fn wait_within(self, span: Duration) -> Self {
        Self { keep: self.keep.wait_within(span), ..self }
    }

    /// Makes the source. Nothing is sent before the first call.
    ///
    /// # Errors
    ///
    /// - [`Setting::Store`](sr_auth_core::Setting::Store): a user's grant without a store, or in one
    ///   that may forget it.
    /// - [`Setting::Transport`](sr_auth_core::Setting::Transport): the default transport cannot be
    ///   set up, or there is none.
    /// - [`Setting::GrantKey`](sr_auth_core::Setting::GrantKey): the client id is no name for a
    ///   grant; set one.
    pub fn build(self) -> Result<TokenSource, ConfigError> {
        let key = match self.key {
            Some(key) => key,
            None => GrantKey::new(&format!("client_credentials/{}", self.client.id()))?,
        };
        let endpoint = self.keep.token_endpoint();
        let mut parts = self.keep.into_parts(self.renewal)?;
        // What else rests in the store may be of another application.
        parts.settings = parts.settings.with_only_opened();
        let runtime = Runtime::new(parts, false);
        let application = Application::new(self.client, endpoint);
        let place = runtime.register(application, self.renewal);
        let entry = runtime.entry(&key, place);
        if self.renewal == Renewal::SingleUse {
            // Its refresh token must not end unused, whether somebody calls or not.
            runtime.begin();
        }
        Ok(TokenSource::kept(entry, runtime))
    }
}
