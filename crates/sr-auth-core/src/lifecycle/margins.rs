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
        let latest = expires_at.before(self.refresh_ahead).max(sent_at.after(life / 2));
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

#[cfg(test)]
mod tests {
    use super::*;

    const SENT_AT: Timestamp = Timestamp::from_unix_secs(1_000_000);

    fn secs(secs: u64) -> Duration {
        Duration::from_secs(secs)
    }

    fn fingerprint(first: u8, second: u8) -> Fingerprint {
        let mut bytes = [0; 16];
        [bytes[0], bytes[1]] = [first, second];
        Fingerprint::from_bytes(bytes)
    }

    /// From when a token of this life is due, and from when it is not used any more, in
    /// milliseconds after its request was sent.
    fn of_access(life: Duration, fingerprint: Fingerprint) -> (u128, u128) {
        let expires_at = SENT_AT.after(life);
        let (ends_at, renew_at) = Margins::default().of_access(SENT_AT, expires_at, fingerprint);
        assert!(renew_at <= ends_at && ends_at <= expires_at, "{life:?}");
        (renew_at.since(SENT_AT).as_millis(), ends_at.since(SENT_AT).as_millis())
    }

    #[test]
    fn an_access_token_is_due_before_it_ends_however_short_or_long_its_life_is() {
        let (first, last) = (fingerprint(0, 0), fingerprint(0xff, 0xff));
        let cases = [
            ("documented, first", secs(1_799), first, (1_079_400, 1_769_000)),
            ("documented, last", secs(1_799), last, (1_349_250, 1_769_000)),
            ("a third of the bytes", secs(1_799), fingerprint(0x55, 0x55), (1_169_350, 1_769_000)),
            ("the default", secs(300), first, (150_000, 270_000)),
            ("six minutes", secs(360), last, (180_000, 330_000)),
            ("so long that the end decides", secs(1_000), last, (700_000, 970_000)),
            ("a second", secs(1), first, (500, 900)),
            ("a millisecond", Duration::from_millis(1), first, (0, 1)),
            ("none", Duration::ZERO, last, (0, 0)),
            ("a day", secs(86_400), last, (64_800_000, 86_370_000)),
        ];
        for (name, life, fingerprint, expected) in cases {
            assert_eq!(of_access(life, fingerprint), expected, "{name}");
        }
    }

    #[test]
    fn an_access_token_of_an_absurd_life_is_due_in_time() {
        let margins = Margins::default();
        let (ends_at, renew_at) =
            margins.of_access(SENT_AT, Timestamp::MAX, fingerprint(0xff, 0xff));
        assert!(renew_at < ends_at && ends_at < Timestamp::MAX);
        // A clock that was set back since the request was sent.
        let before = SENT_AT.before(secs(60));
        assert_eq!(margins.of_access(SENT_AT, before, fingerprint(7, 7)), (before, before));
    }

    #[test]
    fn a_refresh_token_is_due_between_60_and_75_percent_of_its_28_days() {
        let ends_at = SENT_AT.after(crate::RefreshToken::LIFE);
        let due = |fingerprint| {
            Margins::of_refresh(SENT_AT, ends_at, fingerprint).since(SENT_AT).as_secs()
        };
        assert_eq!(due(fingerprint(0, 0)), 28 * 86_400 * 60 / 100);
        assert_eq!(due(fingerprint(0xff, 0xff)), 28 * 86_400 * 75 / 100);
        assert_eq!(due(fingerprint(0x80, 0)), 28 * 86_400 * 675 / 1_000 + 2);
    }

