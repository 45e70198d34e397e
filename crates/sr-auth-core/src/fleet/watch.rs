//! What the fleet does by itself: timers, the pulse, and care after the store has gone back.

use std::num::NonZeroU32;
use std::time::Duration;

use super::message::{FleetEvent, Output};
use super::poll::Poll;
use super::{Closing, Fleet, GrantId};
use crate::lifecycle::{Event, Input, News, StoreOpId, StoreRequest};
use crate::store::{Generation, Health, Holds, Pulse, StoreAnswer, StoreOp, StoreOutcome};
use crate::{Secret, Timestamp};

/// What is done carefully since the store has gone back.
#[derive(Debug, Default)]
pub(super) struct Caution {
    /// The next place whose grant is read again.
    reread: Option<u32>,
    /// How many renewals in a row have succeeded since; `None` when the store is trusted.
    successes: Option<u8>,
}

impl Caution {
    /// So many renewals in a row show that what the store holds works.
    const ENOUGH: u8 = 3;

    /// How many grants are read again at each pulse.
    const AT_ONCE: u32 = 500;

    /// Takes in what happened to a grant; `true` when the store is trusted from now on.
    pub(super) fn learns(&mut self, event: &Event) -> bool {
        let Some(successes) = self.successes.as_mut() else { return false };
        if matches!(event, Event::Rotated { .. }) {
            *successes = successes.saturating_add(1);
        }
        if matches!(event, Event::Died { .. } | Event::InDoubt { .. } | Event::Suspected { .. }) {
            *successes = 0;
        }
        let is_enough = *successes >= Self::ENOUGH;
        if is_enough {
            self.successes = None;
        }
        is_enough
    }
}

impl Fleet {
    /// How many grants let go of what the store has at each pulse.
    const SHED_AT_ONCE: u32 = 500;

    /// Does what is due.
    pub(super) fn tick(&mut self, now: Timestamp) {
        // Each once: one that is due again at once must not keep the others waiting.
        let due: Vec<_> = std::iter::from_fn(|| self.residents.wheel.pop_due(now)).collect();
        for slot in due {
            if let Some(id) = self.residents.slots.at(slot) {
                self.step(now, id, Input::Timeout, true);
            }
        }
        self.pulse(now);
        self.scan(now);
    }

    /// Asks for news, when it is time.
    pub(super) fn pulse(&mut self, now: Timestamp) {
        if self.closing == Closing::Drained || !self.pulses.poll.is_due(now) {
            return;
        }
        if self.pulses.poll.is_asked() {
            // The store has not answered in time.
            self.holds_are_known(now);
        }
        self.look_at_holds(now);
        self.reread(now);
        self.shrink();
        if self.caution.reread.is_none() && self.caution.successes.is_none() {
            self.residents.shed(now, Self::SHED_AT_ONCE, self.settings.healing_for());
        }
        let (owner, since) = (self.process.owner(), self.pulses.since());
        let alive = self.residents.has_intents();
        self.pulses.poll = self.ask(now, StoreOp::Pulse { alive, owner, since });
    }

    /// Takes in the answer to an operation of the fleet itself; `None` when there is none.
    pub(super) fn stored(
        &mut self,
        now: Timestamp,
        id: StoreOpId,
        answer: Option<StoreAnswer<Secret>>,
    ) {
        let outcome = answer.map(|it| it.outcome);
        if self.pulses.poll.awaits(id) {
            self.pulses.poll = Poll::after(now, self.settings.pulse_every());
            if let Some(StoreOutcome::Pulse(pulse)) = outcome {
                self.take_in(now, pulse);
            }
            self.holds_are_known(now);
        } else if self.holding.awaits(id) {
            self.holds_read(now, outcome);
        } else if self.keep_alive.poll.awaits(id) {
            let keys = match outcome {
                Some(StoreOutcome::Due(keys)) => Some(keys),
                // No answer, or none to this question.
                None | Some(_) => None,
            };
            self.scanned(now, keys);
        }
    }

