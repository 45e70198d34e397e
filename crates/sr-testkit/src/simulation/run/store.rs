//! A process and the store.

use std::time::Duration;

use sr_auth_core::fleet::{self, GrantId};
use sr_auth_core::lifecycle::{Input, StoreFailure, StoreOpId, StoreRequest};
use sr_auth_core::store::{Record, StoreAnswer, StoreOp, StoreOutcome};
use sr_auth_core::{Secret, Timestamp};

use super::{Event, Run};
use crate::simulation::oracle::{CLOCK_ERROR, Change, Evidence, Lesson};
use crate::simulation::storage::{Applied, Deed, Row, StoreWay};
use crate::simulation::trace::number;

/// An operation under way.
#[derive(Debug)]
pub(super) struct Op {
    answer_within: Duration,
    asked_at: Timestamp,
    /// The same by the clock of the process.
    asked_locally: Timestamp,
    deed: Deed,
    evidence: Evidence,
    /// The place of the grant in the scenario.
    grant: Option<usize>,
    id: StoreOpId,
    incarnation: u32,
    /// What travels: the operation there, or its answer back.
    freight: Freight,
    process: usize,
    sent_at: Timestamp,
    /// The grant, as the fleet names it.
    slot: Option<GrantId>,
    /// How many events will still name it.
    uses: u8,
    way: StoreWay,
}

/// What travels between a process and the store.
#[derive(Debug)]
enum Freight {
    Answer(StoreAnswer<Secret>),
    Nothing,
    Op(StoreOp<Secret>),
}

