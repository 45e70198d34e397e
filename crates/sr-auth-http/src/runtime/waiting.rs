//! Those who wait: one place for each grant that somebody waits for, and for no other.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use sr_auth_core::lifecycle::Unavailable;
use sr_auth_core::store::GrantKey;
use sr_auth_core::{Authorization, ConfigError};
use tokio::sync::Notify;

/// What everybody who waits for the same is told.
#[derive(Clone, Debug)]
pub(super) enum Outcome {
    /// There is no token, for now or for good.
    Failed(Unavailable),
    /// The driver is gone: ask again.
    Lost,
    /// There is one.
    Ready(Arc<Authorization>),
    /// Its source was retired.
    Retired,
    /// The application is shutting down.
    ShutDown,
    /// Nobody has said whose grant it is.
    Unregistered,
    /// There is one that no header can carry.
    Unusable(ConfigError),
}

/// One question, and all who wait for its answer.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    outcome: OnceLock<Outcome>,
    told: Notify,
}

impl Waiting {
    pub(super) async fn outcome(&self) -> Outcome {
        loop {
            // Before the look, so that an answer in between is not missed.
            let told = self.told.notified();
            if let Some(outcome) = self.outcome.get() {
                return outcome.clone();
            }
            told.await;
        }
    }

    fn tell(&self, outcome: &Outcome) {
        // It is told once: whoever does has taken it out of the list.
        let _told = self.outcome.set(outcome.clone());
        self.told.notify_waiters();
    }
}

#[derive(Debug, Default)]
pub(super) struct WaitingList(Mutex<BTreeMap<GrantKey, Arc<Waiting>>>);

impl WaitingList {
    /// Joins those who wait for a grant; `true` for the first, who has to ask.
    pub(super) fn join(&self, key: &GrantKey) -> (Arc<Waiting>, bool) {
        let mut list = self.list();
        if let Some(waiting) = list.get(key) {
            return (Arc::clone(waiting), false);
        }
        let waiting = Arc::<Waiting>::default();
        list.insert(key.clone(), Arc::clone(&waiting));
        (waiting, true)
    }

    pub(super) fn contains(&self, key: &GrantKey) -> bool {
        self.list().contains_key(key)
    }

    /// Tells everybody who waits for a grant.
    pub(super) fn settle(&self, key: &GrantKey, outcome: &Outcome) {
        // The lock is open again when they are woken.
        let waiting = self.list().remove(key);
        if let Some(waiting) = waiting {
            waiting.tell(outcome);
        }
    }

    pub(super) fn settle_all(&self, outcome: &Outcome) {
        let all = std::mem::take(&mut *self.list());
        all.values().for_each(|it| it.tell(outcome));
    }

    fn list(&self) -> MutexGuard<'_, BTreeMap<GrantKey, Arc<Waiting>>> {
        // Nothing that can panic leaves the map half changed.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn all_who_wait_are_told_the_same_and_the_next_asks_anew() {
        let (list, key) = (WaitingList::default(), GrantKey::new("planner").expect("a key"));
        let (first, is_first) = list.join(&key);
        assert!(is_first);
        let others: Vec<_> = (0..3).map(|_| list.join(&key)).collect();
        assert!(others.iter().all(|(_, is_first)| !is_first));
        // The first one leaves.
        drop(first);
        let waiting = others.into_iter().map(|(it, _)| async move { it.outcome().await });
        let waiting: Vec<_> = waiting.map(tokio::spawn).collect();
        tokio::task::yield_now().await;
        list.settle(&key, &Outcome::ShutDown);
        for it in waiting {
            assert!(matches!(it.await.expect("it runs"), Outcome::ShutDown));
        }
        assert!(!list.contains(&key) && list.join(&key).1);
    }
}
