//! How a caller gets a header: at once, or under its own deadline.

use std::sync::Arc;
use std::time::Duration;

use sr_auth_core::{Authorization, Fingerprint, Remedy};
use tokio::runtime::Handle;
use tokio::time::timeout;

#[cfg(feature = "tower")]
use super::Recent;
use super::waiting::Outcome;
use super::{Command, Entry, Runtime};
use crate::SourceError;
use crate::clock::Stopwatch;

impl Runtime {
    /// Returns the published header if it is good, and has its token renewed ahead of its end.
    #[inline(always)]
    pub(crate) fn ready(&self, entry: &Arc<Entry>) -> Option<Arc<Authorization>> {
        // In this order each is at least as new as the one before, and nothing is kept over a call.
        let wall_secs = self.shared.parts.clock.wall_secs();
        if wall_secs < i64::from(entry.check_secs()) {
            return entry.header();
        }
        self.still_good(entry)
    }

    /// As [`ready`](Self::ready), for a reader that keeps what it saw last.
    #[cfg(feature = "tower")]
    #[inline]
    pub(crate) fn ready_again<'a>(
        &self,
        entry: &Arc<Entry>,
        recent: &'a mut Recent,
    ) -> Option<&'a Authorization> {
        let wall_secs = self.shared.parts.clock.wall_secs();
        if wall_secs >= i64::from(entry.check_secs()) {
            self.still_good(entry)?;
        }
        // It is as new as the moments that were read, or newer.
        recent.header()
    }

    /// Judges a token that wants to be renewed, or is about to.
    #[cold]
    #[inline(never)]
    fn still_good(&self, entry: &Arc<Entry>) -> Option<Arc<Authorization>> {
        let ends_at = entry.ends_at();
        let wall = self.shared.parts.clock.wall_millis();
        let header = entry.header().filter(|_| wall < ends_at)?;
        if entry.postpone_check(wall) {
            // A renewal that cannot begin costs nobody anything before the token ends.
            let _sent = self.send(Command::Want { entry: Arc::clone(entry) });
        }
        Some(header)
    }

    /// Returns the header, and waits for it if it must.
    pub(crate) async fn authorization(
        &self,
        entry: &Arc<Entry>,
        within: Duration,
    ) -> Result<Arc<Authorization>, SourceError> {
        // The timer, too, needs one.
        Handle::try_current().map_err(|_| SourceError::NoRuntime)?;
        let mut last = None;
        match timeout(within, self.obtain(entry, within, &mut last)).await {
            Ok(outcome) => outcome,
            Err(_) => Err(last.unwrap_or(SourceError::TimedOut)),
        }
    }

    async fn obtain(
        &self,
        entry: &Arc<Entry>,
        within: Duration,
        last: &mut Option<SourceError>,
    ) -> Result<Arc<Authorization>, SourceError> {
        let watch = Stopwatch::begin();
        loop {
            if let Some(ready) = self.ready(entry) {
                return Ok(ready);
            }
            match self.outcome(entry).await? {
                Outcome::Failed(error) => {
                    let ends_at = self.now().after(within.saturating_sub(watch.elapsed()));
                    let Remedy::RetryLater { at: Some(at) } = error.remedy() else {
                        return Err(error.into());
                    };
                    if at >= ends_at {
                        return Err(error.into());
                    }
                    *last = Some(error.into());
                    self.parts().clock.sleep_until(at).await;
                }
                // Its driver is gone: the next question begins another.
                Outcome::Lost => {}
                Outcome::Ready(header) => return Ok(header),
                Outcome::Retired => return Err(SourceError::Retired),
                Outcome::ShutDown => return Err(SourceError::ShutDown),
                Outcome::Unregistered => return Err(SourceError::NoClient),
                Outcome::Unusable(error) => return Err(error.into()),
            }
        }
    }

    /// Joins those who wait for a grant. The first of them asks; whoever leaves changes nothing.
    async fn outcome(&self, entry: &Arc<Entry>) -> Result<Outcome, SourceError> {
        let (waiting, is_first) = self.shared.waiting.join(entry.key());
        if is_first && let Err(error) = self.send(Command::Want { entry: Arc::clone(entry) }) {
            self.shared.waiting.settle(entry.key(), &Outcome::Lost);
            return Err(error);
        }
        Ok(waiting.outcome().await)
    }

    /// Has a token replaced that the API refused. Whoever asks from now on does not get it.
    pub(crate) fn rejected(&self, entry: &Arc<Entry>, fingerprint: Fingerprint) {
        if entry.withdraw(fingerprint) {
            let command = Command::Rejected { entry: Arc::clone(entry), fingerprint };
            // Where no driver can begin, nothing is renewed either.
            let _sent = self.send(command);
        }
    }
}
