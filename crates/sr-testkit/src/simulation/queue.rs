//! What will happen, in the order of virtual time.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use sr_auth_core::Timestamp;

/// Events by moment; those of one moment in the order in which they were put in.
///
/// Putting in and taking out cost the logarithm of the number of events, and no memory once there
/// have been as many before.
#[derive(Debug)]
pub(super) struct Queue<E> {
    /// The places in `events` that are free.
    free: Vec<u32>,
    events: Vec<Option<E>>,
    heap: BinaryHeap<Reverse<Entry>>,
    put: u64,
}

/// The moment, the number in the order of putting in, and the place of the event.
type Entry = (Timestamp, u64, u32);

impl<E> Queue<E> {
    pub(super) const fn new() -> Self {
        Self { free: Vec::new(), events: Vec::new(), heap: BinaryHeap::new(), put: 0 }
    }

    /// Empties it and keeps its memory.
    #[cfg(test)]
    pub(super) fn clear(&mut self) {
        self.free.clear();
        self.events.clear();
        self.heap.clear();
        self.put = 0;
    }

    /// Puts in an event.
    pub(super) fn put(&mut self, at: Timestamp, event: E) {
        let place = match self.free.pop() {
            Some(place) => place,
            None => {
                self.events.push(None);
                u32::try_from(self.events.len() - 1).expect("a run has few events at a time")
            }
        };
        if let Some(slot) = self.events.get_mut(place as usize) {
            *slot = Some(event);
        }
        self.heap.push(Reverse((at, self.put, place)));
        self.put += 1;
    }

    /// Takes out the next event that is due before `end`.
    pub(super) fn take_before(&mut self, end: Timestamp) -> Option<(Timestamp, E)> {
        let Reverse((at, ..)) = self.heap.peek()?;
        if *at >= end {
            return None;
        }
        let Reverse((at, _, place)) = self.heap.pop()?;
        self.free.push(place);
        let event = self.events.get_mut(place as usize)?.take()?;
        Some((at, event))
    }

    /// Returns how many events wait.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.heap.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(secs: u64) -> Timestamp {
        Timestamp::from_unix_secs(secs)
    }

    #[test]
    fn events_come_by_moment_and_then_in_the_order_of_putting_in() {
        let mut queue = Queue::new();
        for (secs, name) in [(5, "e"), (1, "a"), (3, "c"), (1, "b"), (3, "d")] {
            queue.put(at(secs), name);
        }
        let taken: Vec<_> = std::iter::from_fn(|| queue.take_before(at(5))).collect();
        assert_eq!(taken, [(at(1), "a"), (at(1), "b"), (at(3), "c"), (at(3), "d")]);
        assert_eq!(queue.len(), 1, "the end itself is not before the end");
        assert_eq!(queue.take_before(at(6)), Some((at(5), "e")));
        assert_eq!(queue.take_before(Timestamp::MAX), None);
    }

    #[test]
    fn a_steady_number_of_events_takes_a_steady_amount_of_memory() {
        let mut queue = Queue::new();
        (0..64).for_each(|secs| queue.put(at(secs), secs));
        for _ in 0..10_000 {
            let (now, secs) = queue.take_before(Timestamp::MAX).expect("there are 64");
            assert_eq!(now, at(secs));
            queue.put(at(secs + 64), secs + 64);
        }
        assert_eq!((queue.len(), queue.events.len(), queue.free.len()), (64, 64, 0));
        queue.clear();
        assert_eq!(queue.take_before(Timestamp::MAX), None);
    }
}
