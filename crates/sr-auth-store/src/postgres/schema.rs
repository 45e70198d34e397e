//! Tables and functions, and which version they are.

use deadpool_postgres::Object;
use sr_auth_core::lifecycle::StoreFailure;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::Type;

use super::connect::misconfigured;
use super::fault::Trouble;
use crate::{BackendError, BackendFault, Durability, random};

/// Each step leads from the version that is its place in the list to the next one.
///
/// What is for integrations is made with and without the feature `partner`, so that processes that
/// are built either way can share a store.
const MIGRATIONS: [&str; 3] =
    [include_str!("schema.sql"), include_str!("partner.sql"), include_str!("late.sql")];

/// How often a store is looked at while others make it at the same time.
const LOOKS: usize = 8;

/// The name of the schema in which a store is.
#[derive(Clone, Debug)]
pub(super) struct Schema(String);

impl Default for Schema {
    fn default() -> Self {
        Self("sr_auth".to_owned())
    }
}

impl Schema {
    /// Takes a name that means the same with and without quotes.
    pub(super) fn new(name: &str) -> Result<Self, BackendError> {
        let is_letter = |it: char| it.is_ascii_lowercase() || it == '_';
        let is_good = name.len() <= 63
            && name.starts_with(is_letter)
            && name.chars().all(|it| is_letter(it) || it.is_ascii_digit());
        if is_good { Ok(Self(name.to_owned())) } else { Err(misconfigured()) }
    }

    pub(super) fn name(&self) -> &str {
        &self.0
    }

    /// Puts the name into a text.
    fn fill(&self, text: &str) -> String {
        text.replace("{schema}", &format!("\"{}\"", self.0))
    }
}

/// Brings a store to this version, or makes it, and finds out what its answers are worth. One that
/// has to exist is left as it is: grants are kept by every version alike.
pub(super) async fn prepare(
    client: &Object,
    schema: &Schema,
    has_to_exist: bool,
) -> Result<Durability, BackendError> {
    let newest = i32::try_from(MIGRATIONS.len()).unwrap_or(i32::MAX);
    for _ in 0..LOOKS {
        match version(client, schema).await? {
            Some(version) if version == newest => return durability(client).await,
            Some(version) if !(0..newest).contains(&version) => {
                return Err(BackendError::new(BackendFault::Incompatible, StoreFailure::NotDone));
            }
            None if has_to_exist => return Err(not_a_store(Foreign::Nothing)),
            Some(_) if has_to_exist => return durability(client).await,
            version => migrate(client, schema, version.unwrap_or(0)).await?,
        }
    }
    Err(BackendError::new(BackendFault::Busy, StoreFailure::NotDone))
}

/// Returns the version of the store; nothing where there is none yet.
async fn version(client: &Object, schema: &Schema) -> Result<Option<i32>, BackendError> {
    let select = schema.fill("SELECT version FROM {schema}.store");
    let rows = match client.query_typed(&select, &[]).await {
        Ok(rows) => rows,
        Err(error) if is_foreign(&error) => return Err(not_a_store(Foreign::Column)),
        Err(error) if is_missing(&error) && is_occupied(client, schema).await? => {
            return Err(not_a_store(Foreign::Tables));
        }
        Err(error) if is_missing(&error) => return Ok(None),
        Err(error) => return Err(Trouble::from(error).after_sending(true)),
    };
    let row = rows.first().ok_or_else(|| not_a_store(Foreign::Empty))?;
    let version = row.try_get::<_, i32>(0).map_err(|_| not_a_store(Foreign::Column))?;
    Ok(Some(version))
}

fn not_a_store(what: Foreign) -> BackendError {
    BackendError::new(BackendFault::NotAStore, StoreFailure::NotDone).with_source(what)
}

/// What shows that a schema is somebody else's.
#[derive(Clone, Copy, Debug, thiserror::Error)]
enum Foreign {
    #[error("its table `store` has no column `version` with a number")]
    Column,
    #[error("its table `store` is empty")]
    Empty,
    #[error("there is no store, and none was to be made")]
    Nothing,
    #[error("it has tables, and none is called `store`")]
    Tables,
}

