//! What has ended, as far as this process knows. A store that went back says otherwise, and is wrong:
//! what a customer disabled or we took back does not become good by the restoration of a backup.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use sr_auth_core::store::Generation;
use sr_partner::store::EndCause;
use sr_partner::{AttemptId, IntegrationKey};

/// An integration that has ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Gone {
    pub(super) attempt: AttemptId,
    pub(super) cause: EndCause,
    pub(super) generation: Generation,
}

/// Ends that are remembered, and what a store that went back made of them.
#[derive(Debug, Default)]
pub(super) struct Ended {
    /// Live again in the store, and to be ended there.
    back: BTreeMap<IntegrationKey, Gone>,
    /// Without a cause another consent took its place.
    ends: BTreeMap<AttemptId, (IntegrationKey, Option<EndCause>)>,
    /// Had credentials here, and the store does not know them.
    lost: BTreeSet<IntegrationKey>,
    losses: u32,
    /// The oldest first.
    order: VecDeque<AttemptId>,
}

impl Ended {
    /// How many ends are remembered.
    const LIMIT: usize = 4_096;

    pub(super) fn remember(
        &mut self,
        key: &IntegrationKey,
        attempt: AttemptId,
        cause: Option<EndCause>,
    ) {
        if self.ends.insert(attempt, (key.clone(), cause)).is_none() {
            self.order.push_back(attempt);
        }
        if self.order.len() > Self::LIMIT {
            self.order.pop_front().iter().for_each(|it| drop(self.ends.remove(it)));
        }
    }

    /// Returns the companies of which something has ended.
    pub(super) fn keys(&self) -> impl Iterator<Item = &IntegrationKey> {
        self.ends.values().map(|(key, _)| key)
    }

    /// Notes that the store does not have what was live here.
    pub(super) fn lost(&mut self, key: &IntegrationKey) {
        self.lost.insert(key.clone());
        self.losses = self.losses.saturating_add(1);
    }

    /// Returns how often something was lost.
    pub(super) const fn losses(&self) -> u32 {
        self.losses
    }

    /// Tells whether what the store says is live has ended, and notes it.
    pub(super) fn is_back(
        &mut self,
        key: &IntegrationKey,
        attempt: AttemptId,
        generation: Generation,
    ) -> bool {
        let Some(cause) = self.ends.get(&attempt).map(|(_, cause)| *cause) else { return false };
        if cause.is_none() {
            // What took its place is gone.
            self.lost.insert(key.clone());
        }
        let cause = cause.unwrap_or(EndCause::Revoked);
        self.back.insert(key.clone(), Gone { attempt, cause, generation });
        true
    }

    /// Returns the companies of which something is to be ended once more.
    pub(super) fn back(&self) -> impl ExactSizeIterator<Item = &IntegrationKey> {
        self.back.keys()
    }

    /// Takes what is to be ended once more.
    pub(super) fn take_back(&mut self) -> BTreeMap<IntegrationKey, Gone> {
        std::mem::take(&mut self.back)
    }

    /// Takes what was lost.
    pub(super) fn take_lost(&mut self) -> BTreeSet<IntegrationKey> {
        std::mem::take(&mut self.lost)
    }
}

#[cfg(test)]
mod tests {
    use sr_partner::{AppId, CompanyId};

    use super::*;

    #[test]
    fn what_ended_is_known_by_its_consent_and_the_oldest_ends_are_forgotten() {
        let company = CompanyId::new("5f1b").expect("an id");
        let key = IntegrationKey { app: AppId::new("planner").expect("an id"), company };
        let (attempt, generation) = (AttemptId::from_bytes, Generation::from_number(1));
        let mut ended = Ended::default();
        ended.remember(&key, attempt([1; 16]), Some(EndCause::Disabled));
        assert!(!ended.is_back(&key, attempt([2; 16]), generation), "another consent");
        assert!(ended.take_back().is_empty());
        assert!(ended.is_back(&key, attempt([1; 16]), generation));
        let gone = Gone { attempt: attempt([1; 16]), cause: EndCause::Disabled, generation };
        assert_eq!(ended.take_back(), BTreeMap::from([(key.clone(), gone)]));
        assert!(ended.take_lost().is_empty());
        ended.remember(&key, attempt([3; 16]), None);
        assert!(ended.is_back(&key, attempt([3; 16]), generation));
        assert_eq!(ended.take_back().get(&key).map(|it| it.cause), Some(EndCause::Revoked));
        assert_eq!(ended.take_lost(), BTreeSet::from([key.clone()]), "what took its place");
        for number in 0..Ended::LIMIT {
            let mut name = [7; 16];
            name.iter_mut().zip(number.to_be_bytes()).for_each(|(kept, byte)| *kept = byte);
            for _again in 0..2 {
                ended.remember(&key, attempt(name), Some(EndCause::Revoked));
            }
        }
        assert_eq!((ended.order.len(), ended.ends.len()), (Ended::LIMIT, Ended::LIMIT));
        assert!(!ended.is_back(&key, attempt([1; 16]), generation), "the oldest is forgotten");
    }
}
