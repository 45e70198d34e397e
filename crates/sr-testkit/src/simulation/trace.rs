//! What happened, as a number that two runs can be compared by and as a text for people.

use std::fmt;

use sr_auth_core::{Fingerprint, Timestamp};

/// The trace of a run.
#[derive(Debug)]
pub(super) struct Trace {
    hash: u64,
    lines: Option<Vec<String>>,
}

impl Trace {
    /// Begins a trace; `readable` keeps a line for each step as well.
    pub(super) const fn new(readable: bool) -> Self {
        let lines = if readable { Some(Vec::new()) } else { None };
        Self { hash: 0xcbf2_9ce4_8422_2325, lines }
    }

    /// Notes a step: what kind it is, and two numbers of it.
    pub(super) const fn step(&mut self, at: Timestamp, kind: u64, first: u64, second: u64) {
        let mut hash = self.hash;
        hash = (hash ^ at.as_unix_millis()).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        hash = (hash ^ (kind << 32) ^ first).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        hash = (hash ^ second).wrapping_mul(0x94d0_49bb_1331_11eb);
        self.hash = hash ^ (hash >> 29);
    }

    /// Notes a step for people.
    pub(super) fn say(&mut self, at: Timestamp, line: fmt::Arguments<'_>) {
        if let Some(lines) = &mut self.lines {
            lines.push(format!("{at:?} {line}"));
        }
    }

    /// Tells whether it keeps lines for people.
    pub(super) const fn is_readable(&self) -> bool {
        self.lines.is_some()
    }

    pub(super) const fn hash(&self) -> u64 {
        self.hash
    }

    pub(super) fn into_lines(self) -> Vec<String> {
        self.lines.unwrap_or_default()
    }
}

/// The first bytes of a name, as a number.
pub(super) fn number(name: Option<Fingerprint>) -> u64 {
    name.map_or(0, |name| {
        let [a, b, c, d, e, f, g, h, ..] = *name.as_bytes();
        u64::from_le_bytes([a, b, c, d, e, f, g, h])
    })
}
