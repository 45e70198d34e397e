//! Compares what a backend answered with what the model answers, and names the broken rule.

use std::fmt::Debug;

use sr_auth_core::store::{Intent, Pulse, Record, StoreOp, StoreOutcome, StoredToken};
use sr_auth_store::Sealed;

use super::rule::Rule;

type Outcome = StoreOutcome<Sealed>;
type Row = Record<Sealed>;

/// A broken rule, and what was seen.
pub(super) type Finding = (Rule, String);

/// Compares an answer with the model's; `was` are the states in which the record was before.
pub(super) fn judge(
    op: &StoreOp<Sealed>,
    was: &[Row],
    expected: &Outcome,
    got: &Outcome,
) -> Option<Finding> {
    if expected == got {
        return None;
    }
    if let (Some(shown), Some(right)) = (of(got), of(expected)) {
        let is_older = shown.generation < right.generation || matches!(op, StoreOp::Load { .. });
        if is_older && was.contains(shown) {
            return Some((Rule::AnsweredIsDone, "a record as it was before".to_owned()));
        }
    }
    match (expected, got) {
        (Outcome::Due(expected), Outcome::Due(got)) => {
            Some((Rule::DueOrdered, instead_of(got, expected)))
        }
        (Outcome::Pulse(expected), Outcome::Pulse(got)) => Some(pulse(expected, got)),
        _ if expected.name() != got.name() => {
            let saw = format!("{} instead of {}", brief(got), brief(expected));
            Some((misnamed(op, expected, got), saw))
        }
        (Outcome::Busy { until, .. }, Outcome::Busy { until: told, .. }) if until != told => {
            Some((busy_rule(op, expected), instead_of(told, until)))
        }
        (Outcome::NotDue { until, .. }, Outcome::NotDue { until: told, .. }) if until != told => {
            Some((Rule::BackOffShared, instead_of(told, until)))
        }
        _ => of(expected).zip(of(got)).map(|(expected, got)| record(expected, got)),
    }
}

/// The record that an outcome shows.
pub(super) const fn of(outcome: &Outcome) -> Option<&Row> {
    match outcome {
        Outcome::Armed(record)
        | Outcome::Busy { record, .. }
        | Outcome::Done(record)
        | Outcome::Ended(record)
        | Outcome::Loaded(record)
        | Outcome::Moved(record)
        | Outcome::NotDue { record, .. } => Some(record),
        Outcome::Due(_) | Outcome::Missing | Outcome::Pulse(_) => None,
    }
}

/// Which rule an outcome of the wrong kind breaks.
fn misnamed(op: &StoreOp<Sealed>, expected: &Outcome, got: &Outcome) -> Rule {
    let either = |name: &str| expected.name() == name || got.name() == name;
    match op {
        _ if either("Missing") => Rule::AnsweredIsDone,
        StoreOp::Arm { .. } if either("Moved") => Rule::GenerationGivesOrder,
        StoreOp::Arm { .. } if either("Ended") => Rule::EndsStay,
        StoreOp::Arm { .. } if either("NotDue") => Rule::BackOffShared,
        StoreOp::Arm { .. } => busy_rule(op, if is_busy(expected) { expected } else { got }),
        StoreOp::Commit { .. } if expected.name() == "Done" => Rule::LateCommitTaken,
        StoreOp::Bury { .. } if either("Ended") => Rule::EndsStay,
        StoreOp::Bury { .. } | StoreOp::Commit { .. } | StoreOp::End { .. } => {
            Rule::GenerationGivesOrder
        }
        StoreOp::Adopt { .. } => Rule::FoundedOnce,
        StoreOp::Disarm { .. }
        | StoreOp::Due { .. }
        | StoreOp::Escrow { .. }
        | StoreOp::Load { .. }
        | StoreOp::Pulse { .. } => Rule::AnsweredIsDone,
    }
}

const fn is_busy(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Busy { .. })
}

/// Who names the standing intent asks for a take-over; who does not meets an intent.
fn busy_rule(op: &StoreOp<Sealed>, busy: &Outcome) -> Rule {
    let standing = of(busy).and_then(|it| it.intent.as_ref()).map(|it| it.id);
    let over = if let StoreOp::Arm { over, .. } = op { over.map(|it| it.intent) } else { None };
    if over.is_some() && over == standing { Rule::QuietGivesTakeOver } else { Rule::IntentStands }
}

