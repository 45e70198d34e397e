//! What callers of one grant share: its published header, if there is one.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use arc_swap::{ArcSwapOption, Guard};
use sr_auth_core::store::{GrantKey, StoredToken};
use sr_auth_core::{Authorization, ConfigError, Fingerprint, Secret};

use crate::Clock;

/// One grant, as its callers see it.
#[derive(Debug)]
pub(crate) struct Entry {
    application: AtomicU32,
    key: GrantKey,
    published: ArcSwapOption<Published>,
}

/// A header that may be sent, and until when. Moments are milliseconds of the wall clock, as far as
/// it is known: see [`Clock::wall_millis_at`].
#[derive(Debug)]
pub(crate) struct Published {
    authorization: Authorization,
    check_at: AtomicU64,
    /// The second of `check_at`: until then one reading, not even divided, is all that is needed.
    check_secs: AtomicU64,
    ends_at: u64,
}

impl Entry {
    /// The place of an application that is not known.
    pub(crate) const NOBODY: u32 = u32::MAX;

    pub(super) fn new(key: GrantKey, application: u32) -> Self {
        let published = ArcSwapOption::empty();
        Self { application: AtomicU32::new(application), key, published }
    }

    pub(crate) const fn key(&self) -> &GrantKey {
        &self.key
    }

    /// Returns the place of the application whose grant it is, if it is known.
    pub(crate) fn application(&self) -> Option<u32> {
        let place = self.application.load(Ordering::Acquire);
        Some(place).filter(|it| *it != Self::NOBODY)
    }

    /// Sets the place of the application whose grant it is.
    pub(crate) fn set_application(&self, place: u32) {
        self.application.store(place, Ordering::Release);
    }

    #[inline]
    pub(super) fn published(&self) -> Guard<Option<Arc<Published>>> {
        self.published.load()
    }

    /// Publishes a token, or finds that it is.
    pub(super) fn publish(
        &self,
        token: &StoredToken<Secret>,
        clock: &Clock,
    ) -> Result<Arc<Published>, ConfigError> {
        let ends_at = clock.wall_millis_at(token.ends_at);
        let check_at = clock.wall_millis_at(token.renew_at).min(ends_at);
        let published = self.published.load_full();
        let same = published.filter(|it| {
            let fingerprint = it.authorization.fingerprint();
            fingerprint == Some(token.fingerprint) && it.ends_at.abs_diff(ends_at) < Published::NEAR
        });
        if let Some(published) = same {
            return Ok(published);
        }
        let authorization = token.authorization()?;
        let published = Arc::new(Published {
            authorization,
            check_at: AtomicU64::new(check_at),
            check_secs: AtomicU64::new(check_at / 1_000),
            ends_at,
        });
        self.published.store(Some(Arc::clone(&published)));
        Ok(published)
    }

    /// Takes back a token that has ended; `false` when one is published that has not.
    pub(super) fn withdraw_ended(&self, wall: u64) -> bool {
        let published = self.published.load();
        if published.as_ref().is_some_and(|it| wall < it.ends_at) {
            return false;
        }
        // One that was published meanwhile stays.
        self.published.compare_and_swap(&published, None);
        true
    }

    /// Takes back whatever is published.
    pub(super) fn withdraw_all(&self) {
        self.published.store(None);
    }

    /// Takes a token back; `false` when another one, or none, is published.
    pub(super) fn withdraw(&self, fingerprint: Fingerprint) -> bool {
        let published = self.published.load();
        let is_it = published
            .as_ref()
            .is_some_and(|it| it.authorization.fingerprint() == Some(fingerprint));
        if !is_it {
            return false;
        }
        // One that was published meanwhile stays.
        let previous = self.published.compare_and_swap(&published, None);
        previous.as_ref().map(Arc::as_ptr) == published.as_ref().map(Arc::as_ptr)
    }
}

impl Published {
    /// Deadlines that differ by less, in milliseconds, are the same: readings of two clocks.
    const NEAR: u64 = 1_000;

    /// How long after one attempt to have a token renewed callers try again, in milliseconds.
    const PAUSE: u64 = 10_000;

    #[inline]
    pub(super) const fn authorization(&self) -> &Authorization {
        &self.authorization
    }

    /// Returns the second of the wall clock from which on more than this has to be looked at.
    #[inline]
    pub(super) fn check_secs(&self) -> u64 {
        self.check_secs.load(Ordering::Relaxed)
    }

    pub(super) const fn ends_at(&self) -> u64 {
        self.ends_at
    }

    /// Puts the next look off; `false` when somebody else has.
    pub(super) fn postpone_check(&self, wall: u64) -> bool {
        let (check_at, order) = (self.check_at.load(Ordering::Relaxed), Ordering::Relaxed);
        let next = wall.saturating_add(Self::PAUSE).min(self.ends_at);
        let is_ours = wall >= check_at
            && self.check_at.compare_exchange(check_at, next, order, order).is_ok();
        if is_ours {
            self.check_secs.store(next / 1_000, Ordering::Relaxed);
        }
        is_ours
    }
}
