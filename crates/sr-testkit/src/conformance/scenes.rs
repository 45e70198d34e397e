//! Scenes: short stories in which each rule has its turn.

mod consent;
mod due;
mod durability;
mod extremes;
mod generations;
mod intents;
mod keys;
mod pulse;
mod repeats;
mod secrets;
mod take_over;

use super::stage::Stage;
use super::subject::{Subject, TrialError};

/// Plays all scenes, each in a store of its own.
pub(super) async fn play<S, M>(stage: &mut Stage<'_, M>) -> Result<(), TrialError>
where
    S: Subject,
    M: AsyncFn() -> Result<S, TrialError>,
{
    consent::play(stage).await?;
    intents::play(stage).await?;
    take_over::play(stage).await?;
    generations::play(stage).await?;
    due::play(stage).await?;
    pulse::play(stage).await?;
    extremes::play(stage).await?;
    keys::play(stage).await?;
    repeats::play(stage).await?;
    durability::play(stage).await?;
    secrets::play(stage).await
}
