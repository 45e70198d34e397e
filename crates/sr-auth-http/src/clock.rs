//! The only place that reads a clock and that sleeps.

use std::future::pending;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use sr_auth_core::Timestamp;
use tokio::sync::watch;

/// The longest time for which a change of the system's clock goes unnoticed while waiting.
const GLANCE: Duration = Duration::from_secs(1);

/// Tells the machines what time it is, and waits for a moment.
///
/// The system's clock is the wall clock: it may be set forward or back. Machines bear both, and
/// [`sleep_until`](Self::sleep_until) never waits longer than the span looked when it began.
///
/// # Examples
///
/// A manual clock stands still until it is moved; its clones move together:
///
/// ```
/// use std::time::Duration;
/// use sr_auth_core::Timestamp;
/// use sr_auth_http::Clock;
///
/// let clock = Clock::manual(Timestamp::from_unix_secs(0));
/// clock.clone().advance(Duration::from_secs(30));
/// assert_eq!(clock.now(), Timestamp::from_unix_secs(30));
/// ```
#[derive(Clone, Debug)]
pub struct Clock(Source);

#[derive(Clone, Debug)]
enum Source {
    Manual(Arc<watch::Sender<Timestamp>>),
    System,
}

impl Clock {
    /// Returns a clock that stands at `start` until it is moved: for tests and demonstrations.
    #[must_use]
    pub fn manual(start: Timestamp) -> Self {
        Self(Source::Manual(Arc::new(watch::Sender::new(start))))
    }

    /// Returns the wall clock of the system.
    #[must_use]
    pub const fn system() -> Self {
        Self(Source::System)
    }

    /// Returns what time it is.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        match &self.0 {
            Source::Manual(now) => *now.borrow(),
            Source::System => wall(),
        }
    }

    /// Moves a manual clock forward, and wakes who waits for a moment that has come.
    ///
    /// The system's clock does not obey: nothing happens.
    pub fn advance(&self, span: Duration) {
        if let Source::Manual(now) = &self.0 {
            now.send_modify(|now| *now = now.after(span));
        }
    }

    /// Waits until `at`; returns at once when it has come.
    ///
    /// On the system's clock the wait lasts at most as long as `at` seemed away when it began, so
    /// that a clock that is set back cannot prolong it, and ends within a second when the clock is
    /// set forward past `at`. Needs a tokio runtime with its timer enabled.
    pub async fn sleep_until(&self, at: Timestamp) {
        match &self.0 {
            Source::Manual(now) => {
                // The sender is held by this clock, so the channel stays open while this waits.
                if now.subscribe().wait_for(|now| *now >= at).await.is_err() {
                    pending::<()>().await;
                }
            }
            Source::System => sleep_until_wall(at).await,
        }
    }
}

impl Default for Clock {
    fn default() -> Self {
        Self::system()
    }
}

#[expect(clippy::disallowed_methods, reason = "this is the door to the timer")]
async fn sleep_until_wall(at: Timestamp) {
    let mut left = at.since(wall());
    while !left.is_zero() {
        let pause = left.min(GLANCE);
        tokio::time::sleep(pause).await;
        left = left.saturating_sub(pause).min(at.since(wall()));
    }
}

#[expect(clippy::disallowed_methods, reason = "this is the door to the wall clock")]
fn wall() -> Timestamp {
    // A clock before 1970 is not set; the epoch is as good a guess.
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_unix_millis(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
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
    use std::pin::pin;

    use super::*;

    #[tokio::test]
    async fn a_manual_clock_wakes_its_sleepers_when_it_is_moved_far_enough() {
        let clock = Clock::manual(Timestamp::from_unix_secs(0));
        let mut asleep = pin!(clock.sleep_until(Timestamp::from_unix_secs(10)));
        for (step, awake) in [(4, false), (5, false), (1, true)] {
            clock.advance(Duration::from_secs(step));
            let woke = tokio::time::timeout(Duration::from_millis(20), &mut asleep).await.is_ok();
            assert_eq!(woke, awake, "after a step of {step} s");
        }
    }

    #[tokio::test]
    async fn the_past_is_not_waited_for() {
        let clock = Clock::system();
        let past = clock.now().before(Duration::from_secs(5));
        let wait = tokio::time::timeout(Duration::from_secs(5), clock.sleep_until(past));
        assert!(wait.await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn a_wait_on_the_system_clock_ends_even_if_the_clock_stands_still() {
        // The timer is simulated while the wall clock is not: it looks as if it were set back.
        let clock = Clock::system();
        let at = clock.now().after(Duration::from_secs(3_600));
        let wait = tokio::time::timeout(Duration::from_secs(3_700), clock.sleep_until(at));
        assert!(wait.await.is_ok());
    }

    #[test]
    fn the_system_clock_does_not_obey() {
        let clock = Clock::system();
        clock.advance(Duration::from_secs(1_000_000));
        assert!(clock.now() < wall().after(Duration::from_secs(1_000)));
    }
}
