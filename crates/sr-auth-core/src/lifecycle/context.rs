//! What a region works with: the grant's data, the process's settings and the queue.

use std::collections::VecDeque;

use super::affairs::Affairs;
use super::attempt::Attempt;
use super::doubt::Doubt;
use super::held::{Held, is_ended};
use super::{
    Access, Application, Blame, Event, Margins, Output, Recovery, StoreOpId, StoreRequest, Wanted,
};
use crate::machine::TransmitId;
use crate::store::{
    Generation, GrantKey, Health, IntentId, OwnerId, Record, Refusals, Renewal, StoreOp,
    StoredToken,
};
use crate::{FingerprintKey, Secret, Timestamp};

/// Where a renewal stands.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Rotation {
    Attempt(Attempt),
    BackingOff { blame: Blame, until: Timestamp },
    Doubt(Doubt),
    Idle,
}

/// What is known about a grant, apart from where its renewal stands.
#[derive(Clone, Debug)]
pub(crate) struct Knowledge {
    /// What is not settled, if anything is.
    pub(super) affairs: Option<Box<Affairs>>,
    pub(crate) health: Health,
    pub(crate) held: Option<Held>,
    /// The store has said that there is no such grant.
    pub(crate) missing: bool,
    pub(crate) renewal: Renewal,
    pub(crate) transmit: TransmitId,
    pub(crate) wanted: Option<Wanted>,
}

/// A request that was sent.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Presented {
    pub(crate) generation: Generation,
    pub(crate) id: TransmitId,
    pub(crate) sent_at: Timestamp,
}

/// What all grants of a process share, for the time of one input.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shared<'a> {
    pub(crate) application: &'a Application,
    /// Whether an `invalid_grant` is believed: not during a mass death.
    pub(crate) believing: bool,
    /// Whether the process is about to end.
    pub(crate) closing: bool,
    pub(crate) fingerprints: &'a FingerprintKey,
    pub(crate) key: &'a GrantKey,
    pub(crate) margins: &'a Margins,
    pub(crate) owner: OwnerId,
    pub(crate) recovery: Recovery,
}

/// Numbers that are given once in the life of a process, for all its grants: one that has left and
/// comes back must not give one again.
#[derive(Clone, Debug, Default)]
pub(crate) struct Counts {
    intents: u64,
    ops: u32,
}

impl Counts {
    fn next_intent(&mut self) -> u64 {
        self.intents = self.intents.wrapping_add(1);
        self.intents
    }

    /// Names the next operation of the store.
    pub(crate) const fn next_op(&mut self) -> StoreOpId {
        self.ops = self.ops.wrapping_add(1);
        StoreOpId(self.ops)
    }
}

#[derive(Debug)]
pub(crate) struct Context<'a> {
    pub(crate) counts: &'a mut Counts,
    pub(crate) known: &'a mut Knowledge,
    pub(crate) outputs: &'a mut VecDeque<Output>,
    pub(crate) shared: Shared<'a>,
}

/// An operation of the store that is under way.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked {
    pub(crate) give_up_at: Timestamp,
    pub(crate) id: StoreOpId,
}

/// What a record changed of what was held.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Taken {
    Newer,
    /// An older generation, as from a replica that lags: not taken.
    Older,
    Same,
}

