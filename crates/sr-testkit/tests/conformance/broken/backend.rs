//! The model behind a lock, with one defect.

use std::collections::BTreeMap;
use std::future::pending;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use sr_auth_core::Timestamp;
use sr_auth_core::lifecycle::StoreFailure;
use sr_auth_core::store::{
    GrantKey, Health, Model, OwnerId, Refusals, Sequence, StoreAnswer, StoreIdentity, StoreOp,
    StoreOutcome,
};
use sr_auth_store::{Backend, BackendError, BackendFault, Durability, Sealed};

use super::defect::{Defect, edited, prepared, refuses, rewritten, showing, told};
use crate::fixture::{Breakable, Hand, Spy, identity};

/// A store that claims to be durable, and is unless its defect is that.
#[derive(Debug)]
pub(super) struct Broken {
    connections: AtomicUsize,
    defect: Option<Defect>,
    hand: Hand,
    /// What it has written without a seal.
    leaked: Mutex<Vec<u8>>,
    spy: Spy,
    state: Mutex<State>,
}

#[derive(Clone, Debug)]
struct State {
    /// Which connection wrote the intent of a process.
    armed_by: BTreeMap<OwnerId, usize>,
    changes: u64,
    /// The same without signs of life.
    lifeless: Model<Sealed>,
    model: Model<Sealed>,
    /// As it was before the last change.
    replica: Model<Sealed>,
}

impl State {
    fn new(identity: StoreIdentity) -> Self {
        let model = Model::new(identity);
        let (lifeless, replica) = (model.clone(), model.clone());
        Self { armed_by: BTreeMap::new(), changes: 0, lifeless, model, replica }
    }
}

impl Broken {
    pub(super) fn new(defect: Option<Defect>) -> Result<Self, BackendError> {
        let identity = identity();
        Ok(Self {
            connections: AtomicUsize::new(0),
            defect,
            hand: Hand::new(),
            leaked: Mutex::default(),
            spy: Spy::new()?,
            state: Mutex::new(State::new(identity)),
        })
    }

    fn has(&self, defect: Defect) -> bool {
        self.defect == Some(defect)
    }

    /// The operation as one step, with whatever the defect makes of it.
    fn step(
        &self,
        state: &mut State,
        connection: usize,
        op: StoreOp<Sealed>,
    ) -> StoreAnswer<Sealed> {
        let now = self.now(connection);
        let Some(defect) = self.defect else { return state.model.apply(now, op) };
        let key = op.key().cloned();
        let before = key.as_ref().and_then(|key| state.model.record(key)).cloned();
        let op = rewritten(defect, op, before.as_ref());
        let key = op.key().cloned();
        if defect == Defect::ForgetsLifeOnRestart {
            state.apply_lifeless(now, op.clone());
        }
        if let StoreOp::Arm { intent, .. } = &op {
            state.armed_by.insert(intent.id.owner, connection);
        }
        let is_read = matches!(op, StoreOp::Load { .. });
        if defect == Defect::ReadsStaleReplica && is_read && connection != 0 {
            return state.replica.apply(now, op);
        }
        if defect == Defect::ReadsStaleReplica && !is_read {
            state.replica = state.model.clone();
        }
        if let (Some(key), Some(row)) = (&key, &before) {
            if refuses(defect, &op, row) {
                return StoreAnswer { now, outcome: StoreOutcome::Moved(row.clone()) };
            }
            if let Some(row) = prepared(defect, &op, row) {
                state.model.put(key.clone(), row);
            }
        }
        let is_commit = matches!(op, StoreOp::Commit { .. });
        state.changes += u64::from(is_commit);
        if defect == Defect::AnswersBeforeDone && is_commit && state.changes.is_multiple_of(3) {
            return state.model.clone().apply(now, op);
        }
        let mut answer = state.model.apply(now, op.clone());
        if let (Some(key), Some(before)) = (key, before) {
            let after = state.model.record(&key).cloned().unwrap();
            let row = edited(defect, &op, &before, &after);
            if row != after {
                state.model.put(key, row.clone());
                answer.outcome = showing(answer.outcome, row);
            }
        }
        StoreAnswer { now, outcome: told(defect, answer.outcome) }
    }

    fn now(&self, connection: usize) -> Timestamp {
        let behind = if self.has(Defect::ClockOfEachConnection) { connection } else { 0 };
        let now = self.hand.now();
        now.before(Duration::from_millis(20 * u64::try_from(behind).unwrap()))
    }

