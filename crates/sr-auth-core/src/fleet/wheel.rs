//! When each slot is due: a hierarchical timing wheel (Varghese and Lauck 1987, scheme 6).

use super::rings::Rings;
use crate::Timestamp;

/// Says which slot is due next, of any number of them, each with one moment.
///
/// Slots are numbers from 0, and memory grows with the greatest: 16 bytes for each. Scheduling and
/// cancelling take constant time and allocate nothing once a slot has been used.
///
/// Time is in milliseconds. Six levels of 64 lists hold what is due within two years; what is due
/// later waits beside them. The order depends on the calls alone: the earliest first, and slots of
/// the same millisecond as they were scheduled, save that those which were late when they were
/// scheduled come first.
///
/// # Examples
///
/// ```
/// use sr_auth_core::Timestamp;
/// use sr_auth_core::fleet::Wheel;
///
/// let mut wheel = Wheel::with_capacity(100);
/// wheel.schedule(7, Timestamp::from_unix_secs(60));
/// wheel.schedule(3, Timestamp::from_unix_secs(30));
///
/// assert_eq!(wheel.pop_due(Timestamp::from_unix_secs(29)), None);
/// assert_eq!(wheel.pop_due(Timestamp::from_unix_secs(60)), Some(3));
/// assert_eq!(wheel.pop_due(Timestamp::from_unix_secs(60)), Some(7));
/// assert_eq!(wheel.next_at(), None);
/// ```
#[derive(Clone, Debug)]
pub struct Wheel {
    /// What was due before `now` is in [`LATE`], what is due in another block of 2³⁶ ms in
    /// [`FAR`], all else in the level of the highest digit in which it differs from `now`.
    now: u64,
    /// Not later than any moment in [`LATE`], while that is not empty.
    late_at: u64,
    rings: Rings<LISTS, u64>,
}

/// Bits of a digit: each level has 64 lists.
const DIGIT: u32 = 6;
const LEVELS: u32 = 6;
const LATE: u32 = LEVELS << DIGIT;
const FAR: u32 = LATE + 1;
const LISTS: usize = FAR as usize + 1;
/// The word of [`Rings::busy`] in which the two lists beside the levels stand.
const BESIDE: usize = LEVELS as usize;

impl Default for Wheel {
    fn default() -> Self {
        Self::with_capacity(0)
    }
}

impl Wheel {
    /// One more than the greatest slot.
    pub const SLOTS: u32 = Rings::<LISTS, u64>::SLOTS;

    /// Makes a wheel that needs no further memory for slots below `slots`.
    #[must_use]
    pub fn with_capacity(slots: usize) -> Self {
        Self { now: 0, late_at: 0, rings: Rings::with_capacity(slots) }
    }

    /// Makes a slot due at `at`, and at no other moment any more.
    ///
    /// A slot from [`SLOTS`](Self::SLOTS) on is not scheduled.
    pub fn schedule(&mut self, slot: u32, at: Timestamp) {
        self.rings.remove(slot);
        self.place(slot, at.as_unix_millis());
    }

    /// Makes a slot due at no moment.
    pub fn cancel(&mut self, slot: u32) {
        self.rings.remove(slot);
    }

    /// Returns when a slot is due.
    #[must_use]
    pub fn scheduled_at(&self, slot: u32) -> Option<Timestamp> {
        self.rings.value(slot).map(Timestamp::from_unix_millis)
    }

    /// Takes out the next slot that is due at `now`.
    ///
    /// A clock that was set back is met: what was due then is not due any more, and what is
    /// scheduled then is due at its moment. The first slot after such a step costs a look at all.
    #[must_use]
    pub fn pop_due(&mut self, now: Timestamp) -> Option<u32> {
        let now = now.as_unix_millis();
        while let Some((start, list)) = self.next_list() {
            if start > now {
                break;
            }
            match list {
                LATE if now < self.now => self.turn_back(start),
                FAR => self.turn_far(now),
                LATE | 0..64 => {
                    self.now = self.now.max(start);
                    let slot = self.rings.first(list)?;
                    self.rings.remove(slot);
                    return Some(slot);
                }
                _ => self.cascade(start, list),
            }
        }
        self.now = self.now.max(now);
        None
    }

    /// Returns when to call [`pop_due`](Self::pop_due) next: when the first slot is due, or some
    /// time before, when the wheel has to turn; `None` when no slot is scheduled.
    ///
    /// A call at that moment returns a slot, or makes the next answer later. From the moment of
    /// scheduling to that of being due, a slot needs six calls at most for each two years.
    #[must_use]
    pub fn next_at(&self) -> Option<Timestamp> {
        self.next_list().map(|(start, _)| Timestamp::from_unix_millis(start))
    }

