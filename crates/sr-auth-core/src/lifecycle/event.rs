//! What a lifecycle tells: for logs, metrics and people. No event carries a secret.

use crate::store::{CauseOfDeath, End, Generation, Health};
use crate::{ErrorCode, Fingerprint, Timestamp};

use super::Blame;

/// Something worth telling about one grant.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Event {
    /// A new consent or an import is durable.
    Adopted {
        /// Its generation.
        generation: Generation,
    },
    /// The application itself was refused, not the grant.
    ApplicationRefused {
        /// What the server said.
        code: ErrorCode,
    },
    /// A successor is in memory because the store did not take it; it is offered again and again.
    CommitDelayed {
        /// The generation whose successor it is.
        generation: Generation,
    },
    /// Verified dead.
    Died {
        /// Why.
        cause: CauseOfDeath,
        /// The generation that was refused.
        generation: Generation,
    },
    /// A refresh token nears the end of its 28 days: 85 % of them are over, or 95 %.
    Dying {
        /// When it ends.
        ends_at: Timestamp,
        /// How much of its life is over, in percent.
        percent: u8,
    },
    /// Ended on purpose, durably.
    Ended {
        /// Which end.
        end: End,
    },
    /// The outcome of a presentation is unknown.
    InDoubt {
        /// What happened.
        blame: Blame,
        /// The generation that was presented.
        generation: Generation,
        /// Nobody presents before this moment.
        quiet_until: Timestamp,
    },
    /// A success brought no successor.
    LastLeg {
        /// The generation.
        generation: Generation,
    },
    /// The API refuses access tokens that were just issued: renewing does not help.
    PersistentlyRejected {
        /// The token.
        fingerprint: Fingerprint,
    },
    /// A presentation begins.
    Presenting {
        /// 1, or more when earlier presentations of the same token were in doubt.
        attempt: u32,
        /// The generation.
        generation: Generation,
    },
    /// A renewal failed, and nothing was spent.
    RenewalFailed {
        /// Why.
        blame: Blame,
        /// When it is tried again at the earliest.
        retry_at: Timestamp,
    },
    /// The request was refused as it stands: a setting is wrong.
    RequestRefused {
        /// What the server said.
        code: ErrorCode,
    },
    /// New tokens are durable.
    Rotated {
        /// The generation now.
        generation: Generation,
        /// The new refresh token; `None` for client credentials.
        refresh: Option<Fingerprint>,
    },
    /// A success could not be read, but its refresh token was found in it.
    Salvaged {
        /// The generation whose successor it is.
        generation: Generation,
    },
    /// The store was behind this process, as after the restoration of a backup.
    StoreBehind {
        /// The generation that this process holds.
        held: Generation,
        /// The generation that the store holds.
        stored: Generation,
    },
    /// A successor came too late for the record and was put aside.
    SuccessorEscrowed {
        /// The generation whose successor it is.
        from: Generation,
    },
    /// A successor is of no use any more: its grant was ended on purpose meanwhile.
    SuccessorOutlived {
        /// The generation whose successor it is.
        from: Generation,
    },
    /// A refusal was not believed yet.
    Suspected {
        /// How often in a row.
        count: u32,
        /// When it is presented again at the earliest.
        retry_at: Timestamp,
    },
    /// Somebody else's change was taken over.
    TakenOver {
        /// The generation now.
        generation: Generation,
        /// The health now.
        health: Health,
    },
}
