//! Backends that keep integrations and are broken in one way each, and the rule by which the suite
//! finds each of them.

mod backend;
mod defect;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use sr_auth_store::{Backend, SealingKey, SealingKeys};
use sr_testkit::conformance::{Report, Rule, Subject, Suite, TrialError, Violation};

use backend::{Broken, Connection};
use defect::Defect;

fn keys() -> SealingKeys {
    SealingKeys::new(SealingKey::from_bytes([3; 32]))
}

struct BrokenStore(Arc<Broken>);

#[async_trait]
impl Subject for BrokenStore {
    async fn connect(&self) -> Result<Arc<dyn Backend>, TrialError> {
        Ok(Arc::new(Connection::open(Arc::clone(&self.0))))
    }

    async fn restart(&self) -> Result<(), TrialError> {
        self.0.restart();
        Ok(())
    }

    async fn raw_bytes(&self) -> Result<Vec<u8>, TrialError> {
        Ok(self.0.raw_bytes())
    }

    fn advance(&self, span: Duration) -> bool {
        self.0.advance(span);
        true
    }
}

fn run(suite: &Suite, defect: Option<Defect>) -> Report {
    suite.check_partner(async || Ok(BrokenStore(Arc::new(Broken::new(defect, keys())?)))).unwrap()
}

fn suite() -> Suite {
    Suite::new().with_sealing_keys(keys()).with_patience(Duration::from_secs(2))
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

/// What is found first is said first, and names the rule.
#[track_caller]
fn check(cases: &[(Defect, Rule)]) {
    for (defect, rule) in cases {
        let report = run(&suite(), Some(*defect));
        let first = report.violations().first().map(Violation::rule);
        assert_eq!(first, Some(*rule), "{defect:?}:\n{report}");
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
