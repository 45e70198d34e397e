//! A grant that another system is to have: it leaves the store before anybody else can present it.

use std::time::Duration;

use sr_auth_core::lifecycle::StoreFailure;
use sr_auth_core::store::{
    End, Generation, GrantKey, Health, IntentId, NewIntent, OwnerId, Record, Renewal, StoreAnswer,
    StoreOp, StoreOutcome, StoredToken,
};
use sr_auth_core::{Secret, Timestamp};

use super::Store;
use crate::{BackendError, BackendFault, HandOverError, StoreError, random};

/// A grant that is being handed over: nobody presents it meanwhile, for ten minutes.
///
/// Keep what it brings where the other system finds it, durably, and then have the store
/// [give it up](Store::finish_hand_over). Before that the other system must not use it. When this
/// process dies in between, the store has the grant again after ten minutes, and what was written
/// down must be thrown away.
#[derive(Debug)]
pub struct HandOver {
    access: Option<StoredToken<Secret>>,
    generation: Generation,
    intent: IntentId,
    key: GrantKey,
    refresh: StoredToken<Secret>,
}

impl HandOver {
    /// How long nobody else presents.
    const QUIET: Duration = Duration::from_secs(600);
    /// How long before the end of that the store is still asked to give the grant up.
    const MARGIN: Duration = Duration::from_secs(60);

    /// Returns the access token, if there is one.
    #[must_use]
    pub const fn access(&self) -> Option<&StoredToken<Secret>> {
        self.access.as_ref()
    }

    /// Returns the key.
    #[must_use]
    pub const fn key(&self) -> &GrantKey {
        &self.key
    }

    /// Returns the refresh token; it was obtained 28 days before its end.
    #[must_use]
    pub const fn refresh(&self) -> &StoredToken<Secret> {
        &self.refresh
    }
}

impl Store {
    /// Begins to hand a grant over to another system. From here on no process presents it; those who
    /// ask are served the access token while it lasts.
    ///
    /// # Errors
    ///
    /// [`HandOverError`]; then the grant stays with the store.
    pub async fn begin_hand_over(&self, key: &GrantKey) -> Result<HandOver, HandOverError> {
        let loaded = self.apply(StoreOp::Load { key: key.clone() }).await?.outcome;
        let StoreOutcome::Loaded(record) = loaded else { return Err(HandOverError::Missing) };
        let (generation, refresh) = (record.generation, token_of(record)?);
        let id = new_intent()?;
        let intent =
            NewIntent { fingerprint: Some(refresh.fingerprint), id, quiet: HandOver::QUIET };
        let op = StoreOp::Arm { generation, intent, key: key.clone(), over: None };
        let record = match self.apply(op).await?.outcome {
            StoreOutcome::Armed(record) => record,
            StoreOutcome::Busy { until, .. } | StoreOutcome::NotDue { until, .. } => {
                return Err(HandOverError::Busy { until });
            }
            // Renewed or ended since it was read.
            StoreOutcome::Moved(_) | StoreOutcome::Ended(_) => return Err(HandOverError::Moved),
            StoreOutcome::Missing
            | StoreOutcome::Done(_)
            | StoreOutcome::Due(_)
            | StoreOutcome::Loaded(_)
            | StoreOutcome::Pulse(_) => return Err(HandOverError::Missing),
        };
        let access = record.access.clone();
        let key = key.clone();
        Ok(HandOver { access, generation, intent: id, key, refresh: token_of(record)? })
    }

    /// Gives a grant up that was handed over: its tokens leave the store, durably, and every process
    /// learns so. It may be repeated.
    ///
    /// # Errors
    ///
    /// [`HandOverError::Moved`] when it took too long, and the store has the grant again: what was
    /// written down must be thrown away. [`HandOverError::Store`] when that is not known; repeat it.
    pub async fn finish_hand_over(&self, grant: &HandOver) -> Result<(), HandOverError> {
        let key = grant.key.clone();
        let StoreAnswer { now, outcome } = self.apply(StoreOp::Load { key: key.clone() }).await?;
        let StoreOutcome::Loaded(record) = outcome else { return Err(HandOverError::Missing) };
        if is_given_up(&record, grant) {
            return Ok(());
        }
        let ours = record.intent.as_ref().filter(|it| it.id == grant.intent);
        let lasts = |armed_at: Timestamp| {
            now < armed_at.after(HandOver::QUIET.saturating_sub(HandOver::MARGIN))
        };
        if !ours.is_some_and(|it| lasts(it.armed_at)) {
            return Err(HandOverError::Moved);
        }
        let op = StoreOp::End { end: End::Disabled, generation: Some(grant.generation), key };
        match self.apply(op).await?.outcome {
            StoreOutcome::Done(_) => Ok(()),
            StoreOutcome::Armed(_)
            | StoreOutcome::Busy { .. }
            | StoreOutcome::Due(_)
            | StoreOutcome::Ended(_)
            | StoreOutcome::Loaded(_)
            | StoreOutcome::Missing
            | StoreOutcome::Moved(_)
            | StoreOutcome::NotDue { .. }
            | StoreOutcome::Pulse(_) => Err(HandOverError::Moved),
        }
    }

    /// Leaves a grant with the store that was to be handed over.
    ///
    /// # Errors
    ///
    /// [`StoreError`]; then the store has it again after ten minutes.
    pub async fn call_off_hand_over(&self, grant: HandOver) -> Result<(), StoreError> {
        let op = StoreOp::Disarm {
            intent: grant.intent,
            key: grant.key,
            not_before: Timestamp::EPOCH,
            refusals: sr_auth_core::store::Refusals::default(),
        };
        self.apply(op).await.map(drop)
    }
}

/// Tells whether the store has given the grant up already, and its answer was lost.
fn is_given_up(record: &Record<Secret>, grant: &HandOver) -> bool {
    record.health == Health::Disabled && record.generation == grant.generation.next()
}

/// Returns the refresh token of a grant that can be handed over: one of which nobody doubts which
/// token is good.
fn token_of(record: Record<Secret>) -> Result<StoredToken<Secret>, HandOverError> {
    let is_sure = record.health == Health::Live && record.unsettled == 0;
    match record.refresh {
        _ if record.renewal == Renewal::Repeatable => Err(HandOverError::NothingToGive),
        Some(token) if is_sure && record.sibling.is_none() => Ok(token),
        Some(_) | None => Err(HandOverError::Unsure { health: record.health }),
    }
}

/// An intent of nobody who presents.
fn new_intent() -> Result<IntentId, BackendError> {
    let owner: [u8; 16] = random::bytes()
        .ok_or_else(|| BackendError::new(BackendFault::NoRandomness, StoreFailure::NotDone))?;
    Ok(IntentId { number: 1, owner: OwnerId::new(u128::from_be_bytes(owner)) })
}
