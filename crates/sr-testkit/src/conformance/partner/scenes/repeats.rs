//! Lost answers: an operation is offered again, elsewhere; and callers that leave.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use sr_partner::IntegrationKey;
use sr_partner::store::EndCause;

use super::{Bench, Op, apply_all};
use crate::conformance::bench::Step;
use crate::conformance::kind::Kind as _;
use crate::conformance::partner::Integrations;
use crate::conformance::partner::values::{
    activate, arm, begin, commit, connecting, disable, end, issue, key, load, sealed_again, void,
};
use crate::conformance::rule::Rule;
use crate::conformance::stage::Stage;
use crate::conformance::subject::{Subject, TrialError};

/// One of each operation that changes something: its name, what comes before it, and itself.
type Deed = (&'static str, fn(&IntegrationKey) -> Vec<Op>, fn(&IntegrationKey) -> Op);

const DEEDS: [Deed; 8] = [
    ("begin", |_| Vec::new(), |key| begin(key, 1, 0)),
    ("arm", |key| vec![begin(key, 1, 0)], |key| arm(key, 1, 1)),
    ("commit", |key| vec![begin(key, 1, 0), arm(key, 1, 1)], |key| commit(key, 1, 1)),
    (
        "activate",
        |key| vec![begin(key, 1, 0), arm(key, 1, 1), commit(key, 1, 1)],
        |key| activate(key, 1),
    ),
    ("issue", |key| connecting(key, 1, 1), |key| issue(key, 1, 1, 1)),
    (
        "disable",
        |key| {
            let mut ops = connecting(key, 1, 1);
            ops.push(issue(key, 1, 1, 1));
            ops
        },
        |key| disable(key, 1, 1),
    ),
    ("end", |key| connecting(key, 1, 1), |key| end(key, EndCause::Revoked, None)),
    ("void", |key| vec![begin(key, 1, 0), arm(key, 1, 1)], |key| void(key, 1)),
];

/// What begins a span anew when it is repeated: of two that overtake each other, either is last.
const BEGIN_ANEW: [&str; 2] = ["arm", "issue"];

pub(super) async fn play<S, M>(stage: &mut Stage<'_, M>) -> Result<(), TrialError>
where
    S: Subject,
    M: AsyncFn() -> Result<S, TrialError>,
{
    stage.play("answers are lost, and each operation is repeated elsewhere", lost_answers).await?;
    stage.play("callers leave while their operation is under way", callers_leave).await
}

async fn prepare<S: Subject>(
    bench: &mut Bench<S>,
    round: &str,
    deed: &Deed,
) -> Step<IntegrationKey> {
    let (name, before, _) = deed;
    let key = key("planner", &format!("{round}-{name}"));
    apply_all(bench, before(&key)).await?;
    Ok(key)
}

async fn lost_answers<S: Subject>(bench: &mut Bench<S>) -> Step<()> {
    let mut keys = Vec::new();
    for deed in &DEEDS {
        let key = prepare(bench, "lost", deed).await?;
        let (_, _, op) = deed;
        bench.apply(0, op(&key)).await?;
        for connection in 1..3 {
            // A moment later, so that a second entry or a second moment would show.
            bench.wait(Duration::from_millis(1)).await?;
            bench.repeat(connection, sealed_again(op(&key))).await?;
        }
        keys.push(key);
    }
    bench.about(Rule::RepeatChangesNothing);
    bench.audit(&keys).await
}

async fn callers_leave<S: Subject>(bench: &mut Bench<S>) -> Step<()> {
    bench.about(Rule::WholeOrNothing);
    for (round, polls) in [("at-once", 1), ("soon", 2), ("late", 5)] {
        let mut keys = Vec::new();
        for deed in DEEDS.iter().filter(|(name, ..)| !BEGIN_ANEW.contains(name)) {
            let key = prepare(bench, round, deed).await?;
            let (_, _, op) = deed;
            leave(bench, op(&key), polls).await;
            // What was left behind is done by now, or will be without anybody noticing.
            let answer = bench.ask(1, &op(&key)).await?;
            let read = bench.ask(1, &load(&key)).await?;
            bench.compare_perhaps_done_before(&op(&key), answer, &read.outcome)?;
            keys.push(key);
        }
        bench.audit(&keys).await?;
    }
    Ok(())
}

/// Begins an operation and drops it after some polls.
async fn leave<S: Subject>(bench: &Bench<S>, op: Op, polls: u32) {
    let backend = bench.connection(0);
    let mut under_way = pin!(Integrations::ask(&*backend, op));
    for _ in 0..polls {
        let done = poll_fn(|context| Poll::Ready(under_way.as_mut().poll(context).is_ready()));
        if done.await {
            return;
        }
        tokio::task::yield_now().await;
    }
}
