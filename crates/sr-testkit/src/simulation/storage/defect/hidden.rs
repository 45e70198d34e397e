//! A store whose generation stands still where the model's moves on.

use std::collections::BTreeMap;

use sr_auth_core::Secret;
use sr_auth_core::store::{Generation, GrantKey, Record, StoreAnswer, StoreOp, StoreOutcome};

/// By how much the generation that is shown lags behind the model's, for each grant.
#[derive(Clone, Debug, Default)]
pub(super) struct Hidden(BTreeMap<GrantKey, u64>);

impl Hidden {
    /// Has the generation of a grant stand still where it has just moved on.
    pub(super) fn one_more(&mut self, key: &GrantKey) {
        *self.0.entry(key.clone()).or_default() += 1;
    }

    /// Translates the generation of an operation from what is shown to what the model has.
    pub(super) fn hide(&self, op: StoreOp<Secret>) -> StoreOp<Secret> {
        let hidden = op.key().map_or(0, |key| self.of(key));
        let more = |it: Generation| Generation::from_number(it.number().saturating_add(hidden));
        match op {
            StoreOp::Arm { generation, intent, key, over } => {
                StoreOp::Arm { generation: more(generation), intent, key, over }
            }
            StoreOp::Bury { cause, generation, key, owner, refused } => {
                StoreOp::Bury { cause, generation: more(generation), key, owner, refused }
            }
            StoreOp::Commit { generation, key, owner, successor } => {
                StoreOp::Commit { generation: more(generation), key, owner, successor }
            }
            StoreOp::End { end, generation, key } => {
                StoreOp::End { end, generation: generation.map(more), key }
            }
            op @ (StoreOp::Adopt { .. }
            | StoreOp::Disarm { .. }
            | StoreOp::Due { .. }
            | StoreOp::Escrow { .. }
            | StoreOp::Load { .. }
            | StoreOp::Pulse { .. }) => op,
        }
    }

    /// Translates an answer from what the model has to what is shown.
    pub(super) fn show(
        &self,
        key: Option<&GrantKey>,
        answer: StoreAnswer<Secret>,
    ) -> StoreAnswer<Secret> {
        let shown = |record| match key {
            Some(key) => self.shown(key, record),
            None => record,
        };
        let outcome = match answer.outcome {
            StoreOutcome::Armed(record) => StoreOutcome::Armed(shown(record)),
            StoreOutcome::Busy { record, until } => {
                StoreOutcome::Busy { record: shown(record), until }
            }
            StoreOutcome::Done(record) => StoreOutcome::Done(shown(record)),
            StoreOutcome::Ended(record) => StoreOutcome::Ended(shown(record)),
            StoreOutcome::Loaded(record) => StoreOutcome::Loaded(shown(record)),
            StoreOutcome::Moved(record) => StoreOutcome::Moved(shown(record)),
            StoreOutcome::NotDue { record, until } => {
                StoreOutcome::NotDue { record: shown(record), until }
            }
            StoreOutcome::Pulse(mut pulse) => {
                for change in &mut pulse.changes {
                    change.generation = self.less(&change.key, change.generation);
                }
                StoreOutcome::Pulse(pulse)
            }
            outcome @ (StoreOutcome::Due(_) | StoreOutcome::Missing) => outcome,
        };
        StoreAnswer { now: answer.now, outcome }
    }

    /// Returns a record as it is shown.
    pub(super) fn shown(&self, key: &GrantKey, record: Record<Secret>) -> Record<Secret> {
        Record { generation: self.less(key, record.generation), ..record }
    }

    /// Returns a generation of the model as it is shown.
    pub(super) fn less(&self, key: &GrantKey, generation: Generation) -> Generation {
        Generation::from_number(generation.number().saturating_sub(self.of(key)))
    }

    fn of(&self, key: &GrantKey) -> u64 {
        self.0.get(key).copied().unwrap_or(0)
    }
}
