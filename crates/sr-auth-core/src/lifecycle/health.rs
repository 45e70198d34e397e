//! Whether a grant can bring tokens: who may end it, what revives it, and what a caller is told.
//!
//! ```text
//!  Live ── no successor came ──▶ LastLeg ── a rotation ──▶ Live
//!    │ ── a refusal that is not believed ──▶ Suspect ── a rotation ──▶ Live
//!    │ ── a verified refusal ──▶ Dead ── a late commit, a new consent ──▶ Live
//!    └── on purpose ──▶ Revoked, Disabled ── a new consent ──▶ Live
//! ```
//!
//! No clock, no refused application, no 5xx, no silence and no store ends a grant.

use super::context::Knowledge;
use super::{Access, Cause, Event, Margins, Wanted, access};
use crate::Timestamp;
use crate::store::{End, Health, Renewal};

/// How much of a refresh token's life is over when people are warned, in percent.
const WARNINGS: [u8; 2] = [85, 95];

/// Returns why a grant cannot bring an access token, whatever its renewal does.
pub(super) fn obstacle(known: &Knowledge) -> Option<Cause> {
    if known.missing && known.renewal == Renewal::SingleUse {
        return Some(Cause::Missing);
    }
    match known.health {
        Health::Dead(cause) => Some(Cause::Dead(cause)),
        Health::Disabled => Some(Cause::Ended(End::Disabled)),
        Health::Revoked => Some(Cause::Ended(End::Revoked)),
        Health::LastLeg | Health::Live | Health::Suspect => {
            let held = known.held.as_ref()?;
            let has_none = held.refresh().is_none() && known.affairs().successor.is_none();
            (has_none && known.renewal == Renewal::SingleUse).then_some(Cause::NotRenewable)
        }
    }
}

/// Decides whether a renewal is wanted still, or already.
pub(super) fn judge(now: Timestamp, known: &mut Knowledge, margins: &Margins) {
    if obstacle(known).is_some() {
        known.wanted = None;
        return;
    }
    let Some(held) = known.held.as_ref() else { return };
    if access::is_satisfied(held, known.health, known.renewal, now) {
        known.wanted = None;
    }
    let is_good = Access::of(Some(held), now).is_good();
    if is_good && known.wanted == Some(Wanted::Interactive) {
        // The record that was read has a token: nobody waits.
        known.wanted = access::wanted(Some(held), now, margins);
    }
    if !is_good && known.health == Health::LastLeg {
        // Its time has come: nothing is waited for any more.
        known.wanted = known.wanted.and(Some(Wanted::Interactive));
    }
    let is_old = held.refresh().is_some_and(|it| now >= it.renew_at);
    if is_old && known.health != Health::LastLeg && known.renewal == Renewal::SingleUse {
        known.wanted = known.wanted.max(Some(Wanted::KeepAlive));
    }
}

/// Tells whether the one presentation of a last leg has its time: when nothing can be lost by it.
pub(super) fn may_present_now(now: Timestamp, known: &Knowledge) -> bool {
    let is_good = Access::of(known.held.as_ref(), now).is_good();
    known.health.may_present() && !(known.health == Health::LastLeg && is_good)
}

/// Returns the next warning about the age of the refresh token, and its moment.
pub(super) fn next_warning(known: &Knowledge) -> Option<(Timestamp, Event)> {
    let held = known.held.as_ref()?;
    let token = held.refresh().filter(|_| known.health.may_present())?;
    let percent = WARNINGS.into_iter().find(|it| *it > held.warned)?;
    let left = crate::RefreshToken::LIFE / 100 * u32::from(100 - percent);
    let event = Event::Dying { ends_at: token.ends_at, percent };
    Some((token.ends_at.before(left), event))
}
