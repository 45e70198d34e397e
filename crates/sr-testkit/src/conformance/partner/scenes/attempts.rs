//! Attempts: one consent at a time, and no company is taken from another tenant.

use std::time::Duration;

use sr_auth_core::store::Generation;
use sr_partner::store::{EndCause, NewAttempt, PartnerOp, Verified};

use super::{Bench, apply_all};
use crate::conformance::bench::Step;
use crate::conformance::partner::values::{
    activate, arm, arm_for, begin, begin_with, commit, commit_with, connecting, consent, end,
    integrated, key, load, new_attempt, run, tenant, void,
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
    stage.play("a company that nobody knows", nobody).await?;
    stage.play("a consent becomes an integration", connected).await?;
    stage.play("one consent keeps others out", others_wait).await?;
    let ends = async |bench: &mut Bench<S>| attempts_end(bench, quiet).await;
    stage.play("an attempt is over, and another takes its place", ends).await?;
    stage.play("another tenant wants a company that is connected", rebound).await?;
    stage.play("what comes late is for nobody", late).await
}

async fn nobody<S: Subject>(bench: &mut Bench<S>) -> Step<()> {
    let key = key("planner", "acme");
    let ops = [
        activate(&key, 1),
        arm(&key, 1, 1),
        commit(&key, 1, 1),
        end(&key, EndCause::Revoked, None),
        load(&key),
        void(&key, 1),
        PartnerOp::EndAll { cause: EndCause::Revoked },
        PartnerOp::Unsettled { limit: 9 },
    ];
    apply_all(bench, ops).await?;
    bench.audit(&[key]).await
}

async fn connected<S: Subject>(bench: &mut Bench<S>) -> Step<()> {
    let [one, other] = [key("planner", "acme"), key("planner", "other")];
    for (key, number) in [(&one, 1), (&other, 2)] {
        for op in connecting(key, number, 1) {
            bench.apply(usize::try_from(number).unwrap_or(0), op).await?;
            bench.audit(&[one.clone(), other.clone()]).await?;
        }
    }
    // The same tenant connects once more, and its owner is the witness.
    apply_all(bench, [begin(&one, 3, 1), arm(&one, 3, 1), commit(&one, 3, 2), load(&one)]).await?;
    let (attempt, verified) = (consent(3), Verified::ByOwner);
    bench.apply(0, PartnerOp::Activate { attempt, key: one.clone(), verified }).await?;
    bench.audit(&[one, other]).await
}

async fn others_wait<S: Subject>(bench: &mut Bench<S>) -> Step<()> {
    bench.about(Rule::AttemptStands);
    let key = key("planner", "acme");
    bench.apply(0, begin(&key, 1, 0)).await?;
    // Another run of the same consent, another consent, and one that saw another generation.
    let other_run = NewAttempt { exchange: run(9), ..new_attempt(&key, 1, 0) };
    bench.apply(1, begin_with(&key, other_run)).await?;
    for seen in [0, 1, 2] {
        bench.apply(2, begin(&key, 2, seen)).await?;
    }
    let elsewhere =
        |number, seen| NewAttempt { tenant: tenant("other"), ..new_attempt(&key, number, seen) };
    bench.apply(0, begin_with(&key, elsewhere(3, 1))).await?;
    // Announced: by its own run only, and each request once.
    let (attempt, exchange) = (consent(1), run(9));
    let (provisional, quiet) = (LONG, LONG);
    let by_another =
        PartnerOp::Arm { attempt, exchange, key: key.clone(), post: 1, provisional, quiet };
    bench.apply(0, by_another).await?;
    for post in [1, 1, 2, 1, 3] {
        bench.apply(1, arm(&key, 1, post)).await?;
        bench.apply(2, begin(&key, 2, 1)).await?;
        bench.apply(0, begin_with(&key, elsewhere(3, 1))).await?;
    }
    // Answered: its own tenant may begin anew, another one waits for the owner.
    bench.apply(1, commit(&key, 1, 1)).await?;
    bench.apply(2, arm(&key, 1, 4)).await?;
    bench.apply(2, begin_with(&key, elsewhere(3, 1))).await?;
    bench.apply(0, begin(&key, 2, 1)).await?;
    bench.audit(&[key]).await
}