    /// Returns the list that comes next, with the first moment that stands in it.
    fn next_list(&self) -> Option<(u64, u32)> {
        let beside = self.rings.busy(BESIDE);
        if beside & 1 != 0 {
            return Some((self.late_at, LATE));
        }
        for level in 0..LEVELS {
            // Those at or before the digit of now are empty, save on the first level.
            let busy = self.rings.busy(level as usize);
            if busy != 0 {
                let digit = busy.trailing_zeros();
                let above = self.now >> ((level + 1) * DIGIT) << ((level + 1) * DIGIT);
                let start = above | u64::from(digit) << (level * DIGIT);
                return Some((start, (level << DIGIT) | digit));
            }
        }
        (beside != 0).then(|| (block(self.now.saturating_add(BLOCK)), FAR))
    }

    fn place(&mut self, slot: u32, at: u64) {
        let list = if at < self.now {
            let is_first = self.rings.busy(BESIDE) & 1 == 0;
            self.late_at = if is_first { at } else { self.late_at.min(at) };
            LATE
        } else {
            let level = (u64::BITS - 1 - ((at ^ self.now) | 1).leading_zeros()) / DIGIT;
            if level < LEVELS {
                (level << DIGIT) | ((at >> (level * DIGIT)) & 63) as u32
            } else {
                FAR
            }
        };
        self.rings.push(list, slot, at);
    }

    /// Moves to the first moment of a list, and its slots to the levels below.
    fn cascade(&mut self, start: u64, list: u32) {
        self.now = start;
        while let Some(slot) = self.rings.first(list) {
            let Some(at) = self.rings.remove(slot) else { return };
            self.place(slot, at);
        }
    }

    /// Moves to the block of the first far slot, at most to the block of `now`, and places anew
    /// what is no longer far.
    fn turn_far(&mut self, now: u64) {
        let far: Vec<_> = std::iter::successors(self.rings.first(FAR), |it| self.rings.after(*it))
            .filter_map(|slot| Some((slot, self.rings.value(slot)?)))
            .collect();
        let first = far.iter().map(|(_, at)| *at).min().unwrap_or(now);
        self.now = block(first.min(now));
        for (slot, at) in far {
            if block(at) == self.now {
                self.rings.remove(slot);
                self.place(slot, at);
            }
        }
    }

    /// Goes back to `to`, and places everything anew.
    fn turn_back(&mut self, to: u64) {
        self.now = to;
        for (slot, at) in self.rings.take_all() {
            self.place(slot, at);
        }
    }
}

/// What the levels cover.
const BLOCK: u64 = 1 << (LEVELS * DIGIT);

