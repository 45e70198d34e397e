//! What the script returned.

use ::redis::Value;
use sr_auth_core::Timestamp;
use sr_auth_core::store::{
    Change, Generation, GrantKey, OwnerId, Pulse, Sequence, StoreAnswer, StoreIdentity, StoreOp,
    StoreOutcome,
};

use crate::Sealed;
use crate::stored::record::{self, Fields};
use crate::stored::{Nonsense, busy_until, health_of, timestamp, unsigned};

/// Reads the answer to an operation.
pub(super) fn read(op: &StoreOp<Sealed>, value: Value) -> Result<StoreAnswer<Sealed>, Nonsense> {
    let mut from = Reader::of(value)?;
    let outcome = from.text()?;
    let now = from.moment()?.ok_or(Nonsense)?;
    let outcome = match op {
        StoreOp::Due { .. } => StoreOutcome::Due(due(from.sublist()?)?),
        StoreOp::Pulse { .. } => StoreOutcome::Pulse(pulse(from)?),
        StoreOp::Adopt { .. }
        | StoreOp::Arm { .. }
        | StoreOp::Bury { .. }
        | StoreOp::Commit { .. }
        | StoreOp::Disarm { .. }
        | StoreOp::End { .. }
        | StoreOp::Escrow { .. }
        | StoreOp::Load { .. } => of_grant(&outcome, from)?,
    };
    Ok(StoreAnswer { now, outcome })
}

fn of_grant(outcome: &str, mut from: Reader) -> Result<StoreOutcome<Sealed>, Nonsense> {
    if outcome == "Missing" {
        return Ok(StoreOutcome::Missing);
    }
    let seen = from.moment()?;
    let record = record::read(&mut from)?;
    Ok(match outcome {
        "Armed" => StoreOutcome::Armed(record),
        "Busy" => {
            let until = busy_until(&record, seen).ok_or(Nonsense)?;
            StoreOutcome::Busy { record, until }
        }
        "Done" => StoreOutcome::Done(record),
        "Ended" => StoreOutcome::Ended(record),
        "Loaded" => StoreOutcome::Loaded(record),
        "Moved" => StoreOutcome::Moved(record),
        "NotDue" => {
            let until = record.not_before;
            StoreOutcome::NotDue { record, until }
        }
        _ => return Err(Nonsense),
    })
}

/// Reads places in the list of what is due: a moment of 19 digits, and the key of a grant as the
/// server knows it, which begins with the name of the store.
fn due(mut from: Reader) -> Result<Vec<GrantKey>, Nonsense> {
    let mut keys = Vec::new();
    while from.has_more() {
        let place = from.text()?;
        let (_, key) = place.split_once("}:grant:").ok_or(Nonsense)?;
        keys.push(grant_key(key)?);
    }
    Ok(keys)
}

fn pulse(mut from: Reader) -> Result<Pulse, Nonsense> {
    let sequence = from.unsigned()?;
    let others = from.unsigned()?;
    let identity: [u8; 16] = from.some_bytes()?.try_into().map_err(|_| Nonsense)?;
    let mut told = from.sublist()?;
    let mut changes = Vec::new();
    while told.has_more() {
        let sequence = Sequence(told.unsigned()?);
        let key = grant_key(&told.text()?)?;
        let generation = Generation::from_number(told.unsigned()?);
        let health = health_of(&told.text()?)?;
        let owner = match told.some_bytes()?.as_slice() {
            [] => None,
            owner => {
                Some(OwnerId::new(u128::from_be_bytes(owner.try_into().map_err(|_| Nonsense)?)))
            }
        };
        changes.push(Change { generation, health, key, owner, sequence });
    }
    Ok(Pulse {
        changes,
        processes: u32::try_from(others).unwrap_or(u32::MAX).saturating_add(1),
        sequence: Sequence(sequence),
        store: StoreIdentity(u128::from_be_bytes(identity)),
    })
}

fn grant_key(text: &str) -> Result<GrantKey, Nonsense> {
    GrantKey::new(text).map_err(|_| Nonsense)
}

/// The values of a list, one after the other.
pub(super) struct Reader(std::vec::IntoIter<Value>);

impl Reader {
    pub(super) fn of(value: Value) -> Result<Self, Nonsense> {
        if let Value::Array(values) = value { Ok(Self(values.into_iter())) } else { Err(Nonsense) }
    }

    pub(super) fn has_more(&self) -> bool {
        !self.0.as_slice().is_empty()
    }

    pub(super) fn sublist(&mut self) -> Result<Self, Nonsense> {
        Self::of(self.0.next().ok_or(Nonsense)?)
    }

    fn some_bytes(&mut self) -> Result<Vec<u8>, Nonsense> {
        self.bytes()?.ok_or(Nonsense)
    }

    fn unsigned(&mut self) -> Result<u64, Nonsense> {
        unsigned(self.number()?.ok_or(Nonsense)?)
    }

    fn moment(&mut self) -> Result<Option<Timestamp>, Nonsense> {
        self.number()?.map(timestamp).transpose()
    }
}

impl Fields for Reader {
    #[expect(clippy::wildcard_enum_match_arm, reason = "the library adds kinds; none is a text")]
    fn bytes(&mut self) -> Result<Option<Vec<u8>>, Nonsense> {
        match self.0.next().ok_or(Nonsense)? {
            Value::BulkString(bytes) => Ok(Some(bytes)),
            Value::Nil => Ok(None),
            _ => Err(Nonsense),
        }
    }

    fn number(&mut self) -> Result<Option<i64>, Nonsense> {
        let Some(bytes) = self.bytes()? else { return Ok(None) };
        let text = str::from_utf8(&bytes).map_err(|_| Nonsense)?;
        text.parse().map(Some).map_err(|_| Nonsense)
    }

    fn text(&mut self) -> Result<String, Nonsense> {
        String::from_utf8(self.some_bytes()?).map_err(|_| Nonsense)
    }
}

#[cfg(test)]
mod tests {
    use crate::stored::record::COLUMNS;

    #[test]
    fn the_script_returns_the_columns_that_are_read() {
        let script = include_str!("script.lua");
        let (_, list) = script.split_once("local COLUMNS = {").unwrap();
        let (list, _) = list.split_once('}').unwrap();
        let names = list.split(',').map(|it| it.trim().trim_matches('\''));
        let names: Vec<&str> = names.filter(|it| !it.is_empty()).collect();
        assert_eq!(names, COLUMNS);
    }
}
