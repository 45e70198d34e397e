//! The only place that reads a clock and that sleeps.

mod readings;
mod system;

pub(crate) use readings::Stopwatch;
use readings::{coarse_wall, coarse_wall_secs};

use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use sr_auth_core::Timestamp;
use tokio::sync::watch;

use system::SystemClock;

/// The longest time for which a machine that slept goes unnoticed while waiting.
const GLANCE: Duration = Duration::from_secs(1);

/// Tells the machines what time it is, and waits for a moment.
///
/// The system's clock is the time since the machine was started, which counts while the machine
/// sleeps and which nobody can set, plus an offset: that of the wall clock when the clock was made,
/// corrected by what a store with a clock of its own answers. So a wall clock that is set moves no
/// deadline. Clones share the offset.
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
    System(Arc<SystemClock>),
}

/// When a question was asked, by the clock that nobody sets.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked(u64);

impl Clock {
    /// Returns a clock that stands at `start` until it is moved: for tests and demonstrations.
    #[must_use]
    pub fn manual(start: Timestamp) -> Self {
        Self(Source::Manual(Arc::new(watch::Sender::new(start))))
    }

    /// Returns the clock of the system, as the wall clock says now.
    #[must_use]
    pub fn system() -> Self {
        Self(Source::System(Arc::new(SystemClock::new())))
    }

    /// Returns what time it is.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        match &self.0 {
            Source::Manual(now) => *now.borrow(),
            Source::System(clock) => clock.now(),
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
    /// On the system's clock the wait lasts at most as long as `at` seemed away when it began, and
    /// ends within a second when the machine has slept past `at`. Needs a tokio runtime with its
    /// timer enabled.
    pub async fn sleep_until(&self, at: Timestamp) {
        match &self.0 {
            Source::Manual(now) => {
                // The sender is held by this clock, so the channel stays open while this waits.
                if now.subscribe().wait_for(|now| *now >= at).await.is_err() {
                    pending::<()>().await;
                }
            }
            Source::System(clock) => sleep_until(clock, at).await,
        }
    }

    /// Returns the second of the wall clock: the cheapest reading there is.
    #[inline]
    pub(crate) fn wall_secs(&self) -> i64 {
        match &self.0 {
            Source::Manual(now) => manual_secs(now),
            Source::System(_) => coarse_wall_secs(),
        }
    }

    /// Returns the wall clock in milliseconds, some of them late.
    pub(crate) fn wall_millis(&self) -> u64 {
        match &self.0 {
            Source::Manual(now) => now.borrow().as_unix_millis(),
            Source::System(_) => coarse_wall(),
        }
    }

    /// Returns what [`wall_millis`](Self::wall_millis) will say at a moment of this clock, as long
    /// as nobody sets the wall clock.
    pub(crate) fn wall_millis_at(&self, at: Timestamp) -> u64 {
        match &self.0 {
            Source::Manual(_) => at.as_unix_millis(),
            Source::System(clock) => clock.wall_millis_at(at),
        }
    }

    /// Notes that something is asked whose answer tells the time.
    pub(crate) fn asked(&self) -> Asked {
        match &self.0 {
            Source::Manual(_) => Asked(0),
            Source::System(_) => Asked(SystemClock::uptime()),
        }
    }

    /// Learns from an answer that says what time it was between the question and now. A manual
    /// clock does not learn.
    pub(crate) fn learn(&self, asked: Asked, told: Timestamp) {
        if let Source::System(clock) = &self.0 {
            clock.learn(asked.0, SystemClock::uptime(), told);
        }
    }

    /// Tells, once each time, whether clocks have parted by more than two seconds: the wall clock was
    /// set, or an answer has moved this clock.
    pub(crate) fn has_diverged(&self) -> bool {
        match &self.0 {
            Source::Manual(_) => false,
            Source::System(clock) => clock.has_diverged(),
        }
    }
}

impl Default for Clock {
    fn default() -> Self {
        Self::system()
    }
}

/// Apart, so that a reading of the system's clock carries none of it.
#[cold]
#[inline(never)]
fn manual_secs(now: &watch::Sender<Timestamp>) -> i64 {
    i64::try_from(now.borrow().as_unix_millis() / 1_000).unwrap_or(i64::MAX)
}

#[expect(clippy::disallowed_methods, reason = "this is the door to the timer")]
async fn sleep_until(clock: &SystemClock, at: Timestamp) {
    let mut left = at.since(clock.now());
    while !left.is_zero() {
        let pause = left.min(GLANCE);
        tokio::time::sleep(pause).await;
        left = left.saturating_sub(pause).min(at.since(clock.now()));
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
        // The timer is simulated while the clock is not: it looks as if it stood still.
        let clock = Clock::system();
        let at = clock.now().after(Duration::from_secs(3_600));
        let wait = tokio::time::timeout(Duration::from_secs(3_700), clock.sleep_until(at));
        assert!(wait.await.is_ok());
    }

    #[test]
    fn the_system_clock_does_not_obey() {
        let clock = Clock::system();
        let before = clock.now();
        clock.advance(Duration::from_secs(1_000_000));
        assert!(clock.now() < before.after(Duration::from_secs(1_000)));
    }

    #[test]
    fn a_store_with_another_clock_is_believed_by_all_clones() {
        let clock = Clock::system();
        let asked = clock.asked();
        let ahead = clock.now().after(Duration::from_secs(500));
        let clone = clock.clone();
        clone.learn(asked, ahead);
        assert!(clock.now() >= ahead && clock.now() < ahead.after(Duration::from_secs(100)));
        assert!(clock.has_diverged() && !clock.has_diverged(), "told once");
        // The wall clock is where it was: a moment of the store is named in its terms.
        let wall = clock.wall_millis_at(clock.now());
        assert!(wall.abs_diff(clock.wall_millis()) < 1_000);
    }
}
