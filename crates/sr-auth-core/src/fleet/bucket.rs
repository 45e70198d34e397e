//! How many requests the token endpoint gets: a token bucket in whole numbers.

use std::num::NonZeroU32;

use crate::Timestamp;

/// Fills with time, up to a burst, and may be overdrawn by as much.
///
/// It begins empty: processes that start together must not spend a burst each before they know
/// of one another. It counts in thousandths of a request, and what is left of a division is kept,
/// so that it is exact over any time.
#[derive(Clone, Debug)]
pub(super) struct Bucket {
    burst: NonZeroU32,
    /// In thousandths of a request.
    level: i64,
    /// Requests a second, which is thousandths of a request a millisecond.
    per_second: NonZeroU32,
    processes: NonZeroU32,
    refilled_at: Timestamp,
    /// What is left of the last refill, in parts of a thousandth that `processes` names.
    rest: u64,
}

/// One request.
const REQUEST: i64 = 1_000;

impl Bucket {
    pub(super) const fn new(now: Timestamp, per_second: NonZeroU32, burst: NonZeroU32) -> Self {
        let processes = NonZeroU32::MIN;
        Self { burst, level: 0, per_second, processes, refilled_at: now, rest: 0 }
    }

    /// Adds what has come since the last time. A clock that was set back adds nothing.
    pub(super) fn refill(&mut self, now: Timestamp) {
        let elapsed = now.as_unix_millis().saturating_sub(self.refilled_at.as_unix_millis());
        let added = elapsed.saturating_mul(self.per_second.get().into()).saturating_add(self.rest);
        let processes = u64::from(self.processes.get());
        let whole = i64::try_from(added / processes).unwrap_or(i64::MAX);
        self.refilled_at = now;
        self.rest = added % processes;
        self.level = self.level.saturating_add(whole);
        if self.level >= self.full() {
            (self.level, self.rest) = (self.full(), 0);
        }
    }

    /// Divides the budget by so many processes from now on.
    pub(super) fn share(&mut self, now: Timestamp, processes: NonZeroU32) {
        if processes != self.processes {
            self.refill(now);
            (self.processes, self.rest) = (processes, 0);
            self.level = self.level.clamp(-self.full(), self.full());
        }
    }

    /// Spends one request, if that leaves no less than `least` thousandths of one.
    pub(super) fn spend(&mut self, least: i64) -> bool {
        let may = self.allows(least);
        if may {
            self.level -= REQUEST;
        }
        may
    }

    /// Takes back a request that was spent and not made.
    pub(super) fn give_back(&mut self) {
        self.level = self.level.saturating_add(REQUEST).min(self.full());
    }

    /// Says whether a request may be spent, as the bucket was last filled.
    pub(super) const fn allows(&self, least: i64) -> bool {
        self.level - REQUEST >= least
    }

    /// Returns when a request may be spent that leaves `least`, if none is spent before.
    pub(super) fn allows_at(&self, least: i64) -> Timestamp {
        let missing = u64::try_from(least.saturating_add(REQUEST) - self.level).unwrap_or(0);
        let missing = missing.saturating_mul(self.processes.get().into()).saturating_sub(self.rest);
        let millis = missing.div_ceil(self.per_second.get().into());
        Timestamp::from_unix_millis(self.refilled_at.as_unix_millis().saturating_add(millis))
    }

    /// Returns what it holds at most: our share of the burst, one request at least.
    pub(super) fn full(&self) -> i64 {
        let burst = i64::from(self.burst.get()) * REQUEST;
        (burst / i64::from(self.processes.get())).max(REQUEST)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn it_fills_exactly_with_the_share_of_each_process() {
        // Requests a second, processes; after so many milliseconds it holds so much.
        let cases = [
            ("alone", 10, 1, 250, 2_500),
            ("of three", 10, 3, 300, 1_000),
            ("of more than requests a second", 1, 7, 6_999, 999),
            ("full", 10, 1, u64::MAX, 20_000),
            ("a share below one request", 10, 40, u64::MAX, 1_000),
        ];
        for (name, rate, processes, elapsed, expected) in cases {
            for step in [elapsed, 1, 7] {
                let mut bucket = bucket(rate, processes);
                for part in 1..=(elapsed / step).min(10_000) {
                    bucket.refill(Timestamp::from_unix_millis(part * step));
                }
                bucket.refill(Timestamp::from_unix_millis(elapsed));
                assert_eq!(bucket.level, expected, "{name}, in steps of {step}");
            }
        }
    }

    #[test]
    fn a_clock_set_back_adds_nothing_and_stops_nothing() {
        let at = Timestamp::from_unix_millis;
        let mut bucket = bucket(10, 1);
        bucket.refill(at(1_000));
        bucket.refill(at(200));
        assert_eq!(bucket.level, 10_000);
        bucket.refill(at(300));
        assert_eq!(bucket.level, 11_000);
    }

    proptest! {
        /// No sequence of moments spends more than the rate gives, and the moment that it names
        /// is the first at which a request may be spent.
        #[test]
        fn it_never_gives_more_than_it_got(
            rate in 1_u32..50,
            processes in 1_u32..9,
            steps in proptest::collection::vec((0_u64..3_000, -20_000_i64..20_000), 1..100),
        ) {
            let mut bucket = bucket(rate, processes);
            let (mut now, mut spent) = (Timestamp::from_unix_millis(1), 0_u64);
            for (span, least) in steps {
                now = now.after(Duration::from_millis(span));
                bucket.refill(now);
                spent += u64::from(bucket.spend(least.max(-bucket.full())));
                let budget = now.as_unix_millis() * u64::from(rate) / u64::from(processes);
                let borrowed = u64::try_from(bucket.full()).expect("positive");
                prop_assert!(spent * 1_000 <= budget + borrowed, "{} spent", spent);
                let least = least.min(bucket.full() - REQUEST);
                let at = bucket.allows_at(least);
                bucket.look_at(at.before(Duration::from_millis(1)), now, |it| !it.allows(least))?;
                bucket.look_at(at, now, |it| it.allows(least))?;
            }
        }
    }

    impl Bucket {
        /// Checks the bucket as it will be at a moment, unless that is over.
        fn look_at(
            &self,
            at: Timestamp,
            now: Timestamp,
            check: impl Fn(&Self) -> bool,
        ) -> Result<(), TestCaseError> {
            let mut bucket = self.clone();
            bucket.refill(at);
            prop_assert!(at < now || check(&bucket), "{:?} at {:?}", bucket, at);
            Ok(())
        }
    }

    fn bucket(rate: u32, processes: u32) -> Bucket {
        let number = |it| NonZeroU32::new(it).expect("not zero");
        let mut bucket = Bucket::new(Timestamp::EPOCH, number(rate), number(20));
        bucket.share(Timestamp::EPOCH, number(processes));
        bucket
    }
}
