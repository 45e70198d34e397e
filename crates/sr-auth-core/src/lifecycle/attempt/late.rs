//! Answers that nobody waits for any more: a successor in one is worth as much as ever.

use super::{Attempt, Claim, judge};
use crate::Timestamp;
use crate::lifecycle::context::{Context, Knowledge, Presented, Rotation};
use crate::machine::TransmitId;
use crate::wire::token_answer::TokenAnswer;

/// Tells whether `id` is a presentation that was given up, and whether what it brought would not be
/// in the way of a newer one.
pub(in crate::lifecycle) fn is_late(id: TransmitId, rotation: Rotation, known: &Knowledge) -> bool {
    let Some(late) = known.affairs().late.filter(|late| late.id == id) else { return false };
    // A flight of a newer token would be given up for a successor that is spent already.
    let is_newest = known.held.as_ref().is_none_or(|it| it.generation == late.generation);
    known.affairs().successor.is_none() && (is_newest || !matches!(rotation, Rotation::Attempt(_)))
}

/// Goes on with the successor in an answer that came too late, if there is one.
///
/// `classify` is told when the request had left.
pub(in crate::lifecycle) fn late(
    now: Timestamp,
    rotation: Rotation,
    classify: impl FnOnce(Timestamp) -> Option<TokenAnswer>,
    cx: &mut Context<'_>,
) -> Rotation {
    let Some(late) = cx.known.affairs_mut().late.take() else { return rotation };
    let (generation, quiet_until) = (late.generation, Timestamp::EPOCH);
    let claim = Claim { attempt: 1, generation, number: 0, presented: None, quiet_until };
    // The token of a last leg could be presented again, while a newer presentation may still act.
    let is_newest = late.id.next() == cx.known.transmit;
    let answer = match classify(late.sent_at) {
        Some(TokenAnswer::Granted(answer))
            if answer.refresh.is_some() || is_newest || !cx.is_single_use() =>
        {
            TokenAnswer::Granted(answer)
        }
        Some(answer @ TokenAnswer::Unusable { salvaged: Some(_), .. }) => answer,
        // A refusal says nothing that the next presentation would not say.
        _ => return rotation,
    };
    if let Rotation::Attempt(Attempt::InFlight { claim, id, sent_at, .. }) = rotation {
        // Nobody waits for that one any more: its successor, if any, is a sibling.
        let generation = claim.generation;
        cx.known.affairs_mut().late = Some(Presented { generation, id, sent_at });
    }
    judge::judge(now, answer, late.sent_at, claim, cx)
}
