//! Offering again the credentials of companies that a process has left behind.

use sr_partner::store::{IntegrationRecord, PartnerOp, PartnerOutcome, Phase};

use crate::seal::open_credentials;
use crate::spool::{Credentials, Spool};
use crate::{Replay, Sealed, Store, StoreError};

impl Store {
    /// Does for credentials of companies what [`replay`](Self::replay) does for successors.
    pub(in crate::store) async fn replay_partner(
        &self,
        spool: &Spool,
        replay: &mut Replay,
    ) -> Result<(), StoreError> {
        let (all, damaged) = spool.left_behind::<Credentials>()?;
        replay.damaged += damaged;
        for credentials in all {
            if open_credentials(&self.keys.now(), &credentials).is_err() {
                replay.damaged += 1;
                continue;
            }
            spool.hold(&credentials);
            if self.offer_credentials(&credentials).await? {
                replay.saved += 1;
            } else {
                replay.needless += 1;
            }
            spool.remove(&credentials)?;
        }
        Ok(())
    }

    /// Commits credentials as they were sealed, if the store waits for them; says whether it did.
    async fn offer_credentials(&self, credentials: &Credentials) -> Result<bool, StoreError> {
        let Credentials { attempt, confirm_within, generation, integrated, key } =
            credentials.clone();
        let load = PartnerOp::Load { key: key.clone() };
        let outcome = self.backend.apply_partner(load).await?.outcome;
        let PartnerOutcome::Loaded(record) = outcome else { return Ok(false) };
        // What it has already may be newer.
        if !waits_for(&record, credentials) {
            return Ok(false);
        }
        let commit = PartnerOp::Commit { attempt, confirm_within, generation, integrated, key };
        let outcome = self.backend.apply_partner(commit).await?.outcome;
        Ok(matches!(outcome, PartnerOutcome::Done(_)))
    }
}

fn waits_for(record: &IntegrationRecord<Sealed>, credentials: &Credentials) -> bool {
    record.attempt.as_ref().is_some_and(|it| {
        let is_answered = matches!(it.phase, Phase::Integrated { .. });
        it.id == credentials.attempt && it.generation == credentials.generation && !is_answered
    })
}
