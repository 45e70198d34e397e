//! Grants that were told to have ended while they were not in memory.
//!
//! A grant that comes back is read, and a replica that lags may show it as it was before its end.

use std::collections::{BTreeMap, VecDeque};

use crate::store::{Change, Generation, GrantKey, Health};

/// The last ends, the oldest first.
#[derive(Debug, Default)]
pub(super) struct Ends {
    by_key: BTreeMap<GrantKey, (Generation, Health)>,
    order: VecDeque<GrantKey>,
}

impl Ends {
    /// How many are remembered: more than lag behind anywhere.
    const LIMIT: usize = 1_024;

    /// Remembers an end.
    pub(super) fn hear(&mut self, change: &Change) {
        if !matches!(change.health, Health::Disabled | Health::Revoked) {
            self.by_key.remove(&change.key);
            return;
        }
        if self.by_key.insert(change.key.clone(), (change.generation, change.health)).is_none() {
            self.order.push_back(change.key.clone());
        }
        if self.order.len() > Self::LIMIT
            && let Some(oldest) = self.order.pop_front()
        {
            self.by_key.remove(&oldest);
        }
    }

    /// Returns the end of a grant, if it has ended lately.
    pub(super) fn of(&self, key: &GrantKey) -> Option<(Generation, Health)> {
        self.by_key.get(key).copied()
    }

    /// The store has another history: nothing of it is known.
    pub(super) fn forget(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Sequence;

    fn change(number: usize, health: Health) -> Change {
        let key = GrantKey::new(&format!("planner/{number}")).expect("a key");
        let (generation, owner, sequence) = (Generation::from_number(7), None, Sequence(1));
        Change { generation, health, key, owner, sequence }
    }

    #[test]
    fn the_newest_ends_are_remembered_until_a_new_consent() {
        let mut ends = Ends::default();
        for number in 0..=Ends::LIMIT {
            ends.hear(&change(number, Health::Disabled));
        }
        let of = |ends: &Ends, number| ends.of(&change(number, Health::Live).key);
        let end = Some((Generation::from_number(7), Health::Disabled));
        assert_eq!([0, 1, Ends::LIMIT].map(|it| of(&ends, it)), [None, end, end]);
        ends.hear(&change(1, Health::Live));
        assert_eq!([1, 2].map(|it| of(&ends, it)), [None, end]);
        ends.forget();
        assert_eq!(of(&ends, 2), None);
    }
}
