//! One grant in memory, and what the fleet remembers about it.

use super::gates::Pass;
use super::message::ApplicationId;
use crate::lifecycle::{Availability, Cause, Regions};
use crate::store::Renewal;
use crate::{Fingerprint, Timestamp};

#[derive(Debug)]
pub(super) struct Resident {
    pub(super) application: ApplicationId,
    pub(super) marks: Marks,
    /// Its renewal was let go and is under way.
    pub(super) pass: Option<Pass>,
    pub(super) regions: Regions,
    shown: Shown,
}

/// What is true of a grant, apart from its lifecycle. Those that are counted change only where they
/// are counted.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Marks {
    /// While cared for: it was asked once whether it wants an access token.
    pub(super) asked: bool,
    /// Counted: something was begun that has to be finished.
    pub(super) busy: bool,
    /// Counted: it is here because it must be renewed, though nobody asked.
    pub(super) cared: bool,
    /// Somebody has asked for a token and has not got it.
    pub(super) demanded: bool,
    /// Counted: an intent of this process may stand.
    pub(super) intent: bool,
    /// The request of its pass has left.
    pub(super) sent: bool,
}

/// What callers were told last.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Shown {
    Failed(Cause, Option<Timestamp>),
    Nothing,
    Pending,
    Ready(Fingerprint, Timestamp),
}

impl Resident {
    pub(super) const fn new(application: ApplicationId, renewal: Renewal) -> Self {
        Self {
            application,
            marks: Marks {
                asked: false,
                busy: false,
                cared: false,
                demanded: false,
                intent: false,
                sent: false,
            },
            pass: None,
            regions: Regions::new(renewal),
            shown: Shown::Nothing,
        }
    }

    /// Tells whether callers get something else than they were told last, and counts it as told.
    pub(super) fn has_news(&mut self, now: Timestamp) -> bool {
        let shown = match self.regions.availability(now) {
            Availability::Failed(it) => Shown::Failed(it.cause(), it.retry_at()),
            Availability::Pending { .. } => Shown::Pending,
            Availability::Ready(token) => Shown::Ready(token.fingerprint, token.ends_at),
        };
        let is_new = self.shown != shown;
        self.shown = shown;
        is_new
    }

    /// Tells whether nothing is lost when it leaves.
    pub(super) fn may_leave(&self) -> bool {
        self.regions.is_idle() && !self.marks.demanded && !self.marks.cared && self.pass.is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grant_that_rests_is_small() {
        // Its tokens are beside it, and only when they were read.
        assert!(size_of::<Resident>() <= 120, "{} bytes", size_of::<Resident>());
    }
}
