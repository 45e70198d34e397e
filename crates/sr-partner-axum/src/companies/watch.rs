//! Listens to the store: what has ended elsewhere ends here.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use sr_auth_core::lifecycle::StoreFailure;
use sr_auth_core::store::{Sequence, StoreIdentity};
use sr_partner::IntegrationKey;
use sr_partner::store::{PartnerNews, PartnerOp, PartnerOutcome};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tracing::warn;

use super::Inner;

/// How often the store is asked.
const EVERY: Duration = Duration::from_secs(2);

/// How many records are read at once.
const TOGETHER: usize = 32;

/// Up to which change of which store everything was taken in.
#[derive(Clone, Copy, Debug, Default)]
struct Cursor {
    sequence: Sequence,
    store: Option<StoreIdentity>,
}

/// Asks the store as long as anybody may ask for a source.
pub(super) async fn run(inner: Arc<Inner>) {
    let mut cursor = Cursor::default();
    loop {
        let begun_at = inner.service.clock.now();
        if look(&inner, &mut cursor).await.is_ok() {
            // Counted from the asking: what ended since may not have been told.
            inner.heard_at.store(begun_at.as_unix_millis(), Ordering::Release);
        }
        inner.service.clock.sleep_until(begun_at.after(EVERY)).await;
    }
}

async fn look(inner: &Arc<Inner>, cursor: &mut Cursor) -> Result<(), StoreFailure> {
    let pulse = inner.service.apply(PartnerOp::Pulse { since: cursor.sequence });
    let outcome = timeout(Inner::PATIENTLY, pulse).await;
    let PartnerOutcome::News(news) = outcome.map_err(|_| StoreFailure::OutcomeUnknown)?? else {
        return Err(StoreFailure::OutcomeUnknown);
    };
    // No record is being remembered that was read before.
    let _order = inner.order.write().await;
    let all = doubted(inner, *cursor, &news);
    let mut reads = JoinSet::new();
    let mut outcome = Ok(());
    for key in all {
        if reads.len() >= TOGETHER {
            outcome = outcome.and(joined(&mut reads).await);
        }
        let inner = Arc::clone(inner);
        reads.spawn(async move { inner.read(&key, Inner::PATIENTLY).await.map(drop) });
    }
    while !reads.is_empty() {
        outcome = outcome.and(joined(&mut reads).await);
    }
    // What could not be read is looked at again.
    outcome?;
    *cursor = Cursor { sequence: news.sequence, store: Some(news.store) };
    Ok(())
}

async fn joined(reads: &mut JoinSet<Result<(), StoreFailure>>) -> Result<(), StoreFailure> {
    // One that broke is one that says nothing.
    reads.join_next().await.map_or(Ok(()), |it| it.unwrap_or(Err(StoreFailure::OutcomeUnknown)))
}

/// Returns the known companies of which something else may be live now. Each is read before anything
/// is concluded: what was told may be older than what is known.
fn doubted(inner: &Inner, cursor: Cursor, news: &PartnerNews) -> Vec<IntegrationKey> {
    let known = inner.known();
    let is_other = cursor.store.is_some_and(|it| it != news.store);
    let is_older = news.sequence < cursor.sequence;
    let next = cursor.sequence.0.saturating_add(1);
    let has_missed = news.changes.first().is_some_and(|it| it.sequence.0 > next);
    if is_other || is_older || has_missed {
        warn!(target: "sr_partner", known = known.by_key.len(), "every company is read again");
        return known.by_key.keys().cloned().collect();
    }
    let last: BTreeMap<_, _> = news.changes.iter().map(|it| (&it.key, it.live)).collect();
    let differs = |(key, live): &(&IntegrationKey, _)| {
        known.by_key.get(*key).is_some_and(|it| *live != Some(it.generation))
    };
    last.into_iter().filter(differs).map(|(key, _)| key.clone()).collect()
}
