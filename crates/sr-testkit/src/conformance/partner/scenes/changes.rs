//! What is told to all processes.

use std::collections::BTreeMap;

use sr_auth_store::Sealed;
use sr_partner::IntegrationKey;
use sr_partner::store::{AttemptLimits, EndCause, PartnerModel, PartnerOp, PartnerOutcome};

use super::Bench;
use crate::conformance::bench::Step;
use crate::conformance::kind::Kind as _;
use crate::conformance::partner::Integrations;
use crate::conformance::partner::values::{
    activate, arm, begin, commit, disable, end, issue, key, load, pulse, refuse, stranger, void,
};
use crate::conformance::rule::Rule;
use crate::conformance::stage::Stage;
use crate::conformance::subject::{Subject, TrialError};

/// How many changes there are beyond the limit of a pulse.
const BEYOND: usize = 5;

pub(super) async fn play<S, M>(stage: &mut Stage<'_, M>) -> Result<(), TrialError>
where
    S: Subject,
    M: AsyncFn() -> Result<S, TrialError>,
{
    stage.play("every change is told once", told).await?;
    stage.play("there are more changes than a pulse tells", beyond_the_limit).await
}

async fn told<S: Subject>(bench: &mut Bench<S>) -> Step<()> {
    let [one, other] = [key("planner", "acme"), key("planner", "other")];
    // Each with how often it is offered: a repeat changes nothing that is worth telling.
    let ops = [
        (begin(&one, 1, 0), 2),
        (begin(&one, 2, 0), 1),
        (begin(&other, 1, 0), 1),
        (arm(&one, 1, 1), 1),
        (arm(&one, 2, 1), 1),
        (issue(&one, 1, 1, 1), 2),
        (commit(&one, 1, 1), 2),
        (load(&one), 1),
        (activate(&one, 1), 2),
        (commit(&one, 1, 1), 1),
        (refuse(stranger(1), Some(1), AttemptLimits::default()), 1),
        (void(&other, 1), 2),
        (disable(&one, 1, 1), 2),
        (end(&one, EndCause::Revoked, None), 1),
        (begin(&other, 2, 1), 1),
        (begin(&one, 2, 1), 1),
        (PartnerOp::EndAll { cause: EndCause::Revoked }, 2),
    ];
    let mut count = 0;
    for (op, times) in ops {
        for time in 0..times {
            if time == 0 {
                bench.apply(time, op.clone()).await?;
            } else {
                bench.repeat(time, op.clone()).await?;
            }
            bench.apply(time + 1, Integrations::look()).await?;
        }
        count += 1;
    }
    for since in (0..=count).chain([u64::MAX]) {
        bench.apply(0, pulse(since)).await?;
    }
    Ok(())
}

/// Many at once, for it would take long one after the other: the pulse tells the order.
async fn beyond_the_limit<S: Subject>(bench: &mut Bench<S>) -> Step<()> {
    let limit = PartnerModel::<Sealed>::CHANGES_LIMIT;
    let count = limit + BEYOND;
    let keys: Vec<IntegrationKey> =
        (0..count).map(|it| key("planner", &format!("company-{it}"))).collect();
    let mut answers = bench.ask_at_once(keys.iter().map(|it| begin(it, 1, 0)).collect()).await?;
    let look = Integrations::look();
    let told = bench.ask(0, &look).await?;
    let PartnerOutcome::News(news) = &told.outcome else {
        bench.compare(&look, told)?;
        return Ok(());
    };
    let counted = usize::try_from(news.sequence.0).unwrap_or(usize::MAX);
    if counted != count {
        let saw = format!("{counted} changes counted after {count} consents");
        return Err(bench.broken(Rule::OneAfterTheOther, &look, saw));
    }
    let told_at: BTreeMap<_, _> = news.changes.iter().map(|it| &it.key).zip(1..).collect();
    // Those that were cut off came first.
    answers.sort_by_key(|(op, _)| {
        Integrations::key(op).and_then(|key| told_at.get(key)).map_or(0, |it| *it)
    });
    for (op, answer) in answers {
        // They ran at once, so the order of their moments is nobody's promise.
        bench.compare_unordered(&op, answer)?;
    }
    bench.compare(&look, told)?;
    let [limit, beyond] = [limit, BEYOND].map(|it| u64::try_from(it).unwrap_or(u64::MAX));
    for since in [1, beyond - 1, beyond, beyond + 1, limit, limit + beyond - 1, limit + beyond] {
        bench.apply(1, pulse(since)).await?;
    }
    for limit in [0, 1, count - 1, count, usize::MAX] {
        bench.apply(2, PartnerOp::Unsettled { limit }).await?;
    }
    bench.apply(0, PartnerOp::EndAll { cause: EndCause::Revoked }).await?;
    bench.apply(1, look).await?;
    bench.apply(2, pulse(limit + beyond)).await.map(drop)
}
