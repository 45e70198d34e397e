//! Generated sequences of operations, shrunk when one goes wrong.

use std::cell::RefCell;
use std::fmt::Write as _;

use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};
use sr_auth_core::store::{Sequence, StoreOutcome};
use tokio::runtime::Runtime;

use super::bench::{Bench, Step as Outcome, Stop, first_look};
use super::report::Violation;
use super::rule::Rule;
use super::stage::Stage;
use super::step::{Ground, Step, keys, sequence};
use super::subject::{Subject, TrialError};
use super::values::{Draw, sealed_again};

const SCENE: &str = "a generated sequence";

/// How often a sequence that fails is tried with fewer steps.
const SHRINKS: u32 = 512;

/// Runs as many sequences as the suite says, and reports the shortest that fails.
pub(super) fn run<S, M>(stage: &mut Stage<'_, M>, runtime: &Runtime) -> Result<(), TrialError>
where
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
    let strategy = sequence(suite.longest, runtime.block_on(stage.is_durable())?);
    let shared = RefCell::new((stage, None));
    let outcome = runner.run(&strategy, |steps| {
        let mut shared = shared.borrow_mut();
        let (stage, last) = &mut *shared;
        let play = async |bench: &mut Bench<S>| play(bench, &steps, suite.quiet).await;
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

async fn play<S: Subject>(
    bench: &mut Bench<S>,
    steps: &[Step],
    quiet: std::time::Duration,
) -> Outcome<()> {
    let mut sequence = Sequence(0);
    for step in steps {
        match step {
            Step::Apply { again, connection, deed } => {
                let (model, now) = (bench.model(), bench.now());
                let op = Ground { model, now, quiet, sequence }.op(deed);
                let outcome = bench.apply(*connection, op.clone()).await?;
                if let StoreOutcome::Pulse(pulse) = outcome {
                    sequence = pulse.sequence;
                }
                if *again {
                    bench.repeat(connection + 1, sealed_again(op)).await?;
                }
            }
            Step::Restart => {
                bench.restart().await?;
                bench.audit_after_restart(&keys()).await?;
            }
            Step::Wait => bench.wait(quiet).await?,
        }
    }
    bench.audit(&keys()).await?;
    bench.apply(0, first_look()).await.map(drop)
}

fn describe(seed: u64, steps: &[Step]) -> String {
    let mut scene = format!("{SCENE}, seed {seed}");
    for step in steps {
        write!(scene, "\n    {step:?}").expect("writing to a text cannot fail");
    }
    scene
}
