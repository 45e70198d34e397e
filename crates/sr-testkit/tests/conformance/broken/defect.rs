//! The defects, as changes of operations, records and answers of the model.

use sr_auth_core::store::{
    GrantKey, Health, Record, StoreIdentity, StoreOp, StoreOutcome, StoredToken, TakeOver,
};
use sr_auth_core::{Fingerprint, Timestamp};
use sr_auth_store::Sealed;

/// One way in which a backend is broken.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Defect {
    AdoptAlwaysReplaces,
    AdoptForgetsLedger,
    AdoptKeepsGeneration,
    /// A consent that comes twice undoes the rotations between.
    AdoptUndoesRotations,
    /// Every third commit is acknowledged and forgotten.
    AnswersBeforeDone,
    ArmForgetsIntent,
    ArmIgnoresIntents,
    /// A sign of life does not put a take-over off.
    ArmIgnoresLife,
    ArmIgnoresQuiet,
    ArmOverTheEnded,
    BackOffForgotten,
    BuryIgnoresGeneration,
    BuryMovesGeneration,
    ClockOfEachConnection,
    /// A commit is refused unless the committer's intent stands.
    CommitFencedByIntent,
    CommitIgnoresGeneration,
    CommitLeavesSuspect,
    CommitRefusedByDeath,
    DisarmRemovesAnyIntent,
    /// An operation is two writes, and a caller that leaves is between them.
    DropLeavesHalf,
    DueIgnoresLimit,
    DueUnordered,
    EndKeepsGeneration,
    ErrsAtTimes,
    EscrowForgets,
    ForgetsLifeOnRestart,
    ForgetsOnRestart,
    HangsAtTimes,
    /// All stores have the same identity.
    IdentityOfItsKind,
    /// An intent is a lock of the connection.
    IntentFreedByClosing,
    KeysFoldCase,
    /// A rotation without a successor takes the sibling away.
    LastLegForgetsSibling,
    PulseCountsTheDead,
    PulseHidesSequence,
    PulseSkipsChanges,
    PulseTellsFewer,
    /// All but the first connection read what was there before the last change.
    ReadsStaleReplica,
    /// Reads, thinks, and writes what it read with its change: no transaction.
    ReadsThenWrites,
    RefusalsUncounted,
    RepeatsCommit,
    RepeatsEscrow,
    RestUnsealed,
    SignedNumbers,
    TruncatesValues,
}

type Row = Record<Sealed>;

/// What a defect has the model do instead of an operation.
pub(super) fn rewritten(
    defect: Defect,
    op: StoreOp<Sealed>,
    before: Option<&Row>,
) -> StoreOp<Sealed> {
    let now_at = before.map(|it| it.generation);
    match (defect, op) {
        (Defect::AdoptAlwaysReplaces, StoreOp::Adopt { grant, key, .. }) => {
            StoreOp::Adopt { grant, key, only_if_missing: false }
        }
        (Defect::ArmIgnoresLife, StoreOp::Arm { generation, intent, key, over }) => {
            let over = over.map(|over| TakeOver { even_if_alive: true, ..over });
            StoreOp::Arm { generation, intent, key, over }
        }
        (Defect::BuryIgnoresGeneration, StoreOp::Bury { cause, generation, key, owner, .. }) => {
            let generation = now_at.unwrap_or(generation);
            let refused = before.and_then(|it| it.refresh.as_ref()).map(|it| it.fingerprint);
            StoreOp::Bury { cause, generation, key, owner, refused }
        }
        (
            Defect::CommitIgnoresGeneration,
            StoreOp::Commit { generation, key, owner, successor },
        ) => {
            let generation = now_at.unwrap_or(generation);
            StoreOp::Commit { generation, key, owner, successor }
        }
        (Defect::RepeatsCommit, StoreOp::Commit { generation, key, owner, successor }) => {
            let kept = name(before.and_then(|it| it.refresh.as_ref()));
            let again = name(successor.refresh.as_ref()) == kept;
            let generation = now_at.filter(|_| again).unwrap_or(generation);
            StoreOp::Commit { generation, key, owner, successor }
        }
        (Defect::DisarmRemovesAnyIntent, StoreOp::Disarm { intent, key, not_before, refusals }) => {
            let standing = before.and_then(|it| it.intent.as_ref()).map(|it| it.id);
            StoreOp::Disarm { intent: standing.unwrap_or(intent), key, not_before, refusals }
        }
        (Defect::DueIgnoresLimit, StoreOp::Due { until, .. }) => {
            StoreOp::Due { limit: usize::MAX, until }
        }
        (Defect::KeysFoldCase, op) => {
            with_key(op, |key| GrantKey::new(&key.as_str().to_lowercase()).unwrap_or(key))
        }
        (Defect::SignedNumbers, op) => with_tokens(op, |token| {
            let signed = |it: Timestamp| it.min(Timestamp::from_unix_millis(i64::MAX as u64));
            StoredToken { ends_at: signed(token.ends_at), ..token }
        }),
        (Defect::TruncatesValues, op) => with_tokens(op, |token| {
            let kept: Vec<u8> = token.value.as_bytes().iter().copied().take(4_096).collect();
            StoredToken { value: Sealed::from_bytes(kept), ..token }
        }),
        (_, op) => op,
    }
}

