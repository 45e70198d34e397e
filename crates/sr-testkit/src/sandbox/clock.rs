//! The clock of the sandbox: real time, moved forward at will.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use sr_auth_core::Timestamp;

/// Real time and an offset.
#[derive(Debug)]
pub(super) struct SandboxClock {
    ahead_millis: AtomicU64,
}

impl SandboxClock {
    pub(super) const fn new() -> Self {
        Self { ahead_millis: AtomicU64::new(0) }
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "the one door through which the sandbox tells time"
    )]
    pub(super) fn now(&self) -> Timestamp {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let ahead = Duration::from_millis(self.ahead_millis.load(Ordering::Relaxed));
        Timestamp::from_unix_millis(0).after(since_epoch).after(ahead)
    }

    pub(super) fn advance(&self, span: Duration) {
        let span = u64::try_from(span.as_millis()).unwrap_or(u64::MAX);
        let add = |ahead: u64| Some(ahead.saturating_add(span));
        // The closure never says no.
        let _before = self.ahead_millis.fetch_update(Ordering::Relaxed, Ordering::Relaxed, add);
    }
}
