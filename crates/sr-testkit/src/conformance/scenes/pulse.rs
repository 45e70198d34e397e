//! Pulses: what has changed, which store it is, who lives.

use std::collections::BTreeMap;
use std::time::Duration;

use sr_auth_core::Timestamp;
use sr_auth_core::store::{CauseOfDeath, End, GrantKey, Model, Sequence, StoreOp, StoreOutcome};
use sr_auth_store::Sealed;

use crate::conformance::bench::{Bench, Step};
use crate::conformance::kind::{Grants, Kind as _};
use crate::conformance::rule::Rule;
use crate::conformance::stage::Stage;
use crate::conformance::subject::{Subject, TrialError};
use crate::conformance::values::{
    LONG, adopt, arm, bury, commit, disarm, escrow, intent, key, load, owner,
};

/// How many changes more than a pulse tells.
const BEYOND: usize = 40;

pub(super) async fn play<S, M>(stage: &mut Stage<'_, M>) -> Result<(), TrialError>
where
    S: Subject,
    M: AsyncFn() -> Result<S, TrialError>,
{
    stage.play("a pulse is asked from every cursor", cursors).await?;
    stage.play("more changes than a pulse tells", beyond_the_limit).await?;
    stage.play("processes show that they live", life_signs).await?;
    let mut can_wait = true;
    let ends = async |bench: &mut Bench<S>| {
        can_wait = bench.can_move_clock();
        if can_wait { life_ends(bench).await } else { Ok(()) }
    };
    stage.play("signs of life grow old", ends).await?;
    if !can_wait {
        stage.report().leave_out("the end of a sign of life: the store's clock cannot be moved");
    }
    Ok(())
}

fn pulse(of: u64, since: u64, alive: bool) -> StoreOp<Sealed> {
    StoreOp::Pulse { alive, owner: owner(of), since: Sequence(since) }
}

async fn cursors<S: Subject>(bench: &mut Bench<S>) -> Step<()> {
    let [one, other] = [key("planner/acme"), key("planner/other")];
    let end = |key: &GrantKey, end| StoreOp::End { end, generation: None, key: key.clone() };
    // Those that change nothing that others have to know stand between those that do.
    let ops = [
        adopt(&one, 1),
        arm(&one, 1, intent(1, 1), LONG),
        adopt(&other, 2),
        load(&one),
        commit(&one, 1, 1, 3),
        commit(&one, 1, 2, 4),
        escrow(&one, 2, 1, 4),
        escrow(&one, 2, 0, 5),
        disarm(&one, intent(1, 1)),
        bury(&other, 1, 2, 2, CauseOfDeath::Unrecognised),
        bury(&other, 1, 2, 2, CauseOfDeath::Unrecognised),
        bury(&one, 1, 2, 1, CauseOfDeath::Unrecognised),
        commit(&other, 1, 3, 6),
        end(&other, End::Disabled),
        end(&other, End::Disabled),
        end(&other, End::Revoked),
        adopt(&one, 1),
        adopt(&one, 1),
    ];
    let count = u64::try_from(ops.len()).unwrap_or(u64::MAX);
    for (connection, op) in ops.into_iter().enumerate() {
        bench.apply(connection, op).await?;
        bench.apply(connection + 1, Grants::look()).await?;
    }
    for since in (0..=count).chain([u64::MAX]) {
        bench.apply(0, pulse(1, since, false)).await?;
    }
    Ok(())
}

/// Many at once, for it would take long one after the other: the pulse tells the order.
async fn beyond_the_limit<S: Subject>(bench: &mut Bench<S>) -> Step<()> {
    let count = Model::<Sealed>::CHANGES_LIMIT + BEYOND;
    let keys: Vec<GrantKey> = (0..count).map(|it| key(&format!("planner/{it}"))).collect();
    let ops = keys.iter().zip(0..).map(|(key, number)| adopt(key, number)).collect();
    let mut answers = bench.ask_at_once(ops).await?;
    let look = Grants::look();
    let told = bench.ask(0, &look).await?;
    let StoreOutcome::Pulse(pulse) = &told.outcome else {
        bench.compare(&look, told)?;
        return Ok(());
    };
    let counted = usize::try_from(pulse.sequence.0).unwrap_or(usize::MAX);
    if counted != count {
        let saw = format!("{counted} changes counted after {count} adoptions");
        return Err(bench.broken(Rule::OneAfterTheOther, &look, saw));
    }
    let told_at: BTreeMap<_, _> = pulse.changes.iter().map(|it| &it.key).zip(1..).collect();
    // Those that were cut off came first.
    let place =
        |op: &StoreOp<Sealed>| op.key().and_then(|key| told_at.get(key)).map_or(0, |it| *it);
    answers.sort_by_key(|(op, _)| place(op));
    for (op, answer) in answers {
        // They ran at once, so the order of their moments is nobody's promise.
        bench.compare_unordered(&op, answer)?;
    }
    bench.compare(&look, told)?;
    let limit = u64::try_from(Model::<Sealed>::CHANGES_LIMIT).unwrap_or(u64::MAX);
    let beyond = u64::try_from(BEYOND).unwrap_or(u64::MAX);
    for since in [1, beyond - 1, beyond, beyond + 1, limit, limit + beyond - 1, limit + beyond] {
        bench.apply(1, self::pulse(1, since, false)).await?;
    }
    let due = StoreOp::Due { limit: count - 1, until: Timestamp::MAX };
    bench.apply(2, due).await?;
    Ok(())
}

async fn life_signs<S: Subject>(bench: &mut Bench<S>) -> Step<()> {
    let key = key("planner/acme");
    bench.apply(0, pulse(1, 0, false)).await?;
    bench.apply(0, pulse(1, 0, true)).await?;
    bench.apply(1, pulse(2, 0, false)).await?;
    bench.apply(1, pulse(2, 0, true)).await?;
    bench.apply(0, pulse(1, 0, false)).await?;
    bench.apply(2, pulse(3, 0, false)).await?;
    bench.apply(0, adopt(&key, 1)).await?;
    // To arm is a sign of life, to be refused is none.
    bench.apply(0, arm(&key, 1, intent(4, 1), LONG)).await?;
    bench.apply(0, arm(&key, 1, intent(5, 1), LONG)).await?;
    bench.apply(1, commit(&key, 1, 6, 2)).await?;
    for of in 1..8 {
        bench.apply(2, pulse(of, 0, false)).await?;
    }
    Ok(())
}

async fn life_ends<S: Subject>(bench: &mut Bench<S>) -> Step<()> {
    let life = Model::<Sealed>::LIFE_SIGN;
    let instant = Duration::from_millis(1);
    bench.apply(0, pulse(1, 0, true)).await?;
    bench.wait(life / 2).await?;
    bench.apply(0, pulse(2, 0, true)).await?;
    // Just before the end, just after it, and long after.
    for span in [life / 2 - instant * 4, instant, instant, instant, life / 2, life] {
        for of in [1, 2, 3] {
            bench.apply(0, pulse(of, 0, false)).await?;
        }
        bench.wait(span).await?;
    }
    bench.apply(0, pulse(3, 0, false)).await?;
    Ok(())
}
