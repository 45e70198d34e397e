//! Planted faults of the store: what the model would be if a rule had been forgotten.

mod hidden;

use std::collections::BTreeMap;

use sr_auth_core::store::{
    GrantKey, Health, IntentId, LedgerEvent, Model, NewGrant, OwnerId, Record, Sequence,
    StoreAnswer, StoreOp, StoreOutcome, Successor,
};
use sr_auth_core::{Secret, Timestamp};

use super::row::Row;
use hidden::Hidden;

/// A rule of the store that is broken, to see whether anybody notices.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
#[expect(clippy::exhaustive_enums, reason = "each is planted, and each must be found")]
pub enum StoreDefect {
    /// A new consent leaves the generation as it was.
    AdoptKeepsGeneration,
    /// Every third commit is acknowledged and forgotten.
    AnswersBeforeDurable,
    /// The intent is acknowledged and not written.
    ArmForgetsIntent,
    /// An intent is written over any other.
    ArmIgnoresIntents,
    /// A take-over does not wait for the quiet period.
    ArmIgnoresQuiet,
    /// Who arms is shown the tokens as they were before the last change.
    ArmShowsOldTokens,
    /// An inferred death moves the generation on.
    BuryBumpsGeneration,
    /// A grant is declared dead whatever generation was refused.
    BuryIgnoresGeneration,
    /// A commit is refused unless the committer's intent still stands: the textbook fence.
    CommitFencedByEpoch,
    /// A commit is taken whatever generation it follows.
    CommitIgnoresGeneration,
    /// A commit leaves the old access token beside the new refresh token.
    CommitKeepsOldAccess,
    /// A commit does not bring a grant back that was declared dead.
    CommitRefusedByDeath,
    /// A disarm removes whichever intent stands.
    DisarmRemovesAnyIntent,
    /// An end leaves the generation as it was, so that a late commit undoes it.
    EndKeepsGeneration,
    /// A successor that is put aside is thrown away.
    EscrowForgets,
    /// A load answers with the record of another grant.
    LoadMixesKeys,
    /// The intents of a process vanish when it dies, like an advisory lock.
    LockFreedByDeadOwner,
    /// A pulse does not tell what has changed.
    PulseHidesChanges,
    /// A pulse always tells the highest sequence, so that a restored backup does not show.
    PulseHidesRestore,
}

impl StoreDefect {
    /// All of them.
    pub const ALL: [Self; 19] = [
        Self::AdoptKeepsGeneration,
        Self::AnswersBeforeDurable,
        Self::ArmForgetsIntent,
        Self::ArmIgnoresIntents,
        Self::ArmIgnoresQuiet,
        Self::ArmShowsOldTokens,
        Self::BuryBumpsGeneration,
        Self::BuryIgnoresGeneration,
        Self::CommitFencedByEpoch,
        Self::CommitIgnoresGeneration,
        Self::CommitKeepsOldAccess,
        Self::CommitRefusedByDeath,
        Self::DisarmRemovesAnyIntent,
        Self::EndKeepsGeneration,
        Self::EscrowForgets,
        Self::LoadMixesKeys,
        Self::LockFreedByDeadOwner,
        Self::PulseHidesChanges,
        Self::PulseHidesRestore,
    ];
}

/// The model with at most one defect. All of it is done with the model's own operations.
#[derive(Clone, Debug)]
pub(crate) struct Defective {
    commits: u64,
    defect: Option<StoreDefect>,
    hidden: Hidden,
    model: Model<Secret>,
    /// Each grant that a store with a defect has heard of, with its record before the last change.
    old: BTreeMap<GrantKey, Option<Record<Secret>>>,
    /// The highest sequence that was ever told.
    told: Sequence,
}

impl Defective {
    pub(crate) fn new(model: Model<Secret>, defect: Option<StoreDefect>) -> Self {
        let (hidden, old) = (Hidden::default(), BTreeMap::new());
        Self { commits: 0, defect, hidden, model, old, told: Sequence(0) }
    }

    pub(crate) const fn model(&self) -> &Model<Secret> {
        &self.model
    }

    pub(super) fn replace(&mut self, model: Model<Secret>) {
        self.model = model;
    }

    /// Returns a record as it is shown.
    pub(super) fn record(&self, key: &GrantKey) -> Option<Record<Secret>> {
        self.model.record(key).cloned().map(|record| self.hidden.shown(key, record))
    }

    /// Returns a row as it is shown.
    pub(super) fn row(&self, key: &GrantKey) -> Option<Row> {
        let row = Row::of(self.model.record(key)?);
        Some(Row { generation: self.hidden.less(key, row.generation), ..row })
    }

