//! How long the lifecycle waits, as one value that is consistent by construction.

use std::time::Duration;

use crate::{ConfigError, Fault, Fingerprint, Setting, Timestamp};

/// The spans of the lifecycle.
///
/// They depend on each other, so a set that breaks one of these is refused:
///
/// - `quiet ≥ fence + answer + network`: when an intent's quiet period is over, nothing of its
///   presentation can still reach the server;
/// - `refresh ahead ≥ 2 × quiet + 30 s`: a renewal that ends in doubt is settled while the old
///   access token is still good.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use sr_auth_core::lifecycle::Margins;
///
/// let margins = Margins::default();
/// assert_eq!(margins.quiet(), Duration::from_secs(135));
/// assert!(margins.with_quiet(Duration::from_secs(60)).is_err(), "an answer may take 128 s");
/// assert_eq!(margins.scaled_down(100).quiet(), Duration::from_millis(1_350));
/// ```
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Margins {
    answer: Duration,
    claim: Duration,
    fence: Duration,
    first_pause: Duration,
    last_moments: Duration,
    longest_pause: Duration,
    network: Duration,
    quiet: Duration,
    refresh_ahead: Duration,
    repeatable_answer: Duration,
    store_answer: Duration,
}

impl Default for Margins {
    /// What suits SmartRecruiters: it advises to wait 128 s for an answer.
    fn default() -> Self {
        let secs = Duration::from_secs;
        Self {
            answer: secs(128),
            claim: Duration::from_millis(500),
            fence: secs(2),
            first_pause: secs(1),
            last_moments: secs(30),
            longest_pause: secs(60),
            network: secs(5),
            quiet: secs(135),
            refresh_ahead: secs(300),
            repeatable_answer: secs(15),
            store_answer: secs(5),
        }
    }
}

impl Margins {
    /// Sets how long the answer to something that is spent is awaited: 1 ms to 10 minutes.
    ///
    /// # Errors
    ///
    /// [`Fault::OutOfRange`], or when the quiet period is too short for it.
    pub fn with_answer(self, answer: Duration) -> Result<Self, ConfigError> {
        Self { answer, ..self }.checked()
    }

    /// Sets how long nobody presents again after a presentation whose outcome is unknown: up to an
    /// hour.
    ///
    /// # Errors
    ///
    /// [`Fault::OutOfRange`] when it is shorter than fence, answer and network together, or so long
    /// that two do not fit into the time that a renewal begins ahead.
    pub fn with_quiet(self, quiet: Duration) -> Result<Self, ConfigError> {
        Self { quiet, ..self }.checked()
    }

    /// Sets how long before its end an access token is renewed at the latest: up to a day. A token
    /// that lives less than that is renewed in the second half of its life.
    ///
    /// # Errors
    ///
    /// [`Fault::OutOfRange`] when two quiet periods and 30 s do not fit into it.
    pub fn with_refresh_ahead(self, refresh_ahead: Duration) -> Result<Self, ConfigError> {
        Self { refresh_ahead, ..self }.checked()
    }

    /// Sets how long an operation of the store may take: 1 ms to a minute.
    ///
    /// # Errors
    ///
    /// [`Fault::OutOfRange`].
    pub fn with_store_answer(self, store_answer: Duration) -> Result<Self, ConfigError> {
        Self { store_answer, ..self }.checked()
    }

    fn checked(self) -> Result<Self, ConfigError> {
        let slack = self.last_moments;
        let ordered = self.quiet >= self.fence + self.answer + self.network
            && self.refresh_ahead >= self.quiet * 2 + slack;
        let instant = Duration::from_millis(1);
        let in_range = (instant..=Duration::from_secs(600)).contains(&self.answer)
            && (instant..=Duration::from_secs(60)).contains(&self.store_answer)
            && self.quiet <= Duration::from_secs(3_600)
            && self.refresh_ahead <= Duration::from_secs(86_400);
        if ordered && in_range {
            return Ok(self);
        }
        Err(ConfigError::new(Setting::Margins, Fault::OutOfRange))
    }

    /// Divides all spans by `factor`, at least 1: for tests with real processes against a server
    /// whose tokens live as much shorter. What holds between them goes on to hold.
    #[must_use]
    pub fn scaled_down(self, factor: u32) -> Self {
        let factor = factor.max(1);
        let less = |span: Duration| span / factor;
        Self {
            answer: less(self.answer),
            claim: less(self.claim),
            fence: less(self.fence),
            first_pause: less(self.first_pause),
            last_moments: less(self.last_moments),
            longest_pause: less(self.longest_pause),
            network: less(self.network),
            quiet: less(self.quiet),
            refresh_ahead: less(self.refresh_ahead),
            repeatable_answer: less(self.repeatable_answer),
            store_answer: less(self.store_answer),
        }
    }

