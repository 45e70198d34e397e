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

/// The system since it was started: a clock that all its processes share, that counts while the
/// machine sleeps, and that nobody can set.
#[cfg(feature = "sqlite")]
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Boot {
    /// Another at each start.
    pub(crate) id: String,
    /// For how long it had been running, in milliseconds.
    pub(crate) running_for: u64,
}

#[cfg(feature = "sqlite")]
impl Boot {
    /// Returns `None` where the system has no such clock.
    #[cfg(target_os = "linux")]
    pub(crate) fn now() -> Option<Self> {
        let id = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
        Some(Self { id: id.trim().to_owned(), running_for: running_for() })
    }

    /// Returns `None` where the system has no such clock.
    #[cfg(not(target_os = "linux"))]
    pub(crate) fn now() -> Option<Self> {
        None
    }
}

/// Returns for how long the system has been running, in milliseconds.
#[cfg(all(feature = "sqlite", target_os = "linux"))]
pub(crate) fn running_for() -> u64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
    let secs = u64::try_from(time.tv_sec).unwrap_or_default();
    let millis = u64::try_from(time.tv_nsec).unwrap_or_default() / 1_000_000;
    secs.saturating_mul(1_000).saturating_add(millis)
}

/// Never asked where there is no [`Boot`].
#[cfg(all(feature = "sqlite", not(target_os = "linux")))]
pub(crate) fn running_for() -> u64 {
    0
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