    pub(crate) fn apply(&mut self, now: Timestamp, op: StoreOp<Secret>) -> StoreAnswer<Secret> {
        let Some(defect) = self.defect else { return self.model.apply(now, op) };
        let key = op.key().cloned();
        let before = key.as_ref().and_then(|key| self.model.record(key)).cloned();
        let op = self.hidden.hide(op);
        let mut answer = match self.instead(defect, now, op, before.as_ref()) {
            Instead::Answer(outcome) => StoreAnswer { now, outcome: *outcome },
            Instead::Op(op) => self.model.apply(now, op),
        };
        if let Some(key) = &key {
            self.afterwards(defect, now, key, before.as_ref(), &mut answer);
            let moved = self.model.record(key).map(|it| it.generation);
            if before.as_ref().map(|it| it.generation) != moved || !self.old.contains_key(key) {
                self.old.insert(key.clone(), before);
            }
        }
        let answer = self.hidden.show(key.as_ref(), answer);
        self.told(defect, answer)
    }

    /// Changes what a pulse tells.
    fn told(
        &mut self,
        defect: StoreDefect,
        mut answer: StoreAnswer<Secret>,
    ) -> StoreAnswer<Secret> {
        if let StoreOutcome::Pulse(pulse) = &mut answer.outcome {
            self.told = self.told.max(pulse.sequence);
            if defect == StoreDefect::PulseHidesChanges {
                pulse.changes.clear();
            }
            if defect == StoreDefect::PulseHidesRestore {
                pulse.sequence = self.told;
            }
        }
        answer
    }

    /// Frees the intents of a process that has died, where the defect is that.
    pub(crate) fn owner_died(&mut self, now: Timestamp, owner: OwnerId) {
        if self.defect != Some(StoreDefect::LockFreedByDeadOwner) {
            return;
        }
        let keys: Vec<_> = self.old.keys().cloned().collect();
        for key in keys {
            let record = self.model.record(&key);
            let theirs =
                record.filter(|it| it.intent.as_ref().is_some_and(|it| it.id.owner == owner));
            if let Some(record) = theirs.cloned() {
                self.free(now, &key, &record);
            }
        }
    }

    /// Removes the intent that stands.
    fn free(&mut self, now: Timestamp, key: &GrantKey, record: &Record<Secret>) {
        let Some(intent) = &record.intent else { return };
        let (key, intent, refusals) = (key.clone(), intent.id, record.refusals);
        let not_before = Timestamp::EPOCH;
        self.model.apply(now, StoreOp::Disarm { intent, key, not_before, refusals });
    }

    /// Changes an operation before it is carried out, or answers instead of the model.
    fn instead(
        &mut self,
        defect: StoreDefect,
        now: Timestamp,
        op: StoreOp<Secret>,
        before: Option<&Record<Secret>>,
    ) -> Instead {
        let Some(before) = before else { return Instead::Op(op) };
        let standing = before.intent.as_ref().map(|it| it.id);
        match (defect, op) {
            (StoreDefect::ArmForgetsIntent, op @ StoreOp::Arm { .. }) => self.forgotten(now, op),
            (StoreDefect::ArmIgnoresIntents, op @ StoreOp::Arm { .. })
            | (StoreDefect::ArmIgnoresQuiet, op @ StoreOp::Arm { over: Some(_), .. }) => {
                if let Some(key) = op.key().cloned() {
                    self.free(now, &key, before);
                }
                Instead::Op(op)
            }
            (StoreDefect::BuryIgnoresGeneration, StoreOp::Bury { cause, key, owner, .. }) => {
                let generation = before.generation;
                let refused = before.refresh.as_ref().map(|it| it.fingerprint);
                Instead::Op(StoreOp::Bury { cause, generation, key, owner, refused })
            }
            (StoreDefect::DisarmRemovesAnyIntent, op) => Instead::Op(disarming(op, standing)),
            (StoreDefect::EscrowForgets, StoreOp::Escrow { .. }) => {
                Instead::answer(StoreOutcome::Done(before.clone()))
            }
            (StoreDefect::LoadMixesKeys, StoreOp::Load { key }) => {
                let other = self.old.keys().find(|it| **it != key).cloned();
                Instead::Op(StoreOp::Load { key: other.unwrap_or(key) })
            }
            (defect, op @ StoreOp::Commit { .. }) => self.commit(defect, now, op, before),
            (_, op) => Instead::Op(op),
        }
    }

