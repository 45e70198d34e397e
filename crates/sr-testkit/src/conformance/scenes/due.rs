//! What is due.

use std::time::Duration;

use sr_auth_core::Timestamp;
use sr_auth_core::store::{
    CauseOfDeath, GrantKey, NewGrant, Refusals, Renewal, StoreOp, StoredToken,
};
use sr_auth_store::Sealed;

use crate::conformance::bench::{Bench, Step};
use crate::conformance::stage::Stage;
use crate::conformance::subject::{Subject, TrialError};
use crate::conformance::values::{
    FAR, LONG, adopt, arm, back_off, bury, commit, consent, intent, key, token,
};

pub(super) async fn play<S, M>(stage: &mut Stage<'_, M>) -> Result<(), TrialError>
where
    S: Subject,
    M: AsyncFn() -> Result<S, TrialError>,
{
    stage.play("grants become due one after the other", in_order).await?;
    stage.play("what is due changes with what happens", changing).await
}

fn due_at(key: &GrantKey, secs: u64, renewal: Renewal) -> StoreOp<Sealed> {
    let renew_at = Timestamp::from_unix_secs(secs);
    let refresh = Some(StoredToken { renew_at, ..token(secs, 0) });
    let access = Some(StoredToken { renew_at: Timestamp::EPOCH, ..token(1, 0) });
    consent(key, NewGrant { access, refresh, renewal })
}

/// Asks with every limit and around every moment.
async fn ask<S: Subject>(bench: &mut Bench<S>, moments: &[Timestamp]) -> Step<()> {
    let [before, after] = [Timestamp::before, Timestamp::after];
    let instant = Duration::from_millis(1);
    for (connection, moment) in moments.iter().enumerate() {
        for until in [before(*moment, instant), *moment, after(*moment, instant)] {
            for limit in [0, 1, 2, 3, 100, usize::MAX] {
                bench.apply(connection, StoreOp::Due { limit, until }).await?;
            }
        }
    }
    Ok(())
}

async fn in_order<S: Subject>(bench: &mut Bench<S>) -> Step<()> {
    let moments = [0, 10, 20, 30, u64::MAX].map(Timestamp::from_unix_secs);
    ask(bench, &moments).await?;
    let grants = [("c", 30), ("f", 10), ("a", 20), ("e", 20), ("b", 20), ("d", 10), ("g", 40)];
    for (name, secs) in grants {
        bench.apply(0, due_at(&key(name), secs, Renewal::SingleUse)).await?;
    }
    bench.apply(0, due_at(&key("repeatable"), 5, Renewal::Repeatable)).await?;
    let none = NewGrant { access: Some(token(1, 0)), refresh: None, renewal: Renewal::SingleUse };
    bench.apply(0, consent(&key("without a token"), none)).await?;
    ask(bench, &moments).await
}

async fn changing<S: Subject>(bench: &mut Bench<S>) -> Step<()> {
    let names = ["armed", "backing off", "bare", "dead", "rotated", "suspect"];
    for (name, secs) in names.into_iter().zip(1..) {
        bench.apply(0, due_at(&key(name), secs, Renewal::SingleUse)).await?;
    }
    let bare = NewGrant { access: None, refresh: None, renewal: Renewal::SingleUse };
    bench.apply(0, consent(&key("bare"), bare)).await?;
    for name in ["armed", "backing off", "suspect"] {
        bench.apply(1, arm(&key(name), 1, intent(1, 1), LONG)).await?;
    }
    bench.apply(1, arm(&key("bare"), 2, intent(1, 1), LONG * 2)).await?;
    let (now, none) = (bench.now(), Refusals::default());
    bench.apply(1, back_off(&key("backing off"), intent(1, 1), now.after(LONG), none)).await?;
    let refusals = none.after(now, 400);
    bench.apply(1, back_off(&key("suspect"), intent(1, 1), now, refusals)).await?;
    bench.apply(1, bury(&key("dead"), 1, 1, 4, CauseOfDeath::Expired)).await?;
    bench.apply(1, commit(&key("rotated"), 1, 1, 3)).await?;
    bench.apply(1, adopt(&key("new"), 2)).await?;
    let quiet_over = bench.now().after(LONG);
    let moments = [Timestamp::EPOCH, now, now.after(LONG), quiet_over, now.after(LONG * 2), FAR];
    ask(bench, &moments).await
}