async fn attempts_end<S: Subject>(bench: &mut Bench<S>, quiet: Duration) -> Step<()> {
    bench.about(Rule::AttemptStands);
    let key = key("planner", "acme");
    let soon = |number, seen| NewAttempt { prepared_for: quiet, ..new_attempt(&key, number, seen) };
    let other = |it: NewAttempt| NewAttempt { tenant: tenant("other"), ..it };
    bench.apply(0, begin_with(&key, soon(1, 0))).await?;
    bench.wait(quiet).await?;
    // Prepared, and nothing was announced for too long.
    bench.apply(1, begin_with(&key, other(soon(2, 1)))).await?;
    bench.apply(2, arm(&key, 1, 1)).await?;
    // The request is certainly over, but its credentials are still provisional.
    bench.apply(0, arm_for(&key, 2, 1, quiet, LONG)).await?;
    bench.wait(quiet).await?;
    bench.apply(1, begin(&key, 3, 2)).await?;
    bench.apply(2, begin_with(&key, other(soon(4, 2)))).await?;
    bench.apply(0, arm_for(&key, 4, 1, LONG, quiet)).await?;
    bench.wait(quiet).await?;
    bench.apply(1, begin(&key, 5, 3)).await?;
    // Nobody confirms what was answered.
    let credentials = integrated(5, 0);
    let short = PartnerOp::Commit {
        attempt: consent(5),
        confirm_within: quiet,
        generation: Generation::from_number(4),
        integrated: credentials,
        key: key.clone(),
    };
    bench.apply(0, short).await?;
    bench.apply(1, begin_with(&key, other(soon(6, 4)))).await?;
    bench.wait(quiet).await?;
    bench.apply(2, begin_with(&key, other(soon(6, 4)))).await?;
    bench.apply(0, activate(&key, 5)).await?;
    bench.audit(&[key]).await
}

async fn rebound<S: Subject>(bench: &mut Bench<S>) -> Step<()> {
    bench.about(Rule::BoundByActivation);
    let key = key("planner", "acme");
    apply_all(bench, connecting(&key, 1, 1)).await?;
    let other = NewAttempt { tenant: tenant("other"), ..new_attempt(&key, 2, 1) };
    bench.apply(0, begin_with(&key, other.clone())).await?;
    let of_a_third = NewAttempt { rebind: Some(tenant("third")), ..other.clone() };
    bench.apply(1, begin_with(&key, of_a_third)).await?;
    let agreed = NewAttempt { rebind: Some(tenant("acme")), ..other };
    bench.apply(2, begin_with(&key, agreed)).await?;
    bench.apply(0, arm(&key, 2, 1)).await?;
    bench.apply(1, activate(&key, 2)).await?;
    bench.apply(2, commit(&key, 2, 2)).await?;
    bench.apply(0, activate(&key, 2)).await?;
    // Its owner before is the stranger now.
    bench.apply(1, begin(&key, 3, 2)).await?;
    bench.audit(&[key]).await
}

async fn late<S: Subject>(bench: &mut Bench<S>) -> Step<()> {
    let key = key("planner", "acme");
    bench.apply(0, begin(&key, 1, 0)).await?;
    // Before the announcement, at another generation, and of other credentials.
    let ops = [
        activate(&key, 1),
        commit(&key, 1, 2),
        commit(&key, 1, 1),
        commit_with(&key, 1, 1, integrated(7, 0)),
        void(&key, 2),
        activate(&key, 2),
        void(&key, 1),
        commit(&key, 1, 1),
        activate(&key, 1),
        arm(&key, 1, 1),
        void(&key, 1),
    ];
    apply_all(bench, ops).await?;
    apply_all(bench, connecting(&key, 2, 2)).await?;
    // Of the live one: an answer that comes twice, and a consent that is used up.
    let ops = [
        commit(&key, 2, 2),
        commit(&key, 2, 1),
        commit_with(&key, 2, 2, integrated(8, 0)),
        begin(&key, 2, 2),
        arm(&key, 2, 2),
        void(&key, 2),
        activate(&key, 2),
    ];
    apply_all(bench, ops).await?;
    bench.audit(&[key]).await
}