    fn commit(
        &mut self,
        defect: StoreDefect,
        now: Timestamp,
        op: StoreOp<Secret>,
        before: &Record<Secret>,
    ) -> Instead {
        let theirs = |owner| before.intent.as_ref().is_none_or(|it| it.id.owner != owner);
        let is_dead = matches!(before.health, Health::Dead(_));
        let has_ended = matches!(before.health, Health::Disabled | Health::Revoked);
        match (defect, op) {
            (StoreDefect::AnswersBeforeDurable, op) => {
                self.commits += 1;
                let forgets = self.commits.is_multiple_of(3);
                if forgets { self.forgotten(now, op) } else { Instead::Op(op) }
            }
            (StoreDefect::CommitFencedByEpoch, StoreOp::Commit { owner, .. }) if theirs(owner) => {
                Instead::answer(StoreOutcome::Moved(before.clone()))
            }
            (
                StoreDefect::CommitIgnoresGeneration,
                StoreOp::Commit { key, owner, successor, .. },
            ) => {
                let generation = before.generation;
                Instead::Op(StoreOp::Commit { generation, key, owner, successor })
            }
            (
                StoreDefect::CommitKeepsOldAccess,
                StoreOp::Commit { generation, key, owner, mut successor },
            ) => {
                successor.access.clone_from(&before.access);
                Instead::Op(StoreOp::Commit { generation, key, owner, successor })
            }
            (StoreDefect::CommitRefusedByDeath, StoreOp::Commit { .. }) if is_dead => {
                Instead::answer(StoreOutcome::Ended(before.clone()))
            }
            // Who asks for the generation alone does not see the end.
            (
                StoreDefect::EndKeepsGeneration,
                StoreOp::Commit {
                    generation, key, successor: Successor { access, refresh }, ..
                },
            ) if has_ended && generation == before.generation => {
                let grant = NewGrant { access, refresh, renewal: before.renewal };
                Instead::Op(StoreOp::Adopt { grant, key, only_if_missing: false })
            }
            (_, op) => Instead::Op(op),
        }
    }

    /// Answers as if an operation had been carried out.
    fn forgotten(&self, now: Timestamp, op: StoreOp<Secret>) -> Instead {
        Instead::answer(self.model.clone().apply(now, op).outcome)
    }

    /// Changes what the model did.
    fn afterwards(
        &mut self,
        defect: StoreDefect,
        now: Timestamp,
        key: &GrantKey,
        before: Option<&Record<Secret>>,
        answer: &mut StoreAnswer<Secret>,
    ) {
        let Some(before) = before else { return };
        let after = self.model.record(key).cloned();
        let Some(after) = after else { return };
        let moved = after.generation != before.generation;
        let ended = matches!(after.health, Health::Disabled | Health::Revoked);
        match (defect, after.health) {
            (StoreDefect::AdoptKeepsGeneration, _) if moved && is_adoption(&after) => {
                self.hidden.one_more(key);
            }
            (StoreDefect::EndKeepsGeneration, _) if moved && ended => self.hidden.one_more(key),
            (StoreDefect::ArmShowsOldTokens, _) => {
                let old = self.old.get(key).and_then(Option::as_ref);
                if let (StoreOutcome::Armed(record), Some(old)) = (&mut answer.outcome, old) {
                    record.access.clone_from(&old.access);
                    record.refresh.clone_from(&old.refresh);
                }
            }
            (StoreDefect::BuryBumpsGeneration, Health::Dead(cause))
                if before.health != after.health =>
            {
                let (access, refresh, renewal) = (after.access, after.refresh, after.renewal);
                let refused = refresh.as_ref().map(|it| it.fingerprint);
                let grant = NewGrant { access, refresh, renewal };
                self.model
                    .apply(now, StoreOp::Adopt { grant, key: key.clone(), only_if_missing: false });
                let (generation, key) = (after.generation.next(), key.clone());
                let owner = OwnerId::new(0);
                let bury = StoreOp::Bury { cause, generation, key, owner, refused };
                *answer = self.model.apply(now, bury);
            }
            _ => {}
        }
    }
}

/// What a defect does instead of an operation.
enum Instead {
    /// It answers.
    Answer(Box<StoreOutcome<Secret>>),
    /// It carries out another one, or the same.
    Op(StoreOp<Secret>),
}

impl Instead {
    fn answer(outcome: StoreOutcome<Secret>) -> Self {
        Self::Answer(Box::new(outcome))
    }
}

/// A disarm of the intent that stands, whichever was meant.
fn disarming(op: StoreOp<Secret>, standing: Option<IntentId>) -> StoreOp<Secret> {
    match (op, standing) {
        (StoreOp::Disarm { key, not_before, refusals, .. }, Some(intent)) => {
            StoreOp::Disarm { intent, key, not_before, refusals }
        }
        (op, _) => op,
    }
}

/// Tells whether the last thing that happened to a record was a new consent.
fn is_adoption(record: &Record<Secret>) -> bool {
    record.ledger.last().is_some_and(|it| it.event == LedgerEvent::Adopted)
}
