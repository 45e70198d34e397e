//! The store of a run: the model of the core, and what befalls a real one.

mod defect;
mod row;

pub(crate) use defect::Defective;
pub use defect::StoreDefect;
pub(super) use row::{Deed, Row};

use std::collections::BTreeMap;
use std::time::Duration;

use sr_auth_core::store::{
    GrantKey, Model, OwnerId, Record, StoreAnswer, StoreIdentity, StoreOp, StoreOutcome,
};
use sr_auth_core::{Secret, Timestamp};

use super::choices::{Choices, Rate};

/// The store, with one more: the backup that may come back.
#[derive(Debug)]
pub(super) struct Storage {
    backup: Option<Model<Secret>>,
    identity: StoreIdentity,
    /// How long a replica may lag behind; no replica answers without it.
    lag: Option<Duration>,
    model: Defective,
    /// Records as they were before their last change, and until when a replica may still show them.
    replica: BTreeMap<GrantKey, (Timestamp, Record<Secret>)>,
}

/// An operation that was carried out, as a judge sees it.
#[derive(Debug)]
pub(super) struct Applied {
    /// The row after it; `None` without a row, and for operations on none.
    pub(super) after: Option<Row>,
    /// What the process is told.
    pub(super) answer: StoreAnswer<Secret>,
    /// The row before it.
    pub(super) before: Option<Row>,
    /// What was done.
    pub(super) deed: Deed,
}

/// How an operation fares on its way to the store and back.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct StoreFate {
    /// How long the answer takes back.
    pub(super) back: Duration,
    /// How long the operation takes there.
    pub(super) forth: Duration,
    /// What becomes of it.
    pub(super) way: StoreWay,
}

/// What becomes of an operation.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum StoreWay {
    /// It is carried out and answered.
    Done,
    /// It is carried out, and the answer is lost.
    AnswerLost,
    /// It is carried out long after everybody has given up, and nobody is told.
    CarriedOutLate,
    /// It is lost on its way, and nobody knows.
    Lost,
    /// The store refuses it, and says so.
    Refused,
    /// It is a `Load`, and a replica that lags behind answers it.
    Stale,
}

impl StoreWay {
    /// All of them.
    pub(super) const ALL: [Self; 6] = [
        Self::Done,
        Self::AnswerLost,
        Self::CarriedOutLate,
        Self::Lost,
        Self::Refused,
        Self::Stale,
    ];
}

/// How often the store fails, and how slow it is.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct StoreWeather {
    pub(super) answer_lost: Rate,
    pub(super) carried_out_late: Rate,
    pub(super) lost: Rate,
    pub(super) refused: Rate,
    /// The longest way there, or back.
    pub(super) slowness: Duration,
    pub(super) stale: Rate,
}

impl StoreWeather {
    /// Decides how an operation fares.
    pub(super) fn fate(&self, choices: &mut Choices) -> StoreFate {
        let way = choices.among(
            StoreWay::Done,
            &[
                (self.answer_lost, StoreWay::AnswerLost),
                (self.carried_out_late, StoreWay::CarriedOutLate),
                (self.lost, StoreWay::Lost),
                (self.refused, StoreWay::Refused),
                (self.stale, StoreWay::Stale),
            ],
        );
        let [forth, back] = [choices.span(self.slowness), choices.span(self.slowness)];
        // Not in the same instant: an effect comes after its cause.
        let instant = Duration::from_millis(1);
        StoreFate { back: back + instant, forth: forth + instant, way }
    }
}

impl Storage {
    pub(super) fn new(identity: StoreIdentity, defect: Option<StoreDefect>) -> Self {
        let model = Defective::new(Model::new(identity), defect);
        Self { backup: None, identity, lag: None, model, replica: BTreeMap::new() }
    }

    /// Has replicas lag behind by up to `lag`.
    pub(super) const fn set_lag(&mut self, lag: Duration) {
        self.lag = Some(lag);
    }

    /// Carries out an operation at `now`, by the store's clock.
    pub(super) fn apply(&mut self, now: Timestamp, op: StoreOp<Secret>) -> Applied {
        let deed = Deed::of(&op);
        let Some(key) = op.key().cloned() else {
            let answer = self.model.apply(now, op);
            return Applied { after: None, answer, before: None, deed };
        };
        let before = self.model.row(&key);
        let lag = self.lag.filter(|_| deed.moves_tokens());
        if let Some((lag, old)) = lag.and_then(|lag| Some((lag, self.model.record(&key)?))) {
            self.replica.insert(key.clone(), (now.after(lag), old));
        }
        let answer = self.model.apply(now, op);
        Applied { after: self.model.row(&key), answer, before, deed }
    }

    /// Reads a record as a replica shows it; `None` when that is up to date.
    pub(super) fn load_stale(&self, now: Timestamp, key: &GrantKey) -> Option<StoreAnswer<Secret>> {
        let (until, record) = self.replica.get(key)?;
        let outcome = StoreOutcome::Loaded(record.clone());
        (now < *until).then_some(StoreAnswer { now, outcome })
    }

    /// Returns the row of a grant.
    pub(super) fn row(&self, key: &GrantKey) -> Option<Row> {
        self.model.row(key)
    }

    /// Takes a backup, instead of an earlier one; that `of_nothing` is from before the first grant.
    pub(super) fn back_up(&mut self, of_nothing: bool) {
        let nothing = of_nothing.then(|| Model::new(self.identity));
        self.backup = Some(nothing.unwrap_or_else(|| self.model.model().clone()));
    }

    /// Puts the backup back, if there is one; tells whether there was.
    pub(super) fn restore(&mut self) -> bool {
        let Some(backup) = self.backup.take() else { return false };
        self.model.replace(backup);
        self.replica.clear();
        true
    }

    /// Is told that a process has died. A store does not care; one with locks would.
    pub(super) fn owner_died(&mut self, now: Timestamp, owner: OwnerId) {
        self.model.owner_died(now, owner);
    }
}

#[cfg(test)]
mod tests;
