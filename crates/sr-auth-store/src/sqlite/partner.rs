//! Integrations in the same file: what an operation on them reads and writes.
//!
//! ```text
//!  record  a record as bytes
//!  row     rows of the tables `partner`, `partner_token` and `partner_refusal`
//! ```
//!
//! The meaning is the model's alone: the part of the store that an operation is about is read into
//! a model, the operation is applied to it, and what has changed is written.

mod record;
mod row;

use rusqlite::Connection;
use sr_auth_core::Timestamp;
use sr_auth_core::store::{Generation, Sequence, StoreIdentity};
use sr_partner::IntegrationKey;
use sr_partner::store::{
    CountedRefusals, EndCause, IntegrationChange, IntegrationRecord, IssuedToken, PartnerAnswer,
    PartnerModel, PartnerNews, PartnerOp, PartnerOutcome, RefusedParty,
};

use super::fault::Trouble;
use super::moment::Moments;
use super::operation::{Operation, PRUNED_AT_ONCE, identity};
use crate::Sealed;
use crate::stored::{moment, number, unsigned};

impl Operation for PartnerOp<Sealed> {
    type Answer = PartnerAnswer<Sealed>;

    fn is_read(&self) -> bool {
        match self {
            Self::FindClient { .. }
            | Self::Identify { .. }
            | Self::Load { .. }
            | Self::Pulse { .. }
            | Self::Unsettled { .. } => true,
            Self::Activate { .. }
            | Self::Arm { .. }
            | Self::Begin { .. }
            | Self::Commit { .. }
            | Self::CountRefusal { .. }
            | Self::Disable { .. }
            | Self::End { .. }
            | Self::EndAll { .. }
            | Self::Issue { .. }
            | Self::Void { .. } => false,
        }
    }

    fn apply(self, connection: &Connection, moments: &Moments) -> Result<Self::Answer, Trouble> {
        let outcome = match self {
            Self::End { cause, generation: None, key } => {
                let now = moments.now(connection)?;
                return end(connection, now, cause, key);
            }
            Self::EndAll { cause } => {
                row::remove_nobodys(connection)?;
                let keys = row::open_keys(connection)?;
                let now = moments.now(connection)?;
                let count = keys.len();
                for key in keys {
                    end(connection, now, cause, key)?;
                }
                return Ok(PartnerAnswer { now, outcome: PartnerOutcome::AllEnded { count } });
            }
            Self::Pulse { since } => PartnerOutcome::News(news(connection, since)?),
            Self::Unsettled { limit } => PartnerOutcome::Keys(row::unsettled(connection, limit)?),
            op @ (Self::Activate { .. }
            | Self::Arm { .. }
            | Self::Begin { .. }
            | Self::Commit { .. }
            | Self::CountRefusal { .. }
            | Self::Disable { .. }
            | Self::End { .. }
            | Self::FindClient { .. }
            | Self::Identify { .. }
            | Self::Issue { .. }
            | Self::Load { .. }
            | Self::Void { .. }) => {
                let part = Part::read(connection, &op)?;
                // After the look, so that nothing in the answer is later than the answer.
                let now = moments.now(connection)?;
                return part.apply(connection, now, op);
            }
        };
        Ok(PartnerAnswer { now: moments.now(connection)?, outcome })
    }
}

/// Ends what there is of a company, whatever is in its record: what cannot be read must not keep a
/// credential alive, of this company or of the others that end with it.
fn end(
    connection: &Connection,
    now: Timestamp,
    cause: EndCause,
    key: IntegrationKey,
) -> Result<PartnerAnswer<Sealed>, Trouble> {
    let end = PartnerOp::End { cause, generation: None, key: key.clone() };
    match Part::read(connection, &end) {
        Ok(part) => part.apply(connection, now, end),
        Err(Trouble::Nonsense) => {
            let record = row::write_damaged_as_ended(connection, now, cause, &key)?;
            let sequence = Sequence::default();
            tell(connection, &IntegrationChange { key, live: None, sequence })?;
            touch(connection, now)?;
            Ok(PartnerAnswer { now, outcome: PartnerOutcome::Done(record.without_secrets()) })
        }
        Err(trouble) => Err(trouble),
    }
}

