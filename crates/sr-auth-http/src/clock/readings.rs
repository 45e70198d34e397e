//! What the operating system says about time.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Reads the wall clock in milliseconds, as it was at the last tick of the kernel: a few
/// milliseconds late and several times cheaper than the exact one.
#[cfg(target_os = "linux")]
pub(super) fn coarse_wall() -> u64 {
    millis(rustix::time::clock_gettime(rustix::time::ClockId::RealtimeCoarse))
}

/// Reads the second of the wall clock, as it was at the last tick of the kernel. It is negative for a
/// clock before 1970, which is not set.
#[cfg(target_os = "linux")]
#[inline]
pub(super) fn coarse_wall_secs() -> i64 {
    rustix::time::clock_gettime(rustix::time::ClockId::RealtimeCoarse).tv_sec
}

/// Reads the wall clock in milliseconds.
#[cfg(not(target_os = "linux"))]
pub(super) fn coarse_wall() -> u64 {
    wall()
}

/// Reads the second of the wall clock.
#[cfg(not(target_os = "linux"))]
pub(super) fn coarse_wall_secs() -> i64 {
    i64::try_from(wall() / 1_000).unwrap_or(i64::MAX)
}

/// Reads the wall clock in milliseconds.
#[expect(clippy::disallowed_methods, reason = "this is the door to the wall clock")]
pub(super) fn wall() -> u64 {
    // A clock before 1970 is not set; the epoch is as good a guess.
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// Reads in milliseconds how long the machine runs, sleep included. Nobody can set it.
#[cfg(target_os = "linux")]
pub(super) fn uptime() -> u64 {
    millis(rustix::time::clock_gettime(rustix::time::ClockId::Boottime))
}

/// Reads in milliseconds how long the process runs. Sleep may not count.
#[cfg(not(target_os = "linux"))]
#[expect(clippy::disallowed_methods, reason = "this is the door to the monotonic clock")]
pub(super) fn uptime() -> u64 {
    static BEGUN: std::sync::OnceLock<Instant> = std::sync::OnceLock::new();
    let begun = *BEGUN.get_or_init(Instant::now);
    u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX)
}

#[cfg(target_os = "linux")]
fn millis(time: rustix::time::Timespec) -> u64 {
    let (secs, nanos) = (time.tv_sec, time.tv_nsec);
    // A clock before 1970 is not set; neither part of one that is set is negative.
    (secs.max(0) as u64).saturating_mul(1_000).saturating_add(nanos.max(0) as u64 / 1_000_000)
}

/// A span of real time that began when it was made.
///
/// Both clocks of the system count it, and the one that is ahead decides: the monotonic clock may
/// stand still while the machine sleeps, the wall clock may be set back.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stopwatch {
    monotonic: Instant,
    wall: SystemTime,
}

impl Stopwatch {
    #[expect(clippy::disallowed_methods, reason = "this is the door to both clocks")]
    pub(crate) fn begin() -> Self {
        Self { monotonic: Instant::now(), wall: SystemTime::now() }
    }

    #[expect(clippy::disallowed_methods, reason = "this is the door to both clocks")]
    pub(crate) fn elapsed(&self) -> Duration {
        let monotonic = Instant::now().saturating_duration_since(self.monotonic);
        let wall = SystemTime::now().duration_since(self.wall).unwrap_or_default();
        monotonic.max(wall)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_coarse_clock_is_the_wall_clock() {
        assert!(coarse_wall().abs_diff(wall()) < 1_000);
    }

    #[test]
    fn uptime_does_not_go_back() {
        let first = uptime();
        assert!(uptime() >= first);
    }
}
