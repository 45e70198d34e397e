//! A question to the store that is asked again and again.

use std::time::Duration;

use super::pause::Pause;
use crate::Timestamp;
use crate::lifecycle::StoreOpId;

/// When a question is asked next, or how long its answer is awaited.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Poll {
    Asked { give_up: Pause, id: StoreOpId },
    Waiting { pause: Pause },
}

impl Poll {
    pub(super) fn after(now: Timestamp, span: Duration) -> Self {
        Self::Waiting { pause: Pause::new(now, span) }
    }

    pub(super) fn asked(now: Timestamp, id: StoreOpId, answer_within: Duration) -> Self {
        Self::Asked { give_up: Pause::new(now, answer_within), id }
    }

    /// Tells whether it is time to ask. An answer that is overdue is as good as none.
    pub(super) fn is_due(&mut self, now: Timestamp) -> bool {
        let (Self::Asked { give_up: pause, .. } | Self::Waiting { pause }) = self;
        *pause = pause.seen_at(now);
        pause.is_over(now)
    }

    /// Tells whether an answer is the one that is awaited.
    pub(super) fn awaits(&self, answer: StoreOpId) -> bool {
        matches!(self, Self::Asked { id, .. } if *id == answer)
    }

    /// Tells whether an answer is awaited.
    pub(super) const fn is_asked(&self) -> bool {
        matches!(self, Self::Asked { .. })
    }

    pub(super) const fn timeout(&self) -> Timestamp {
        let (Self::Asked { give_up: pause, .. } | Self::Waiting { pause }) = self;
        pause.until()
    }
}
