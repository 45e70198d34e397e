//! Grants of another system, taken in where nothing stands.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use sr_auth_core::lifecycle::{Margins, StoreFailure};
use sr_auth_core::store::{GrantKey, NewGrant, Record, StoreOp, StoreOutcome};
use sr_auth_core::{AccessToken, Fingerprint, FingerprintKey, RefreshToken, Secret, Timestamp};

use super::Store;
use crate::{BackendError, BackendFault, ImportError, StoreError};

/// A grant that another system has kept until now, and gives up.
///
/// # Examples
///
/// ```
/// use sr_auth_core::store::GrantKey;
/// use sr_auth_core::{FingerprintKey, RefreshToken, Secret, Timestamp};
/// use sr_auth_store::{Import, Incoming, Store};
///
/// # async fn run() -> Result<(), Box<dyn std::error::Error>> {
/// let store = Store::in_memory()?.accept_volatile();
/// let names = FingerprintKey::new([7; 32]);
/// let now = Timestamp::from_unix_secs(1_800_000_000);
/// let token = RefreshToken::new(Secret::new("DCRD10-5c3a".to_owned()), now)?;
/// let grant = Incoming::new(GrantKey::new("planner/acme")?, &token, &names, now)?;
/// assert_eq!(store.import(grant).await?, Import::Taken);
/// # Ok(())
/// # }
/// # tokio::runtime::Builder::new_current_thread().build()?.block_on(run())?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Incoming {
    grant: NewGrant<Secret>,
    key: GrantKey,
    token: Fingerprint,
}

/// What became of an [`Incoming`] grant that the store has.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Import {
    /// It was taken in before, and has been renewed since: the token that came is spent.
    Renewed,
    /// It is in the store, durably, now or from an earlier attempt.
    Taken,
}

impl Incoming {
    /// How far the clock of the other system may be ahead.
    const AHEAD: Duration = Duration::from_secs(300);

    /// Takes a refresh token that nobody has presented since it was obtained, and that nobody else
    /// will. `names` is what the store's tokens are named with, by all who share it.
    ///
    /// # Errors
    ///
    /// [`ImportError::TooOld`] for a token that was obtained more than 28 days before `now`, and
    /// [`ImportError::NotYet`] for one that was obtained more than five minutes after.
    pub fn new(
        key: GrantKey,
        token: &RefreshToken,
        names: &FingerprintKey,
        now: Timestamp,
    ) -> Result<Self, ImportError> {
        if token.expires_at() <= now {
            return Err(ImportError::TooOld);
        }
        if token.obtained_at() > now.after(Self::AHEAD) {
            return Err(ImportError::NotYet);
        }
        let grant = NewGrant::from_refresh_token(token, names);
        Ok(Self { grant, key, token: names.fingerprint(token.secret()) })
    }

    /// Adds the access token of the grant, if it is good for a while: it is served, and spares the
    /// grant a renewal right after the import.
    #[must_use]
    pub fn with_access_token(
        self,
        token: &AccessToken,
        names: &FingerprintKey,
        now: Timestamp,
    ) -> Self {
        if token.expires_at() <= now {
            return self;
        }
        let grant = self.grant.with_access_token(token, now, &Margins::default(), names);
        Self { grant, ..self }
    }

    /// Returns the key that it will have.
    #[must_use]
    pub const fn key(&self) -> &GrantKey {
        &self.key
    }

    fn is_in(&self, record: &Record<Secret>) -> bool {
        let standing = record.refresh.as_ref().map(|it| it.fingerprint);
        standing == Some(self.token) && record.health.may_present()
    }
}

impl Store {
    /// How many grants of a batch travel at once: as many as a few connections keep busy.
    const AT_ONCE: usize = 64;

