//! The grants in memory, their timers and their counts.

use std::time::Duration;

use super::GrantId;
use super::gates::Gates;
use super::holding::Gate;
use super::resident::{Mark, Marks, Resident};
use super::slots::Slots;
use super::wheel::Wheel;
use crate::Timestamp;
use crate::lifecycle::Wanted;
use crate::store::{GrantKey, OwnerId};

#[derive(Debug)]
pub(super) struct Residents {
    busy: usize,
    cared: usize,
    intents: usize,
    /// The next place whose grant is looked at.
    shed_next: u32,
    pub(super) slots: Slots<Resident>,
    pub(super) wheel: Wheel,
}

/// What a change of a grant changed for others.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Settled {
    /// Callers get something else.
    pub(super) has_news: bool,
    /// It is here for its own sake, it is free, and whether it wants anything is not known.
    pub(super) is_undecided: bool,
}

impl Residents {
    pub(super) fn new(owner: OwnerId) -> Self {
        let slots = Slots::new(owner.number());
        Self { busy: 0, cared: 0, intents: 0, shed_next: 0, slots, wheel: Wheel::default() }
    }

    /// Returns how many have begun something that has to be finished.
    pub(super) const fn busy(&self) -> usize {
        self.busy
    }

    /// Returns how many are here for their own sake.
    pub(super) const fn cared(&self) -> usize {
        self.cared
    }

    /// Tells whether an intent of this process may stand.
    pub(super) const fn has_intents(&self) -> bool {
        self.intents > 0
    }

    /// Takes a grant out of everything.
    pub(super) fn remove(&mut self, id: GrantId, gates: &mut Gates) -> Option<GrantKey> {
        let (key, resident) = self.slots.remove(id)?;
        self.wheel.cancel(id.index());
        gates.queue(id.index(), resident.application, None);
        let marks = resident.marks;
        count(&mut self.busy, marks.has(Mark::Busy), false);
        count(&mut self.cared, marks.has(Mark::Cared), false);
        count(&mut self.intents, marks.has(Mark::Intent), false);
        Some(key)
    }

    /// Marks a grant as here for its own sake.
    pub(super) fn care(&mut self, id: GrantId) {
        if let Some((_, resident)) = self.slots.content_mut(id) {
            recount(&mut self.cared, &mut resident.marks, Mark::Cared, true);
            resident.marks.set(Mark::Asked, false);
        }
    }

    /// Has some more grants let go of what the store has.
    pub(super) fn shed(&mut self, now: Timestamp, most: u32, healing_for: Duration) {
        let (first, places) = (self.shed_next, self.slots.places());
        let next = first.saturating_add(most);
        self.shed_next = if next < places { next } else { 0 };
        for place in first..next.min(places) {
            let id = self.slots.at(place);
            if let Some((_, resident)) = id.and_then(|id| self.slots.content_mut(id)) {
                resident.regions.shed(now, healing_for);
            }
        }
    }

    /// Brings timers, counts and the queue to what a grant has become. It may not wait for a turn
    /// when it had one and made nothing of it, and not while it is held.
    pub(super) fn settle(
        &mut self,
        now: Timestamp,
        id: GrantId,
        owner: OwnerId,
        gates: &mut Gates,
        (may_wait, gate): (bool, Gate),
    ) -> Settled {
        let Some((_, it)) = self.slots.content_mut(id) else { return Settled::default() };
        match it.regions.poll_timeout() {
            Some(at) => self.wheel.schedule(id.index(), at),
            None => self.wheel.cancel(id.index()),
        }
        if !it.regions.is_presenting()
            && let Some(pass) = it.pass.take()
        {
            gates.finished(now, it.application, pass, it.marks.has(Mark::Sent));
        }
        let (busy, intent) = (it.regions.is_busy(), it.regions.has_intent(owner));
        recount(&mut self.busy, &mut it.marks, Mark::Busy, busy);
        recount(&mut self.intents, &mut it.marks, Mark::Intent, intent);
        let is_demanded = it.marks.has(Mark::Demanded);
        let asks = it.regions.asks(now).filter(|_| may_wait && gate == Gate::Open);
        // What nobody asked for can wait, whatever the access token is.
        let class = asks.map(|wanted| if is_demanded { wanted } else { Wanted::KeepAlive });
        gates.queue(id.index(), it.application, class);
        it.marks.set(Mark::Demanded, is_demanded && it.regions.wanted().is_some());
        let is_done = it.marks.has(Mark::Cared) && it.regions.is_loaded() && it.regions.is_idle();
        let is_undecided = is_done && !it.marks.has(Mark::Asked);
        if is_undecided {
            it.marks.set(Mark::Asked, true);
        } else if is_done {
            recount(&mut self.cared, &mut it.marks, Mark::Cared, false);
        }
        Settled { has_news: it.has_news(now, gate), is_undecided }
    }
}

fn recount(total: &mut usize, marks: &mut Marks, mark: Mark, is: bool) {
    count(total, marks.has(mark), is);
    marks.set(mark, is);
}

fn count(total: &mut usize, was: bool, is: bool) {
    *total = total.saturating_add(usize::from(is)).saturating_sub(usize::from(was));
}
