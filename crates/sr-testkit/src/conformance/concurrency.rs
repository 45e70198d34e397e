//! Many at once: the answers have to be those of some order.

mod grants;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use sr_auth_store::{Backend, BackendError};
use tokio::sync::Barrier;
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::bench::{Bench, Step, Stop};
use super::kind::{Answer, Kind};
use super::linearize::{Event, LONGEST, NoOrder, order};
use super::report::Violation;
use super::rule::Rule;
use super::stage::Stage;
use super::subject::{Subject, TrialError};
use super::values::Draw;

/// How many run at once.
const CLIENTS: u64 = 6;

/// How many operations each of them has.
const OPERATIONS: u64 = 12;

/// Operations that many clients can have at once.
pub(super) trait Crowded: Kind {
    /// What a client knows.
    type Memory: Default + Send;

    /// What there is at first.
    fn beginning() -> Vec<Self::Op>;

    /// Chooses what a client does next: mostly what a process would, sometimes what it should not.
    fn choose(client: u64, turn: u64, draw: &mut Draw, memory: &mut Self::Memory) -> Self::Op;

    /// Has a client learn from an answer.
    fn learn(memory: &mut Self::Memory, op: &Self::Op, outcome: &Self::Outcome);

    /// What shows, in the end, what came of it.
    fn ending() -> Vec<Self::Op>;
}

/// Runs as many rounds as the suite says, each in a store of its own.
pub(super) async fn run<K, S, M>(stage: &mut Stage<'_, M>) -> Result<(), TrialError>
where
    K: Crowded,
    S: Subject,
    M: AsyncFn() -> Result<S, TrialError>,
{
    let suite = stage.suite();
    for round in 0..suite.rounds {
        let seed = suite.seed.wrapping_add(u64::from(round));
        let round = async |bench: &mut Bench<S, K>| at_once(bench, seed, suite.patience).await;
        stage.play("clients on several connections work on the same records", round).await?;
        if stage.report().breaks(Rule::OneAfterTheOther) {
            break;
        }
    }
    Ok(())
}

async fn at_once<K: Crowded, S: Subject>(
    bench: &mut Bench<S, K>,
    seed: u64,
    patience: Duration,
) -> Step<()> {
    for op in K::beginning() {
        bench.apply(0, op).await?;
    }
    let start = Arc::new(Barrier::new(usize::try_from(CLIENTS).unwrap_or(1)));
    let clock = Arc::new(AtomicU64::new(0));
    let mut tasks = JoinSet::new();
    for number in 1..=CLIENTS {
        let client = Client::<K> {
            backend: bench.connection(usize::try_from(number).unwrap_or(0)),
            clock: Arc::clone(&clock),
            draw: Draw::new(seed.wrapping_mul(CLIENTS).wrapping_add(number)),
            history: Vec::new(),
            memory: K::Memory::default(),
            number,
            start: Arc::clone(&start),
        };
        tasks.spawn(client.work());
    }
    let broken = |rule, saw: String| {
        let scene = format!("{CLIENTS} clients at once, seed {seed}");
        Stop::Violation(Violation::new(rule, &scene, saw))
    };
    let Ok(results) = timeout(patience, tasks.join_all()).await else {
        return Err(broken(Rule::Answers, format!("no answer within {patience:?}")));
    };
    let mut history = Vec::new();
    for result in results {
        let events = result.map_err(|(op, error)| {
            broken(Rule::Answers, format!("{}: {error}: {error:?}", K::op_name(&op)))
        });
        history.extend(events?);
    }
    // What is there in the end, after all of it.
    for op in K::ending() {
        let began = clock.fetch_add(1, Ordering::SeqCst);
        let answer = bench.ask(0, &op).await?;
        let ended = clock.fetch_add(1, Ordering::SeqCst);
        history.push(Event { answer, began, ended, op });
    }
    debug_assert!(history.len() <= LONGEST, "{} operations", history.len());
    order::<K>(bench.model(), &history).map_err(|none| match none {
        NoOrder::Contradiction { explained, next } => {
            let count = history.len();
            let next = next.join("; ");
            broken(Rule::OneAfterTheOther, format!("{explained} of {count} in order, then {next}"))
        }
        NoOrder::TooMany => {
            broken(Rule::OneAfterTheOther, "no order was found in a long search".to_owned())
        }
    })
}

/// A process that does what it likes.
struct Client<K: Crowded> {
    backend: Arc<dyn Backend>,
    clock: Arc<AtomicU64>,
    draw: Draw,
    history: Vec<Event<K>>,
    memory: K::Memory,
    number: u64,
    start: Arc<Barrier>,
}

impl<K: Crowded> Client<K> {
    async fn work(mut self) -> Result<Vec<Event<K>>, (K::Op, BackendError)> {
        let mut failure = None;
        for turn in 0..OPERATIONS {
            // Every other operation begins when all others begin.
            if turn % 2 == 0 {
                self.start.wait().await;
            }
            if failure.is_some() {
                continue;
            }
            let op = K::choose(self.number, turn, &mut self.draw, &mut self.memory);
            let began = self.clock.fetch_add(1, Ordering::SeqCst);
            let answer: Result<Answer<K>, _> = K::ask(&*self.backend, op.clone()).await;
            let ended = self.clock.fetch_add(1, Ordering::SeqCst);
            let answer = match answer {
                Ok(answer) => answer,
                Err(error) => {
                    failure = Some((op, error));
                    continue;
                }
            };
            K::learn(&mut self.memory, &op, &answer.outcome);
            self.history.push(Event { answer, began, ended, op });
        }
        match failure {
            Some(failure) => Err(failure),
            None => Ok(self.history),
        }
    }
}
