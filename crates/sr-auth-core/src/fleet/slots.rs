//! Where resident grants live: numbered places that are used again.

use super::index::Index;
use super::pages::Pages;
use super::wheel::Wheel;
use crate::store::GrantKey;

/// Names a grant that is resident in a fleet, faster than its key.
///
/// The name is stale when the grant has left: it then names nothing, also when another grant has
/// taken the place.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct GrantId {
    index: u32,
    nonce: u32,
}

impl GrantId {
    /// Returns the place, for what is kept beside the slots.
    pub(super) const fn index(self) -> u32 {
        self.index
    }
}

/// Values by place and by key, with a hand that goes round to find one which nobody uses.
#[derive(Clone, Debug)]
pub(super) struct Slots<T> {
    by_key: Index,
    /// The places that are free, the last freed at the end.
    free: Vec<u32>,
    hand: usize,
    slots: Pages<Slot<T>>,
}

#[derive(Clone, Debug)]
struct Slot<T> {
    content: Option<(GrantKey, T)>,
    /// How many contents have left. It begins anew after 2³²: a name is not kept that long.
    nonce: u32,
    /// Used since the hand came by.
    used: bool,
}

impl<T> Slots<T> {
    /// Makes empty slots. `seed` differs from process to process.
    pub(super) const fn new(seed: u128) -> Self {
        Self { by_key: Index::new(seed), free: Vec::new(), hand: 0, slots: Pages::new() }
    }

    /// Returns how many values there are.
    pub(super) fn len(&self) -> usize {
        self.by_key.len()
    }

    /// Returns how many places there are, free ones included.
    pub(super) fn places(&self) -> u32 {
        u32::try_from(self.slots.len()).unwrap_or(u32::MAX)
    }

    /// Takes a value in, in the place of the one with the same key when there is one.
    ///
    /// `None`, and nothing is kept, when all places that have a number are taken.
    pub(super) fn insert(&mut self, key: GrantKey, value: T) -> Option<GrantId> {
        if let Some(id) = self.find(&key) {
            self.remove(id);
        }
        let index = match self.free.pop() {
            Some(index) => index,
            None => {
                let index = u32::try_from(self.slots.len()).ok();
                let index = index.filter(|it| *it < Wheel::SLOTS.min(Index::PLACES))?;
                self.slots.push(Slot { content: None, nonce: 0, used: false });
                index
            }
        };
        let slot = self.slots.at_mut(index as usize)?;
        slot.content = Some((key.clone(), value));
        slot.used = true;
        let nonce = slot.nonce;
        self.by_key.insert(&key, index, |it| key_at(&self.slots, it));
        Some(GrantId { index, nonce })
    }

    /// Takes a value out.
    pub(super) fn remove(&mut self, id: GrantId) -> Option<(GrantKey, T)> {
        let slot = self.slots.at(id.index as usize).filter(|it| it.nonce == id.nonce)?;
        let (key, _) = slot.content.as_ref()?;
        self.by_key.remove(key, |it| key_at(&self.slots, it));
        let slot = self.slots.at_mut(id.index as usize)?;
        let content = slot.content.take()?;
        slot.nonce = slot.nonce.wrapping_add(1);
        self.free.push(id.index);
        Some(content)
    }

    /// Returns the name of the value with this key.
    pub(super) fn find(&self, key: &GrantKey) -> Option<GrantId> {
        self.by_key.find(key, |it| key_at(&self.slots, it)).and_then(|index| self.at(index))
    }

    /// Returns the name of the value in a place.
    pub(super) fn at(&self, index: u32) -> Option<GrantId> {
        let slot = self.slots.at(index as usize).filter(|it| it.content.is_some())?;
        Some(GrantId { index, nonce: slot.nonce })
    }

    /// Returns the key and the value that a name stands for.
    pub(super) fn content(&self, id: GrantId) -> Option<(&GrantKey, &T)> {
        let slot = self.slots.at(id.index as usize).filter(|it| it.nonce == id.nonce)?;
        slot.content.as_ref().map(|(key, value)| (key, value))
    }

    /// Returns the key and the value that a name stands for, the value to be changed.
    pub(super) fn content_mut(&mut self, id: GrantId) -> Option<(&GrantKey, &mut T)> {
        let slot = self.slots.at_mut(id.index as usize).filter(|it| it.nonce == id.nonce)?;
        slot.content.as_mut().map(|(key, value)| (&*key, value))
    }

    /// Notes that a value is used: the hand passes it once.
    pub(super) fn touch(&mut self, id: GrantId) {
        let slot = self.slots.at_mut(id.index as usize).filter(|it| it.nonce == id.nonce);
        if let Some(slot) = slot {
            slot.used = true;
        }
    }

    /// Returns all values, by place.
    pub(super) fn iter(&self) -> impl Iterator<Item = (GrantId, &GrantKey, &T)> {
        (0..).zip(self.slots.iter()).filter_map(|(index, slot)| {
            let (key, value) = slot.content.as_ref()?;
            Some((GrantId { index, nonce: slot.nonce }, key, value))
        })
    }

