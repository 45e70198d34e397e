//! Whole operations are sealed, whole answers opened.

use sr_auth_core::Secret;
use sr_auth_core::store::{
    GrantKey, Health, LedgerEvent, NewGrant, Record, Renewal, Sibling, StoreAnswer, StoreOp,
    StoreOutcome, StoredToken, Successor,
};

use super::cipher::{Field, Place, open, seal};
use super::keys::SealingKeys;
use super::sealed::{Origin, Sealed};
use crate::spool::Entry;
use crate::{SealError, SealFault};

/// Seals what an operation brings.
pub(crate) fn seal_op(
    keys: &SealingKeys,
    op: StoreOp<Secret>,
) -> Result<StoreOp<Sealed>, SealError> {
    Ok(match op {
        StoreOp::Adopt { grant, key, only_if_missing } => {
            let NewGrant { access, refresh, renewal } = grant;
            let [access, refresh] = seal_pair(keys, &key, Origin::Adopted, [access, refresh])?;
            StoreOp::Adopt { grant: NewGrant { access, refresh, renewal }, key, only_if_missing }
        }
        StoreOp::Arm { generation, intent, key, over } => {
            StoreOp::Arm { generation, intent, key, over }
        }
        StoreOp::Bury { cause, generation, key, owner, refused } => {
            StoreOp::Bury { cause, generation, key, owner, refused }
        }
        StoreOp::Commit { generation, key, owner, successor } => {
            let Successor { access, refresh } = successor;
            let origin = Origin::Rotated(generation.next());
            let [access, refresh] = seal_pair(keys, &key, origin, [access, refresh])?;
            StoreOp::Commit { generation, key, owner, successor: Successor { access, refresh } }
        }
        StoreOp::Disarm { intent, key, not_before, refusals } => {
            StoreOp::Disarm { intent, key, not_before, refusals }
        }
        StoreOp::Due { limit, until } => StoreOp::Due { limit, until },
        StoreOp::End { end, generation, key } => StoreOp::End { end, generation, key },
        StoreOp::Escrow { key, owner, sibling } => {
            let Sibling { from, token } = sibling;
            let token = seal_token(keys, &key, Field::Sibling, Origin::SetAside(from), &token)?;
            StoreOp::Escrow { key, owner, sibling: Sibling { from, token } }
        }
        StoreOp::Load { key } => StoreOp::Load { key },
        StoreOp::Pulse { alive, owner, since } => StoreOp::Pulse { alive, owner, since },
    })
}

fn seal_pair(
    keys: &SealingKeys,
    key: &GrantKey,
    origin: Origin,
    [access, refresh]: [Option<StoredToken<Secret>>; 2],
) -> Result<[Option<StoredToken<Sealed>>; 2], SealError> {
    let seal = |field, token: Option<StoredToken<Secret>>| {
        token.map(|token| seal_token(keys, key, field, origin, &token)).transpose()
    };
    Ok([seal(Field::Access, access)?, seal(Field::Refresh, refresh)?])
}

fn seal_token(
    keys: &SealingKeys,
    grant: &GrantKey,
    field: Field,
    origin: Origin,
    token: &StoredToken<Secret>,
) -> Result<StoredToken<Sealed>, SealError> {
    let StoredToken { ends_at, fingerprint, renew_at, ref value } = *token;
    let value = seal(keys, Place { field, fingerprint, grant }, origin, value)?;
    Ok(StoredToken { ends_at, fingerprint, renew_at, value })
}

/// Opens what an answer about `key` brings; `None` for operations that are about no grant.
pub(crate) fn open_answer(
    keys: &SealingKeys,
    key: Option<&GrantKey>,
    answer: StoreAnswer<Sealed>,
) -> Result<StoreAnswer<Secret>, SealError> {
    let StoreAnswer { now, outcome } = answer;
    let open = |record| match key {
        Some(key) => open_record(keys, key, record),
        // A record that nobody asked for.
        None => Err(SealError::new(SealFault::Forged)),
    };
    let outcome = match outcome {
        StoreOutcome::Armed(record) => StoreOutcome::Armed(open(record)?),
        StoreOutcome::Busy { record, until } => StoreOutcome::Busy { record: open(record)?, until },
        StoreOutcome::Done(record) => StoreOutcome::Done(open(record)?),
        StoreOutcome::Due(keys) => StoreOutcome::Due(keys),
        StoreOutcome::Ended(record) => StoreOutcome::Ended(open(record)?),
        StoreOutcome::Loaded(record) => StoreOutcome::Loaded(open(record)?),
        StoreOutcome::Missing => StoreOutcome::Missing,
        StoreOutcome::Moved(record) => StoreOutcome::Moved(open(record)?),
        StoreOutcome::NotDue { record, until } => {
            StoreOutcome::NotDue { record: open(record)?, until }
        }
        StoreOutcome::Pulse(pulse) => StoreOutcome::Pulse(pulse),
    };
    Ok(StoreAnswer { now, outcome })
}

