//! The bare drivers: what somebody would write who has no library of ours, only its functions.

use std::sync::LazyLock;

use redis::aio::MultiplexedConnection;
use redis::{Client, Script, cmd};
use tokio_postgres::NoTls;
use tokio_postgres::types::{ToSql, Type};

use super::step::Value;

/// The bare driver of one of the servers.
pub(super) enum Bare {
    Postgres(Postgres),
    Redis(Redis),
}

impl Bare {
    /// Connects to the store of this name.
    pub(super) async fn connect(address: &str, name: &str) -> Self {
        if address.starts_with("redis:") {
            Self::Redis(Redis::connect(address, name).await)
        } else {
            Self::Postgres(Postgres::connect(address, name).await)
        }
    }

    pub(super) async fn ask_nothing(&self) {
        match self {
            Self::Postgres(it) => it.ask_nothing().await,
            Self::Redis(it) => it.ping().await,
        }
    }

    pub(super) async fn read_a_row(&self) {
        match self {
            Self::Postgres(it) => it.read_a_row().await,
            Self::Redis(it) => it.get().await,
        }
    }

    pub(super) async fn write_a_row(&self) {
        match self {
            Self::Postgres(it) => it.write_a_row().await,
            Self::Redis(it) => it.set().await,
        }
    }

    /// Has an operation carried out, and returns the word that says what came of it, where there is
    /// one.
    pub(super) async fn call(&self, name: &str, values: &[Value]) -> Option<String> {
        match self {
            Self::Postgres(it) => it.call(name, values).await,
            Self::Redis(it) => it.call(name, values).await,
        }
    }
}

/// The columns of an answer about a grant.
static RECORD: LazyLock<String> = LazyLock::new(|| {
    let tokens = ["access", "refresh", "sibling"].into_iter().flat_map(|of| {
        ["value", "fingerprint", "renew_at", "ends_at"].map(|part| format!("{of}_{part}"))
    });
    let rest = "renewal generation health not_before unsettled sibling_from intent_owner \
                intent_number intent_fingerprint intent_attempt intent_armed_at intent_quiet \
                refusals_count refusals_status refusals_first_at ledger";
    let names = tokens.chain(rest.split_whitespace().map(str::to_owned));
    let columns: Vec<_> = names.map(|it| format!("(record).{it}")).collect();
    format!("outcome, at, seen, {}", columns.join(", "))
});

/// PostgreSQL, through `tokio-postgres`.
pub(super) struct Postgres {
    client: tokio_postgres::Client,
    schema: String,
}

impl Postgres {
    async fn connect(address: &str, schema: &str) -> Self {
        let connected = tokio_postgres::connect(address, NoTls).await;
        let (client, connection) = connected.expect("the server answers");
        tokio::spawn(connection);
        // For what is less than an operation.
        let table = format!(
            "CREATE TABLE IF NOT EXISTS {schema}.bare (key text PRIMARY KEY, value bytea);
             INSERT INTO {schema}.bare VALUES ('one', '') ON CONFLICT DO NOTHING"
        );
        client.batch_execute(&table).await.expect("a table");
        Self { client, schema: schema.to_owned() }
    }

    async fn ask_nothing(&self) {
        self.client.query_typed("SELECT", &[]).await.map(drop).expect("the server answers");
    }

    async fn read_a_row(&self) {
        let select = format!("SELECT value FROM {}.bare WHERE key = $1", self.schema);
        let rows = self.client.query_typed(&select, &[(&"one", Type::TEXT)]).await;
        let rows = rows.expect("the server answers");
        drop(rows.first().expect("there is one").get::<_, Vec<u8>>(0));
    }

    async fn write_a_row(&self) {
        let update = format!("UPDATE {}.bare SET value = $2 WHERE key = $1", self.schema);
        let value = [7_u8; 200];
        let parameters: [(&(dyn ToSql + Sync), Type); 2] =
            [(&"one", Type::TEXT), (&value.as_slice(), Type::BYTEA)];
        self.client.query_typed(&update, &parameters).await.map(drop).expect("it is written");
    }

