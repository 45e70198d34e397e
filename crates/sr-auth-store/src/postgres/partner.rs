//! Operations on integrations, as statements (partner.sql).

use std::sync::LazyLock;

use sr_auth_core::Timestamp;
use sr_partner::store::{PartnerAnswer, PartnerOp};
use tokio_postgres::Row;

use super::answer::{Raw, Reader};
use super::schema::Schema;
use super::statement::Statement;
use crate::stored::Nonsense;
use crate::stored::call::Call;
use crate::stored::partner::answer;
use crate::stored::partner::record::{COLUMNS, PartnerFields};
use crate::{BackendError, Sealed};

/// What an answer with a record is made of.
static OF_COMPANY: LazyLock<String> = LazyLock::new(|| {
    let columns = COLUMNS.map(|it| format!("(record).{it}")).join(", ");
    format!("outcome, at, until, {columns}")
});

/// What an answer with a token is made of.
const OF_TOKEN: &str = "outcome, at, (token).app, (token).company, (token).generation, \
     (token).expires_at, (token).scopes, (token).tenant";

/// Writes an operation down; `after` is the latest moment that this process was told.
///
/// # Errors
///
/// As [`Call::of_partner`].
pub(super) fn statement(
    schema: &Schema,
    after: Timestamp,
    op: &PartnerOp<Sealed>,
) -> Result<Statement, BackendError> {
    let columns = match op {
        PartnerOp::Activate { .. }
        | PartnerOp::Arm { .. }
        | PartnerOp::Begin { .. }
        | PartnerOp::Commit { .. }
        | PartnerOp::End { .. }
        | PartnerOp::Load { .. }
        | PartnerOp::Void { .. } => OF_COMPANY.as_str(),
        PartnerOp::Disable { .. } | PartnerOp::Identify { .. } => OF_TOKEN,
        PartnerOp::CountRefusal { .. }
        | PartnerOp::EndAll { .. }
        | PartnerOp::FindClient { .. }
        | PartnerOp::Issue { .. }
        | PartnerOp::Pulse { .. }
        | PartnerOp::Unsettled { .. } => "*",
    };
    Ok(Statement::call(schema, after, columns, Call::of_partner(op)?))
}

/// Reads the answer to an operation.
pub(super) fn read(
    op: &PartnerOp<Sealed>,
    rows: &[Row],
) -> Result<PartnerAnswer<Sealed>, Nonsense> {
    answer::read(op, &mut Reader::of(rows.first().ok_or(Nonsense)?))
}

impl PartnerFields for Reader<'_> {
    fn list(&mut self) -> Result<Vec<Vec<u8>>, Nonsense> {
        Ok(self.read::<Vec<Raw>>()?.into_iter().map(|it| it.0).collect())
    }

    fn numbers(&mut self) -> Result<Vec<Option<i64>>, Nonsense> {
        self.read()
    }
}
