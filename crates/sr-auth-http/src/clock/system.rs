//! The clock of the system: a clock that nobody sets, and what it has learnt about the time.

use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

use sr_auth_core::Timestamp;

use super::readings::{uptime, wall};

/// How far clocks may part, in milliseconds, before deadlines are judged anew.
const PARTED: u64 = 2_000;

/// How exact a reading is, in milliseconds.
const GRAIN: i64 = 2;

/// Time as uptime plus offsets, all in milliseconds.
#[derive(Debug)]
pub(super) struct SystemClock {
    diverged: AtomicBool,
    /// What is added to the uptime to get the time.
    offset: AtomicI64,
    /// What was added to the uptime to get the wall clock, when it was looked at last.
    wall_offset: AtomicI64,
}

impl SystemClock {
    pub(super) fn new() -> Self {
        Self::at(signed(wall()) - signed(uptime()))
    }

    const fn at(offset: i64) -> Self {
        Self {
            diverged: AtomicBool::new(false),
            offset: AtomicI64::new(offset),
            wall_offset: AtomicI64::new(offset),
        }
    }

    pub(super) fn uptime() -> u64 {
        uptime()
    }

    pub(super) fn now(&self) -> Timestamp {
        self.at_uptime(uptime())
    }

    fn at_uptime(&self, uptime: u64) -> Timestamp {
        let millis = signed(uptime).saturating_add(self.offset.load(Ordering::Relaxed));
        Timestamp::from_unix_millis(u64::try_from(millis).unwrap_or_default())
    }

    pub(super) fn wall_millis_at(&self, at: Timestamp) -> u64 {
        if at == Timestamp::MAX {
            return u64::MAX;
        }
        let parted = self.wall_offset.load(Ordering::Relaxed) - self.offset.load(Ordering::Relaxed);
        at.as_unix_millis().saturating_add_signed(parted)
    }

    /// Takes in that it was `told` somewhere between two uptimes. An offset that agrees stays, so
    /// slow answers move nothing that quick ones have settled.
    pub(super) fn learn(&self, asked: u64, answered: u64, told: Timestamp) {
        let told = signed(told.as_unix_millis());
        let (earliest, latest) = (told - signed(answered), told - signed(asked));
        let offset = self.offset.load(Ordering::Relaxed);
        if (earliest - GRAIN..=latest + GRAIN).contains(&offset) {
            return;
        }
        let learnt = earliest + (latest - earliest) / 2;
        self.offset.store(learnt, Ordering::Relaxed);
        if learnt.abs_diff(offset) > PARTED {
            self.diverged.store(true, Ordering::Relaxed);
        }
    }

    pub(super) fn has_diverged(&self) -> bool {
        self.compare(uptime(), wall())
    }

    /// Compares the wall clock with what is known of it; `true` when it has parted, or when an
    /// answer has moved the time.
    fn compare(&self, uptime: u64, wall: u64) -> bool {
        let offset = signed(wall) - signed(uptime);
        let parted = offset - self.wall_offset.swap(offset, Ordering::Relaxed);
        let is_far = parted.unsigned_abs() > PARTED;
        if cfg!(not(target_os = "linux")) && is_far && parted > 0 {
            // The uptime may have stood still while the machine slept: time has passed.
            self.offset.fetch_add(parted, Ordering::Relaxed);
        }
        self.diverged.swap(false, Ordering::Relaxed) || is_far
    }
}

fn signed(millis: u64) -> i64 {
    i64::try_from(millis).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_moves_the_clock_only_when_it_contradicts() {
        // The clock says 1,000,000 at uptime 0. Asked, answered, told; the offset then, diverged.
        let cases = [
            ("exactly", (100, 100, 1_000_100), 1_000_000, false),
            ("somewhere between", (100, 900, 1_000_500), 1_000_000, false),
            ("rounding", (100, 100, 1_000_102), 1_000_000, false),
            ("a second ahead", (100, 100, 1_001_100), 1_001_000, false),
            ("slow, and ahead all the same", (100, 300, 1_001_200), 1_001_000, false),
            ("minutes ahead", (100, 100, 1_300_100), 1_300_000, true),
            ("minutes behind", (100, 100, 700_100), 700_000, true),
        ];
        for (name, (asked, answered, told), offset, diverged) in cases {
            let clock = SystemClock::at(1_000_000);
            clock.learn(asked, answered, Timestamp::from_unix_millis(told));
            assert_eq!(clock.offset.load(Ordering::Relaxed), offset, "{name}");
            assert_eq!(clock.compare(0, 1_000_000), diverged, "{name}");
            assert!(!clock.compare(0, 1_000_000), "{name}: told once");
        }
    }

    #[test]
    fn a_suspend_is_time_that_has_passed_on_every_clock() {
        // Ten hours during which nothing ran: the uptime counts them, and so does the wall clock.
        const ASLEEP: u64 = 10 * 60 * 60 * 1_000;
        let clock = SystemClock::at(1_000_000);
        let (before, at) = (clock.at_uptime(1_000), Timestamp::from_unix_millis(1_050_000));
        let slept = std::time::Duration::from_millis(ASLEEP);
        assert!(!clock.compare(1_000 + ASLEEP, 1_001_000 + ASLEEP), "nothing has parted");
        assert_eq!(clock.at_uptime(1_000 + ASLEEP), before.after(slept));
        // What was published in terms of the wall clock has ended for whoever reads that clock.
        assert!(clock.wall_millis_at(at) < 1_001_000 + ASLEEP);
        // The answer of a store that counted on changes nothing.
        clock.learn(1_000 + ASLEEP, 1_000 + ASLEEP, before.after(slept));
        assert!(!clock.compare(1_000 + ASLEEP, 1_001_000 + ASLEEP));
    }

    #[test]
    fn a_wall_clock_that_is_set_is_noticed_and_moves_no_deadline() {
        let clock = SystemClock::at(1_000_000);
        let at = Timestamp::from_unix_millis(1_050_000);
        assert_eq!(clock.wall_millis_at(at), 1_050_000);
        for (name, wall, noticed) in [
            ("slewed", 1_001_500, false),
            ("set back a day", 1_000_000 - 86_400_000_i64, true),
            ("still so", 1_000_000 - 86_400_000, false),
        ] {
            let wall = u64::try_from(wall + 100_000_000).expect("positive");
            assert_eq!(clock.compare(100_000_000, wall), noticed, "{name}");
            let now = clock.at_uptime(20_000);
            assert_eq!(now, Timestamp::from_unix_millis(1_020_000), "{name}");
        }
        // 30 s from now are 30 s from now on the wall, too.
        assert_eq!(clock.wall_millis_at(Timestamp::from_unix_millis(101_000_000)), 14_600_000);
        assert_eq!(clock.wall_millis_at(Timestamp::MAX), u64::MAX);
    }
}
