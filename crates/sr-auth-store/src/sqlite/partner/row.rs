//! Rows of the tables of integrations.

use rusqlite::{CachedStatement, Connection, Params, Row};
use sr_auth_core::store::Generation;
use sr_auth_core::{ScopeSet, SecretDigest, Timestamp};
use sr_partner::store::{
    CountedRefusals, EndCause, Ending, IntegrationRecord, IssuedToken, RefusedParty, SourceKey,
};
use sr_partner::{AppId, ClientKey, CompanyId, IntegrationKey, TenantId};

use super::record;
use crate::Sealed;
use crate::sqlite::fault::Trouble;
use crate::stored::{moment, number, timestamp, unsigned};

type Entry = (IntegrationKey, IntegrationRecord<Sealed>);

/// Reads the record of a company.
pub(super) fn record(
    connection: &Connection,
    key: &IntegrationKey,
) -> Result<Option<Entry>, Trouble> {
    let select = "SELECT app, company, record FROM partner WHERE app = ?1 AND company = ?2";
    let mut select = connection.prepare_cached(select)?;
    Ok(read_all(&mut select, (key.app.as_str(), key.company.as_str()), entry)?.pop())
}

/// Reads the record that names a client, of an attempt or of a live integration.
pub(super) fn record_of_client(
    connection: &Connection,
    client: &ClientKey,
) -> Result<Option<Entry>, Trouble> {
    let mut select = connection.prepare_cached(
        "SELECT app, company, record FROM partner WHERE attempt_client = ?1
         UNION ALL
         SELECT app, company, record FROM partner WHERE live_client = ?1",
    )?;
    Ok(read_all(&mut select, [client.as_bytes()], entry)?.pop())
}

/// Returns the companies that have an attempt or a live integration, sorted.
pub(super) fn open_keys(connection: &Connection) -> Result<Vec<IntegrationKey>, Trouble> {
    let mut select = connection.prepare_cached(
        "SELECT app, company FROM partner WHERE attempt IS NOT NULL OR live IS NOT NULL
         ORDER BY app, company",
    )?;
    read_all(&mut select, [], |row| key(row, 0))
}

/// Removes rows that name no company: nothing can be asked of them, and their secrets are nobody's.
pub(super) fn remove_nobodys(connection: &Connection) -> Result<(), Trouble> {
    let mut select = connection.prepare_cached("SELECT id, app, company FROM partner")?;
    let rows = read_all(&mut select, [], |row| Ok((row.get(0)?, key(row, 1).is_err())))?;
    let nobodys = rows.into_iter().filter_map(|(id, it): (i64, bool)| it.then_some(id));
    for id in nobodys {
        connection.execute("DELETE FROM partner WHERE id = ?1", [id])?;
    }
    Ok(())
}

/// Writes, instead of a record that cannot be read, one of a company whose integrations have ended,
/// without any token.
pub(super) fn write_damaged_as_ended(
    connection: &Connection,
    now: Timestamp,
    cause: EndCause,
    key: &IntegrationKey,
) -> Result<IntegrationRecord<Sealed>, Trouble> {
    let names = (key.app.as_str(), key.company.as_str());
    let delete = "DELETE FROM partner_token WHERE app = ?1 AND company = ?2";
    connection.prepare_cached(delete)?.execute(names)?;
    let select = "SELECT max(ifnull(attempt, 0), ifnull(live, 0)) FROM partner
                  WHERE app = ?1 AND company = ?2";
    let known: i64 = connection.prepare_cached(select)?.query_row(names, |row| row.get(0))?;
    // Attempts that came to nothing stand in no column, and no generation is used twice.
    let generation = Generation::from_number(known.cast_unsigned().saturating_add(FORGOTTEN));
    let ended = Some(Ending { at: now, cause, generation });
    let record = IntegrationRecord { ended, generation, ..IntegrationRecord::default() };
    write_record(connection, key, &record)?;
    Ok(record)
}

/// More attempts than a company makes without one that stands.
const FORGOTTEN: u64 = 1 << 16;

/// Returns the first companies that have an attempt, sorted.
pub(super) fn unsettled(
    connection: &Connection,
    limit: usize,
) -> Result<Vec<IntegrationKey>, Trouble> {
    let mut select = connection.prepare_cached(
        "SELECT app, company FROM partner WHERE attempt IS NOT NULL
         ORDER BY app, company LIMIT ?1",
    )?;
    read_all(&mut select, [i64::try_from(limit).unwrap_or(i64::MAX)], |row| key(row, 0))
}

