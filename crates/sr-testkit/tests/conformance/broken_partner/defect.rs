//! The defects, as changes of operations, records and answers of the model.

use sr_auth_core::store::StoreIdentity;
use sr_auth_store::Sealed;
use sr_partner::store::{
    Integrated, IntegrationRecord, NewAttempt, PartnerModel, PartnerOp, PartnerOutcome, Phase,
};
use sr_partner::{CompanyId, IntegrationKey};

/// One way in which a backend is broken.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Defect {
    /// What has become an integration is an attempt still.
    ActivateKeepsAttempt,
    /// Every third answer of SmartRecruiters is acknowledged and forgotten.
    AnswersBeforeDone,
    ArmByAnyRun,
    BeginIgnoresAttempts,
    /// Whoever asks for a company gets it.
    BeginOverAnyTenant,
    ClockOfEachConnection,
    CommitIgnoresGeneration,
    /// An answer that comes twice counts twice.
    CommitOverwrites,
    DisableEndsTheNewest,
    /// An operation is two writes, and a caller that leaves is between them.
    DropLeavesHalf,
    EndAllLeavesAttempts,
    EndKeepsTokens,
    ErrsAtTimes,
    ForgetsOnRestart,
    ForgetsTokensOnRestart,
    /// All stores have the same identity.
    IdentityOfItsKind,
    IssueIgnoresGeneration,
    KeysFoldCase,
    NotOffered,
    PulseSkipsChanges,
    PulseTellsFewer,
    /// All but the first connection read what was there before the last change.
    ReadsStaleReplica,
    /// Reads, thinks, and writes what it read with its change: no transaction.
    ReadsThenWrites,
    RefusalsForgotten,
    RestUnsealed,
    /// A consent for one direction that takes another's place keeps its client.
    SilentClientsInherit,
    TokensUnlimited,
    TruncatesValues,
    UnsettledIgnoresLimit,
}

type Model = PartnerModel<Sealed>;
type Op = PartnerOp<Sealed>;
type Row = IntegrationRecord<Sealed>;

/// What a defect has the model do instead of an operation.
pub(super) fn rewritten(defect: Defect, op: Op, model: &Model) -> Op {
    match (defect, op) {
        (Defect::ArmByAnyRun, Op::Arm { attempt, key, post, provisional, quiet, exchange }) => {
            let standing = model.record(&key).and_then(|it| it.attempt.as_ref());
            let exchange = standing.map_or(exchange, |it| it.exchange);
            Op::Arm { attempt, exchange, key, post, provisional, quiet }
        }
        (Defect::BeginOverAnyTenant, Op::Begin { attempt, key }) => {
            let bound = model.record(&key).and_then(|it| it.binding.as_ref());
            let rebind = bound.map(|it| it.tenant.clone());
            Op::Begin { attempt: NewAttempt { rebind, ..attempt }, key }
        }
        (Defect::SilentClientsInherit, Op::Begin { attempt, key }) => {
            let before = model.record(&key).and_then(|it| it.attempt.as_ref());
            let inherited = before.and_then(|it| it.outbound.clone());
            let outbound = attempt.outbound.or(inherited);
            Op::Begin { attempt: NewAttempt { outbound, ..attempt }, key }
        }
        (
            Defect::CommitIgnoresGeneration,
            Op::Commit { attempt, confirm_within, generation, integrated, key },
        ) => {
            let standing = model.record(&key).and_then(|it| it.attempt.as_ref());
            let generation = standing.map_or(generation, |it| it.generation);
            Op::Commit { attempt, confirm_within, generation, integrated, key }
        }
        (
            Defect::TruncatesValues,
            Op::Commit { attempt, confirm_within, generation, integrated, key },
        ) => {
            let kept: Vec<u8> = integrated.secret.as_bytes().iter().copied().take(4_095).collect();
            let integrated = Integrated { secret: Sealed::from_bytes(kept), ..integrated };
            Op::Commit { attempt, confirm_within, generation, integrated, key }
        }
        (Defect::IssueIgnoresGeneration, Op::Issue { client, generation, life, token }) => {
            let of = |key: &IntegrationKey| {
                let record = model.record(key)?;
                record.clients().find(|(_, it)| it.key() == client).map(|(it, _)| it)
            };
            let generation = companies().iter().find_map(of).unwrap_or(generation);
            Op::Issue { client, generation, life, token }
        }
        (Defect::UnsettledIgnoresLimit, Op::Unsettled { .. }) => {
            Op::Unsettled { limit: usize::MAX }
        }
        (Defect::KeysFoldCase, op) => folded(op),
        (_, op) => op,
    }
}

