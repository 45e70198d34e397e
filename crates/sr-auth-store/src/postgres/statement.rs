//! An operation as one statement with its parameters.

use std::sync::LazyLock;

use sr_auth_core::Timestamp;
use sr_auth_core::store::StoreOp;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, Row};

use super::fault::Trouble;
use super::schema::Schema;
use crate::stored::call::{Call, Parameter};
use crate::stored::moment;
use crate::stored::record::COLUMNS;
use crate::{BackendError, Sealed};

/// A statement that is ready to be sent.
#[derive(Debug)]
pub(super) struct Statement {
    after: Parameter,
    call: Call,
    text: String,
}

/// What an answer is made of, of a function that returns one.
static ANSWER: LazyLock<String> = LazyLock::new(|| {
    let columns = COLUMNS.map(|it| format!("(record).{it}")).join(", ");
    format!("outcome, at, seen, {columns}")
});

impl Statement {
    /// Writes an operation down; `after` is the latest moment that this process was told.
    ///
    /// # Errors
    ///
    /// As [`Call::of`].
    pub(super) fn of(
        schema: &Schema,
        after: Timestamp,
        op: &StoreOp<Sealed>,
    ) -> Result<Self, BackendError> {
        let columns = if op.key().is_some() { ANSWER.as_str() } else { "*" };
        Ok(Self::call(schema, after, columns, Call::of(op)?))
    }

    /// Has a function called, of whose answer these columns are wanted.
    pub(super) fn call(schema: &Schema, after: Timestamp, columns: &str, call: Call) -> Self {
        let places: String = (2..call.parameters.len() + 2).map(|it| format!(", ${it}")).collect();
        let (schema, name) = (schema.name(), call.name);
        let text = format!("SELECT {columns} FROM \"{schema}\".{name}($1{places})");
        Self { after: Parameter::Number(Some(moment(after))), call, text }
    }

    /// Tells whether it changes nothing that anybody asks for.
    pub(super) const fn is_read(&self) -> bool {
        self.call.is_read
    }

    /// Sends it, and reads all that comes back: one round trip.
    pub(super) async fn run(&self, client: &Client) -> Result<Vec<Row>, Trouble> {
        let parameters = std::iter::once(&self.after).chain(&self.call.parameters);
        let parameters: Vec<_> = parameters.map(typed).collect();
        Ok(client.query_typed(&self.text, &parameters).await?)
    }
}

fn typed(parameter: &Parameter) -> (&(dyn ToSql + Sync), Type) {
    match parameter {
        Parameter::Bytes(it) => (it, Type::BYTEA),
        Parameter::Flag(it) => (it, Type::BOOL),
        Parameter::Number(it) => (it, Type::INT8),
        Parameter::Text(it) => (it, Type::TEXT),
    }
}