    #[test]
    fn pauses_double_to_their_limit_and_keep_at_least_a_half() {
        let margins = Margins::default();
        let cases = [
            ("the first", 1, (500, 1_000)),
            ("none before", 0, (500, 1_000)),
            ("the second", 2, (1_000, 2_000)),
            ("the sixth", 6, (16_000, 32_000)),
            ("the seventh", 7, (30_000, 60_000)),
            ("the last", u8::MAX, (30_000, 60_000)),
        ];
        for (name, failures, (least, most)) in cases {
            assert_eq!(margins.pause_after(failures, 0).as_millis(), least, "{name}");
            assert_eq!(margins.pause_after(failures, u16::MAX).as_millis(), most, "{name}");
        }
        assert_eq!(margins.pause_after(1, u16::MAX / 2).as_millis(), 749);
    }

    #[test]
    fn quiet_periods_and_pauses_of_refusals_double_to_their_limits() {
        let margins = Margins::default();
        let quiet = [0, 1, 2, 3, 4, u32::MAX].map(|it| margins.quiet_after(it).as_secs());
        assert_eq!(quiet, [135, 270, 540, 900, 900, 900]);
        let refusals = [0, 1, 2, 3, 7, 8, 9, u32::MAX];
        let refusals = refusals.map(|it| margins.pause_of_refusals(it).as_secs());
        assert_eq!(refusals, [135, 135, 270, 540, 8_640, 17_280, 21_600, 21_600]);
    }

    #[test]
    fn margins_that_do_not_fit_each_other_are_refused() {
        let margins = Margins::default();
        let cases = [
            ("quiet as short as it can be", margins.with_quiet(secs(135)), true),
            ("quiet a second too short", margins.with_quiet(secs(134)), false),
            ("no quiet for a longer answer", margins.with_answer(secs(129)), false),
            ("a shorter answer", margins.with_answer(secs(1)), true),
            ("no answer", margins.with_answer(Duration::ZERO), false),
            ("refreshing as late as it can be", margins.with_refresh_ahead(secs(300)), true),
            ("refreshing too late", margins.with_refresh_ahead(secs(299)), false),
            ("refreshing a day ahead", margins.with_refresh_ahead(secs(86_400)), true),
            ("refreshing more than that ahead", margins.with_refresh_ahead(secs(86_401)), false),
            ("quiet without room before the end", margins.with_quiet(secs(136)), false),
            ("a store that may take a minute", margins.with_store_answer(secs(60)), true),
            ("a store that may take more", margins.with_store_answer(secs(61)), false),
            ("a store that may take no time", margins.with_store_answer(Duration::ZERO), false),
        ];
        for (name, margins, is_fit) in cases {
            assert_eq!(margins.is_ok(), is_fit, "{name}");
        }
        let ahead = margins.with_refresh_ahead(secs(86_400)).expect("in range");
        assert!(ahead.with_quiet(secs(3_600)).is_ok(), "an hour");
        assert!(ahead.with_quiet(secs(3_601)).is_err(), "more than an hour");
        let quiet = ahead.with_quiet(secs(3_600)).expect("in range");
        assert!(quiet.with_answer(secs(600)).is_ok(), "ten minutes");
        assert!(quiet.with_answer(secs(601)).is_err(), "more than ten minutes");
    }

    #[test]
    fn scaled_margins_keep_their_proportions() {
        let margins = Margins::default();
        assert_eq!(margins.scaled_down(1), margins);
        assert_eq!(margins.scaled_down(0), margins, "nothing is divided by zero");
        let scaled = margins.scaled_down(1_000);
        let spans = [scaled.answer, scaled.claim, scaled.fence, scaled.first_pause];
        assert_eq!(spans.map(|it| it.as_micros()), [128_000, 500, 2_000, 1_000]);
        let spans = [scaled.last_moments, scaled.longest_pause, scaled.network, scaled.quiet];
        assert_eq!(spans.map(|it| it.as_millis()), [30, 60, 5, 135]);
        let spans = [scaled.refresh_ahead, scaled.repeatable_answer, scaled.store_answer];
        assert_eq!(spans.map(|it| it.as_millis()), [300, 15, 5]);
        assert!(scaled.quiet >= scaled.fence + scaled.answer + scaled.network);
    }
}
