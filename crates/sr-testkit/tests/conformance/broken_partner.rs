//! Backends that keep integrations and are broken in one way each, and the rule by which the suite
//! finds each of them.

mod backend;
mod defect;

use std::sync::Arc;

use sr_testkit::conformance::{Report, Rule, Suite};

use crate::fixture::{Suspect, assert_names, suite};
use backend::Broken;
use defect::Defect;

fn run(suite: &Suite, defect: Option<Defect>) -> Report {
    suite.check_partner(async || Ok(Suspect(Arc::new(Broken::new(defect)?)))).unwrap()
}

#[test]
fn the_same_backend_without_a_defect_conforms() {
    let report = run(&suite(), None);
    assert!(report.conforms(), "{report}");
    assert!(report.left_out().is_empty(), "{report}");
}

#[test]
fn a_backend_that_keeps_no_integrations_does_not_conform() {
    let report = run(&suite(), Some(Defect::NotOffered));
    assert!(report.breaks(Rule::Answers), "{report}");
}

#[track_caller]
fn check(cases: &[(Defect, Rule)]) {
    for (defect, rule) in cases {
        let report = run(&suite(), Some(*defect));
        assert_names(&report, *rule, defect);
    }
}

#[test]
fn a_broken_rule_of_attempts_is_named() {
    check(&[
        (Defect::ActivateKeepsAttempt, Rule::AttemptStands),
        (Defect::ArmByAnyRun, Rule::AttemptStands),
        (Defect::BeginIgnoresAttempts, Rule::AttemptStands),
        (Defect::BeginOverAnyTenant, Rule::BoundByActivation),
        (Defect::CommitIgnoresGeneration, Rule::AnswerKept),
        (Defect::CommitOverwrites, Rule::RepeatChangesNothing),
        (Defect::UnsettledIgnoresLimit, Rule::AttemptStands),
    ]);
}

#[test]
fn a_broken_rule_of_clients_and_tokens_is_named() {
    check(&[
        (Defect::DisableEndsTheNewest, Rule::DisablesItsOwn),
        (Defect::EndAllLeavesAttempts, Rule::EndsStay),
        (Defect::EndKeepsTokens, Rule::EndsStay),
        (Defect::IssueIgnoresGeneration, Rule::TokensFollow),
        (Defect::RefusalsForgotten, Rule::RefusalsCounted),
        (Defect::TokensUnlimited, Rule::TokensFollow),
    ]);
}

#[test]
fn a_broken_rule_of_what_is_kept_is_named() {
    check(&[
        (Defect::AnswersBeforeDone, Rule::AnsweredIsDone),
        (Defect::ClockOfEachConnection, Rule::OneClock),
        (Defect::ForgetsOnRestart, Rule::Durable),
        (Defect::ForgetsTokensOnRestart, Rule::Durable),
        (Defect::IdentityOfItsKind, Rule::StoreNamed),
        (Defect::KeysFoldCase, Rule::KeysApart),
        (Defect::PulseSkipsChanges, Rule::ChangesTold),
        (Defect::PulseTellsFewer, Rule::ChangesTold),
        (Defect::ReadsStaleReplica, Rule::AnsweredIsDone),
        (Defect::RestUnsealed, Rule::SecretsSealed),
        (Defect::TruncatesValues, Rule::ValuesKept),
    ]);
}

#[test]
fn a_broken_rule_of_lost_answers_and_crowds_is_named() {
    check(&[
        (Defect::DropLeavesHalf, Rule::WholeOrNothing),
        (Defect::ErrsAtTimes, Rule::Answers),
        (Defect::ReadsThenWrites, Rule::OneAfterTheOther),
    ]);
}

/// No scene has it; a generated sequence does, and little is left of it.
#[test]
fn what_no_scene_thought_of_is_found_and_shrunk() {
    let report = run(&suite().with_cases(256), Some(Defect::SilentClientsInherit));
    let [violation] = report.violations() else { panic!("{report}") };
    assert_eq!(violation.rule(), Rule::ValuesKept, "{report}");
    assert!(violation.scene().contains("seed 1"), "{report}");
    assert!(violation.scene().lines().count() <= 7, "{report}");
}
