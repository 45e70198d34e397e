//! Records and operations without their secrets: what a judge keeps of them.

use std::time::Duration;

use sr_auth_core::store::{Generation, Health, IntentId, OwnerId, Record, StoreOp, StoredToken};
use sr_auth_core::{Fingerprint, Secret, Timestamp};

/// A record as a judge sees it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(in crate::simulation) struct Row {
    pub(in crate::simulation) access: Option<Fingerprint>,
    pub(in crate::simulation) access_ends_at: Timestamp,
    /// When the intent was written.
    pub(in crate::simulation) armed_at: Timestamp,
    /// How many presentations in a row were in doubt, the standing one included.
    pub(in crate::simulation) attempt: u32,
    pub(in crate::simulation) generation: Generation,
    pub(in crate::simulation) health: Health,
    pub(in crate::simulation) intent: Option<IntentId>,
    /// Nobody presents before.
    pub(in crate::simulation) not_before: Timestamp,
    /// The refresh token that the intent names.
    pub(in crate::simulation) presents: Option<Fingerprint>,
    /// How long the intent is quiet.
    pub(in crate::simulation) quiet: Duration,
    pub(in crate::simulation) refresh: Option<Fingerprint>,
    pub(in crate::simulation) refresh_ends_at: Timestamp,
    pub(in crate::simulation) refusals: u32,
    pub(in crate::simulation) refused_first_at: Timestamp,
    pub(in crate::simulation) sibling: Option<Fingerprint>,
}

impl Row {
    pub(in crate::simulation) fn of(record: &Record<Secret>) -> Self {
        let name = |token: &Option<StoredToken<Secret>>| token.as_ref().map(|it| it.fingerprint);
        let end = |token: &Option<StoredToken<Secret>>| {
            token.as_ref().map_or(Timestamp::EPOCH, |it| it.ends_at)
        };
        let intent = record.intent.as_ref();
        Self {
            access: name(&record.access),
            access_ends_at: end(&record.access),
            armed_at: intent.map_or(Timestamp::EPOCH, |it| it.armed_at),
            attempt: intent.map_or(0, |it| it.attempt),
            generation: record.generation,
            health: record.health,
            intent: intent.map(|it| it.id),
            not_before: record.not_before,
            presents: intent.and_then(|it| it.fingerprint),
            quiet: intent.map_or(Duration::ZERO, |it| it.quiet),
            refresh: name(&record.refresh),
            refresh_ends_at: end(&record.refresh),
            refusals: record.refusals.count,
            refused_first_at: record.refusals.first_at,
            sibling: record.sibling.as_ref().map(|it| it.token.fingerprint),
        }
    }

    /// Tells whether the row keeps a refresh token, in its place or put aside.
    pub(in crate::simulation) fn keeps(&self, refresh: Fingerprint) -> bool {
        self.refresh == Some(refresh) || self.sibling == Some(refresh)
    }
}

/// An operation as a judge sees it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(in crate::simulation) enum Deed {
    Adopt {
        refresh: Option<Fingerprint>,
    },
    Arm {
        generation: Generation,
        id: IntentId,
        presents: Option<Fingerprint>,
        takes_over: bool,
    },
    Bury {
        generation: Generation,
        owner: OwnerId,
    },
    Commit {
        access: Option<Fingerprint>,
        generation: Generation,
        owner: OwnerId,
        refresh: Option<Fingerprint>,
    },
    Disarm {
        id: IntentId,
    },
    Due,
    End,
    Escrow {
        owner: OwnerId,
        refresh: Fingerprint,
    },
    Load,
    Pulse {
        alive: bool,
        owner: OwnerId,
    },
}

impl Deed {
    pub(in crate::simulation) fn of(op: &StoreOp<Secret>) -> Self {
        match op {
            StoreOp::Adopt { grant, .. } => {
                Self::Adopt { refresh: grant.refresh.as_ref().map(|it| it.fingerprint) }
            }
            StoreOp::Arm { generation, intent, over, .. } => Self::Arm {
                generation: *generation,
                id: intent.id,
                presents: intent.fingerprint,
                takes_over: over.is_some(),
            },
            StoreOp::Bury { generation, owner, .. } => {
                Self::Bury { generation: *generation, owner: *owner }
            }
            StoreOp::Commit { generation, owner, successor, .. } => Self::Commit {
                access: successor.access.as_ref().map(|it| it.fingerprint),
                generation: *generation,
                owner: *owner,
                refresh: successor.refresh.as_ref().map(|it| it.fingerprint),
            },
            StoreOp::Disarm { intent, .. } => Self::Disarm { id: *intent },
            StoreOp::Due { .. } => Self::Due,
            StoreOp::End { .. } => Self::End,
            StoreOp::Escrow { owner, sibling, .. } => {
                Self::Escrow { owner: *owner, refresh: sibling.token.fingerprint }
            }
            StoreOp::Load { .. } => Self::Load,
            StoreOp::Pulse { alive, owner, .. } => Self::Pulse { alive: *alive, owner: *owner },
        }
    }

    /// Tells whether it may change which tokens are kept.
    pub(super) const fn moves_tokens(&self) -> bool {
        matches!(self, Self::Adopt { .. } | Self::Bury { .. } | Self::Commit { .. } | Self::End)
    }

    /// Tells whether a record at `generation`, in the answer to it, shows the process that the store has
    /// gone back: it is older than what the operation was about. What a process only reads, a replica
    /// may have answered; and what it has taken in since an operation left is newer than its answer.
    pub(in crate::simulation) fn heeds_older(&self, generation: Generation) -> bool {
        match self {
            Self::Adopt { .. } => true,
            Self::Arm { generation: of, .. } | Self::Commit { generation: of, .. } => {
                generation < *of
            }
            Self::Bury { .. }
            | Self::Disarm { .. }
            | Self::Due
            | Self::End
            | Self::Escrow { .. }
            | Self::Load
            | Self::Pulse { .. } => false,
        }
    }

    /// Returns the refresh token that the operation carries to the store.
    pub(in crate::simulation) const fn carries(&self) -> Option<Fingerprint> {
        match self {
            Self::Adopt { refresh } | Self::Commit { refresh, .. } => *refresh,
            Self::Escrow { refresh, .. } => Some(*refresh),
            Self::Arm { .. }
            | Self::Bury { .. }
            | Self::Disarm { .. }
            | Self::Due
            | Self::End
            | Self::Load
            | Self::Pulse { .. } => None,
        }
    }
}
