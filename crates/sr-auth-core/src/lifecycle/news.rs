//! What the store tells of changes that somebody else has made.
//!
//! An end counts at once: its tokens are not served any more, whatever is under way. Everything
//! else is read from the record. News are kept until it was read: an answer that is awaited may be
//! from before them, and a reading may fail.

use super::context::{Context, Knowledge};
use super::held::is_ended;
use crate::store::{Generation, Health};

/// A change that the store has told of, and that was not read yet.
#[derive(Clone, Copy, Debug)]
pub(crate) struct News {
    pub(crate) generation: Generation,
    pub(crate) health: Health,
}

impl News {
    /// Says that the store has another history, as after the restoration of a backup: its
    /// generations may be lower than those that are held. No grant comes as far as this one.
    pub(crate) const REWOUND: Generation = Generation::from_number(u64::MAX);

    /// Tells whether a lower generation than the one that is held is to be believed.
    pub(super) fn is_rewound(self) -> bool {
        self.generation == Self::REWOUND
    }

    /// Takes news in.
    pub(super) fn hear(self, known: &mut Knowledge) {
        let is_newer = known.held.as_ref().is_none_or(|it| self.generation > it.generation);
        if is_newer && is_ended(self.health) {
            known.health = self.health;
        }
        if known.affairs().news.is_none_or(|it| self.generation >= it.generation) {
            known.affairs_mut().news = Some(self);
        }
    }

    /// Tells whether the grant has ended since it was at `generation`: a record of then, as from a
    /// replica that lags, does not revive it.
    pub(super) fn is_end_after(self, generation: Generation) -> bool {
        is_ended(self.health) && self.generation > generation
    }

    /// Tells whether a change is not one that this process made or has read.
    pub(super) fn is_new(self, cx: &Context<'_>) -> bool {
        let held = cx.known.held.as_ref();
        let is_newer = held.is_none_or(|it| self.generation > it.generation);
        is_newer || self.health != cx.known.health
    }
}
