//! Writing the intent, and what its answer leads to.

use std::time::Duration;

use super::{Attempt, Claim, disarm};
use crate::lifecycle::context::{Asked, Context, Rotation, Taken};
use crate::lifecycle::doubt::Standing;
use crate::lifecycle::held::{fingerprint, is_ended};
use crate::lifecycle::{Blame, Event, Input, Output, Recovery, StoreFailure};
use crate::machine::Transmit;
use crate::store::{
    Generation, Health, IntentId, NewIntent, Record, Sibling, StoreAnswer, StoreOp, StoreOutcome,
    StoredToken, Successor, TakeOver,
};
use crate::wire::token_request;
use crate::{RefreshToken, Secret, Timestamp};

#[derive(Clone, Copy)]
pub(super) struct Arming {
    pub(super) asked: Asked,
    pub(super) asked_at: Timestamp,
    pub(super) diverged: bool,
    pub(super) generation: Generation,
    pub(super) number: u64,
    pub(super) over: Option<Standing>,
    pub(super) repeated: bool,
}

/// Offers an intent; once more when the answer to the offer of `first` was lost.
pub(super) fn ask(
    now: Timestamp,
    first: Option<Timestamp>,
    number: u64,
    over: Option<Standing>,
    cx: &mut Context<'_>,
) -> Rotation {
    let margins = cx.shared.margins;
    let unsettled = over.map_or(0, |it| it.attempt);
    let quiet = if cx.is_single_use() { margins.quiet_after(unsettled) } else { margins.claim() };
    let held = cx.known.held.as_ref();
    let id = IntentId { number, owner: cx.shared.owner };
    let intent =
        NewIntent { fingerprint: held.and_then(|it| fingerprint(it.refresh())), id, quiet };
    let even_if_alive = cx.shared.recovery == Recovery::QuietOver;
    let over_intent = over.map(|it| TakeOver { even_if_alive, intent: it.intent });
    let (generation, key) = (cx.generation(), cx.shared.key.clone());
    let asked = cx.ask(now, StoreOp::Arm { generation, intent, key, over: over_intent });
    let (asked_at, repeated) = (first.unwrap_or(now), first.is_some());
    again(Arming { asked, asked_at, diverged: false, generation, number, over, repeated })
}

/// The claim of an intent that may stand, for removing it.
pub(super) fn unarmed(number: u64, cx: &Context<'_>) -> Claim {
    let (generation, quiet_until) = (cx.generation(), Timestamp::EPOCH);
    Claim { attempt: 1, generation, number, presented: None, quiet_until }
}

pub(super) fn next(now: Timestamp, input: Input, it: Arming, cx: &mut Context<'_>) -> Rotation {
    match (it.asked, input) {
        (asked, Input::Stored { id, result }) if id == asked.id => answered(now, result, it, cx),
        (asked, Input::Timeout) if now >= asked.give_up_at => {
            disarm::unsent(now, unarmed(it.number, cx), Blame::Store, cx)
        }
        (_, Input::ClockDiverged) => again(Arming { diverged: true, ..it }),
        // An early timeout, or news that the answer will bring by itself.
        _ => again(it),
    }
}

const fn again(it: Arming) -> Rotation {
    let Arming { asked, asked_at, diverged, generation, number, over, repeated } = it;
    Rotation::Attempt(Attempt::Arming {
        asked,
        asked_at,
        diverged,
        generation,
        number,
        over,
        repeated,
    })
}

