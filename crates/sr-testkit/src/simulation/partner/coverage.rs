//! What the worlds of partners have reached.

use std::collections::BTreeMap;
use std::fmt;

/// Counts what exchanges met, by what each was waiting for, and what else happened.
#[derive(Clone, Debug, Default)]
pub(in crate::simulation) struct PartnerCoverage {
    cells: BTreeMap<(&'static str, &'static str), u64>,
    words: BTreeMap<&'static str, u64>,
}

/// What must happen in each state of an exchange.
const CELLS: [(&str, &[&str]); 11] = [
    ("Activate", &["Stored", "Stored (failed)"]),
    ("Arm", &["Stored", "Stored (failed)", "crash"]),
    ("Begin", &["Stored", "Stored (failed)", "crash"]),
    ("Commit", &["Stored", "Stored (failed)", "crash"]),
    ("Void", &["Stored", "Stored (failed)", "crash"]),
    ("customer token", &["Token", "Token (failed)", "crash"]),
    ("master token", &["Token", "Token (failed)", "crash"]),
    ("pause", &["Timeout"]),
    ("post", &["Response", "TransportFailed", "Timeout", "crash"]),
    ("probe", &["Response", "TransportFailed", "crash"]),
    ("doubt", &["Response", "Timeout", "crash"]),
];

/// What must happen beside.
const WORDS: [&str; 28] = [
    "a call is admitted",
    "a call is refused",
    "a company is confirmed",
    "a company is given up",
    "a double click",
    "a notification comes again",
    "a notification comes after a new consent",
    "a notification is lost",
    "a notification is not answered",
    "a token is refused",
    "an owner gives a company away",
    "called before the answer was there",
    "connected anew after the faults",
    "disabled and told",
    "ended by our own hand",
    "every integration ends",
    "failed: AlreadyIntegrated",
    "failed: BoundElsewhere",
    "failed: Busy",
    "failed: MasterToken",
    "failed: Moved",
    "failed: OutcomeUnknown",
    "failed: Refused",
    "failed: Store",
    "failed: Superseded",
    "failed: Taken",
    "failed: Unavailable",
    "two tenants at once",
];

impl PartnerCoverage {
    /// So many scenarios meet all that is declared.
    pub(in crate::simulation) const ENOUGH: u64 = 2_000;

    pub(in crate::simulation) fn is_empty(&self) -> bool {
        self.cells.is_empty()
    }

    pub(super) fn cell(&mut self, waiting_for: &'static str, input: &'static str) {
        *self.cells.entry((waiting_for, input)).or_default() += 1;
    }

    pub(super) fn word(&mut self, word: &'static str) {
        *self.words.entry(word).or_default() += 1;
    }

    pub(in crate::simulation) fn add(&mut self, other: &Self) {
        for (cell, count) in &other.cells {
            *self.cells.entry(*cell).or_default() += count;
        }
        for (word, count) in &other.words {
            *self.words.entry(word).or_default() += count;
        }
    }

    pub(in crate::simulation) fn met(&self) -> impl Iterator<Item = String> {
        let cells = self.cells.keys().map(|(state, input)| format!("{state} with {input}"));
        cells.chain(self.words.keys().map(|it| (*it).to_owned()))
    }

    pub(in crate::simulation) fn unmet(&self) -> Vec<String> {
        let cells = CELLS.iter().flat_map(|(state, all)| all.iter().map(|it| (*state, *it)));
        let cells = cells.filter(|it| !self.cells.contains_key(it));
        let cells = cells.map(|(state, input)| format!("{state} with {input}"));
        let words = WORDS.iter().filter(|it| !self.words.contains_key(**it));
        cells.chain(words.map(|it| (*it).to_owned())).collect()
    }
}

impl fmt::Display for PartnerCoverage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "\nwhat exchanges met, by what they waited for")?;
        for ((state, input), count) in &self.cells {
            writeln!(f, "  {state:<16} {input:<18} {count:>12}")?;
        }
        writeln!(f, "\nwhat happened beside")?;
        for (word, count) in &self.words {
            writeln!(f, "  {word:<44} {count:>12}")?;
        }
        Ok(())
    }
}
