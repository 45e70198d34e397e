//! The model behind a lock, with one defect.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use sr_auth_core::Timestamp;
use sr_auth_core::lifecycle::StoreFailure;
use sr_auth_core::store::{StoreAnswer, StoreIdentity, StoreOp};
use sr_auth_store::{Backend, BackendError, BackendFault, Durability, Sealed};
use sr_partner::IntegrationKey;
use sr_partner::store::{EndCause, PartnerAnswer, PartnerModel, PartnerOp, PartnerOutcome, Phase};

use super::defect::{Defect, companies, edited, prepared, rewritten, showing, told};
use crate::fixture::{Breakable, Hand, Spy, identity};

type Model = PartnerModel<Sealed>;
type Op = PartnerOp<Sealed>;

/// A store that claims to be durable, and is unless its defect is that.
#[derive(Debug)]
pub(super) struct Broken {
    connections: AtomicUsize,
    defect: Option<Defect>,
    hand: Hand,
    identity: StoreIdentity,
    /// What it has written without a seal.
    leaked: Mutex<Vec<u8>>,
    spy: Spy,
    state: Mutex<State>,
}

#[derive(Clone, Debug)]
struct State {
    changes: u64,
    model: Model,
    /// As it was before the last change.
    replica: Model,
    /// Without any token.
    tokenless: Model,
}

impl State {
    fn new(identity: StoreIdentity) -> Self {
        let model = Model::new(identity);
        Self { changes: 0, replica: model.clone(), tokenless: model.clone(), model }
    }
}

impl Broken {
    pub(super) fn new(defect: Option<Defect>) -> Result<Self, BackendError> {
        let identity = identity();
        Ok(Self {
            connections: AtomicUsize::new(0),
            defect,
            hand: Hand::new(),
            identity,
            leaked: Mutex::default(),
            spy: Spy::new()?,
            state: Mutex::new(State::new(identity)),
        })
    }

    /// The operation as one step, with whatever the defect makes of it.
    fn step(&self, state: &mut State, connection: usize, op: Op) -> PartnerAnswer<Sealed> {
        let now = self.now(connection);
        let Some(defect) = self.defect else { return state.model.apply(now, op) };
        let op = rewritten(defect, op, &state.model);
        if !matches!(op, Op::Issue { .. }) {
            state.tokenless.apply(now, op.clone());
        }
        let is_load = matches!(op, Op::Load { .. });
        let looks = matches!(op, Op::FindClient { .. } | Op::Identify { .. } | Op::Pulse { .. });
        let is_read = is_load || looks || matches!(op, Op::Unsettled { .. });
        if defect == Defect::ReadsStaleReplica && is_load && connection != 0 {
            return state.replica.apply(now, op);
        }
        if defect == Defect::ReadsStaleReplica && !is_read {
            state.replica = state.model.clone();
        }
        if let Some(answer) = self.instead(state, defect, now, &op) {
            return answer;
        }
        let key = key_of(&op);
        let before = key.as_ref().and_then(|key| state.model.record(key)).cloned();
        if let (Some(key), Some(row)) = (&key, &before)
            && let Some(row) = prepared(defect, &op, row)
        {
            state.model.put(key.clone(), row);
        }
        let tokens = state.model.tokens();
        let mut answer = state.model.apply(now, op.clone());
        let keeps = match op {
            Op::End { .. } | Op::EndAll { .. } => defect == Defect::EndKeepsTokens,
            Op::Issue { .. } => defect == Defect::TokensUnlimited,
            _ => false,
        };
        if keeps {
            let left = state.model.tokens();
            let gone =
                tokens.into_iter().filter(|it| left.iter().all(|kept| kept.digest != it.digest));
            gone.for_each(|it| state.model.put_token(it));
        }
        if let (Some(key), Some(before)) = (key, before) {
            let after = state.model.record(&key).cloned().unwrap();
            let row = edited(defect, &op, &before, &after);
            if row != after {
                state.model.put(key, row.clone());
                answer.outcome = showing(answer.outcome, &row);
            }
        }
        PartnerAnswer { now, outcome: told(defect, answer.outcome) }
    }

