//! Who waits for the token endpoint.

use std::collections::{BTreeMap, BTreeSet};

use crate::lifecycle::Wanted;

/// The classes, the most important first.
pub(super) const CLASSES: [Wanted; 4] =
    [Wanted::Interactive, Wanted::Expiring, Wanted::Soft, Wanted::KeepAlive];

/// Slots that wait, each once, in the order in which they came, by class.
///
/// A slot whose turn came when it could not go is parked: it stands in nobody's way and keeps its
/// class. Few wait at a time, and those that do not take no room.
#[derive(Clone, Debug, Default)]
pub(super) struct Queue {
    /// By line, and in each by ticket.
    lines: BTreeSet<(Line, u64, u32)>,
    /// How many tickets were given.
    tickets: u64,
    waiters: BTreeMap<u32, Waiter>,
}

#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
enum Line {
    Of(Wanted),
    Parked,
}

#[derive(Clone, Copy, Debug)]
struct Waiter {
    class: Wanted,
    line: Line,
    ticket: u64,
}

impl Queue {
    /// Puts a slot at the end of its class. One that waits in this class already keeps its place.
    pub(super) fn enter(&mut self, slot: u32, class: Wanted) {
        if self.class_of(slot) != Some(class) {
            self.leave(slot);
            self.push(slot, class, Line::Of(class));
        }
    }

    /// Takes a slot out, from wherever it stands.
    pub(super) fn leave(&mut self, slot: u32) {
        self.take(slot);
    }

    pub(super) fn park(&mut self, slot: u32) {
        if let Some(class) = self.take(slot) {
            self.push(slot, class, Line::Parked);
        }
    }

    /// Puts up to `most` parked slots back at the end of their classes, the first parked first.
    pub(super) fn release(&mut self, most: usize, mut which: impl FnMut(u32) -> bool) {
        let parked = self.line(Line::Parked).filter(|slot| which(*slot));
        let released: Vec<_> = parked.take(most).collect();
        for slot in released {
            if let Some(class) = self.take(slot) {
                self.push(slot, class, Line::Of(class));
            }
        }
    }

    /// Returns the class in which a slot waits, parked or not.
    pub(super) fn class_of(&self, slot: u32) -> Option<Wanted> {
        self.waiters.get(&slot).map(|it| it.class)
    }

    /// Returns the slot of a class that waits longest. Mostly nobody waits, and this is asked after
    /// every input.
    pub(super) fn first(&self, class: Wanted) -> Option<u32> {
        if self.lines.is_empty() {
            return None;
        }
        self.line(Line::Of(class)).next()
    }

    fn line(&self, line: Line) -> impl Iterator<Item = u32> {
        let slots = self.lines.range((line, 0, 0)..=(line, u64::MAX, u32::MAX));
        slots.map(|(_, _, slot)| *slot)
    }

    fn push(&mut self, slot: u32, class: Wanted, line: Line) {
        self.tickets = self.tickets.saturating_add(1);
        let ticket = self.tickets;
        self.lines.insert((line, ticket, slot));
        self.waiters.insert(slot, Waiter { class, line, ticket });
    }

    fn take(&mut self, slot: u32) -> Option<Wanted> {
        let Waiter { class, line, ticket } = self.waiters.remove(&slot)?;
        self.lines.remove(&(line, ticket, slot));
        Some(class)
    }
}

#[cfg(test)]
mod tests {
    use super::Wanted::{Interactive, KeepAlive, Soft};
    use super::*;

    #[test]
    fn a_slot_waits_once_and_keeps_its_place() {
        let mut queue = Queue::default();
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
        let mut queue = Queue::default();
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