    /// Calls a function, and returns the word that says what came of it, where it says one.
    async fn call(&self, name: &str, values: &[Value]) -> Option<String> {
        // `at` comes first where an answer is about no grant.
        let is_of_grant = !matches!(name, "due" | "pulse");
        let columns = if is_of_grant { RECORD.as_str() } else { "*" };
        let places: String = (2..values.len() + 2).map(|it| format!(", ${it}")).collect();
        let text = format!("SELECT {columns} FROM {}.{name}($1{places})", self.schema);
        let mut parameters: Vec<(&(dyn ToSql + Sync), Type)> = vec![(&0_i64, Type::INT8)];
        parameters.extend(values.iter().map(|value| -> (&(dyn ToSql + Sync), Type) {
            match value {
                Value::Bytes(it) => (it, Type::BYTEA),
                Value::Flag(it) => (it, Type::BOOL),
                Value::Number(it) => (it, Type::INT8),
                Value::Text(it) => (it, Type::TEXT),
            }
        }));
        let rows = self.client.query_typed(&text, &parameters).await;
        let rows = rows.unwrap_or_else(|error| panic!("{name}: {error}"));
        let row = rows.first().expect("each function returns a row");
        is_of_grant.then(|| row.get(0))
    }
}

/// Redis, through `redis`.
pub(super) struct Redis {
    connection: MultiplexedConnection,
    name: String,
    script: Script,
}

impl Redis {
    async fn connect(address: &str, name: &str) -> Self {
        let client = Client::open(address).expect("a good address");
        let connection = client.get_multiplexed_async_connection().await;
        let script = Script::new(concat!(
            include_str!("../../../crates/sr-auth-store/src/redis/common.lua"),
            include_str!("../../../crates/sr-auth-store/src/redis/script.lua"),
        ));
        let connection = connection.expect("the server answers");
        Self { connection, name: name.to_owned(), script }
    }

    async fn ping(&self) {
        let said = cmd("PING").query_async::<String>(&mut self.connection.clone()).await;
        assert_eq!(said.expect("the server answers"), "PONG");
    }

    async fn get(&self) {
        let mut connection = self.connection.clone();
        let key = format!("{{{}}}:bare", self.name);
        let said = cmd("GET").arg(key).query_async::<Vec<u8>>(&mut connection).await;
        said.map(drop).expect("the server answers");
    }

    async fn set(&self) {
        let mut connection = self.connection.clone();
        let key = format!("{{{}}}:bare", self.name);
        let said = cmd("SET").arg(key).arg(&[7_u8; 200]).query_async::<()>(&mut connection).await;
        said.expect("it is written");
    }

    /// Calls the script, and returns the word that says what came of it.
    async fn call(&self, name: &str, values: &[Value]) -> Option<String> {
        let mut connection = self.connection.clone();
        let key = match values.first() {
            Some(Value::Text(key)) => Some(format!("{{{}}}:grant:{key}", self.name)),
            Some(_) | None => None,
        };
        let mut command = cmd("EVALSHA");
        command.arg(self.script.get_hash()).arg(4 + usize::from(key.is_some()));
        for of in ["store", "due", "changes", "owners"] {
            command.arg(format!("{{{}}}:{of}", self.name));
        }
        command.arg(key).arg(name).arg(0);
        for value in values {
            match value {
                Value::Bytes(bytes) => command.arg(bytes.as_deref().unwrap_or_default()),
                Value::Flag(flag) => command.arg(i32::from(*flag)),
                Value::Number(None) => command.arg(""),
                Value::Number(Some(number)) => command.arg(number),
                Value::Text(text) => command.arg(text),
            };
        }
        let said = command.query_async::<Vec<redis::Value>>(&mut connection).await;
        let said = said.unwrap_or_else(|error| panic!("{name}: {error}"));
        let Some(redis::Value::BulkString(word)) = said.first() else { return None };
        String::from_utf8(word.clone()).ok()
    }
}