    /// What some defects do instead of the operation.
    fn instead(
        &self,
        state: &mut State,
        defect: Defect,
        now: Timestamp,
        op: &Op,
    ) -> Option<PartnerAnswer<Sealed>> {
        match (defect, op) {
            (Defect::AnswersBeforeDone, Op::Commit { .. }) => {
                state.changes += 1;
                state.changes.is_multiple_of(3).then(|| state.model.clone().apply(now, op.clone()))
            }
            (Defect::DisableEndsTheNewest, Op::Disable { .. }) => {
                let answer = state.model.apply(now, op.clone());
                if let PartnerOutcome::Disabled { principal, .. } = &answer.outcome {
                    let key = principal.key.clone();
                    let end = Op::End { cause: EndCause::Disabled, generation: None, key };
                    state.model.apply(now, end);
                }
                Some(answer)
            }
            (Defect::EndAllLeavesAttempts, Op::EndAll { cause }) => {
                let live = companies().into_iter().filter_map(|key| {
                    let generation = state.model.record(&key)?.binding.as_ref()?.generation;
                    Some((key, generation))
                });
                let live: Vec<_> = live.collect();
                let count = live.len();
                for (key, generation) in live {
                    let generation = Some(generation);
                    state.model.apply(now, Op::End { cause: *cause, generation, key });
                }
                Some(PartnerAnswer { now, outcome: PartnerOutcome::AllEnded { count } })
            }
            (Defect::RefusalsForgotten, Op::CountRefusal { .. }) => {
                Some(PartnerAnswer { now, outcome: PartnerOutcome::Counted })
            }
            _ => None,
        }
    }

    fn now(&self, connection: usize) -> Timestamp {
        let apart = self.defect == Some(Defect::ClockOfEachConnection);
        let behind = if apart { u64::try_from(connection).unwrap() } else { 0 };
        self.hand.now().before(Duration::from_millis(20 * behind))
    }

    /// Writes the client secret of an operation down as it is.
    async fn leak(&self, op: &Op) {
        let Some(key) = key_of(op) else { return };
        self.spy.backend.apply_partner(op.clone()).await.unwrap();
        let Ok(answer) = self.spy.store.apply_partner(PartnerOp::Load { key }).await else {
            return;
        };
        let PartnerOutcome::Loaded(record) = answer.outcome else { return };
        let of_attempt = record.attempt.and_then(|it| match it.phase {
            Phase::Integrated { integrated, .. } => Some(integrated),
            Phase::Posting { .. } | Phase::Prepared { .. } => None,
        });
        let all = record.binding.map(|it| it.integrated).into_iter().chain(of_attempt);
        let mut leaked = self.leaked.lock().unwrap();
        leaked.extend(all.flat_map(|it| it.secret.expose().as_bytes().to_vec()));
    }
}

fn key_of(op: &Op) -> Option<IntegrationKey> {
    match op {
        Op::Activate { key, .. }
        | Op::Arm { key, .. }
        | Op::Begin { key, .. }
        | Op::Commit { key, .. }
        | Op::End { key, .. }
        | Op::Load { key }
        | Op::Void { key, .. } => Some(key.clone()),
        _ => None,
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
            Some(Defect::ForgetsOnRestart) => *state = State::new(self.identity),
            Some(Defect::ForgetsTokensOnRestart) => state.model = state.tokenless.clone(),
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
    /// Ends an integration as two writes: first its secrets, then what it was.
    async fn two_writes(&self, op: &Op) {
        let Op::End { key, .. } = op else { return };
        let before = self.store.state.lock().unwrap().model.record(key).cloned();
        let Some(before) = before.filter(|it| it.binding.is_some()) else { return };
        let mut half = before.clone();
        half.binding = None;
        self.store.state.lock().unwrap().model.put(key.clone(), half);
        tokio::task::yield_now().await;
        self.store.state.lock().unwrap().model.put(key.clone(), before);
    }
}

#[async_trait]
impl Backend for Connection {
    async fn apply(&self, _op: StoreOp<Sealed>) -> Result<StoreAnswer<Sealed>, BackendError> {
        Err(BackendError::new(BackendFault::NotOffered, StoreFailure::NotDone))
    }

    async fn apply_partner(&self, op: Op) -> Result<PartnerAnswer<Sealed>, BackendError> {
        let store = &self.store;
        match store.defect {
            Some(Defect::DropLeavesHalf) => self.two_writes(&op).await,
            Some(Defect::ErrsAtTimes) if matches!(op, Op::Unsettled { limit: 0 }) => {
                return Err(BackendError::new(BackendFault::Busy, StoreFailure::NotDone));
            }
            Some(Defect::NotOffered) => {
                return Err(BackendError::new(BackendFault::NotOffered, StoreFailure::NotDone));
            }
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
