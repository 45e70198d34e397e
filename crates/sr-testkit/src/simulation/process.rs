//! A process: its machines, its clock, and whether it runs.

use std::collections::VecDeque;

use sr_auth_core::Timestamp;
use sr_auth_core::fleet::Output;
use sr_auth_core::store::OwnerId;

use super::clock::ProcessClock;
use super::machines::Machines;
use super::run::Event;

/// One of the places where a process runs; when one dies, another starts in its place.
#[derive(Debug)]
pub(super) struct Process {
    /// What arrived while it stood still.
    pub(super) backlog: VecDeque<Event>,
    pub(super) clock: ProcessClock,
    /// When its clock was last set by so much that it is a jump.
    pub(super) clock_set_at: Timestamp,
    /// It was told to shut down.
    pub(super) closing: bool,
    /// After so many acts it dies, before or after the last.
    pub(super) dies_in: Option<Countdown>,
    /// When its machines were fed last: what they ask for, they ask for since then.
    pub(super) fed_at: Timestamp,
    /// What it was about to do when it stood still.
    pub(super) held: Option<Output>,
    /// Which process it is in this place.
    pub(super) incarnation: u32,
    /// After so many acts for a grant somebody interrupts it.
    pub(super) interrupted_in: Option<Countdown>,
    /// `None` while no process runs here.
    pub(super) machines: Option<Machines>,
    pub(super) owner: OwnerId,
    /// It cannot reach the store.
    pub(super) partitioned: bool,
    pub(super) paused: bool,
    /// After so many acts it stands still.
    pub(super) pauses_in: Option<Countdown>,
    /// When it is woken next, if it is.
    pub(super) wakes_at: Option<Timestamp>,
}

/// Counts acts down to one that something happens at.
#[derive(Clone, Copy, Debug)]
pub(super) struct Countdown {
    /// Whether it happens after that act, and not before.
    pub(super) after: bool,
    pub(super) left: u32,
}

impl Process {
    pub(super) fn new(now: Timestamp) -> Self {
        Self {
            backlog: VecDeque::new(),
            clock: ProcessClock::new(now, 0, 0),
            clock_set_at: Timestamp::EPOCH,
            closing: false,
            dies_in: None,
            fed_at: now,
            held: None,
            incarnation: 0,
            interrupted_in: None,
            machines: None,
            owner: OwnerId::new(0),
            partitioned: false,
            paused: false,
            pauses_in: None,
            wakes_at: None,
        }
    }

    /// Tells whether it is the process of that number, and runs.
    pub(super) const fn is(&self, incarnation: u32) -> bool {
        self.incarnation == incarnation && self.machines.is_some()
    }
}

/// What a countdown says about the next act.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Due {
    After,
    Before,
    Not,
}

/// Counts one act.
pub(super) fn count(countdown: &mut Option<Countdown>) -> Due {
    let Some(it) = countdown else { return Due::Not };
    if it.left > 0 {
        it.left -= 1;
        return Due::Not;
    }
    let due = if it.after { Due::After } else { Due::Before };
    *countdown = None;
    due
}
