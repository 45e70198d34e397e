//! The presentation that this process owns, from its intent to its successor.
//!
//! ```text
//!  Arming ── armed, inside the fence ──▶ InFlight ── a success ──▶ Committing ── durable ──▶ Idle
//!    │ busy ──▶ Doubt                      │ invalid_grant ──▶ Doubt (Verifying)
//!    │ moved, ended ──▶ Idle               │ silence, 5xx, garbled ──▶ Doubt (Quiet)
//!    ▼                                     ▼
//!  Disarming ◀── refused, not sent ────────┘         Disarming ──▶ BackingOff
//! ```
//!
//! What is presented is the refresh token that the answer to the arming carried, so it was read
//! inside the claim. A successor is offered to the store until the store has it or has something
//! newer: nothing else ends [`Attempt::Committing`].

mod arm;
mod commit;
mod disarm;
mod judge;
mod late;

use std::time::Duration;

use super::context::{Asked, Context, Presented, Rotation};
use super::doubt::{Doubt, Standing};
use super::{Blame, Input};
use crate::machine::{TransmitId, TransportFailure};
use crate::store::{Generation, IntentId, Refusals};
use crate::wire::token_answer;
use crate::{Fingerprint, SecretBytes, Timestamp};

pub(super) use arm::heal;
use commit::found;
pub(super) use commit::{Form, commit, promote};
pub(super) use disarm::disarm;
pub(super) use judge::keep;
pub(super) use late::{is_late, late};

#[derive(Clone, Copy, Debug)]
pub(crate) enum Attempt {
    /// An intent is being written.
    Arming {
        asked: Asked,
        asked_at: Timestamp,
        /// Whether a clock has moved since: the fence cannot be judged any more.
        diverged: bool,
        /// The one that was asked for: what is held may have moved on since.
        generation: Generation,
        number: u64,
        over: Option<Standing>,
        /// Whether the answer to the first offer was lost.
        repeated: bool,
    },
    /// A successor is being made durable.
    Committing { call: Call, claim: Claim, failures: u8, form: Form },
    /// An intent is being removed.
    Disarming { blame: Blame, call: Call, claim: Claim, failures: u8, terms: Terms },
    /// The request is on its way, or its answer.
    InFlight { claim: Claim, give_up_at: Timestamp, id: TransmitId, sent_at: Timestamp },
}

/// The intent that stands for a presentation of ours.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Claim {
    pub(crate) attempt: u32,
    pub(crate) generation: Generation,
    pub(crate) number: u64,
    /// The refresh token, if one was presented.
    pub(crate) presented: Option<Fingerprint>,
    pub(crate) quiet_until: Timestamp,
}

impl Claim {
    pub(super) const fn intent(&self, cx: &Context<'_>) -> IntentId {
        IntentId { number: self.number, owner: cx.shared.owner }
    }
}

/// An operation that is repeated until the store has answered it.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Call {
    Asked(Asked),
    Pausing { until: Timestamp },
}

impl Call {
    pub(super) const fn timeout(&self) -> Timestamp {
        match self {
            Self::Asked(asked) => asked.give_up_at,
            Self::Pausing { until } => *until,
        }
    }
}

/// What is written when an intent is removed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Terms {
    /// Nobody presents before this moment.
    pub(crate) not_before: Timestamp,
    pub(crate) refusals: Refusals,
}

impl Attempt {
    pub(super) fn next(self, now: Timestamp, input: Input, cx: &mut Context<'_>) -> Rotation {
        match (self, input) {
            (
                Self::Arming { asked, asked_at, diverged, generation, number, over, repeated },
                input,
            ) => {
                let arming =
                    arm::Arming { asked, asked_at, diverged, generation, number, over, repeated };
                arm::next(now, input, arming, cx)
            }
            (Self::InFlight { claim, id, sent_at, .. }, Input::Response { id: of, response })
                if of == id =>
            {
                let answer = token_answer::classify(&response, sent_at, now);
                judge::judge(now, answer, sent_at, claim, cx)
            }
            (
                Self::InFlight { claim, id, sent_at, .. },
                Input::TransportFailed { failure, id: of, received },
            ) if of == id => match failure {
                TransportFailure::BeforeSend => disarm::unsent(now, claim, Blame::Transport, cx),
                TransportFailure::AfterSend => broken(now, received.as_ref(), sent_at, claim, cx),
            },
            (Self::InFlight { claim, give_up_at, id, sent_at }, Input::Timeout)
                if now >= give_up_at =>
            {
                let presented = Presented { generation: claim.generation, id, sent_at };
                cx.known.affairs_mut().late = Some(presented);
                judge::silence(now, claim, Blame::Silence, None, cx)
            }
            (Self::Committing { call, claim, failures, form }, input) => {
                commit::next(now, input, commit::Committing { call, claim, failures, form }, cx)
            }
            (Self::Disarming { blame, call, claim, failures, terms }, input) => {
                let disarming = disarm::Disarming { blame, call, claim, failures, terms };
                disarm::next(now, input, disarming, cx)
            }
            // An early timeout, or news that the end of the attempt will bring by itself.
            (Self::InFlight { .. }, _) => Rotation::Attempt(self),
        }
    }

    /// Begins with writing an intent, over a standing one if there is one.
    pub(super) fn begin(now: Timestamp, over: Option<Standing>, cx: &mut Context<'_>) -> Rotation {
        let number = cx.next_intent().number;
        arm::ask(now, None, number, over, cx)
    }

    pub(super) const fn timeout(&self) -> Timestamp {
        match self {
            Self::Arming { asked, .. } => asked.give_up_at,
            Self::Committing { call, .. } | Self::Disarming { call, .. } => call.timeout(),
            Self::InFlight { give_up_at, .. } => *give_up_at,
        }
    }
}

/// The connection broke after bytes may have left.
fn broken(
    now: Timestamp,
    received: Option<&http::Response<SecretBytes>>,
    sent_at: Timestamp,
    claim: Claim,
    cx: &mut Context<'_>,
) -> Rotation {
    match received.and_then(|part| token_answer::classify_part(part, sent_at, now)) {
        Some(answer) => judge::judge(now, answer, sent_at, claim, cx),
        None => judge::silence(now, claim, Blame::Silence, None, cx),
    }
}

/// Goes on in doubt, with the intent standing `since` a while. A grant that was ended meanwhile leaves
/// none.
pub(super) fn in_doubt(
    now: Timestamp,
    standing: Standing,
    since: Duration,
    cx: &Context<'_>,
) -> Rotation {
    if !cx.known.health.may_present() {
        return Rotation::Idle;
    }
    Rotation::Doubt(Doubt::quiet(now, standing, since, cx))
}
