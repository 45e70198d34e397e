//! Backends that are broken in one way each, and the rule by which the suite finds each of them.

mod backend;
mod defect;

use std::sync::Arc;
use std::time::Duration;

use sr_testkit::conformance::{Report, Rule, Suite};

use crate::fixture::{Suspect, assert_names, suite};
use backend::Broken;
use defect::Defect;

fn run(suite: &Suite, defect: Option<Defect>) -> Report {
    suite.check(async || Ok(Suspect(Arc::new(Broken::new(defect)?)))).unwrap()
}

#[test]
fn the_same_backend_without_a_defect_conforms() {
    let report = run(&suite(), None);
    assert!(report.conforms(), "{report}");
    assert!(report.left_out().is_empty(), "{report}");
}

#[track_caller]
fn check(cases: &[(Defect, Rule)]) {
    for (defect, rule) in cases {
        let suite = match defect {
            Defect::HangsAtTimes => suite().with_patience(Duration::from_millis(200)),
            _ => suite(),
        };
        let report = run(&suite, Some(*defect));
        assert_names(&report, *rule, defect);
    }
}

#[test]
fn a_broken_rule_of_intents_is_named() {
    check(&[
        (Defect::ArmForgetsIntent, Rule::IntentStands),
        (Defect::ArmIgnoresIntents, Rule::IntentStands),
        (Defect::ArmIgnoresLife, Rule::QuietGivesTakeOver),
        (Defect::ArmIgnoresQuiet, Rule::QuietGivesTakeOver),
        (Defect::ArmOverTheEnded, Rule::EndsStay),
        (Defect::BackOffForgotten, Rule::BackOffShared),
        (Defect::DisarmRemovesAnyIntent, Rule::IntentStands),
        (Defect::IntentFreedByClosing, Rule::IntentStands),
        (Defect::RefusalsUncounted, Rule::RefusalsCounted),
    ]);
}

#[test]
fn a_broken_rule_of_generations_is_named() {
    check(&[
        (Defect::AdoptAlwaysReplaces, Rule::FoundedOnce),
        (Defect::AdoptForgetsLedger, Rule::LedgerKept),
        (Defect::AdoptKeepsGeneration, Rule::GenerationMoves),
        (Defect::BuryIgnoresGeneration, Rule::GenerationGivesOrder),
        (Defect::BuryMovesGeneration, Rule::GenerationMoves),
        (Defect::CommitFencedByIntent, Rule::LateCommitTaken),
        (Defect::CommitIgnoresGeneration, Rule::GenerationGivesOrder),
        (Defect::CommitLeavesSuspect, Rule::HealthFollows),
        (Defect::CommitRefusedByDeath, Rule::LateCommitTaken),
        (Defect::EndKeepsGeneration, Rule::GenerationMoves),
        (Defect::EscrowForgets, Rule::EscrowKept),
    ]);
}

#[test]
fn a_broken_rule_of_what_is_kept_is_named() {
    check(&[
        (Defect::AnswersBeforeDone, Rule::AnsweredIsDone),
        (Defect::ForgetsOnRestart, Rule::Durable),
        (Defect::ForgetsLifeOnRestart, Rule::Durable),
        (Defect::KeysFoldCase, Rule::KeysApart),
        (Defect::ReadsStaleReplica, Rule::AnsweredIsDone),
        (Defect::RestUnsealed, Rule::SecretsSealed),
        (Defect::SignedNumbers, Rule::ValuesKept),
        (Defect::TruncatesValues, Rule::ValuesKept),
    ]);
}

#[test]
fn a_broken_rule_of_lists_and_pulses_is_named() {
    check(&[
        (Defect::ClockOfEachConnection, Rule::OneClock),
        (Defect::DueIgnoresLimit, Rule::DueOrdered),
        (Defect::DueUnordered, Rule::DueOrdered),
        (Defect::IdentityOfItsKind, Rule::StoreNamed),
        (Defect::PulseCountsTheDead, Rule::LifeSignsCount),
        (Defect::PulseHidesSequence, Rule::StoreNamed),
        (Defect::PulseSkipsChanges, Rule::ChangesTold),
        (Defect::PulseTellsFewer, Rule::ChangesTold),
    ]);
}

#[test]
fn a_broken_rule_of_lost_answers_and_crowds_is_named() {
    check(&[
        (Defect::AdoptUndoesRotations, Rule::RepeatChangesNothing),
        (Defect::DropLeavesHalf, Rule::WholeOrNothing),
        (Defect::ErrsAtTimes, Rule::Answers),
        (Defect::HangsAtTimes, Rule::Answers),
        (Defect::ReadsThenWrites, Rule::OneAfterTheOther),
        (Defect::RepeatsCommit, Rule::RepeatChangesNothing),
        (Defect::RepeatsEscrow, Rule::RepeatChangesNothing),
    ]);
}

/// No scene has it; a generated sequence does, and little is left of it.
#[test]
fn what_no_scene_thought_of_is_found_and_shrunk() {
    let report = run(&suite().with_cases(256), Some(Defect::LastLegForgetsSibling));
    let [violation] = report.violations() else { panic!("{report}") };
    assert_eq!(violation.rule(), Rule::EscrowKept, "{report}");
    assert!(violation.scene().contains("seed 1"), "{report}");
    assert!(violation.scene().lines().count() <= 5, "{report}");
}
