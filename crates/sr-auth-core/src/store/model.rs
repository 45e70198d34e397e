//! What the operations mean: a store as a value, with the time as an argument.
//!
//! The memory backend is a lock around it, the simulation runs on it, and the conformance suite
//! compares every backend with it.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use super::operation::{
    Change, NewGrant, NewIntent, Pulse, Sequence, StoreAnswer, StoreIdentity, StoreOp,
    StoreOutcome, Successor, TakeOver,
};
use super::record::{
    CauseOfDeath, End, Generation, GrantKey, Health, Intent, IntentId, LedgerEntry, LedgerEvent,
    OwnerId, Record, Refusals, Renewal, Sibling, StoredToken,
};
use crate::{Fingerprint, Timestamp};

/// A store, in memory and without a lock.
///
/// # Examples
///
/// ```
/// use sr_auth_core::Timestamp;
/// use sr_auth_core::store::{GrantKey, Model, StoreIdentity, StoreOp, StoreOutcome};
///
/// let mut store = Model::<String>::new(StoreIdentity(7));
/// let key = GrantKey::new("planner/acme")?;
/// let answer = store.apply(Timestamp::from_unix_secs(0), StoreOp::Load { key });
/// assert_eq!(answer.outcome, StoreOutcome::Missing);
/// # Ok::<(), sr_auth_core::ConfigError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Model<V> {
    changes: VecDeque<Change>,
    identity: StoreIdentity,
    owners: BTreeMap<OwnerId, Timestamp>,
    records: BTreeMap<GrantKey, Record<V>>,
    sequence: Sequence,
}

impl<V: Clone> Model<V> {
    /// How many changes a pulse tells at most, and how many are remembered.
    pub const CHANGES_LIMIT: usize = 1_024;

    /// How long a sign of life counts for the share of the budget.
    pub const LIFE_SIGN: Duration = Duration::from_secs(10);

    /// Makes an empty store.
    #[must_use]
    pub const fn new(identity: StoreIdentity) -> Self {
        Self {
            changes: VecDeque::new(),
            identity,
            owners: BTreeMap::new(),
            records: BTreeMap::new(),
            sequence: Sequence(0),
        }
    }

    /// Carries out one operation at `now`, by the store's clock.
    pub fn apply(&mut self, now: Timestamp, op: StoreOp<V>) -> StoreAnswer<V> {
        let outcome = match op {
            StoreOp::Adopt { grant, key, only_if_missing } => {
                self.adopt(now, key, grant, only_if_missing)
            }
            StoreOp::Arm { generation, intent, key, over } => {
                self.arm(now, &key, generation, intent, over)
            }
            StoreOp::Bury { cause, generation, key, owner, refused } => {
                self.bury(now, &key, (generation, refused), owner, cause)
            }
            StoreOp::Commit { generation, key, owner, successor } => {
                self.commit(now, &key, generation, owner, successor)
            }
            StoreOp::Disarm { intent, key, not_before, refusals } => {
                self.disarm(&key, intent, not_before, refusals)
            }
            StoreOp::Due { limit, until } => self.due(limit, until),
            StoreOp::End { end, generation, key } => self.end(now, &key, generation, end),
            StoreOp::Escrow { key, owner, sibling } => self.escrow(now, &key, owner, sibling),
            StoreOp::Load { key } => {
                self.records.get(&key).cloned().map_or(StoreOutcome::Missing, StoreOutcome::Loaded)
            }
            StoreOp::Pulse { alive, owner, since } => self.pulse(now, owner, since, alive),
        };
        StoreAnswer { now, outcome }
    }

    /// Returns the record of a grant, to look at.
    #[must_use]
    pub fn record(&self, key: &GrantKey) -> Option<&Record<V>> {
        self.records.get(key)
    }

    /// Takes in a record as it is, without telling of a change.
    ///
    /// A backend with transactions carries an operation out so: it reads the record, applies the
    /// operation to a model of this one grant, and writes what has changed.
    pub fn put(&mut self, key: GrantKey, record: Record<V>) {
        self.records.insert(key, record);
    }

    /// Takes in when a process has last shown a sign of life.
    pub fn put_sign_of_life(&mut self, owner: OwnerId, seen: Timestamp) {
        self.owners.insert(owner, seen);
    }

