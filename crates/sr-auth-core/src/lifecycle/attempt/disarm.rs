//! Removing an intent whose presentation did not happen, or was answered without being counted.

use super::{Attempt, Call, Claim, Terms};
use crate::Timestamp;
use crate::lifecycle::context::{Context, Rotation};
use crate::lifecycle::{Blame, Input};
use crate::store::{StoreOp, StoreOutcome};

#[derive(Clone, Copy)]
pub(super) struct Disarming {
    pub(super) blame: Blame,
    pub(super) call: Call,
    pub(super) claim: Claim,
    pub(super) failures: u8,
    pub(super) terms: Terms,
}

/// After so many failures the intent is left to its quiet period.
const GIVE_UP_AFTER: u8 = 3;

/// Removes the intent of a request that was never sent: others may try at once.
pub(super) fn unsent(now: Timestamp, claim: Claim, blame: Blame, cx: &mut Context<'_>) -> Rotation {
    disarm(now, claim, blame, Timestamp::EPOCH, cx)
}

/// Removes an intent; nobody presents before `not_before`.
pub(in crate::lifecycle) fn disarm(
    now: Timestamp,
    claim: Claim,
    blame: Blame,
    not_before: Timestamp,
    cx: &mut Context<'_>,
) -> Rotation {
    let refusals = cx.known.affairs().refusals;
    ask(now, claim, blame, Terms { not_before, refusals }, 0, cx)
}

pub(super) fn ask(
    now: Timestamp,
    claim: Claim,
    blame: Blame,
    terms: Terms,
    failures: u8,
    cx: &mut Context<'_>,
) -> Rotation {
    let (intent, key) = (claim.intent(cx), cx.shared.key.clone());
    let Terms { not_before, refusals } = terms;
    let call = Call::Asked(cx.ask(now, StoreOp::Disarm { intent, key, not_before, refusals }));
    Rotation::Attempt(Attempt::Disarming { blame, call, claim, failures, terms })
}

pub(super) fn next(now: Timestamp, input: Input, it: Disarming, cx: &mut Context<'_>) -> Rotation {
    let Disarming { blame, call, claim, failures, terms } = it;
    match (call, input) {
        (Call::Asked(asked), Input::Stored { id, result }) if id == asked.id => match result {
            Ok(answer) => {
                match answer.outcome {
                    StoreOutcome::Missing => return cx.lose(now),
                    StoreOutcome::Done(record) => {
                        cx.take(now, record);
                    }
                    // No answer to a disarming; if the intent stands, its quiet period ends it.
                    StoreOutcome::Armed(_)
                    | StoreOutcome::Busy { .. }
                    | StoreOutcome::Due(_)
                    | StoreOutcome::Ended(_)
                    | StoreOutcome::Loaded(_)
                    | StoreOutcome::Moved(_)
                    | StoreOutcome::NotDue { .. }
                    | StoreOutcome::Pulse(_) => {}
                }
                cx.back_off(now, blame, terms.not_before)
            }
            Err(_) => failed(now, it, cx),
        },
        (Call::Asked(asked), Input::Timeout) if now >= asked.give_up_at => failed(now, it, cx),
        (Call::Pausing { until }, Input::Timeout) if now >= until => {
            ask(now, claim, blame, terms, failures, cx)
        }
        // An early timeout, or news that the answer will bring by itself.
        _ => Rotation::Attempt(Attempt::Disarming { blame, call, claim, failures, terms }),
    }
}

fn failed(now: Timestamp, it: Disarming, cx: &mut Context<'_>) -> Rotation {
    let Disarming { blame, claim, terms, .. } = it;
    let failures = it.failures.saturating_add(1);
    if failures >= GIVE_UP_AFTER {
        return cx.back_off(now, blame, terms.not_before);
    }
    let until = now.after(cx.shared.margins.pause_after(failures, cx.jitter()));
    let call = Call::Pausing { until };
    Rotation::Attempt(Attempt::Disarming { blame, call, claim, failures, terms })
}
