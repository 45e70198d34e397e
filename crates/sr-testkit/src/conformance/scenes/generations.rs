//! Generations: what moves them, what asks for one, and who may commit.

use sr_auth_core::store::{CauseOfDeath, End, GrantKey, NewGrant, Renewal, StoreOp, Successor};
use sr_auth_store::Sealed;

use crate::conformance::bench::{Bench, Step};
use crate::conformance::stage::Stage;
use crate::conformance::subject::{Subject, TrialError};
use crate::conformance::values::{
    LONG, adopt, arm, at, bury, commit, consent, disarm, escrow, intent, key, load, owner, token,
};

pub(super) async fn play<S, M>(stage: &mut Stage<'_, M>) -> Result<(), TrialError>
where
    S: Subject,
    M: AsyncFn() -> Result<S, TrialError>,
{
    stage.play("successors of other generations are brought", other_generations).await?;
    stage.play("a commit comes late", late_commit).await?;
    stage.play("a grant is found dead", death).await?;
    stage.play("a grant is ended", ending).await?;
    stage.play("a rotation brings no successor", last_leg).await?;
    stage.play("successors are put aside", siblings).await
}

fn end(key: &GrantKey, end: End, of: Option<u64>) -> StoreOp<Sealed> {
    StoreOp::End { end, generation: of.map(at), key: key.clone() }
}

async fn other_generations<S: Subject>(bench: &mut Bench<S>) -> Step<()> {
    let key = key("planner/acme");
    bench.apply(0, commit(&key, 0, 1, 2)).await?;
    bench.apply(0, adopt(&key, 1)).await?;
    for of in [0, 2, 3, u64::MAX, 1 << 63] {
        bench.apply(1, commit(&key, of, 1, 10)).await?;
        bench.apply(2, load(&key)).await?;
    }
    bench.apply(1, commit(&key, 1, 1, 2)).await?;
    for of in [1, 0, 3] {
        bench.apply(2, commit(&key, of, 1, 11)).await?;
    }
    // A new consent and an end leave older rotations behind.
    bench.apply(0, adopt(&key, 20)).await?;
    bench.apply(1, commit(&key, 2, 1, 12)).await?;
    bench.apply(0, end(&key, End::Disabled, None)).await?;
    bench.apply(1, commit(&key, 3, 1, 13)).await?;
    bench.audit(&[key]).await
}

/// Whoever armed meanwhile, whatever was decided about the grant: the generation alone counts.
async fn late_commit<S: Subject>(bench: &mut Bench<S>) -> Step<()> {
    let key = key("planner/acme");
    bench.apply(0, adopt(&key, 1)).await?;
    // By one that never armed.
    bench.apply(1, commit(&key, 1, 1, 2)).await?;
    // Over the intent of another, which is gone with it.
    bench.apply(0, arm(&key, 2, intent(2, 1), LONG)).await?;
    bench.apply(1, commit(&key, 2, 1, 3)).await?;
    bench.apply(0, arm(&key, 2, intent(2, 1), LONG)).await?;
    bench.apply(0, arm(&key, 3, intent(2, 2), LONG)).await?;
    // After its own intent was removed.
    bench.apply(0, disarm(&key, intent(2, 2))).await?;
    bench.apply(0, commit(&key, 3, 2, 4)).await?;
    // Over an inferred death, which was wrong.
    bench.apply(0, bury(&key, 4, 1, 4, CauseOfDeath::LostInRotation)).await?;
    bench.apply(2, commit(&key, 4, 1, 5)).await?;
    bench.audit(&[key]).await
}

async fn death<S: Subject>(bench: &mut Bench<S>) -> Step<()> {
    let key = key("planner/acme");
    bench.apply(0, bury(&key, 0, 1, 1, CauseOfDeath::Expired)).await?;
    bench.apply(0, adopt(&key, 1)).await?;
    bench.apply(0, arm(&key, 1, intent(1, 1), LONG)).await?;
    for of in [0, 2, u64::MAX] {
        bench.apply(1, bury(&key, of, 1, 1, CauseOfDeath::RefusedByServer)).await?;
        bench.apply(0, load(&key)).await?;
    }
    // Another token of the same number, as of a record that was founded anew since.
    bench.apply(1, bury(&key, 1, 1, 9, CauseOfDeath::RefusedByServer)).await?;
    bench.apply(1, bury(&key, 1, 1, 1, CauseOfDeath::RefusedByServer)).await?;
    bench.apply(2, bury(&key, 1, 1, 1, CauseOfDeath::Expired)).await?;
    bench.apply(0, arm(&key, 1, intent(1, 2), LONG)).await?;
    bench.audit(std::slice::from_ref(&key)).await?;
    bench.apply(0, adopt(&key, 1)).await?;
    for (number, cause) in
        (2..).zip([CauseOfDeath::Expired, CauseOfDeath::LostInRotation, CauseOfDeath::Unrecognised])
    {
        bench.apply(1, bury(&key, number, 1, number - 1, cause)).await?;
        bench.apply(0, commit(&key, number, 1, number)).await?;
    }
    bench.audit(&[key]).await
}

async fn ending<S: Subject>(bench: &mut Bench<S>) -> Step<()> {
    let key = key("planner/acme");
    bench.apply(0, end(&key, End::Revoked, None)).await?;
    bench.apply(0, adopt(&key, 1)).await?;
    bench.apply(0, arm(&key, 1, intent(1, 1), LONG)).await?;
    bench.apply(0, escrow(&key, 1, 0, 9)).await?;
    for of in [0, 2, u64::MAX] {
        bench.apply(1, end(&key, End::Disabled, Some(of))).await?;
        bench.apply(2, load(&key)).await?;
    }
    bench.apply(1, end(&key, End::Disabled, Some(1))).await?;
    bench.apply(2, arm(&key, 2, intent(2, 1), LONG)).await?;
    let (cause, generation) = (CauseOfDeath::Expired, at(2));
    let (key_of, refused) = (key.clone(), None);
    let bury = StoreOp::Bury { cause, generation, key: key_of, owner: owner(1), refused };
    bench.apply(2, bury).await?;
    bench.apply(0, end(&key, End::Disabled, Some(1))).await?;
    bench.apply(0, end(&key, End::Revoked, Some(1))).await?;
    bench.apply(0, end(&key, End::Revoked, None)).await?;
    bench.audit(&[key]).await
}

async fn last_leg<S: Subject>(bench: &mut Bench<S>) -> Step<()> {
    for (name, renewal) in [("single", Renewal::SingleUse), ("repeatable", Renewal::Repeatable)] {
        let key = key(name);
        let grant = NewGrant { access: None, refresh: Some(token(1, 0)), renewal };
        bench.apply(0, consent(&key, grant)).await?;
        let mut of = 1;
        for access in [Some(token(2, 0)), None] {
            let (key, owner) = (key.clone(), owner(1));
            let successor = Successor { access, refresh: None };
            bench.apply(1, StoreOp::Commit { generation: at(of), key, owner, successor }).await?;
            of += 1;
        }
        bench.apply(2, arm(&key, of, intent(1, 1), LONG)).await?;
        bench.apply(0, commit(&key, of, 1, 3)).await?;
        bench.audit(&[key]).await?;
    }
    Ok(())
}

async fn siblings<S: Subject>(bench: &mut Bench<S>) -> Step<()> {
    let key = key("planner/acme");
    bench.apply(0, escrow(&key, 1, 0, 9)).await?;
    bench.apply(0, adopt(&key, 1)).await?;
    for (from, name) in [(3, 10), (2, 11), (3, 12), (4, 13)] {
        bench.apply(1, escrow(&key, 1, from, name)).await?;
        bench.apply(2, load(&key)).await?;
    }
    // A rotation leaves it, a promotion takes it away.
    bench.apply(0, commit(&key, 1, 1, 2)).await?;
    bench.apply(0, commit(&key, 2, 1, 13)).await?;
    bench.apply(1, escrow(&key, 1, 1, 14)).await?;
    bench.apply(1, end(&key, End::Disabled, None)).await?;
    bench.apply(1, escrow(&key, 1, 1, 14)).await?;
    bench.audit(&[key]).await
}