    fn adopt(
        &mut self,
        now: Timestamp,
        key: GrantKey,
        grant: NewGrant<V>,
        only_if_missing: bool,
    ) -> StoreOutcome<V> {
        let old = self.records.get(&key);
        let fingerprint = fingerprint(grant.refresh.as_ref());
        // The answer to the same grant was lost, and it is offered again.
        let is_same = |old: &&Record<V>| {
            old.health == Health::Live
                && same(old.refresh.as_ref(), grant.refresh.as_ref())
                && same(old.access.as_ref(), grant.access.as_ref())
        };
        // Or it was taken in before, and has moved on since: the offer was late, or came twice.
        let was_adopted = |old: &&Record<V>| {
            let is_it = |it: &LedgerEntry| {
                matches!(it.event, LedgerEvent::Adopted | LedgerEvent::Escrowed)
                    && it.fingerprint == fingerprint
            };
            let moved = !same(old.refresh.as_ref(), grant.refresh.as_ref());
            moved
                && fingerprint.is_some()
                && old.health.may_present()
                && old.ledger.iter().any(is_it)
        };
        if let Some(same) = old.filter(|it| is_same(it) || was_adopted(it)) {
            return StoreOutcome::Done(same.clone());
        }
        // It was given before the one that is there, and told later: a process stood still.
        let outlasts = |old: &&Record<V>| {
            let ends = |it: Option<&StoredToken<V>>| it.map(|it| it.ends_at);
            let ours = ends(grant.refresh.as_ref());
            old.health.may_present() && ours.is_some() && ends(old.refresh.as_ref()) > ours
        };
        if let Some(other) = old.filter(|it| only_if_missing || outlasts(it)) {
            return StoreOutcome::Moved(other.clone());
        }
        let old = self.records.remove(&key);
        let generation = old.as_ref().map_or_else(Generation::default, |old| old.generation);
        let mut record = Record {
            access: grant.access,
            generation: generation.next(),
            health: Health::Live,
            intent: None,
            ledger: old.map(|old| old.ledger).unwrap_or_default(),
            not_before: Timestamp::EPOCH,
            refresh: grant.refresh,
            refusals: Refusals::default(),
            renewal: grant.renewal,
            sibling: None,
            unsettled: 0,
        };
        note(&mut record, now, LedgerEvent::Adopted, fingerprint, None);
        self.records.insert(key.clone(), record.clone());
        self.tell(key, None, &record);
        StoreOutcome::Done(record)
    }

    fn arm(
        &mut self,
        now: Timestamp,
        key: &GrantKey,
        generation: Generation,
        new: NewIntent,
        over: Option<TakeOver>,
    ) -> StoreOutcome<V> {
        let Some(record) = self.records.get(key) else { return StoreOutcome::Missing };
        let standing = record.intent.as_ref();
        if standing.is_some_and(|it| it.id == new.id) {
            // The answer was lost, and the same intent is offered again.
            return StoreOutcome::Armed(record.clone());
        }
        if record.generation != generation {
            return StoreOutcome::Moved(record.clone());
        }
        if !record.health.may_present() {
            return StoreOutcome::Ended(record.clone());
        }
        if let Some(standing) = standing {
            let over = over.filter(|it| it.intent == standing.id);
            let until = self.quiet_until(standing, new.id.owner, over);
            if over.is_none() || now < until {
                return StoreOutcome::Busy { record: record.clone(), until };
            }
        }
        if now < record.not_before {
            let until = record.not_before;
            return StoreOutcome::NotDue { record: record.clone(), until };
        }
        let mut record = record.clone();
        if record.intent.is_some() {
            record.unsettled = record.unsettled.saturating_add(1);
            note(&mut record, now, LedgerEvent::TakenOver, new.fingerprint, Some(new.id.owner));
        }
        self.owners.insert(new.id.owner, now);
        record.intent = Some(Intent {
            armed_at: now,
            attempt: record.unsettled.saturating_add(1),
            fingerprint: new.fingerprint,
            id: new.id,
            quiet: new.quiet,
        });
        self.records.insert(key.clone(), record.clone());
        StoreOutcome::Armed(record)
    }