impl Run<'_> {
    /// Sends an operation that a machine asked for at `asked_at`.
    pub(super) fn ask_store(
        &mut self,
        process: usize,
        slot: Option<GrantId>,
        request: StoreRequest,
        asked_at: Timestamp,
    ) {
        let fate = self.scenario.store.fate(self.choices);
        let Some(it) = self.processes.get(process) else { return };
        let grant = request.op.key().and_then(|key| self.common.place(key));
        let is_load = matches!(request.op, StoreOp::Load { .. });
        let way = self.way(fate.way, is_load, it.partitioned);
        self.coverage.store_way(way);
        let answer_within = request.answer_within;
        let deed = Deed::of(&request.op);
        let arrives = match way {
            StoreWay::AnswerLost | StoreWay::Done | StoreWay::Stale => Some(fate.forth),
            StoreWay::CarriedOutLate => {
                Some(answer_within + self.choices.span(Duration::from_secs(60)) + fate.forth)
            }
            StoreWay::Lost | StoreWay::Refused => None,
        };
        let ends = match way {
            StoreWay::Done | StoreWay::Stale => (fate.forth + fate.back).min(answer_within),
            StoreWay::Refused => fate.forth.min(answer_within),
            // The connection breaks soon, or nobody ever says anything.
            StoreWay::AnswerLost | StoreWay::CarriedOutLate | StoreWay::Lost => {
                (fate.forth + fate.back * 8).min(answer_within)
            }
        };
        self.trace
            .say(self.now, format_args!("p{process} g{} -> {deed:?} {way:?}", grant.unwrap_or(99)));
        let evidence = self.oracle.op_left(self.now, process, grant, &deed);
        if arrives.is_none() {
            self.oracle.op_lost(&deed, grant);
        }
        let op = self.ops.put(Op {
            answer_within,
            asked_at,
            asked_locally: it.clock.now(asked_at),
            deed,
            evidence,
            grant,
            id: request.id,
            incarnation: it.incarnation,
            freight: Freight::Op(request.op),
            process,
            sent_at: self.now,
            slot,
            uses: 1 + u8::from(arrives.is_some()),
            way,
        });
        if let Some(arrives) = arrives {
            self.queue.put(self.now.after(arrives), Event::OpArrives { op });
        }
        self.queue.put(self.now.after(ends), Event::OpEnds { op });
    }

    /// Decides what becomes of an operation while the store may be out of reach.
    fn way(&self, way: StoreWay, is_load: bool, is_apart: bool) -> StoreWay {
        match way {
            _ if self.outage.store || is_apart => {
                if self.outage.store_refuses {
                    StoreWay::Refused
                } else {
                    StoreWay::Lost
                }
            }
            StoreWay::Stale if !is_load || self.scenario.lag.is_none() => StoreWay::Done,
            StoreWay::AnswerLost
            | StoreWay::CarriedOutLate
            | StoreWay::Done
            | StoreWay::Lost
            | StoreWay::Refused
            | StoreWay::Stale => way,
        }
    }

    /// An operation reaches the store.
    pub(super) fn op_arrives(&mut self, at: u32) {
        let Some(it) = self.ops.at_mut(at) else { return };
        it.uses -= 1;
        let (grant, asked_at, is_left) = (it.grant, it.asked_at, it.uses == 0);
        let evidence = it.evidence;
        let stale = match &it.freight {
            Freight::Op(StoreOp::Load { key }) if it.way == StoreWay::Stale => {
                self.storage.load_stale(self.now, key)
            }
            Freight::Answer(_) | Freight::Nothing | Freight::Op(_) => None,
        };
        if let Some(stale) = stale {
            it.freight = Freight::Answer(stale);
            return;
        }
        let Freight::Op(op) = std::mem::replace(&mut it.freight, Freight::Nothing) else { return };
        let applied = self.storage.apply(self.now, op);
        self.tell_change(grant, (asked_at, evidence), &applied);
        let names = number(applied.after.and_then(|row| row.refresh));
        self.trace.step(self.now, 3, grant.unwrap_or(99) as u64, names);
        if is_left {
            self.ops.remove(at);
        } else if let Some(it) = self.ops.at_mut(at) {
            it.freight = Freight::Answer(applied.answer);
        }
    }

    /// Tells the judge what the store has done.
    pub(super) fn tell_change(
        &mut self,
        grant: Option<usize>,
        (asked_at, evidence): (Timestamp, Evidence),
        applied: &Applied,
    ) {
        let Applied { after, answer, before, deed } = applied;
        if let Deed::Pulse { alive: true, owner } = *deed {
            self.oracle.lives_on(self.now, owner);
        }
        let Some(grant) = grant else { return };
        let told_done = matches!(answer.outcome, StoreOutcome::Armed(_) | StoreOutcome::Done(_));
        let shown = record(&answer.outcome).and_then(|it| it.refresh.as_ref());
        let change = Change {
            after: *after,
            asked_at,
            at: self.now,
            before: *before,
            deed: *deed,
            evidence,
            grant,
            shown: shown.map(|it| it.fingerprint),
            told_done,
        };
        self.oracle.changed(&change);
    }

    /// A process hears of its operation, or gives it up.
    pub(super) fn op_ends(&mut self, at: u32) {
        let Some(it) = self.ops.at_mut(at) else { return };
        let (process, incarnation) = (it.process, it.incarnation);
        let runs = self.processes.get(process).is_some_and(|it| it.is(incarnation));
        if runs && self.waits(process, Event::OpEnds { op: at }) {
            return;
        }
        let Some(it) = self.ops.at_mut(at) else { return };
        it.uses -= 1;
        let (grant, id, sent_at, slot) = (it.grant, it.id, it.sent_at, it.slot);
        let (deed, evidence) = (it.deed, it.evidence);
        let asked = (it.asked_at, it.asked_locally, it.answer_within);
        let result = match (it.way, &mut it.freight) {
            (StoreWay::Refused, _) => Err(StoreFailure::NotDone),
            (StoreWay::Done | StoreWay::Stale, freight @ Freight::Answer(_)) => {
                match std::mem::replace(freight, Freight::Nothing) {
                    Freight::Answer(answer) => Ok(answer),
                    Freight::Nothing | Freight::Op(_) => Err(StoreFailure::OutcomeUnknown),
                }
            }
            (_, _) => Err(StoreFailure::OutcomeUnknown),
        };
        if it.uses == 0 {
            self.ops.remove(at);
        }
        if !runs {
            return;
        }
        if let Ok(answer) = &result {
            self.learn_time(process, answer.now, self.now.since(sent_at));
            let late = self.is_late(process, asked);
            if let StoreOutcome::Pulse(_) = answer.outcome {
                self.oracle.pulsed(process, answer.now, late);
            }
            let row = record(&answer.outcome).map(Row::of);
            // An answer to a grant that has left the memory since is dropped.
            let row = row.filter(|_| self.is_resident(process, slot));
            if let Some((row, grant)) = row.zip(grant) {
                self.trace.say(self.now, format_args!("p{process} g{grant} is shown {row:?}"));
                let is_done = matches!(answer.outcome, StoreOutcome::Done(_));
                let lesson = Lesson {
                    is_done: is_done && self.is_taken(process, grant, deed, &evidence),
                    is_heeded: deed.heeds_older(row.generation),
                    is_read: deed == Deed::Load,
                    late: late || self.oracle.is_outrun(process, grant, &evidence),
                    shown_at: answer.now,
                };
                self.oracle.learned(self.now, process, grant, &row, lesson);
            }
        }
        let input = match slot {
            Some(slot) => fleet::Input::Grant { id: slot, input: Input::Stored { id, result } },
            None => fleet::Input::Stored { id, result },
        };
        self.step(process, grant, input);
    }

    /// Tells whether a process that is told that a deed is done takes the record over, whatever it held
    /// when it began.
    fn is_taken(&self, process: usize, grant: usize, deed: Deed, evidence: &Evidence) -> bool {
        match deed {
            Deed::Adopt { .. } | Deed::End => true,
            Deed::Commit { .. } => !self.oracle.has_moved_on(process, grant, evidence),
            Deed::Arm { .. }
            | Deed::Bury { .. }
            | Deed::Disarm { .. }
            | Deed::Due
            | Deed::Escrow { .. }
            | Deed::Load
            | Deed::Pulse { .. } => false,
        }
    }

    fn is_resident(&self, process: usize, slot: Option<GrantId>) -> bool {
        let machines = self.processes.get(process).and_then(|it| it.machines.as_ref());
        machines.zip(slot).is_some_and(|(machines, slot)| machines.key(slot).is_some())
    }

    /// Tells whether a machine may have given up an operation, by true time or by its own, which may
    /// have been ahead for a while.
    fn is_late(&self, process: usize, asked: (Timestamp, Timestamp, Duration)) -> bool {
        let (truly, locally, answer_within) = asked;
        let local = self.processes.get(process).map_or(self.now, |it| it.clock.now(self.now));
        let jumped = self.processes.get(process).is_some_and(|it| it.clock_set_at >= truly);
        let pairs = [(self.now, truly), (local, locally)];
        jumped
            || pairs.iter().any(|(now, asked)| now.after(CLOCK_ERROR) >= asked.after(answer_within))
    }

    /// Sets a process's clock by an answer of the store. A jump is told to the machines first: spans
    /// that were begun before it cannot be judged any more.
    fn learn_time(&mut self, process: usize, store: Timestamp, round_trip: Duration) {
        let Some(it) = self.processes.get_mut(process) else { return };
        let before = it.clock.now(self.now);
        it.clock.learn(self.now, store, round_trip);
        let after = it.clock.now(self.now);
        if before.since(after).max(after.since(before)) >= JUMP {
            it.clock_set_at = self.now;
            self.clocks_part(process);
        }
    }
}

/// A correction of the clock by so much is a jump.
const JUMP: Duration = Duration::from_millis(500);

/// The record in an answer.
const fn record(outcome: &StoreOutcome<Secret>) -> Option<&Record<Secret>> {
    match outcome {
        StoreOutcome::Armed(record)
        | StoreOutcome::Busy { record, .. }
        | StoreOutcome::Done(record)
        | StoreOutcome::Ended(record)
        | StoreOutcome::Loaded(record)
        | StoreOutcome::Moved(record)
        | StoreOutcome::NotDue { record, .. } => Some(record),
        StoreOutcome::Due(_) | StoreOutcome::Missing | StoreOutcome::Pulse(_) => None,
    }
}
