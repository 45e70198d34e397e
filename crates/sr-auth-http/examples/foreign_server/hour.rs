//! An hour in the life of a grant whose access tokens live two minutes, with the clocks of both
//! sides moved.

use std::time::Duration;

use sr_auth_core::FingerprintKey;
use sr_auth_core::lifecycle::Stage;
use sr_auth_core::store::{Generation, GrantKey};
use sr_auth_http::{Clock, TokenSource, entropy};
use sr_auth_store::{SealingKeys, SqliteBackend, Store};

use crate::{Outcome, Peer, hear, say, wrong};

const STEP: Duration = Duration::from_secs(20);
const STEPS: u32 = 180;
/// A token of two minutes has to be replaced so often in an hour.
const LEAST: u64 = 30;
/// How often a renewal is looked at before it is given up: seconds.
const PATIENCE: u32 = 200_000;

/// Keeps a grant for an hour of virtual time, and uses its token all along.
pub(crate) async fn live(peer: &Peer) -> Outcome {
    let folder = tempfile::tempdir()?;
    let clock = Clock::manual(peer.client.clock().now());
    let of_store = clock.clone();
    let backend = SqliteBackend::builder(&folder.path().join("grants.db"))
        .clock(move || of_store.now())
        .open()?;
    let drawn = entropy()?;
    let [key, ..] = drawn.as_chunks::<32>().0 else { return wrong("entropy", &drawn.len()) };
    let client = peer.settings.client().clone();
    let source = TokenSource::authorization_code(client, GrantKey::new("foreign/user-admin")?)
        .clock(clock.clone())
        .endpoints(peer.settings.endpoints().clone())
        .store(Store::new(backend, SealingKeys::random()?), FingerprintKey::new(*key))
        .build()?;
    source.adopt(&peer.consents().await?).await?;
    let begun = at_rest(&source).await?;
    for _ in 0..STEPS {
        hear(&format!("advance {}", STEP.as_secs()))?;
        clock.advance(STEP);
        at_rest(&source).await?;
        let header = source.authorization().await?;
        peer.resource_takes(&header).await?;
        // Whoever uses a token that is due has it renewed.
        at_rest(&source).await?;
    }
    let rotations = at_rest(&source).await?.saturating_sub(begun);
    source.shutdown().await;
    if rotations < LEAST {
        return wrong("an hour", &rotations);
    }
    say("ok an hour of rotations, every token taken");
    Ok(())
}

/// Waits until a renewal that is due has been carried out, and returns the generation: a clock that
/// is moved by hand must not be moved between two steps of it.
async fn at_rest(source: &TokenSource) -> Outcome<u64> {
    let mut last = None;
    for _ in 0..PATIENCE {
        last = source.view().await?;
        if let Some(view) = &last {
            let is_due = view.timeout_in.is_some_and(|it| it.is_zero());
            if matches!(view.stage, Stage::Idle) && !is_due {
                return Ok(view.generation.map(Generation::number).unwrap_or_default());
            }
        }
        tokio::task::yield_now().await;
    }
    wrong("a renewal that does not end", &last)
}