/// The companies that the suite mostly works on.
pub(super) fn companies() -> [IntegrationKey; 2] {
    ["acme", "other"].map(|company| IntegrationKey {
        app: sr_partner::AppId::new("planner").unwrap(),
        company: CompanyId::new(company).unwrap(),
    })
}

/// What a defect leaves of a record before an operation; `None` where it leaves it as it is.
pub(super) fn prepared(defect: Defect, op: &Op, before: &Row) -> Option<Row> {
    match (defect, op) {
        (Defect::BeginIgnoresAttempts, Op::Begin { attempt, .. })
            if before.attempt.as_ref().is_some_and(|it| it.id != attempt.id) =>
        {
            Some(Row { attempt: None, ..before.clone() })
        }
        (Defect::CommitOverwrites, Op::Commit { .. }) => {
            let mut row = before.clone();
            let attempt = row.attempt.as_mut()?;
            let Phase::Integrated { at, until, .. } = attempt.phase else { return None };
            attempt.phase = Phase::Posting { armed_at: at, posts: 1, quiet_until: until, until };
            Some(row)
        }
        _ => None,
    }
}

/// What a defect makes of a record after an operation that was done.
pub(super) fn edited(defect: Defect, op: &Op, before: &Row, after: &Row) -> Row {
    let mut row = after.clone();
    match (defect, op) {
        (Defect::ActivateKeepsAttempt, Op::Activate { .. })
            if before.attempt.is_some() && after.attempt.is_none() =>
        {
            row.attempt.clone_from(&before.attempt);
        }
        _ => {}
    }
    row
}

/// What a defect tells instead of what the model does.
pub(super) fn told(defect: Defect, outcome: PartnerOutcome<Sealed>) -> PartnerOutcome<Sealed> {
    let PartnerOutcome::News(mut news) = outcome else { return outcome };
    match defect {
        Defect::IdentityOfItsKind => news.store = StoreIdentity(1),
        Defect::PulseSkipsChanges => news.changes.retain(|it| !it.sequence.0.is_multiple_of(3)),
        Defect::PulseTellsFewer => {
            let beyond = news.changes.len().saturating_sub(1_000);
            news.changes.drain(..beyond);
        }
        _ => {}
    }
    PartnerOutcome::News(news)
}

/// Replaces the record of an outcome.
pub(super) fn showing(outcome: PartnerOutcome<Sealed>, row: &Row) -> PartnerOutcome<Sealed> {
    match outcome {
        PartnerOutcome::Done(_) => PartnerOutcome::Done(row.without_secrets()),
        outcome => outcome,
    }
}

fn folded(op: Op) -> Op {
    let fold = |key: IntegrationKey| {
        let company = CompanyId::new(&key.company.as_str().to_lowercase()).unwrap();
        IntegrationKey { company, ..key }
    };
    match op {
        Op::Activate { attempt, key, verified } => {
            Op::Activate { attempt, key: fold(key), verified }
        }
        Op::Arm { attempt, exchange, key, post, provisional, quiet } => {
            Op::Arm { attempt, exchange, key: fold(key), post, provisional, quiet }
        }
        Op::Begin { attempt, key } => Op::Begin { attempt, key: fold(key) },
        Op::Commit { attempt, confirm_within, generation, integrated, key } => {
            Op::Commit { attempt, confirm_within, generation, integrated, key: fold(key) }
        }
        Op::Load { key } => Op::Load { key: fold(key) },
        op => op,
    }
}
