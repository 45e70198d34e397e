//! What makes two worlds the same: they will behave alike.
//!
//! Moments count from now, processes have no names, and what is over does not count.

use std::hash::{Hash, Hasher};

use sr_auth_core::Timestamp;
use sr_auth_core::lifecycle::View;
use sr_auth_core::store::{LedgerEvent, OwnerId, Record, StoreOp};
use sr_auth_core::{Fingerprint, Secret};

use super::HORIZON;
use super::server::GRACE;
use super::world::{Ground, Message, Slot, Waiter, What, World};

/// The 128 bits of FNV-1a: wide enough that no two of some millions of worlds meet by chance.
#[derive(Debug)]
struct Wide(u128);

impl Hasher for Wide {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u128::from(*byte)).wrapping_mul(0x0100_0000_0000_0000_0000_013b);
        }
    }

    fn finish(&self) -> u64 {
        self.0 as u64
    }
}

fn wide(of: impl FnOnce(&mut Wide)) -> u128 {
    let mut hasher = Wide(0x6c62_272e_07bb_0142_62b8_2175_6295_c58d);
    of(&mut hasher);
    hasher.0
}

impl World {
    /// Returns the identity of a world; `views` are its own.
    pub(super) fn identity(&self, views: &[Option<View>], ground: &Ground) -> u128 {
        let record = self.record(ground);
        let mut processes: Vec<u128> = (0..)
            .zip(self.slots.iter().zip(views))
            .map(|(place, (slot, view))| {
                wide(|to| self.of_process(place, slot, view.as_ref(), record, to))
            })
            .collect();
        processes.sort_unstable();
        wide(|to| {
            processes.hash(to);
            if let Some(record) = record {
                self.of_record(record, to);
            }
            self.of_rest(ground, to);
        })
    }

    fn of_process(
        &self,
        place: usize,
        slot: &Slot,
        view: Option<&View>,
        record: Option<&Record<Secret>>,
        to: &mut Wide,
    ) {
        let Some(view) = view else { return };
        let intent = record.and_then(|it| it.intent.as_ref());
        let owns = intent.is_some_and(|it| it.id.owner == slot.owner);
        let armed = slot.armed.is_some_and(|armed| intent.is_some_and(|it| it.id == armed.id));
        let believes = slot.believes.is_some() && slot.believes == intent.map(|it| it.id);
        let ledger = record.map(|it| it.ledger.as_slice()).unwrap_or_default();
        let is_known = view.uncommitted.is_some()
            && ledger
                .iter()
                .any(|it| it.event == LedgerEvent::Rotated && it.fingerprint == view.uncommitted);
        let timeout_in = view.timeout_in.filter(|it| *it <= HORIZON);
        (view.access, view.access_token, view.ends_in, view.failures).hash(to);
        (view.generation, view.health, view.refresh_token, view.stage).hash(to);
        (timeout_in, view.uncommitted, view.wanted).hash(to);
        (slot.adopts, believes, slot.diverged == Some(slot.last_op)).hash(to);
        (slot.closing, slot.news, slot.paused, slot.unsure, owns, armed, is_known).hash(to);
        let ours = |it: &&Message| it.waiter == Waiter::Process(place);
        let messages = self.messages.iter().filter(ours);
        let mut messages: Vec<u128> =
            messages.map(|it| wide(|to| self.of_message(it, Some(slot), to))).collect();
        messages.sort_unstable();
        messages.hash(to);
    }

    fn of_message(&self, message: &Message, slot: Option<&Slot>, to: &mut Wide) {
        match &message.what {
            What::Op(op) => {
                (op.op.name(), slot.is_some_and(|it| it.last_op == op.id)).hash(to);
                self.of_op(&op.op, to);
                if let Some(answer) = &op.answer {
                    (answer.outcome.name(), self.ahead(answer.now)).hash(to);
                    if let Some(record) = record_of(&answer.outcome) {
                        self.of_record(record, to);
                    }
                }
            }
            What::Request(it) => {
                let is_last = slot.is_some_and(|slot| slot.last_transmit == Some(it.id));
                (is_last, it.late, it.phase, it.token).hash(to);
                (self.ahead(it.not_after), self.ahead(it.gives_up_at())).hash(to);
            }
        }
    }

