//! Restarts.

use std::time::Duration;

use sr_auth_core::store::{CauseOfDeath, End, Refusals, Sequence, StoreOp, TakeOver};

use crate::conformance::bench::{Bench, Step};
use crate::conformance::rule::Rule;
use crate::conformance::stage::Stage;
use crate::conformance::subject::{Subject, TrialError};
use crate::conformance::values::{
    FAR, LONG, adopt, arm, arm_over, back_off, bury, commit, escrow, intent, key, owner,
};

pub(super) async fn play<S, M>(stage: &mut Stage<'_, M>) -> Result<(), TrialError>
where
    S: Subject,
    M: AsyncFn() -> Result<S, TrialError>,
{
    stage
        .play_restarts("the store is restarted again and again", async |bench: &mut Bench<S>| {
            restarts(bench).await
        })
        .await
}

async fn restarts<S: Subject>(bench: &mut Bench<S>) -> Step<()> {
    bench.about(Rule::Durable);
    let keys = ["dead", "ended", "in flight", "resting", "suspect"].map(key);
    let [dead, ended, in_flight, _, suspect] = &keys;
    for (name, key) in (1..).zip(&keys) {
        bench.apply(0, adopt(key, name)).await?;
    }
    bench.restart().await?;
    bench.audit(&keys).await?;
    bench.apply(0, arm(in_flight, 1, intent(1, 1), LONG)).await?;
    bench.apply(1, arm(suspect, 1, intent(1, 2), Duration::ZERO)).await?;
    bench.wait(Duration::from_millis(2)).await?;
    let alive = StoreOp::Pulse { alive: true, owner: owner(1), since: Sequence(0) };
    bench.apply(0, alive).await?;
    bench.restart().await?;
    // The intent stands, and so does the sign of life: it moves the moment of a take-over.
    let over = Some(TakeOver { even_if_alive: false, intent: intent(1, 1) });
    bench.apply(0, arm_over(in_flight, 1, intent(2, 1), LONG, over)).await?;
    bench.audit(&keys).await?;
    bench.apply(0, commit(in_flight, 1, 1, 20)).await?;
    bench.apply(1, escrow(in_flight, 1, 1, 21)).await?;
    let refusals = Refusals::default().after(bench.now(), 418);
    bench.apply(1, back_off(suspect, intent(1, 2), FAR, refusals)).await?;
    bench.apply(2, bury(dead, 1, 1, 1, CauseOfDeath::RefusedByServer)).await?;
    let end = StoreOp::End { end: End::Disabled, generation: None, key: ended.clone() };
    bench.apply(2, end).await?;
    for _ in 0..2 {
        bench.restart().await?;
        bench.audit(&keys).await?;
    }
    // The commit's answer was lost with the connection.
    bench.repeat(0, commit(in_flight, 1, 1, 20)).await?;
    bench.audit(&keys).await
}