    /// Takes in a grant of another system, unless one stands under its key. It is durable when this
    /// returns, and may be offered again at any time.
    ///
    /// Nothing is ever overwritten: whatever stands there may be newer. The other system must not
    /// present the token any more, also if this fails with an outcome that nobody knows.
    ///
    /// # Errors
    ///
    /// [`ImportError::Standing`] for a key that another grant has or had, and
    /// [`ImportError::Store`].
    pub async fn import(&self, grant: Incoming) -> Result<Import, ImportError> {
        let op = StoreOp::Adopt {
            grant: grant.grant.clone(),
            key: grant.key.clone(),
            only_if_missing: true,
        };
        match self.apply(op).await?.outcome {
            StoreOutcome::Done(record) if grant.is_in(&record) => Ok(Import::Taken),
            // An earlier attempt had taken it in.
            StoreOutcome::Done(_) => Ok(Import::Renewed),
            // The same token, and its access token has ended since the earlier attempt.
            StoreOutcome::Moved(record) if grant.is_in(&record) => Ok(Import::Taken),
            StoreOutcome::Moved(record)
            | StoreOutcome::Armed(record)
            | StoreOutcome::Busy { record, .. }
            | StoreOutcome::Ended(record)
            | StoreOutcome::Loaded(record)
            | StoreOutcome::NotDue { record, .. } => {
                Err(ImportError::Standing { health: record.health })
            }
            // No answers to an adoption; a backend that gives them breaks its contract.
            StoreOutcome::Due(_) | StoreOutcome::Missing | StoreOutcome::Pulse(_) => {
                let failure = StoreFailure::OutcomeUnknown;
                let error = BackendError::new(BackendFault::Corrupted, failure);
                Err(StoreError::from(error).into())
            }
        }
    }

    /// Takes in many grants, several at a time; returns what became of each, in their order.
    ///
    /// Each is taken in by itself, so a batch that is cut off can be given again as a whole: what is
    /// there already is told as such. Some thousands are a good batch.
    pub async fn import_all(
        &self,
        grants: impl IntoIterator<Item = Incoming>,
    ) -> Vec<Result<Import, ImportError>> {
        at_once(grants.into_iter().map(|it| self.import(it)), Self::AT_ONCE).await
    }
}

/// Awaits futures, so many at a time, and returns what they bring in their order.
async fn at_once<F: Future>(mut waiting: impl Iterator<Item = F>, most: usize) -> Vec<F::Output> {
    let mut done: Vec<Option<F::Output>> = Vec::new();
    let mut running: Vec<(usize, Pin<Box<F>>)> = Vec::new();
    poll_fn(|context| {
        loop {
            while let Some(future) = (running.len() < most).then(|| waiting.next()).flatten() {
                running.push((done.len(), Box::pin(future)));
                done.push(None);
            }
            let before = running.len();
            running.retain_mut(|(place, future)| match future.as_mut().poll(context) {
                Poll::Ready(output) => done.get_mut(*place).map(|it| *it = Some(output)).is_none(),
                Poll::Pending => true,
            });
            if running.is_empty() && before < most {
                return Poll::Ready(());
            }
            if running.len() == before {
                return Poll::Pending;
            }
        }
    })
    .await;
    done.into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    #[tokio::test]
    async fn what_is_awaited_at_once_is_bounded_and_comes_in_order() {
        for (count, most) in [(0, 3), (1, 3), (3, 3), (4, 3), (100, 7), (5, 1)] {
            let (running, peak) = (Cell::new(0), Cell::new(0));
            let work = |number: usize| {
                let (running, peak) = (&running, &peak);
                async move {
                    running.set(running.get() + 1);
                    peak.set(peak.get().max(running.get()));
                    for _ in 0..number % 5 {
                        tokio::task::yield_now().await;
                    }
                    running.set(running.get() - 1);
                    number
                }
            };
            let done = at_once((0..count).map(work), most).await;
            assert_eq!(done, (0..count).collect::<Vec<_>>(), "{count} {most}");
            assert!(peak.get() <= most, "{count} {most}: {}", peak.get());
        }
    }
}