/// The part of the store that an operation is about, as it was before.
#[derive(Debug, Default)]
struct Part {
    others: usize,
    record: Option<(IntegrationKey, IntegrationRecord<Sealed>)>,
    refusals: Vec<CountedRefusals>,
    tokens: Vec<IssuedToken>,
}

impl Part {
    fn read(connection: &Connection, op: &PartnerOp<Sealed>) -> Result<Self, Trouble> {
        let mut part = Self::default();
        match op {
            PartnerOp::Activate { key, .. }
            | PartnerOp::Arm { key, .. }
            | PartnerOp::Commit { key, .. }
            | PartnerOp::Load { key } => part.record = row::record(connection, key)?,
            PartnerOp::Begin { key, .. }
            | PartnerOp::End { key, .. }
            | PartnerOp::Void { key, .. } => {
                part.record = row::record(connection, key)?;
                part.tokens = row::tokens_of(connection, key)?;
            }
            PartnerOp::CountRefusal { client, source, .. } => {
                let parties = parties(*client, *source);
                part.refusals = row::refusals(connection, &parties)?;
                for first in row::first_refusals(connection, parties.len())? {
                    if !part.refusals.iter().any(|it| it.of == first.of) {
                        part.refusals.push(first);
                    }
                }
                part.refusals.sort_by_key(|it| it.of);
                part.others = row::count_refusals(connection)?.saturating_sub(part.refusals.len());
            }
            PartnerOp::Disable { token } | PartnerOp::Identify { token } => {
                part.tokens = row::token(connection, token)?.into_iter().collect();
                if let Some(token) = part.tokens.first() {
                    part.record = row::record(connection, &token.key)?;
                }
            }
            PartnerOp::FindClient { client, source, .. } => {
                part.record = row::record_of_client(connection, client)?;
                part.refusals = row::refusals(connection, &parties(*client, *source))?;
            }
            PartnerOp::Issue { client, .. } => {
                part.record = row::record_of_client(connection, client)?;
                if let Some((key, _)) = &part.record {
                    part.tokens = row::tokens_of(connection, key)?;
                }
            }
            PartnerOp::EndAll { .. } | PartnerOp::Pulse { .. } | PartnerOp::Unsettled { .. } => {}
        }
        Ok(part)
    }

    /// Applies an operation to the part, and writes what has changed.
    fn apply(
        self,
        connection: &Connection,
        now: Timestamp,
        op: PartnerOp<Sealed>,
    ) -> Result<PartnerAnswer<Sealed>, Trouble> {
        let begun = if let PartnerOp::Begin { key, .. } = &op { Some(key.clone()) } else { None };
        let is_read = op.is_read();
        // Who asks for the identity reads it from the file.
        let mut model = PartnerModel::new(StoreIdentity::default());
        if let Some((key, record)) = &self.record {
            model.put(key.clone(), record.clone());
        }
        self.tokens.iter().for_each(|it| model.put_token(it.clone()));
        model.put_refusals(self.refusals.iter().copied(), self.others);
        let answer = model.apply(now, op);
        if !is_read {
            self.write(connection, &mut model, begun, &answer)?;
        }
        Ok(answer)
    }

