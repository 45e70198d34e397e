//! Generated sequences of operations, shrunk when one goes wrong.

use std::cell::RefCell;
use std::fmt::{Debug, Write as _};
use std::time::Duration;

use proptest::strategy::Strategy;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};
use sr_auth_core::store::Sequence;
use tokio::runtime::Runtime;

use super::bench::{Bench, Step as Outcome, Stop};
use super::kind::{Grants, Kind};
use super::report::Violation;
use super::rule::Rule;
use super::stage::Stage;
use super::step::{self, Deed, Ground, Step};
use super::subject::{Subject, TrialError};
use super::values::{Draw, sealed_again};

const SCENE: &str = "a generated sequence";

/// What is said when none are run.
pub(super) const LEFT_OUT: &str = "generated sequences, which would only find the same";

/// How often a sequence that fails is tried with fewer steps.
const SHRINKS: u32 = 512;

/// Operations that can be drawn: as deeds, which say what they mean relative to what is there.
pub(super) trait Drawn: Kind {
    /// An operation, relative to what is there.
    type Deed: Clone + Debug;

    /// Sequences of up to `longest` steps.
    fn sequence(longest: usize, restarts: bool) -> impl Strategy<Value = Vec<Step<Self::Deed>>>;

    /// The keys that deeds are about.
    fn keys() -> Vec<Self::Key>;

    /// Returns the operation that a deed means where the model stands.
    fn op(
        bench: &Bench<impl Subject, Self>,
        deed: &Self::Deed,
        quiet: Duration,
        sequence: Sequence,
    ) -> Self::Op;

    /// The same operation with the same secrets, sealed once more: other bytes.
    fn again(op: Self::Op) -> Self::Op;
}

impl Drawn for Grants {
    type Deed = Deed;

    fn sequence(longest: usize, restarts: bool) -> impl Strategy<Value = Vec<Step<Deed>>> {
        step::sequence(longest, restarts)
    }

    fn keys() -> Vec<Self::Key> {
        step::keys().to_vec()
    }

    fn op(
        bench: &Bench<impl Subject, Self>,
        deed: &Deed,
        quiet: Duration,
        sequence: Sequence,
    ) -> Self::Op {
        let (model, now) = (bench.model(), bench.now());
        Ground { model, now, quiet, sequence }.op(deed)
    }

    fn again(op: Self::Op) -> Self::Op {
        sealed_again(op)
    }
}

/// Runs as many sequences as the suite says, and reports the shortest that fails.
pub(super) fn run<K, S, M>(stage: &mut Stage<'_, M>, runtime: &Runtime) -> Result<(), TrialError>
where
    K: Drawn,
    S: Subject,
    M: AsyncFn() -> Result<S, TrialError>,
{
    let suite = stage.suite();
    let config = Config {
        cases: suite.cases,
        failure_persistence: None,
        max_shrink_iters: SHRINKS,
        ..Config::default()
    };
    let seed = Draw::new(suite.seed).bytes(32);
    let mut runner =
        TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &seed));
    let strategy = K::sequence(suite.longest, runtime.block_on(stage.is_durable())?);
    let shared = RefCell::new((stage, None));
    let outcome = runner.run(&strategy, |steps| {
        let mut shared = shared.borrow_mut();
        let (stage, last) = &mut *shared;
        let play = async |bench: &mut Bench<S, K>| play(bench, &steps, suite.quiet).await;
        match runtime.block_on(stage.try_to_play(SCENE, play)) {
            Ok(()) => Ok(()),
            Err(stop) => {
                *last = Some(stop);
                Err(TestCaseError::fail(""))
            }
        }
    });
    let (stage, last) = shared.into_inner();
    let stop = match (outcome, last) {
        (Err(TestError::Fail(reason, steps)), None) => {
            let (scene, saw) = (describe(suite.seed, &steps), format!("a panic: {reason}"));
            Stop::Violation(Violation::new(Rule::Answers, &scene, saw))
        }
        (Err(TestError::Fail(_, steps)), Some(Stop::Violation(violation))) => {
            let scene = describe(suite.seed, &steps);
            Stop::Violation(Violation::new(violation.rule(), &scene, violation.saw().to_owned()))
        }
        (_, Some(stop)) => stop,
        (_, None) => return Ok(()),
    };
    stage.note(Err(stop))
}

async fn play<K: Drawn, S: Subject>(
    bench: &mut Bench<S, K>,
    steps: &[Step<K::Deed>],
    quiet: Duration,
) -> Outcome<()> {
    let mut sequence = Sequence(0);
    for step in steps {
        match step {
            Step::Apply { again, connection, deed } => {
                let op = K::op(bench, deed, quiet, sequence);
                let outcome = bench.apply(*connection, op.clone()).await?;
                if let Some((_, newest)) = K::seen(&outcome) {
                    sequence = newest;
                }
                if *again {
                    bench.repeat(connection + 1, K::again(op)).await?;
                }
            }
            Step::Restart => {
                bench.restart().await?;
                bench.audit_after_restart(&K::keys()).await?;
            }
            Step::Wait => bench.wait(quiet).await?,
        }
    }
    bench.audit(&K::keys()).await?;
    bench.apply(0, K::look()).await.map(drop)
}

fn describe<D: Debug>(seed: u64, steps: &[Step<D>]) -> String {
    let mut scene = format!("{SCENE}, seed {seed}");
    for step in steps {
        write!(scene, "\n    {step:?}").expect("writing to a text cannot fail");
    }
    scene
}
