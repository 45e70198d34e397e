//! The keys that a store holds now.

use std::sync::{Arc, PoisonError, RwLock};

use crate::{KeyError, KeyService, SealingKeys};

/// The keys, and the service that may know newer ones.
#[derive(Debug)]
pub(super) struct Keyring {
    keys: RwLock<SealingKeys>,
    service: Option<Arc<dyn KeyService>>,
}

impl Keyring {
    pub(super) fn fixed(keys: SealingKeys) -> Self {
        Self { keys: RwLock::new(keys), service: None }
    }

    pub(super) async fn of_service(service: Arc<dyn KeyService>) -> Result<Self, KeyError> {
        let keys = RwLock::new(service.keys().await?);
        Ok(Self { keys, service: Some(service) })
    }

    pub(super) fn now(&self) -> SealingKeys {
        self.keys.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) const fn is_of_service(&self) -> bool {
        self.service.is_some()
    }

    /// Returns what the service knows now. One that does not answer leaves the keys as they are.
    pub(super) async fn asked_again(&self) -> SealingKeys {
        let Some(service) = &self.service else { return self.now() };
        if let Ok(keys) = service.keys().await {
            *self.keys.write().unwrap_or_else(PoisonError::into_inner) = keys;
        }
        self.now()
    }
}
