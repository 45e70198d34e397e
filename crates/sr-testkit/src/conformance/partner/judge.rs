//! Compares what a backend answered with what the model answers, and names the broken rule.

use sr_auth_store::Sealed;
use sr_partner::store::{Attempt, Binding, IntegrationRecord, PartnerOp, PartnerOutcome, Phase};

use crate::conformance::judge::{Finding, instead_of};
use crate::conformance::rule::Rule;

type Outcome = PartnerOutcome<Sealed>;
type Row = IntegrationRecord<()>;

/// Compares an answer with the model's; `was` are the states in which the record was before.
pub(super) fn judge(
    op: &PartnerOp<Sealed>,
    was: &[Row],
    expected: &Outcome,
    got: &Outcome,
) -> Option<Finding> {
    if expected == got {
        return None;
    }
    if let (Some(shown), Some(right)) = (of(got), of(expected)) {
        let is_older = shown.generation < right.generation || matches!(op, PartnerOp::Load { .. });
        if is_older && shown != right && was.contains(&shown) {
            return Some((Rule::AnsweredIsDone, "a record as it was before".to_owned()));
        }
    }
    if expected.name() != got.name() {
        let saw = format!("{} instead of {}", got.name(), expected.name());
        return Some((misnamed(op, expected, got), saw));
    }
    if let (Outcome::News(expected), Outcome::News(got)) = (expected, got) {
        let named = (expected.store, expected.sequence) == (got.store, got.sequence);
        let rule = if named { Rule::ChangesTold } else { Rule::StoreNamed };
        return Some((rule, instead_of(got, expected)));
    }
    let (Some(right), Some(shown)) = (of(expected), of(got)) else {
        return Some((rule_of(op), instead_of(got, expected)));
    };
    if right == shown {
        // What is shown without its secrets is the same.
        return Some((Rule::ValuesKept, "another sealed secret".to_owned()));
    }
    Some(record(&right, &shown))
}

/// The record that an outcome shows, without secrets.
pub(super) fn of(outcome: &Outcome) -> Option<Row> {
    match outcome {
        Outcome::BoundElsewhere(record)
        | Outcome::Busy { record, .. }
        | Outcome::Done(record)
        | Outcome::Moved(record)
        | Outcome::Superseded(record)
        | Outcome::Taken(record) => Some(record.clone()),
        Outcome::Loaded(record) => Some(record.without_secrets()),
        Outcome::AllEnded { .. }
        | Outcome::Client(_)
        | Outcome::Counted
        | Outcome::Disabled { .. }
        | Outcome::Foreign
        | Outcome::Identified(_)
        | Outcome::Issued { .. }
        | Outcome::Keys(_)
        | Outcome::Missing
        | Outcome::News(_)
        | Outcome::Throttled { .. } => None,
    }
}

/// The rule that an operation is about first of all.
const fn rule_of(op: &PartnerOp<Sealed>) -> Rule {
    match op {
        PartnerOp::Activate { .. } => Rule::BoundByActivation,
        PartnerOp::Arm { .. } | PartnerOp::Begin { .. } | PartnerOp::Unsettled { .. } => {
            Rule::AttemptStands
        }
        PartnerOp::Commit { .. } => Rule::AnswerKept,
        PartnerOp::CountRefusal { .. } => Rule::RefusalsCounted,
        PartnerOp::Disable { .. } => Rule::DisablesItsOwn,
        PartnerOp::End { .. } | PartnerOp::EndAll { .. } | PartnerOp::Void { .. } => Rule::EndsStay,
        PartnerOp::FindClient { .. } | PartnerOp::Identify { .. } | PartnerOp::Issue { .. } => {
            Rule::TokensFollow
        }
        PartnerOp::Load { .. } => Rule::AnsweredIsDone,
        PartnerOp::Pulse { .. } => Rule::ChangesTold,
    }
}

/// Which rule an outcome of the wrong kind breaks.
fn misnamed(op: &PartnerOp<Sealed>, expected: &Outcome, got: &Outcome) -> Rule {
    let either = |name: &str| expected.name() == name || got.name() == name;
    let is_issue = matches!(op, PartnerOp::Issue { .. });
    if either("BoundElsewhere") {
        Rule::BoundByActivation
    } else if either("Throttled") {
        Rule::RefusalsCounted
    } else if either("Missing") && !is_issue {
        Rule::AnsweredIsDone
    } else {
        rule_of(op)
    }
}

/// Names the first field that differs, the one that means most first.
fn record(expected: &Row, got: &Row) -> Finding {
    if expected.generation != got.generation {
        return (Rule::GenerationMoves, instead_of(&got.generation, &expected.generation));
    }
    let generation = |it: Option<&Binding<()>>| it.map(|it| it.generation);
    let (right, shown) = (expected.binding.as_ref(), got.binding.as_ref());
    if generation(right) != generation(shown) {
        let ended = expected.ended != got.ended || right.is_none();
        let rule = if ended { Rule::EndsStay } else { Rule::BoundByActivation };
        return (rule, instead_of(&generation(shown), &generation(right)));
    }
    if right != shown {
        return (Rule::ValuesKept, instead_of(&shown, &right));
    }
    if expected.attempt != got.attempt {
        let rule = attempt_rule(expected.attempt.as_ref(), got.attempt.as_ref());
        return (rule, instead_of(&got.attempt, &expected.attempt));
    }
    if expected.ended != got.ended {
        return (Rule::EndsStay, instead_of(&got.ended, &expected.ended));
    }
    (Rule::LedgerKept, instead_of(&got.ledger, &expected.ledger))
}

fn attempt_rule(expected: Option<&Attempt<()>>, got: Option<&Attempt<()>>) -> Rule {
    let (Some(expected), Some(got)) = (expected, got) else { return Rule::AttemptStands };
    let answered = |it: &Attempt<()>| matches!(it.phase, Phase::Integrated { .. });
    match (answered(expected), answered(got)) {
        (true, _) if expected.phase != got.phase => Rule::AnswerKept,
        _ if expected.phase.name() != got.phase.name() => Rule::AttemptStands,
        _ if (expected.id, expected.generation) != (got.id, got.generation) => Rule::AttemptStands,
        _ if expected.used_at != got.used_at => Rule::TokensFollow,
        _ => Rule::ValuesKept,
    }
}
