//! Restarts.

use std::time::Duration;

use sr_partner::store::{AttemptLimits, EndCause};

use super::{Bench, apply_all};
use crate::conformance::bench::Step;
use crate::conformance::partner::values::{
    activate, arm, begin, client_key, commit, connecting, disable, end, find, identify, issue, key,
    limits, refuse, stranger,
};
use crate::conformance::rule::Rule;
use crate::conformance::stage::Stage;
use crate::conformance::subject::{Subject, TrialError};

pub(super) async fn play<S, M>(stage: &mut Stage<'_, M>) -> Result<(), TrialError>
where
    S: Subject,
    M: AsyncFn() -> Result<S, TrialError>,
{
    stage
        .play_restarts(
            "the store is restarted at each step of an exchange",
            async |bench: &mut Bench<S>| restarts(bench).await,
        )
        .await
}

async fn restarts<S: Subject>(bench: &mut Bench<S>) -> Step<()> {
    bench.about(Rule::Durable);
    let [key, other] = [key("planner", "acme"), key("planner", "other")];
    let keys = [key.clone(), other.clone()];
    for op in connecting(&other, 9, 1) {
        bench.apply(1, op).await?;
    }
    let ops = [
        begin(&key, 1, 0),
        arm(&key, 1, 1),
        issue(&key, 1, 1, 1),
        commit(&key, 1, 1),
        activate(&key, 1),
        issue(&key, 1, 1, 2),
        begin(&key, 2, 1),
        arm(&key, 2, 1),
        disable(&key, 1, 1),
    ];
    for op in ops {
        bench.apply(0, op.clone()).await?;
        bench.restart().await?;
        bench.audit(&keys).await?;
        for (number, name) in [(1, 1), (1, 2), (2, 1)] {
            bench.apply(2, identify(&key, number, name)).await?;
        }
    }
    // The order in which tokens were issued is kept, so that the oldest still go first.
    for name in 10..80 {
        bench.apply(1, issue(&other, 9, 1, name)).await?;
        if name == 40 {
            bench.restart().await?;
        }
    }
    for name in [10, 15, 16, 40, 79] {
        bench.apply(2, identify(&other, 9, name)).await?;
    }
    // What was refused is still counted.
    let few = limits(1, 1, Duration::from_secs(3_600));
    bench.apply(0, refuse(stranger(1), Some(1), few)).await?;
    bench.restart().await?;
    bench.apply(1, find(stranger(1), Some(1), few)).await?;
    bench.apply(2, end(&other, EndCause::Revoked, None)).await?;
    bench.restart().await?;
    let all = AttemptLimits::default();
    apply_all(bench, [find(client_key(&other, 9), None, all), identify(&other, 9, 79)]).await?;
    bench.audit(&keys).await
}
