//! Sealing anew the client secret of a company that rests under an older key.

use std::time::Duration;

use sr_auth_core::store::Generation;
use sr_partner::store::{Integrated, IntegrationRecord, PartnerOp, PartnerOutcome, Phase};
use sr_partner::{AttemptId, IntegrationKey};

use crate::{KeyId, Sealed, Store, StoreError};

impl Store {
    /// Seals the client secrets of a company under the newest key, if they are not; says whether it
    /// did.
    ///
    /// Nothing else changes, and nobody is told: it is a repeat of what has been committed. What
    /// ends or is replaced meanwhile stays ended or replaced. When this was done for all companies
    /// and [`reseal`](Self::reseal) for all grants, the older keys can be forgotten.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the record cannot be read or written; it can be repeated.
    pub async fn reseal_partner(&self, key: &IntegrationKey) -> Result<bool, StoreError> {
        let newest = self.keys.now().newest().id();
        let load = PartnerOp::Load { key: key.clone() };
        let outcome = self.backend.apply_partner(load).await?.outcome;
        let PartnerOutcome::Loaded(sealed) = outcome else { return Ok(false) };
        if !credentials(&sealed).iter().any(|(_, _, it)| is_older(&it.secret, newest)) {
            return Ok(false);
        }
        let load = PartnerOp::Load { key: key.clone() };
        let PartnerOutcome::Loaded(record) = self.apply_partner(load).await?.outcome else {
            return Ok(false);
        };
        for (attempt, generation, integrated) in credentials(&record) {
            // Of a repeat only the secret counts.
            let commit = PartnerOp::Commit {
                attempt,
                confirm_within: Duration::ZERO,
                generation,
                integrated: integrated.clone(),
                key: key.clone(),
            };
            self.apply_partner(commit).await?;
        }
        Ok(true)
    }
}

/// Returns the credentials that wait for their owner and those that are live, each with its consent.
fn credentials<V>(record: &IntegrationRecord<V>) -> Vec<(AttemptId, Generation, &Integrated<V>)> {
    let attempt = record.attempt.as_ref().and_then(|it| match &it.phase {
        Phase::Integrated { integrated, .. } => Some((it.id, it.generation, integrated)),
        Phase::Posting { .. } | Phase::Prepared { .. } => None,
    });
    let live = record.binding.as_ref().map(|it| (it.attempt, it.generation, &it.integrated));
    attempt.into_iter().chain(live).collect()
}

fn is_older(secret: &Sealed, newest: KeyId) -> bool {
    secret.key_id() != Some(newest)
}