pub(super) fn write_record(
    connection: &Connection,
    key: &IntegrationKey,
    record: &IntegrationRecord<Sealed>,
) -> Result<(), Trouble> {
    let (attempt, live) = (record.attempt.as_ref(), record.binding.as_ref());
    let client =
        |outbound: Option<&sr_partner::OutboundClient>| outbound.map(|it| *it.key().as_bytes());
    connection
        .prepare_cached(
            "INSERT INTO partner (app, company, attempt, attempt_client, live, live_client, record)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
             ON CONFLICT (app, company) DO UPDATE SET
               attempt = excluded.attempt, attempt_client = excluded.attempt_client,
               live = excluded.live, live_client = excluded.live_client,
               record = excluded.record",
        )?
        .execute((
            key.app.as_str(),
            key.company.as_str(),
            attempt.map(|it| number(it.generation.number())),
            client(attempt.and_then(|it| it.outbound.as_ref())),
            live.map(|it| number(it.generation.number())),
            client(live.and_then(|it| it.outbound.as_ref())),
            record::to_bytes(record)?,
        ))?;
    Ok(())
}

/// Reads the tokens of a company in the order in which they were issued.
pub(super) fn tokens_of(
    connection: &Connection,
    key: &IntegrationKey,
) -> Result<Vec<IssuedToken>, Trouble> {
    let mut select = connection.prepare_cached(
        "SELECT app, company, digest, generation, expires_at, scopes, tenant FROM partner_token
         WHERE app = ?1 AND company = ?2 ORDER BY id",
    )?;
    read_all(&mut select, (key.app.as_str(), key.company.as_str()), issued)
}

pub(super) fn token(
    connection: &Connection,
    digest: &SecretDigest,
) -> Result<Option<IssuedToken>, Trouble> {
    let mut select = connection.prepare_cached(
        "SELECT app, company, digest, generation, expires_at, scopes, tenant FROM partner_token
         WHERE digest = ?1",
    )?;
    Ok(read_all(&mut select, [digest.as_bytes()], issued)?.pop())
}

/// Writes a token as the newest one; one that is written again keeps its place.
pub(super) fn write_token(connection: &Connection, token: &IssuedToken) -> Result<(), Trouble> {
    connection
        .prepare_cached(
            "INSERT INTO partner_token
               (digest, app, company, generation, expires_at, scopes, tenant)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
             ON CONFLICT (digest) DO UPDATE SET
               app = excluded.app, company = excluded.company, generation = excluded.generation,
               expires_at = excluded.expires_at, scopes = excluded.scopes,
               tenant = excluded.tenant",
        )?
        .execute((
            token.digest.as_bytes(),
            token.key.app.as_str(),
            token.key.company.as_str(),
            number(token.generation.number()),
            moment(token.expires_at),
            token.scopes.to_string(),
            token.tenant.as_str(),
        ))?;
    Ok(())
}

pub(super) fn remove_token(connection: &Connection, token: &IssuedToken) -> Result<(), Trouble> {
    let delete = "DELETE FROM partner_token WHERE digest = ?1";
    connection.prepare_cached(delete)?.execute([token.digest.as_bytes()])?;
    Ok(())
}

pub(super) fn remove_expired_tokens(
    connection: &Connection,
    now: Timestamp,
) -> Result<(), Trouble> {
    let delete = "DELETE FROM partner_token WHERE expires_at <= ?1";
    connection.prepare_cached(delete)?.execute([moment(now)])?;
    Ok(())
}

/// Reads the refusals of these parties, of those that have some.
pub(super) fn refusals(
    connection: &Connection,
    parties: &[RefusedParty],
) -> Result<Vec<CountedRefusals>, Trouble> {
    let mut select = connection.prepare_cached(
        "SELECT kind, name, count, ends_at FROM partner_refusal WHERE kind = ?1 AND name = ?2",
    )?;
    let mut found = Vec::new();
    for (kind, name) in parties.iter().map(stored_party) {
        found.extend(read_all(&mut select, (kind, name), counted)?);
    }
    Ok(found)
}

