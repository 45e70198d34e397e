//! What an operation reads and writes.
//!
//! The meaning is the model's alone: the record is read, the operation is applied to a model of
//! this one grant, and what has changed is written, all inside one transaction that nobody else
//! writes beside.

use rusqlite::{Connection, OptionalExtension as _};
use sr_auth_core::Timestamp;
use sr_auth_core::store::{
    Change, Generation, GrantKey, Model, OwnerId, Pulse, Record, Sequence, StoreAnswer,
    StoreIdentity, StoreOp, StoreOutcome,
};

use super::fault::Trouble;
use super::moment::Moments;
use super::row;
use crate::Sealed;
use crate::stored::{health_name, health_of, moment, number, timestamp};

/// Changes that are not remembered any more are removed this many at a time.
pub(super) const PRUNED_AT_ONCE: i64 = 256;

/// What the threads can do.
pub(super) trait Operation: Clone + Send + 'static {
    type Answer: Send + 'static;

    /// Tells whether it changes nothing, so that it needs neither lock nor sync.
    fn is_read(&self) -> bool;

    /// Carries it out, inside the transaction that is open: one that nobody else writes beside,
    /// unless it only reads.
    fn apply(self, connection: &Connection, moments: &Moments) -> Result<Self::Answer, Trouble>;
}

impl Operation for StoreOp<Sealed> {
    type Answer = StoreAnswer<Sealed>;

    fn is_read(&self) -> bool {
        matches!(self, Self::Due { .. } | Self::Load { .. } | Self::Pulse { alive: false, .. })
    }

    fn apply(self, connection: &Connection, moments: &Moments) -> Result<Self::Answer, Trouble> {
        if self.is_read() {
            read(connection, moments, self)
        } else {
            apply(connection, moments, self)
        }
    }
}

fn apply(
    connection: &Connection,
    moments: &Moments,
    op: StoreOp<Sealed>,
) -> Result<StoreAnswer<Sealed>, Trouble> {
    if let StoreOp::Pulse { alive: true, owner, since } = op {
        // The sign of life is as late as the answer says.
        let now = moments.now(connection)?;
        see(connection, owner, now)?;
        return pulse(connection, owner, since, now);
    }
    let Some(key) = op.key().filter(|_| !op.is_read()).cloned() else {
        return read(connection, moments, op);
    };
    let before = row::read(connection, &key)?;
    let arming = if let StoreOp::Arm { intent, .. } = &op { Some(intent.id.owner) } else { None };
    // Who asks for the identity reads it from the file.
    let mut model = Model::new(StoreIdentity::default());
    if let Some(record) = &before {
        model.put(key.clone(), record.clone());
        if let Some((owner, seen)) = last_seen(connection, record, arming)? {
            model.put_sign_of_life(owner, seen);
        }
    }
    let answer = model.apply(moments.now(connection)?, op);
    if let Some(after) = model.record(&key).filter(|it| before.as_ref() != Some(*it)) {
        row::write(connection, &key, after, before.is_none())?;
        if let Some(owner) = arming {
            see(connection, owner, answer.now)?;
        }
    }
    for change in told(&mut model, answer.now) {
        tell(connection, answer.now, &change)?;
    }
    Ok(answer)
}

/// Carries out an operation that changes nothing.
fn read(
    connection: &Connection,
    moments: &Moments,
    op: StoreOp<Sealed>,
) -> Result<StoreAnswer<Sealed>, Trouble> {
    let outcome = match op {
        StoreOp::Due { limit, until } => StoreOutcome::Due(due(connection, limit, until)?),
        StoreOp::Load { key } => {
            row::read(connection, &key)?.map_or(StoreOutcome::Missing, StoreOutcome::Loaded)
        }
        StoreOp::Pulse { owner, since, .. } => {
            // The look begins before the time is taken.
            newest(connection)?;
            let now = moments.now(connection)?;
            return pulse(connection, owner, since, now);
        }
        StoreOp::Adopt { .. }
        | StoreOp::Arm { .. }
        | StoreOp::Bury { .. }
        | StoreOp::Commit { .. }
        | StoreOp::Disarm { .. }
        | StoreOp::End { .. }
        | StoreOp::Escrow { .. } => return apply(connection, moments, op),
    };
    // After the look, so that nothing in the answer is later than the answer.
    Ok(StoreAnswer { now: moments.now(connection)?, outcome })
}

fn due(connection: &Connection, limit: usize, until: Timestamp) -> Result<Vec<GrantKey>, Trouble> {
    let mut select = connection.prepare_cached(
        "SELECT key FROM rotation WHERE due_at <= ?1 ORDER BY due_at, key LIMIT ?2",
    )?;
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let mut rows = select.query((moment(until), limit))?;
    let mut keys = Vec::new();
    while let Some(row) = rows.next()? {
        keys.push(key_of(row.get_ref(0)?.as_str().map_err(|_| Trouble::Nonsense)?)?);
    }
    Ok(keys)
}

