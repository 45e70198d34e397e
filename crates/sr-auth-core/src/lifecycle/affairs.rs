//! What is not settled about a grant: what is under way, what was told and not read yet, and what
//! the store wants heeded. Most grants have nothing of it most of the time, and then it takes no
//! room.

use super::command::Commands;
use super::context::{Knowledge, Presented, Rotation};
use super::news::News;
use crate::store::{Refusals, Successor};
use crate::{Secret, Timestamp};

#[derive(Clone, Debug)]
pub(crate) struct Affairs {
    pub(super) commands: Option<Box<Commands>>,
    /// Failures in a row.
    pub(super) failures: u8,
    /// The presentation whose answer may still arrive though nobody waits for it.
    pub(super) late: Option<Presented>,
    /// What the store told and was not read yet.
    pub(super) news: Option<News>,
    /// Nobody presents before this moment.
    pub(super) not_before: Timestamp,
    /// The refusals that were not believed.
    pub(super) refusals: Refusals,
    /// Where the renewal stands, between two inputs.
    pub(super) rotation: Rotation,
    /// What a presentation brought and the store does not have yet.
    pub(super) successor: Option<Box<Successor<Secret>>>,
}

impl Affairs {
    const NONE: Self = Self {
        commands: None,
        failures: 0,
        late: None,
        news: None,
        not_before: Timestamp::EPOCH,
        refusals: Refusals { count: 0, first_at: Timestamp::EPOCH, status: 0 },
        rotation: Rotation::Idle,
        successor: None,
    };

    fn is_none(&self) -> bool {
        let Self { commands, failures, late, news, not_before, refusals, rotation, successor } =
            self;
        let is_told = commands.is_some() || late.is_some() || news.is_some();
        let is_heeded = *not_before > Timestamp::EPOCH || *refusals != Refusals::default();
        let is_resting =
            matches!(rotation, Rotation::Idle) && successor.is_none() && *failures == 0;
        is_resting && !is_told && !is_heeded
    }
}

impl Knowledge {
    pub(super) fn affairs(&self) -> &Affairs {
        static NONE: Affairs = Affairs::NONE;
        self.affairs.as_deref().unwrap_or(&NONE)
    }

    pub(super) fn affairs_mut(&mut self) -> &mut Affairs {
        self.affairs.get_or_insert_with(|| Box::new(Affairs::NONE))
    }

    /// Takes over what the store wants heeded by whoever presents next.
    pub(super) fn heed(&mut self, not_before: Timestamp, refusals: Refusals) {
        let is_nothing = not_before == Timestamp::EPOCH && refusals == Refusals::default();
        if self.affairs.is_some() || !is_nothing {
            let affairs = self.affairs_mut();
            (affairs.not_before, affairs.refusals) = (not_before, refusals);
        }
    }

    /// Takes out what an input may change at once.
    pub(super) fn take_up(&mut self) -> (Option<Box<Commands>>, Rotation) {
        self.affairs.as_mut().map_or((None, Rotation::Idle), |it| (it.commands.take(), it.rotation))
    }

    /// Puts back what an input has made of it, and keeps nothing when all is settled.
    pub(super) fn put_down(&mut self, commands: Option<Box<Commands>>, rotation: Rotation) {
        if commands.is_some() || !matches!(rotation, Rotation::Idle) || self.affairs.is_some() {
            let affairs = self.affairs_mut();
            (affairs.commands, affairs.rotation) = (commands, rotation);
        }
        self.affairs.take_if(|it| it.is_none());
    }
}
