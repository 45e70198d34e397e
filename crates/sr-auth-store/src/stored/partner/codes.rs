//! Values and their numbers, which are never given anew.

use sr_partner::store::{EndCause, IntegrationEvent, Verified};

use crate::stored::Nonsense;

/// A value in each row, and what stands for it.
pub(crate) type Codes<T, const N: usize> = [(T, u8); N];

pub(crate) const CAUSES: Codes<EndCause, 3> =
    [(EndCause::Disabled, 1), (EndCause::Refused, 2), (EndCause::Revoked, 3)];

pub(crate) const EVENTS: Codes<IntegrationEvent, 9> = [
    (IntegrationEvent::Armed, 1),
    (IntegrationEvent::Begun, 2),
    (IntegrationEvent::Bound(Verified::ByOwner), 3),
    (IntegrationEvent::Bound(Verified::ByProbe), 4),
    (IntegrationEvent::Ended(EndCause::Disabled), 5),
    (IntegrationEvent::Ended(EndCause::Refused), 6),
    (IntegrationEvent::Ended(EndCause::Revoked), 7),
    (IntegrationEvent::Integrated, 8),
    (IntegrationEvent::Voided, 9),
];

pub(crate) const VERIFIED: Codes<Verified, 2> = [(Verified::ByOwner, 1), (Verified::ByProbe, 2)];

/// Returns what stands for a value.
pub(crate) fn code_of<T: Copy + PartialEq, const N: usize>(
    codes: &Codes<T, N>,
    value: T,
) -> Result<u8, Nonsense> {
    let row = codes.iter().find(|(it, _)| *it == value);
    row.map(|(_, code)| *code).ok_or(Nonsense)
}

/// Returns the value that this stands for.
pub(crate) fn value_of<T: Copy, const N: usize>(
    codes: &Codes<T, N>,
    code: u8,
) -> Result<T, Nonsense> {
    let row = codes.iter().find(|(_, it)| *it == code);
    row.map(|(value, _)| *value).ok_or(Nonsense)
}
