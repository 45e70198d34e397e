//! The store of integrations of a run: the model, and one way in which it is broken.

use std::time::Duration;

use sr_auth_core::store::{Generation, StoreIdentity};
use sr_auth_core::{Secret, Timestamp};
use sr_partner::IntegrationKey;
use sr_partner::store::{
    Attempt, DisableEffect, EndCause, IntegrationRecord, IssuedToken, NewAttempt, PartnerAnswer,
    PartnerModel, PartnerOp, PartnerOutcome, Phase, Verified,
};

type Op = PartnerOp<Secret>;

/// A rule of the store of integrations that is broken.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum PartnerDefect {
    /// An announcement is acknowledged, and not written.
    ArmForgets,
    /// What SmartRecruiters answered is acknowledged, and not written.
    CommitForgets,
    /// What SmartRecruiters answered is live at once, verified by nobody.
    CommitBinds,
    /// A consent takes a company from whoever has it.
    BeginOverAnyTenant,
    /// A consent that was used can be used again.
    BeginTakesTwice,
    /// A notification ends what is live, whoever signed it.
    DisableEndsTheNewest,
    /// A notification is acknowledged, and ends nothing.
    DisableForgets,
    /// Clients of integrations that have ended get tokens still.
    EndKeepsClients,
    /// Tokens of integrations that have ended are current still.
    EndKeepsTokens,
    /// A token is handed out before it is kept.
    IssueForgets,
    /// Credentials that SmartRecruiters may never have got are good for ever.
    ProvisionalForEver,
}

impl PartnerDefect {
    /// All of them.
    pub const ALL: [Self; 11] = [
        Self::ArmForgets,
        Self::CommitForgets,
        Self::CommitBinds,
        Self::BeginOverAnyTenant,
        Self::BeginTakesTwice,
        Self::DisableEndsTheNewest,
        Self::DisableForgets,
        Self::EndKeepsClients,
        Self::EndKeepsTokens,
        Self::IssueForgets,
        Self::ProvisionalForEver,
    ];
}

/// The store of a run.
#[derive(Debug)]
pub(super) struct Storage {
    defect: Option<PartnerDefect>,
    /// The same store without any end.
    endless: PartnerModel<Secret>,
    model: PartnerModel<Secret>,
}

impl Storage {
    pub(super) fn new(defect: Option<PartnerDefect>) -> Self {
        let model = PartnerModel::new(StoreIdentity(1));
        Self { defect, endless: model.clone(), model }
    }

    pub(super) fn record(&self, key: &IntegrationKey) -> Option<&IntegrationRecord<Secret>> {
        self.model.record(key)
    }

    /// Carries out an operation at `now`, by the store's clock.
    pub(super) fn apply(&mut self, now: Timestamp, op: Op) -> PartnerAnswer<Secret> {
        let Some(defect) = self.defect else { return self.model.apply(now, op) };
        let ends = matches!(op, Op::Disable { .. } | Op::End { .. } | Op::EndAll { .. });
        let endless = (!ends).then(|| self.endless.apply(now, op.clone()));
        match (defect, op) {
            (PartnerDefect::ArmForgets, op @ Op::Arm { .. })
            | (PartnerDefect::CommitForgets, op @ Op::Commit { .. })
            | (PartnerDefect::DisableForgets, op @ Op::Disable { .. })
            | (PartnerDefect::IssueForgets, op @ Op::Issue { .. }) => {
                self.model.clone().apply(now, op)
            }
            (PartnerDefect::CommitBinds, op @ Op::Commit { .. }) => self.commit_binds(now, op),
            (PartnerDefect::BeginOverAnyTenant, Op::Begin { attempt, key }) => {
                let bound = self.model.record(&key).and_then(|it| it.binding.as_ref());
                let rebind = bound.map(|it| it.tenant.clone());
                let attempt = NewAttempt { rebind, ..attempt };
                self.model.apply(now, Op::Begin { attempt, key })
            }
            (PartnerDefect::BeginTakesTwice, Op::Begin { attempt, key }) => {
                self.begin_twice(&key, &attempt);
                self.model.apply(now, Op::Begin { attempt, key })
            }
            (PartnerDefect::DisableEndsTheNewest, op @ Op::Disable { .. }) => {
                let answer = self.model.apply(now, op);
                self.end_the_newest(now, &answer);
                answer
            }
            (
                PartnerDefect::EndKeepsClients,
                op @ (Op::FindClient { .. } | Op::Issue { .. } | Op::Identify { .. }),
            )
            | (PartnerDefect::EndKeepsTokens, op @ Op::Identify { .. }) => {
                let answer = self.model.apply(now, op);
                endless.unwrap_or(answer)
            }
            (
                PartnerDefect::ProvisionalForEver,
                Op::Arm { attempt, exchange, key, post, quiet, .. },
            ) => {
                let provisional = Duration::from_secs(1 << 40);
                let op = Op::Arm { attempt, exchange, key, post, provisional, quiet };
                self.model.apply(now, op)
            }
            (_, op) => self.model.apply(now, op),
        }
    }

    fn commit_binds(&mut self, now: Timestamp, op: Op) -> PartnerAnswer<Secret> {
        let answer = self.model.apply(now, op.clone());
        if let Op::Commit { attempt, key, .. } = op {
            let verified = Verified::ByOwner;
            self.model.apply(now, Op::Activate { attempt, key, verified });
        }
        answer
    }

    /// Lets another run take over an attempt that stands.
    fn begin_twice(&mut self, key: &IntegrationKey, new: &NewAttempt) {
        let Some(record) = self.model.record(key).cloned() else { return };
        let of_another =
            |it: &Attempt<Secret>| it.id == new.id && matches!(it.phase, Phase::Posting { .. });
        if record.attempt.as_ref().is_some_and(of_another) {
            let mut open = record;
            if let Some(attempt) = &mut open.attempt {
                attempt.exchange = new.exchange;
                attempt.outbound.clone_from(&new.outbound);
            }
            self.model.put(key.clone(), open);
        }
    }

    fn end_the_newest(&mut self, now: Timestamp, answer: &PartnerAnswer<Secret>) {
        let PartnerOutcome::Disabled { effect, principal } = &answer.outcome else { return };
        if *effect == DisableEffect::Ended {
            return;
        }
        let (cause, generation) = (EndCause::Disabled, None);
        self.model.apply(now, Op::End { cause, generation, key: principal.key.clone() });
    }

    /// Returns the tokens that are kept.
    pub(super) fn tokens(&self) -> Vec<IssuedToken> {
        self.model.tokens()
    }

    /// Returns the newest generation of a company.
    pub(super) fn generation(&self, key: &IntegrationKey) -> Generation {
        self.record(key).map(|it| it.generation).unwrap_or_default()
    }
}
