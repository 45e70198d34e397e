//! What the machines of this module share: a queue, and one operation of the store at a time.

use std::collections::VecDeque;

use http::{Response, StatusCode};
use sr_auth_core::lifecycle::StoreOpId;
use sr_auth_core::{Secret, SecretBytes, Timestamp};

use super::{InboundEvent, InboundOutput, PartnerStoreRequest, Refusal, STORE_WITHIN};
use crate::store::{PartnerOp, Principal};
use crate::wire::answer;

/// The outputs of one request, and the number of its store operations.
#[derive(Debug, Default)]
pub(super) struct Task {
    asked: u32,
    outputs: VecDeque<InboundOutput>,
}

/// An operation that the store has been given.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked {
    pub(super) id: StoreOpId,
    pub(super) give_up_at: Timestamp,
}

impl Task {
    pub(super) fn ask(&mut self, now: Timestamp, op: PartnerOp<Secret>) -> Asked {
        self.asked = self.asked.saturating_add(1);
        let id = StoreOpId(self.asked);
        let request = PartnerStoreRequest { answer_within: STORE_WITHIN, id, op };
        self.outputs.push_back(InboundOutput::Store(request));
        Asked { id, give_up_at: now.after(STORE_WITHIN) }
    }

    pub(super) fn tell(&mut self, event: InboundEvent) {
        self.outputs.push_back(InboundOutput::Event(event));
    }

    pub(super) fn respond(&mut self, response: Response<SecretBytes>) {
        self.outputs.push_back(InboundOutput::Respond(response));
    }

    pub(super) fn refuse(&mut self, why: Refusal, response: Response<SecretBytes>) {
        self.tell(InboundEvent::Refused(why));
        self.respond(response);
    }

    /// Nothing was decided, since the store does not answer: the caller may come again.
    pub(super) fn unavailable(&mut self) {
        self.refuse(Refusal::Store, answer::later(StatusCode::SERVICE_UNAVAILABLE, 5));
    }

    pub(super) fn admit(&mut self, principal: Principal) {
        self.outputs.push_back(InboundOutput::Admit(principal));
    }

    pub(super) fn poll(&mut self) -> Option<InboundOutput> {
        self.outputs.pop_front()
    }
}
