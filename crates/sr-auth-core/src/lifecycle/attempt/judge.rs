//! What an answer means for the presentation: who is to blame, and what was spent.

use std::time::Duration;

use super::disarm::{self, disarm};
use super::{Claim, Terms, commit};
use crate::lifecycle::context::{Context, Rotation};
use crate::lifecycle::doubt::{Doubt, Standing};
use crate::lifecycle::{Blame, Event, held};
use crate::store::{CauseOfDeath, Refusals, Successor};
use crate::wire::token_answer::TokenAnswer;
use crate::{ErrorResponse, RefreshToken, Timestamp};

/// A server may ask for a longer pause than this; it is then asked again all the same.
const LONGEST_ASKED: Duration = Duration::from_secs(24 * 60 * 60);

/// So many refusals of one kind, over so long a time, are believed.
const BELIEVED_AFTER: (u32, Duration) = (5, Duration::from_secs(24 * 60 * 60));

pub(super) fn judge(
    now: Timestamp,
    answer: TokenAnswer,
    sent_at: Timestamp,
    claim: Claim,
    cx: &mut Context<'_>,
) -> Rotation {
    match answer {
        TokenAnswer::Granted(response) => {
            let shared = &cx.shared;
            let mut successor =
                held::successor(response, sent_at, shared.margins, shared.fingerprints);
            if !cx.is_single_use() {
                successor.refresh = None;
            }
            commit(now, claim, successor, cx)
        }
        TokenAnswer::Unusable { salvaged: Some(token), .. } if cx.is_single_use() => {
            salvage(now, &token, claim, cx)
        }
        TokenAnswer::ServerFault { retry_after } => {
            silence(now, claim, Blame::Endpoint, retry_after, cx)
        }
        TokenAnswer::Unusable { .. } => silence(now, claim, Blame::Endpoint, None, cx),
        TokenAnswer::Throttled { retry_after } => {
            let not_before = asked(now, retry_after);
            disarm(now, claim, Blame::Throttled, not_before, cx)
        }
        TokenAnswer::ClientRefused(response) => {
            let code = response.code();
            cx.tell(Event::ApplicationRefused { code });
            disarm(now, claim, Blame::Application(code), Timestamp::EPOCH, cx)
        }
        TokenAnswer::RequestRefused(response) => {
            let code = response.code();
            cx.tell(Event::RequestRefused { code });
            disarm(now, claim, Blame::Request(code), Timestamp::EPOCH, cx)
        }
        TokenAnswer::GrantRefused(response) => refused(now, &response, claim, cx),
        TokenAnswer::Unrecognised(response) => unbelieved(now, &response, claim, cx),
    }
}

/// Takes the refresh token out of an answer that is worth nothing else.
fn salvage(now: Timestamp, token: &RefreshToken, claim: Claim, cx: &mut Context<'_>) -> Rotation {
    cx.tell(Event::Salvaged { generation: claim.generation });
    let refresh = held::refresh(token, cx.shared.fingerprints);
    let access = cx.good_access(now, claim.generation);
    commit(now, claim, Successor { access, refresh: Some(refresh) }, cx)
}

/// Nobody knows whether the server acted.
pub(super) fn silence(
    now: Timestamp,
    claim: Claim,
    blame: Blame,
    retry_after: Option<Duration>,
    cx: &mut Context<'_>,
) -> Rotation {
    if !cx.is_single_use() {
        // A token more or less is no harm: the back-off is shared, and that is all.
        return disarm(now, claim, blame, asked(now, retry_after), cx);
    }
    let until = claim.quiet_until.max(asked(now, retry_after));
    let (attempt, generation) = (claim.attempt, claim.generation);
    cx.tell(Event::InDoubt { blame, generation, quiet_until: until });
    let standing = Standing { attempt, intent: claim.intent(cx), until };
    super::in_doubt(now, standing, Duration::ZERO, cx)
}

/// The server says that the refresh token is no good.
fn refused(
    now: Timestamp,
    response: &ErrorResponse,
    claim: Claim,
    cx: &mut Context<'_>,
) -> Rotation {
    if !cx.is_single_use() {
        return unbelieved(now, response, claim, cx);
    }
    Rotation::Doubt(Doubt::verify(now, claim, None, cx))
}

/// The server refuses, and that is not believed at once.
pub(in crate::lifecycle) fn unbelieved(
    now: Timestamp,
    response: &ErrorResponse,
    claim: Claim,
    cx: &mut Context<'_>,
) -> Rotation {
    if !cx.is_single_use() {
        return disarm(now, claim, Blame::Request(response.code()), Timestamp::EPOCH, cx);
    }
    let refusals = count(now, response.status(), cx);
    if is_believed(now, refusals) {
        return Rotation::Doubt(Doubt::verify(now, claim, Some(CauseOfDeath::Unrecognised), cx));
    }
    suspect(now, refusals, claim, cx)
}

fn count(now: Timestamp, status: u16, cx: &Context<'_>) -> Refusals {
    let before = cx.known.affairs().refusals;
    before.after(now, status)
}

fn is_believed(now: Timestamp, refusals: Refusals) -> bool {
    let (times, over) = BELIEVED_AFTER;
    refusals.count >= times && now.since(refusals.first_at) >= over
}

fn suspect(now: Timestamp, refusals: Refusals, claim: Claim, cx: &mut Context<'_>) -> Rotation {
    let not_before = now.after(cx.shared.margins.pause_of_refusals(refusals.count));
    cx.tell(Event::Suspected { count: refusals.count, retry_at: not_before });
    disarm::ask(now, claim, Blame::Suspicion, Terms { not_before, refusals }, 0, cx)
}

/// An `invalid_grant` while so many grants are refused that none of it is believed.
pub(in crate::lifecycle) fn keep(
    now: Timestamp,
    claim: Claim,
    cx: &mut Context<'_>,
) -> Option<Rotation> {
    let refusals = count(now, http::StatusCode::BAD_REQUEST.as_u16(), cx);
    (!is_believed(now, refusals)).then(|| suspect(now, refusals, claim, cx))
}

fn asked(now: Timestamp, retry_after: Option<Duration>) -> Timestamp {
    retry_after.map_or(Timestamp::EPOCH, |pause| now.after(pause.min(LONGEST_ASKED)))
}