    fn take_in(&mut self, now: Timestamp, pulse: Pulse) {
        self.gates.share(now, NonZeroU32::new(pulse.processes).unwrap_or(NonZeroU32::MIN));
        let news = self.pulses.read(self.process.owner(), pulse);
        if news.has_rolled_back {
            self.caution.successes = Some(0);
            self.ends.forget();
            self.holding.has_gone_back();
            self.gates.be_careful(true);
            self.outputs.push_back(Output::Notice(FleetEvent::StoreRolledBack));
        }
        if news.has_missed {
            self.holding.may_have_changed();
            self.caution.reread = Some(0);
        }
        if news.has_more {
            self.pulses.poll = Poll::after(now, Duration::ZERO);
        }
        for (place, change) in news.changes.iter().enumerate() {
            if Holds::is_key(&change.key) {
                self.holding.has_changed();
                continue;
            }
            self.ends.hear(change);
            let Some(id) = self.find(&change.key) else { continue };
            let (generation, health) = (change.generation, change.health);
            let is_end = matches!(health, Health::Disabled | Health::Revoked);
            let is_undone = || news.changes.iter().skip(place + 1).any(|it| it.key == change.key);
            // Where nothing is held there is nothing to withdraw, and whoever waits for the record
            // would be told of an end that a newer consent has undone.
            if is_end && self.holds_nothing(id) && is_undone() {
                continue;
            }
            self.step(now, id, Input::Changed { generation, health }, true);
        }
        self.look_at_holds(now);
    }

    fn holds_nothing(&self, id: GrantId) -> bool {
        let resident = self.residents.slots.content(id);
        resident.is_some_and(|(_, it)| it.regions.holds_nothing())
    }

    /// Has some more grants read again, when all have to be.
    fn reread(&mut self, now: Timestamp) {
        let Some(first) = self.caution.reread else { return };
        let (next, places) =
            (first.saturating_add(Caution::AT_ONCE), self.residents.slots.places());
        self.caution.reread = (next < places).then_some(next);
        for slot in first..next.min(places) {
            match self.residents.slots.at(slot) {
                Some(id) if self.caution.successes.is_some() => self.load_rewound(now, id),
                Some(id) => self.load(now, id),
                None => {}
            }
        }
    }

    /// Has the record of a grant read, though nobody asks.
    pub(super) fn load(&mut self, now: Timestamp, id: GrantId) {
        // Newer than anything that is held.
        let generation = Generation::from_number(u64::MAX - 1);
        self.step(now, id, Input::Changed { generation, health: Health::Live }, true);
    }

    /// Has the record of a grant read, and believed whatever is held.
    fn load_rewound(&mut self, now: Timestamp, id: GrantId) {
        let (generation, health) = (News::REWOUND, Health::Live);
        self.step(now, id, Input::Changed { generation, health }, true);
    }

    /// Asks the store for something that is of no grant.
    pub(super) fn ask(&mut self, now: Timestamp, op: StoreOp<Secret>) -> Poll {
        let id = self.counts.next_op();
        let answer_within = self.settings.lifecycle().margins().store_answer();
        let request = StoreRequest { answer_within, id, op };
        self.outputs.push_back(Output::Store { grant: None, request });
        Poll::asked(now, id, answer_within)
    }

    /// Has all grants judge their deadlines anew.
    pub(super) fn tell_all(&mut self, now: Timestamp) {
        for slot in 0..self.residents.slots.places() {
            if let Some(id) = self.residents.slots.at(slot) {
                self.step(now, id, Input::ClockDiverged, true);
            }
        }
        self.tick(now);
    }

    /// Lets everything go on.
    pub(super) fn resume(&mut self) {
        self.gates.resume();
        if self.caution.successes.take().is_some() {
            self.trust();
        }
    }

    /// Ends the care after the store went back.
    pub(super) fn trust(&mut self) {
        self.gates.be_careful(false);
        self.outputs.push_back(Output::Notice(FleetEvent::StoreTrusted));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lifecycle::Blame;

    #[test]
    fn three_successes_in_a_row_are_enough() {
        let generation = Generation::default();
        let good = Event::Rotated { generation, refresh: None };
        let quiet_until = Timestamp::EPOCH;
        let bad = Event::InDoubt { blame: Blame::Silence, generation, quiet_until };
        let other = Event::Adopted { generation };
        let mut caution = Caution { successes: Some(0), ..Caution::default() };
        let learnt = [good, good, bad, good, other, good, good, good].map(|it| caution.learns(&it));
        assert_eq!(learnt, [false, false, false, false, false, false, true, false]);
    }
}
