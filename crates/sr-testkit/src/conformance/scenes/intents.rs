//! Intents: who may present, who may not, and how one is removed.

use sr_auth_core::store::{Refusals, TakeOver};

use crate::conformance::bench::{Bench, Step};
use crate::conformance::rule::Rule;
use crate::conformance::stage::Stage;
use crate::conformance::subject::{Subject, TrialError};
use crate::conformance::values::{
    FAR, LONG, adopt, arm, arm_over, back_off, commit, disarm, intent, key, load,
};

pub(super) async fn play<S, M>(stage: &mut Stage<'_, M>) -> Result<(), TrialError>
where
    S: Subject,
    M: AsyncFn() -> Result<S, TrialError>,
{
    stage.play("two processes arm one grant", two_arm).await?;
    stage.play("a process disarms the intent of another", foreign_disarm).await?;
    stage.play("a connection closes while its intent stands", connection_closes).await?;
    stage.play("one process backs off for all", back_off_for_all).await?;
    stage.play("refusals are counted", refusals).await
}

async fn two_arm<S: Subject>(bench: &mut Bench<S>) -> Step<()> {
    let key = key("planner/acme");
    bench.apply(0, arm(&key, 1, intent(1, 1), LONG)).await?;
    bench.apply(0, adopt(&key, 1)).await?;
    bench.apply(1, arm(&key, 1, intent(1, 1), LONG)).await?;
    bench.apply(2, arm(&key, 1, intent(2, 1), LONG)).await?;
    // The same process with another intent, the other with the same number.
    bench.apply(1, arm(&key, 1, intent(1, 2), LONG)).await?;
    let over = Some(TakeOver { even_if_alive: true, intent: intent(3, 1) });
    bench.apply(2, arm_over(&key, 1, intent(2, 1), LONG, over)).await?;
    for generation in [0, 2, u64::MAX] {
        bench.apply(2, arm(&key, generation, intent(2, 1), LONG)).await?;
    }
    bench.audit(&[key]).await
}

async fn foreign_disarm<S: Subject>(bench: &mut Bench<S>) -> Step<()> {
    let key = key("planner/acme");
    bench.apply(0, disarm(&key, intent(1, 1))).await?;
    bench.apply(0, adopt(&key, 1)).await?;
    bench.apply(0, disarm(&key, intent(1, 1))).await?;
    bench.apply(0, arm(&key, 1, intent(1, 1), LONG)).await?;
    let refused = Refusals { count: 1, first_at: bench.now(), status: 400 };
    for other in [intent(2, 1), intent(1, 2), intent(1, 0)] {
        bench.apply(1, disarm(&key, other)).await?;
        bench.apply(1, back_off(&key, other, FAR, refused)).await?;
        bench.apply(2, load(&key)).await?;
    }
    bench.apply(2, arm(&key, 1, intent(2, 1), LONG)).await?;
    bench.apply(1, disarm(&key, intent(1, 1))).await?;
    bench.apply(2, arm(&key, 1, intent(2, 1), LONG)).await?;
    bench.audit(&[key]).await
}

/// An intent is no lock: it outlives whoever wrote it.
async fn connection_closes<S: Subject>(bench: &mut Bench<S>) -> Step<()> {
    bench.about(Rule::IntentStands);
    let key = key("planner/acme");
    bench.apply(0, adopt(&key, 1)).await?;
    bench.apply(0, arm(&key, 1, intent(1, 1), LONG)).await?;
    bench.reconnect(0).await?;
    bench.apply(1, load(&key)).await?;
    bench.apply(0, arm(&key, 1, intent(2, 1), LONG)).await?;
    bench.audit(&[key]).await
}

async fn back_off_for_all<S: Subject>(bench: &mut Bench<S>) -> Step<()> {
    let key = key("planner/acme");
    let none = Refusals::default();
    bench.apply(0, adopt(&key, 1)).await?;
    bench.apply(0, arm(&key, 1, intent(1, 1), LONG)).await?;
    let later = bench.now().after(LONG);
    bench.apply(0, back_off(&key, intent(1, 1), later, none)).await?;
    bench.apply(1, arm(&key, 1, intent(2, 1), LONG)).await?;
    bench.apply(0, arm(&key, 1, intent(1, 2), LONG)).await?;
    // A rotation that came late ends the back-off.
    bench.apply(2, commit(&key, 1, 3, 2)).await?;
    bench.apply(1, arm(&key, 2, intent(2, 1), LONG)).await?;
    let [sooner, now] = [bench.now().after(LONG / 2), bench.now()];
    bench.apply(1, back_off(&key, intent(2, 1), sooner, none)).await?;
    bench.apply(1, back_off(&key, intent(2, 1), now, none)).await?;
    bench.audit(&[key]).await
}

async fn refusals<S: Subject>(bench: &mut Bench<S>) -> Step<()> {
    let key = key("planner/acme");
    bench.apply(0, adopt(&key, 1)).await?;
    let mut refusals = Refusals::default();
    for (number, status) in (1..).zip([400, 400, 418, 418, 418]) {
        bench.apply(0, arm(&key, 1, intent(1, number), LONG)).await?;
        refusals = refusals.after(bench.now(), status);
        bench.apply(1, back_off(&key, intent(1, number), bench.now(), refusals)).await?;
    }
    bench.audit(std::slice::from_ref(&key)).await?;
    bench.apply(2, commit(&key, 1, 2, 2)).await?;
    bench.audit(&[key]).await
}