/// Opens a successor that was spooled, to offer it again.
pub(crate) fn open_successor(
    keys: &SealingKeys,
    entry: &Entry,
) -> Result<Successor<Secret>, SealError> {
    let open = |field, token: &StoredToken<Sealed>| {
        let StoredToken { ends_at, fingerprint, renew_at, ref value } = *token;
        let (value, _) = open(keys, Place { field, fingerprint, grant: &entry.key }, value)?;
        Ok(StoredToken { ends_at, fingerprint, renew_at, value })
    };
    let refresh = open(Field::Refresh, &entry.refresh)?;
    let access = entry.access.as_ref().map(|it| open(Field::Access, it)).transpose()?;
    Ok(Successor { access, refresh: Some(refresh) })
}

fn open_record(
    keys: &SealingKeys,
    key: &GrantKey,
    record: Record<Sealed>,
) -> Result<Record<Secret>, SealError> {
    let open = |field, token: &StoredToken<Sealed>| open_token(keys, key, field, &record, token);
    let access = record.access.as_ref().map(|it| open(Field::Access, it)).transpose()?;
    let refresh = record.refresh.as_ref().map(|it| open(Field::Refresh, it)).transpose()?;
    let sibling = record
        .sibling
        .as_ref()
        .map(|it| open(Field::Sibling, &it.token).map(|token| Sibling { from: it.from, token }));
    let sibling = sibling.transpose()?;
    Ok(Record {
        access,
        generation: record.generation,
        health: record.health,
        intent: record.intent,
        ledger: record.ledger,
        not_before: record.not_before,
        refresh,
        refusals: record.refusals,
        renewal: record.renewal,
        sibling,
        unsettled: record.unsettled,
    })
}

fn open_token(
    keys: &SealingKeys,
    grant: &GrantKey,
    field: Field,
    record: &Record<Sealed>,
    token: &StoredToken<Sealed>,
) -> Result<StoredToken<Secret>, SealError> {
    let StoredToken { ends_at, fingerprint, renew_at, ref value } = *token;
    let (value, origin) = open(keys, Place { field, fingerprint, grant }, value)?;
    if !belongs(field, origin, record) {
        return Err(SealError::new(SealFault::Misplaced));
    }
    Ok(StoredToken { ends_at, fingerprint, renew_at, value })
}

/// Tells whether a value that came into its record this way may stand there now.
fn belongs(field: Field, origin: Origin, record: &Record<Sealed>) -> bool {
    // A refresh token stays where a rotation brings none: on its last leg, and beside client
    // credentials. What came of the grant later tells no more.
    let stays = field == Field::Refresh
        && (record.renewal == Renewal::Repeatable
            || !matches!(record.health, Health::Live | Health::Suspect));
    match (field, origin) {
        (Field::Access | Field::Refresh, Origin::Adopted) => stays || !has_rotated(record),
        (Field::Access | Field::Refresh, Origin::Rotated(to)) => {
            to == record.generation || (stays && to < record.generation)
        }
        (Field::Sibling, Origin::SetAside(from)) => {
            record.sibling.as_ref().is_some_and(|it| it.from == from)
        }
        (Field::Access | Field::Refresh, Origin::SetAside(_))
        | (Field::Sibling, Origin::Adopted | Origin::Rotated(_)) => false,
        // It stands in no record of a grant.
        #[cfg(feature = "partner")]
        (Field::ClientSecret, _) => false,
        #[cfg(feature = "partner")]
        (_, Origin::Integrated(_)) => false,
    }
}

/// Tells whether the grant has rotated since it was adopted. What the ledger has forgotten is
/// believed.
fn has_rotated(record: &Record<Sealed>) -> bool {
    let events = record.ledger.iter().rev().map(|it| it.event);
    let mut events = events.filter(|it| matches!(it, LedgerEvent::Adopted | LedgerEvent::Rotated));
    events.next() == Some(LedgerEvent::Rotated)
}
