//! Many at once: the answers have to be those of some order.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use sr_auth_core::Timestamp;
use sr_auth_core::store::{
    CauseOfDeath, End, GrantKey, IntentId, Record, Sequence, StoreOp, StoreOutcome, TakeOver,
};
use sr_auth_store::{Backend, BackendError, Sealed};
use tokio::sync::Barrier;
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::bench::{Bench, Step, Stop, first_look};
use super::judge;
use super::linearize::{Event, LONGEST, NoOrder, order};
use super::report::Violation;
use super::rule::Rule;
use super::stage::Stage;
use super::subject::{Subject, TrialError};
use super::values::{
    Draw, FAR, LONG, adopt, arm_over, at, back_off, commit, disarm, escrow, found, intent, key,
    load, owner,
};

/// How many run at once.
const CLIENTS: u64 = 6;

/// How many operations each of them has.
const OPERATIONS: u64 = 12;

/// Runs as many rounds as the suite says, each in a store of its own.
pub(super) async fn run<S, M>(stage: &mut Stage<'_, M>) -> Result<(), TrialError>
where
    S: Subject,
    M: AsyncFn() -> Result<S, TrialError>,
{
    let suite = stage.suite();
    for round in 0..suite.rounds {
        let seed = suite.seed.wrapping_add(u64::from(round));
        let round = async |bench: &mut Bench<S>| at_once(bench, seed, suite.patience).await;
        stage.play("clients on several connections work on the same grants", round).await?;
        if stage.report().breaks(Rule::OneAfterTheOther) {
            break;
        }
    }
    Ok(())
}

async fn at_once<S: Subject>(bench: &mut Bench<S>, seed: u64, patience: Duration) -> Step<()> {
    let keys = ["planner/acme", "planner/other"].map(key);
    bench.apply(0, adopt(&keys[0], 1)).await?;
    let start = Arc::new(Barrier::new(usize::try_from(CLIENTS).unwrap_or(1)));
    let clock = Arc::new(AtomicU64::new(0));
    let mut tasks = JoinSet::new();
    for number in 1..=CLIENTS {
        let client = Client {
            armed: None,
            backend: bench.connection(usize::try_from(number).unwrap_or(0)),
            clock: Arc::clone(&clock),
            draw: Draw::new(seed.wrapping_mul(CLIENTS).wrapping_add(number)),
            history: Vec::new(),
            keys: keys.clone(),
            number,
            sequence: Sequence(0),
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
            broken(Rule::Answers, format!("{}: {error}: {error:?}", op.name()))
        });
        history.extend(events?);
    }
    // What is there in the end, after all of it.
    for op in keys.iter().map(load).chain([first_look()]) {
        let began = clock.fetch_add(1, Ordering::SeqCst);
        let answer = bench.ask(0, &op).await?;
        let ended = clock.fetch_add(1, Ordering::SeqCst);
        history.push(Event { answer, began, ended, op });
    }
    debug_assert!(history.len() <= LONGEST, "{} operations", history.len());
    order(bench.model(), &history).map_err(|none| match none {
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

/// A process that does what it likes with two grants.
struct Client {
    armed: Option<IntentId>,
    backend: Arc<dyn Backend>,
    clock: Arc<AtomicU64>,
    draw: Draw,
    history: Vec<Event>,
    keys: [GrantKey; 2],
    number: u64,
    sequence: Sequence,
    start: Arc<Barrier>,
}

type Failure = (StoreOp<Sealed>, BackendError);

impl Client {
    async fn work(mut self) -> Result<Vec<Event>, Failure> {
        let mut seen: [Option<Record<Sealed>>; 2] = [None, None];
        let mut failure = None;
        for turn in 0..OPERATIONS {
            // Every other operation begins when all others begin.
            if turn % 2 == 0 {
                self.start.wait().await;
            }
            if failure.is_some() {
                continue;
            }
            let [first, second] = &mut seen;
            let [one, other] = &self.keys;
            let (key, seen) = match self.draw.below(4) {
                0 => (other.clone(), second),
                _ => (one.clone(), first),
            };
            let op = self.choose(turn, &key, seen.as_ref());
            let began = self.clock.fetch_add(1, Ordering::SeqCst);
            let answer = self.backend.apply(op.clone()).await;
            let ended = self.clock.fetch_add(1, Ordering::SeqCst);
            let answer = match answer {
                Ok(answer) => answer,
                Err(error) => {
                    failure = Some((op, error));
                    continue;
                }
            };
            if let StoreOutcome::Pulse(pulse) = &answer.outcome {
                self.sequence = pulse.sequence;
            }
            if let Some(record) = judge::of(&answer.outcome) {
                *seen = Some(record.clone());
            }
            self.history.push(Event { answer, began, ended, op });
        }
        match failure {
            Some(failure) => Err(failure),
            None => Ok(self.history),
        }
    }

    /// Mostly what a process would do next, sometimes what it should not.
    fn choose(
        &mut self,
        turn: u64,
        key: &GrantKey,
        seen: Option<&Record<Sealed>>,
    ) -> StoreOp<Sealed> {
        // The second grant is not there at first: all found it anew at once.
        let Some(seen) = seen else {
            return if turn < 3 { found(key, self.number) } else { load(key) };
        };
        let (of, by) = (seen.generation.number(), self.number);
        let name = by * 1_000 + turn;
        let standing = seen.intent.as_ref().map(|it| it.id);
        match self.draw.below(16) {
            0..=4 => {
                let id = intent(by, turn);
                self.armed = Some(id);
                let quiet = if self.draw.below(2) == 0 { Duration::ZERO } else { LONG };
                let over = standing.map(|intent| TakeOver { even_if_alive: true, intent });
                arm_over(key, of, id, quiet, over)
            }
            5..=7 => commit(key, of, by, name),
            8..=9 => {
                let id = self.armed.or(standing).unwrap_or_else(|| intent(by, turn));
                disarm(key, id)
            }
            10 => {
                let id = standing.unwrap_or_else(|| intent(by, turn));
                let until = if self.draw.below(4) == 0 { FAR } else { Timestamp::EPOCH };
                back_off(key, id, until, seen.refusals)
            }
            11 => {
                let end = if self.draw.below(2) == 0 { End::Disabled } else { End::Revoked };
                StoreOp::End { end, generation: Some(at(of)), key: key.clone() }
            }
            12 => {
                let (cause, owner) = (CauseOfDeath::LostInRotation, owner(by));
                StoreOp::Bury { cause, generation: at(of), key: key.clone(), owner }
            }
            13 => adopt(key, name),
            14 => escrow(key, by, of, name),
            _ => {
                let alive = self.draw.below(2) == 0;
                StoreOp::Pulse { alive, owner: owner(by), since: self.sequence }
            }
        }
    }
}
