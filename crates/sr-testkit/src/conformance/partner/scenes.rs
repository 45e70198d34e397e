//! Scenes: short stories in which each rule of integrations has its turn.

mod attempts;
mod changes;
mod durability;
mod ends;
mod extremes;
mod refusals;
mod repeats;
mod secrets;
mod tokens;

use super::Integrations;
use crate::conformance::bench::{self, Step};
use crate::conformance::stage::Stage;
use crate::conformance::subject::{Subject, TrialError};

type Bench<S> = bench::Bench<S, Integrations>;
type Op = <Integrations as crate::conformance::kind::Kind>::Op;

/// Plays all scenes, each in a store of its own.
pub(super) async fn play<S, M>(stage: &mut Stage<'_, M>) -> Result<(), TrialError>
where
    S: Subject,
    M: AsyncFn() -> Result<S, TrialError>,
{
    attempts::play(stage).await?;
    tokens::play(stage).await?;
    ends::play(stage).await?;
    refusals::play(stage).await?;
    changes::play(stage).await?;
    extremes::play(stage).await?;
    repeats::play(stage).await?;
    durability::play(stage).await?;
    secrets::play(stage).await
}

/// Carries out operations, each on the next connection.
async fn apply_all<S: Subject>(
    bench: &mut Bench<S>,
    ops: impl IntoIterator<Item = Op>,
) -> Step<()> {
    for (connection, op) in ops.into_iter().enumerate() {
        bench.apply(connection, op).await?;
    }
    Ok(())
}