/// What a defect leaves of a record before an operation; `None` where it leaves it as it is.
pub(super) fn prepared(defect: Defect, op: &StoreOp<Sealed>, before: &Row) -> Option<Row> {
    let without_intent = || Row { intent: None, ..before.clone() };
    match (defect, op) {
        (Defect::AdoptUndoesRotations, StoreOp::Adopt { grant, only_if_missing: false, .. })
            if before.health.may_present()
                && name(grant.refresh.as_ref()) != name(before.refresh.as_ref())
                && before
                    .ledger
                    .iter()
                    .any(|it| it.fingerprint == name(grant.refresh.as_ref())) =>
        {
            let mut row = before.clone();
            row.ledger.iter_mut().for_each(|it| it.fingerprint = None);
            Some(row)
        }
        (Defect::ArmIgnoresIntents, StoreOp::Arm { over: None, .. }) => Some(without_intent()),
        (Defect::ArmIgnoresQuiet, StoreOp::Arm { over: Some(over), .. })
            if before.intent.as_ref().is_some_and(|it| it.id == over.intent) =>
        {
            Some(without_intent())
        }
        (Defect::ArmOverTheEnded, StoreOp::Arm { .. }) if !before.health.may_present() => {
            Some(Row { health: Health::Live, ..before.clone() })
        }
        (Defect::RepeatsEscrow, StoreOp::Escrow { sibling, .. })
            if before.sibling.as_ref().is_some_and(|it| {
                it.from == sibling.from && it.token.fingerprint == sibling.token.fingerprint
            }) =>
        {
            Some(Row { sibling: None, ..before.clone() })
        }
        _ => None,
    }
}

fn name(token: Option<&StoredToken<Sealed>>) -> Option<Fingerprint> {
    token.map(|it| it.fingerprint)
}

/// Tells whether a defect refuses an operation that the model takes.
pub(super) fn refuses(defect: Defect, op: &StoreOp<Sealed>, before: &Row) -> bool {
    let StoreOp::Commit { generation, owner, .. } = op else { return false };
    let theirs = before.intent.as_ref().is_some_and(|it| it.id.owner == *owner);
    let is_dead = matches!(before.health, Health::Dead(_));
    match defect {
        Defect::CommitFencedByIntent => before.generation == *generation && !theirs,
        Defect::CommitRefusedByDeath => is_dead,
        _ => false,
    }
}

/// What a defect makes of a record after an operation that was done.
pub(super) fn edited(defect: Defect, op: &StoreOp<Sealed>, before: &Row, after: &Row) -> Row {
    let mut row = after.clone();
    let moved = before.generation != after.generation;
    match (defect, op) {
        (Defect::AdoptForgetsLedger, StoreOp::Adopt { .. }) if moved => {
            row.ledger.drain(..row.ledger.len() - 1);
        }
        (Defect::AdoptKeepsGeneration, StoreOp::Adopt { .. })
        | (Defect::EndKeepsGeneration, StoreOp::End { .. }) => row.generation = before.generation,
        (Defect::ArmForgetsIntent, StoreOp::Arm { .. }) => row.intent.clone_from(&before.intent),
        (Defect::BackOffForgotten, StoreOp::Disarm { .. }) => row.not_before = before.not_before,
        (Defect::BuryMovesGeneration, StoreOp::Bury { .. }) if before.health != after.health => {
            row.generation = before.generation.next();
        }
        (Defect::CommitLeavesSuspect, StoreOp::Commit { .. })
            if moved && before.health == Health::Suspect =>
        {
            row.health = Health::Suspect;
        }
        (Defect::EscrowForgets, StoreOp::Escrow { .. }) => row.sibling.clone_from(&before.sibling),
        (Defect::LastLegForgetsSibling, StoreOp::Commit { successor, .. })
            if moved && successor.refresh.is_none() =>
        {
            row.sibling = None;
        }
        (Defect::RefusalsUncounted, StoreOp::Disarm { .. }) => {
            row.refusals.count = row.refusals.count.min(1);
        }
        _ => {}
    }
    row
}

