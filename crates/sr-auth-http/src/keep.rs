//! The settings of whatever keeps tokens.

use std::sync::Arc;
use std::time::Duration;

use sr_auth_core::store::Renewal;
use sr_auth_core::{ConfigError, Endpoints, Fault, FingerprintKey, Setting, TokenEndpoint, fleet};
use sr_auth_store::Store;

use crate::entropy::random;
use crate::runtime::Parts;
use crate::token_client::default_transport;
use crate::{Clock, TokenSource, Transport};

/// What [`TokenSourceBuilder`](crate::TokenSourceBuilder) and
/// [`TokenSourcesBuilder`](crate::TokenSourcesBuilder) have in common.
#[derive(Debug)]
pub(crate) struct Keep {
    clock: Clock,
    endpoints: Endpoints,
    settings: fleet::Settings,
    store: Option<(Store, FingerprintKey)>,
    transport: Option<Arc<dyn Transport>>,
    wait_within: Duration,
}

impl Default for Keep {
    fn default() -> Self {
        Self {
            clock: Clock::system(),
            endpoints: Endpoints::production(),
            settings: fleet::Settings::default(),
            store: None,
            transport: None,
            wait_within: TokenSource::WAIT_WITHIN,
        }
    }
}

impl Keep {
    pub(crate) fn clock(self, clock: Clock) -> Self {
        Self { clock, ..self }
    }

    pub(crate) fn endpoints(self, endpoints: Endpoints) -> Self {
        Self { endpoints, ..self }
    }

    pub(crate) fn settings(self, settings: fleet::Settings) -> Self {
        Self { settings, ..self }
    }

    pub(crate) fn store(self, store: Store, fingerprints: FingerprintKey) -> Self {
        Self { store: Some((store, fingerprints)), ..self }
    }

    pub(crate) fn transport(self, transport: Arc<dyn Transport>) -> Self {
        Self { transport: Some(transport), ..self }
    }

    pub(crate) fn wait_within(self, wait_within: Duration) -> Self {
        Self { wait_within, ..self }
    }

    pub(crate) fn token_endpoint(&self) -> TokenEndpoint {
        self.endpoints.token().clone()
    }

    /// Completes what was not set. A store that may forget is refused for grants whose refresh token
    /// works once.
    pub(crate) fn into_parts(self, renewal: Renewal) -> Result<Parts, ConfigError> {
        let error = |fault| ConfigError::new(Setting::Store, fault);
        let (store, fingerprints) = match (self.store, renewal) {
            (Some((store, _)), Renewal::SingleUse) if !store.takes_single_use() => {
                return Err(error(Fault::Volatile));
            }
            (Some(it), _) => it,
            (None, Renewal::SingleUse) => return Err(error(Fault::Missing)),
            (None, Renewal::Repeatable) => {
                let clock = self.clock.clone();
                let store = Store::in_memory_with_clock(move || clock.now());
                let key = random().map_err(|_| error(Fault::Unavailable))?;
                (store.map_err(|_| error(Fault::Unavailable))?, FingerprintKey::new(key))
            }
        };
        let transport = match self.transport {
            Some(transport) => transport,
            None => default_transport()?,
        };
        Ok(Parts {
            clock: self.clock,
            fingerprints,
            settings: self.settings,
            store,
            transport,
            wait_within: self.wait_within,
        })
    }
}
