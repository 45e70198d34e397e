//! Who may use the token endpoint next, and when.

use std::num::NonZeroU32;
use std::time::Duration;

use super::bucket::Bucket;
use super::pause::Pause;
use super::queue::{CLASSES, Queue};
use crate::Timestamp;
use crate::lifecycle::Wanted;

/// What the token endpoint is given, by all processes together; the bound on what is in flight is
/// that of each.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Budget {
    pub(super) burst: NonZeroU32,
    pub(super) in_flight: NonZeroU32,
    pub(super) per_second: NonZeroU32,
}

/// Lets slots go to one token endpoint, the most important first, inside a budget.
#[derive(Clone, Debug)]
pub(super) struct Admission {
    budget: Budget,
    bucket: Bucket,
    closed: Option<Pause>,
    in_flight: u32,
    is_careful: bool,
    queue: Queue,
}

/// A slot whose turn it is: it goes, or is parked.
#[derive(Debug)]
#[must_use = "nobody else gets a turn before this one has gone or is parked"]
pub(super) struct Turn {
    class: Wanted,
    slot: u32,
}

impl Turn {
    pub(super) const fn slot(&self) -> u32 {
        self.slot
    }
}

impl Admission {
    pub(super) fn new(now: Timestamp, budget: Budget) -> Self {
        Self {
            budget,
            bucket: Bucket::new(now, budget.per_second, budget.burst),
            closed: None,
            in_flight: 0,
            is_careful: false,
            queue: Queue::default(),
        }
    }

    /// Has a slot wait, or wait in another class.
    pub(super) fn enter(&mut self, slot: u32, class: Wanted) {
        self.queue.enter(slot, class);
    }

    /// Has a slot wait no longer.
    pub(super) fn leave(&mut self, slot: u32) {
        self.queue.leave(slot);
    }

    /// Returns the slot that may go now.
    pub(super) fn next(&mut self, now: Timestamp) -> Option<Turn> {
        self.bucket.refill(now);
        self.closed = self.closed.map(|it| it.seen_at(now)).filter(|it| !it.is_over(now));
        if self.closed.is_some() {
            return None;
        }
        let (class, slot) = self.first()?;
        self.bucket.allows(self.least(class)).then_some(Turn { class, slot })
    }

    /// Lets a slot go. [`finished`](Self::finished) must follow.
    pub(super) fn admit(&mut self, turn: Turn) {
        if self.bucket.spend(self.least(turn.class)) {
            self.queue.leave(turn.slot);
            self.in_flight = self.in_flight.saturating_add(1);
        }
    }

    /// Has a slot stand aside until it is released: what it would do must not be done now.
    pub(super) fn park(&mut self, turn: Turn) {
        self.queue.park(turn.slot);
    }

    /// Has up to `most` of the slots that stand aside wait again.
    pub(super) fn release(&mut self, most: usize, which: impl FnMut(u32) -> bool) {
        self.queue.release(most, which);
    }

    /// Notes that one that was let go is back. What it did not spend goes to others.
    pub(super) fn finished(&mut self, has_spent: bool) {
        self.in_flight = self.in_flight.saturating_sub(1);
        if !has_spent {
            self.bucket.give_back();
        }
    }

    /// Lets nobody go for a while: the server asked for it (`Retry-After`). It never makes an
    /// earlier wish shorter.
    pub(super) fn close(&mut self, now: Timestamp, span: Duration) {
        let asked = Pause::new(now, span);
        let closed = self.closed.map(|it| it.seen_at(now)).filter(|it| it.until() > asked.until());
        self.closed = Some(closed.unwrap_or(asked));
    }

    /// Divides the budget by so many processes.
    pub(super) fn share(&mut self, now: Timestamp, processes: NonZeroU32) {
        self.bucket.share(now, processes);
    }

    /// Lets go one at a time and only what cannot wait, or everything again.
    pub(super) fn be_careful(&mut self, is_careful: bool) {
        self.is_careful = is_careful;
    }

    /// Returns when somebody may go; `None` when nobody waits, or one in flight has to come back
    /// first.
    pub(super) fn next_at(&self) -> Option<Timestamp> {
        let (class, _) = self.first()?;
        let at = self.bucket.allows_at(self.least(class));
        Some(self.closed.map_or(at, |it| it.until().max(at)))
    }

