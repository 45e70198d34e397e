//! What a store is asked: operations on grants, or on integrations. The suite is the same for both.

use std::fmt::Debug;
use std::future::Future;

use sr_auth_core::Timestamp;
use sr_auth_core::store::{
    GrantKey, Model, Record, Sequence, StoreAnswer, StoreIdentity, StoreOp, StoreOutcome,
};
use sr_auth_store::{Backend, BackendError, Sealed};

use super::judge::{self, Finding};
use super::values::{key, owner};

/// One of the two kinds of operations, with the model that says what they mean.
pub(super) trait Kind: Debug + Sized + 'static {
    /// What a record rests under.
    type Key: Clone + Debug + Ord + Send + Sync;
    /// What the operations mean.
    type Model: Clone + Debug + Send + Sync;
    /// An operation.
    type Op: Clone + Debug + Send + Sync;
    /// What came of it.
    type Outcome: Clone + Debug + PartialEq + Send + Sync;
    /// What is kept under a key.
    type Record: Clone + Debug + PartialEq + Send + Sync;

    /// Has a backend carry out an operation; the moment is that of the answer.
    fn ask(
        backend: &dyn Backend,
        op: Self::Op,
    ) -> impl Future<Output = Result<Answer<Self>, BackendError>> + Send;

    /// Makes the model of an empty store.
    fn model(identity: StoreIdentity) -> Self::Model;

    /// Moves the model on.
    fn apply(model: &mut Self::Model, now: Timestamp, op: Self::Op) -> Self::Outcome;

    /// Compares an answer with the model's; `was` are the states in which the record was before.
    fn judge(
        op: &Self::Op,
        was: &[Self::Record],
        expected: &Self::Outcome,
        got: &Self::Outcome,
    ) -> Option<Finding>;

    /// The record that an operation is about.
    fn key(op: &Self::Op) -> Option<&Self::Key>;

    /// What the model keeps under a key.
    fn record(model: &Self::Model, key: &Self::Key) -> Option<Self::Record>;

    /// A look at what has changed since a moment that every store knows: it names the store.
    fn look() -> Self::Op;

    /// What a look says: which store it is, and the newest change.
    fn seen(outcome: &Self::Outcome) -> Option<(StoreIdentity, Sequence)>;

    /// An operation that does nothing but tell the time.
    fn nothing() -> Self::Op;

    /// What can be read of these records, and of all.
    fn reads(keys: &[Self::Key]) -> Vec<Self::Op>;

    /// The moments that an outcome shows: when something that it tells of may have been done.
    fn traces(outcome: &Self::Outcome) -> Vec<Timestamp>;

    /// The name of an operation.
    fn op_name(op: &Self::Op) -> &'static str;

    /// The name of an outcome.
    fn outcome_name(outcome: &Self::Outcome) -> &'static str;
}

/// What a store answers, and the time by its clock.
#[derive(Clone, Debug)]
pub(super) struct Answer<K: Kind> {
    pub(super) now: Timestamp,
    pub(super) outcome: K::Outcome,
}

/// Operations on grants.
#[derive(Clone, Copy, Debug)]
pub(super) struct Grants;

impl Kind for Grants {
    type Key = GrantKey;
    type Model = Model<Sealed>;
    type Op = StoreOp<Sealed>;
    type Outcome = StoreOutcome<Sealed>;
    type Record = Record<Sealed>;

    async fn ask(backend: &dyn Backend, op: Self::Op) -> Result<Answer<Self>, BackendError> {
        let StoreAnswer { now, outcome } = backend.apply(op).await?;
        Ok(Answer { now, outcome })
    }

    fn model(identity: StoreIdentity) -> Self::Model {
        Model::new(identity)
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

    fn key(op: &Self::Op) -> Option<&GrantKey> {
        op.key()
    }

    fn record(model: &Self::Model, key: &GrantKey) -> Option<Self::Record> {
        model.record(key).cloned()
    }

    fn look() -> Self::Op {
        // It tells everything and shows no life.
        StoreOp::Pulse { alive: false, owner: owner(0), since: Sequence(0) }
    }

    fn seen(outcome: &Self::Outcome) -> Option<(StoreIdentity, Sequence)> {
        if let StoreOutcome::Pulse(pulse) = outcome {
            Some((pulse.store, pulse.sequence))
        } else {
            None
        }
    }

    fn nothing() -> Self::Op {
        StoreOp::Load { key: key("what is the time") }
    }

    fn reads(keys: &[GrantKey]) -> Vec<Self::Op> {
        let due = StoreOp::Due { limit: usize::MAX, until: Timestamp::MAX };
        let loads = keys.iter().map(|key| StoreOp::Load { key: key.clone() });
        loads.chain([due, Self::look()]).collect()
    }

    fn traces(outcome: &Self::Outcome) -> Vec<Timestamp> {
        let record = judge::of(outcome);
        let armed_at = record.and_then(|it| it.intent.as_ref()).map(|it| it.armed_at);
        let noted_at = record.and_then(|it| it.ledger.last()).map(|it| it.at);
        [armed_at, noted_at].into_iter().flatten().collect()
    }

    fn op_name(op: &Self::Op) -> &'static str {
        op.name()
    }

    fn outcome_name(outcome: &Self::Outcome) -> &'static str {
        outcome.name()
    }
}
