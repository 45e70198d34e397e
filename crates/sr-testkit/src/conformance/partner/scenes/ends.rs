//! Ends: of one generation, of a company, of all.

use sr_partner::store::{AttemptLimits, EndCause, PartnerOp};

use super::{Bench, apply_all};
use crate::conformance::bench::Step;
use crate::conformance::partner::values::{
    activate, arm, begin, client_key, commit, connecting, disable, end, find, identify, issue, key,
    void,
};
use crate::conformance::rule::Rule;
use crate::conformance::stage::Stage;
use crate::conformance::subject::{Subject, TrialError};

pub(super) async fn play<S, M>(stage: &mut Stage<'_, M>) -> Result<(), TrialError>
where
    S: Subject,
    M: AsyncFn() -> Result<S, TrialError>,
{
    stage.play("integrations end, one or all of a company", one_by_one).await?;
    stage.play("every integration ends at once", all_at_once).await
}

async fn one_by_one<S: Subject>(bench: &mut Bench<S>) -> Step<()> {
    bench.about(Rule::EndsStay);
    let key = key("planner", "acme");
    let look = |number| find(client_key(&key, number), None, AttemptLimits::default());
    apply_all(bench, connecting(&key, 1, 1)).await?;
    apply_all(bench, [issue(&key, 1, 1, 1), begin(&key, 2, 1), arm(&key, 2, 1)]).await?;
    bench.apply(0, issue(&key, 2, 2, 1)).await?;
    let causes = [EndCause::Disabled, EndCause::Refused, EndCause::Revoked];
    // Of another generation nothing ends.
    for (connection, cause) in causes.into_iter().enumerate() {
        bench.apply(connection, end(&key, cause, Some(7))).await?;
    }
    bench.apply(0, end(&key, EndCause::Refused, Some(1))).await?;
    for (number, name) in [(1, 1), (2, 1)] {
        bench.apply(1, look(number)).await?;
        bench.apply(2, identify(&key, number, name)).await?;
        bench.apply(0, disable(&key, number, 9)).await?;
    }
    bench.apply(1, void(&key, 2)).await?;
    bench.apply(2, look(2)).await?;
    bench.apply(0, identify(&key, 2, 1)).await?;
    // Both that there are, and nothing of them.
    for (number, cause) in (3_u64..).zip(causes) {
        let generation = number * 2 - 3;
        apply_all(bench, connecting(&key, 2 * number, generation)).await?;
        bench.apply(1, issue(&key, 2 * number, generation, 1)).await?;
        bench.apply(2, begin(&key, 2 * number + 1, generation)).await?;
        bench.apply(0, end(&key, cause, None)).await?;
        bench.apply(1, identify(&key, 2 * number, 1)).await?;
        bench.apply(2, look(2 * number)).await?;
        bench.apply(0, commit(&key, 2 * number + 1, generation + 1)).await?;
        bench.apply(1, activate(&key, 2 * number)).await?;
        bench.apply(2, end(&key, cause, None)).await?;
    }
    bench.audit(&[key]).await
}

async fn all_at_once<S: Subject>(bench: &mut Bench<S>) -> Step<()> {
    let companies = ["acme", "begun", "both", "ended", "posted"];
    let keys = companies.map(|company| key("planner", company));
    let [live, begun, both, ended, posted] = &keys;
    for key in [live, both, ended] {
        apply_all(bench, connecting(key, 1, 1)).await?;
        bench.apply(0, issue(key, 1, 1, 1)).await?;
    }
    bench.apply(0, end(ended, EndCause::Refused, None)).await?;
    apply_all(bench, [begin(begun, 1, 0), begin(both, 2, 1), begin(posted, 1, 0)]).await?;
    bench.apply(0, arm(posted, 1, 1)).await?;
    bench.apply(1, issue(posted, 1, 1, 1)).await?;
    for limit in [0, 1, 2, usize::MAX] {
        bench.apply(2, PartnerOp::Unsettled { limit }).await?;
    }
    bench.about(Rule::EndsStay);
    bench.apply(0, PartnerOp::EndAll { cause: EndCause::Revoked }).await?;
    for key in &keys {
        bench.apply(1, identify(key, 1, 1)).await?;
        let limits = AttemptLimits::default();
        bench.apply(2, find(client_key(key, 1), None, limits)).await?;
        bench.apply(0, issue(key, 1, 1, 2)).await?;
    }
    bench.audit(&keys).await?;
    bench.apply(1, PartnerOp::EndAll { cause: EndCause::Disabled }).await?;
    bench.audit(&keys).await
}