/// Tells whether a schema of this name holds the tables of somebody else. Where ours is among them,
/// it has been made since it was looked for.
async fn is_occupied(client: &Object, schema: &Schema) -> Result<bool, BackendError> {
    let select = "SELECT FROM pg_catalog.pg_tables WHERE schemaname = $1 \
                  HAVING count(*) > 0 AND NOT bool_or(tablename = 'store')";
    let rows = client.query_typed(select, &[(&schema.name(), Type::TEXT)]).await;
    Ok(!rows.map_err(|error| Trouble::from(error).after_sending(true))?.is_empty())
}

fn is_missing(error: &tokio_postgres::Error) -> bool {
    let missing = [SqlState::UNDEFINED_TABLE, SqlState::INVALID_SCHEMA_NAME];
    error.code().is_some_and(|code| missing.contains(code))
}

/// Tells whether there is a table of this name, and it is not ours.
fn is_foreign(error: &tokio_postgres::Error) -> bool {
    error.code() == Some(&SqlState::UNDEFINED_COLUMN)
}

/// Takes the steps from a version on, all or none. Who is too late is told nothing: it looks again.
async fn migrate(client: &Object, schema: &Schema, version: i32) -> Result<(), BackendError> {
    let identity: [u8; 16] = random::bytes()
        .ok_or_else(|| BackendError::new(BackendFault::NoRandomness, StoreFailure::NotDone))?;
    let identity = format!("{:032x}", u128::from_be_bytes(identity));
    let steps = MIGRATIONS.iter().skip(usize::try_from(version).unwrap_or(usize::MAX));
    // Sent as one message, it is one transaction.
    let text: String = steps.copied().collect();
    let text = schema.fill(&text).replace("{identity}", &identity);
    match client.batch_execute(&text).await {
        Ok(()) => Ok(()),
        Err(error) if is_late(&error) => Ok(()),
        Err(error) => Err(Trouble::from(error).after_sending(false)),
    }
}

/// Somebody else makes the same at the same time, or has made it.
fn is_late(error: &tokio_postgres::Error) -> bool {
    let late = [
        SqlState::DUPLICATE_FUNCTION,
        SqlState::DUPLICATE_OBJECT,
        SqlState::DUPLICATE_SCHEMA,
        SqlState::DUPLICATE_TABLE,
        SqlState::UNIQUE_VIOLATION,
    ];
    error.code().is_some_and(|code| late.contains(code))
}

/// Finds out whether the server writes to its disk before it answers, and whether it may write.
async fn durability(client: &Object) -> Result<Durability, BackendError> {
    let select = "SELECT current_setting('fsync') = 'on', pg_is_in_recovery()";
    let row = client.query_typed(select, &[]).await;
    let rows = row.map_err(|error| Trouble::from(error).after_sending(true))?;
    let told = rows.first().and_then(|row| Some((row.try_get(0).ok()?, row.try_get(1).ok()?)));
    // Nobody but a broken server answers that without a row.
    let broken = || BackendError::new(BackendFault::Unreadable, StoreFailure::NotDone);
    match told.ok_or_else(broken)? {
        (_, true) => Err(BackendError::new(BackendFault::ReadOnly, StoreFailure::NotDone)),
        (true, false) => Ok(Durability::Durable),
        (false, false) => Ok(Durability::Volatile),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_leave_its_quotes() {
        let long = "a".repeat(64);
        let cases = [
            ("plain", "sr_auth", true),
            ("with digits", "_grants_2", true),
            ("as long as it may be", &long[1..], true),
            ("too long", long.as_str(), false),
            ("empty", "", false),
            ("a digit first", "2_grants", false),
            ("a quote", "a\"b", false),
            ("a space", "a b", false),
            ("a capital", "Grants", false),
        ];
        for (name, schema, expected) in cases {
            assert_eq!(Schema::new(schema).is_ok(), expected, "{name}");
        }
    }
}
