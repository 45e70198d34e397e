//! The states of a grant and what happened to it, in words for people and names for programs.

use sr_auth_core::lifecycle::Cause;
use sr_auth_core::store::{CauseOfDeath, End, Health, LedgerEvent, Record};
use sr_auth_store::Sealed;

use crate::exit::{Exit, Failure};

/// Says how a grant is.
pub(super) fn state(record: &Record<Sealed>) -> String {
    match record.health {
        Health::Dead(cause) => format!("dead: {}", Cause::Dead(cause)),
        Health::Disabled => format!("ended: {}", Cause::Ended(End::Disabled)),
        Health::LastLeg => {
            "on its last leg: the last renewal brought no refresh token; the old one is presented \
             once more when the access token has ended"
                .to_owned()
        }
        Health::Live => "live".to_owned(),
        Health::Revoked => "ended: somebody has logged out".to_owned(),
        Health::Suspect => format!(
            "in doubt: the server refuses the refresh token (status {}, {} times), and the refusal \
             is not believed yet",
            record.refusals.status, record.refusals.count
        ),
    }
}

/// Names how a grant is.
pub(super) const fn state_name(health: Health) -> &'static str {
    match health {
        Health::Dead(_) => "dead",
        Health::Disabled => "disabled",
        Health::LastLeg => "last_leg",
        Health::Live => "live",
        Health::Revoked => "revoked",
        Health::Suspect => "suspect",
    }
}

/// Names why a grant died.
pub(super) const fn cause_name(cause: CauseOfDeath) -> &'static str {
    match cause {
        CauseOfDeath::Expired => "expired",
        CauseOfDeath::LostInRotation => "lost_in_rotation",
        CauseOfDeath::RefusedByServer => "refused_by_server",
        CauseOfDeath::Unrecognised => "unrecognised",
        // A cause that is newer than this program.
        _ => "other",
    }
}

/// Says what happened.
pub(super) const fn event(event: LedgerEvent) -> &'static str {
    match event {
        LedgerEvent::Adopted => "stored after a consent",
        LedgerEvent::Buried(CauseOfDeath::Expired) => "found dead: expired",
        LedgerEvent::Buried(CauseOfDeath::LostInRotation) => "found dead: lost in rotation",
        LedgerEvent::Buried(CauseOfDeath::RefusedByServer) => "found dead: refused by the server",
        LedgerEvent::Buried(CauseOfDeath::Unrecognised) => "found dead: refused for a day",
        LedgerEvent::Buried(_) => "found dead",
        LedgerEvent::Ended(end) => match end {
            End::Disabled => "disabled",
            End::Revoked => "logged out",
        },
        LedgerEvent::Escrowed => "a late successor put aside",
        LedgerEvent::Rotated => "rotated",
        LedgerEvent::TakenOver => "presented again after a quiet period",
        // An event that is newer than this program.
        _ => "something newer than this program",
    }
}

/// Names what happened.
pub(super) const fn event_name(event: LedgerEvent) -> &'static str {
    match event {
        LedgerEvent::Adopted => "adopted",
        LedgerEvent::Buried(_) => "buried",
        LedgerEvent::Ended(_) => "ended",
        LedgerEvent::Escrowed => "escrowed",
        LedgerEvent::Rotated => "rotated",
        LedgerEvent::TakenOver => "taken_over",
        _ => "other",
    }
}

/// Says that a grant brings no tokens any more; `None` while it does.
pub(super) fn failure(record: &Record<Sealed>) -> Option<Failure> {
    let (code, cause) = match record.health {
        Health::Dead(cause) => (code_of(cause), Cause::Dead(cause)),
        Health::Disabled => ("sr_auth::ended::disabled", Cause::Ended(End::Disabled)),
        Health::Revoked => ("sr_auth::ended::revoked", Cause::Ended(End::Revoked)),
        Health::LastLeg | Health::Live | Health::Suspect => return None,
    };
    let advice = "log in again with `sr-auth login`";
    Some(Failure::new(Exit::Refused, code, cause.to_string(), advice))
}

const fn code_of(cause: CauseOfDeath) -> &'static str {
    match cause {
        CauseOfDeath::Expired => "sr_auth::dead::expired",
        CauseOfDeath::LostInRotation => "sr_auth::dead::lost_in_rotation",
        CauseOfDeath::RefusedByServer => "sr_auth::dead::refused_by_server",
        CauseOfDeath::Unrecognised => "sr_auth::dead::unrecognised",
        _ => "sr_auth::dead",
    }
}
