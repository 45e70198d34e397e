//! Backends of tests: one whose records can be changed, one that keeps grants only.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use sr_auth_core::Timestamp;
use sr_auth_core::store::{Model, StoreAnswer, StoreIdentity, StoreOp};
use sr_auth_store::{Backend, BackendError, Durability, Sealed};
use sr_partner::IntegrationKey;
use sr_partner::store::{IntegrationRecord, PartnerAnswer, PartnerModel, PartnerOp};

const NOW: Timestamp = Timestamp::from_unix_secs(1_000);

/// A model that says it is durable. Clones are the same.
#[derive(Clone, Debug)]
pub(crate) struct OpenBackend(Arc<Mutex<PartnerModel<Sealed>>>);

impl OpenBackend {
    pub(crate) fn new() -> Self {
        Self(Arc::new(Mutex::new(PartnerModel::new(StoreIdentity(7)))))
    }

    /// Changes the record of a company, with that of another at hand.
    pub(crate) fn tamper(
        &self,
        key: &IntegrationKey,
        other: &IntegrationKey,
        change: impl FnOnce(&mut IntegrationRecord<Sealed>, &IntegrationRecord<Sealed>),
    ) {
        let mut model = self.0.lock().unwrap();
        let record = |key| model.record(key).unwrap().clone();
        let (mut changed, other) = (record(key), record(other));
        change(&mut changed, &other);
        model.put(key.clone(), changed);
    }
}

#[async_trait]
impl Backend for OpenBackend {
    async fn apply(&self, op: StoreOp<Sealed>) -> Result<StoreAnswer<Sealed>, BackendError> {
        GrantsOnly.apply(op).await
    }

    async fn apply_partner(
        &self,
        op: PartnerOp<Sealed>,
    ) -> Result<PartnerAnswer<Sealed>, BackendError> {
        Ok(self.0.lock().unwrap().apply(NOW, op))
    }

    fn durability(&self) -> Durability {
        Durability::Durable
    }
}

/// An empty store that does not write the method for integrations.
#[derive(Debug)]
pub(crate) struct GrantsOnly;

#[async_trait]
impl Backend for GrantsOnly {
    async fn apply(&self, op: StoreOp<Sealed>) -> Result<StoreAnswer<Sealed>, BackendError> {
        Ok(Model::new(StoreIdentity(7)).apply(NOW, op))
    }

    fn durability(&self) -> Durability {
        Durability::Volatile
    }
}
