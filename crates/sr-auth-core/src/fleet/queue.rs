//! Who waits for the token endpoint.

use super::rings::Rings;
use crate::lifecycle::Wanted;

/// The classes, the most important first.
pub(super) const CLASSES: [Wanted; 4] =
    [Wanted::Interactive, Wanted::Expiring, Wanted::Soft, Wanted::KeepAlive];

/// Slots that wait, each once, in the order in which they came, by class.
///
/// A slot whose turn came when it could not go is parked: it stands in nobody's way and keeps its
/// class.
#[derive(Clone, Debug)]
pub(super) struct Queue(Rings<LISTS, Option<Wanted>>);

const PARKED: u32 = CLASSES.len() as u32;
const LISTS: usize = PARKED as usize + 1;

impl Queue {
    pub(super) fn with_capacity(slots: usize) -> Self {
        Self(Rings::with_capacity(slots))
    }

    /// Puts a slot at the end of its class. One that waits in this class already keeps its place.
    pub(super) fn enter(&mut self, slot: u32, class: Wanted) {
        if self.class_of(slot) != Some(class) {
            self.0.remove(slot);
            self.0.push(class as u32, slot, Some(class));
        }
    }

    /// Takes a slot out, from wherever it stands.
    pub(super) fn leave(&mut self, slot: u32) {
        self.0.remove(slot);
    }

    pub(super) fn park(&mut self, slot: u32) {
        if let Some(class) = self.0.remove(slot).flatten() {
            self.0.push(PARKED, slot, Some(class));
        }
    }

    /// Puts up to `most` parked slots back at the end of their classes, the first parked first.
    pub(super) fn release(&mut self, most: usize, mut which: impl FnMut(u32) -> bool) {
        let parked = std::iter::successors(self.0.first(PARKED), |slot| self.0.after(*slot));
        let released: Vec<_> = parked.filter(|slot| which(*slot)).take(most).collect();
        for slot in released {
            if let Some(class) = self.0.remove(slot).flatten() {
                self.0.push(class as u32, slot, Some(class));
            }
        }
    }

    /// Returns the class in which a slot waits, parked or not.
    pub(super) fn class_of(&self, slot: u32) -> Option<Wanted> {
        self.0.value(slot).flatten()
    }

    /// Returns the slot of a class that waits longest.
    pub(super) fn first(&self, class: Wanted) -> Option<u32> {
        self.0.first(class as u32)
    }
}

#[cfg(test)]
mod tests {
    use super::Wanted::{Interactive, KeepAlive, Soft};
    use super::*;

    #[test]
    fn a_slot_waits_once_and_keeps_its_place() {
        let mut queue = Queue::with_capacity(0);
        for (slot, class) in [(1, Soft), (2, Soft), (3, KeepAlive), (1, Soft)] {
            queue.enter(slot, class);
        }
        assert_eq!(queue.first(Soft), Some(1));
        queue.enter(1, Interactive);
        assert_eq!((queue.first(Interactive), queue.first(Soft)), (Some(1), Some(2)));
        queue.leave(2);
        queue.leave(2);
        assert_eq!((queue.first(Soft), queue.class_of(2)), (None, None));
    }

    #[test]
    fn a_parked_slot_is_passed_over_until_it_is_released() {
        let mut queue = Queue::with_capacity(0);
        (1..=4).for_each(|slot| queue.enter(slot, Soft));
        [3, 1, 2].into_iter().for_each(|slot| queue.park(slot));
        queue.park(9);
        assert_eq!((queue.first(Soft), queue.class_of(1)), (Some(4), Some(Soft)));
        queue.leave(4);
        queue.release(1, |slot| slot != 3);
        assert_eq!(queue.first(Soft), Some(1));
        queue.leave(1);
        queue.release(usize::MAX, |_| true);
        assert_eq!(queue.first(Soft), Some(3));
        queue.leave(3);
        assert_eq!(queue.first(Soft), Some(2));
    }
}
