//! The operations of a store and their answers, as values.

use std::time::Duration;

use super::record::{
    CauseOfDeath, End, Generation, GrantKey, Health, IntentId, OwnerId, Record, Refusals, Renewal,
    Sibling, StoredToken,
};
use crate::{Fingerprint, Timestamp};

/// One atomic step of a store.
///
/// Each may be repeated after an answer that was lost: the second time changes nothing more, and
/// answers as the first would have. A repeat of `Commit` or `Escrow` brings the same tokens, and
/// they are kept as it brings them: so they can be sealed anew.
#[derive(Clone, Debug, Eq, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "a backend that skips an operation is broken")]
pub enum StoreOp<V> {
    /// Takes in a new grant, over whatever is there: a new consent, an import. If the refresh token
    /// that is there may still be presented and ends later, it was given later: the record stays as
    /// it is, and is the answer, [`StoreOutcome::Moved`]. Or founds a lost one anew, where nothing
    /// is there: of two processes that do so at once, the second is shown what the first has
    /// written, and decides by it.
    Adopt {
        /// The grant.
        grant: NewGrant<V>,
        /// Its key.
        key: GrantKey,
        /// Whether a record that is there stays as it is, and is the answer:
        /// [`StoreOutcome::Moved`].
        only_if_missing: bool,
    },
    /// Writes an intent, so that a presentation may begin.
    Arm {
        /// The generation that is presented.
        generation: Generation,
        /// The intent.
        intent: NewIntent,
        /// The grant.
        key: GrantKey,
        /// The intent that it replaces, if it does.
        over: Option<TakeOver>,
    },
    /// Declares a grant dead, unless it has moved on. The generation stays, so that a late commit
    /// can still prove the verdict wrong.
    Bury {
        /// Why.
        cause: CauseOfDeath,
        /// The generation that was refused.
        generation: Generation,
        /// The grant.
        key: GrantKey,
        /// Who found it.
        owner: OwnerId,
        /// The refresh token that was refused: a record that was founded anew counts its
        /// generations from the beginning, and the same number may be another token's.
        refused: Option<Fingerprint>,
    },
    /// Replaces the tokens, if the record is still at `generation`. Nothing else is asked of a
    /// successor; where there is none, and the token on its last leg is under another process's
    /// intent, the answer is [`StoreOutcome::Moved`] as well.
    Commit {
        /// The generation whose successor this is.
        generation: Generation,
        /// The grant.
        key: GrantKey,
        /// Who rotated.
        owner: OwnerId,
        /// The new tokens.
        successor: Successor<V>,
    },
    /// Removes an intent whose presentation did not happen, or was refused without being counted.
    Disarm {
        /// The intent.
        intent: IntentId,
        /// The grant.
        key: GrantKey,
        /// Nobody presents before this moment.
        not_before: Timestamp,
        /// The refusals that were not believed, this one included. They make a grant suspect.
        refusals: Refusals,
    },
    /// Lists grants that want to be looked at, the most urgent first.
    Due {
        /// At most this many.
        limit: usize,
        /// Those that are due by this moment.
        until: Timestamp,
    },
    /// Ends a grant on purpose: its tokens are gone, and the generation moves on.
    End {
        /// Which end.
        end: End,
        /// Only this generation, or whichever it is.
        generation: Option<Generation>,
        /// The grant.
        key: GrantKey,
    },
    /// Puts a successor aside that can no longer be committed. Of two that follow one generation, the
    /// one that ends later is kept.
    Escrow {
        /// The grant.
        key: GrantKey,
        /// Who holds it.
        owner: OwnerId,
        /// The successor.
        sibling: Sibling<V>,
    },
    /// Reads a record.
    Load {
        /// The grant.
        key: GrantKey,
    },
    /// Reads what every process has to know, and shows that this one lives.
    Pulse {
        /// Whether an intent of ours stands, so that a sign of life has to be written.
        alive: bool,
        /// Who asks.
        owner: OwnerId,
        /// The changes after this one are told.
        since: Sequence,
    },
}

/// A grant as it comes from a consent or an import.
#[derive(Clone, Debug, Eq, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "backends write and read every field")]
pub struct NewGrant<V> {
    /// The access token, if there is one already.
    pub access: Option<StoredToken<V>>,
    /// The refresh token, if the grant has one.
    pub refresh: Option<StoredToken<V>>,
    /// How it gets its next access token.
    pub renewal: Renewal,
}

/// An intent that is about to be written.
#[derive(Clone, Debug, Eq, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "backends write and read every field")]
pub struct NewIntent {
    /// The refresh token that will be presented.
    pub fingerprint: Option<Fingerprint>,
    /// Its name.
    pub id: IntentId,
    /// How long nobody else may present.
    pub quiet: Duration,
}