/// Reads the refusals that end first.
pub(super) fn first_refusals(
    connection: &Connection,
    limit: usize,
) -> Result<Vec<CountedRefusals>, Trouble> {
    let mut select = connection.prepare_cached(
        "SELECT kind, name, count, ends_at FROM partner_refusal
         ORDER BY ends_at, kind, name LIMIT ?1",
    )?;
    read_all(&mut select, [i64::try_from(limit).unwrap_or(i64::MAX)], counted)
}

pub(super) fn count_refusals(connection: &Connection) -> Result<usize, Trouble> {
    let mut select = connection.prepare_cached("SELECT count(*) FROM partner_refusal")?;
    let count: i64 = select.query_row([], |row| row.get(0))?;
    usize::try_from(count).map_err(|_| Trouble::Nonsense)
}

pub(super) fn write_refusals(
    connection: &Connection,
    refusals: &CountedRefusals,
) -> Result<(), Trouble> {
    let (kind, name) = stored_party(&refusals.of);
    connection
        .prepare_cached(
            "INSERT INTO partner_refusal (kind, name, count, ends_at) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (kind, name) DO UPDATE SET
               count = excluded.count, ends_at = excluded.ends_at",
        )?
        .execute((kind, name, refusals.count, moment(refusals.ends_at)))?;
    Ok(())
}

pub(super) fn remove_refusals(connection: &Connection, party: RefusedParty) -> Result<(), Trouble> {
    let delete = "DELETE FROM partner_refusal WHERE kind = ?1 AND name = ?2";
    connection.prepare_cached(delete)?.execute(stored_party(&party))?;
    Ok(())
}

/// Reads application and company from the column `at` and the next one.
pub(super) fn key(row: &Row<'_>, at: usize) -> Result<IntegrationKey, Trouble> {
    Ok(IntegrationKey {
        app: AppId::new(text(row, at)?).map_err(|_| Trouble::Nonsense)?,
        company: CompanyId::new(text(row, at + 1)?).map_err(|_| Trouble::Nonsense)?,
    })
}

fn read_all<T>(
    select: &mut CachedStatement<'_>,
    parameters: impl Params,
    read: impl Fn(&Row<'_>) -> Result<T, Trouble>,
) -> Result<Vec<T>, Trouble> {
    let mut rows = select.query(parameters)?;
    let mut all = Vec::new();
    while let Some(row) = rows.next()? {
        all.push(read(row)?);
    }
    Ok(all)
}

fn entry(row: &Row<'_>) -> Result<Entry, Trouble> {
    let bytes = row.get_ref(2)?.as_blob().map_err(|_| Trouble::Nonsense)?;
    Ok((key(row, 0)?, record::parse(bytes)?))
}

fn issued(row: &Row<'_>) -> Result<IssuedToken, Trouble> {
    Ok(IssuedToken {
        digest: SecretDigest::from_bytes(row.get(2)?),
        expires_at: timestamp(row.get(4)?)?,
        generation: Generation::from_number(unsigned(row.get(3)?)?),
        key: key(row, 0)?,
        scopes: ScopeSet::parse(text(row, 5)?).map_err(|_| Trouble::Nonsense)?,
        tenant: TenantId::new(text(row, 6)?).map_err(|_| Trouble::Nonsense)?,
    })
}

fn counted(row: &Row<'_>) -> Result<CountedRefusals, Trouble> {
    let name = row.get(1)?;
    let of = match row.get::<_, i64>(0)? {
        0 => RefusedParty::Client(ClientKey::from_bytes(name)),
        1 => RefusedParty::Source(SourceKey::from_bytes(name)),
        _ => return Err(Trouble::Nonsense),
    };
    Ok(CountedRefusals { count: row.get(2)?, ends_at: timestamp(row.get(3)?)?, of })
}

/// In the order of [`RefusedParty`].
const fn stored_party(party: &RefusedParty) -> (i64, &[u8; 32]) {
    match party {
        RefusedParty::Client(client) => (0, client.as_bytes()),
        RefusedParty::Source(source) => (1, source.as_bytes()),
    }
}

fn text<'r>(row: &'r Row<'_>, at: usize) -> Result<&'r str, Trouble> {
    row.get_ref(at)?.as_str().map_err(|_| Trouble::Nonsense)
}
