//! The rules of a fleet.

use std::num::NonZeroU32;
use std::time::Duration;

use super::admission::Budget;
use crate::{ConfigError, Fault, Setting, lifecycle};

/// The rules of a fleet.
///
/// # Examples
///
/// ```
/// use std::num::NonZeroU32;
/// use sr_auth_core::fleet::Settings;
///
/// let number = |it| NonZeroU32::new(it).expect("not zero");
/// let settings = Settings::default()
///     .with_budget(number(200), number(400))
///     .with_in_flight(number(256))
///     .with_capacity(number(20_000));
/// assert_eq!(settings.capacity(), 20_000);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    pub(super) budget: Budget,
    capacity: NonZeroU32,
    healing_for: Duration,
    lifecycle: lifecycle::Settings,
    only_opened: bool,
    pulse_every: Duration,
    scan_every: Duration,
}

impl Default for Settings {
    /// 50 requests a second with bursts of 100 for all processes together, 128 in flight and
    /// 100,000 resident grants for each; a pulse every 2 s, a keep-alive scan every 5 minutes; a store
    /// that has gone back is healed from memory by up to a week.
    fn default() -> Self {
        let number = |it| NonZeroU32::new(it).unwrap_or(NonZeroU32::MIN);
        Self {
            budget: Budget { burst: number(100), in_flight: number(128), per_second: number(50) },
            capacity: number(100_000),
            healing_for: Duration::from_secs(7 * 24 * 60 * 60),
            lifecycle: lifecycle::Settings::default(),
            only_opened: false,
            pulse_every: Duration::from_secs(2),
            scan_every: Duration::from_secs(300),
        }
    }
}

impl Settings {
    /// Sets what each token endpoint gets from all processes together: requests a second, and how
    /// many at once after a quiet time. Callers who wait may borrow as many again.
    #[must_use]
    pub const fn with_budget(self, per_second: NonZeroU32, burst: NonZeroU32) -> Self {
        Self { budget: Budget { burst, per_second, ..self.budget }, ..self }
    }

    /// Sets how many requests of this process may be under way at each token endpoint.
    #[must_use]
    pub const fn with_in_flight(self, in_flight: NonZeroU32) -> Self {
        Self { budget: Budget { in_flight, ..self.budget }, ..self }
    }

    /// Sets how many grants are kept in memory. More are when more are at work at once.
    #[must_use]
    pub const fn with_capacity(self, capacity: NonZeroU32) -> Self {
        Self { capacity, ..self }
    }

    /// Sets how old a backup may be that is restored under this process and healed from its memory:
    /// as long as a refresh token is younger, its text stays in memory, about forty bytes for each
    /// idle grant. [`RefreshToken::LIFE`] keeps them all to their end.
    ///
    /// [`RefreshToken::LIFE`]: crate::RefreshToken::LIFE
    #[must_use]
    pub const fn with_healing_for(self, healing_for: Duration) -> Self {
        Self { healing_for, ..self }
    }

    /// Leaves grants alone that nobody has opened or asked for in this process, and tells of those that
    /// are due with [`FleetEvent::Unplaced`](super::FleetEvent): for a store that other applications
    /// use as well, whose refresh tokens this one could not renew. By default whatever is due in the
    /// store is renewed by whoever sees it first.
    #[must_use]
    pub const fn with_only_opened(self) -> Self {
        Self { only_opened: true, ..self }
    }

    /// Sets the rules of each grant.
    #[must_use]
    pub const fn with_lifecycle(self, lifecycle: lifecycle::Settings) -> Self {
        Self { lifecycle, ..self }
    }

    /// Sets how often the store is asked what others have changed: 10 ms to a minute. A sign of life
    /// is given as often, so it should be a small part of the quiet period.
    ///
    /// # Errors
    ///
    /// [`Fault::OutOfRange`].
    pub fn with_pulse_every(self, pulse_every: Duration) -> Result<Self, ConfigError> {
        if (Duration::from_millis(10)..=Duration::from_secs(60)).contains(&pulse_every) {
            return Ok(Self { pulse_every, ..self });
        }
        Err(ConfigError::new(Setting::Fleet, Fault::OutOfRange))
    }

    /// Sets how often the store is asked which idle grants must be renewed: 10 ms to a day.
    ///
    /// # Errors
    ///
    /// [`Fault::OutOfRange`].
    pub fn with_scan_every(self, scan_every: Duration) -> Result<Self, ConfigError> {
        if (Duration::from_millis(10)..=Duration::from_secs(86_400)).contains(&scan_every) {
            return Ok(Self { scan_every, ..self });
        }
        Err(ConfigError::new(Setting::Fleet, Fault::OutOfRange))
    }

    /// Returns how many grants are kept in memory.
    #[must_use]
    pub const fn capacity(&self) -> u32 {
        self.capacity.get()
    }

    /// Returns how old a restored backup may be that is healed from memory.
    #[must_use]
    pub const fn healing_for(&self) -> Duration {
        self.healing_for
    }

    /// Tells whether grants are left alone that nobody has opened in this process.
    #[must_use]
    pub const fn only_opened(&self) -> bool {
        self.only_opened
    }

    /// Returns the rules of each grant.
    #[must_use]
    pub const fn lifecycle(&self) -> &lifecycle::Settings {
        &self.lifecycle
    }

    /// Returns how often the store is asked what others have changed.
    #[must_use]
    pub const fn pulse_every(&self) -> Duration {
        self.pulse_every
    }

    /// Returns how often the store is asked which idle grants must be renewed.
    #[must_use]
    pub const fn scan_every(&self) -> Duration {
        self.scan_every
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_outside_of_their_range_are_refused() {
        let (settings, ms) = (Settings::default(), Duration::from_millis);
        assert!(settings.with_pulse_every(ms(9)).is_err());
        assert!(settings.with_pulse_every(ms(60_001)).is_err());
        assert!(settings.with_scan_every(ms(9)).is_err());
        assert!(settings.with_scan_every(ms(86_400_001)).is_err());
        let settings = settings.with_pulse_every(ms(10)).expect("in range");
        let settings = settings.with_scan_every(ms(20)).expect("in range");
        assert_eq!((settings.pulse_every(), settings.scan_every()), (ms(10), ms(20)));
    }
}
