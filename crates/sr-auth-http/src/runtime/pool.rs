//! What is under way: requests and operations of the store, each in a task of its own.

use std::collections::VecDeque;
use std::sync::Arc;

use sr_auth_core::fleet::GrantId;
use sr_auth_core::lifecycle::{self, StoreFailure, StoreOpId, StoreRequest};
use sr_auth_core::store::{StoreAnswer, StoreOp};
use sr_auth_core::{Secret, Timestamp, Transmit};
use sr_auth_store::Store;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tracing::{debug, error};

use crate::clock::Stopwatch;
use crate::driver::exchange;
use crate::{Clock, Transport};

/// Something that came back.
#[derive(Debug)]
pub(super) enum Done {
    /// The answer to a request, or how it failed.
    Sent { grant: GrantId, input: lifecycle::Input },
    /// The answer of the store.
    Stored {
        grant: Option<GrantId>,
        id: StoreOpId,
        is_end: bool,
        result: Result<StoreAnswer<Secret>, StoreFailure>,
    },
}

/// Does what a fleet asks for. How many requests are under way is the fleet's to decide; of
/// operations of the store this many are, and the others wait their turn.
#[derive(Debug)]
pub(super) struct Pool {
    clock: Clock,
    /// What time it was when the fleet was fed last, and how long ago.
    fed: (Timestamp, Stopwatch),
    queue: VecDeque<Queued>,
    running: JoinSet<Done>,
    store: Store,
    /// How many operations of the store are under way.
    storing: usize,
    transport: Arc<dyn Transport>,
}

#[derive(Debug)]
struct Queued {
    asked: Stopwatch,
    grant: Option<GrantId>,
    request: StoreRequest,
}

impl Pool {
    /// How many operations of the store are under way at most.
    const STORING: usize = 64;

    pub(super) fn new(clock: Clock, store: Store, transport: Arc<dyn Transport>) -> Self {
        Self {
            fed: (clock.now(), Stopwatch::begin()),
            clock,
            queue: VecDeque::new(),
            running: JoinSet::new(),
            store,
            storing: 0,
            transport,
        }
    }

    /// Notes when the fleet was fed: what it asks for now, it asks for as of then.
    pub(super) fn fed(&mut self, now: Timestamp) {
        self.fed = (now, Stopwatch::begin());
    }

    /// Waits for what comes back next; `None` when nothing is under way.
    pub(super) async fn next(&mut self) -> Option<Done> {
        loop {
            let done = match self.running.join_next().await? {
                Ok(done) => done,
                Err(panicked) => {
                    // The machine gives up what is not answered, as it does with any silence.
                    error!(target: "sr_auth", %panicked, "a transport or a store has panicked");
                    self.storing = self.storing.min(self.running.len());
                    self.store_next();
                    continue;
                }
            };
            if matches!(done, Done::Stored { .. }) {
                self.storing = self.storing.saturating_sub(1);
                self.store_next();
            }
            return Some(done);
        }
    }

    pub(super) fn store(&mut self, grant: Option<GrantId>, request: StoreRequest) {
        self.queue.push_back(Queued { asked: self.fed.1, grant, request });
        self.store_next();
    }

    fn store_next(&mut self) {
        while self.storing < Self::STORING
            && let Some(queued) = self.queue.pop_front()
        {
            self.storing += 1;
            self.running.spawn(stored(queued, self.store.clone(), self.clock.clone()));
        }
    }

    pub(super) fn transmit(&mut self, grant: GrantId, transmit: Transmit) {
        let (now, fed) = self.fed;
        let transport = Arc::clone(&self.transport);
        self.running.spawn(async move {
            let id = transmit.id;
            let input = match exchange(transmit, &*transport, now, fed.elapsed()).await {
                Ok(response) => lifecycle::Input::Response { id, response },
                Err(error) => {
                    let failure = error.failure();
                    let received = error.into_received();
                    lifecycle::Input::TransportFailed { id, failure, received }
                }
            };
            Done::Sent { grant, input }
        });
    }
}

/// Carries out one operation, and learns from its answer what time it is.
async fn stored(queued: Queued, store: Store, clock: Clock) -> Done {
    let Queued { asked, grant, request } = queued;
    let StoreRequest { answer_within, id, op } = request;
    let is_end = matches!(op, StoreOp::End { .. });
    let left = answer_within.saturating_sub(asked.elapsed());
    let result = if left.is_zero() {
        Err(StoreFailure::NotDone)
    } else {
        let question = clock.asked();
        match timeout(left, store.apply(op)).await {
            Ok(Ok(answer)) => {
                clock.learn(question, answer.now);
                Ok(answer)
            }
            Ok(Err(error)) => {
                debug!(target: "sr_auth", error = error.code(), "the store refuses");
                Err(error.failure())
            }
            Err(_) => {
                debug!(target: "sr_auth", "the store does not answer in time");
                Err(StoreFailure::OutcomeUnknown)
            }
        }
    };
    Done::Stored { grant, id, is_end, result }
}