    /// Chooses a value that may leave, one that was not used since the hand came by before
    /// ("second chance").
    ///
    /// It looks at `most` places, two rounds at most; the next choice goes on where it stopped.
    pub(super) fn victim(
        &mut self,
        most: usize,
        may_leave: impl Fn(&T) -> bool,
    ) -> Option<GrantId> {
        for _ in 0..self.slots.len().saturating_mul(2).min(most) {
            let index = if self.hand < self.slots.len() { self.hand } else { 0 };
            self.hand = index + 1;
            let Some(slot) = self.slots.at_mut(index) else { continue };
            let Some((_, value)) = &slot.content else { continue };
            if !may_leave(value) {
                continue;
            }
            if !slot.used {
                return self.at(u32::try_from(index).ok()?);
            }
            slot.used = false;
        }
        None
    }
}

fn key_at<T>(slots: &Pages<Slot<T>>, place: u32) -> Option<&GrantKey> {
    slots.at(place as usize)?.content.as_ref().map(|(key, _)| key)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_name_is_stale_when_its_value_has_left() {
        let mut slots = Slots::new(7);
        let first = slots.insert(key(1), "first").expect("a free place");
        assert_eq!(slots.find(&key(1)), Some(first));
        assert_eq!(slots.remove(first), Some((key(1), "first")));
        let second = slots.insert(key(2), "second").expect("a free place");
        assert_eq!((second.index(), first.index()), (0, 0));
        assert_ne!(second, first);
        slots.touch(first);
        assert_eq!(slots.content(first), None);
        assert_eq!(slots.content_mut(first), None);
        assert_eq!(slots.remove(first), None);
        assert_eq!(slots.content(second), Some((&key(2), &"second")));
        assert_eq!((slots.find(&key(1)), slots.at(0), slots.at(1)), (None, Some(second), None));
    }

    #[test]
    fn a_key_stands_once() {
        let mut slots = Slots::new(7);
        let old = slots.insert(key(1), "old").expect("a free place");
        let new = slots.insert(key(1), "new").expect("a free place");
        assert_eq!((slots.len(), slots.content(old)), (1, None));
        assert_eq!(slots.iter().collect::<Vec<_>>(), [(new, &key(1), &"new")]);
    }

    #[test]
    fn what_was_used_gets_a_second_chance_and_what_must_stay_stays() {
        let mut slots = Slots::new(7);
        let ids: Vec<_> = (0..4).filter_map(|it| slots.insert(key(it), it)).collect();
        // The first round takes the marks of all but the one that must stay.
        assert_eq!(slots.victim(usize::MAX, |it| *it != 0), Some(ids[1]));
        slots.remove(ids[1]);
        slots.touch(ids[2]);
        assert_eq!(slots.victim(usize::MAX, |it| *it != 0), Some(ids[3]));
        assert_eq!(slots.victim(usize::MAX, |it| *it != 0), Some(ids[2]));
        assert_eq!(slots.victim(usize::MAX, |_| false), None);
        assert_eq!(Slots::<u8>::new(7).victim(usize::MAX, |_| true), None);
    }

    proptest! {
        /// Places, keys and names agree with a map, whatever comes and goes.
        #[test]
        fn slots_agree_with_a_map(steps in proptest::collection::vec((0_u8..4, 0_u32..6), 1..80)) {
            let (mut slots, mut model) = (Slots::new(7), BTreeMap::new());
            let mut names: Vec<(GrantId, u32)> = Vec::new();
            for (turn, (action, number)) in (0_u32..).zip(steps) {
                match action {
                    0 | 1 => {
                        let id = slots.insert(key(number), turn).expect("a free place");
                        prop_assert!(names.iter().all(|(name, _)| *name != id));
                        names.push((id, turn));
                        model.insert(key(number), turn);
                    }
                    2 => {
                        let removed = slots.find(&key(number)).and_then(|id| slots.remove(id));
                        prop_assert_eq!(removed, model.remove_entry(&key(number)));
                    }
                    _ => {
                        let id = slots.victim(usize::MAX, |value| value % 6 == number);
                        let is_there = model.values().any(|value| value % 6 == number);
                        prop_assert_eq!(id.is_some(), is_there);
                        if let Some((key, value)) = id.and_then(|id| slots.remove(id)) {
                            prop_assert_eq!(model.remove(&key), Some(value));
                        }
                    }
                }
                prop_assert_eq!(slots.len(), model.len());
                for (name, value) in &names {
                    let found = slots.content(*name).map(|(key, value)| (key.clone(), *value));
                    let expected = model.iter().find(|(_, it)| *it == value);
                    prop_assert_eq!(found, expected.map(|(key, it)| (key.clone(), *it)));
                }
            }
        }
    }

    fn key(number: u32) -> GrantKey {
        GrantKey::new(&format!("planner/{number}")).expect("a key")
    }
}
