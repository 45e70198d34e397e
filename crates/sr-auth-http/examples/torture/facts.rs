//! What was seen: by the sandbox, by the store, and by whoever kills.

use std::collections::BTreeMap;
use std::time::Duration;

use sr_auth_core::Timestamp;
use sr_testkit::{Fingerprint, GrantId};

/// Everything that a verdict rests on.
#[derive(Debug, Default)]
pub(crate) struct Facts {
    /// From when to when the store took no change: a process that stood still held its lock.
    pub(crate) closed: Vec<(Timestamp, Timestamp)>,
    /// When the store took each refresh token, by its own ledger.
    pub(crate) durable: BTreeMap<Fingerprint, Timestamp>,
    /// What each grant of the store was, one consent after the other.
    pub(crate) consents: Vec<Consent>,
    pub(crate) instances: BTreeMap<u64, Instance>,
    /// Whether successors are kept on the disk of the process while the store takes nothing: then that
    /// is no excuse.
    pub(crate) keeps_spools: bool,
    /// The presentations that reached the sandbox, the oldest first.
    pub(crate) presentations: Vec<Presentation>,
}

impl Facts {
    /// Adds what follows from what was seen: whoever presents a token has read it from the store,
    /// though it may have been there only while the store could not be looked at.
    pub(crate) fn conclude(&mut self) {
        for it in &self.presentations {
            self.durable.entry(it.token).or_insert(it.at);
        }
    }
}

/// A process, from its start to its end.
#[derive(Debug, Default)]
pub(crate) struct Instance {
    /// When it was surely dead.
    pub(crate) killed_at: Option<Timestamp>,
    /// From when to when it stood still.
    pub(crate) stops: Vec<(Timestamp, Option<Timestamp>)>,
}

/// A refresh token that was presented to the sandbox.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Presentation {
    pub(crate) at: Timestamp,
    pub(crate) instance: u64,
    /// The grant and its next refresh token; `None` when it was refused.
    pub(crate) issued: Option<(GrantId, Fingerprint)>,
    pub(crate) token: Fingerprint,
}

/// A grant from a consent on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Consent {
    /// What became of it, in the store and at the server, when it was last looked at.
    pub(crate) end: Fate,
    pub(crate) grant: GrantId,
    /// The number of its key.
    pub(crate) key: u32,
}

/// What became of a grant.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Fate {
    /// The store says that it is dead.
    Dead,
    /// The store holds a token that the server takes.
    Lives,
    /// The store holds a token that the server does not take.
    Useless,
}

impl Instance {
    /// Returns how long it could have written between two moments: without the time in which it
    /// stood still, or the store took nothing.
    pub(crate) fn ran(
        &self,
        from: Timestamp,
        until: Timestamp,
        closed: &[(Timestamp, Timestamp)],
    ) -> Duration {
        let until = self.killed_at.map_or(until, |it| it.min(until));
        let stops = self.stops.iter().map(|(begun, ended)| (*begun, ended.unwrap_or(until)));
        let mut spans: Vec<_> = stops.chain(closed.iter().copied()).collect();
        spans.sort_unstable();
        let mut ran = Duration::ZERO;
        let mut at = from;
        for (begun, ended) in spans {
            ran += begun.min(until).since(at);
            at = at.max(ended.min(until));
        }
        ran + until.since(at)
    }

    /// Tells whether it stood still at some time between two moments.
    pub(crate) fn stood_still(&self, from: Timestamp, until: Timestamp) -> bool {
        self.stops
            .iter()
            .any(|(begun, ended)| *begun <= until && ended.is_none_or(|ended| ended >= from))
    }
}
