//! A record as columns.

use std::time::Duration;

use sr_auth_core::Fingerprint;
use sr_auth_core::store::{
    Generation, Intent, IntentId, OwnerId, Record, Refusals, Sibling, StoredToken,
};

use super::{Nonsense, health_of, ledger, renewal_of, timestamp, unsigned};
use crate::Sealed;

/// In the order in which [`read`] reads them. The script of Redis has the same list.
#[cfg(any(feature = "postgres", feature = "sqlite", test))]
pub(crate) const COLUMNS: [&str; 28] = [
    "renewal",
    "generation",
    "health",
    "not_before",
    "unsettled",
    "access_value",
    "access_fingerprint",
    "access_renew_at",
    "access_ends_at",
    "refresh_value",
    "refresh_fingerprint",
    "refresh_renew_at",
    "refresh_ends_at",
    "sibling_from",
    "sibling_value",
    "sibling_fingerprint",
    "sibling_renew_at",
    "sibling_ends_at",
    "intent_owner",
    "intent_number",
    "intent_fingerprint",
    "intent_attempt",
    "intent_armed_at",
    "intent_quiet",
    "refusals_count",
    "refusals_status",
    "refusals_first_at",
    "ledger",
];

/// The columns of a row, one after the other.
pub(crate) trait Fields {
    fn bytes(&mut self) -> Result<Option<Vec<u8>>, Nonsense>;
    fn number(&mut self) -> Result<Option<i64>, Nonsense>;
    fn text(&mut self) -> Result<String, Nonsense>;
}

/// Reads a record.
pub(crate) fn read(from: &mut impl Fields) -> Result<Record<Sealed>, Nonsense> {
    let renewal = renewal_of(&from.text()?)?;
    let generation = Generation::from_number(unsigned(some_number(from)?)?);
    let health = health_of(&from.text()?)?;
    let not_before = timestamp(some_number(from)?)?;
    let unsettled = small(some_number(from)?)?;
    let access = token(from)?;
    let refresh = token(from)?;
    let set_aside = from.number()?;
    let sibling = match (set_aside, token(from)?) {
        (Some(number), Some(token)) => {
            Some(Sibling { from: Generation::from_number(unsigned(number)?), token })
        }
        (None, None) => None,
        (Some(_), None) | (None, Some(_)) => return Err(Nonsense),
    };
    let intent = intent(from)?;
    let refusals = Refusals {
        count: small(some_number(from)?)?,
        status: small(some_number(from)?)?,
        first_at: timestamp(some_number(from)?)?,
    };
    let ledger = ledger::parse(&from.bytes()?.ok_or(Nonsense)?)?;
    Ok(Record {
        access,
        generation,
        health,
        intent,
        ledger,
        not_before,
        refresh,
        refusals,
        renewal,
        sibling,
        unsettled,
    })
}

fn some_number(from: &mut impl Fields) -> Result<i64, Nonsense> {
    from.number()?.ok_or(Nonsense)
}

fn small<T: TryFrom<i64>>(number: i64) -> Result<T, Nonsense> {
    T::try_from(number).map_err(|_| Nonsense)
}

fn fixed<const N: usize>(bytes: Option<Vec<u8>>) -> Result<Option<[u8; N]>, Nonsense> {
    bytes.map(|it| it.try_into().map_err(|_| Nonsense)).transpose()
}

fn token(from: &mut impl Fields) -> Result<Option<StoredToken<Sealed>>, Nonsense> {
    let (value, fingerprint) = (from.bytes()?, fixed(from.bytes()?)?);
    let (renew_at, ends_at) = (from.number()?, from.number()?);
    match (value, fingerprint, renew_at, ends_at) {
        (Some(value), Some(fingerprint), Some(renew_at), Some(ends_at)) => Ok(Some(StoredToken {
            ends_at: timestamp(ends_at)?,
            fingerprint: Fingerprint::from_bytes(fingerprint),
            renew_at: timestamp(renew_at)?,
            value: Sealed::from_bytes(value),
        })),
        (None, None, None, None) => Ok(None),
        (_, _, _, _) => Err(Nonsense),
    }
}

fn intent(from: &mut impl Fields) -> Result<Option<Intent>, Nonsense> {
    let owner = fixed(from.bytes()?)?;
    let number = from.number()?;
    let fingerprint = fixed(from.bytes()?)?;
    let attempt = from.number()?;
    let (armed_at, quiet) = (from.number()?, from.number()?);
    match (owner, number, attempt, armed_at, quiet) {
        (Some(owner), Some(number), Some(attempt), Some(armed_at), Some(quiet)) => {
            let owner = OwnerId::new(u128::from_be_bytes(owner));
            Ok(Some(Intent {
                armed_at: timestamp(armed_at)?,
                attempt: small(attempt)?,
                fingerprint: fingerprint.map(Fingerprint::from_bytes),
                id: IntentId { number: number.cast_unsigned(), owner },
                quiet: Duration::from_millis(unsigned(quiet)?),
            }))
        }
        (None, None, None, None, None) if fingerprint.is_none() => Ok(None),
        (_, _, _, _, _) => Err(Nonsense),
    }
}
