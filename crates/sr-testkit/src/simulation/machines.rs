//! The machine of one process: what a run starts, feeds and drains.

use std::num::NonZeroU32;

use sr_auth_core::fleet::{ApplicationId, Fleet, GrantId, Input, Output, Settings};
use sr_auth_core::lifecycle::{Application, Availability, Process, Stage};
use sr_auth_core::store::{GrantKey, OwnerId, Renewal};
use sr_auth_core::{FingerprintKey, Machine as _, Remedy, Secret, Timestamp};

use super::oracle::Shown;

/// The fleet of one process, from its start to its end.
#[derive(Debug)]
pub(super) struct Machines {
    /// The application of users' grants, and that of client credentials.
    applications: [ApplicationId; 2],
    fleet: Fleet,
    inputs: u64,
}

/// What the processes of a run have in common.
#[derive(Clone, Debug)]
pub(super) struct Ground {
    pub(super) applications: [Application; 2],
    /// Where every token request goes.
    pub(super) endpoint: http::Uri,
    pub(super) fingerprints: FingerprintKey,
    pub(super) keys: Vec<GrantKey>,
    /// How many grants at the end of the list are client credentials.
    pub(super) repeatable: usize,
    pub(super) settings: Settings,
}

impl Ground {
    /// Returns the place of a grant in the scenario.
    pub(super) fn place(&self, key: &GrantKey) -> Option<usize> {
        self.keys.iter().position(|it| it == key)
    }

    /// Returns how many grants are users'.
    pub(super) const fn single_use(&self) -> usize {
        self.keys.len() - self.repeatable
    }
}

impl Machines {
    /// Starts a process.
    pub(super) fn start(now: Timestamp, common: &Ground, owner: OwnerId) -> Self {
        let process = Process::new(owner, common.fingerprints.clone());
        let mut fleet = Fleet::new(now, process, common.settings);
        let [users, service] = common.applications.clone();
        let users = fleet.register(now, users, Renewal::SingleUse);
        let service = match common.repeatable {
            0 => users,
            _ => fleet.register(now, service, Renewal::Repeatable),
        };
        Self { applications: [users, service], fleet, inputs: 0 }
    }

    /// Returns the application that a grant belongs to.
    pub(super) fn application(&self, common: &Ground, grant: usize) -> ApplicationId {
        let [users, service] = self.applications;
        if grant < common.single_use() { users } else { service }
    }

    /// Feeds the fleet.
    pub(super) fn handle(&mut self, now: Timestamp, input: Input) {
        self.inputs += 1;
        self.fleet.handle_input(now, input);
    }

    /// Returns what the fleet asks for next.
    pub(super) fn poll_output(&mut self) -> Option<Output> {
        self.fleet.poll_output()
    }

    /// Returns when a timeout is due.
    pub(super) fn poll_timeout(&self) -> Option<Timestamp> {
        self.fleet.poll_timeout()
    }

    /// Returns the key of a resident grant.
    pub(super) fn key(&self, id: GrantId) -> Option<&GrantKey> {
        self.fleet.key(id)
    }

    /// Returns the id of a resident grant.
    pub(super) fn find(&self, key: &GrantKey) -> Option<GrantId> {
        self.fleet.find(key)
    }

    fn availability(&self, now: Timestamp, key: &GrantKey) -> Option<Availability<'_>> {
        self.fleet.availability(now, self.fleet.find(key)?)
    }

    /// Returns what a caller gets; `None` when the grant is not resident.
    pub(super) fn shown(&self, now: Timestamp, key: &GrantKey) -> Option<Shown> {
        Some(match self.availability(now, key)? {
            Availability::Failed(it) => Shown::Failed {
                for_good: matches!(it.remedy(), Remedy::Reauthorize | Remedy::AskAdministrator),
            },
            Availability::Pending { .. } => Shown::Pending,
            Availability::Ready(token) => {
                Shown::Ready { ends_at: token.ends_at, token: token.fingerprint }
            }
        })
    }

    /// Hands out the access token that a caller gets.
    pub(super) fn token(&self, now: Timestamp, key: &GrantKey) -> Option<&Secret> {
        match self.availability(now, key)? {
            Availability::Ready(token) => Some(&token.value),
            Availability::Failed(_) | Availability::Pending { .. } => None,
        }
    }

    /// Returns what the renewal of a resident grant is doing.
    pub(super) fn stage(&self, now: Timestamp, id: GrantId) -> Option<Stage> {
        Some(self.fleet.view(now, id)?.stage)
    }

    /// Returns how many inputs were handled.
    pub(super) const fn inputs(&self) -> u64 {
        self.inputs
    }
}

/// A number that is not zero, at least 1.
pub(super) fn number(number: u32) -> NonZeroU32 {
    NonZeroU32::new(number).unwrap_or(NonZeroU32::MIN)
}