fn pulse(
    connection: &Connection,
    owner: OwnerId,
    since: Sequence,
    now: Timestamp,
) -> Result<StoreAnswer<Sealed>, Trouble> {
    let newest = newest(connection)?;
    let others: i64 = connection
        .prepare_cached("SELECT count(*) FROM owner WHERE seen > ?1 AND id <> ?2")?
        .query_row((moment(now) - number_of_life_sign(), owner.number().to_be_bytes()), |row| {
            row.get(0)
        })?;
    let pulse = Pulse {
        changes: changes(connection, number(since.0), newest)?,
        processes: u32::try_from(others).unwrap_or(u32::MAX).saturating_add(1),
        sequence: Sequence(newest.cast_unsigned()),
        store: identity(connection)?,
    };
    Ok(StoreAnswer { now, outcome: StoreOutcome::Pulse(pulse) })
}

fn number_of_life_sign() -> i64 {
    i64::try_from(Model::<Sealed>::LIFE_SIGN.as_millis()).unwrap_or(i64::MAX)
}

/// Returns which store it is: of a file that was restored in its place, another one perhaps.
pub(super) fn identity(connection: &Connection) -> Result<StoreIdentity, Trouble> {
    let mut select = connection.prepare_cached("SELECT identity FROM store")?;
    let identity = select.query_row([], |row| row.get(0))?;
    Ok(StoreIdentity(u128::from_be_bytes(identity)))
}

fn newest(connection: &Connection) -> Result<i64, Trouble> {
    let mut select = connection.prepare_cached("SELECT ifnull(max(sequence), 0) FROM change")?;
    Ok(select.query_row([], |row| row.get(0))?)
}

/// Returns the changes since, of those that are remembered.
fn changes(connection: &Connection, since: i64, newest: i64) -> Result<Vec<Change>, Trouble> {
    let since = since.max(newest - remembered());
    let mut select = connection.prepare_cached(
        "SELECT sequence, key, generation, health, owner FROM change
         WHERE sequence > ?1 ORDER BY sequence",
    )?;
    let mut rows = select.query([since])?;
    let mut changes = Vec::new();
    while let Some(row) = rows.next()? {
        let text = |at| row.get_ref(at)?.as_str().map_err(|_| Trouble::Nonsense);
        let owner: Option<[u8; 16]> = row.get(4)?;
        changes.push(Change {
            generation: Generation::from_number(timestamp(row.get(2)?)?.as_unix_millis()),
            health: health_of(text(3)?)?,
            key: key_of(text(1)?)?,
            owner: owner.map(|it| OwnerId::new(u128::from_be_bytes(it))),
            sequence: Sequence(row.get::<_, i64>(0)?.cast_unsigned()),
        });
    }
    Ok(changes)
}

fn remembered() -> i64 {
    i64::try_from(Model::<Sealed>::CHANGES_LIMIT).unwrap_or(i64::MAX)
}

fn key_of(text: &str) -> Result<GrantKey, Trouble> {
    GrantKey::new(text).map_err(|_| Trouble::Nonsense)
}

/// Returns when the owner of the standing intent has last shown a sign of life, if another arms.
fn last_seen(
    connection: &Connection,
    record: &Record<Sealed>,
    arming: Option<OwnerId>,
) -> Result<Option<(OwnerId, Timestamp)>, Trouble> {
    let standing = record.intent.as_ref().map(|it| it.id.owner);
    let Some(owner) = standing.filter(|it| arming.is_some_and(|by| by != *it)) else {
        return Ok(None);
    };
    let mut select = connection.prepare_cached("SELECT seen FROM owner WHERE id = ?1")?;
    let seen = select.query_row([owner.number().to_be_bytes()], |row| row.get(0)).optional()?;
    seen.map(|seen| Ok((owner, timestamp(seen)?))).transpose()
}

/// Writes a sign of life.
fn see(connection: &Connection, owner: OwnerId, now: Timestamp) -> Result<(), Trouble> {
    connection
        .prepare_cached(
            "INSERT INTO owner (id, seen) VALUES (?1, ?2)
             ON CONFLICT (id) DO UPDATE SET seen = excluded.seen",
        )?
        .execute((owner.number().to_be_bytes(), moment(now)))?;
    Ok(())
}

/// Returns what the model of this one grant has told.
fn told(model: &mut Model<Sealed>, now: Timestamp) -> Vec<Change> {
    let (owner, since) = (OwnerId::new(0), Sequence::default());
    let answer = model.apply(now, StoreOp::Pulse { alive: false, owner, since });
    if let StoreOutcome::Pulse(pulse) = answer.outcome { pulse.changes } else { Vec::new() }
}

fn tell(connection: &Connection, now: Timestamp, change: &Change) -> Result<(), Trouble> {
    // Without a number it is given the next one.
    connection
        .prepare_cached(
            "INSERT INTO change (at, key, generation, health, owner) VALUES (?1, ?2, ?3, ?4, ?5)",
        )?
        .execute((
            moment(now),
            change.key.as_str(),
            number(change.generation.number()),
            health_name(change.health)?,
            change.owner.map(|it| it.number().to_be_bytes()),
        ))?;
    let sequence = connection.last_insert_rowid();
    if sequence % PRUNED_AT_ONCE == 0 {
        let mut delete = connection.prepare_cached("DELETE FROM change WHERE sequence <= ?1")?;
        delete.execute([sequence - remembered()])?;
    }
    Ok(())
}