impl Context<'_> {
    pub(super) fn ask(&mut self, now: Timestamp, op: StoreOp<Secret>) -> Asked {
        let id = self.counts.next_op();
        let answer_within = self.shared.margins.store_answer();
        self.outputs.push_back(Output::Store(StoreRequest { answer_within, id, op }));
        Asked { give_up_at: now.after(answer_within), id }
    }

    pub(super) fn load(&mut self, now: Timestamp) -> Asked {
        let key = self.shared.key.clone();
        self.ask(now, StoreOp::Load { key })
    }

    pub(super) fn tell(&mut self, event: Event) {
        self.outputs.push_back(Output::Event(event));
    }

    pub(super) fn generation(&self) -> Generation {
        self.known.held.as_ref().map_or_else(Generation::default, |it| it.generation)
    }

    /// Returns the access token of a generation while it is good: a successor without one of its own
    /// does not take it away from the callers.
    pub(super) fn good_access(
        &self,
        now: Timestamp,
        generation: Generation,
    ) -> Option<StoredToken<Secret>> {
        let held = self.known.held.as_ref().filter(|it| it.generation == generation)?;
        held.access.as_deref().filter(|_| Access::of(Some(held), now).is_good()).cloned()
    }

    pub(super) fn next_intent(&mut self) -> IntentId {
        IntentId { number: self.counts.next_intent(), owner: self.shared.owner }
    }

    /// Takes over what the store holds, unless this process knows better.
    pub(super) fn take(&mut self, now: Timestamp, record: Record<Secret>) -> Taken {
        if self.known.affairs().news.is_some_and(|it| it.is_end_after(record.generation)) {
            return Taken::Older;
        }
        let old = self.known.held.as_ref();
        let taken = match old.map(|old| record.generation.cmp(&old.generation)) {
            // A store that has gone back and got a new consent since: a replica has no newer token.
            Some(std::cmp::Ordering::Less) if self.is_revived_by(&record) => Taken::Newer,
            Some(std::cmp::Ordering::Less) => return Taken::Older,
            Some(std::cmp::Ordering::Equal) => Taken::Same,
            Some(std::cmp::Ordering::Greater) | None => Taken::Newer,
        };
        self.put(now, record);
        taken
    }

    /// Tells whether a record holds a newer token than that of a grant that is dead here.
    fn is_revived_by(&self, record: &Record<Secret>) -> bool {
        let ours = self.known.held.as_ref().and_then(Held::refresh);
        let ours = ours.map(|it| it.ends_at);
        let theirs = record.refresh.as_ref().map(|it| it.ends_at);
        matches!(self.known.health, Health::Dead(_)) && theirs > ours
    }

    /// Takes over what the store holds, whatever was held.
    pub(super) fn put(&mut self, now: Timestamp, record: Record<Secret>) {
        self.known.health = record.health;
        self.known.missing = false;
        self.known.renewal = record.renewal;
        self.known.heed(record.not_before, record.refusals);
        let held = Held::from_record(record, self.known.held.as_ref(), now);
        self.known.held = Some(held);
    }

    /// Takes over what the store holds, save for an access token that lasts longer: it is good,
    /// whatever has become of the grant.
    pub(super) fn put_beside_access(&mut self, now: Timestamp, record: Record<Secret>) {
        let held = self.known.held.as_ref().filter(|it| !it.rejected && !is_ended(record.health));
        let ours = held.and_then(|it| it.access.clone());
        self.put(now, record);
        let Some(held) = self.known.held.as_mut() else { return };
        let theirs = held.access.as_ref().map(|it| it.ends_at);
        if ours.as_ref().map(|it| it.ends_at) > theirs {
            held.access = ours;
        }
    }

    /// Takes over a change that somebody else has made, and says so.
    pub(super) fn take_over(&mut self, now: Timestamp, record: Record<Secret>) -> Taken {
        let (generation, health) = (record.generation, record.health);
        let known = (self.generation(), self.known.health);
        let first = self.known.held.is_none();
        let taken = self.take(now, record);
        if taken != Taken::Older && !first && (generation, health) != known {
            self.known.affairs_mut().failures = 0;
            self.tell(Event::TakenOver { generation, health });
        }
        taken
    }

    /// The store has no such grant.
    ///
    /// Grants are ended, not deleted, so a store that has lost one has lost more: whoever still
    /// holds its tokens writes them again, when an arming finds it missing, too: that is not
    /// answered by a replica.
    pub(super) fn lose(&mut self, now: Timestamp) -> Rotation {
        let held = self.known.held.as_ref();
        let is_held = held.is_some_and(Held::has_tokens);
        if is_held && self.known.health.may_present() && !self.shared.closing {
            return Attempt::begin(now, None, self);
        }
        self.forget()
    }

    /// The grant is gone, and what was held of it is worth nothing.
    pub(super) fn forget(&mut self) -> Rotation {
        self.known.missing = true;
        self.known.held = None;
        self.known.heed(Timestamp::EPOCH, Refusals::default());
        Rotation::Idle
    }

    /// Waits after a failure, until `not_before` at least.
    pub(super) fn back_off(
        &mut self,
        now: Timestamp,
        blame: Blame,
        not_before: Timestamp,
    ) -> Rotation {
        let until = self.pause(now).max(not_before);
        self.tell(Event::RenewalFailed { blame, retry_at: until });
        Rotation::BackingOff { blame, until }
    }

    /// Says why the store wants nobody to present for a while.
    pub(super) const fn blame_of_not_before(&self) -> Blame {
        match self.known.health {
            Health::Suspect => Blame::Suspicion,
            Health::Dead(_)
            | Health::Disabled
            | Health::LastLeg
            | Health::Live
            | Health::Revoked => Blame::Endpoint,
        }
    }

    /// Counts a failure and returns when to go on.
    pub(super) fn pause(&mut self, now: Timestamp) -> Timestamp {
        let failures = self.known.affairs().failures.saturating_add(1);
        self.known.affairs_mut().failures = failures;
        now.after(self.shared.margins.pause_after(failures, self.jitter()))
    }

    /// Spreads retries: differs by process, grant and attempt, and is the same in every replay.
    pub(super) fn jitter(&self) -> u16 {
        let owner = self.shared.owner.number();
        let key = self.shared.key.as_str().bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
        });
        let mut mixed = (owner as u64) ^ key ^ (u64::from(self.counts.ops) << 32);
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed >> 48) as u16
    }

    pub(super) fn is_single_use(&self) -> bool {
        self.known.renewal == Renewal::SingleUse
    }
}
