//! The only place that reads a clock.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use sr_auth_core::Timestamp;

/// Where a backend takes the time from.
#[derive(Clone)]
pub(crate) enum Clock {
    /// What the application gives: a manual clock of tests, a clock of its own.
    Given(Arc<dyn Fn() -> Timestamp + Send + Sync>),
    /// The wall clock of the machine.
    Wall,
}

impl Clock {
    pub(crate) fn given(clock: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        Self::Given(Arc::new(clock))
    }

    pub(crate) fn now(&self) -> Timestamp {
        match self {
            Self::Given(clock) => clock(),
            Self::Wall => wall(),
        }
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Given(_) => "Clock::Given",
            Self::Wall => "Clock::Wall",
        })
    }
}

/// The highest moment that was told: a clock behind it never goes back.
#[derive(Debug, Default)]
pub(crate) struct Highest(AtomicU64);

impl Highest {
    /// Returns `now`, or the highest moment so far if that is later.
    pub(crate) fn at_least(&self, now: Timestamp) -> Timestamp {
        let now = now.as_unix_millis();
        Timestamp::from_unix_millis(self.0.fetch_max(now, Ordering::AcqRel).max(now))
    }
}

#[expect(clippy::disallowed_methods, reason = "this is the door to the wall clock")]
fn wall() -> Timestamp {
    // A clock before 1970 is not set; the epoch is as good a guess.
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_unix_millis(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_is_set_back_stands_still() {
        let highest = Highest::default();
        let told = [5, 9, 3, 10].map(|secs| highest.at_least(Timestamp::from_unix_secs(secs)));
        assert_eq!(told, [5, 9, 9, 10].map(Timestamp::from_unix_secs));
    }
}
