//! Making a successor durable: offered until the store has it or has something newer.

use super::{Attempt, Call, Claim};
use crate::lifecycle::context::{Context, Rotation};
use crate::lifecycle::held::{Held, fingerprint, is_ended};
use crate::lifecycle::{Access, Blame, Event, Input};
use crate::store::{
    Health, LedgerEntry, LedgerEvent, NewGrant, Record, Sibling, StoreAnswer, StoreOp,
    StoreOutcome, StoredToken, Successor,
};
use crate::{Secret, Timestamp};

use crate::lifecycle::StoreFailure;

/// How a successor is offered.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) enum Form {
    /// As a grant of its own: the record is gone.
    Adopt,
    /// As the next generation.
    Commit,
    /// As a sibling: the record has moved on.
    Escrow,
}

#[derive(Clone, Copy)]
pub(super) struct Committing {
    pub(super) call: Call,
    pub(super) claim: Claim,
    pub(super) failures: u8,
    pub(super) form: Form,
}

/// Begins to offer a successor.
pub(in crate::lifecycle) fn commit(
    now: Timestamp,
    claim: Claim,
    successor: Successor<Secret>,
    cx: &mut Context<'_>,
) -> Rotation {
    cx.known.affairs_mut().successor = Some(Box::new(successor));
    offer(now, claim, Form::Commit, 0, cx)
}

/// A successor that was put aside takes the place of a token that was refused, or that is on its
/// last leg. What the record says of the old one, its death perhaps, is of no interest any more.
pub(in crate::lifecycle) fn promote(
    now: Timestamp,
    sibling: Sibling<Secret>,
    claim: Claim,
    cx: &mut Context<'_>,
) -> Rotation {
    let access = cx.good_access(now, claim.generation);
    commit(now, claim, Successor { access, refresh: Some(sibling.token) }, cx)
}

/// Begins to offer what is held as a grant of its own: the record is gone.
pub(super) fn found(
    now: Timestamp,
    claim: Claim,
    held: Successor<Secret>,
    cx: &mut Context<'_>,
) -> Rotation {
    cx.known.affairs_mut().successor = Some(Box::new(held));
    offer(now, claim, Form::Adopt, 0, cx)
}

fn offer(now: Timestamp, claim: Claim, form: Form, failures: u8, cx: &mut Context<'_>) -> Rotation {
    let Some(successor) = cx.known.affairs().successor.as_deref() else { return Rotation::Idle };
    let (key, owner) = (cx.shared.key.clone(), cx.shared.owner);
    let (generation, renewal) = (claim.generation, cx.known.renewal);
    let op = match (form, &successor.refresh) {
        (Form::Escrow, Some(token)) => {
            let sibling = Sibling { from: generation, token: token.clone() };
            StoreOp::Escrow { key, owner, sibling }
        }
        (Form::Adopt, _) => {
            let Successor { access, refresh } = successor.clone();
            // What is on its last leg would be lost with the record.
            let last_leg = || cx.known.held.as_ref().and_then(Held::refresh_token);
            let refresh = refresh.or_else(last_leg);
            let grant = NewGrant { access, refresh, renewal };
            StoreOp::Adopt { grant, key, only_if_missing: true }
        }
        (Form::Commit | Form::Escrow, _) => {
            StoreOp::Commit { generation, key, owner, successor: successor.clone() }
        }
    };
    let call = Call::Asked(cx.ask(now, op));
    Rotation::Attempt(Attempt::Committing { call, claim, failures, form })
}

pub(super) fn next(now: Timestamp, input: Input, it: Committing, cx: &mut Context<'_>) -> Rotation {
    match (it.call, input) {
        (Call::Asked(asked), Input::Stored { id, result }) if id == asked.id => {
            answered(now, result, it, cx)
        }
        (Call::Asked(asked), Input::Timeout) if now >= asked.give_up_at => failed(now, it, cx),
        (Call::Pausing { until }, Input::Timeout) if now >= until => {
            offer(now, it.claim, it.form, it.failures, cx)
        }
        // An early timeout, or news that the answer will bring by itself.
        _ => again(it.call, it),
    }
}

const fn again(call: Call, it: Committing) -> Rotation {
    let Committing { claim, failures, form, .. } = it;
    Rotation::Attempt(Attempt::Committing { call, claim, failures, form })
}

fn failed(now: Timestamp, it: Committing, cx: &mut Context<'_>) -> Rotation {
    if it.failures == 0 {
        cx.tell(Event::CommitDelayed { generation: it.claim.generation });
    }
    let failures = it.failures.saturating_add(1);
    let until = now.after(cx.shared.margins.pause_after(failures, cx.jitter()));
    again(Call::Pausing { until }, Committing { failures, ..it })
}

fn answered(
    now: Timestamp,
    result: Result<StoreAnswer<Secret>, StoreFailure>,
    it: Committing,
    cx: &mut Context<'_>,
) -> Rotation {
    let Ok(StoreAnswer { outcome, .. }) = result else { return failed(now, it, cx) };
    match outcome {
        StoreOutcome::Done(record) => durable(now, record, it, cx),
        StoreOutcome::Moved(record) => outrun(now, record, it, cx),
        StoreOutcome::Missing => offer(now, it.claim, Form::Adopt, it.failures, cx),
        // No answer to a commit: the store's binding is broken, and the successor is kept.
        StoreOutcome::Armed(_)
        | StoreOutcome::Busy { .. }
        | StoreOutcome::Due(_)
        | StoreOutcome::Ended(_)
        | StoreOutcome::Loaded(_)
        | StoreOutcome::NotDue { .. }
        | StoreOutcome::Pulse(_) => failed(now, it, cx),
    }
}