    /// When `by` may arm over an intent: after its quiet period, and for another process not before
    /// its owner has been silent for as long, unless it does not care.
    fn quiet_until(&self, intent: &Intent, by: OwnerId, over: Option<TakeOver>) -> Timestamp {
        let quiet = intent.armed_at.after(intent.quiet);
        if intent.id.owner == by || over.is_some_and(|it| it.even_if_alive) {
            return quiet;
        }
        let last_seen = self.owners.get(&intent.id.owner).copied().unwrap_or(intent.armed_at);
        quiet.max(last_seen.after(intent.quiet))
    }

    fn bury(
        &mut self,
        now: Timestamp,
        key: &GrantKey,
        of: (Generation, Option<Fingerprint>),
        owner: OwnerId,
        cause: CauseOfDeath,
    ) -> StoreOutcome<V> {
        self.change(key, Some(owner), |record| {
            let refused = fingerprint(record.refresh.as_ref());
            if (record.generation, refused) != of {
                return Edit::Moved;
            }
            if record.health == Health::Dead(cause) {
                return Edit::AsItWas;
            }
            if !record.health.may_present() {
                return Edit::Ended;
            }
            record.health = Health::Dead(cause);
            record.intent = None;
            note(record, now, LedgerEvent::Buried(cause), refused, Some(owner));
            Edit::Made
        })
    }

    fn commit(
        &mut self,
        now: Timestamp,
        key: &GrantKey,
        generation: Generation,
        owner: OwnerId,
        successor: Successor<V>,
    ) -> StoreOutcome<V> {
        self.change(key, Some(owner), |record| {
            // After the restoration of a backup an end may count as the generation that is committed.
            let has_ended = matches!(record.health, Health::Disabled | Health::Revoked);
            if record.generation != generation || has_ended {
                let ours = record.generation == generation.next()
                    && same(record.access.as_ref(), successor.access.as_ref())
                    && (successor.refresh.is_none()
                        || same(record.refresh.as_ref(), successor.refresh.as_ref()));
                if !ours {
                    return Edit::Moved;
                }
                // The same tokens, sealed anew perhaps.
                record.access = successor.access;
                record.refresh = successor.refresh.or_else(|| record.refresh.take());
                return Edit::AsItWas;
            }
            let has_successor =
                successor.refresh.is_some() || record.renewal == Renewal::Repeatable;
            // The old token stays, and another process is presenting it: its intent stands.
            if !has_successor && record.intent.as_ref().is_some_and(|it| it.id.owner != owner) {
                return Edit::Moved;
            }
            record.health = if has_successor { Health::Live } else { Health::LastLeg };
            record.refresh = successor.refresh.or_else(|| record.refresh.take());
            record.access = successor.access;
            record.generation = generation.next();
            record.intent = None;
            record.not_before = Timestamp::EPOCH;
            record.refusals = Refusals::default();
            record.unsettled = 0;
            let committed = fingerprint(record.refresh.as_ref());
            // A sibling that is promoted is no sibling any more.
            record.sibling.take_if(|it| Some(it.token.fingerprint) == committed);
            note(record, now, LedgerEvent::Rotated, committed, Some(owner));
            Edit::Made
        })
    }

    fn disarm(
        &mut self,
        key: &GrantKey,
        intent: IntentId,
        not_before: Timestamp,
        refusals: Refusals,
    ) -> StoreOutcome<V> {
        let Some(record) = self.records.get_mut(key) else { return StoreOutcome::Missing };
        // Somebody else's intent stays; ours is gone either way.
        if record.intent.as_ref().is_some_and(|it| it.id == intent) {
            record.intent = None;
            record.not_before = record.not_before.max(not_before);
            record.refusals = refusals;
            if refusals.count > 0 && record.health == Health::Live {
                record.health = Health::Suspect;
            }
        }
        StoreOutcome::Done(record.clone())
    }

    fn due(&self, limit: usize, until: Timestamp) -> StoreOutcome<V> {
        let due = self.records.iter().filter_map(|(key, it)| Some((it.due_at()?, key)));
        let mut due: Vec<_> = due.filter(|(due_at, _)| *due_at <= until).collect();
        due.sort_unstable();
        StoreOutcome::Due(due.into_iter().take(limit).map(|(_, key)| key.clone()).collect())
    }