fn answered(
    now: Timestamp,
    result: Result<StoreAnswer<Secret>, StoreFailure>,
    arming: Arming,
    cx: &mut Context<'_>,
) -> Rotation {
    let StoreAnswer { now: store_now, outcome } = match result {
        Ok(answer) => answer,
        Err(StoreFailure::NotDone) => return cx.back_off(now, Blame::Store, Timestamp::EPOCH),
        Err(StoreFailure::OutcomeUnknown)
            if !arming.repeated
                && arming.generation == cx.generation()
                && is_inside_fence(now, &arming, cx) =>
        {
            // The same intent again: if it stands already, the answer is the same. Once, because a
            // store that fails at once would be asked without a pause until the fence is over.
            return ask(now, Some(arming.asked_at), arming.number, arming.over, cx);
        }
        Err(StoreFailure::OutcomeUnknown) => {
            return disarm::unsent(now, unarmed(arming.number, cx), Blame::Store, cx);
        }
    };
    // The store refuses by its own clock: were ours ahead of it, it would be asked again at once.
    let by_our_clock = |until: Timestamp| now.after(until.since(store_now));
    match outcome {
        StoreOutcome::Armed(record) => armed(now, record, arming, cx),
        // A consent came since: what the store said before says nothing of it.
        _ if arming.generation != cx.generation() => Rotation::Idle,
        StoreOutcome::Busy { record, until } => {
            let armed_at = record.intent.as_ref().map_or(store_now, |it| it.armed_at);
            busy(now, record, (store_now.since(armed_at), by_our_clock(until)), cx)
        }
        StoreOutcome::Ended(record) => {
            cx.take_over(now, record);
            Rotation::Idle
        }
        StoreOutcome::Missing => missing(now, cx),
        StoreOutcome::Moved(record) => moved(now, record, cx),
        StoreOutcome::NotDue { record, until } => {
            cx.take_over(now, record);
            let until = by_our_clock(until);
            Rotation::BackingOff { blame: cx.blame_of_not_before(), until }
        }
        // No answer to an arming: the store's binding is broken.
        StoreOutcome::Done(_)
        | StoreOutcome::Due(_)
        | StoreOutcome::Loaded(_)
        | StoreOutcome::Pulse(_) => cx.back_off(now, Blame::Store, Timestamp::EPOCH),
    }
}

fn is_inside_fence(now: Timestamp, arming: &Arming, cx: &Context<'_>) -> bool {
    let fence = arming.asked_at.after(cx.shared.margins.fence());
    !arming.diverged && (arming.asked_at..=fence).contains(&now)
}

fn armed(
    now: Timestamp,
    mut record: Record<Secret>,
    arming: Arming,
    cx: &mut Context<'_>,
) -> Rotation {
    let margins = cx.shared.margins;
    let id = IntentId { number: arming.number, owner: cx.shared.owner };
    let own = record.intent.as_ref().filter(|it| it.id == id);
    let read = fingerprint(record.refresh.as_ref());
    // The generation alone does not tell: a record that was made anew counts from the beginning.
    let is_named = own.is_some_and(|it| it.fingerprint == read)
        && record.generation == cx.generation()
        && (read.is_some() || !cx.is_single_use());
    let claim = Claim {
        attempt: own.map_or(1, |it| it.attempt),
        generation: record.generation,
        number: arming.number,
        presented: read.filter(|_| cx.is_single_use()),
        quiet_until: own
            .map_or_else(|| now.after(margins.quiet()), |it| it.armed_at.after(it.quiet)),
    };
    // On a last leg what was put aside is newer than the token that was spent already: a server that
    // revokes on reuse is not shown that one while there is another. A consent that was told late is
    // older, and may have ended with the later one.
    let refresh_ends_at = record.refresh.as_ref().map(|it| it.ends_at);
    let goes_first = |it: &mut Sibling<Secret>| {
        record.health == Health::LastLeg && Some(it.token.ends_at) >= refresh_ends_at
    };
    let sibling = record.sibling.take_if(goes_first);
    cx.take_over(now, record);
    // The text that was just read is missing when nothing was taken of a record from before an end.
    let is_named = is_named && (!cx.is_single_use() || refresh_token(cx).is_some());
    if !is_named || cx.shared.closing || !is_inside_fence(now, &arming, cx) {
        return disarm::unsent(now, claim, Blame::Store, cx);
    }
    if let Some(sibling) = sibling {
        return super::promote(now, sibling, claim, cx);
    }
    transmit(now, arming.asked_at.after(margins.fence()), claim, cx)
}

