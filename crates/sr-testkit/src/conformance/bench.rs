//! The bench on which a store is tried: each operation goes to the store and to the model.

use std::collections::BTreeMap;
use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use sr_auth_core::Timestamp;
use sr_auth_core::store::StoreIdentity;
use sr_auth_store::{Backend, Durability};
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::kind::{Answer, Grants, Kind};
use super::report::Violation;
use super::rule::Rule;
use super::subject::{Subject, TrialError};

/// How often the clock of a store is looked at while it has to move on.
const LOOK: Duration = Duration::from_millis(5);

/// Why a scene does not go on.
#[derive(Debug)]
pub(super) enum Stop {
    /// The author's own code failed.
    Trial(TrialError),
    /// A rule is broken; what follows would only repeat it.
    Violation(Violation),
}

impl From<TrialError> for Stop {
    fn from(error: TrialError) -> Self {
        Self::Trial(error)
    }
}

pub(super) type Step<T> = Result<T, Stop>;

/// A store with its connections, and the model of it.
#[derive(Debug)]
pub(super) struct Bench<S, K: Kind = Grants> {
    connections: Vec<Arc<dyn Backend>>,
    identity: StoreIdentity,
    model: K::Model,
    now: Timestamp,
    patience: Duration,
    /// The rule that the present part of the scene is about, whatever differs.
    rule: Option<Rule>,
    scene: &'static str,
    seen: BTreeMap<(&'static str, &'static str), u64>,
    subject: S,
    /// The states in which each record was before.
    was: BTreeMap<K::Key, Vec<K::Record>>,
}

impl<S: Subject, K: Kind> Bench<S, K> {
    /// Opens `count` connections to a store that has to be empty.
    pub(super) async fn open(
        subject: S,
        scene: &'static str,
        count: usize,
        patience: Duration,
    ) -> Step<Self> {
        let mut bench = Self {
            connections: Vec::new(),
            identity: StoreIdentity::default(),
            model: K::model(StoreIdentity::default()),
            now: Timestamp::EPOCH,
            patience,
            rule: None,
            scene,
            seen: BTreeMap::new(),
            subject,
            was: BTreeMap::new(),
        };
        for _ in 0..count {
            bench.connections.push(bench.subject.connect().await?);
        }
        let answer = bench.ask(0, &K::look()).await?;
        if let Some((identity, _)) = K::seen(&answer.outcome) {
            bench.identity = identity;
            bench.model = K::model(identity);
        }
        bench.compare(&K::look(), answer)?;
        Ok(bench)
    }

    pub(super) const fn model(&self) -> &K::Model {
        &self.model
    }

    /// The store's clock at the last answer.
    pub(super) const fn now(&self) -> Timestamp {
        self.now
    }

    pub(super) const fn subject(&self) -> &S {
        &self.subject
    }

    pub(super) fn connection(&self, connection: usize) -> Arc<dyn Backend> {
        let index = connection % self.connections.len();
        Arc::clone(self.connections.get(index).expect("a bench opens at least one connection"))
    }

    /// Whether the backend promises to keep what it answered.
    pub(super) fn is_durable(&self) -> bool {
        self.connection(0).durability() == Durability::Durable
    }

    /// Has whatever differs from now on count as a breach of one rule.
    pub(super) const fn about(&mut self, rule: Rule) {
        self.rule = Some(rule);
    }

    /// Which store it is.
    pub(super) const fn identity(&self) -> StoreIdentity {
        self.identity
    }

    /// Whether time can be moved instead of waited for.
    pub(super) fn can_move_clock(&self) -> bool {
        self.subject.advance(Duration::ZERO)
    }

    /// How often each operation had each outcome.
    pub(super) const fn seen(&self) -> &BTreeMap<(&'static str, &'static str), u64> {
        &self.seen
    }

    /// Carries out an operation and compares its answer with the model's.
    pub(super) async fn apply(&mut self, connection: usize, op: K::Op) -> Step<K::Outcome> {
        let answer = self.ask(connection, &op).await?;
        self.compare(&op, answer)
    }

    /// Carries out an operation as if its first answer had been lost: on another connection.
    pub(super) async fn repeat(&mut self, connection: usize, op: K::Op) -> Step<K::Outcome> {
        let before = self.rule;
        self.rule = before.or(Some(Rule::RepeatChangesNothing));
        let outcome = self.apply(connection, op).await?;
        self.rule = before;
        Ok(outcome)
    }

