//! Tables, and how a file of an older version becomes one of this.

use rusqlite::Connection;

use super::fault::Trouble;
use crate::{BackendFault, random};

/// Marks the file as ours: "srau".
pub(super) const APPLICATION_ID: i64 = 0x7372_6175;

/// Each step leads from the version that is its place in the list to the next one.
///
/// `rotation` holds what every presentation changes, and nothing else. Whatever an application
/// wants to remember about a grant belongs into another table, so that its writers never touch a
/// row whose loss is a grant's loss.
///
/// The tables of integrations are made with and without the feature `partner`, so that processes
/// that are built either way can share a file.
const MIGRATIONS: [&str; 2] = [
    "
CREATE TABLE store (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  identity BLOB NOT NULL CHECK (length(identity) = 16),
  boot TEXT NOT NULL,
  booted_for INTEGER NOT NULL,
  moment INTEGER NOT NULL
) STRICT;
CREATE TABLE rotation (
  id INTEGER PRIMARY KEY,
  key TEXT NOT NULL UNIQUE,
  renewal TEXT NOT NULL,
  generation INTEGER NOT NULL,
  health TEXT NOT NULL,
  not_before INTEGER NOT NULL,
  due_at INTEGER,
  unsettled INTEGER NOT NULL,
  access_value BLOB, access_fingerprint BLOB, access_renew_at INTEGER, access_ends_at INTEGER,
  refresh_value BLOB, refresh_fingerprint BLOB, refresh_renew_at INTEGER, refresh_ends_at INTEGER,
  sibling_from INTEGER,
  sibling_value BLOB, sibling_fingerprint BLOB, sibling_renew_at INTEGER, sibling_ends_at INTEGER,
  intent_owner BLOB, intent_number INTEGER, intent_fingerprint BLOB, intent_attempt INTEGER,
  intent_armed_at INTEGER, intent_quiet INTEGER,
  refusals_count INTEGER NOT NULL, refusals_status INTEGER NOT NULL,
  refusals_first_at INTEGER NOT NULL,
  ledger BLOB NOT NULL
) STRICT;
CREATE INDEX rotation_due ON rotation (due_at) WHERE due_at IS NOT NULL;
CREATE TABLE change (
  sequence INTEGER PRIMARY KEY,
  at INTEGER NOT NULL,
  key TEXT NOT NULL,
  generation INTEGER NOT NULL,
  health TEXT NOT NULL,
  owner BLOB
) STRICT;
CREATE TABLE owner (
  id BLOB PRIMARY KEY CHECK (length(id) = 16),
  seen INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
",
    "
CREATE TABLE partner (
  id INTEGER PRIMARY KEY,
  app TEXT NOT NULL,
  company TEXT NOT NULL,
  attempt INTEGER, attempt_client BLOB,
  live INTEGER, live_client BLOB,
  record BLOB NOT NULL,
  UNIQUE (app, company)
) STRICT;
CREATE INDEX partner_attempt ON partner (app, company) WHERE attempt IS NOT NULL;
CREATE INDEX partner_attempt_client ON partner (attempt_client) WHERE attempt_client IS NOT NULL;
CREATE INDEX partner_live_client ON partner (live_client) WHERE live_client IS NOT NULL;
CREATE TABLE partner_token (
  id INTEGER PRIMARY KEY,
  digest BLOB NOT NULL UNIQUE CHECK (length(digest) = 32),
  app TEXT NOT NULL,
  company TEXT NOT NULL,
  generation INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  scopes TEXT NOT NULL,
  tenant TEXT NOT NULL
) STRICT;
CREATE INDEX partner_token_of ON partner_token (app, company);
CREATE INDEX partner_token_expiry ON partner_token (expires_at);
CREATE TABLE partner_refusal (
  kind INTEGER NOT NULL,
  name BLOB NOT NULL CHECK (length(name) = 32),
  count INTEGER NOT NULL,
  ends_at INTEGER NOT NULL,
  PRIMARY KEY (kind, name)
) STRICT, WITHOUT ROWID;
CREATE INDEX partner_refusal_end ON partner_refusal (ends_at, kind, name);
CREATE TABLE partner_change (
  sequence INTEGER PRIMARY KEY,
  app TEXT NOT NULL,
  company TEXT NOT NULL,
  live INTEGER
) STRICT;
CREATE TABLE partner_moment (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  at INTEGER NOT NULL
) STRICT;
INSERT INTO partner_moment VALUES (1, 0);
",
];

/// Judges whose file it is and which version wrote it, before anything is written.
pub(super) fn check(connection: &Connection) -> Result<usize, BackendFault> {
    let pragma = |name| {
        connection
            .pragma_query_value(None, name, |row| row.get::<_, i64>(0))
            .map_err(|error| Trouble::from(error).fault())
    };
    let (application, version) = (pragma("application_id")?, pragma("user_version")?);
    let is_empty = (application, version) == (0, 0) && {
        let tables = "SELECT count(*) FROM sqlite_schema";
        let count = connection.query_row(tables, [], |row| row.get::<_, i64>(0));
        count.map_err(|error| Trouble::from(error).fault())? == 0
    };
    match usize::try_from(version) {
        Ok(_) if is_empty => Ok(0),
        _ if application != APPLICATION_ID => Err(BackendFault::NotAStore),
        Ok(version) if version <= MIGRATIONS.len() => Ok(version),
        Ok(_) => Err(BackendFault::Incompatible),
        Err(_) => Err(BackendFault::NotAStore),
    }
}

/// Brings a file to this version, inside the transaction that is open.
pub(super) fn migrate(connection: &Connection, version: usize) -> Result<(), Trouble> {
    for migration in MIGRATIONS.iter().skip(version) {
        connection.execute_batch(migration)?;
    }
    if version < MIGRATIONS.len() {
        connection.pragma_update(None, "application_id", APPLICATION_ID)?;
        let newest = i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX);
        connection.pragma_update(None, "user_version", newest)?;
    }
    Ok(())
}

/// Draws the identity of a new store.
pub(super) fn identity() -> Result<[u8; 16], BackendFault> {
    random::bytes().ok_or(BackendFault::NoRandomness)
}