fn pulse(expected: &Pulse, got: &Pulse) -> Finding {
    if expected.store != got.store {
        return (Rule::StoreNamed, instead_of(&got.store, &expected.store));
    }
    if expected.sequence != got.sequence {
        return (Rule::StoreNamed, instead_of(&got.sequence, &expected.sequence));
    }
    if expected.processes != got.processes {
        return (Rule::LifeSignsCount, instead_of(&got.processes, &expected.processes));
    }
    let parted = expected.changes.iter().zip(&got.changes).find(|(expected, got)| expected != got);
    let saw = match parted {
        Some((expected, got)) => instead_of(got, expected),
        None => format!("{} changes instead of {}", got.changes.len(), expected.changes.len()),
    };
    (Rule::ChangesTold, saw)
}

/// Names the first field that differs, the one that means most first.
fn record(expected: &Row, got: &Row) -> Finding {
    let tokens = [
        ("access token", &expected.access, &got.access),
        ("refresh token", &expected.refresh, &got.refresh),
    ];
    if expected.generation != got.generation {
        return (Rule::GenerationMoves, instead_of(&got.generation, &expected.generation));
    }
    if expected.health != got.health {
        return (Rule::HealthFollows, instead_of(&got.health, &expected.health));
    }
    if let Some(finding) = intent(expected.intent.as_ref(), got.intent.as_ref()) {
        return finding;
    }
    for (what, expected, got) in tokens {
        if expected != got {
            return (Rule::ValuesKept, format!("{what}: {}", token(expected, got)));
        }
    }
    if expected.sibling != got.sibling {
        let [expected, got] = [expected, got].map(|it| it.sibling.clone());
        let froms = [&got, &expected].map(|it| it.as_ref().map(|it| it.from));
        let [expected, got] = [expected, got].map(|it| it.map(|it| it.token));
        return match (&expected, &got) {
            (Some(kept), Some(shown)) if kept.fingerprint == shown.fingerprint => {
                (Rule::ValuesKept, format!("sibling: {}", token(&expected, &got)))
            }
            _ => (Rule::EscrowKept, instead_of(&froms[0], &froms[1])),
        };
    }
    if expected.not_before != got.not_before {
        return (Rule::BackOffShared, instead_of(&got.not_before, &expected.not_before));
    }
    if expected.refusals != got.refusals {
        return (Rule::RefusalsCounted, instead_of(&got.refusals, &expected.refusals));
    }
    if expected.unsettled != got.unsettled {
        return (Rule::RefusalsCounted, instead_of(&got.unsettled, &expected.unsettled));
    }
    if expected.ledger != got.ledger {
        let parted = expected.ledger.iter().zip(&got.ledger).find(|(left, right)| left != right);
        let saw = match parted {
            Some((expected, got)) => instead_of(got, expected),
            None => format!("{} entries instead of {}", got.ledger.len(), expected.ledger.len()),
        };
        return (Rule::LedgerKept, saw);
    }
    (Rule::ValuesKept, instead_of(&got.renewal, &expected.renewal))
}

fn intent(expected: Option<&Intent>, got: Option<&Intent>) -> Option<Finding> {
    if expected == got {
        return None;
    }
    let saw = instead_of(&got, &expected);
    let (Some(expected), Some(got)) = (expected, got) else {
        return Some((Rule::IntentStands, saw));
    };
    if expected.id != got.id {
        return Some((Rule::IntentStands, saw));
    }
    if expected.attempt != got.attempt {
        return Some((Rule::RefusalsCounted, saw));
    }
    Some((Rule::ValuesKept, saw))
}

/// Says how two tokens differ, without their values: a backend could have unsealed them.
fn token(expected: &Option<StoredToken<Sealed>>, got: &Option<StoredToken<Sealed>>) -> String {
    let (Some(expected), Some(got)) = (expected, got) else {
        let shown = |it: &Option<_>| if it.is_some() { "one" } else { "none" };
        return format!("{} instead of {}", shown(got), shown(expected));
    };
    let moments = |it: &StoredToken<Sealed>| (it.fingerprint, it.renew_at, it.ends_at);
    if moments(expected) != moments(got) {
        return instead_of(&moments(got), &moments(expected));
    }
    let lengths = [got, expected].map(|it| it.value.as_bytes().len());
    format!("other bytes, {} instead of {}", lengths[0], lengths[1])
}

pub(super) fn instead_of(got: &impl Debug, expected: &impl Debug) -> String {
    format!("{} instead of {}", cut(got), cut(expected))
}

/// The beginning of a long text.
fn cut(shown: &impl Debug) -> String {
    let whole = format!("{shown:?}");
    match whole.char_indices().nth(400) {
        Some((end, _)) => format!("{}…", whole.get(..end).unwrap_or_default()),
        None => whole,
    }
}

/// An outcome with what decides about it.
fn brief(outcome: &Outcome) -> String {
    match of(outcome) {
        Some(record) => {
            let (generation, health) = (record.generation.number(), record.health);
            format!("{} at generation {generation}, {health:?}", outcome.name())
        }
        None => outcome.name().to_owned(),
    }
}