    fn end(
        &mut self,
        now: Timestamp,
        key: &GrantKey,
        generation: Option<Generation>,
        end: End,
    ) -> StoreOutcome<V> {
        let ended = match end {
            End::Disabled => Health::Disabled,
            End::Revoked => Health::Revoked,
        };
        self.change(key, None, |record| {
            if record.health == ended {
                return Edit::AsItWas;
            }
            if generation.is_some_and(|only| only != record.generation) {
                return Edit::Moved;
            }
            let fingerprint = fingerprint(record.refresh.as_ref());
            record.generation = record.generation.next();
            (record.access, record.refresh) = (None, None);
            (record.intent, record.sibling) = (None, None);
            record.unsettled = 0;
            record.health = ended;
            note(record, now, LedgerEvent::Ended(end), fingerprint, None);
            Edit::Made
        })
    }

    fn escrow(
        &mut self,
        now: Timestamp,
        key: &GrantKey,
        owner: OwnerId,
        sibling: Sibling<V>,
    ) -> StoreOutcome<V> {
        self.change(key, Some(owner), |record| {
            let rank = |it: &Sibling<V>| (it.from, it.token.ends_at);
            if let Some(kept) = record.sibling.as_mut().filter(|it| rank(it) >= rank(&sibling)) {
                let is_same = kept.token.fingerprint == sibling.token.fingerprint;
                if is_same && kept.from == sibling.from {
                    // The same token, sealed anew perhaps.
                    *kept = sibling;
                }
                return Edit::AsItWas;
            }
            let fingerprint = Some(sibling.token.fingerprint);
            record.sibling = Some(sibling);
            note(record, now, LedgerEvent::Escrowed, fingerprint, Some(owner));
            Edit::Made
        })
    }

    fn pulse(
        &mut self,
        now: Timestamp,
        owner: OwnerId,
        since: Sequence,
        alive: bool,
    ) -> StoreOutcome<V> {
        if alive {
            self.owners.insert(owner, now);
        }
        let changes = self.changes.iter().filter(|change| change.sequence > since);
        let others = self
            .owners
            .iter()
            .filter(|(id, seen)| **id != owner && now < seen.after(Self::LIFE_SIGN));
        StoreOutcome::Pulse(Pulse {
            changes: changes.cloned().collect(),
            processes: u32::try_from(others.count()).unwrap_or(u32::MAX).saturating_add(1),
            sequence: self.sequence,
            store: self.identity,
        })
    }

    /// Changes a record and tells the others, or leaves it as it is.
    fn change(
        &mut self,
        key: &GrantKey,
        owner: Option<OwnerId>,
        change: impl FnOnce(&mut Record<V>) -> Edit,
    ) -> StoreOutcome<V> {
        let Some(record) = self.records.get_mut(key) else { return StoreOutcome::Missing };
        let outcome = change(record);
        let record = record.clone();
        match outcome {
            Edit::AsItWas => StoreOutcome::Done(record),
            Edit::Ended => StoreOutcome::Ended(record),
            Edit::Made => {
                self.tell(key.clone(), owner, &record);
                StoreOutcome::Done(record)
            }
            Edit::Moved => StoreOutcome::Moved(record),
        }
    }

    fn tell(&mut self, key: GrantKey, owner: Option<OwnerId>, record: &Record<V>) {
        self.sequence = Sequence(self.sequence.0.saturating_add(1));
        let (generation, health, sequence) = (record.generation, record.health, self.sequence);
        self.changes.push_back(Change { generation, health, key, owner, sequence });
        if self.changes.len() > Self::CHANGES_LIMIT {
            self.changes.pop_front();
        }
    }
}

/// What an operation did to a record.
enum Edit {
    /// It had been done before.
    AsItWas,
    /// Nothing: the grant has ended.
    Ended,
    /// It was done.
    Made,
    /// Nothing: the record is at another generation.
    Moved,
}

fn note<V>(
    record: &mut Record<V>,
    at: Timestamp,
    event: LedgerEvent,
    fingerprint: Option<Fingerprint>,
    owner: Option<OwnerId>,
) {
    let generation = record.generation;
    record.ledger.push(LedgerEntry { at, event, fingerprint, generation, owner });
    if record.ledger.len() > Record::<V>::LEDGER_LIMIT {
        record.ledger.remove(0);
    }
}

fn fingerprint<V>(token: Option<&StoredToken<V>>) -> Option<Fingerprint> {
    token.map(|token| token.fingerprint)
}

fn same<V>(left: Option<&StoredToken<V>>, right: Option<&StoredToken<V>>) -> bool {
    fingerprint(left) == fingerprint(right)
}
