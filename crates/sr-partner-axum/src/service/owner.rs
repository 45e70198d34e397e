//! What the owner of an account decides, and the end of an integration by our own hand.

use sr_auth_core::Remedy;
use sr_auth_core::lifecycle::StoreFailure;
use sr_auth_core::store::Generation;
use sr_partner::exchange::ExchangeError;
use sr_partner::store::{
    Attempt, EndCause, IntegrationRecord, PartnerOp, PartnerOutcome, Phase, Verified,
};
use sr_partner::{IntegrationKey, TenantId};
use tracing::{info, warn};

use super::{PartnerService, Shared};
use crate::{Connected, Left};

/// Why credentials that waited for their owner were not confirmed or given up.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfirmError {
    /// The company is connected with another account by now.
    #[error("the company is connected with another account")]
    BoundElsewhere,
    /// Nothing of this account waits under this generation.
    #[error("nothing waits for a confirmation")]
    Nothing,
    /// The store failed.
    #[error("the store failed")]
    Store(StoreFailure),
}

impl ConfirmError {
    /// Returns what can be done, and by whom.
    #[must_use]
    pub const fn remedy(&self) -> Remedy {
        match self {
            Self::BoundElsewhere => Remedy::AskAdministrator,
            Self::Nothing => Remedy::Reauthorize,
            Self::Store(_) => Remedy::RetryLater { at: None },
        }
    }

    /// Returns a stable name for logs.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::BoundElsewhere => "sr_partner::confirm::bound_elsewhere",
            Self::Nothing => "sr_partner::confirm::nothing",
            Self::Store(_) => "sr_partner::confirm::store",
        }
    }
}

impl From<ConfirmError> for ExchangeError {
    fn from(error: ConfirmError) -> Self {
        match error {
            ConfirmError::BoundElsewhere => Self::BoundElsewhere,
            ConfirmError::Nothing => Self::Superseded,
            ConfirmError::Store(_) => {
                Self::Store { step: sr_partner::exchange::StoreStep::Activate }
            }
        }
    }
}

impl PartnerService {
    /// Joins a company with an account whose owner says that the credentials which wait open that
    /// company: by looking, for nobody else can tell. Confirming twice is confirming once.
    ///
    /// # Errors
    ///
    /// See [`ConfirmError`].
    pub async fn confirm(
        &self,
        key: &IntegrationKey,
        generation: Generation,
        tenant: &TenantId,
    ) -> Result<(), ConfirmError> {
        self.0.confirm(key, generation, tenant).await
    }

    /// Destroys credentials that wait, since their owner says that they are not wanted.
    ///
    /// # Errors
    ///
    /// See [`ConfirmError`].
    pub async fn give_up(
        &self,
        key: &IntegrationKey,
        generation: Generation,
        tenant: &TenantId,
    ) -> Result<(), ConfirmError> {
        self.0.give_up(key, generation, tenant).await
    }

    /// Ends what there is of a company, because of a decision here: its credentials are gone and its
    /// tokens open nothing. SmartRecruiters is not told, since it documents no way to; the customer
    /// disables the integration there.
    ///
    /// # Errors
    ///
    /// [`StoreFailure`].
    pub async fn end(&self, key: &IntegrationKey, cause: EndCause) -> Result<(), StoreFailure> {
        let before = self.0.record(key).await?;
        let op = PartnerOp::End { cause, generation: None, key: key.clone() };
        self.0.apply(op).await?;
        if let Some(binding) = before.and_then(|it| it.binding) {
            let (generation, tenant) = (binding.generation, binding.tenant);
            info!(target: "sr_partner", %key, generation = generation.number(), ?cause, "ended");
            self.0.hooks.left(Left { cause, generation, key: key.clone(), tenant }).await;
        }
        Ok(())
    }
}

impl Shared {
    pub(crate) async fn confirm(
        &self,
        key: &IntegrationKey,
        generation: Generation,
        tenant: &TenantId,
    ) -> Result<(), ConfirmError> {
        let record = self.record(key).await.map_err(ConfirmError::Store)?;
        let record = record.ok_or(ConfirmError::Nothing)?;
        let mut live = record.binding.iter();
        if live.any(|it| it.generation == generation && it.tenant == *tenant) {
            return Ok(());
        }
        let waiting = waiting(&record, generation, tenant).ok_or(ConfirmError::Nothing)?;
        let op = PartnerOp::Activate {
            attempt: waiting.id,
            key: key.clone(),
            verified: Verified::ByOwner,
        };
        let outcome = self.apply(op).await.map_err(ConfirmError::Store)?;
        if let PartnerOutcome::BoundElsewhere(_) = outcome {
            return Err(ConfirmError::BoundElsewhere);
        }
        // Whatever else: it does not wait any more.
        let PartnerOutcome::Done(record) = outcome else { return Err(ConfirmError::Nothing) };
        info!(target: "sr_partner", %key, generation = generation.number(), "confirmed");
        let integration = record.binding.and_then(|it| it.integrated.integration);
        let (key, tenant, verified) = (key.clone(), tenant.clone(), Verified::ByOwner);
        let connected = Connected { generation, integration, key, tenant, verified };
        self.hooks.connected(connected).await;
        Ok(())
    }

    pub(crate) async fn give_up(
        &self,
        key: &IntegrationKey,
        generation: Generation,
        tenant: &TenantId,
    ) -> Result<(), ConfirmError> {
        let record = self.record(key).await.map_err(ConfirmError::Store)?;
        let record = record.ok_or(ConfirmError::Nothing)?;
        let waiting = waiting(&record, generation, tenant).ok_or(ConfirmError::Nothing)?;
        let op = PartnerOp::Void { attempt: waiting.id, key: key.clone() };
        self.apply(op).await.map_err(ConfirmError::Store)?;
        info!(target: "sr_partner", %key, generation = generation.number(), "given up");
        Ok(())
    }

    /// Reads the record of a company, without its secrets.
    pub(crate) async fn record(
        &self,
        key: &IntegrationKey,
    ) -> Result<Option<IntegrationRecord<()>>, StoreFailure> {
        let outcome = self.apply(PartnerOp::Load { key: key.clone() }).await?;
        let PartnerOutcome::Loaded(record) = outcome else { return Ok(None) };
        Ok(Some(record.without_secrets()))
    }

    pub(crate) async fn apply(
        &self,
        op: PartnerOp<sr_auth_core::Secret>,
    ) -> Result<PartnerOutcome<sr_auth_core::Secret>, StoreFailure> {
        let name = op.name();
        match self.store.apply_partner(op).await {
            Ok(answer) => Ok(answer.outcome),
            Err(error) => {
                warn!(target: "sr_partner", op = name, error = error.code(), "the store failed");
                Err(error.failure())
            }
        }
    }
}

/// Returns what waits for the owner of an account.
fn waiting<'a>(
    record: &'a IntegrationRecord<()>,
    generation: Generation,
    tenant: &TenantId,
) -> Option<&'a Attempt<()>> {
    let attempt = record.attempt.as_ref()?;
    let is_it = attempt.generation == generation && attempt.tenant == *tenant;
    (is_it && matches!(attempt.phase, Phase::Integrated { .. })).then_some(attempt)
}
