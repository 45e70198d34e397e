//! A record as a row of the table `rotation`.

use std::sync::LazyLock;
use std::time::Duration;

use rusqlite::types::{FromSql, ToSql};
use rusqlite::{CachedStatement, Connection, OptionalExtension as _, Row};
use sr_auth_core::store::{
    CauseOfDeath, Generation, GrantKey, Health, Intent, IntentId, OwnerId, Record, Refusals,
    Renewal, Sibling, StoredToken,
};
use sr_auth_core::{Fingerprint, Timestamp};

use super::fault::Trouble;
use super::ledger;
use crate::Sealed;

/// In the order in which [`write()`] binds and [`parse`] reads them.
const COLUMNS: [&str; 29] = [
    "renewal",
    "generation",
    "health",
    "not_before",
    "due_at",
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

static SELECT: LazyLock<String> =
    LazyLock::new(|| format!("SELECT {} FROM rotation WHERE key = ?1", COLUMNS.join(", ")));
static INSERT: LazyLock<String> = LazyLock::new(|| {
    let places = vec!["?"; COLUMNS.len() + 1].join(", ");
    format!("INSERT INTO rotation ({}, key) VALUES ({places})", COLUMNS.join(", "))
});
static UPDATE: LazyLock<String> =
    LazyLock::new(|| format!("UPDATE rotation SET {} = ? WHERE key = ?", COLUMNS.join(" = ?, ")));

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
    to.bind(record.due_at().map(moment))?;
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
    to.bind(key.as_str())?;
    match to.statement.raw_execute()? {
        1 => Ok(()),
        // The row that was read a moment ago, in the same transaction.
        _ => Err(Trouble::Nonsense),
    }
}

fn parse(row: &Row<'_>) -> Result<Record<Sealed>, Trouble> {
    let mut from = Reader { next: 0, row };
    let renewal = renewal_of(from.read_str()?)?;
    let generation = Generation::from_number(unsigned(from.read()?)?);
    let health = health_of(from.read_str()?)?;
    let not_before = timestamp(from.read()?)?;
    // It follows from the others.
    from.skip();
    let unsettled = from.read()?;
    let access = from.read_token()?;
    let refresh = from.read_token()?;
    let set_aside: Option<i64> = from.read()?;
    let sibling = match (set_aside, from.read_token()?) {
        (Some(number), Some(token)) => {
            Some(Sibling { from: Generation::from_number(unsigned(number)?), token })
        }
        (None, None) => None,
        (Some(_), None) | (None, Some(_)) => return Err(Trouble::Nonsense),
    };
    let intent = from.read_intent()?;
    let refusals =
        Refusals { count: from.read()?, status: from.read()?, first_at: timestamp(from.read()?)? };
    let ledger = ledger::parse(from.read_bytes()?)?;
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

impl<'r> Reader<'r> {
    fn skip(&mut self) {
        self.next += 1;
    }

    fn read<T: FromSql>(&mut self) -> Result<T, Trouble> {
        self.next += 1;
        Ok(self.row.get(self.next - 1)?)
    }

    fn read_str(&mut self) -> Result<&'r str, Trouble> {
        self.next += 1;
        self.row.get_ref(self.next - 1)?.as_str().map_err(|_| Trouble::Nonsense)
    }

    fn read_bytes(&mut self) -> Result<&'r [u8], Trouble> {
        self.next += 1;
        self.row.get_ref(self.next - 1)?.as_blob().map_err(|_| Trouble::Nonsense)
    }

    fn read_token(&mut self) -> Result<Option<StoredToken<Sealed>>, Trouble> {
        let value: Option<Vec<u8>> = self.read()?;
        let fingerprint: Option<[u8; 16]> = self.read()?;
        let (renew_at, ends_at): (Option<i64>, Option<i64>) = (self.read()?, self.read()?);
        match (value, fingerprint, renew_at, ends_at) {
            (Some(value), Some(fingerprint), Some(renew_at), Some(ends_at)) => {
                Ok(Some(StoredToken {
                    ends_at: timestamp(ends_at)?,
                    fingerprint: Fingerprint::from_bytes(fingerprint),
                    renew_at: timestamp(renew_at)?,
                    value: Sealed::from_bytes(value),
                }))
            }
            (None, None, None, None) => Ok(None),
            (_, _, _, _) => Err(Trouble::Nonsense),
        }
    }

    fn read_intent(&mut self) -> Result<Option<Intent>, Trouble> {
        let owner: Option<[u8; 16]> = self.read()?;
        let number: Option<i64> = self.read()?;
        let fingerprint: Option<[u8; 16]> = self.read()?;
        let attempt: Option<u32> = self.read()?;
        let (armed_at, quiet): (Option<i64>, Option<i64>) = (self.read()?, self.read()?);
        match (owner, number, attempt, armed_at, quiet) {
            (Some(owner), Some(number), Some(attempt), Some(armed_at), Some(quiet)) => {
                let owner = OwnerId::new(u128::from_be_bytes(owner));
                Ok(Some(Intent {
                    armed_at: timestamp(armed_at)?,
                    attempt,
                    fingerprint: fingerprint.map(Fingerprint::from_bytes),
                    id: IntentId { number: number.cast_unsigned(), owner },
                    quiet: Duration::from_millis(unsigned(quiet)?),
                }))
            }
            (None, None, None, None, None) if fingerprint.is_none() => Ok(None),
            (_, _, _, _, _) => Err(Trouble::Nonsense),
        }
    }
}

/// A number as SQLite keeps it. Those beyond its range are the last one, for ever out of reach.
pub(super) fn number(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

pub(super) fn unsigned(number: i64) -> Result<u64, Trouble> {
    match u64::try_from(number) {
        Ok(number) if number == i64::MAX.cast_unsigned() => Ok(u64::MAX),
        Ok(number) => Ok(number),
        Err(_) => Err(Trouble::Nonsense),
    }
}

/// A moment as SQLite keeps it, in milliseconds.
pub(super) fn moment(moment: Timestamp) -> i64 {
    number(moment.as_unix_millis())
}

pub(super) fn timestamp(millis: i64) -> Result<Timestamp, Trouble> {
    unsigned(millis).map(Timestamp::from_unix_millis)
}

fn millis(span: Duration) -> i64 {
    i64::try_from(span.as_millis()).unwrap_or(i64::MAX)
}

const fn renewal_name(renewal: Renewal) -> &'static str {
    match renewal {
        Renewal::Repeatable => "repeatable",
        Renewal::SingleUse => "single_use",
    }
}

fn renewal_of(name: &str) -> Result<Renewal, Trouble> {
    match name {
        "repeatable" => Ok(Renewal::Repeatable),
        "single_use" => Ok(Renewal::SingleUse),
        _ => Err(Trouble::Nonsense),
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

pub(super) fn health_name(health: Health) -> Result<&'static str, Trouble> {
    let row = HEALTHS.iter().find(|(it, _)| *it == health);
    row.map(|(_, name)| *name).ok_or(Trouble::Nonsense)
}

pub(super) fn health_of(name: &str) -> Result<Health, Trouble> {
    let row = HEALTHS.iter().find(|(_, it)| *it == name);
    row.map(|(health, _)| *health).ok_or(Trouble::Nonsense)
}
