//! Listens to the store: what has ended elsewhere ends here.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use sr_auth_core::lifecycle::StoreFailure;
use sr_partner::IntegrationKey;
use sr_partner::store::{PartnerOp, PartnerOutcome};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tracing::{error, info, warn};

use super::Inner;
use super::cursor::{Cursor, Doubt};

/// How often the store is asked.
const EVERY: Duration = Duration::from_secs(2);

/// How many companies are named in one message.
const NAMED: usize = 20;

/// How many records are read at once.
const TOGETHER: usize = 32;

/// Asks the store as long as anybody may ask for a source.
pub(super) async fn run(inner: Arc<Inner>) {
    let mut cursor = Cursor::default();
    loop {
        let begun_at = inner.service.clock.now();
        if let Ok(went_back) = look(&inner, &mut cursor).await {
            // Counted from the asking: what ended since may not have been told.
            inner.heard_at.store(begun_at.as_unix_millis(), Ordering::Release);
            if went_back {
                tell(&inner);
            }
        }
        end_again(&inner).await;
        inner.service.clock.sleep_until(begun_at.after(EVERY)).await;
    }
}

/// Takes in what has changed, and returns whether the store went back.
async fn look(inner: &Arc<Inner>, cursor: &mut Cursor) -> Result<bool, StoreFailure> {
    let pulse = inner.service.apply(PartnerOp::Pulse { since: cursor.since() });
    let outcome = timeout(Inner::PATIENTLY, pulse).await;
    let PartnerOutcome::News(news) = outcome.map_err(|_| StoreFailure::OutcomeUnknown)?? else {
        return Err(StoreFailure::OutcomeUnknown);
    };
    // No record is being remembered that was read before.
    let _order = inner.order.write().await;
    let (next, doubt) = cursor.read(news);
    let mut reads = JoinSet::new();
    let mut outcome = Ok(());
    for key in doubted(inner, &doubt) {
        if reads.len() >= TOGETHER {
            outcome = outcome.and(joined(&mut reads).await);
        }
        let inner = Arc::clone(inner);
        reads.spawn(async move { read_again(&inner, &key).await });
    }
    while !reads.is_empty() {
        outcome = outcome.and(joined(&mut reads).await);
    }
    // What could not be read is looked at again.
    outcome?;
    *cursor = next;
    Ok(doubt == Doubt::All)
}

async fn read_again(inner: &Inner, key: &IntegrationKey) -> Result<(), StoreFailure> {
    let is_known = inner.known().by_key.contains_key(key);
    match is_known {
        true => inner.read(key, Inner::PATIENTLY).await.map(drop),
        // Nobody has asked for it.
        false => inner.live(key, Inner::PATIENTLY).await.map(drop),
    }
}

async fn joined(reads: &mut JoinSet<Result<(), StoreFailure>>) -> Result<(), StoreFailure> {
    // One that broke is one that says nothing.
    reads.join_next().await.map_or(Ok(()), |it| it.unwrap_or(Err(StoreFailure::OutcomeUnknown)))
}

/// Returns the companies of which something else may be live now. Each is read before anything is
/// concluded: what was told may be older than what is known.
fn doubted(inner: &Inner, doubt: &Doubt) -> BTreeSet<IntegrationKey> {
    let known = inner.known();
    match doubt {
        // One that had ended may be live again.
        Doubt::All => known.by_key.keys().chain(known.ended.keys()).cloned().collect(),
        Doubt::Missed => {
            info!(target: "sr_partner", known = known.by_key.len(), "every company is read again");
            known.by_key.keys().cloned().collect()
        }
        Doubt::Some(changed) => {
            let changed = changed.iter().filter(|(key, live)| {
                known.by_key.get(*key).is_some_and(|it| **live != Some(it.generation))
            });
            changed.map(|(key, _)| key.clone()).collect()
        }
    }
}

/// Says once what only a person can do.
fn tell(inner: &Inner) {
    let mut known = inner.known();
    let (lost, back) = (known.ended.take_lost(), known.ended.back());
    error!(
        target: "sr_partner",
        kept = known.by_key.len(),
        lost = named(lost.iter()),
        ended_again = named(back),
        "the store of integrations has another history, as after the restoration of a backup: who \
         connected since then (`lost`) has to connect again, and who left since then is live again \
         unless this process knew (`ended_again`): see \"After a backup was restored\" in \
         docs/guide/partner-integration.md"
    );
}

/// Returns the names of the first companies, and how many more there are.
fn named<'a>(keys: impl ExactSizeIterator<Item = &'a IntegrationKey>) -> String {
    let more = keys.len().saturating_sub(NAMED);
    let names: Vec<String> = keys.take(NAMED).map(ToString::to_string).collect();
    match more {
        0 => names.join(" "),
        more => format!("{} and {more} more", names.join(" ")),
    }
}

/// Ends what had ended and is live again in the store.
async fn end_again(inner: &Inner) {
    let back = inner.known().ended.take_back();
    for (key, gone) in back {
        if let Err(failure) = inner.end(&key, gone).await {
            warn!(target: "sr_partner", %key, ?failure, "not ended yet");
            inner.known().ended.is_back(&key, gone.attempt, gone.generation);
        }
    }
}