/// Returns the first moment of the block in which `at` is.
const fn block(at: u64) -> u64 {
    at & !(BLOCK - 1)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn slots_come_in_the_order_of_their_moments() {
        let day = 24 * 60 * 60_000;
        let cases: [(&str, &[(u32, u64)], &[u32]); 6] = [
            ("different levels", &[(0, 28 * day), (1, 1), (2, day), (3, 64)], &[1, 3, 2, 0]),
            ("one millisecond, by scheduling", &[(2, 5), (0, 5), (1, 5)], &[2, 0, 1]),
            ("one moment beyond", &[(2, day), (0, day), (1, day)], &[2, 0, 1]),
            ("scheduled again", &[(0, 9), (1, 5), (0, 4)], &[0, 1]),
            ("ten years, and later still", &[(1, 9_000 * day), (0, 3_650 * day)], &[0, 1]),
            ("the last moment", &[(1, u64::MAX), (0, 3)], &[0, 1]),
        ];
        for (name, scheduled, expected) in cases {
            let mut wheel = Wheel::default();
            for (slot, at) in scheduled {
                wheel.schedule(*slot, Timestamp::from_unix_millis(*at));
            }
            let popped: Vec<_> =
                std::iter::from_fn(|| wheel.pop_due(Timestamp::MAX)).take(9).collect();
            assert_eq!(popped, expected, "{name}");
        }
    }

    #[test]
    fn a_slot_is_not_due_before_its_moment_nor_after_it_was_cancelled() {
        let at = Timestamp::from_unix_secs;
        let mut wheel = Wheel::default();
        wheel.schedule(1, at(10));
        assert_eq!(wheel.pop_due(Timestamp::from_unix_millis(9_999)), None);
        assert_eq!(wheel.scheduled_at(1), Some(at(10)));
        wheel.cancel(1);
        wheel.cancel(1);
        wheel.schedule(Wheel::SLOTS, at(1));
        assert_eq!((wheel.scheduled_at(1), wheel.next_at()), (None, None));
        assert_eq!(wheel.pop_due(at(99)), None);
    }

    #[test]
    fn a_clock_set_back_takes_the_moments_with_it() {
        let at = Timestamp::from_unix_secs;
        let mut wheel = Wheel::default();
        wheel.schedule(0, at(5_000));
        assert_eq!(wheel.pop_due(at(4_000)), None);
        wheel.schedule(1, at(1_100));
        wheel.schedule(2, at(1_050));
        assert_eq!(wheel.next_at(), Some(at(1_050)));
        assert_eq!(wheel.pop_due(at(1_049)), None);
        assert_eq!(wheel.pop_due(at(1_050)), Some(2));
        assert_eq!(wheel.pop_due(at(1_099)), None);
        assert_eq!(wheel.pop_due(at(1_100)), Some(1));
        assert_eq!(wheel.pop_due(at(4_999)), None);
        assert_eq!(wheel.pop_due(at(5_000)), Some(0));
    }

    #[derive(Clone, Debug)]
    enum Step {
        Advance(u64),
        Back(u64),
        Cancel(u32),
        Schedule(u32, u64),
        ScheduleBefore(u32, u64),
    }

    fn step() -> impl Strategy<Value = Step> {
        // As many short spans as long ones, up to 2⁴⁰ ms: 35 years, 16 blocks.
        let span = (0_u32..=40, any::<u64>()).prop_map(|(bits, it)| it & ((1 << bits) - 1));
        let slot = 0_u32..12;
        prop_oneof![
            3 => span.clone().prop_map(Step::Advance),
            1 => span.clone().prop_map(Step::Back),
            1 => slot.clone().prop_map(Step::Cancel),
            6 => (slot.clone(), span.clone()).prop_map(|(slot, span)| Step::Schedule(slot, span)),
            1 => (slot, span).prop_map(|(slot, span)| Step::ScheduleBefore(slot, span)),
        ]
    }

    /// What the wheel does, by looking at everything.
    #[derive(Default)]
    struct Model {
        scheduled: BTreeSet<(u64, u32)>,
        /// Those whose place among the due is not said.
        late: BTreeSet<u32>,
        latest: u64,
    }

    impl Model {
        fn schedule(&mut self, slot: u32, at: Option<u64>) {
            self.scheduled.retain(|(_, it)| *it != slot);
            self.late.remove(&slot);
            if let Some(at) = at {
                self.scheduled.insert((at, slot));
                if at < self.latest {
                    self.late.insert(slot);
                }
            }
        }
    }

    proptest! {
        /// Exactly what is due comes out, in order, and the next moment is never named too late.
        #[test]
        fn the_wheel_agrees_with_a_sorted_set(steps in proptest::collection::vec(step(), 1..60)) {
            let (mut wheel, mut model, mut now) = (Wheel::default(), Model::default(), 1 << 36);
            for step in steps {
                let (slot, at) = match step {
                    Step::Advance(span) => { now += span; (99, None) }
                    Step::Back(span) => { now = now.saturating_sub(span); (99, None) }
                    Step::Cancel(slot) => (slot, None),
                    Step::Schedule(slot, span) => (slot, Some(now + span)),
                    Step::ScheduleBefore(slot, span) => (slot, Some(now.saturating_sub(span))),
                };
                model.schedule(slot, at);
                match at {
                    Some(at) => wheel.schedule(slot, Timestamp::from_unix_millis(at)),
                    None => wheel.cancel(slot),
                }
                check_next(&wheel, &model)?;
                let mut last = 0;
                while let Some(slot) = wheel.pop_due(Timestamp::from_unix_millis(now)) {
                    let found = model.scheduled.iter().find(|(_, it)| *it == slot).copied();
                    prop_assert!(found.is_some_and(|(at, _)| at <= now), "{} is not due", slot);
                    let at = found.map_or(0, |(at, _)| at);
                    prop_assert!(model.late.contains(&slot) || last <= at, "{} is too late", slot);
                    last = last.max(if model.late.contains(&slot) { 0 } else { at });
                    model.schedule(slot, None);
                }
                model.latest = model.latest.max(now);
                let left = model.scheduled.first();
                prop_assert!(left.is_none_or(|(at, _)| *at > now), "{:?} is due", left);
            }
        }
    }

    /// Following the named moments leads to the first slot, at its moment.
    fn check_next(wheel: &Wheel, model: &Model) -> Result<(), TestCaseError> {
        let mut wheel = wheel.clone();
        let mut before = None;
        loop {
            let next = wheel.next_at();
            let Some(at) = next else {
                prop_assert!(model.scheduled.is_empty(), "{:?}", model.scheduled);
                return Ok(());
            };
            prop_assert!(before < next, "{:?} after {:?}", next, before);
            before = next;
            if let Some(slot) = wheel.pop_due(at) {
                let found = (at.as_unix_millis(), slot);
                let first = model.scheduled.first().map(|it| it.0);
                prop_assert!(model.scheduled.contains(&found) && first == Some(found.0));
                return Ok(());
            }
        }
    }
}
