//! Lost answers: an operation is offered again, elsewhere; and callers that leave.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use sr_auth_core::Timestamp;
use sr_auth_core::store::{CauseOfDeath, End, GrantKey, Refusals, StoreOp};
use sr_auth_store::Sealed;

use crate::conformance::bench::{Bench, Step};
use crate::conformance::rule::Rule;
use crate::conformance::stage::Stage;
use crate::conformance::subject::{Subject, TrialError};
use crate::conformance::values::{
    FAR, LONG, adopt, arm, at, back_off, bury, commit, disarm, escrow, intent, key, load,
    sealed_again,
};

/// Makes one operation on a grant at generation 1 whose intent is (1, 1).
type Deed = fn(&GrantKey) -> StoreOp<Sealed>;

/// One of each operation that changes something.
const DEEDS: [(&str, Deed); 8] = [
    ("adopt", |key| adopt(key, 2)),
    ("arm", |key| arm(key, 1, intent(2, 1), LONG)),
    ("bury", |key| bury(key, 1, 1, 1, CauseOfDeath::RefusedByServer)),
    ("commit", |key| commit(key, 1, 1, 2)),
    ("disarm", |key| disarm(key, intent(1, 1))),
    ("disarm and back off", |key| {
        let refusals = Refusals { count: 2, first_at: Timestamp::EPOCH, status: 400 };
        back_off(key, intent(1, 1), FAR, refusals)
    }),
    ("end", |key| StoreOp::End { end: End::Disabled, generation: Some(at(1)), key: key.clone() }),
    ("escrow", |key| escrow(key, 1, 1, 3)),
];

pub(super) async fn play<S, M>(stage: &mut Stage<'_, M>) -> Result<(), TrialError>
where
    S: Subject,
    M: AsyncFn() -> Result<S, TrialError>,
{
    stage.play("answers are lost, and each operation is repeated elsewhere", lost_answers).await?;
    stage.play("callers leave while their operation is under way", callers_leave).await
}

/// A grant of its own for each deed, armed unless the deed is to arm it.
async fn begin<S: Subject>(bench: &mut Bench<S>, round: &str, name: &str) -> Step<GrantKey> {
    let key = key(&format!("{round}/{name}"));
    bench.apply(0, adopt(&key, 1)).await?;
    if name != "arm" {
        bench.apply(0, arm(&key, 1, intent(1, 1), LONG)).await?;
    }
    Ok(key)
}

async fn lost_answers<S: Subject>(bench: &mut Bench<S>) -> Step<()> {
    let mut keys = Vec::new();
    for (name, deed) in DEEDS {
        let key = begin(bench, "lost", name).await?;
        bench.apply(0, deed(&key)).await?;
        for connection in 1..3 {
            // A moment later, so that a second entry or a second moment would show.
            bench.wait(Duration::from_millis(1)).await?;
            bench.repeat(connection, sealed_again(deed(&key))).await?;
        }
        keys.push(key);
    }
    bench.about(Rule::RepeatChangesNothing);
    bench.audit(&keys).await
}

async fn callers_leave<S: Subject>(bench: &mut Bench<S>) -> Step<()> {
    bench.about(Rule::WholeOrNothing);
    for (round, polls) in [("at once", 1), ("soon", 2), ("late", 5)] {
        let mut keys = Vec::new();
        for (name, deed) in DEEDS {
            let key = begin(bench, round, name).await?;
            let op = deed(&key);
            leave(bench, op.clone(), polls).await;
            // What was left behind is done by now, or will be without anybody noticing.
            let answer = bench.ask(1, &op).await?;
            let read = bench.ask(1, &load(&key)).await?;
            bench.compare_perhaps_done_before(&op, answer, &read.outcome)?;
            keys.push(key);
        }
        bench.audit(&keys).await?;
    }
    Ok(())
}

/// Begins an operation and drops it after some polls.
async fn leave<S: Subject>(bench: &Bench<S>, op: StoreOp<Sealed>, polls: u32) {
    let backend = bench.connection(0);
    let mut under_way = pin!(backend.apply(op));
    for _ in 0..polls {
        let done = poll_fn(|context| Poll::Ready(under_way.as_mut().poll(context).is_ready()));
        if done.await {
            return;
        }
        tokio::task::yield_now().await;
    }
}
