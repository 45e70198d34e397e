//! What a statement returned.

use std::error::Error;

use sr_auth_core::store::{
    Change, Generation, GrantKey, OwnerId, Pulse, Sequence, StoreAnswer, StoreIdentity, StoreOp,
    StoreOutcome,
};
use tokio_postgres::Row;
use tokio_postgres::types::{FromSql, Type};

use crate::Sealed;
use crate::stored::record::{self, Fields};
use crate::stored::{Nonsense, busy_until, health_of, timestamp, unsigned};

/// Reads the answer to an operation.
pub(super) fn read(op: &StoreOp<Sealed>, rows: &[Row]) -> Result<StoreAnswer<Sealed>, Nonsense> {
    let first = rows.first().ok_or(Nonsense)?;
    match op {
        StoreOp::Due { .. } => due(first),
        StoreOp::Pulse { .. } => pulse(first, rows),
        StoreOp::Adopt { .. }
        | StoreOp::Arm { .. }
        | StoreOp::Bury { .. }
        | StoreOp::Commit { .. }
        | StoreOp::Disarm { .. }
        | StoreOp::End { .. }
        | StoreOp::Escrow { .. }
        | StoreOp::Load { .. } => of_grant(first),
    }
}

fn of_grant(row: &Row) -> Result<StoreAnswer<Sealed>, Nonsense> {
    let outcome: &str = get(row, 0)?;
    let now = timestamp(get(row, 1)?)?;
    let seen = get::<Option<i64>>(row, 2)?.map(timestamp).transpose()?;
    if outcome == "Missing" {
        return Ok(StoreAnswer { now, outcome: StoreOutcome::Missing });
    }
    let record = record::read(&mut Reader { next: 3, row })?;
    let outcome = match outcome {
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
    };
    Ok(StoreAnswer { now, outcome })
}

fn due(row: &Row) -> Result<StoreAnswer<Sealed>, Nonsense> {
    let now = timestamp(get(row, 0)?)?;
    let keys: Vec<&str> = get(row, 1)?;
    let keys = keys.into_iter().map(grant_key).collect::<Result<_, _>>()?;
    Ok(StoreAnswer { now, outcome: StoreOutcome::Due(keys) })
}

fn pulse(first: &Row, rows: &[Row]) -> Result<StoreAnswer<Sealed>, Nonsense> {
    let now = timestamp(get(first, 0)?)?;
    let others: i64 = get(first, 2)?;
    let identity: [u8; 16] = get::<&[u8]>(first, 3)?.try_into().map_err(|_| Nonsense)?;
    let changes = rows.iter().filter_map(|row| change(row).transpose());
    let pulse = Pulse {
        changes: changes.collect::<Result<_, _>>()?,
        processes: u32::try_from(others).unwrap_or(u32::MAX).saturating_add(1),
        sequence: Sequence(unsigned(get(first, 1)?)?),
        store: StoreIdentity(u128::from_be_bytes(identity)),
    };
    Ok(StoreAnswer { now, outcome: StoreOutcome::Pulse(pulse) })
}

fn change(row: &Row) -> Result<Option<Change>, Nonsense> {
    let Some(sequence) = get::<Option<i64>>(row, 4)? else { return Ok(None) };
    let owner = get::<Option<&[u8]>>(row, 8)?.map(<[u8; 16]>::try_from).transpose();
    Ok(Some(Change {
        generation: Generation::from_number(unsigned(get(row, 6)?)?),
        health: health_of(get(row, 7)?)?,
        key: grant_key(get(row, 5)?)?,
        owner: owner.map_err(|_| Nonsense)?.map(|it| OwnerId::new(u128::from_be_bytes(it))),
        sequence: Sequence(unsigned(sequence)?),
    }))
}

fn grant_key(text: &str) -> Result<GrantKey, Nonsense> {
    GrantKey::new(text).map_err(|_| Nonsense)
}

fn get<'r, T: FromSql<'r>>(row: &'r Row, at: usize) -> Result<T, Nonsense> {
    row.try_get(at).map_err(|_| Nonsense)
}

pub(super) struct Reader<'r> {
    next: usize,
    row: &'r Row,
}

impl<'r> Reader<'r> {
    /// Begins with the first column.
    #[cfg(feature = "partner")]
    pub(super) const fn of(row: &'r Row) -> Self {
        Self { next: 0, row }
    }

    pub(super) fn read<T: FromSql<'r>>(&mut self) -> Result<T, Nonsense> {
        self.next += 1;
        get(self.row, self.next - 1)
    }
}

impl Fields for Reader<'_> {
    fn bytes(&mut self) -> Result<Option<Vec<u8>>, Nonsense> {
        Ok(self.read::<Option<Raw>>()?.map(|it| it.0))
    }

    fn number(&mut self) -> Result<Option<i64>, Nonsense> {
        self.read()
    }

    fn text(&mut self) -> Result<String, Nonsense> {
        self.read()
    }
}

/// The bytes of a text, or of what is none.
pub(super) struct Raw(pub(super) Vec<u8>);

impl<'r> FromSql<'r> for Raw {
    fn from_sql(_: &Type, bytes: &'r [u8]) -> Result<Self, Box<dyn Error + Sync + Send>> {
        Ok(Self(bytes.to_vec()))
    }

    fn accepts(kind: &Type) -> bool {
        *kind == Type::BYTEA || *kind == Type::TEXT
    }
}
