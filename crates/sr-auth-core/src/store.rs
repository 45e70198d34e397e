//! Where grants rest: records, the operations on them, and what those mean.
//!
//! An operation is one atomic step of a store; a backend carries it out, the [`Model`] says what it
//! has to do. `V` is how a token is kept: [`Secret`](crate::Secret) in machines, something sealed in
//! backends, so that a backend cannot see a secret.
//!
//! # The three rules
//!
//! 1. **Intent gives safety.** No refresh token leaves before its process wrote, durably, an
//!    [`Intent`] that names its fingerprint ([`StoreOp::Arm`]).
//! 2. **Quiet gives take-over.** An intent stands until its owner removes it. Another arms over it
//!    only when its quiet period is over and its owner has shown no sign of life for as long; the
//!    owner itself, when the quiet period is over.
//! 3. **Generation gives order.** Whoever holds the successor of generation *n* may commit while
//!    the record is at *n*, however late, even over an inferred death ([`StoreOp::Commit`]).
//!
//! There is no lease, no lock and no epoch: a commit that is fenced by one throws away the only
//! valid refresh token whenever its owner was merely slow.

mod hold;
mod model;
mod operation;
mod record;

pub use hold::{Hold, HoldScope, Holds};
pub use model::Model;
pub use operation::{
    Change, NewGrant, NewIntent, Pulse, Sequence, StoreAnswer, StoreIdentity, StoreOp,
    StoreOutcome, Successor, TakeOver,
};
pub use record::{
    CauseOfDeath, End, Generation, GrantKey, Health, Intent, IntentId, LedgerEntry, LedgerEvent,
    OwnerId, Record, Refusals, Renewal, Sibling, StoredToken,
};
