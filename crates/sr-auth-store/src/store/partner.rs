//! Integrations behind the same seal.

mod replay;
mod reseal;

use sr_auth_core::Secret;
use sr_partner::IntegrationKey;
use sr_partner::store::{PartnerAnswer, PartnerOp};

use super::Store;
use crate::seal::{open_partner_answer, seal_partner_op};
use crate::spool::Credentials;
use crate::{SealFault, StoreError};

impl Store {
    /// Carries out one operation on integrations.
    ///
    /// The client secret of a company is sealed before it reaches the backend, bound to application,
    /// company, generation and consent. It exists once, so a store that may forget begins no
    /// exchange, unless that was [accepted](Self::accept_volatile); and it is in the
    /// [spool](Self::with_spool), where there is one, while its commit travels.
    ///
    /// A future that is dropped leaves the operation undone or done.
    ///
    /// # Errors
    ///
    /// [`StoreError`], which says whether the operation was certainly not carried out.
    ///
    /// # Examples
    ///
    /// ```
    /// use sr_auth_store::Store;
    /// use sr_partner::store::{PartnerOp, PartnerOutcome};
    /// use sr_partner::{AppId, CompanyId, IntegrationKey};
    ///
    /// # async fn run() -> Result<(), Box<dyn std::error::Error>> {
    /// let store = Store::in_memory()?;
    /// let key = IntegrationKey { app: AppId::new("planner")?, company: CompanyId::new("5f1b")? };
    /// let answer = store.apply_partner(PartnerOp::Load { key }).await?;
    /// assert!(matches!(answer.outcome, PartnerOutcome::Missing));
    /// # Ok(())
    /// # }
    /// # tokio::runtime::Builder::new_current_thread().build()?.block_on(run())?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub async fn apply_partner(
        &self,
        op: PartnerOp<Secret>,
    ) -> Result<PartnerAnswer<Secret>, StoreError> {
        if begins_exchange(&op) && !self.takes_single_use() {
            return Err(StoreError::Volatile);
        }
        let loaded = loaded_key(&op).cloned();
        let sealed = seal_partner_op(&self.keys.now(), op)?;
        let spooled = self.spool.as_ref().zip(Credentials::of(&sealed));
        if let Some((spool, credentials)) = &spooled {
            spool.keep(credentials);
        }
        let answer = self.backend.apply_partner(sealed).await?;
        if let Some((spool, credentials)) = &spooled {
            // The store has them, or has no use for them.
            spool.settle_entry(credentials);
        }
        let opening = if loaded.is_some() { StoreError::Seal } else { StoreError::Opening };
        // Another process may have begun to seal under a newer key, which only a service can tell.
        let again = self.keys.is_of_service().then(|| answer.clone());
        match (open_partner_answer(&self.keys.now(), loaded.as_ref(), answer), again) {
            (Err(error), Some(answer)) if matches!(error.fault(), SealFault::UnknownKey(_)) => {
                let keys = self.keys.asked_again().await;
                open_partner_answer(&keys, loaded.as_ref(), answer).map_err(opening)
            }
            (opened, _) => opened.map_err(opening),
        }
    }
}

/// Tells whether an operation leads to credentials that exist once. A commit brings some that exist
/// already, so it is never refused.
const fn begins_exchange(op: &PartnerOp<Secret>) -> bool {
    matches!(op, PartnerOp::Arm { .. } | PartnerOp::Begin { .. })
}

/// Returns the company whose secrets an operation reads.
const fn loaded_key(op: &PartnerOp<Secret>) -> Option<&IntegrationKey> {
    if let PartnerOp::Load { key } = op { Some(key) } else { None }
}
