//! The store of a stage: operations meet their fates, at once or later.

use sr_auth_core::Secret;
use sr_auth_core::lifecycle::{Input, StoreFailure, StoreOpId};
use sr_auth_core::store::{StoreAnswer, StoreOp, StoreOutcome};

use crate::chaos::Fate;
use crate::stage::{Judged, Stage, key};

/// An operation that was asked for and not answered.
#[derive(Debug)]
pub(crate) struct Operation {
    pub(crate) answer: Option<StoreAnswer<Secret>>,
    pub(crate) id: StoreOpId,
    pub(crate) op: StoreOp<Secret>,
}

impl Stage {
    pub(crate) fn operation(&mut self, pick: u8, fate: Fate) -> Judged {
        if self.operations.is_empty() {
            return Ok(());
        }
        let operation = self.operations.remove(usize::from(pick) % self.operations.len());
        for input in self.meet(operation, fate) {
            self.handle(input)?;
        }
        Ok(())
    }

    /// Lets an operation meet its fate; returns what the lifecycle is told of it.
    pub(crate) fn meet(&mut self, operation: Operation, fate: Fate) -> Vec<Input> {
        let Operation { answer, id, op } = operation;
        let stored = |result| Input::Stored { id, result };
        // A consent that were carried out late would take the place of what came since: no store
        // can tell it from a new one.
        let is_late = matches!(op, StoreOp::Adopt { only_if_missing: false, .. })
            && matches!(fate, Fate::Kept | Fate::Lost);
        let fate = if is_late { Fate::Refused } else { fate };
        match (fate, answer) {
            (Fate::Kept, answer) => {
                self.operations.push(Operation { answer, id, op });
                Vec::new()
            }
            (Fate::CarriedOut, None) => {
                let answer = Some(self.apply(op.clone()));
                self.operations.push(Operation { answer, id, op });
                Vec::new()
            }
            (Fate::Refused, None) => vec![stored(Err(StoreFailure::NotDone))],
            (Fate::Lost, None) => {
                self.zombies.push(op);
                vec![stored(Err(StoreFailure::OutcomeUnknown))]
            }
            (Fate::Lost | Fate::Refused | Fate::Unseen, answer) => {
                answer.unwrap_or_else(|| self.apply(op));
                vec![stored(Err(StoreFailure::OutcomeUnknown))]
            }
            (Fate::Answered | Fate::CarriedOut | Fate::Twice, answer) => {
                let answer = answer.unwrap_or_else(|| self.apply(op));
                if let StoreOutcome::Armed(record) = &answer.outcome {
                    self.truth.arm(record);
                }
                self.answered = Some((id, answer.clone()));
                let times = if matches!(fate, Fate::Twice) { 2 } else { 1 };
                (0..times).map(|_| stored(Ok(answer.clone()))).collect()
            }
        }
    }

    /// Carries an operation out.
    pub(crate) fn apply(&mut self, op: StoreOp<Secret>) -> StoreAnswer<Secret> {
        let interrupts = matches!(op, StoreOp::Adopt { .. } | StoreOp::End { .. });
        let before = self.store.record(&key()).map(|it| it.generation);
        let answer = self.store.apply(self.clock, op);
        if let Some(record) = self.store.record(&key()) {
            let moved = before != Some(record.generation);
            self.truth.see(record, interrupts && moved);
        }
        answer
    }

    /// Loses everything since the last backup, or everything.
    pub(crate) fn restore(&mut self) {
        self.store = self.backup.clone();
        self.truth.forget();
        if let Some(record) = self.store.record(&key()) {
            self.truth.see(record, false);
        }
    }
}