    /// Returns how long the answer to a presentation is awaited.
    #[must_use]
    pub const fn answer(&self) -> Duration {
        self.answer
    }

    /// Returns how long after asking for an intent the first byte may still leave.
    #[must_use]
    pub const fn fence(&self) -> Duration {
        self.fence
    }

    /// Returns how long a request can still travel after its connection was given up.
    #[must_use]
    pub const fn network(&self) -> Duration {
        self.network
    }

    /// Returns the shortest quiet period.
    #[must_use]
    pub const fn quiet(&self) -> Duration {
        self.quiet
    }

    /// Returns how long before its end an access token is renewed at the latest.
    #[must_use]
    pub const fn refresh_ahead(&self) -> Duration {
        self.refresh_ahead
    }

    /// Returns how long the answer to a request that may be repeated is awaited.
    #[must_use]
    pub const fn repeatable_answer(&self) -> Duration {
        self.repeatable_answer
    }

    /// Returns how long an operation of the store may take.
    #[must_use]
    pub const fn store_answer(&self) -> Duration {
        self.store_answer
    }

    /// Returns the first pause after a failure.
    pub(crate) const fn first_pause(&self) -> Duration {
        self.first_pause
    }

    /// Returns the longest pause after failures in a row.
    pub(crate) const fn longest_pause(&self) -> Duration {
        self.longest_pause
    }

    /// Returns how long a claim on a repeatable request keeps others from asking too.
    pub(super) const fn claim(&self) -> Duration {
        self.claim
    }

    /// Returns the quiet period of a presentation that follows `unsettled` others: doubling up to
    /// six or seven times the first, so that a silent server is not asked for ever.
    pub(super) fn quiet_after(&self, unsettled: u32) -> Duration {
        self.quiet.saturating_mul(1 << unsettled.min(3)).min(self.quiet.saturating_mul(20) / 3)
    }

    /// Returns the pause after so many failures in a row, between half and the whole of it.
    pub(super) fn pause_after(&self, failures: u8, jitter: u16) -> Duration {
        let doublings = u32::from(failures.saturating_sub(1)).min(16);
        let whole = self.first_pause.saturating_mul(1 << doublings).min(self.longest_pause);
        whole / 2 + whole / 2 * u32::from(jitter) / u32::from(u16::MAX)
    }

    /// Returns the pause after so many refusals that were not believed: from about the quiet
    /// period, doubling up to six hours.
    pub(crate) fn pause_of_refusals(&self, count: u32) -> Duration {
        let doublings = count.saturating_sub(1).min(8);
        self.quiet.saturating_mul(1 << doublings).min(self.quiet.saturating_mul(160))
    }

    /// Returns from when an access token is not used any more, and from when it is renewed.
    ///
    /// `expires_at` is counted from `sent_at`. The renewal lies between 60 and 75 % of the life,
    /// spread by the fingerprint: every process computes the same moment and no two grants share
    /// it.
    pub(super) fn of_access(
        &self,
        sent_at: Timestamp,
        expires_at: Timestamp,
        fingerprint: Fingerprint,
    ) -> (Timestamp, Timestamp) {
        let life = expires_at.since(sent_at);
        let ends_at = expires_at.before(self.last_moments.min(life / 10));
        let latest = expires_at.before(self.refresh_ahead).max(sent_at.after(life / 4));
        (ends_at, sent_at.after(share_of(life, fingerprint)).min(latest).min(ends_at))
    }

    /// Returns from when an idle grant's refresh token is renewed: between 60 and 75 % of its life.
    pub(super) fn of_refresh(
        obtained_at: Timestamp,
        ends_at: Timestamp,
        fingerprint: Fingerprint,
    ) -> Timestamp {
        obtained_at.after(share_of(ends_at.since(obtained_at), fingerprint))
    }
}

/// Between 60 and 75 % of a life.
fn share_of(life: Duration, fingerprint: Fingerprint) -> Duration {
    let [first, second, ..] = *fingerprint.as_bytes();
    let spread = u128::from(u16::from_be_bytes([first, second]));
    let whole = u128::from(u16::MAX);
    let millis = life.as_millis() * (60 * whole + 15 * spread) / (100 * whole);
    Duration::from_millis(u64::try_from(millis).unwrap_or(u64::MAX))
}
