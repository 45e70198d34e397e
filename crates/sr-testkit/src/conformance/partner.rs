//! The same suite for operations on integrations: scenes, clients at once, generated sequences.

mod crowd;
mod judge;
mod scenes;
mod step;
mod values;

use sr_auth_core::Timestamp;
use sr_auth_core::store::{Sequence, StoreIdentity};
use sr_auth_store::{Backend, BackendError, Sealed};
use sr_partner::IntegrationKey;
use sr_partner::store::{
    DisableEffect, IntegrationRecord, PartnerAnswer, PartnerModel, PartnerOp, PartnerOutcome, Phase,
};
use tokio::runtime::Runtime;

use super::concurrency;
use super::judge::Finding;
use super::kind::{Answer, Kind};
use super::outcomes;
use super::sequences;
use super::stage::Stage;
use super::subject::{Subject, TrialError};

/// Runs all checks.
pub(super) fn run<S, M>(stage: &mut Stage<'_, M>, runtime: &Runtime) -> Result<(), TrialError>
where
    S: Subject,
    M: AsyncFn() -> Result<S, TrialError>,
{
    runtime.block_on(scenes::play(stage))?;
    runtime.block_on(concurrency::run::<Integrations, _, _>(stage))?;
    if stage.report().conforms() {
        sequences::run::<Integrations, _, _>(stage, runtime)?;
    } else {
        stage.report().leave_out(sequences::LEFT_OUT);
    }
    outcomes::demand_of_integrations(stage.report());
    Ok(())
}

/// Operations on integrations.
#[derive(Clone, Copy, Debug)]
pub(super) struct Integrations;

impl Kind for Integrations {
    type Key = IntegrationKey;
    type Model = PartnerModel<Sealed>;
    type Op = PartnerOp<Sealed>;
    type Outcome = PartnerOutcome<Sealed>;
    type Record = IntegrationRecord<()>;

    async fn ask(backend: &dyn Backend, op: Self::Op) -> Result<Answer<Self>, BackendError> {
        let PartnerAnswer { now, outcome } = backend.apply_partner(op).await?;
        Ok(Answer { now, outcome })
    }

    fn model(identity: StoreIdentity) -> Self::Model {
        PartnerModel::new(identity)
    }

    fn apply(model: &mut Self::Model, now: Timestamp, op: Self::Op) -> Self::Outcome {
        model.apply(now, op).outcome
    }

    fn judge(
        op: &Self::Op,
        was: &[Self::Record],
        expected: &Self::Outcome,
        got: &Self::Outcome,
    ) -> Option<Finding> {
        judge::judge(op, was, expected, got)
    }

    fn key(op: &Self::Op) -> Option<&IntegrationKey> {
        match op {
            PartnerOp::Activate { key, .. }
            | PartnerOp::Arm { key, .. }
            | PartnerOp::Begin { key, .. }
            | PartnerOp::Commit { key, .. }
            | PartnerOp::End { key, .. }
            | PartnerOp::Load { key }
            | PartnerOp::Void { key, .. } => Some(key),
            PartnerOp::CountRefusal { .. }
            | PartnerOp::Disable { .. }
            | PartnerOp::EndAll { .. }
            | PartnerOp::FindClient { .. }
            | PartnerOp::Identify { .. }
            | PartnerOp::Issue { .. }
            | PartnerOp::Pulse { .. }
            | PartnerOp::Unsettled { .. } => None,
        }
    }

    fn record(model: &Self::Model, key: &IntegrationKey) -> Option<Self::Record> {
        model.record(key).map(IntegrationRecord::without_secrets)
    }

    fn look() -> Self::Op {
        PartnerOp::Pulse { since: Sequence(0) }
    }

    fn seen(outcome: &Self::Outcome) -> Option<(StoreIdentity, Sequence)> {
        if let PartnerOutcome::News(news) = outcome {
            Some((news.store, news.sequence))
        } else {
            None
        }
    }

    fn nothing() -> Self::Op {
        PartnerOp::Load { key: values::key("what", "is-the-time") }
    }

    fn reads(keys: &[IntegrationKey]) -> Vec<Self::Op> {
        let loads = keys.iter().map(|key| PartnerOp::Load { key: key.clone() });
        let unsettled = PartnerOp::Unsettled { limit: usize::MAX };
        loads.chain([unsettled, Self::look()]).collect()
    }

    fn traces(outcome: &Self::Outcome) -> Vec<Timestamp> {
        let Some(record) = judge::of(outcome) else { return Vec::new() };
        let noted = record.ledger.iter().rev().take(2).map(|it| it.at);
        let armed = record.attempt.as_ref().and_then(|it| match it.phase {
            Phase::Posting { armed_at, .. } => Some(armed_at),
            Phase::Integrated { .. } | Phase::Prepared { .. } => None,
        });
        let ended = record.ended.as_ref().map(|it| it.at);
        noted.chain(armed).chain(ended).collect()
    }

    fn op_name(op: &Self::Op) -> &'static str {
        op.name()
    }

    fn outcome_name(outcome: &Self::Outcome) -> &'static str {
        if let PartnerOutcome::Client(None) = outcome {
            return "Client (none)";
        }
        let PartnerOutcome::Disabled { effect, .. } = outcome else { return outcome.name() };
        match effect {
            DisableEffect::AlreadyEnded => "Disabled (already)",
            DisableEffect::Ended => outcome.name(),
            DisableEffect::Stale => "Disabled (stale)",
        }
    }
}
