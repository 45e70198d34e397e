//! The access token: what may be served, and whether a renewal is wanted.
//!
//! ```text
//!             renew_at        ends_at
//!  ── Fresh ─────┴──── Due ──────┴──── Expired         Rejected: the API said 401 to this one
//!                                                      Absent: there is none
//! ```
//!
//! Computed from what is held and the time, so it cannot be out of date.

use super::held::{Held, fingerprint};
use super::{Event, Margins};
use crate::store::{Health, Renewal};
use crate::{Fingerprint, Timestamp};

/// What an access token is good for.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "every state of a token is decided about")]
pub enum Access {
    /// There is none.
    Absent,
    /// Good, and it wants to be replaced.
    Due,
    /// Past its end.
    Expired,
    /// Good.
    Fresh,
    /// The API refused it.
    Rejected,
}

impl Access {
    pub(crate) fn of(held: Option<&Held>, now: Timestamp) -> Self {
        let Some(held) = held else { return Self::Absent };
        match held.access.as_deref() {
            None => Self::Absent,
            Some(_) if held.rejected => Self::Rejected,
            Some(token) if now >= token.ends_at => Self::Expired,
            Some(token) if now >= token.renew_at => Self::Due,
            Some(_) => Self::Fresh,
        }
    }

    /// Tells whether the token may be handed out.
    #[must_use]
    pub const fn is_good(self) -> bool {
        matches!(self, Self::Due | Self::Fresh)
    }
}

/// How much a renewal is wanted, from the least to the most.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[expect(clippy::exhaustive_enums, reason = "admission decides about each")]
pub enum Wanted {
    /// Nobody asks: the refresh token must not end unused.
    KeepAlive,
    /// Somebody asks, and the access token is good for a while.
    Soft,
    /// Somebody asks, and the access token is about to end.
    Expiring,
    /// Somebody waits.
    Interactive,
}

/// Returns how much a caller who asks now wants a renewal; `None` when there is no need of one.
pub(super) fn wanted(held: Option<&Held>, now: Timestamp, margins: &Margins) -> Option<Wanted> {
    match Access::of(held, now) {
        Access::Fresh => None,
        Access::Due => {
            let ends_at = held.and_then(|it| it.access.as_deref()).map(|it| it.ends_at);
            let left = ends_at.unwrap_or(now).since(now);
            Some(if left <= margins.quiet() { Wanted::Expiring } else { Wanted::Soft })
        }
        Access::Absent | Access::Expired | Access::Rejected => Some(Wanted::Interactive),
    }
}

/// Notes that the API refused a token; says so when renewing does not help.
pub(super) fn reject(held: &mut Held, of: Fingerprint, now: Timestamp) -> Option<Event> {
    if fingerprint(held.access.as_deref()) != Some(of) || held.rejected {
        // A late 401 for a token that was replaced, or one that is known.
        return None;
    }
    let is_fresh = held.is_fresh(now);
    match (held.rejections, is_fresh) {
        // It has been told: this token stays until its time, however often it is rejected.
        (Held::REJECTED_FOR_GOOD.., _) => return None,
        (_, false) => held.rejections = 0,
        (0, true) => held.rejections = 1,
        (_, true) => {
            held.rejections = Held::REJECTED_FOR_GOOD;
            return Some(Event::PersistentlyRejected { fingerprint: of });
        }
    }
    held.rejected = true;
    None
}

/// Tells whether nothing has to be renewed at `now`, whoever asks.
pub(super) fn is_satisfied(held: &Held, health: Health, renewal: Renewal, now: Timestamp) -> bool {
    let keeps = renewal == Renewal::Repeatable
        || health == Health::LastLeg
        || held.refresh().is_none_or(|it| now < it.renew_at);
    keeps && Access::of(Some(held), now) == Access::Fresh
}