fn transmit(now: Timestamp, not_after: Timestamp, claim: Claim, cx: &mut Context<'_>) -> Rotation {
    let (application, margins) = (cx.shared.application, cx.shared.margins);
    let single_use = refresh_token(cx).filter(|_| cx.is_single_use());
    let (request, answer_within) = match single_use {
        Some(token) => {
            let token = RefreshToken::from_server(token.clone(), Timestamp::EPOCH);
            let request =
                token_request::refresh_token(application.client(), application.endpoint(), &token);
            (request, margins.answer())
        }
        None => {
            let request =
                token_request::client_credentials(application.client(), application.endpoint());
            (request, margins.repeatable_answer())
        }
    };
    let id = cx.known.transmit;
    cx.known.transmit = id.next();
    let (attempt, generation) = (claim.attempt, claim.generation);
    cx.tell(Event::Presenting { attempt, generation });
    cx.outputs.push_back(Output::Transmit(Transmit { id, request, not_after, answer_within }));
    // A driver answers within `answer_within` of writing; the rest is for its own delays.
    let give_up_at = not_after.after(answer_within).after(margins.network());
    Rotation::Attempt(Attempt::InFlight { claim, give_up_at, id, sent_at: now })
}

fn refresh_token<'a>(cx: &'a Context<'_>) -> Option<&'a Secret> {
    cx.known.held.as_ref()?.refresh()?.value.as_ref()
}

/// Another intent stands, since a while.
fn busy(
    now: Timestamp,
    record: Record<Secret>,
    (since, until): (Duration, Timestamp),
    cx: &mut Context<'_>,
) -> Rotation {
    let standing = Standing::of(&record, until);
    if cx.take_over(now, record) == Taken::Newer {
        return Rotation::Idle;
    }
    match standing {
        Some(standing) => super::in_doubt(now, standing, since, cx),
        None => cx.back_off(now, Blame::Store, until),
    }
}

/// The store is at another generation.
fn moved(now: Timestamp, record: Record<Secret>, cx: &mut Context<'_>) -> Rotation {
    let (held, stored) = (cx.generation(), record.generation);
    if stored >= held {
        cx.take_over(now, record);
        return Rotation::Idle;
    }
    cx.tell(Event::StoreBehind { held, stored });
    heal(now, record, cx)
}

/// The store has lost the grant: what this process holds of it founds it anew.
fn missing(now: Timestamp, cx: &mut Context<'_>) -> Rotation {
    let held = cx.known.held.as_ref();
    let Some(held) = held.filter(|it| it.has_tokens()) else { return cx.forget() };
    let successor =
        Successor { access: held.access.as_deref().cloned(), refresh: held.refresh_token() };
    let (claim, held) = (unarmed(0, cx), held.generation);
    cx.tell(Event::StoreBehind { held, stored: Generation::default() });
    super::found(now, claim, successor, cx)
}

/// The store has gone back, as after the restoration of a backup: what this process holds is newer
/// and is written again, unless the store says that the grant was ended on purpose or given anew.
pub(in crate::lifecycle) fn heal(
    now: Timestamp,
    record: Record<Secret>,
    cx: &mut Context<'_>,
) -> Rotation {
    // What is held is worth writing only if it was good.
    let is_good = cx.known.health.may_present() && !is_ended(record.health);
    let stored = (ends_at(record.refresh.as_ref()), ends_at(record.access.as_ref()));
    let read = fingerprint(record.refresh.as_ref());
    let newer = cx.known.held.as_mut().filter(|it| {
        let is_same = fingerprint(it.refresh()) == read;
        let held = (ends_at(it.refresh()), ends_at(it.access.as_deref()));
        is_good && held > stored && (is_same || it.refresh_token().is_some())
    });
    let Some(newer) = newer else {
        cx.put_beside_access(now, record);
        return Rotation::Idle;
    };
    newer.generation = record.generation;
    // A token that is on its last leg is no successor of itself.
    let refresh = newer.refresh_token().filter(|it| Some(it.fingerprint) != read);
    let access = newer.access.as_deref().cloned();
    let claim = unarmed(0, cx);
    super::commit(now, claim, Successor { access, refresh }, cx)
}

fn ends_at<V>(token: Option<&StoredToken<V>>) -> Option<Timestamp> {
    token.map(|it| it.ends_at)
}
