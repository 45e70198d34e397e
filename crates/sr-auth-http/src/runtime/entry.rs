//! What callers of one grant share: its published header, if there is one.

#[cfg(feature = "tower")]
use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use arc_swap::ArcSwapOption;
#[cfg(feature = "tower")]
use arc_swap::cache::Cache;
use sr_auth_core::store::{GrantKey, StoredToken};
use sr_auth_core::{Authorization, ConfigError, Fingerprint, Secret};

use crate::Clock;

/// What one reader saw published last: as long as it is still that, it is seen by one comparison, and
/// nothing is counted that others count, too.
#[cfg(feature = "tower")]
#[derive(Clone, Debug)]
pub(crate) struct Recent(Cache<Published, Option<Arc<Authorization>>>);

/// The place of an entry where its header is.
#[cfg(feature = "tower")]
#[derive(Clone, Debug)]
struct Published(Arc<Entry>);

#[cfg(feature = "tower")]
impl Recent {
    pub(crate) fn new(entry: &Arc<Entry>) -> Self {
        Self(Cache::new(Published(Arc::clone(entry))))
    }

    #[inline]
    pub(super) fn header(&mut self) -> Option<&Authorization> {
        self.0.load().as_deref()
    }
}

#[cfg(feature = "tower")]
impl Deref for Published {
    type Target = ArcSwapOption<Authorization>;

    #[inline]
    fn deref(&self) -> &Self::Target {
        &self.0.header
    }
}

/// One grant, as its callers see it: a header that may be sent, and until when. Moments are those of
/// the wall clock, as far as it is known: see [`Clock::wall_millis_at`].
///
/// The moments stand beside the header, so that the header is shared as it is. They are read before
/// it and written after it: a header that is found is as new as they are, or newer. The driver alone
/// publishes.
#[derive(Debug)]
pub(crate) struct Entry {
    /// A place, and [`RETIRED`](Self::RETIRED): a flag of its own would cost eight bytes.
    application: AtomicU32,
    /// The second from which on more has to be looked at than one reading of the clock.
    check_secs: AtomicU32,
    /// In milliseconds.
    ends_at: AtomicU64,
    header: ArcSwapOption<Authorization>,
    key: GrantKey,
}

impl Entry {
    /// Deadlines that differ by less, in milliseconds, are the same: readings of two clocks.
    const NEAR: u64 = 1_000;

    /// The place of an application that is not known.
    pub(crate) const NOBODY: u32 = !Self::RETIRED;

    /// How long after one attempt to have a token renewed callers try again, in seconds.
    const PAUSE: u32 = 10;

    /// The bit that says that no token is handed out any more.
    const RETIRED: u32 = 1 << 31;

    pub(super) fn new(key: GrantKey, application: u32) -> Self {
        Self {
            application: AtomicU32::new(application),
            check_secs: AtomicU32::new(0),
            ends_at: AtomicU64::new(0),
            header: ArcSwapOption::empty(),
            key,
        }
    }

    pub(crate) const fn key(&self) -> &GrantKey {
        &self.key
    }

    /// Returns the place of the application whose grant it is, if it is known.
    pub(crate) fn application(&self) -> Option<u32> {
        let place = self.application.load(Ordering::Acquire) & !Self::RETIRED;
        Some(place).filter(|it| *it != Self::NOBODY)
    }

    /// Sets the place of the application whose grant it is.
    pub(crate) fn set_application(&self, place: u32) {
        let keep = |it| Some((it & Self::RETIRED) | place);
        // It never declines.
        let _before = self.application.fetch_update(Ordering::AcqRel, Ordering::Acquire, keep);
    }

    /// Hands out no token any more.
    pub(crate) fn retire(&self) {
        self.application.fetch_or(Self::RETIRED, Ordering::AcqRel);
        self.withdraw_all();
    }

    pub(super) fn is_retired(&self) -> bool {
        self.application.load(Ordering::Acquire) & Self::RETIRED != 0
    }

    /// Returns the second of the wall clock from which on more has to be looked at.
    #[inline]
    pub(super) fn check_secs(&self) -> u32 {
        self.check_secs.load(Ordering::Acquire)
    }

    /// Returns the millisecond of the wall clock at which the header ends.
    pub(super) fn ends_at(&self) -> u64 {
        self.ends_at.load(Ordering::Acquire)
    }

    /// Returns what is published.
    #[inline]
    pub(super) fn header(&self) -> Option<Arc<Authorization>> {
        self.header.load_full()
    }

    /// Publishes a token, or finds that it is.
    pub(super) fn publish(
        &self,
        token: &StoredToken<Secret>,
        clock: &Clock,
    ) -> Result<Arc<Authorization>, ConfigError> {
        let ends_at = clock.wall_millis_at(token.ends_at);
        let renew_at = clock.wall_millis_at(token.renew_at);
        let published = self.header().filter(|it| {
            let is_near = self.ends_at.load(Ordering::Relaxed).abs_diff(ends_at) < Self::NEAR;
            it.fingerprint() == Some(token.fingerprint) && is_near
        });
        if let Some(published) = published {
            return Ok(published);
        }
        let header = Arc::new(token.authorization()?);
        self.check_secs.store(0, Ordering::Release);
        self.ends_at.store(0, Ordering::Release);
        self.header.store(Some(Arc::clone(&header)));
        self.ends_at.store(ends_at, Ordering::Release);
        let check = seconds(renew_at.saturating_add(999)).min(seconds(ends_at));
        self.check_secs.store(check, Ordering::Release);
        Ok(header)
    }

    /// Takes back a token that has ended; `false` when one is published that has not.
    pub(super) fn withdraw_ended(&self, wall: u64) -> bool {
        let published = self.header.load();
        if published.is_some() && wall < self.ends_at() {
            return false;
        }
        // One that was published meanwhile stays.
        self.header.compare_and_swap(&published, None);
        true
    }

    /// Takes back whatever is published.
    pub(super) fn withdraw_all(&self) {
        self.header.store(None);
    }

    /// Takes a token back; `false` when another one, or none, is published.
    pub(super) fn withdraw(&self, fingerprint: Fingerprint) -> bool {
        let published = self.header.load();
        let is_it = published.as_ref().is_some_and(|it| it.fingerprint() == Some(fingerprint));
        if !is_it {
            return false;
        }
        // One that was published meanwhile stays.
        let previous = self.header.compare_and_swap(&published, None);
        previous.as_ref().map(Arc::as_ptr) == published.as_ref().map(Arc::as_ptr)
    }

    /// Puts the next look off; `false` when it is not time, or somebody else has.
    pub(super) fn postpone_check(&self, wall: u64) -> bool {
        let (check, order) = (self.check_secs.load(Ordering::Relaxed), Ordering::AcqRel);
        let last = seconds(self.ends_at.load(Ordering::Relaxed));
        let next = seconds(wall).saturating_add(Self::PAUSE).min(last);
        seconds(wall) >= check
            && next > check
            && self.check_secs.compare_exchange(check, next, order, Ordering::Relaxed).is_ok()
    }
}

/// Whole seconds, until the year 2106.
fn seconds(millis: u64) -> u32 {
    u32::try_from(millis / 1_000).unwrap_or(u32::MAX)
}
