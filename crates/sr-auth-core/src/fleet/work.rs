//! What is done with one grant, and who is next.

use super::evidence::Evidence;
use super::message::{ApplicationId, FleetEvent, Output};
use super::resident::{Mark, Resident};
use super::{Closing, Fleet, GrantId};
use crate::Timestamp;
use crate::lifecycle::{self, Blame, Event, Input, Shared};
use crate::store::{GrantKey, Holds, Renewal};

/// How many places are looked at for one that may be emptied.
const LOOKS: usize = 256;

impl Fleet {
    /// Makes a grant resident, and has something happen to it.
    pub(super) fn command(
        &mut self,
        now: Timestamp,
        key: GrantKey,
        application: ApplicationId,
        renewal: Option<Renewal>,
        input: Input,
    ) {
        if let Some((id, _)) = self.open(now, key, application, renewal) {
            self.grant(now, id, input);
        }
    }

    /// Has something happen to a grant, from outside.
    pub(super) fn grant(&mut self, now: Timestamp, id: GrantId, input: Input) {
        if matches!(input, Input::Admitted | Input::Shutdown) {
            return;
        }
        if matches!(input, Input::Rejected { .. } | Input::Want) {
            self.residents.slots.touch(id);
            if let Some((_, resident)) = self.residents.slots.content_mut(id) {
                resident.marks.set(Mark::Demanded, true);
            }
        }
        self.step(now, id, input, true);
    }

    /// Makes a grant resident; `true` when it was not.
    pub(super) fn open(
        &mut self,
        now: Timestamp,
        key: GrantKey,
        application: ApplicationId,
        renewal: Option<Renewal>,
    ) -> Option<(GrantId, bool)> {
        let usual = self.gates.renewal(application)?;
        if Holds::is_key(&key) {
            return None;
        }
        if let Some(id) = self.find(&key) {
            self.residents.slots.touch(id);
            if let Some((_, resident)) = self.residents.slots.content_mut(id)
                && resident.application != application
                && resident.pass.is_none()
            {
                self.gates.queue(id.index(), resident.application, None);
                resident.application = application;
            }
            return Some((id, false));
        }
        self.make_room();
        let resident = Resident::new(application, renewal.unwrap_or(usual));
        let end = self.ends.of(&key);
        let id = self.residents.slots.insert(key, resident)?;
        let gate = self.gate(id);
        self.residents.settle(now, id, self.process.owner(), &mut self.gates, (true, gate));
        if let Some((generation, health)) = end {
            self.step(now, id, Input::Changed { generation, health }, true);
        }
        Some((id, true))
    }

    /// Has a grant leave if there is no room for one more; `false` when none was found that may.
    pub(super) fn make_room(&mut self) -> bool {
        // When all are at work, whoever comes must not look at all of them.
        self.len() < self.capacity() || self.evict(LOOKS)
    }

    /// Has grants leave that came while there was no room for them. One round at most: what callers
    /// were just told of stays until the next.
    pub(super) fn shrink(&mut self) {
        for _ in 0..self.residents.slots.places() {
            if self.len() <= self.capacity() {
                return;
            }
            self.evict(1);
        }
    }

    fn evict(&mut self, looks: usize) -> bool {
        let victim = self.residents.slots.victim(looks, Resident::may_leave);
        let Some(id) = victim else { return false };
        if let Some(key) = self.residents.remove(id, &mut self.gates) {
            self.outputs.push_back(Output::Notice(FleetEvent::Evicted { id, key }));
        }
        true
    }

    fn capacity(&self) -> usize {
        usize::try_from(self.settings.capacity()).unwrap_or(usize::MAX)
    }

