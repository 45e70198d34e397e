//! Taking an intent over: not before its quiet period is over, nor while its owner lives.

use std::time::Duration;

use sr_auth_core::store::{Sequence, StoreOp, StoreOutcome, TakeOver};
use sr_auth_store::Sealed;

use crate::conformance::bench::{Bench, Step};
use crate::conformance::stage::Stage;
use crate::conformance::subject::{Subject, TrialError};
use crate::conformance::values::{
    LONG, adopt, arm, arm_over, commit, disarm, intent, key, load, owner,
};

pub(super) async fn play<S, M>(stage: &mut Stage<'_, M>) -> Result<(), TrialError>
where
    S: Subject,
    M: AsyncFn() -> Result<S, TrialError>,
{
    let quiet = stage.suite().quiet;
    stage.play("an intent is asked for inside its quiet period", inside).await?;
    stage.play("a sign of life moves the moment of a take-over", life_counts).await?;
    stage.play("an intent without a quiet period is taken over", at_once).await?;
    let later = async |bench: &mut Bench<S>| afterwards(bench, quiet).await;
    stage.play("an intent is taken over after its quiet period", later).await?;
    let living = async |bench: &mut Bench<S>| over_the_living(bench, quiet).await;
    stage.play("the intent of a process that lives is taken over", living).await
}

fn over(of: u64, number: u64, even_if_alive: bool) -> Option<TakeOver> {
    Some(TakeOver { even_if_alive, intent: intent(of, number) })
}

fn alive(number: u64) -> StoreOp<Sealed> {
    StoreOp::Pulse { alive: true, owner: owner(number), since: Sequence(0) }
}

async fn inside<S: Subject>(bench: &mut Bench<S>) -> Step<()> {
    let key = key("planner/acme");
    bench.apply(0, adopt(&key, 1)).await?;
    bench.apply(0, arm(&key, 1, intent(1, 1), LONG)).await?;
    for even_if_alive in [false, true] {
        let theirs = arm_over(&key, 1, intent(2, 1), LONG, over(1, 1, even_if_alive));
        bench.apply(1, theirs).await?;
        let own = arm_over(&key, 1, intent(1, 2), LONG, over(1, 1, even_if_alive));
        bench.apply(0, own).await?;
    }
    // What is asked for has no say in how long the standing one is respected.
    let hasty = arm_over(&key, 1, intent(2, 1), Duration::ZERO, over(1, 1, true));
    bench.apply(1, hasty).await?;
    bench.audit(&[key]).await
}

async fn life_counts<S: Subject>(bench: &mut Bench<S>) -> Step<()> {
    let key = key("planner/acme");
    bench.apply(0, adopt(&key, 1)).await?;
    bench.apply(0, arm(&key, 1, intent(1, 1), LONG)).await?;
    bench.wait(Duration::from_millis(2)).await?;
    bench.apply(0, alive(1)).await?;
    bench.apply(1, arm_over(&key, 1, intent(2, 1), LONG, over(1, 1, false))).await?;
    bench.apply(1, arm_over(&key, 1, intent(2, 1), LONG, over(1, 1, true))).await?;
    bench.apply(0, arm_over(&key, 1, intent(1, 2), LONG, over(1, 1, false))).await?;
    // A look without a sign of life is none.
    bench.wait(Duration::from_millis(2)).await?;
    let look = StoreOp::Pulse { alive: false, owner: owner(1), since: Sequence(0) };
    bench.apply(0, look).await?;
    bench.apply(1, arm_over(&key, 1, intent(2, 1), LONG, over(1, 1, false))).await?;
    bench.audit(&[key]).await
}

async fn at_once<S: Subject>(bench: &mut Bench<S>) -> Step<()> {
    let key = key("planner/acme");
    bench.apply(0, adopt(&key, 1)).await?;
    bench.apply(0, arm(&key, 1, intent(1, 1), Duration::ZERO)).await?;
    // Over, and still standing for whoever does not name it.
    bench.apply(1, arm(&key, 1, intent(2, 1), LONG)).await?;
    bench.apply(1, arm_over(&key, 1, intent(2, 1), Duration::ZERO, over(1, 1, false))).await?;
    // The intent that was passed over is nobody's any more.
    bench.apply(0, disarm(&key, intent(1, 1))).await?;
    bench.apply(2, arm_over(&key, 1, intent(2, 2), Duration::ZERO, over(2, 1, false))).await?;
    bench.apply(2, disarm(&key, intent(2, 2))).await?;
    bench.apply(0, arm(&key, 1, intent(1, 2), LONG)).await?;
    // Whoever was passed over may still bring the successor.
    bench.apply(1, commit(&key, 1, 1, 2)).await?;
    bench.audit(&[key]).await
}

async fn afterwards<S: Subject>(bench: &mut Bench<S>, quiet: Duration) -> Step<()> {
    let key = key("planner/acme");
    bench.apply(0, adopt(&key, 1)).await?;
    bench.apply(0, arm(&key, 1, intent(1, 1), quiet)).await?;
    bench.apply(1, arm_over(&key, 1, intent(2, 1), quiet, over(1, 1, false))).await?;
    bench.wait(quiet).await?;
    bench.apply(1, arm(&key, 1, intent(2, 1), quiet)).await?;
    bench.apply(1, arm_over(&key, 1, intent(2, 1), LONG, over(1, 1, false))).await?;
    bench.apply(2, load(&key)).await?;
    bench.audit(&[key]).await
}

/// The moments between the end of a quiet period and that of a life: if the machine is too slow to
/// get there, with a longer period.
async fn over_the_living<S: Subject>(bench: &mut Bench<S>, quiet: Duration) -> Step<()> {
    for (round, quiet) in (0..).zip([quiet, quiet * 4, quiet * 16, quiet * 64]) {
        let key = key(&format!("planner/{round}"));
        bench.apply(0, adopt(&key, round)).await?;
        let armed = arm(&key, 1, intent(1, round), quiet);
        bench.apply(0, armed).await?;
        bench.wait(quiet / 2).await?;
        bench.apply(0, alive(1)).await?;
        bench.wait(quiet / 2).await?;
        let asked = arm_over(&key, 1, intent(2, round), LONG, over(1, round, false));
        let respected = bench.apply(1, asked).await?;
        let forced = arm_over(&key, 1, intent(2, round), LONG, over(1, round, true));
        let forced = bench.apply(1, forced).await?;
        let lived = matches!(respected, StoreOutcome::Busy { .. });
        if lived && matches!(forced, StoreOutcome::Armed(_)) {
            return bench.audit(&[key]).await;
        }
    }
    Ok(())
}
