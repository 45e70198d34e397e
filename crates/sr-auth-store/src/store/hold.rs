//! The operator's switch: grants that nobody presents or hands out until they are released.

use sr_auth_core::store::{
    Generation, Health, Hold, HoldScope, Holds, NewGrant, OwnerId, Record, Renewal, StoreAnswer,
    StoreOp, StoreOutcome, Successor,
};
use sr_auth_core::{Secret, Timestamp};

use super::Store;
use crate::HoldError;

/// The list as it stands, and where it would be written over.
struct Standing {
    generation: Option<Generation>,
    holds: Holds,
    missing: bool,
    now: Timestamp,
}

impl Store {
    /// Holds grants: in every process that shares the store nothing of them is presented or handed
    /// out from its next pulse on. What was begun is finished, and no token is lost; but refresh tokens
    /// grow older, and die at 28 days. Returns the order, or the one that stood already.
    ///
    /// `reason` is for the people who will ask; it is shown and is no secret.
    ///
    /// # Errors
    ///
    /// [`HoldError`]; then nothing is held, or the answer was lost and it can be repeated.
    pub async fn hold(&self, scope: HoldScope, reason: &str) -> Result<Hold, HoldError> {
        loop {
            let standing = self.standing().await?;
            let hold = Hold::new(scope.clone(), reason, standing.now)?;
            let holds = standing.holds.clone().with(hold.clone())?;
            if holds == standing.holds {
                let known = holds.iter().find(|it| *it.scope() == scope);
                return Ok(known.cloned().unwrap_or(hold));
            }
            if self.put_holds(&standing, &holds).await? {
                return Ok(hold);
            }
        }
    }

    /// Releases what was held with exactly this scope; with [`HoldScope::All`], everything. Returns
    /// the orders that are taken back.
    ///
    /// # Errors
    ///
    /// [`HoldError`]; then they stand, or the answer was lost and it can be repeated.
    pub async fn release(&self, scope: &HoldScope) -> Result<Vec<Hold>, HoldError> {
        loop {
            let standing = self.standing().await?;
            let holds = standing.holds.clone().without(scope);
            let is_gone = |it: &&Hold| holds.iter().all(|left| left != *it);
            let gone: Vec<_> = standing.holds.iter().filter(is_gone).cloned().collect();
            if gone.is_empty() || self.put_holds(&standing, &holds).await? {
                return Ok(gone);
            }
        }
    }

    /// Returns what is held.
    ///
    /// # Errors
    ///
    /// [`HoldError`] when the store cannot be read.
    pub async fn holds(&self) -> Result<Holds, HoldError> {
        Ok(self.standing().await?.holds)
    }

    async fn standing(&self) -> Result<Standing, HoldError> {
        let answer = self.apply(StoreOp::Load { key: Holds::key() }).await?;
        let StoreAnswer { now, outcome } = answer;
        let loaded = if let StoreOutcome::Loaded(record) = outcome { Some(record) } else { None };
        let missing = loaded.is_none();
        // One that was ended is no list.
        let live = loaded.filter(|it| it.health == Health::Live);
        let list = |it: &Record<Secret>| it.access.as_ref().map(Holds::from_token);
        let holds = live.as_ref().and_then(list).unwrap_or_default();
        Ok(Standing { generation: live.map(|it| it.generation), holds, missing, now })
    }

    /// Writes a list over the one that was read; `false` when somebody has written in between.
    async fn put_holds(&self, over: &Standing, holds: &Holds) -> Result<bool, HoldError> {
        let (access, key) = (Some(holds.to_token()), Holds::key());
        let op = match over.generation {
            Some(generation) => StoreOp::Commit {
                generation,
                key,
                // No process: each has to be told.
                owner: OwnerId::new(0),
                successor: Successor { access, refresh: None },
            },
            None => StoreOp::Adopt {
                grant: NewGrant { access, refresh: None, renewal: Renewal::Repeatable },
                key,
                // Where there was none, another operator's may have come first. One that was ended
                // is written over.
                only_if_missing: over.missing,
            },
        };
        Ok(matches!(self.apply(op).await?.outcome, StoreOutcome::Done(_)))
    }
}
