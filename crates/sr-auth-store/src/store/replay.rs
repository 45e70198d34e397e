//! Offering again what a process has left behind.

use sr_auth_core::Timestamp;
use sr_auth_core::store::{
    Generation, Health, LedgerEvent, NewGrant, Record, Renewal, Sibling, StoreAnswer, StoreOp,
    StoreOutcome, StoredToken, Successor,
};
use sr_auth_core::{Fingerprint, Secret};

use super::Store;
use crate::StoreError;
use crate::seal::open_successor;
use crate::spool::{Entry, Spool};

/// How often an offer is changed after what the store answers.
const OFFERS: u8 = 4;

/// What became of the successors that were left behind, and of the credentials of companies.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct Replay {
    /// Files that are not whole, or that no key opens. They stay where they are.
    pub damaged: usize,
    /// What the store had already, or nobody needs: it has moved on, the grant or the consent was
    /// ended, or its time is over.
    pub needless: usize,
    /// What the store did not have, and has now.
    pub saved: usize,
}

/// What one successor was good for.
enum Fate {
    Needless,
    Saved,
}

impl Store {
    /// Offers to the store what a process has left in the spool, and removes what is settled.
    ///
    /// Call it at the start, before grants are driven and companies connected. Without a spool there
    /// is nothing to do.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the store or the spool does not answer. What is not settled stays, for
    /// the next time.
    pub async fn replay(&self) -> Result<Replay, StoreError> {
        let mut replay = Replay::default();
        let Some(spool) = &self.spool else { return Ok(replay) };
        let (entries, damaged) = spool.left_behind::<Entry>()?;
        replay.damaged = damaged;
        for entry in entries {
            self.settle(spool, &entry, &mut replay).await?;
        }
        #[cfg(feature = "partner")]
        self.replay_partner(spool, &mut replay).await?;
        Ok(replay)
    }

    async fn settle(
        &self,
        spool: &Spool,
        entry: &Entry,
        replay: &mut Replay,
    ) -> Result<(), StoreError> {
        let Ok(successor) = open_successor(&self.keys.now(), entry) else {
            replay.damaged += 1;
            return Ok(());
        };
        spool.hold(entry);
        let Some(fate) = self.offer(entry, &successor).await? else { return Ok(()) };
        match fate {
            Fate::Needless => replay.needless += 1,
            Fate::Saved => replay.saved += 1,
        }
        Ok(spool.remove(entry)?)
    }

    /// Offers a successor in the form that the store can take; `None` when it took none.
    async fn offer(
        &self,
        entry: &Entry,
        successor: &Successor<Secret>,
    ) -> Result<Option<Fate>, StoreError> {
        let Some(refresh) = successor.refresh.clone() else { return Ok(Some(Fate::Needless)) };
        let (key, owner) = (entry.key.clone(), entry.owner);
        let load = StoreOp::Load { key: key.clone() };
        for _ in 0..OFFERS {
            let StoreAnswer { now, outcome } = self.apply(load.clone()).await?;
            let record =
                if let StoreOutcome::Loaded(record) = outcome { Some(record) } else { None };
            let op = match what_is_missing(now, entry.generation, &refresh, record.as_ref()) {
                Missing::Nothing => return Ok(Some(Fate::Needless)),
                Missing::Record => {
                    let Successor { access, refresh } = successor.clone();
                    let grant = NewGrant { access, refresh, renewal: Renewal::SingleUse };
                    StoreOp::Adopt { grant, key: key.clone(), only_if_missing: true }
                }
                Missing::Sibling => {
                    let sibling = Sibling { from: entry.generation, token: refresh.clone() };
                    StoreOp::Escrow { key: key.clone(), owner, sibling }
                }
                Missing::Successor(generation) => {
                    let (key, successor) = (key.clone(), successor.clone());
                    StoreOp::Commit { generation, key, owner, successor }
                }
            };
            if let StoreOutcome::Done(_) = self.apply(op).await?.outcome {
                return Ok(Some(Fate::Saved));
            }
        }
        Ok(None)
    }
}

/// What a store lacks of a successor.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Missing {
    Nothing,
    /// The whole grant.
    Record,
    /// The record has moved on without it.
    Sibling,
    /// The record is at this generation, and the successor is what comes after.
    Successor(Generation),
}

fn what_is_missing(
    now: Timestamp,
    from: Generation,
    refresh: &StoredToken<Secret>,
    record: Option<&Record<Secret>>,
) -> Missing {
    let Some(record) = record else {
        return if now < refresh.ends_at { Missing::Record } else { Missing::Nothing };
    };
    let is_ended = matches!(record.health, Health::Disabled | Health::Revoked);
    if is_ended || has_had(record, refresh.fingerprint) {
        return Missing::Nothing;
    }
    let theirs = record.refresh.as_ref().map(|it| it.ends_at);
    if record.generation == from {
        return Missing::Successor(from);
    }
    // A store that was restored from a backup is healed by what is newer.
    if record.generation < from && theirs <= Some(refresh.ends_at) {
        return Missing::Successor(record.generation);
    }
    if now < refresh.ends_at { Missing::Sibling } else { Missing::Nothing }
}

/// Tells whether the record holds the token, or has held it and moved on.
fn has_had(record: &Record<Secret>, fingerprint: Fingerprint) -> bool {
    let sibling = record.sibling.as_ref().map(|it| &it.token);
    let mut held = [record.refresh.as_ref(), sibling].into_iter().flatten();
    let taken = |event| matches!(event, LedgerEvent::Adopted | LedgerEvent::Rotated);
    held.any(|it| it.fingerprint == fingerprint)
        || record.ledger.iter().any(|it| taken(it.event) && it.fingerprint == Some(fingerprint))
}
