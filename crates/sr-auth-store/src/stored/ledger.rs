//! A ledger as bytes: 50 for each entry, the oldest first.
//!
//! A table of its own would cost a page more for every operation.

use sr_auth_core::store::{CauseOfDeath, End, Generation, LedgerEntry, LedgerEvent, OwnerId};
use sr_auth_core::{Fingerprint, Timestamp};

use super::Nonsense;

/// Event, flags, moment, generation, fingerprint, owner.
const LENGTH: usize = 1 + 1 + 8 + 8 + 16 + 16;
const HAS_FINGERPRINT: u8 = 1;
const HAS_OWNER: u8 = 2;

/// Servers write ledgers themselves.
#[cfg(any(feature = "sqlite", test))]
pub(crate) fn to_bytes(ledger: &[LedgerEntry]) -> Result<Vec<u8>, Nonsense> {
    let mut bytes = Vec::with_capacity(ledger.len() * LENGTH);
    for entry in ledger {
        let flag = |is_there, flag| if is_there { flag } else { 0 };
        let flags = flag(entry.fingerprint.is_some(), HAS_FINGERPRINT)
            | flag(entry.owner.is_some(), HAS_OWNER);
        bytes.extend([code_of(entry.event)?, flags]);
        bytes.extend(entry.at.as_unix_millis().to_be_bytes());
        bytes.extend(entry.generation.number().to_be_bytes());
        bytes.extend(entry.fingerprint.map_or([0; 16], |it| *it.as_bytes()));
        bytes.extend(entry.owner.map_or(0, OwnerId::number).to_be_bytes());
    }
    Ok(bytes)
}

pub(crate) fn parse(bytes: &[u8]) -> Result<Vec<LedgerEntry>, Nonsense> {
    let (entries, []) = bytes.as_chunks::<LENGTH>() else { return Err(Nonsense) };
    entries.iter().map(|it| entry(it).ok_or(Nonsense)).collect()
}

fn entry(bytes: &[u8; LENGTH]) -> Option<LedgerEntry> {
    let ([event, flags], rest) = bytes.split_first_chunk()?;
    let (at, rest) = rest.split_first_chunk()?;
    let (generation, rest) = rest.split_first_chunk()?;
    let (fingerprint, owner) = rest.split_first_chunk()?;
    let owner = u128::from_be_bytes(*owner.first_chunk()?);
    let has_fingerprint = flags & HAS_FINGERPRINT != 0;
    Some(LedgerEntry {
        at: Timestamp::from_unix_millis(u64::from_be_bytes(*at)),
        event: event_of(*event)?,
        fingerprint: has_fingerprint.then(|| Fingerprint::from_bytes(*fingerprint)),
        generation: Generation::from_number(u64::from_be_bytes(*generation)),
        owner: (flags & HAS_OWNER != 0).then(|| OwnerId::new(owner)),
    })
}

/// The events and their numbers, which are never given anew.
const EVENTS: [(LedgerEvent, u8); 10] = [
    (LedgerEvent::Adopted, 1),
    (LedgerEvent::Buried(CauseOfDeath::Expired), 2),
    (LedgerEvent::Buried(CauseOfDeath::LostInRotation), 3),
    (LedgerEvent::Buried(CauseOfDeath::RefusedByServer), 4),
    (LedgerEvent::Buried(CauseOfDeath::Unrecognised), 5),
    (LedgerEvent::Ended(End::Disabled), 6),
    (LedgerEvent::Ended(End::Revoked), 7),
    (LedgerEvent::Escrowed, 8),
    (LedgerEvent::Rotated, 9),
    (LedgerEvent::TakenOver, 10),
];

/// Returns the number of an event.
pub(crate) fn code_of(event: LedgerEvent) -> Result<u8, Nonsense> {
    let row = EVENTS.iter().find(|(it, _)| *it == event);
    row.map(|(_, code)| *code).ok_or(Nonsense)
}

fn event_of(code: u8) -> Option<LedgerEvent> {
    EVENTS.iter().find(|(_, it)| *it == code).map(|(event, _)| *event)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ledger_is_read_as_it_was_written() {
        let entry = |(at, (event, _)): (u64, (LedgerEvent, u8))| LedgerEntry {
            at: Timestamp::from_unix_millis(at),
            event,
            fingerprint: (at % 2 == 0).then(|| Fingerprint::from_bytes([7; 16])),
            generation: Generation::from_number(at + 1),
            owner: (at % 3 == 0).then(|| OwnerId::new(u128::MAX - u128::from(at))),
        };
        let ledger: Vec<_> = (0..).zip(EVENTS).map(entry).collect();
        let bytes = to_bytes(&ledger).unwrap();
        assert_eq!(bytes.len(), EVENTS.len() * LENGTH);
        assert_eq!(parse(&bytes).unwrap(), ledger);
        assert!(parse(&[]).unwrap().is_empty());
        for (name, at, byte) in [("an event that is none", 0, 99), ("an event 0", 0, 0)] {
            let mut bytes = bytes.clone();
            bytes[at] = byte;
            assert!(parse(&bytes).is_err(), "{name}");
        }
        assert!(parse(&bytes[1..]).is_err(), "cut");
    }
}