/// What a defect tells instead of what the model does.
pub(super) fn told(defect: Defect, outcome: StoreOutcome<Sealed>) -> StoreOutcome<Sealed> {
    match (defect, outcome) {
        (Defect::DueUnordered, StoreOutcome::Due(mut keys)) => {
            keys.sort_unstable();
            StoreOutcome::Due(keys)
        }
        (Defect::IdentityOfItsKind, StoreOutcome::Pulse(mut pulse)) => {
            pulse.store = StoreIdentity(1);
            StoreOutcome::Pulse(pulse)
        }
        (Defect::PulseCountsTheDead, StoreOutcome::Pulse(mut pulse)) => {
            pulse.processes += 1;
            StoreOutcome::Pulse(pulse)
        }
        (Defect::PulseHidesSequence, StoreOutcome::Pulse(mut pulse)) => {
            // A backend that tells the last change that it shows.
            pulse.sequence = pulse.changes.last().map_or_else(Default::default, |it| it.sequence);
            StoreOutcome::Pulse(pulse)
        }
        (Defect::PulseSkipsChanges, StoreOutcome::Pulse(mut pulse)) => {
            pulse.changes.retain(|it| !it.sequence.0.is_multiple_of(3));
            StoreOutcome::Pulse(pulse)
        }
        (Defect::PulseTellsFewer, StoreOutcome::Pulse(mut pulse)) => {
            let beyond = pulse.changes.len().saturating_sub(1_000);
            pulse.changes.drain(..beyond);
            StoreOutcome::Pulse(pulse)
        }
        (_, outcome) => outcome,
    }
}

/// Replaces the record of an outcome.
pub(super) fn showing(outcome: StoreOutcome<Sealed>, row: Row) -> StoreOutcome<Sealed> {
    match outcome {
        StoreOutcome::Armed(_) => StoreOutcome::Armed(row),
        StoreOutcome::Done(_) => StoreOutcome::Done(row),
        outcome => outcome,
    }
}

fn with_key(op: StoreOp<Sealed>, change: impl Fn(GrantKey) -> GrantKey) -> StoreOp<Sealed> {
    match op {
        StoreOp::Adopt { grant, key, only_if_missing } => {
            StoreOp::Adopt { grant, key: change(key), only_if_missing }
        }
        StoreOp::Arm { generation, intent, key, over } => {
            StoreOp::Arm { generation, intent, key: change(key), over }
        }
        StoreOp::Bury { cause, generation, key, owner, refused } => {
            StoreOp::Bury { cause, generation, key: change(key), owner, refused }
        }
        StoreOp::Commit { generation, key, owner, successor } => {
            StoreOp::Commit { generation, key: change(key), owner, successor }
        }
        StoreOp::Disarm { intent, key, not_before, refusals } => {
            StoreOp::Disarm { intent, key: change(key), not_before, refusals }
        }
        StoreOp::End { end, generation, key } => StoreOp::End { end, generation, key: change(key) },
        StoreOp::Escrow { key, owner, sibling } => {
            StoreOp::Escrow { key: change(key), owner, sibling }
        }
        StoreOp::Load { key } => StoreOp::Load { key: change(key) },
        op @ (StoreOp::Due { .. } | StoreOp::Pulse { .. }) => op,
    }
}

fn with_tokens(
    op: StoreOp<Sealed>,
    change: impl Fn(StoredToken<Sealed>) -> StoredToken<Sealed>,
) -> StoreOp<Sealed> {
    match op {
        StoreOp::Adopt { mut grant, key, only_if_missing } => {
            grant.access = grant.access.map(&change);
            grant.refresh = grant.refresh.map(&change);
            StoreOp::Adopt { grant, key, only_if_missing }
        }
        StoreOp::Commit { generation, key, owner, mut successor } => {
            successor.access = successor.access.map(&change);
            successor.refresh = successor.refresh.map(&change);
            StoreOp::Commit { generation, key, owner, successor }
        }
        op => op,
    }
}