    fn of_op(&self, op: &StoreOp<Secret>, to: &mut Wide) {
        match op {
            StoreOp::Arm { generation, intent, over, .. } => {
                let standing = over.map(|it| self.owner(it.intent.owner));
                (generation, intent.fingerprint, intent.quiet, standing).hash(to);
            }
            StoreOp::Bury { cause, generation, refused, .. } => {
                (cause, generation, refused).hash(to);
            }
            StoreOp::Commit { generation, successor, .. } => {
                let access = successor.access.as_ref().map(|it| it.fingerprint);
                (generation, access, successor.refresh.as_ref().map(|it| it.fingerprint)).hash(to);
            }
            StoreOp::Disarm { intent, not_before, refusals, .. } => {
                (self.owner(intent.owner), self.ahead(*not_before), refusals.count).hash(to);
            }
            StoreOp::Escrow { sibling, .. } => (sibling.from, sibling.token.fingerprint).hash(to),
            StoreOp::Adopt { grant, .. } => {
                grant.refresh.as_ref().map(|it| it.fingerprint).hash(to);
            }
            StoreOp::End { end, .. } => end.hash(to),
            StoreOp::Due { .. } | StoreOp::Load { .. } | StoreOp::Pulse { .. } => {}
        }
    }

    fn of_record(&self, record: &Record<Secret>, to: &mut Wide) {
        let name =
            |token: &Option<sr_auth_core::store::StoredToken<Secret>>| -> Option<Fingerprint> {
                token.as_ref().map(|it| it.fingerprint)
            };
        (record.generation, record.health, name(&record.access), name(&record.refresh)).hash(to);
        (record.refusals.count, record.unsettled, self.ahead(record.not_before)).hash(to);
        record.sibling.as_ref().map(|it| (it.from, it.token.fingerprint)).hash(to);
        let ends_at = record.access.as_ref().map(|it| self.ahead(it.ends_at));
        ends_at.hash(to);
        if let Some(intent) = &record.intent {
            let is_of_the_living = self.owner(intent.id.owner).is_some();
            (is_of_the_living, intent.attempt, intent.fingerprint).hash(to);
            self.ahead(intent.armed_at.after(intent.quiet)).hash(to);
        }
    }

    fn of_rest(&self, ground: &Ground, to: &mut Wide) {
        let Self { budget, calls, loss, .. } = self;
        (budget.crashes, budget.drops, budget.faults, budget.oddities, budget.pauses).hash(to);
        (calls, self.is_emptied, loss.map(|it| it as u8), self.server.live).hash(to);
        self.ahead(self.quiet_until(ground)).hash(to);
        for (token, successor, at) in &self.server.spent {
            (token, successor, self.ahead(at.after(GRACE))).hash(to);
        }
        for (token, until) in &self.busy {
            (token, self.ahead(*until)).hash(to);
        }
        let call_at = self.call_at(ground).map(|it| self.ahead(it));
        call_at.hash(to);
        let orphans = self.messages.iter().filter(|it| !matches!(it.waiter, Waiter::Process(_)));
        let mut orphans: Vec<u128> = orphans
            .map(|it| {
                wide(|to| {
                    it.waiter.hash(to);
                    self.of_message(it, None, to);
                })
            })
            .collect();
        orphans.sort_unstable();
        orphans.hash(to);
    }

    /// How far a moment is ahead; what is past is all the same.
    fn ahead(&self, at: Timestamp) -> u64 {
        u64::try_from(at.since(self.now).as_millis()).unwrap_or(u64::MAX)
    }

    /// Tells whether an owner lives; who it is, its own part of the identity says.
    fn owner(&self, owner: OwnerId) -> Option<bool> {
        let slot = self.slots.iter().find(|it| it.owner == owner && it.machine.is_some())?;
        Some(slot.paused)
    }
}

const fn record_of(outcome: &sr_auth_core::store::StoreOutcome<Secret>) -> Option<&Record<Secret>> {
    use sr_auth_core::store::StoreOutcome as It;
    match outcome {
        It::Armed(record)
        | It::Busy { record, .. }
        | It::Done(record)
        | It::Ended(record)
        | It::Loaded(record)
        | It::Moved(record)
        | It::NotDue { record, .. } => Some(record),
        It::Due(_) | It::Missing | It::Pulse(_) => None,
    }
}
