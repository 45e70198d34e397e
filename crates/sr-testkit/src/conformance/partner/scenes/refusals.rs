//! Refused token requests: counted, in a table that does not grow.

use std::time::Duration;

use sr_auth_store::Sealed;
use sr_partner::store::{AttemptLimits, PartnerModel};

use super::Bench;
use crate::conformance::bench::Step;
use crate::conformance::partner::values::{
    client_key, connecting, find, key, limits, refuse, stranger,
};
use crate::conformance::rule::Rule;
use crate::conformance::stage::Stage;
use crate::conformance::subject::{Subject, TrialError};

/// Far more than it takes to fill the table.
const WINDOW: Duration = Duration::from_secs(3_600);

pub(super) async fn play<S, M>(stage: &mut Stage<'_, M>) -> Result<(), TrialError>
where
    S: Subject,
    M: AsyncFn() -> Result<S, TrialError>,
{
    stage.play("refused requests are counted by client and by source", counted).await?;
    stage.play("many strangers are refused", bounded).await
}

async fn counted<S: Subject>(bench: &mut Bench<S>) -> Step<()> {
    bench.about(Rule::RefusalsCounted);
    let key = key("planner", "acme");
    for op in connecting(&key, 1, 1) {
        bench.apply(0, op).await?;
    }
    let second = Duration::from_secs(1);
    let limits = limits(2, 3, second);
    let [known, unknown] = [client_key(&key, 1), stranger(1)];
    for turn in 0..4 {
        bench.apply(0, find(known, Some(1), limits)).await?;
        bench.apply(1, find(unknown, Some(1), limits)).await?;
        bench.apply(2, find(stranger(2), Some(1), limits)).await?;
        bench.apply(0, find(known, None, limits)).await?;
        let client = if turn % 2 == 0 { known } else { unknown };
        bench.apply(1, refuse(client, Some(1), limits)).await?;
    }
    bench.apply(2, refuse(known, None, limits)).await?;
    bench.apply(0, find(known, Some(2), limits)).await?;
    // Just before the end of the span, and after it.
    for span in [second / 2, second / 2, second / 2] {
        bench.wait(span).await?;
        bench.apply(1, find(known, Some(1), limits)).await?;
        bench.apply(2, find(unknown, Some(1), limits)).await?;
        bench.apply(0, refuse(known, Some(1), limits)).await?;
    }
    Ok(())
}

/// Many at once, for it would take long one after the other: as long as there is room, their order
/// does not show.
async fn bounded<S: Subject>(bench: &mut Bench<S>) -> Step<()> {
    bench.about(Rule::RefusalsCounted);
    let room = u64::try_from(PartnerModel::<Sealed>::REFUSALS_LIMIT).unwrap_or(u64::MAX);
    let limits = limits(1, 1, WINDOW);
    let few = [1, 2, 3].map(|it| refuse(stranger(it), None, limits));
    for (connection, op) in few.into_iter().enumerate() {
        bench.apply(connection, op).await?;
        bench.wait(Duration::from_millis(1)).await?;
    }
    let ops = (4..=room).map(|it| refuse(stranger(it), None, limits)).collect();
    for (op, answer) in bench.ask_at_once(ops).await? {
        bench.compare_unordered(&op, answer)?;
    }
    bench.about(Rule::OneAfterTheOther);
    for name in [1, 2, 3, 4, room / 2, room, room + 1] {
        bench.apply(0, find(stranger(name), None, limits)).await?;
    }
    bench.about(Rule::RefusalsCounted);
    // No room is left: those that end first go.
    bench.apply(1, refuse(stranger(room + 1), None, limits)).await?;
    for name in [1, 2, 3, room + 1] {
        bench.apply(2, find(stranger(name), None, limits)).await?;
    }
    bench.apply(0, refuse(stranger(room + 2), Some(1), limits)).await?;
    for name in [1, 2, 3, room + 2] {
        bench.apply(1, find(stranger(name), Some(2), limits)).await?;
        bench.apply(2, find(stranger(room + 3), Some(1), limits)).await?;
    }
    // Who is known needs no room.
    let of_all = AttemptLimits::default();
    bench.apply(0, refuse(stranger(room + 2), Some(1), of_all)).await?;
    bench.apply(1, find(stranger(room + 1), None, limits)).await?;
    Ok(())
}
