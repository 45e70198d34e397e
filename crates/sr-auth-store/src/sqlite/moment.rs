//! The store's clock: one for all processes that share the file, and it never goes back.
//!
//! The wall clock of a machine is set forward and back, by people and by time servers. A quiet
//! period that was begun before must neither end early nor last a day longer. So the store takes
//! the wall clock once for each start of the system, and counts on from there with the clock that
//! runs since that start: all processes share it and nobody can set it. After a restart no request
//! of before is under way any more, and the wall clock counts again, unless the store has seen a
//! later moment: then it goes on from that one.

use rusqlite::Connection;
use sr_auth_core::Timestamp;

use super::fault::Trouble;
use crate::clock::{Boot, Clock, Highest, running_for};
use crate::stored::{moment, number, timestamp};

/// The latest moment that is written anywhere: a sign of life is as late as an intent, a change as
/// late as a ledger. What is written about integrations has its moment beside it.
const LATEST: &str = "SELECT max(
  ifnull((SELECT max(seen) FROM owner), 0),
  ifnull((SELECT at FROM change ORDER BY sequence DESC LIMIT 1), 0),
  (SELECT at FROM partner_moment),
  (SELECT moment FROM store))";

/// Tells the time.
#[derive(Debug)]
pub(super) struct Moments {
    highest: Highest,
    source: Source,
}

#[derive(Debug)]
enum Source {
    /// Counted from the start of the system.
    Anchored(Anchor),
    /// A clock that can be set: it is compared with what is written.
    Compared(Clock),
}

/// A moment of the store, and for how long the system had been running then.
#[derive(Clone, Debug, Eq, PartialEq)]
struct Anchor {
    boot: Boot,
    moment: Timestamp,
}

impl Anchor {
    /// Returns the store's moment when the system has been running for so many milliseconds.
    fn after(&self, running_for: u64) -> Timestamp {
        let since = running_for.saturating_sub(self.boot.running_for);
        Timestamp::from_unix_millis(self.moment.as_unix_millis().saturating_add(since))
    }

    /// Returns what counts from now on: the anchor of this start of the system, or a new one.
    fn settle(self, boot: Boot, wall: Timestamp, latest: Timestamp) -> Self {
        let is_of_this_start = self.boot.id == boot.id && self.boot.running_for <= boot.running_for;
        if is_of_this_start && self.after(boot.running_for) >= latest {
            return self;
        }
        Self { boot, moment: wall.max(latest) }
    }
}

impl Moments {
    /// Finds out the time, inside the transaction that is open.
    pub(super) fn settle(connection: &Connection, clock: Option<Clock>) -> Result<Self, Trouble> {
        let highest = Highest::default();
        let (boot, clock) = match clock {
            Some(clock) => (None, clock),
            None => (Boot::now(), Clock::Wall),
        };
        let Some(boot) = boot else {
            return Ok(Self { highest, source: Source::Compared(clock) });
        };
        let stored = read(connection)?;
        let anchor = stored.clone().settle(boot, clock.now(), latest(connection)?);
        if anchor != stored {
            write(connection, &anchor)?;
        }
        Ok(Self { highest, source: Source::Anchored(anchor) })
    }

    /// Returns the time, not before anything that this connection sees.
    pub(super) fn now(&self, connection: &Connection) -> Result<Timestamp, Trouble> {
        let now = match &self.source {
            Source::Anchored(anchor) => anchor.after(running_for()),
            Source::Compared(clock) => clock.now().max(latest(connection)?),
        };
        Ok(self.highest.at_least(now))
    }
}

fn latest(connection: &Connection) -> Result<Timestamp, Trouble> {
    let latest = connection.prepare_cached(LATEST)?.query_row([], |row| row.get(0))?;
    Ok(timestamp(latest)?)
}

fn read(connection: &Connection) -> Result<Anchor, Trouble> {
    let (id, running_for, moment): (String, i64, i64) =
        connection.query_row("SELECT boot, booted_for, moment FROM store", [], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?))
        })?;
    let running_for = timestamp(running_for)?.as_unix_millis();
    Ok(Anchor { boot: Boot { id, running_for }, moment: timestamp(moment)? })
}

fn write(connection: &Connection, anchor: &Anchor) -> Result<(), Trouble> {
    let update = "UPDATE store SET boot = ?1, booted_for = ?2, moment = ?3";
    let Anchor { boot, moment: at } = anchor;
    connection.execute(update, (&boot.id, number(boot.running_for), moment(*at)))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_is_set_moves_nothing_before_the_system_is_started_again() {
        const DAY: u64 = 86_400;
        let secs = Timestamp::from_unix_secs;
        let boot = |id: &str, secs: u64| Boot { id: id.to_owned(), running_for: secs * 1_000 };
        // Begun 50 s after start `a`, when the wall clock said ten days.
        let begun = Anchor { boot: boot("a", 50), moment: secs(10 * DAY) };
        // Name, system, wall clock, latest moment in the file, what the store says.
        let cases = [
            ("ten seconds later", boot("a", 60), 10 * DAY + 10, 10 * DAY + 5, 10 * DAY + 10),
            ("set back a day", boot("a", 60), 9 * DAY + 10, 10 * DAY + 5, 10 * DAY + 10),
            ("set forward a day", boot("a", 60), 11 * DAY + 10, 10 * DAY + 5, 10 * DAY + 10),
            ("the file is ahead", boot("a", 60), 10 * DAY + 10, 12 * DAY, 12 * DAY),
            ("started again", boot("b", 9), 10 * DAY + 200, 10 * DAY + 5, 10 * DAY + 200),
            ("started again, set back a day", boot("b", 9), 9 * DAY, 10 * DAY + 5, 10 * DAY + 5),
            ("started again, set forward", boot("b", 9), 11 * DAY, 10 * DAY + 5, 11 * DAY),
            ("the same name, and younger", boot("a", 9), 10 * DAY + 300, 0, 10 * DAY + 300),
        ];
        for (name, system, wall, latest, expected) in cases {
            let settled = begun.clone().settle(system.clone(), secs(wall), secs(latest));
            assert_eq!(settled.after(system.running_for), secs(expected), "{name}");
            // From there on it goes at the pace of the system, whatever the wall clock says.
            let later = settled.after(system.running_for + 135_000);
            assert_eq!(later, secs(expected + 135), "{name}, later");
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn the_system_has_a_clock_since_its_start() {
        let boot = Boot::now().unwrap();
        assert!(!boot.id.is_empty());
        assert!(boot.running_for > 0 && boot.running_for <= running_for());
    }
}
