//! One grant in memory, and what the fleet remembers about it.

use std::hash::{DefaultHasher, Hash, Hasher as _};

use super::gates::Pass;
use super::holding::Gate;
use super::message::ApplicationId;
use crate::lifecycle::{Availability, Cause, Regions};
use crate::store::Renewal;
use crate::{Fingerprint, Timestamp};

#[derive(Debug)]
pub(super) struct Resident {
    pub(super) application: ApplicationId,
    pub(super) marks: Marks,
    /// Its renewal was let go and is under way. It keeps its application as long.
    pub(super) pass: Option<Pass>,
    pub(super) regions: Regions,
    shown: Shown,
}

/// What is true of a grant, apart from its lifecycle: a bit for each [`Mark`].
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Marks(u8);

/// Those that are counted change only where they are counted.
#[derive(Clone, Copy, Debug)]
pub(super) enum Mark {
    /// While cared for: it was asked once whether it wants an access token.
    Asked,
    /// Counted: something was begun that has to be finished.
    Busy,
    /// Counted: it is here because it must be renewed, though nobody asked.
    Cared,
    /// Somebody has asked for a token and has not got it.
    Demanded,
    /// Counted: an intent of this process may stand.
    Intent,
    /// The request of its pass has left.
    Sent,
}

impl Marks {
    pub(super) const fn has(self, mark: Mark) -> bool {
        self.0 & 1 << mark as u8 != 0
    }

    pub(super) fn set(&mut self, mark: Mark, is: bool) {
        let bit = 1 << mark as u8;
        self.0 = if is { self.0 | bit } else { self.0 & !bit };
    }
}

/// What callers were told last, as a digest of [`Told`]: it is only compared, and 64 bits do not
/// look alike by chance.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Shown(u64);

#[derive(Hash)]
enum Told {
    Failed(Cause, Option<Timestamp>),
    Pending,
    Ready(Fingerprint, Timestamp),
}

impl Shown {
    const NOTHING: Self = Self(0);

    fn of(told: &Told) -> Self {
        let mut hasher = DefaultHasher::new();
        told.hash(&mut hasher);
        Self(hasher.finish())
    }
}

impl Resident {
    pub(super) const fn new(application: ApplicationId, renewal: Renewal) -> Self {
        Self {
            application,
            marks: Marks(0),
            pass: None,
            regions: Regions::new(renewal),
            shown: Shown::NOTHING,
        }
    }

    /// Tells whether callers get something else than they were told last, and counts it as told.
    pub(super) fn has_news(&mut self, now: Timestamp, gate: Gate) -> bool {
        let shown = Shown::of(&match gate.judge(self.regions.availability(now)) {
            Availability::Failed(it) => Told::Failed(it.cause(), it.retry_at()),
            Availability::Pending { .. } => Told::Pending,
            Availability::Ready(token) => Told::Ready(token.fingerprint, token.ends_at),
        });
        let is_new = self.shown != shown;
        self.shown = shown;
        is_new
    }

    /// Tells whether nothing is lost when it leaves.
    pub(super) fn may_leave(&self) -> bool {
        let is_needed = self.marks.has(Mark::Demanded) || self.marks.has(Mark::Cared);
        self.regions.is_idle() && !is_needed && self.pass.is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grant_that_rests_is_small() {
        // The texts of its tokens are beside it, and so is what is under way.
        assert!(size_of::<Resident>() <= 104, "{} bytes", size_of::<Resident>());
    }
}