    /// Has something happen to a grant, and draws the consequences for all others.
    pub(super) fn step(&mut self, now: Timestamp, id: GrantId, input: Input, may_wait: bool) {
        let known = self.len();
        let Some((key, resident)) = self.residents.slots.content_mut(id) else { return };
        let of = resident.application;
        let Some(application) = self.gates.application(of) else { return };
        let pass = resident.pass;
        let is_heard = pass.is_some() || resident.regions.has_given_up(&input);
        let mut evidence = is_heard.then(|| Evidence::of(&input, now)).flatten();
        if pass.is_some() && evidence.is_some_and(|it| it.is_refused) {
            self.deaths.refused(now, key, known);
        }
        let shared = Shared {
            application,
            believing: self.deaths.believes(now),
            closing: self.closing != Closing::No,
            fingerprints: self.process.fingerprints(),
            key,
            margins: self.settings.lifecycle().margins(),
            owner: self.process.owner(),
            recovery: self.settings.lifecycle().recovery(),
        };
        let mut is_trusted = false;
        resident.regions.handle(now, input, shared, &mut self.counts, &mut self.work);
        for output in self.work.drain(..) {
            self.outputs.push_back(match output {
                lifecycle::Output::Event(event) => {
                    if is_settled(&event) {
                        self.deaths.withdrawn(key);
                    }
                    if matches!(event, Event::InDoubt { blame: Blame::Silence, .. }) {
                        evidence = evidence.or(Some(Evidence::SILENCE));
                    }
                    // What is only written again shows nothing of what the store holds.
                    let is_rotation = matches!(event, Event::Rotated { .. });
                    if resident.marks.has(Mark::Sent) || !is_rotation {
                        is_trusted |= self.caution.learns(&event);
                    }
                    if is_rotation {
                        resident.marks.set(Mark::Sent, false);
                    }
                    Output::Event { event, key: key.clone() }
                }
                lifecycle::Output::Store(request) => Output::Store { grant: Some(id), request },
                lifecycle::Output::Transmit(transmit) => {
                    resident.marks.set(Mark::Sent, true);
                    Output::Transmit { grant: id, transmit }
                }
            });
        }
        if is_trusted {
            self.trust();
        }
        match (pass, evidence) {
            (Some(pass), Some(evidence)) => self.gates.report(now, of, pass, evidence),
            // Nobody waits for the answer any more: it still says for how long nobody may ask.
            (None, Some(Evidence { close: Some(span), .. })) => self.gates.close(now, of, span),
            _ => {}
        }
        self.settle(now, id, may_wait);
    }

    pub(super) fn settle(&mut self, now: Timestamp, id: GrantId, may_wait: bool) {
        let (owner, gate) = (self.process.owner(), self.gate(id));
        let settled = self.residents.settle(now, id, owner, &mut self.gates, (may_wait, gate));
        if settled.has_news {
            self.residents.slots.touch(id);
            self.outputs.push_back(Output::Availability(id));
        }
        if settled.is_undecided {
            self.step(now, id, Input::Want, true);
        }
    }

    /// Lets go whoever may, and tells what has changed for all.
    pub(super) fn go_on(&mut self, now: Timestamp) {
        while self.closing == Closing::No {
            let slots = &self.residents.slots;
            let whose =
                |slot| slots.at(slot).and_then(|id| slots.content(id)).map(|it| it.1.application);
            let Some((slot, pass)) = self.gates.next(now, whose) else { break };
            let Some(id) = self.residents.slots.at(slot) else { continue };
            if let Some((_, resident)) = self.residents.slots.content_mut(id) {
                resident.pass = Some(pass);
                resident.marks.set(Mark::Sent, false);
            }
            self.step(now, id, Input::Admitted, false);
        }
        while let Some(event) = self.gates.poll_notice() {
            self.outputs.push_back(Output::Notice(event));
        }
        if let Some(believes) = self.deaths.news(now) {
            let event =
                if believes { FleetEvent::RefusalsBelieved } else { FleetEvent::RefusalsDoubted };
            self.outputs.push_back(Output::Notice(event));
        }
        if self.closing == Closing::Draining && !self.is_busy() {
            self.closing = Closing::Drained;
            self.outputs.push_back(Output::Drained);
        }
    }
}

/// Tells whether an event shows that a grant's last refusal was about a token that is no more.
const fn is_settled(event: &Event) -> bool {
    matches!(event, Event::Adopted { .. } | Event::Rotated { .. } | Event::TakenOver { .. })
}
