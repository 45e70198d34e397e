//! A new consent: over nothing, over a grant, over an end.

use sr_auth_core::store::{CauseOfDeath, End, NewGrant, Record, Renewal, StoreOp};
use sr_auth_store::Sealed;

use crate::conformance::bench::{Bench, Step};
use crate::conformance::stage::Stage;
use crate::conformance::subject::{Subject, TrialError};
use crate::conformance::values::{
    LONG, adopt, arm, bury, commit, consent, disarm, escrow, found, intent, key, load, token,
};

pub(super) async fn play<S, M>(stage: &mut Stage<'_, M>) -> Result<(), TrialError>
where
    S: Subject,
    M: AsyncFn() -> Result<S, TrialError>,
{
    stage.play("a grant is adopted over nothing and over itself", over_itself).await?;
    stage.play("a lost record is founded anew by two processes", founded_anew).await?;
    stage.play("a consent is offered again after a rotation", offered_late).await?;
    stage.play("an ended grant gets a new consent", over_an_end).await?;
    stage.play("a grant has some tokens or none", with_and_without_tokens).await?;
    stage.play("a long life fills the ledger", long_life).await
}

async fn over_itself<S: Subject>(bench: &mut Bench<S>) -> Step<()> {
    let key = key("planner/acme");
    bench.apply(0, load(&key)).await?;
    bench.apply(1, adopt(&key, 1)).await?;
    bench.apply(2, load(&key)).await?;
    bench.apply(0, arm(&key, 1, intent(1, 1), LONG)).await?;
    bench.apply(1, escrow(&key, 1, 0, 9)).await?;
    // Intent, sibling and counts of the old grant are gone, its ledger and its number are not.
    bench.apply(2, adopt(&key, 2)).await?;
    bench.apply(0, adopt(&key, 3)).await?;
    bench.apply(0, arm(&key, 3, intent(1, 2), LONG)).await?;
    bench.audit(&[key]).await
}

/// The second is shown what the first has written, and so is whoever comes after an end.
async fn founded_anew<S: Subject>(bench: &mut Bench<S>) -> Step<()> {
    let key = key("planner/acme");
    bench.apply(0, found(&key, 1)).await?;
    bench.apply(1, found(&key, 2)).await?;
    bench.apply(2, found(&key, 1)).await?;
    bench.apply(0, commit(&key, 1, 1, 3)).await?;
    bench.apply(1, found(&key, 1)).await?;
    let end = StoreOp::End { end: End::Disabled, generation: None, key: key.clone() };
    bench.apply(2, end).await?;
    bench.apply(0, found(&key, 3)).await?;
    bench.audit(&[key]).await
}

/// What was taken in before undoes nothing that came since, until the ledger has forgotten it.
async fn offered_late<S: Subject>(bench: &mut Bench<S>) -> Step<()> {
    let key = key("planner/acme");
    bench.apply(0, adopt(&key, 1)).await?;
    for of in 1..u64::try_from(Record::<Sealed>::LEDGER_LIMIT).unwrap_or(u64::MAX) + 2 {
        bench.apply(0, arm(&key, of, intent(1, of), LONG)).await?;
        bench.repeat(2, adopt(&key, 1)).await?;
        bench.apply(1, commit(&key, of, 1, of + 1)).await?;
        bench.repeat(2, adopt(&key, 1)).await?;
    }
    bench.audit(&[key]).await
}

async fn over_an_end<S: Subject>(bench: &mut Bench<S>) -> Step<()> {
    let key = key("planner/acme");
    bench.apply(0, adopt(&key, 1)).await?;
    for (connection, end) in [(1, End::Disabled), (2, End::Revoked)] {
        let op = StoreOp::End { end, generation: None, key: key.clone() };
        bench.apply(connection, op).await?;
        bench.apply(0, arm(&key, 2, intent(1, 1), LONG)).await?;
        // The same tokens as before the end: it is a new grant all the same.
        bench.apply(connection, adopt(&key, 1)).await?;
    }
    bench.apply(0, commit(&key, 5, 1, 2)).await?;
    bench.audit(&[key]).await
}

async fn with_and_without_tokens<S: Subject>(bench: &mut Bench<S>) -> Step<()> {
    let mut keys = Vec::new();
    for renewal in [Renewal::Repeatable, Renewal::SingleUse] {
        for number in 0..4_u64 {
            let key = key(&format!("grant {}", keys.len()));
            let access = (number & 1 == 1).then(|| token(number, 0));
            let refresh = (number & 2 == 2).then(|| token(number + 10, 0));
            let grant = NewGrant { access, refresh, renewal };
            bench.apply(0, consent(&key, grant)).await?;
            keys.push(key);
        }
    }
    bench.audit(&keys).await
}

/// More entries than the ledger keeps, and all kinds of them.
async fn long_life<S: Subject>(bench: &mut Bench<S>) -> Step<()> {
    let key = key("planner/acme");
    bench.apply(0, adopt(&key, 0)).await?;
    let limit = u64::try_from(Record::<Sealed>::LEDGER_LIMIT).unwrap_or(u64::MAX);
    for of in 1..limit + 4 {
        bench.apply(0, arm(&key, of, intent(of, of), LONG)).await?;
        bench.apply(1, commit(&key, of, of, of)).await?;
        bench.apply(2, disarm(&key, intent(of, of))).await?;
        if of % 5 == 0 {
            bench.apply(1, escrow(&key, of, of, of + 100)).await?;
        }
    }
    let bury = bury(&key, limit + 4, 1, limit + 3, CauseOfDeath::LostInRotation);
    bench.apply(0, bury).await?;
    bench.audit(&[key]).await
}
