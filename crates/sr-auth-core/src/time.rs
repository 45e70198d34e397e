//! Moments: every machine is told what time it is.

use std::fmt;
use std::time::Duration;

/// A moment in milliseconds since the Unix epoch.
///
/// Machines take it as an argument and never read a clock. Sums saturate, so that no answer of a
/// server, however odd, can make a deadline wrap around.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use sr_auth_core::Timestamp;
///
/// let sent_at = Timestamp::from_unix_secs(1_000);
/// let expires_at = sent_at.after(Duration::from_secs(1_799));
/// assert_eq!(expires_at.as_unix_millis(), 2_799_000);
/// assert_eq!(expires_at.since(sent_at), Duration::from_secs(1_799));
/// ```
#[derive(Clone, Copy, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Timestamp(u64);

impl Timestamp {
    /// The first moment that can be named: 1970-01-01, midnight UTC. Also the default.
    pub const EPOCH: Self = Self(0);

    /// The last moment that can be named; sums end here.
    pub const MAX: Self = Self(u64::MAX);

    /// Makes a moment from milliseconds since the Unix epoch.
    #[must_use]
    pub const fn from_unix_millis(millis: u64) -> Self {
        Self(millis)
    }

    /// Makes a moment from whole seconds since the Unix epoch.
    #[must_use]
    pub const fn from_unix_secs(secs: u64) -> Self {
        Self(secs.saturating_mul(1_000))
    }

    /// Returns the milliseconds since the Unix epoch.
    #[must_use]
    pub const fn as_unix_millis(self) -> u64 {
        self.0
    }

    /// Returns the moment `span` later, at most [`MAX`](Self::MAX).
    #[must_use]
    pub fn after(self, span: Duration) -> Self {
        Self(self.0.saturating_add(millis(span)))
    }

    /// Returns the moment `span` earlier, at least the epoch.
    #[must_use]
    pub fn before(self, span: Duration) -> Self {
        Self(self.0.saturating_sub(millis(span)))
    }

    /// Returns how long ago `earlier` was; zero when it lies ahead, as after a clock that was set
    /// back.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:03}s", self.0 / 1_000, self.0 % 1_000)
    }
}

fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_and_differences_saturate() {
        let start = Timestamp::from_unix_secs(5);
        assert_eq!(start.after(Duration::MAX), Timestamp::MAX);
        assert_eq!(start.before(Duration::from_secs(9)), Timestamp::from_unix_secs(0));
        assert_eq!(start.since(Timestamp::from_unix_secs(9)), Duration::ZERO);
        assert_eq!(Timestamp::from_unix_secs(u64::MAX), Timestamp::MAX);
    }

    #[test]
    fn debug_shows_seconds_and_milliseconds() {
        assert_eq!(format!("{:?}", Timestamp::from_unix_millis(1_799_007)), "1799.007s");
    }
}
