//! What backends with rows have in common: how the parts of a record are kept.
//!
//! ```text
//!  call    an operation as a name and a list of values
//!  record  a record as columns
//!  ledger  its ledger as bytes
//!  partner/ the same for integrations
//! ```

#[cfg(any(feature = "postgres", feature = "redis"))]
pub(crate) mod call;
pub(crate) mod ledger;
#[cfg(feature = "partner")]
pub(crate) mod partner;
pub(crate) mod record;

use std::time::Duration;

use sr_auth_core::Timestamp;
#[cfg(any(feature = "postgres", feature = "redis"))]
use sr_auth_core::store::Record;
use sr_auth_core::store::{CauseOfDeath, Health, Renewal};

#[cfg(any(feature = "postgres", feature = "redis"))]
use crate::Sealed;

/// Something stands there that no version of this software wrote.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Nonsense;

/// A number in a column. Those beyond its range are the last one, for ever out of reach.
pub(crate) fn number(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

pub(crate) fn unsigned(number: i64) -> Result<u64, Nonsense> {
    match u64::try_from(number) {
        Ok(number) if number == i64::MAX.cast_unsigned() => Ok(u64::MAX),
        Ok(number) => Ok(number),
        Err(_) => Err(Nonsense),
    }
}

/// A moment in a column, in milliseconds.
pub(crate) fn moment(moment: Timestamp) -> i64 {
    number(moment.as_unix_millis())
}

pub(crate) fn timestamp(millis: i64) -> Result<Timestamp, Nonsense> {
    unsigned(millis).map(Timestamp::from_unix_millis)
}

pub(crate) fn millis(span: Duration) -> i64 {
    i64::try_from(span.as_millis()).unwrap_or(i64::MAX)
}

/// Until when nobody may arm over an intent whose owner was last seen then: after the quiet period,
/// and not before the owner has been silent for as long.
#[cfg(any(feature = "postgres", feature = "redis"))]
pub(crate) fn busy_until(record: &Record<Sealed>, seen: Option<Timestamp>) -> Option<Timestamp> {
    let intent = record.intent.as_ref()?;
    let last_seen = seen.map_or(intent.armed_at, |seen| seen.max(intent.armed_at));
    Some(last_seen.after(intent.quiet))
}

pub(crate) const fn renewal_name(renewal: Renewal) -> &'static str {
    match renewal {
        Renewal::Repeatable => "repeatable",
        Renewal::SingleUse => "single_use",
    }
}

pub(crate) fn renewal_of(name: &str) -> Result<Renewal, Nonsense> {
    match name {
        "repeatable" => Ok(Renewal::Repeatable),
        "single_use" => Ok(Renewal::SingleUse),
        _ => Err(Nonsense),
    }
}

const HEALTHS: [(Health, &str); 9] = [
    (Health::Dead(CauseOfDeath::Expired), "dead: expired"),
    (Health::Dead(CauseOfDeath::LostInRotation), "dead: lost_in_rotation"),
    (Health::Dead(CauseOfDeath::RefusedByServer), "dead: refused_by_server"),
    (Health::Dead(CauseOfDeath::Unrecognised), "dead: unrecognised"),
    (Health::Disabled, "disabled"),
    (Health::LastLeg, "last_leg"),
    (Health::Live, "live"),
    (Health::Revoked, "revoked"),
    (Health::Suspect, "suspect"),
];

pub(crate) fn health_name(health: Health) -> Result<&'static str, Nonsense> {
    let row = HEALTHS.iter().find(|(it, _)| *it == health);
    row.map(|(_, name)| *name).ok_or(Nonsense)
}

pub(crate) fn health_of(name: &str) -> Result<Health, Nonsense> {
    let row = HEALTHS.iter().find(|(_, it)| *it == name);
    row.map(|(health, _)| *health).ok_or(Nonsense)
}
