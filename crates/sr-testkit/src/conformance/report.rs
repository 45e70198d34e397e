//! What a run of the suite found.

use std::collections::BTreeMap;
use std::fmt;

use super::rule::Rule;

/// What a run of the suite found.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Report {
    left_out: Vec<&'static str>,
    seen: BTreeMap<(&'static str, &'static str), u64>,
    violations: Vec<Violation>,
}

impl Report {
    /// Tells whether no rule was broken.
    #[must_use]
    pub const fn conforms(&self) -> bool {
        self.violations.is_empty()
    }

    /// Tells whether a rule was broken.
    #[must_use]
    pub fn breaks(&self, rule: Rule) -> bool {
        self.violations.iter().any(|it| it.rule == rule)
    }

    /// Returns what was broken, in the order in which it was found.
    #[must_use]
    pub fn violations(&self) -> &[Violation] {
        &self.violations
    }

    /// Returns how often each operation had each outcome that was right.
    pub fn outcomes(&self) -> impl Iterator<Item = (&'static str, &'static str, u64)> {
        self.seen.iter().map(|((op, outcome), count)| (*op, *outcome, *count))
    }

    /// Returns what could not be tried, each with the reason.
    #[must_use]
    pub fn left_out(&self) -> &[&'static str] {
        &self.left_out
    }

    pub(super) fn add(&mut self, violation: Violation) {
        self.violations.push(violation);
    }

    pub(super) fn leave_out(&mut self, what: &'static str) {
        if !self.left_out.contains(&what) {
            self.left_out.push(what);
        }
    }

    pub(super) fn has_seen(&self, op: &'static str, outcome: &'static str) -> bool {
        self.seen.contains_key(&(op, outcome))
    }

    pub(super) fn absorb(&mut self, seen: &BTreeMap<(&'static str, &'static str), u64>) {
        for (pair, count) in seen {
            *self.seen.entry(*pair).or_default() += count;
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.conforms() {
            let operations: u64 = self.seen.values().sum();
            writeln!(f, "the backend keeps to its contract in {operations} operations")?;
        }
        for violation in &self.violations {
            writeln!(f, "{violation}")?;
        }
        for what in &self.left_out {
            writeln!(f, "left out: {what}")?;
        }
        Ok(())
    }
}

/// One broken rule, and the scene in which it was broken.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{rule}; {scene}: {saw}")]
pub struct Violation {
    rule: Rule,
    saw: String,
    scene: String,
}

impl Violation {
    pub(super) fn new(rule: Rule, scene: &str, saw: String) -> Self {
        Self { rule, saw, scene: scene.to_owned() }
    }

    /// Returns the rule.
    #[must_use]
    pub const fn rule(&self) -> Rule {
        self.rule
    }

    /// Returns what was seen instead.
    #[must_use]
    pub fn saw(&self) -> &str {
        &self.saw
    }

    /// Returns what was going on; for a generated sequence, its seed and its steps.
    #[must_use]
    pub fn scene(&self) -> &str {
        &self.scene
    }
}
