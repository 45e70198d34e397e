//! The true chain of tokens, and where in the world each of them is.

use std::collections::BTreeMap;

use sr_auth_core::{Fingerprint, RefreshToken, Timestamp};

use crate::simulator::Simulator;

/// What the server gave in one answer, by name.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(in crate::simulation) struct Given {
    pub(in crate::simulation) access: Fingerprint,
    pub(in crate::simulation) refresh: Option<Fingerprint>,
}

/// An access token that the server has issued.
#[derive(Clone, Copy, Debug)]
pub(super) struct Access {
    /// It came without a refresh token: it belongs to the one that was presented.
    pub(super) alone: bool,
    /// Which answer it came in.
    pub(super) answer: u32,
    pub(super) expires_at: Timestamp,
    pub(super) grant: usize,
}

/// A refresh token that the server has issued.
#[derive(Clone, Copy, Debug)]
pub(super) struct Refresh {
    /// Which answer it came in.
    pub(super) answer: u32,
    /// Until when a presentation of it may still be processed.
    pub(super) busy_until: Timestamp,
    /// When the store had it first.
    pub(super) durable_at: Option<Timestamp>,
    /// When the server takes it no more.
    pub(super) expires_at: Timestamp,
    /// How many copies are on the way, to a process or to the store.
    pub(super) flying: u32,
    pub(super) grant: usize,
    /// The processes that hold it, a bit each.
    pub(super) holders: u64,
    /// Whether the server takes it.
    pub(super) live: bool,
    /// Whether the store has it.
    pub(super) stored: bool,
}

impl Refresh {
    /// Tells whether it is anywhere from where it could come to use.
    pub(super) const fn exists(&self) -> bool {
        self.stored || self.holders != 0 || self.flying != 0
    }

    /// Tells whether a process has a copy of it.
    pub(super) const fn is_with(&self, process: usize) -> bool {
        self.holders & (1 << process) != 0
    }

    /// Tells whether somebody has had it for a while, and the store never.
    pub(super) const fn is_withheld(&self) -> bool {
        self.durable_at.is_none() && self.flying == 0 && self.holders != 0
    }

    /// Tells whether a process has the only copy of it.
    pub(super) const fn is_only_with(&self, process: usize) -> bool {
        !self.stored && self.flying == 0 && self.holders == 1 << process
    }
}

/// Every token that was issued in a run.
#[derive(Debug, Default)]
pub(super) struct Chain {
    access: BTreeMap<Fingerprint, Access>,
    answers: u32,
    refresh: BTreeMap<Fingerprint, Refresh>,
}

impl Chain {
    /// Takes in what an answer carries; the refresh token is on its way.
    pub(super) fn issue(&mut self, at: Timestamp, grant: usize, it: Given) {
        self.answers += 1;
        let answer = self.answers;
        let alone = it.refresh.is_none();
        let expires_at = at.after(Simulator::ACCESS_TOKEN_LIFE);
        self.access.insert(it.access, Access { alone, answer, expires_at, grant });
        let Some(refresh) = it.refresh else { return };
        let token = Refresh {
            answer,
            busy_until: Timestamp::EPOCH,
            durable_at: None,
            expires_at: at.after(RefreshToken::LIFE),
            flying: 1,
            grant,
            holders: 0,
            live: true,
            stored: false,
        };
        self.refresh.insert(refresh, token);
    }

    pub(super) fn access(&self, name: Fingerprint) -> Option<&Access> {
        self.access.get(&name)
    }

    pub(super) fn refresh(&self, name: Fingerprint) -> Option<&Refresh> {
        self.refresh.get(&name)
    }

    pub(super) fn refresh_mut(&mut self, name: Fingerprint) -> Option<&mut Refresh> {
        self.refresh.get_mut(&name)
    }

    /// A copy has left towards the store.
    pub(super) fn departed(&mut self, name: Option<Fingerprint>) {
        if let Some(token) = name.and_then(|name| self.refresh.get_mut(&name)) {
            token.flying += 1;
        }
    }

    /// A copy has arrived, or is lost.
    pub(super) fn landed(&mut self, name: Option<Fingerprint>) {
        if let Some(token) = name.and_then(|name| self.refresh.get_mut(&name)) {
            token.flying = token.flying.saturating_sub(1);
        }
    }

    /// A process holds a copy.
    pub(super) fn held(&mut self, name: Option<Fingerprint>, process: usize) {
        if let Some(token) = name.and_then(|name| self.refresh.get_mut(&name)) {
            token.holders |= 1 << process;
        }
    }

    /// The store's copies are those of `after` now, where they were those of `before`.
    pub(super) fn stored(
        &mut self,
        at: Timestamp,
        before: [Option<Fingerprint>; 2],
        after: [Option<Fingerprint>; 2],
    ) {
        for name in before.into_iter().flatten().filter(|it| !after.contains(&Some(*it))) {
            if let Some(token) = self.refresh.get_mut(&name) {
                token.stored = false;
            }
        }
        for name in after.into_iter().flatten().filter(|it| !before.contains(&Some(*it))) {
            if let Some(token) = self.refresh.get_mut(&name) {
                token.stored = true;
                token.durable_at.get_or_insert(at);
            }
        }
    }

    /// A process has died with all that it held.
    pub(super) fn forget(&mut self, process: usize, live: impl Iterator<Item = Fingerprint>) {
        for name in live {
            if let Some(token) = self.refresh.get_mut(&name) {
                token.holders &= !(1 << process);
            }
        }
    }
}