/// An intent that is replaced because its presentation is over, one way or the other.
///
/// Only after its quiet period. Its own process needs nothing else; another waits until the process
/// has shown no sign of life for as long.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "backends write and read every field")]
pub struct TakeOver {
    /// Whether a process that still shows signs of life is passed over.
    pub even_if_alive: bool,
    /// The intent.
    pub intent: IntentId,
}

/// The tokens that a presentation brought.
#[derive(Clone, Debug, Eq, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "backends write and read every field")]
pub struct Successor<V> {
    /// The access token.
    pub access: Option<StoredToken<V>>,
    /// The next refresh token; `None` keeps the old one for its last leg.
    pub refresh: Option<StoredToken<V>>,
}

/// Counts the changes of a store. A store that answers with a lower number than it once did has
/// been restored from a backup.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[expect(clippy::exhaustive_structs, reason = "a number with a name")]
pub struct Sequence(pub u64);

/// Names a store from its creation on: random. Another identity is another store.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "a number with a name")]
pub struct StoreIdentity(pub u128);

/// What a store answers, and the time by its clock, which all processes share.
#[derive(Clone, Debug, Eq, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "taken apart by every machine")]
pub struct StoreAnswer<V> {
    /// The store's clock when the operation was carried out.
    pub now: Timestamp,
    /// What came of it.
    pub outcome: StoreOutcome<V>,
}

/// What came of an operation.
#[derive(Clone, Debug, Eq, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "a machine that skips an outcome is broken")]
pub enum StoreOutcome<V> {
    /// The record after the change: `Adopt`, `Bury`, `Commit`, `Disarm`, `End`, `Escrow`.
    Done(Record<V>),
    /// The intent stands: the presentation may begin.
    Armed(Record<V>),
    /// Another intent stands, and its quiet period or its owner's life is not over.
    Busy {
        /// The record, with that intent.
        record: Record<V>,
        /// Before this moment, nobody may arm over it.
        until: Timestamp,
    },
    /// The keys that are due.
    Due(Vec<GrantKey>),
    /// The grant has ended or is dead.
    Ended(Record<V>),
    /// `Load`: what is there.
    Loaded(Record<V>),
    /// There is no such grant.
    Missing,
    /// The record is at another generation, or has what must not be written over.
    Moved(Record<V>),
    /// Nobody presents before this moment.
    NotDue {
        /// The record.
        record: Record<V>,
        /// That moment.
        until: Timestamp,
    },
    /// What every process has to know.
    Pulse(Pulse),
}

impl<V> StoreOp<V> {
    /// Returns the grant that it is about; `None` for what is about the whole store.
    #[must_use]
    pub const fn key(&self) -> Option<&GrantKey> {
        match self {
            Self::Adopt { key, .. }
            | Self::Arm { key, .. }
            | Self::Bury { key, .. }
            | Self::Commit { key, .. }
            | Self::Disarm { key, .. }
            | Self::End { key, .. }
            | Self::Escrow { key, .. }
            | Self::Load { key } => Some(key),
            Self::Due { .. } | Self::Pulse { .. } => None,
        }
    }

    /// Returns the name of the operation, for logs.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Adopt { .. } => "Adopt",
            Self::Arm { .. } => "Arm",
            Self::Bury { .. } => "Bury",
            Self::Commit { .. } => "Commit",
            Self::Disarm { .. } => "Disarm",
            Self::Due { .. } => "Due",
            Self::End { .. } => "End",
            Self::Escrow { .. } => "Escrow",
            Self::Load { .. } => "Load",
            Self::Pulse { .. } => "Pulse",
        }
    }
}

impl<V> StoreOutcome<V> {
    /// Returns the name of the outcome, for logs.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Armed(_) => "Armed",
            Self::Busy { .. } => "Busy",
            Self::Done(_) => "Done",
            Self::Due(_) => "Due",
            Self::Ended(_) => "Ended",
            Self::Loaded(_) => "Loaded",
            Self::Missing => "Missing",
            Self::Moved(_) => "Moved",
            Self::NotDue { .. } => "NotDue",
            Self::Pulse(_) => "Pulse",
        }
    }
}

/// What has happened in a store since the last look.
#[derive(Clone, Debug, Eq, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "taken apart by the fleet")]
pub struct Pulse {
    /// What moved or ended, the oldest first; cut at a limit, so ask again from the last one.
    pub changes: Vec<Change>,
    /// How many processes have shown a sign of life lately, the asking one included: each may use
    /// that part of the token endpoint's budget.
    pub processes: u32,
    /// The newest change of the store.
    pub sequence: Sequence,
    /// Which store it is.
    pub store: StoreIdentity,
}

/// One change of one grant.
#[derive(Clone, Debug, Eq, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "taken apart by the fleet")]
pub struct Change {
    /// Its generation now.
    pub generation: Generation,
    /// Its health now.
    pub health: Health,
    /// The grant.
    pub key: GrantKey,
    /// Which process changed it; `None` for an administrator or a new consent.
    pub owner: Option<OwnerId>,
    /// The number of the change.
    pub sequence: Sequence,
}