fn durable(
    now: Timestamp,
    record: Record<Secret>,
    it: Committing,
    cx: &mut Context<'_>,
) -> Rotation {
    cx.known.affairs_mut().successor = None;
    let (generation, refresh) = (record.generation, fingerprint(record.refresh.as_ref()));
    let last_leg = record.health == Health::LastLeg;
    match it.form {
        // A record that is made anew counts its generations from the beginning.
        Form::Adopt => cx.put(now, record),
        Form::Commit => {
            cx.take(now, record);
        }
        Form::Escrow => {
            cx.take(now, record);
            cx.tell(Event::SuccessorEscrowed { from: it.claim.generation });
            return Rotation::Idle;
        }
    }
    cx.tell(Event::Rotated { generation, refresh });
    if last_leg {
        cx.tell(Event::LastLeg { generation });
    }
    rest(now, it.failures, cx)
}

/// Goes on after a rotation. One that brings no fresh access token is as good as a failed one: the
/// next begins at once, and then with pauses, so that a server whose tokens are all useless is not
/// asked as fast as it answers.
fn rest(now: Timestamp, delays: u8, cx: &mut Context<'_>) -> Rotation {
    let is_fresh = Access::of(cx.known.held.as_ref(), now) == Access::Fresh;
    if is_fresh || delays > 0 {
        cx.known.affairs_mut().failures = 0;
        return Rotation::Idle;
    }
    if cx.known.affairs().failures == 0 {
        cx.known.affairs_mut().failures = 1;
        return Rotation::Idle;
    }
    cx.back_off(now, Blame::Endpoint, Timestamp::EPOCH)
}

/// The record is at another generation.
fn outrun(
    now: Timestamp,
    record: Record<Secret>,
    mut it: Committing,
    cx: &mut Context<'_>,
) -> Rotation {
    if it.form == Form::Adopt {
        return found_by_another(now, record, it, cx);
    }
    let from = it.claim.generation;
    let successor = cx.known.affairs().successor.as_deref();
    let token = successor.and_then(|it| it.refresh.as_ref());
    // A backup may hold what is offered: a token is no successor of itself.
    let is_kept = token.is_some() && fingerprint(token) == fingerprint(record.refresh.as_ref());
    let ours = token.map(|it| it.ends_at);
    let theirs = record.refresh.as_ref().map(|it| it.ends_at);
    let is_behind = record.generation < from && ours >= theirs && !is_kept;
    if is_behind && !is_ended(record.health) {
        // The store has gone back; what it had then is older than what we hold.
        cx.tell(Event::StoreBehind { held: from, stored: record.generation });
        it.claim.generation = record.generation;
        if let Some(held) = cx.known.held.as_mut() {
            held.generation = record.generation;
        }
        return offer(now, it.claim, Form::Commit, it.failures, cx);
    }
    let ended = is_ended(record.health);
    // The answer to an earlier offer was lost, and others have rotated further since.
    let was_taken = is_kept || (ours.is_some() && was_committed(&record, cx));
    if record.generation < from {
        cx.put(now, record);
    } else {
        cx.take_over(now, record);
    }
    if !ended && ours.is_some() && !was_taken {
        return offer(now, it.claim, Form::Escrow, it.failures, cx);
    }
    if ours.is_some() && !was_taken {
        cx.tell(Event::SuccessorOutlived { from });
    }
    cx.known.affairs_mut().successor = None;
    Rotation::Idle
}

/// Somebody else has founded the record anew, and counts its generations from the beginning: the ends
/// of the tokens tell which are newer.
fn found_by_another(
    now: Timestamp,
    record: Record<Secret>,
    mut it: Committing,
    cx: &mut Context<'_>,
) -> Rotation {
    let Some(successor) = cx.known.affairs().successor.as_deref() else { return Rotation::Idle };
    let ends = |refresh: Option<&StoredToken<Secret>>, access: Option<&StoredToken<Secret>>| {
        (refresh.map(|it| it.ends_at), access.map(|it| it.ends_at))
    };
    let ours = ends(successor.refresh.as_ref(), successor.access.as_ref());
    let offered = fingerprint(successor.refresh.as_ref());
    let theirs = ends(record.refresh.as_ref(), record.access.as_ref());
    let from = it.claim.generation;
    it.claim.generation = record.generation;
    if !is_ended(record.health) && ours > theirs {
        // A token that is on its last leg is no successor of itself.
        let stored = fingerprint(record.refresh.as_ref());
        if let Some(successor) = cx.known.affairs_mut().successor.as_deref_mut() {
            successor.refresh.take_if(|it| Some(it.fingerprint) == stored);
        }
        cx.tell(Event::StoreBehind { held: from, stored: record.generation });
        if let Some(held) = cx.known.held.as_mut() {
            held.generation = record.generation;
        }
        return offer(now, it.claim, Form::Commit, it.failures, cx);
    }
    // What was held and not just given is older than what is there.
    let held = cx.known.held.as_ref().and_then(|it| fingerprint(it.refresh()));
    let is_given = offered.is_some() && offered != held;
    let is_outlived = is_given && !was_committed(&record, cx);
    let has_ended = is_ended(record.health);
    cx.put_beside_access(now, record);
    if is_outlived && !has_ended {
        return offer(now, it.claim, Form::Escrow, it.failures, cx);
    }
    if is_outlived {
        cx.tell(Event::SuccessorOutlived { from });
    }
    cx.known.affairs_mut().successor = None;
    Rotation::Idle
}

fn was_committed(record: &Record<Secret>, cx: &Context<'_>) -> bool {
    let refresh = cx.known.affairs().successor.as_deref().and_then(|it| it.refresh.as_ref());
    let ours = |it: &LedgerEntry| {
        it.event == LedgerEvent::Rotated && it.fingerprint == fingerprint(refresh)
    };
    record.ledger.iter().any(ours)
}