    fn write(
        self,
        connection: &Connection,
        model: &mut PartnerModel<Sealed>,
        begun: Option<IntegrationKey>,
        answer: &PartnerAnswer<Sealed>,
    ) -> Result<(), Trouble> {
        let mut has_changed = false;
        let (key, before) = self.record.unzip();
        if let Some(key) = key.or(begun)
            && let Some(after) = model.record(&key).filter(|it| before.as_ref() != Some(*it))
        {
            row::write_record(connection, &key, after)?;
            has_changed = true;
        }
        let tokens = model.tokens();
        for gone in
            self.tokens.iter().filter(|it| tokens.iter().all(|kept| kept.digest != it.digest))
        {
            row::remove_token(connection, gone)?;
            has_changed = true;
        }
        for new in tokens.iter().filter(|it| !self.tokens.contains(it)) {
            row::write_token(connection, new)?;
            has_changed = true;
        }
        if let PartnerOutcome::Issued { .. } = answer.outcome {
            row::remove_expired_tokens(connection, answer.now)?;
        }
        let refusals = model.refusals();
        for gone in self.refusals.iter().filter(|it| refusals.iter().all(|kept| kept.of != it.of)) {
            row::remove_refusals(connection, gone.of)?;
            has_changed = true;
        }
        for new in refusals.iter().filter(|it| !self.refusals.contains(it)) {
            row::write_refusals(connection, new)?;
            has_changed = true;
        }
        let told = model.apply(answer.now, PartnerOp::Pulse { since: Sequence::default() });
        if let PartnerOutcome::News(news) = told.outcome {
            news.changes.iter().try_for_each(|it| tell(connection, it))?;
        }
        if has_changed { touch(connection, answer.now) } else { Ok(()) }
    }
}

/// Remembers the moment of a change, for a clock that is set back.
fn touch(connection: &Connection, now: Timestamp) -> Result<(), Trouble> {
    let update = "UPDATE partner_moment SET at = ?1";
    connection.prepare_cached(update)?.execute([moment(now)])?;
    Ok(())
}

fn parties(
    client: sr_partner::ClientKey,
    source: Option<sr_partner::store::SourceKey>,
) -> Vec<RefusedParty> {
    let client = RefusedParty::Client(client);
    std::iter::once(client).chain(source.map(RefusedParty::Source)).collect()
}

fn news(connection: &Connection, since: Sequence) -> Result<PartnerNews, Trouble> {
    let newest = "SELECT ifnull(max(sequence), 0) FROM partner_change";
    let newest: i64 = connection.prepare_cached(newest)?.query_row([], |row| row.get(0))?;
    let since = number(since.0).max(newest - remembered());
    let mut select = connection.prepare_cached(
        "SELECT sequence, app, company, live FROM partner_change
         WHERE sequence > ?1 ORDER BY sequence",
    )?;
    let mut rows = select.query([since])?;
    let mut changes = Vec::new();
    while let Some(row) = rows.next()? {
        let live: Option<i64> = row.get(3)?;
        changes.push(IntegrationChange {
            key: row::key(row, 1)?,
            live: live.map(unsigned).transpose()?.map(Generation::from_number),
            sequence: Sequence(row.get::<_, i64>(0)?.cast_unsigned()),
        });
    }
    let (sequence, store) = (Sequence(newest.cast_unsigned()), identity(connection)?);
    Ok(PartnerNews { changes, sequence, store })
}

fn remembered() -> i64 {
    i64::try_from(PartnerModel::<Sealed>::CHANGES_LIMIT).unwrap_or(i64::MAX)
}

fn tell(connection: &Connection, change: &IntegrationChange) -> Result<(), Trouble> {
    // Without a number it is given the next one.
    let insert = "INSERT INTO partner_change (app, company, live) VALUES (?1, ?2, ?3)";
    connection.prepare_cached(insert)?.execute((
        change.key.app.as_str(),
        change.key.company.as_str(),
        change.live.map(|it| number(it.number())),
    ))?;
    let sequence = connection.last_insert_rowid();
    if sequence % PRUNED_AT_ONCE == 0 {
        let delete = "DELETE FROM partner_change WHERE sequence <= ?1";
        connection.prepare_cached(delete)?.execute([sequence - remembered()])?;
    }
    Ok(())
}