    /// Returns the most important class with somebody who waits and has a place in flight. The
    /// bucket would not let a lesser one go before it.
    fn first(&self) -> Option<(Wanted, u32)> {
        let has_place = |class: &Wanted| self.in_flight < self.places(*class);
        let first = |class| self.queue.first(class).map(|slot| (class, slot));
        CLASSES.into_iter().filter(has_place).find_map(first)
    }

    /// Returns how many may be in flight for one of a class to go.
    const fn places(&self, class: Wanted) -> u32 {
        let all = self.budget.in_flight.get();
        match class {
            Wanted::Interactive | Wanted::Expiring if self.is_careful => 1,
            Wanted::Soft | Wanted::KeepAlive if self.is_careful => 0,
            Wanted::Interactive | Wanted::Expiring | Wanted::Soft => all,
            // Answers may take two minutes each: those that can wait leave half of the places.
            Wanted::KeepAlive => all.div_ceil(2),
        }
    }

    /// Returns what one of a class must leave in the bucket.
    fn least(&self, class: Wanted) -> i64 {
        let full = self.bucket.full();
        match class {
            Wanted::Interactive => -full,
            Wanted::Expiring | Wanted::Soft => 0,
            // Half, or what a full one that is too small for it leaves.
            Wanted::KeepAlive => (full / 2).min(full - 1_000),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Wanted::{Expiring, Interactive, KeepAlive, Soft};
    use super::*;

    #[test]
    fn the_most_important_goes_first_and_each_class_in_its_order() {
        let mut admission = admission(99);
        let waiting = [(5, KeepAlive), (4, Soft), (3, Soft), (2, Expiring), (1, Interactive)];
        waiting.into_iter().for_each(|(slot, class)| admission.enter(slot, class));
        assert_eq!(go(&mut admission, 60_000), [1, 2, 4, 3, 5]);
    }

    #[test]
    fn a_class_may_spend_what_its_place_allows() {
        // Ten requests a second, a burst of ten; so many of 99 go after so many milliseconds.
        let cases = [
            ("borrows what the bucket would hold", Interactive, 0, 10),
            ("borrows, and what came", Interactive, 500, 15),
            ("does not borrow", Expiring, 0, 0),
            ("spends what came", Expiring, 500, 5),
            ("spends what came, too", Soft, 500, 5),
            ("leaves half of the burst", KeepAlive, 500, 0),
            ("is content with the rest", KeepAlive, 60_000, 5),
        ];
        for (name, class, at, expected) in cases {
            let mut admission = admission(99);
            (0..99).for_each(|slot| admission.enter(slot, class));
            assert_eq!(go(&mut admission, at).len(), expected, "{class:?} {name}");
        }
    }

    #[test]
    fn the_budget_is_divided_by_the_processes() {
        let mut admission = admission(99);
        admission.share(Timestamp::EPOCH, NonZeroU32::new(5).expect("not zero"));
        (0..99).for_each(|slot| admission.enter(slot, Expiring));
        assert_eq!(go(&mut admission, 999).len(), 1);
        assert_eq!(go(&mut admission, 60_000).len(), 2);
    }

    #[test]
    fn places_in_flight_are_bounded_and_keep_alive_leaves_half() {
        for (class, places) in [(Interactive, 5), (Expiring, 5), (Soft, 5), (KeepAlive, 3)] {
            let mut admission = admission(5);
            (0..9).for_each(|slot| admission.enter(slot, class));
            assert_eq!(go(&mut admission, 60_000).len(), places, "{class:?}");
            assert_eq!(admission.next_at(), None);
            admission.finished(true);
            assert_eq!(go(&mut admission, 120_000).len(), 1, "{class:?}");
        }
    }

    #[test]
    fn when_careful_one_goes_at_a_time_and_only_what_cannot_wait() {
        let mut admission = admission(5);
        admission.be_careful(true);
        let waiting = [(1, KeepAlive), (2, Soft), (3, Expiring), (4, Interactive)];
        waiting.into_iter().for_each(|(slot, class)| admission.enter(slot, class));
        assert_eq!(go(&mut admission, 60_000), [4]);
        admission.finished(true);
        assert_eq!(go(&mut admission, 60_000), [3]);
        admission.finished(true);
        assert_eq!((go(&mut admission, 60_000), admission.next_at()), (vec![], None));
        admission.be_careful(false);
        assert_eq!(go(&mut admission, 60_000), [2, 1]);
    }

    #[test]
    fn a_wait_that_the_server_asked_for_holds_for_all() {
        let mut admission = admission(9);
        admission.enter(1, Interactive);
        admission.close(Timestamp::EPOCH, Duration::from_secs(7));
        admission.close(Timestamp::EPOCH, Duration::from_secs(5));
        assert_eq!(admission.next_at(), Some(Timestamp::from_unix_secs(7)));
        assert_eq!(go(&mut admission, 6_999), [0; 0]);
        assert_eq!(go(&mut admission, 7_000), [1]);
    }

    #[test]
    fn who_is_parked_stands_in_nobodys_way() {
        let mut admission = admission(9);
        [1, 2, 3].into_iter().for_each(|slot| admission.enter(slot, Interactive));
        for expected in [1, 2] {
            let turn = admission.next(Timestamp::EPOCH).expect("a turn");
            assert_eq!((turn.slot(), turn.class), (expected, Interactive));
            admission.park(turn);
        }
        assert_eq!(admission.queue.class_of(1), Some(Interactive));
        admission.leave(2);
        assert_eq!(go(&mut admission, 0), [3]);
        admission.release(1, |_| true);
        assert_eq!(go(&mut admission, 0), [1]);
    }

    proptest! {
        /// Whatever happens: never more than the budget, never more in flight than there are
        /// places, nobody goes twice, and who waits is told when to ask.
        #[test]
        fn the_budget_is_never_exceeded(
            steps in proptest::collection::vec((0_u8..8, 0_u32..40, 0_u64..900), 1..300),
        ) {
            let mut admission = admission(6);
            let (mut now, mut spent, mut in_flight) = (Timestamp::EPOCH, 0_u64, 0);
            for (action, number, span) in steps {
                let span = Duration::from_millis(span);
                match action {
                    0 | 1 => now = now.after(span),
                    2 if in_flight > 0 => {
                        admission.finished(number > 10);
                        (spent, in_flight) = (spent - u64::from(number <= 10), in_flight - 1);
                    }
                    3 => admission.leave(number),
                    4 => admission.close(now, span),
                    5 => admission.release(2, |slot| slot % 2 == number % 2),
                    _ => admission.enter(number, CLASSES[number as usize % 4]),
                }
                while let Some(turn) = admission.next(now) {
                    let slot = turn.slot();
                    if action == 7 && slot % 5 == 0 {
                        admission.park(turn);
                        prop_assert!(admission.queue.class_of(slot).is_some());
                    } else {
                        admission.admit(turn);
                        prop_assert_eq!(admission.queue.class_of(slot), None);
                        (spent, in_flight) = (spent + 1, in_flight + 1);
                    }
                }
                prop_assert!(in_flight <= 6, "{} in flight", in_flight);
                let budget = now.as_unix_millis() * 10 / 1_000 + 10;
                prop_assert!(spent <= budget, "{} spent of {}", spent, budget);
                if let Some(at) = admission.next_at() {
                    prop_assert!(at > now);
                    let mut then = admission.clone();
                    prop_assert!(then.next(at).is_some(), "nobody at {:?}", at);
                }
            }
        }
    }

    /// Ten requests a second, a burst of ten.
    fn admission(in_flight: u32) -> Admission {
        let number = |it| NonZeroU32::new(it).expect("not zero");
        let (burst, per_second, in_flight) = (number(10), number(10), number(in_flight));
        Admission::new(Timestamp::EPOCH, Budget { burst, in_flight, per_second })
    }

    /// Lets go everybody who may.
    fn go(admission: &mut Admission, millis: u64) -> Vec<u32> {
        let now = Timestamp::from_unix_millis(millis);
        let turns = std::iter::from_fn(|| {
            let turn = admission.next(now)?;
            let slot = turn.slot();
            admission.admit(turn);
            Some(slot)
        });
        turns.collect()
    }
}
