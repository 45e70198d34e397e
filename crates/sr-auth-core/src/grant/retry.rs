//! How often and how long: the budget of every grant.

use std::time::Duration;

use crate::machine::TransmitId;
use crate::{ConfigError, Fault, Setting};

/// The first byte of a grant's request must be on the wire within this span, or the request is not
/// written at all. The longest that a [`Transmit`](crate::Transmit) of a grant allows.
pub const WRITE_WITHIN: Duration = Duration::from_secs(15);

/// How often a request is repeated, and how long an answer is awaited.
///
/// Only requests that may be repeated use the attempts: client credentials after a lost answer,
/// and any request that provably was not sent.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RetryPolicy {
    answer_within: Duration,
    attempts: u32,
    first_pause: Duration,
    jitter: f32,
    longest_pause: Duration,
    single_use_answer_within: Duration,
}

impl Default for RetryPolicy {
    /// Three attempts, pauses from 1 s doubling up to 60 s, 15 s for an answer that can be had
    /// again and 128 s for one that cannot: giving up sooner would throw a successor away.
    fn default() -> Self {
        Self {
            answer_within: Duration::from_secs(15),
            attempts: 3,
            first_pause: Duration::from_secs(1),
            jitter: 1.0,
            longest_pause: Duration::from_secs(60),
            single_use_answer_within: Duration::from_secs(128),
        }
    }
}

impl RetryPolicy {
    /// Sets how many requests are made at most, the first one included: 1 to 10.
    ///
    /// # Errors
    ///
    /// [`Fault::OutOfRange`].
    pub fn with_attempts(self, attempts: u32) -> Result<Self, ConfigError> {
        if (1..=10).contains(&attempts) {
            return Ok(Self { attempts, ..self });
        }
        Err(ConfigError::new(Setting::RetryPolicy, Fault::OutOfRange))
    }

    /// Sets how long an answer is awaited: `repeatable` for client credentials, `single_use` for
    /// codes and refresh tokens. Each from 1 ms to 10 minutes.
    ///
    /// # Errors
    ///
    /// [`Fault::OutOfRange`].
    pub fn with_answer_within(
        self,
        repeatable: Duration,
        single_use: Duration,
    ) -> Result<Self, ConfigError> {
        let allowed = Duration::from_millis(1)..=Duration::from_secs(600);
        if allowed.contains(&repeatable) && allowed.contains(&single_use) {
            return Ok(Self {
                answer_within: repeatable,
                single_use_answer_within: single_use,
                ..self
            });
        }
        Err(ConfigError::new(Setting::RetryPolicy, Fault::OutOfRange))
    }

    /// Sets the first pause and the longest one, up to an hour, the first not above the longest.
    ///
    /// # Errors
    ///
    /// [`Fault::OutOfRange`].
    pub fn with_pauses(self, first: Duration, longest: Duration) -> Result<Self, ConfigError> {
        if first <= longest && longest <= Duration::from_secs(3_600) {
            return Ok(Self { first_pause: first, longest_pause: longest, ..self });
        }
        Err(ConfigError::new(Setting::RetryPolicy, Fault::OutOfRange))
    }

    /// Sets where between half and the whole of each pause this grant waits: 0 to 1, from the
    /// caller's random numbers, so that many processes do not repeat in step.
    #[must_use]
    pub const fn with_jitter(self, fraction: f32) -> Self {
        let jitter = if fraction >= 0.0 && fraction <= 1.0 { fraction } else { 1.0 };
        Self { jitter, ..self }
    }

    /// Returns how many requests are made at most.
    #[must_use]
    pub const fn attempts(&self) -> u32 {
        self.attempts
    }

    /// Returns how long an answer that can be had again is awaited.
    #[must_use]
    pub const fn answer_within(&self) -> Duration {
        self.answer_within
    }

    /// Returns how long an answer that cannot be had again is awaited.
    #[must_use]
    pub const fn single_use_answer_within(&self) -> Duration {
        self.single_use_answer_within
    }

    /// Returns the pause after a failed transmission; `None` when it was the last one, or when the
    /// server asks for a longer pause than the longest.
    pub(super) fn pause_after(
        &self,
        failed: TransmitId,
        asked: Option<Duration>,
    ) -> Option<Duration> {
        let asked = asked.unwrap_or_default();
        if failed.count() >= self.attempts || asked > self.longest_pause {
            return None;
        }
        let doublings = failed.count().saturating_sub(1).min(31);
        let pause = self.first_pause.saturating_mul(1 << doublings).min(self.longest_pause);
        Some(pause.mul_f32(0.5 + self.jitter / 2.0).max(asked))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn c36_pauses_double_up_to_the_longest_and_end_with_the_attempts() {
        let policy = RetryPolicy::default().with_attempts(9).expect("in range");
        let mut id = TransmitId::FIRST;
        let mut pauses = Vec::new();
        while let Some(pause) = policy.pause_after(id, None) {
            pauses.push(pause.as_secs());
            id = id.next();
        }
        assert_eq!(pauses, [1, 2, 4, 8, 16, 32, 60, 60]);
    }

    #[test]
    fn jitter_shortens_a_pause_by_at_most_half() {
        let pause = |jitter| {
            RetryPolicy::default().with_jitter(jitter).pause_after(TransmitId::FIRST, None)
        };
        assert_eq!(pause(0.0), Some(Duration::from_millis(500)));
        assert_eq!(pause(0.5), Some(Duration::from_millis(750)));
        for odd in [f32::NAN, -0.5, 1.5] {
            assert_eq!(pause(odd), Some(Duration::from_secs(1)), "{odd}");
        }
    }

    #[test]
    fn a_wait_that_the_server_asks_for_is_kept_or_ends_the_attempts() {
        let after = |secs| {
            RetryPolicy::default().pause_after(TransmitId::FIRST, Some(Duration::from_secs(secs)))
        };
        assert_eq!(after(0), Some(Duration::from_secs(1)));
        assert_eq!(after(7), Some(Duration::from_secs(7)));
        assert_eq!(after(60), Some(Duration::from_secs(60)));
        assert_eq!(after(61), None);
    }

    #[test]
    fn settings_outside_of_their_range_are_refused() {
        let policy = RetryPolicy::default();
        let second = Duration::from_secs(1);
        assert!(policy.with_attempts(0).is_err());
        assert!(policy.with_attempts(11).is_err());
        assert!(policy.with_answer_within(Duration::ZERO, second).is_err());
        assert!(policy.with_answer_within(second, Duration::from_secs(601)).is_err());
        assert!(policy.with_pauses(second * 2, second).is_err());
        assert!(policy.with_pauses(second, Duration::from_secs(3_601)).is_err());
    }

    #[test]
    fn settings_inside_of_their_range_are_kept() {
        let [two, three, four] = [2, 3, 4].map(Duration::from_secs);
        let policy = RetryPolicy::default().with_attempts(5).expect("in range");
        let policy = policy.with_answer_within(two, three).expect("in range");
        assert_eq!(policy.attempts(), 5);
        assert_eq!((policy.answer_within(), policy.single_use_answer_within()), (two, three));
        let policy = policy.with_pauses(three, four).expect("in range");
        let second = TransmitId::FIRST.next();
        assert_eq!(policy.pause_after(TransmitId::FIRST, None), Some(three));
        assert_eq!(policy.pause_after(second, None), Some(four));
    }
}
