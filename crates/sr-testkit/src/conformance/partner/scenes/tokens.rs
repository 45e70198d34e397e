//! Clients of the token endpoint, their tokens, and the notifications that are signed with them.

use std::time::Duration;

use sr_auth_store::Sealed;
use sr_partner::store::{AttemptLimits, PartnerModel};

use super::{Bench, apply_all};
use crate::conformance::bench::Step;
use crate::conformance::partner::values::{
    activate, arm, arm_for, begin, begin_with, client_key, commit, connecting, disable, find,
    identify, issue, issue_for, key, load, new_attempt, stranger,
};
use crate::conformance::rule::Rule;
use crate::conformance::stage::Stage;
use crate::conformance::subject::{Subject, TrialError};
use crate::conformance::values::LONG;

pub(super) async fn play<S, M>(stage: &mut Stage<'_, M>) -> Result<(), TrialError>
where
    S: Subject,
    M: AsyncFn() -> Result<S, TrialError>,
{
    let quiet = stage.suite().quiet;
    let provisional = async |bench: &mut Bench<S>| provisional_clients(bench, quiet).await;
    stage.play("a client is good from the announcement on", provisional).await?;
    let expire = async |bench: &mut Bench<S>| tokens_expire(bench, quiet).await;
    stage.play("tokens end, and the oldest make room", expire).await?;
    stage.play("notifications of several generations", notifications).await
}

async fn provisional_clients<S: Subject>(bench: &mut Bench<S>, quiet: Duration) -> Step<()> {
    bench.about(Rule::TokensFollow);
    let key = key("planner", "acme");
    let limits = AttemptLimits::default();
    let look = || find(client_key(&key, 1), None, limits);
    bench.apply(0, find(stranger(1), None, limits)).await?;
    bench.apply(0, issue(&key, 1, 1, 1)).await?;
    bench.apply(0, begin(&key, 1, 0)).await?;
    bench.apply(1, look()).await?;
    bench.apply(1, issue(&key, 1, 1, 1)).await?;
    bench.apply(2, arm_for(&key, 1, 1, quiet, quiet)).await?;
    bench.apply(0, look()).await?;
    bench.apply(0, issue(&key, 1, 2, 1)).await?;
    bench.apply(0, issue(&key, 1, 1, 1)).await?;
    bench.apply(1, identify(&key, 1, 1)).await?;
    bench.apply(2, load(&key)).await?;
    bench.wait(quiet).await?;
    // Nobody has answered, so it ends by itself; a late answer brings it back.
    bench.apply(0, look()).await?;
    bench.apply(0, issue(&key, 1, 1, 2)).await?;
    bench.apply(1, identify(&key, 1, 1)).await?;
    bench.apply(2, commit(&key, 1, 1)).await?;
    bench.apply(0, look()).await?;
    bench.apply(0, issue(&key, 1, 1, 2)).await?;
    bench.apply(1, activate(&key, 1)).await?;
    for name in [1, 2, 3] {
        bench.apply(2, identify(&key, 1, name)).await?;
    }
    // One direction only: no client at all.
    let silent = self::key("planner", "silent");
    let mute = sr_partner::store::NewAttempt { outbound: None, ..new_attempt(&silent, 1, 0) };
    let ops = [
        begin_with(&silent, mute),
        arm(&silent, 1, 1),
        commit(&silent, 1, 1),
        activate(&silent, 1),
        find(client_key(&silent, 1), None, limits),
        issue(&silent, 1, 1, 1),
    ];
    apply_all(bench, ops).await?;
    bench.audit(&[key, silent]).await
}

async fn tokens_expire<S: Subject>(bench: &mut Bench<S>, quiet: Duration) -> Step<()> {
    bench.about(Rule::TokensFollow);
    let [key, other] = [key("planner", "acme"), key("planner", "other")];
    apply_all(bench, connecting(&key, 1, 1)).await?;
    apply_all(bench, connecting(&other, 2, 1)).await?;
    bench.apply(0, issue_for(&key, 1, 1, 1, quiet)).await?;
    bench.apply(1, issue_for(&key, 1, 1, 2, LONG)).await?;
    // Issued again, as after a lost answer: it lives from then on, and is one.
    bench.apply(2, issue_for(&key, 1, 1, 2, LONG)).await?;
    bench.apply(0, issue(&other, 2, 1, 1)).await?;
    bench.wait(quiet).await?;
    for name in [1, 2, 3] {
        bench.apply(1, identify(&key, 1, name)).await?;
        bench.apply(2, disable(&key, 1, 9)).await?;
    }
    let limit = u64::try_from(PartnerModel::<Sealed>::TOKENS_LIMIT).unwrap_or(u64::MAX);
    for name in 3..limit + 4 {
        bench.apply(usize::try_from(name).unwrap_or(0), issue(&key, 1, 1, name)).await?;
    }
    for name in 1..7 {
        bench.apply(0, identify(&key, 1, name)).await?;
    }
    bench.apply(1, identify(&other, 2, 1)).await?;
    bench.apply(2, identify(&key, 1, limit + 3)).await.map(drop)
}

async fn notifications<S: Subject>(bench: &mut Bench<S>) -> Step<()> {
    let [key, other] = [key("planner", "acme"), key("planner", "other")];
    for (company, number) in [(&key, 1), (&other, 9)] {
        apply_all(bench, connecting(company, number, 1)).await?;
        bench.apply(0, issue(company, number, 1, 1)).await?;
    }
    // The same tenant connects anew; the older client gets nothing more, its token opens nothing.
    apply_all(bench, connecting(&key, 2, 2)).await?;
    let limits = AttemptLimits::default();
    bench.apply(0, find(client_key(&key, 1), None, limits)).await?;
    bench.apply(1, issue(&key, 1, 1, 2)).await?;
    bench.apply(2, issue(&key, 2, 2, 1)).await?;
    bench.about(Rule::DisablesItsOwn);
    bench.apply(0, identify(&key, 1, 1)).await?;
    bench.apply(1, disable(&key, 1, 1)).await?;
    bench.apply(2, identify(&key, 2, 1)).await?;
    // A third consent is under way, and survives the end of the second.
    apply_all(bench, [begin(&key, 3, 2), arm(&key, 3, 1)]).await?;
    for connection in 0..3 {
        bench.apply(connection, disable(&key, 2, 1)).await?;
        bench.audit(&[key.clone(), other.clone()]).await?;
    }
    apply_all(bench, [issue(&key, 3, 3, 1), commit(&key, 3, 3), activate(&key, 3)]).await?;
    bench.apply(0, disable(&key, 2, 1)).await?;
    bench.apply(1, disable(&key, 3, 1)).await?;
    bench.apply(2, identify(&other, 9, 1)).await?;
    // A notification about an attempt that nobody has confirmed.
    apply_all(bench, [begin(&key, 4, 3), arm(&key, 4, 1), issue(&key, 4, 4, 1)]).await?;
    bench.apply(0, disable(&key, 4, 1)).await?;
    bench.apply(1, commit(&key, 4, 4)).await?;
    bench.audit(&[key, other]).await
}
