//! What the store tells of changes that somebody else has made.
//!
//! An end counts at once: its tokens are not served any more, whatever is under way. Everything
//! else is read from the record. News are kept until it was read: an answer that is awaited may be
//! from before them, and a reading may fail.

use super::Input;
use super::context::{Context, Knowledge};
use super::held::is_ended;
use crate::store::{Generation, Health};

/// A change that the store has told of, and that was not read yet.
#[derive(Clone, Copy, Debug)]
pub(crate) struct News {
    generation: Generation,
    health: Health,
    /// The store has another history since, and the record of it was not read yet.
    rewound: bool,
}

impl News {
    /// Says that the store has another history, as after the restoration of a backup: its
    /// generations may be lower than those that are held. No grant comes as far as this one.
    pub(crate) const REWOUND: Generation = Generation::from_number(u64::MAX);

    pub(super) fn new(generation: Generation, health: Health) -> Self {
        Self { generation, health, rewound: generation == Self::REWOUND }
    }

    /// Returns what was told, as the input that it came with.
    pub(super) const fn into_input(self) -> Input {
        Input::Changed { generation: self.generation, health: self.health }
    }

    /// Tells whether a lower generation than the one that is held is to be believed.
    pub(super) const fn is_rewound(self) -> bool {
        self.rewound
    }

    /// The history that the store has now is known: what else was told is still news.
    pub(super) fn settled(self) -> Option<Self> {
        let told = self.generation != Self::REWOUND;
        told.then_some(Self { rewound: false, ..self })
    }

    /// Takes news in. What was told before the store went back is no news any more, and what is
    /// told after it does not make it forgotten.
    pub(super) fn hear(self, known: &mut Knowledge) {
        let is_newer = known.held.as_ref().is_none_or(|it| self.generation > it.generation);
        if is_newer && is_ended(self.health) {
            known.health = self.health;
        }
        let old = known.affairs().news;
        let is_older =
            |it: Self| it.generation == Self::REWOUND || it.generation <= self.generation;
        if old.is_none_or(is_older) {
            let rewound = self.rewound || old.is_some_and(Self::is_rewound);
            known.affairs_mut().news = Some(Self { rewound, ..self });
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
        self.rewound || is_newer || self.health != cx.known.health
    }
}