    /// Writes the tokens of an operation down as they are.
    async fn leak(&self, op: &StoreOp<Sealed>) {
        let Some(key) = op.key().cloned() else { return };
        self.spy.backend.apply(op.clone()).await.unwrap();
        let Ok(answer) = self.spy.store.apply(StoreOp::Load { key }).await else { return };
        if let StoreOutcome::Loaded(record) = answer.outcome {
            let tokens = [record.access, record.refresh].into_iter().flatten();
            let mut leaked = self.leaked.lock().unwrap();
            leaked.extend(tokens.flat_map(|it| it.value.expose().as_bytes().to_vec()));
        }
    }
}

impl State {
    fn apply_lifeless(&mut self, now: Timestamp, op: StoreOp<Sealed>) {
        let lifeless = match op {
            StoreOp::Pulse { owner, since, .. } => StoreOp::Pulse { alive: false, owner, since },
            op => op,
        };
        self.lifeless.apply(now, lifeless);
    }
}

impl Breakable for Broken {
    fn connect(self: &Arc<Self>) -> Arc<dyn Backend> {
        let number = self.connections.fetch_add(1, Ordering::SeqCst);
        Arc::new(Connection { number, store: Arc::clone(self) })
    }

    fn hand(&self) -> &Hand {
        &self.hand
    }

    fn raw_bytes(&self) -> Vec<u8> {
        let dump = format!("{:?}", self.state.lock().unwrap().model);
        [dump.as_bytes(), &self.leaked.lock().unwrap()].concat()
    }

    fn restart(&self) {
        let mut state = self.state.lock().unwrap();
        match self.defect {
            Some(Defect::ForgetsLifeOnRestart) => state.model = state.lifeless.clone(),
            Some(Defect::ForgetsOnRestart) => {
                let look = StoreOp::Pulse {
                    alive: false,
                    owner: OwnerId::new(0),
                    since: Sequence(u64::MAX),
                };
                let StoreOutcome::Pulse(pulse) = state.model.apply(self.hand.now(), look).outcome
                else {
                    panic!("a pulse");
                };
                *state = State::new(pulse.store);
            }
            _ => {}
        }
    }
}

/// One connection to it.
#[derive(Debug)]
pub(super) struct Connection {
    number: usize,
    store: Arc<Broken>,
}

impl Connection {
    async fn two_writes(&self, op: &StoreOp<Sealed>) {
        let StoreOp::Bury { cause, generation, key, .. } = op else { return };
        let before = self.store.state.lock().unwrap().model.record(key).cloned();
        let Some(before) = before.filter(|it| it.generation == *generation) else { return };
        if !before.health.may_present() {
            return;
        }
        let mut half = before.clone();
        half.health = Health::Dead(*cause);
        self.store.state.lock().unwrap().model.put(key.clone(), half);
        tokio::task::yield_now().await;
        self.store.state.lock().unwrap().model.put(key.clone(), before);
    }
}

#[async_trait]
impl Backend for Connection {
    async fn apply(&self, op: StoreOp<Sealed>) -> Result<StoreAnswer<Sealed>, BackendError> {
        let store = &self.store;
        let is_rare = matches!(&op, StoreOp::Disarm { refusals, .. } if refusals.count > 1);
        match store.defect {
            Some(Defect::DropLeavesHalf) => self.two_writes(&op).await,
            Some(Defect::ErrsAtTimes) if is_rare => {
                return Err(BackendError::new(BackendFault::Busy, StoreFailure::NotDone));
            }
            Some(Defect::HangsAtTimes) if is_rare => return pending().await,
            Some(Defect::ReadsThenWrites) => {
                let mut copy = store.state.lock().unwrap().clone();
                tokio::task::yield_now().await;
                let answer = store.step(&mut copy, self.number, op);
                *store.state.lock().unwrap() = copy;
                return Ok(answer);
            }
            Some(Defect::RestUnsealed) => store.leak(&op).await,
            _ => {}
        }
        Ok(store.step(&mut store.state.lock().unwrap(), self.number, op))
    }

    fn durability(&self) -> Durability {
        Durability::Durable
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        if !self.store.has(Defect::IntentFreedByClosing) {
            return;
        }
        let mut state = self.store.state.lock().unwrap();
        let key = GrantKey::new("planner/acme").unwrap();
        let intent = state.model.record(&key).and_then(|it| it.intent.clone()).map(|it| it.id);
        let Some(intent) = intent else { return };
        if state.armed_by.get(&intent.owner) == Some(&self.number) {
            let (not_before, refusals) = (Timestamp::EPOCH, Refusals::default());
            let op = StoreOp::Disarm { intent, key, not_before, refusals };
            state.model.apply(self.store.hand.now(), op);
        }
    }
}
