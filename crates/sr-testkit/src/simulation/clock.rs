//! The clock of a process: true time, and what it has wrong.

use std::time::Duration;

use sr_auth_core::Timestamp;

/// A clock that counts suspended time and is set by what the store says, as the shell's is.
///
/// True time is the store's. Between two answers the clock drifts; an answer tells it the true time
/// but for half of the round trip, and is believed when that is less than the clock may have
/// drifted since.
#[derive(Clone, Copy, Debug)]
pub(super) struct ProcessClock {
    /// How much it may be wrong, as it sees it itself.
    doubt: Duration,
    /// By how many parts per million it is fast.
    drift: i32,
    /// By how many milliseconds it was ahead when it was set.
    error: i64,
    /// When it was set, in true time.
    set_at: Timestamp,
}

impl ProcessClock {
    /// The most by which a crystal drifts, in parts per million.
    pub(super) const DRIFT: i32 = 500;

    /// Makes the clock of a process that starts at `truth`: set by hand, and so with any error.
    pub(super) fn new(truth: Timestamp, error: i64, drift: i32) -> Self {
        let drift = drift.clamp(-Self::DRIFT, Self::DRIFT);
        Self { doubt: Duration::MAX, drift, error, set_at: truth }
    }

    /// Returns what it shows at `truth`.
    pub(super) fn now(&self, truth: Timestamp) -> Timestamp {
        Timestamp::from_unix_millis(
            truth.as_unix_millis().saturating_add_signed(self.error + self.drifted(truth)),
        )
    }

    /// Returns when it shows `local`: a moment at which it shows that or a little more.
    pub(super) fn when(&self, local: Timestamp) -> Timestamp {
        let set_at = self.set_at.as_unix_millis();
        let to_run = local.as_unix_millis().saturating_add_signed(-self.error);
        let to_run = to_run.saturating_sub(set_at);
        let pace = u64::try_from(1_000_000 + i64::from(self.drift)).unwrap_or(1_000_000);
        let true_millis = u128::from(to_run) * 1_000_000;
        let true_millis = u64::try_from(true_millis.div_ceil(u128::from(pace)));
        Timestamp::from_unix_millis(set_at.saturating_add(true_millis.unwrap_or(u64::MAX)))
    }

    /// Takes in that the store's clock showed `store` within a round trip that ends at `truth`.
    pub(super) fn learn(&mut self, truth: Timestamp, store: Timestamp, round_trip: Duration) {
        let doubt = round_trip / 2;
        let shown = self.now(truth);
        let told = store.after(doubt);
        let apart = told.since(shown).max(shown.since(told));
        let drifted = Duration::from_millis(truth.since(self.set_at).as_secs() / 2 + 1);
        let own_doubt = self.doubt.saturating_add(drifted);
        // A contradiction ends every confidence.
        if doubt <= own_doubt || apart > own_doubt.saturating_add(doubt) {
            let millis = |it: Timestamp| i64::try_from(it.as_unix_millis()).unwrap_or(i64::MAX);
            self.error = millis(told).saturating_sub(millis(truth));
            (self.doubt, self.set_at) = (doubt, truth);
        }
    }

    fn drifted(&self, truth: Timestamp) -> i64 {
        let run = i64::try_from(truth.since(self.set_at).as_millis()).unwrap_or(i64::MAX);
        run.saturating_mul(i64::from(self.drift)) / 1_000_000
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(secs: u64) -> Timestamp {
        Timestamp::from_unix_secs(secs)
    }

    /// By how many milliseconds a clock is ahead.
    fn ahead(clock: &ProcessClock, truth: Timestamp) -> i64 {
        let [shown, truth] = [clock.now(truth), truth].map(|it| it.as_unix_millis());
        i64::try_from(shown).unwrap() - i64::try_from(truth).unwrap()
    }

    #[test]
    fn a_clock_drifts_and_is_set_by_the_store() {
        let mut clock = ProcessClock::new(at(1_000), -90_000, 500);
        assert_eq!(ahead(&clock, at(1_000)), -90_000);
        assert_eq!(ahead(&clock, at(3_000)), -89_000);
        // The store said 3,000 s; its answer took 30 ms of the 40 ms.
        let told = Timestamp::from_unix_millis(3_000_030);
        clock.learn(told, at(3_000), Duration::from_millis(40));
        assert_eq!(ahead(&clock, told), -10);
        clock.learn(told, at(2_999), Duration::from_secs(2));
        assert_eq!(ahead(&clock, told), -10, "a slow answer says less than it knows");
        assert_eq!(ahead(&clock, at(5_000)), 989, "and it drifts on");
        clock.learn(at(5_000), at(4_999), Duration::from_secs(1));
        assert_eq!(ahead(&clock, at(5_000)), -500, "until a slow answer says more");
    }

    #[test]
    fn a_clock_that_contradicts_the_store_is_set() {
        let mut clock = ProcessClock::new(at(0), 0, 0);
        clock.learn(at(10), at(10), Duration::from_millis(2));
        clock.error = -3_600_000;
        clock.learn(at(20), at(15), Duration::from_secs(10));
        assert_eq!(ahead(&clock, at(20)), 0);
    }

    #[test]
    fn the_moment_of_a_reading_is_found_again() {
        for drift in [-500, -7, 0, 3, 500] {
            for error in [-5_000, 0, 1, 70_000] {
                let clock = ProcessClock::new(at(100), error, drift);
                for secs in [200, 1_000, 86_400, 28 * 86_400] {
                    let truth = clock.when(at(secs));
                    assert!(clock.now(truth) >= at(secs), "{drift} {error} {secs}");
                    let before = truth.before(Duration::from_millis(2));
                    assert!(clock.now(before) < at(secs), "{drift} {error} {secs}");
                }
            }
        }
        assert_eq!(ProcessClock::new(at(100), 70_000, 0).when(at(50)), at(100), "it is past");
    }
}
