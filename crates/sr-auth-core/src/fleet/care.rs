//! Grants that nobody uses are renewed before they grow too old.

use std::time::Duration;

use super::Closing;
use super::Fleet;
use super::message::{ApplicationId, FleetEvent, Output};
use super::poll::Poll;
use crate::Timestamp;
use crate::store::{GrantKey, OwnerId, StoreOp};

/// Asks the store which grants are due, the most urgent first.
#[derive(Debug)]
pub(super) struct KeepAlive {
    /// How many keys are asked for. It grows while those at the head cannot be helped.
    limit: usize,
    pub(super) poll: Poll,
}

impl KeepAlive {
    const LIMIT: usize = 512;
    const LONGEST: usize = 1 << 16;

    /// While there are more than were asked for, the scan is repeated so much sooner.
    const CATCH_UP: u32 = 30;

    /// Begins somewhere in the first interval, so that processes that start together do not scan
    /// together.
    pub(super) fn new(now: Timestamp, owner: OwnerId, every: Duration) -> Self {
        let share = u32::from((owner.number() % 1_000) as u16);
        Self { limit: Self::LIMIT, poll: Poll::after(now, every / 1_000 * share) }
    }
}

impl Fleet {
    /// Asks for what is due, when it is time.
    pub(super) fn scan(&mut self, now: Timestamp) {
        if self.closing == Closing::No && self.keep_alive.poll.is_due(now) {
            let limit = self.keep_alive.limit;
            self.keep_alive.poll = self.ask(now, StoreOp::Due { limit, until: now });
        }
    }

    /// Cares for what is due; `None` when the store did not say.
    pub(super) fn scanned(&mut self, now: Timestamp, keys: Option<Vec<GrantKey>>) {
        let every = self.settings.scan_every();
        let Some(keys) = keys else {
            self.keep_alive.poll = Poll::after(now, every / KeepAlive::CATCH_UP);
            return;
        };
        let is_full = keys.len() >= self.keep_alive.limit;
        let mut opened = 0_usize;
        let mut has_room = true;
        for key in keys {
            match (self.find(&key), self.gates.only()) {
                (Some(id), _) => {
                    let resident = self.residents.slots.content(id);
                    if resident.is_some_and(|(_, it)| it.may_leave()) {
                        self.residents.care(id);
                        self.load(now, id);
                    }
                }
                (None, Some(application)) if !self.settings.only_opened() => {
                    has_room = has_room && self.has_room_for_care();
                    if has_room {
                        self.care(now, key, application);
                        opened += 1;
                    }
                }
                (None, _) => {
                    self.outputs.push_back(Output::Notice(FleetEvent::Unplaced { key }));
                }
            }
        }
        let is_stuck = is_full && opened == 0 && has_room;
        self.keep_alive.limit = match self.keep_alive.limit {
            limit if is_stuck => limit.saturating_mul(2).min(KeepAlive::LONGEST),
            limit if is_full => limit,
            _ => KeepAlive::LIMIT,
        };
        let pause = if is_full || !has_room { every / KeepAlive::CATCH_UP } else { every };
        self.keep_alive.poll = Poll::after(now, pause);
    }

    /// Half of the memory is for grants that somebody uses.
    fn has_room_for_care(&mut self) -> bool {
        let half = usize::try_from(self.settings.capacity().div_ceil(2)).unwrap_or(usize::MAX);
        self.residents.cared() < half && self.make_room()
    }

    fn care(&mut self, now: Timestamp, key: GrantKey, application: ApplicationId) {
        if let Some((id, _)) = self.open(now, key, application, None) {
            self.residents.care(id);
            self.load(now, id);
        }
    }

    /// Makes a grant resident and has it read, no more.
    pub(super) fn open_only(&mut self, now: Timestamp, key: GrantKey, application: ApplicationId) {
        if let Some((id, true)) = self.open(now, key, application, None) {
            self.load(now, id);
        }
    }
}
