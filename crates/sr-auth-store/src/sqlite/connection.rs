//! One connection: its settings, and what is checked before it is used.

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};
use sr_auth_core::lifecycle::StoreFailure;

use super::fault::Trouble;
use super::file;
use super::moment::Moments;
use super::schema;
use crate::clock::Clock;
use crate::stored::moment;
use crate::{BackendError, BackendFault};

/// How long to pause before another process is asked again to let go.
const PAUSE: Duration = Duration::from_millis(10);
const PAGE: u64 = 4_096;
/// Signs of life of processes that are long gone.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// What an application may set.
#[derive(Clone, Copy, Debug)]
pub(super) struct Settings {
    pub(super) busy_timeout: Duration,
    pub(super) size_limit: Option<u64>,
}

impl Default for Settings {
    fn default() -> Self {
        Self { busy_timeout: Duration::from_secs(5), size_limit: None }
    }
}

/// Opens a file for the first time in this process: it is checked, and made or migrated.
pub(super) fn begin(
    path: &Path,
    settings: Settings,
    clock: Option<Clock>,
) -> Result<(Connection, Moments), BackendError> {
    file::prepare(path)?;
    let connection = open(path, settings)?;
    let version = check_as_of_one_moment(&connection)?;
    check_whole(&connection)?;
    enter_wal(&connection, settings)?;
    let begin = || -> Result<_, Trouble> {
        connection.execute_batch("BEGIN IMMEDIATE")?;
        Ok(())
    };
    begin().map_err(Trouble::before_commit)?;
    // Another process may have made it meanwhile.
    let version = version.max(schema::check(&connection).map_err(not_done)?);
    let identity = schema::identity().map_err(not_done)?;
    let moments = prepare(&connection, version, identity, clock).map_err(Trouble::before_commit)?;
    let commit = connection.execute_batch("COMMIT").map_err(Trouble::from);
    // Whether it was done shows when it is opened again.
    commit.map_err(Trouble::before_commit)?;
    Ok((connection, moments))
}

/// Opens one more connection to a store that has been checked.
pub(super) fn open(path: &Path, settings: Settings) -> Result<Connection, BackendError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(Trouble::from);
    let connection = connection.map_err(Trouble::before_commit)?;
    configure(&connection, settings).map_err(Trouble::before_commit)?;
    // SQLite falls back to reading where it must not write.
    match connection.is_readonly("main").map_err(Trouble::from).map_err(Trouble::before_commit)? {
        true => Err(not_done(BackendFault::ReadOnly)),
        false => Ok(connection),
    }
}

fn configure(connection: &Connection, settings: Settings) -> Result<(), Trouble> {
    connection.busy_timeout(settings.busy_timeout)?;
    connection.set_prepared_statement_cache_capacity(32);
    connection.pragma_update(None, "synchronous", "FULL")?;
    // macOS: to the disk, not to its cache.
    connection.pragma_update(None, "fullfsync", true)?;
    connection.pragma_update(None, "checkpoint_fullfsync", true)?;
    connection.pragma_update(None, "cell_size_check", true)?;
    connection.pragma_update(None, "trusted_schema", false)?;
    // A token that is replaced is overwritten, not only unlinked.
    connection.pragma_update(None, "secure_delete", true)?;
    if let Some(bytes) = settings.size_limit {
        let pages = i64::try_from(bytes / PAGE).unwrap_or(i64::MAX);
        connection.pragma_update_and_check(None, "max_page_count", pages, |_| Ok(()))?;
    }
    Ok(())
}

/// Another process may be making the store: what it has written is seen as a whole, or not at all.
fn check_as_of_one_moment(connection: &Connection) -> Result<usize, BackendError> {
    let snapshot = connection.unchecked_transaction().map_err(Trouble::from);
    let snapshot = snapshot.map_err(Trouble::before_commit)?;
    schema::check(&snapshot).map_err(not_done)
}

fn check_whole(connection: &Connection) -> Result<(), BackendError> {
    let verdict = connection
        .query_row("PRAGMA quick_check(1)", [], |row| row.get::<_, String>(0))
        .map_err(Trouble::from)
        .map_err(Trouble::before_commit)?;
    if verdict == "ok" { Ok(()) } else { Err(not_done(BackendFault::Corrupted)) }
}

/// Changes to write-ahead logging, for which nobody else may use the file at that moment.
fn enter_wal(connection: &Connection, settings: Settings) -> Result<(), BackendError> {
    let mut left = settings.busy_timeout;
    loop {
        let mode = connection
            .pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get::<_, String>(0));
        match mode.map_err(Trouble::from) {
            Ok(mode) if mode == "wal" => return Ok(()),
            Ok(_) => return Err(not_done(BackendFault::Unreadable)),
            Err(trouble) if trouble.fault() == BackendFault::Busy && !left.is_zero() => {
                std::thread::park_timeout(PAUSE);
                left = left.saturating_sub(PAUSE);
            }
            Err(trouble) => return Err(trouble.before_commit()),
        }
    }
}

fn prepare(
    connection: &Connection,
    version: usize,
    identity: [u8; 16],
    clock: Option<Clock>,
) -> Result<Moments, Trouble> {
    schema::migrate(connection, version)?;
    // Who comes first gives the store its name.
    let insert = "INSERT OR IGNORE INTO store (one, identity, boot, booted_for, moment)
                  VALUES (1, ?1, '', 0, 0)";
    connection.execute(insert, [identity])?;
    let moments = Moments::settle(connection, clock)?;
    let now = moments.now(connection)?;
    forget(connection, moment(now.before(FORGOTTEN_AFTER)))?;
    Ok(moments)
}

/// Forgets processes that are long gone, but for those whose intent stands, and for the newest:
/// the clock goes by it.
fn forget(connection: &Connection, before: i64) -> Result<(), Trouble> {
    let delete = "DELETE FROM owner WHERE seen < ?1
        AND seen < (SELECT max(seen) FROM owner)
        AND id NOT IN (SELECT intent_owner FROM rotation WHERE intent_owner IS NOT NULL)";
    connection.execute(delete, [before])?;
    Ok(())
}

const fn not_done(fault: BackendFault) -> BackendError {
    BackendError::new(fault, StoreFailure::NotDone)
}
