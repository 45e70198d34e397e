//! Operations on their way to the store and back.

use std::time::Duration;

use sr_auth_core::Secret;
use sr_auth_core::lifecycle::{StoreFailure, StoreOpId};
use sr_partner::exchange;
use sr_partner::inbound::{InboundInput, PartnerStoreRequest};
use sr_partner::store::{PartnerAnswer, PartnerOp};

use super::{Event, Run, Who};
use crate::simulation::storage::StoreWay;

/// An operation under way.
#[derive(Debug)]
pub(super) struct Op {
    answer: Result<PartnerAnswer<Secret>, StoreFailure>,
    id: StoreOpId,
    /// The answer is lost, or comes too late.
    is_silent: bool,
    op: Option<PartnerOp<Secret>>,
    /// How many events will still name it.
    uses: u8,
    who: Who,
}

impl Run<'_> {
    /// Sends an operation to the store.
    pub(super) fn store(&mut self, who: Who, request: PartnerStoreRequest) {
        let PartnerStoreRequest { answer_within, id, op } = request;
        let fate = self.scenario.store.fate(self.choices);
        let is_carried_out = matches!(
            fate.way,
            StoreWay::AnswerLost | StoreWay::CarriedOutLate | StoreWay::Done | StoreWay::Stale
        );
        let is_answered = matches!(fate.way, StoreWay::Done | StoreWay::Refused | StoreWay::Stale);
        let is_refused = fate.way == StoreWay::Refused;
        let failure = if is_refused { StoreFailure::NotDone } else { StoreFailure::OutcomeUnknown };
        let answer = Err(failure);
        let uses = 1 + u8::from(is_carried_out);
        let op = is_carried_out.then_some(op);
        let kept = Op { answer, id, is_silent: !is_answered, op, uses, who };
        let op = self.ops.put(kept);
        let mut late = Duration::ZERO;
        if fate.way == StoreWay::CarriedOutLate {
            late = answer_within + self.choices.span(Duration::from_secs(60));
        }
        if is_carried_out {
            self.queue.put(self.now.after(fate.forth + late), Event::OpArrives { op });
        }
        let heard = if is_answered { fate.forth + fate.back } else { answer_within };
        self.queue.put(self.now.after(heard), Event::OpEnds { op });
    }

    pub(super) fn op_arrives(&mut self, place: u32) {
        let Some(op) = self.ops.at_mut(place).and_then(|it| it.op.take()) else { return };
        let answer = self.apply(op);
        if let Some(it) = self.ops.at_mut(place) {
            it.answer = Ok(answer);
        }
        self.op_used(place);
    }

    pub(super) fn op_ends(&mut self, place: u32) {
        let Some(it) = self.ops.at_mut(place) else { return };
        let (who, id) = (it.who, it.id);
        let unknown = Err(StoreFailure::OutcomeUnknown);
        let result =
            if it.is_silent { unknown } else { std::mem::replace(&mut it.answer, unknown) };
        self.op_used(place);
        match who {
            Who::Call(call) => self.feed_call(call, InboundInput::Stored { id, result }),
            Who::Exchange(place) => self.feed(place, exchange::Input::Stored { id, result }),
        }
    }

    fn op_used(&mut self, place: u32) {
        let Some(it) = self.ops.at_mut(place) else { return };
        it.uses = it.uses.saturating_sub(1);
        if it.uses == 0 {
            self.ops.remove(place);
        }
    }
}