    /// Carries out an operation, and waits for the answer no longer than patience allows.
    pub(super) async fn ask(&self, connection: usize, op: &K::Op) -> Step<Answer<K>> {
        let backend = self.connection(connection);
        match timeout(self.patience, K::ask(&*backend, op.clone())).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(error)) => Err(self.broken(Rule::Answers, op, format!("{error}: {error:?}"))),
            Err(_late) => {
                let saw = format!("no answer within {:?}", self.patience);
                Err(self.broken(Rule::Answers, op, saw))
            }
        }
    }

    /// Has operations carried out at once, on all connections; nothing is compared yet.
    pub(super) async fn ask_at_once(&self, ops: Vec<K::Op>) -> Step<Vec<(K::Op, Answer<K>)>> {
        let mut tasks = JoinSet::new();
        for (number, op) in ops.into_iter().enumerate() {
            let backend = self.connection(number);
            tasks.spawn(async move { (op.clone(), K::ask(&*backend, op).await) });
        }
        let mut answers = Vec::new();
        for (op, answer) in tasks.join_all().await {
            let answer = answer.map_err(|error| self.broken(Rule::Answers, &op, error.to_string()));
            answers.push((op, answer?));
        }
        Ok(answers)
    }

    /// Compares an answer with the model's, which is moved on.
    pub(super) fn compare(&mut self, op: &K::Op, answer: Answer<K>) -> Step<K::Outcome> {
        if answer.now < self.now {
            let saw = format!("{:?} after {:?}", answer.now, self.now);
            return Err(self.broken(Rule::OneClock, op, saw));
        }
        self.compare_unordered(op, answer)
    }

    /// The same for operations that ran at once, so that their moments have no order.
    pub(super) fn compare_unordered(&mut self, op: &K::Op, answer: Answer<K>) -> Step<K::Outcome> {
        self.now = self.now.max(answer.now);
        let key = K::key(op);
        let before = key.and_then(|key| K::record(&self.model, key));
        let expected = K::apply(&mut self.model, answer.now, op.clone());
        let was = key.and_then(|key| self.was.get(key)).map_or(&[][..], Vec::as_slice);
        if let Some((rule, saw)) = K::judge(op, was, &expected, &answer.outcome) {
            // A store that has forgotten the first cannot be blamed for how it takes the second.
            let forgot = rule == Rule::AnsweredIsDone;
            let about = self.rule.filter(|it| !forgot || *it != Rule::RepeatChangesNothing);
            return Err(self.broken(about.unwrap_or(rule), op, saw));
        }
        if let (Some(key), Some(before)) = (key, before)
            && K::record(&self.model, key).as_ref() != Some(&before)
        {
            self.was.entry(key.clone()).or_default().push(before);
        }
        *self.seen.entry((K::op_name(op), K::outcome_name(&answer.outcome))).or_default() += 1;
        Ok(answer.outcome)
    }

    /// The same for an operation that may have been carried out once before, at a moment that only
    /// its traces tell: in what was answered, or in what was `read` afterwards.
    pub(super) fn compare_perhaps_done_before(
        &mut self,
        op: &K::Op,
        answer: Answer<K>,
        read: &K::Outcome,
    ) -> Step<K::Outcome> {
        let possible = self.now..=answer.now;
        let traces = [&answer.outcome, read].into_iter().flat_map(K::traces);
        for moment in traces.filter(|it| possible.contains(it)) {
            let mut done_before = self.model.clone();
            K::apply(&mut done_before, moment, op.clone());
            let expected = K::apply(&mut done_before.clone(), answer.now, op.clone());
            if expected == answer.outcome {
                self.model = done_before;
                break;
            }
        }
        self.compare(op, answer)
    }

    /// Waits until the store's clock has moved on by `span`.
    pub(super) async fn wait(&mut self, span: Duration) -> Step<()> {
        // Answers are rounded to milliseconds.
        let span = span + Duration::from_millis(1);
        let until = self.now.after(span);
        let moved = self.subject.advance(span);
        let (look, limit) = (K::nothing(), self.patience.saturating_add(span));
        let mut waited = Duration::ZERO;
        loop {
            self.apply(0, look.clone()).await?;
            if self.now >= until {
                return Ok(());
            }
            if moved || waited >= limit {
                let saw = format!("{:?} when it should be {until:?}", self.now);
                return Err(self.broken(Rule::OneClock, &look, saw));
            }
            let _elapsed = timeout(LOOK, pending::<()>()).await;
            waited += LOOK;
        }
    }

    /// Closes one connection and opens another in its place.
    pub(super) async fn reconnect(&mut self, connection: usize) -> Step<()> {
        let index = connection % self.connections.len();
        drop(self.connections.remove(index));
        let backend = self.subject.connect().await?;
        self.connections.insert(index, backend);
        Ok(())
    }

    /// Brings the store down and up again.
    pub(super) async fn restart(&mut self) -> Step<()> {
        let count = self.connections.len();
        self.connections.clear();
        let mut outcome = self.subject.restart().await;
        for _ in 0..count {
            let Ok(()) = outcome else { break };
            outcome = self.subject.connect().await.map(|backend| self.connections.push(backend));
        }
        outcome.map_err(|error| {
            let saw = format!("it does not come up again: {error}");
            Stop::Violation(Violation::new(Rule::Durable, self.scene, saw))
        })
    }

    /// Compares everything that can be read, on every connection.
    pub(super) async fn audit(&mut self, keys: &[K::Key]) -> Step<()> {
        for connection in 0..self.connections.len() {
            for read in K::reads(keys) {
                self.apply(connection, read).await?;
            }
        }
        Ok(())
    }

    /// The same after a restart.
    pub(super) async fn audit_after_restart(&mut self, keys: &[K::Key]) -> Step<()> {
        let before = self.rule.replace(Rule::Durable);
        self.audit(keys).await?;
        self.rule = before;
        Ok(())
    }

    pub(super) fn broken(&self, rule: Rule, op: &K::Op, saw: String) -> Stop {
        let saw = format!("{}: {saw}", K::op_name(op));
        Stop::Violation(Violation::new(rule, self.scene, saw))
    }
}
