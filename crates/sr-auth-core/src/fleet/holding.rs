//! What an operator holds, as far as this process has heard of it.

use super::message::{FleetEvent, Output};
use super::poll::Poll;
use super::{Fleet, GrantId};
use crate::lifecycle::{Availability, Cause, StoreOpId, Unavailable};
use crate::store::{GrantKey, Health, Hold, Holds, StoreOp, StoreOutcome};
use crate::{Secret, Timestamp};

/// Knows the list of holds, and when it has to be read again.
#[derive(Debug, Default)]
pub(super) struct Holding {
    asked: Option<Poll>,
    holds: Holds,
    /// Whether the store has said what is held, or has failed to: until then nothing is handed out.
    is_known: bool,
    /// The list has changed, or may have.
    is_stale: bool,
    /// The store has gone back since the list was read: what was held then stays so until somebody
    /// changes the list.
    keeps: bool,
}

/// Whether a grant may be presented and handed out.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Gate {
    /// An operator holds it.
    Held,
    Open,
    /// The store has not said yet whether it is held.
    Unknown,
}

impl Gate {
    /// Returns what callers get, of what they would get.
    pub(super) fn judge(self, would: Availability<'_>) -> Availability<'_> {
        match (self, would) {
            (Self::Open, would) => would,
            // An end says more than a hold.
            (_, Availability::Failed(it)) if !matches!(it.cause(), Cause::Renewal(_)) => would,
            (Self::Held, _) => Availability::Failed(Unavailable::new(Cause::Held, None)),
            (Self::Unknown, Availability::Failed(_)) => would,
            (Self::Unknown, _) => Availability::Pending { until: None },
        }
    }
}

impl Holding {
    pub(super) fn gate(&self, key: &GrantKey) -> Gate {
        match self.holds.of(key) {
            Some(_) => Gate::Held,
            None if self.is_known => Gate::Open,
            None => Gate::Unknown,
        }
    }

    pub(super) const fn is_known(&self) -> bool {
        self.is_known
    }

    /// Notes that the list has changed.
    pub(super) fn has_changed(&mut self) {
        self.is_stale = true;
        self.keeps = false;
    }

    /// Notes that the store has gone back, and the list perhaps with it.
    pub(super) fn has_gone_back(&mut self) {
        self.is_stale = true;
        self.keeps = true;
    }

    /// Notes that some changes were missed.
    pub(super) fn may_have_changed(&mut self) {
        self.is_stale = true;
    }

    pub(super) fn awaits(&self, answer: StoreOpId) -> bool {
        self.asked.is_some_and(|it| it.awaits(answer))
    }

    /// Takes in a list; returns what differs from the one before.
    fn take_in(&mut self, read: Holds) -> Vec<FleetEvent> {
        let kept = if self.keeps { self.holds.iter().cloned().collect() } else { Vec::new() };
        // The two lists were written by people, and are short.
        let holds =
            kept.into_iter().fold(read, |read, hold| read.clone().with(hold).unwrap_or(read));
        let news = |of: &Holds, other: &Holds, event: fn(Hold) -> FleetEvent| -> Vec<_> {
            let is_new = |it: &&Hold| other.iter().all(|known| known.scope() != it.scope());
            of.iter().filter(is_new).cloned().map(event).collect()
        };
        let mut events = news(&holds, &self.holds, |hold| FleetEvent::Held { hold });
        events.extend(news(&self.holds, &holds, |hold| FleetEvent::Released { hold }));
        self.holds = holds;
        events
    }
}

impl Fleet {
    /// Returns the gate of a resident grant.
    pub(super) fn gate(&self, id: GrantId) -> Gate {
        let content = self.residents.slots.content(id);
        content.map_or(Gate::Open, |(key, _)| self.holding.gate(key))
    }

    /// Has the list read if that is called for, and no answer is on the way.
    pub(super) fn look_at_holds(&mut self, now: Timestamp) {
        let is_free = self.holding.asked.as_mut().is_none_or(|it| it.is_due(now));
        if self.holding.is_stale && is_free {
            self.holding.is_stale = false;
            self.holding.asked = Some(self.ask(now, StoreOp::Load { key: Holds::key() }));
        }
    }

    /// Takes in the list, or that the store did not bring it.
    pub(super) fn holds_read(&mut self, now: Timestamp, outcome: Option<StoreOutcome<Secret>>) {
        self.holding.asked = None;
        let holds = match outcome {
            Some(StoreOutcome::Loaded(record)) if record.health == Health::Live => {
                record.access.as_ref().map(Holds::from_token).unwrap_or_default()
            }
            // There never was one, or it was ended.
            Some(StoreOutcome::Loaded(_) | StoreOutcome::Missing) => Holds::default(),
            // What was known counts until the store says something else.
            None | Some(_) => {
                self.holding.is_stale = true;
                return;
            }
        };
        let events = self.holding.take_in(holds);
        let has_news = !events.is_empty();
        self.outputs.extend(events.into_iter().map(Output::Notice));
        if has_news || !self.holding.is_known {
            self.holding.is_known = true;
            self.judge_all(now);
        }
        // It may have changed again while it was read.
        self.look_at_holds(now);
    }

    /// Goes on without knowing: the store has been asked, and says that nothing is held, or nothing
    /// at all. A token that is good is then worth more than an order that cannot be heard.
    pub(super) fn holds_are_known(&mut self, now: Timestamp) {
        let is_awaited = self.holding.is_stale || self.holding.asked.is_some();
        if !self.holding.is_known && !is_awaited {
            self.holding.is_known = true;
            self.judge_all(now);
        }
    }

    /// Has every resident grant wait for its turn, or not any more, and its callers told.
    fn judge_all(&mut self, now: Timestamp) {
        for slot in 0..self.residents.slots.places() {
            if let Some(id) = self.residents.slots.at(slot) {
                self.settle(now, id, true);
            }
        }
    }
}
