//! A record as a row of the table `rotation`.

use std::sync::LazyLock;

use rusqlite::types::{FromSql, ToSql};
use rusqlite::{CachedStatement, Connection, OptionalExtension as _, Row};
use sr_auth_core::Fingerprint;
use sr_auth_core::store::{GrantKey, Record, StoredToken};

use super::fault::Trouble;
use crate::Sealed;
use crate::stored::record::{self, COLUMNS, Fields};
use crate::stored::{Nonsense, health_name, ledger, millis, moment, number, renewal_name};

static SELECT: LazyLock<String> =
    LazyLock::new(|| format!("SELECT {} FROM rotation WHERE key = ?1", COLUMNS.join(", ")));
static INSERT: LazyLock<String> = LazyLock::new(|| {
    let places = vec!["?"; COLUMNS.len() + 2].join(", ");
    format!("INSERT INTO rotation ({}, due_at, key) VALUES ({places})", COLUMNS.join(", "))
});
static UPDATE: LazyLock<String> = LazyLock::new(|| {
    let columns = COLUMNS.join(" = ?, ");
    format!("UPDATE rotation SET {columns} = ?, due_at = ? WHERE key = ?")
});

/// Reads the record of a grant.
pub(super) fn read(
    connection: &Connection,
    key: &GrantKey,
) -> Result<Option<Record<Sealed>>, Trouble> {
    let mut select = connection.prepare_cached(&SELECT)?;
    let record = select.query_row([key.as_str()], |row| Ok(parse(row)));
    record.optional()?.transpose()
}

/// Writes a record over the one that was there, or as a new one.
pub(super) fn write(
    connection: &Connection,
    key: &GrantKey,
    record: &Record<Sealed>,
    is_new: bool,
) -> Result<(), Trouble> {
    let sql = if is_new { &INSERT } else { &UPDATE };
    let mut to = Binder { next: 1, statement: connection.prepare_cached(sql)? };
    to.bind(renewal_name(record.renewal))?;
    to.bind(number(record.generation.number()))?;
    to.bind(health_name(record.health)?)?;
    to.bind(moment(record.not_before))?;
    to.bind(record.unsettled)?;
    to.bind_token(record.access.as_ref())?;
    to.bind_token(record.refresh.as_ref())?;
    to.bind(record.sibling.as_ref().map(|it| number(it.from.number())))?;
    to.bind_token(record.sibling.as_ref().map(|it| &it.token))?;
    let intent = record.intent.as_ref();
    to.bind(intent.map(|it| it.id.owner.number().to_be_bytes()))?;
    to.bind(intent.map(|it| it.id.number.cast_signed()))?;
    to.bind(intent.and_then(|it| it.fingerprint.as_ref()).map(Fingerprint::as_bytes))?;
    to.bind(intent.map(|it| it.attempt))?;
    to.bind(intent.map(|it| moment(it.armed_at)))?;
    to.bind(intent.map(|it| millis(it.quiet)))?;
    to.bind(record.refusals.count)?;
    to.bind(record.refusals.status)?;
    to.bind(moment(record.refusals.first_at))?;
    to.bind(ledger::to_bytes(&record.ledger)?)?;
    to.bind(record.due_at().map(moment))?;
    to.bind(key.as_str())?;
    match to.statement.raw_execute()? {
        1 => Ok(()),
        // The row that was read a moment ago, in the same transaction.
        _ => Err(Trouble::Nonsense),
    }
}

fn parse(row: &Row<'_>) -> Result<Record<Sealed>, Trouble> {
    Ok(record::read(&mut Reader { next: 0, row })?)
}

struct Binder<'c> {
    next: usize,
    statement: CachedStatement<'c>,
}

impl Binder<'_> {
    fn bind(&mut self, value: impl ToSql) -> Result<(), Trouble> {
        self.statement.raw_bind_parameter(self.next, value)?;
        self.next += 1;
        Ok(())
    }

    fn bind_token(&mut self, token: Option<&StoredToken<Sealed>>) -> Result<(), Trouble> {
        self.bind(token.map(|it| it.value.as_bytes()))?;
        self.bind(token.map(|it| it.fingerprint.as_bytes()))?;
        self.bind(token.map(|it| moment(it.renew_at)))?;
        self.bind(token.map(|it| moment(it.ends_at)))
    }
}

struct Reader<'r> {
    next: usize,
    row: &'r Row<'r>,
}

impl Reader<'_> {
    fn read<T: FromSql>(&mut self) -> Result<T, Nonsense> {
        self.next += 1;
        self.row.get(self.next - 1).map_err(|_| Nonsense)
    }
}

impl Fields for Reader<'_> {
    fn bytes(&mut self) -> Result<Option<Vec<u8>>, Nonsense> {
        self.read()
    }

    fn number(&mut self) -> Result<Option<i64>, Nonsense> {
        self.read()
    }

    fn text(&mut self) -> Result<String, Nonsense> {
        self.read()
    }
}
