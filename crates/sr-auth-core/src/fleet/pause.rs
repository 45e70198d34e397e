//! Spans in which something does not happen.

use std::time::Duration;

use crate::Timestamp;

/// A pause that a clock cannot make longer by being set back.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(super) struct Pause {
    from: Timestamp,
    until: Timestamp,
}

impl Pause {
    pub(super) fn new(now: Timestamp, span: Duration) -> Self {
        Self { from: now, until: now.after(span) }
    }

    /// Returns the pause as it is at `now`: from the start again when that lies ahead.
    pub(super) fn seen_at(self, now: Timestamp) -> Self {
        if now < self.from { Self::new(now, self.until.since(self.from)) } else { self }
    }

    pub(super) fn is_over(self, now: Timestamp) -> bool {
        now >= self.until
    }

    pub(super) const fn until(self) -> Timestamp {
        self.until
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pause_ends_at_its_moment_or_its_span_after_the_clock_was_set_back() {
        let at = Timestamp::from_unix_secs;
        let pause = Pause::new(at(1_000), Duration::from_secs(30));
        let cases = [(1_000, 1_030, false), (1_029, 1_030, false), (1_030, 1_030, true)];
        for (now, until, is_over) in cases.into_iter().chain([(400, 430, false)]) {
            let seen = pause.seen_at(at(now));
            assert_eq!((seen.until(), seen.is_over(at(now))), (at(until), is_over), "{now}");
        }
    }
}
