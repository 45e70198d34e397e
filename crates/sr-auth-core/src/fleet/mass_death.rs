//! Refusals of many grants at once are about something else than each of them.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::pause::Pause;
use crate::Timestamp;
use crate::lifecycle::Margins;
use crate::store::GrantKey;

/// Says whether `invalid_grant` is believed.
///
/// When more than one grant in a hundred, and more than five, are refused within ten minutes, the
/// server or our copy of the tokens is at fault. Nothing is lost by waiting: a refusal that is not
/// believed is counted, and believed in the end.
#[derive(Clone, Debug)]
pub(super) struct MassDeath {
    belief: Belief,
    by_key: BTreeMap<GrantKey, Timestamp>,
    by_time: BTreeSet<(Timestamp, GrantKey)>,
    /// How long after the last refusal that was one too many refusals are believed again: 8 hours.
    calm: Duration,
    told: bool,
    /// In which span refusals count together.
    window: Duration,
}

/// What an operator decides about refusals.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "by number, or by one of two orders")]
pub enum Ruling {
    /// The number of refusals decides, counted from now on.
    Automatic,
    /// They are believed, however many.
    Believe,
    /// They are not believed, however few.
    Doubt,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Belief {
    Believing,
    Doubting { calm: Pause },
    Ruled { believe: bool },
}

impl MassDeath {
    /// Believes, and counts what comes within ten minutes.
    pub(super) fn new(margins: &Margins) -> Self {
        Self {
            belief: Belief::Believing,
            by_key: BTreeMap::new(),
            by_time: BTreeSet::new(),
            // A third longer than a grant waits at most that was not believed: the same wave must
            // not come back and kill.
            calm: margins.pause_of_refusals(u32::MAX) * 4 / 3,
            told: true,
            window: margins.longest_pause() * 10,
        }
    }

    /// Notes that the server refused a grant, one of `known`.
    pub(super) fn refused(&mut self, now: Timestamp, key: &GrantKey, known: usize) {
        self.forget_old(now);
        self.withdrawn(key);
        self.by_key.insert(key.clone(), now);
        self.by_time.insert((now, key.clone()));
        let limit = 5.max(known / 100);
        self.belief = self.next(now, self.by_time.len() > limit);
        // One more than the limit says all there is to say.
        while self.by_time.len() > limit.saturating_add(1) {
            self.drop_first();
        }
    }

    /// Notes that a refusal was explained otherwise: the grant had moved on.
    pub(super) fn withdrawn(&mut self, key: &GrantKey) {
        if let Some(at) = self.by_key.remove(key) {
            self.by_time.remove(&(at, key.clone()));
        }
    }

    /// Says whether a refusal is believed.
    pub(super) fn believes(&mut self, now: Timestamp) -> bool {
        self.belief = self.next(now, false);
        matches!(self.belief, Belief::Believing | Belief::Ruled { believe: true })
    }

    /// Returns what is believed, when that is not what was told last.
    pub(super) fn news(&mut self, now: Timestamp) -> Option<bool> {
        let believes = self.believes(now);
        let is_new = self.told != believes;
        self.told = believes;
        is_new.then_some(believes)
    }

    /// Carries out what an operator decided.
    pub(super) fn rule(&mut self, ruling: Ruling) {
        self.by_key.clear();
        self.by_time.clear();
        self.belief = match ruling {
            Ruling::Automatic => Belief::Believing,
            Ruling::Believe => Belief::Ruled { believe: true },
            Ruling::Doubt => Belief::Ruled { believe: false },
        };
    }

    fn next(&self, now: Timestamp, are_many: bool) -> Belief {
        match self.belief {
            Belief::Believing | Belief::Doubting { .. } if are_many => {
                Belief::Doubting { calm: Pause::new(now, self.calm) }
            }
            Belief::Doubting { calm } if !calm.seen_at(now).is_over(now) => {
                Belief::Doubting { calm: calm.seen_at(now) }
            }
            Belief::Believing | Belief::Doubting { .. } => Belief::Believing,
            ruled @ Belief::Ruled { .. } => ruled,
        }
    }

    fn forget_old(&mut self, now: Timestamp) {
        // After a clock that was set back, what lies ahead happened just now.
        while let Some((at, key)) = self.by_time.last().filter(|(at, _)| *at > now).cloned() {
            self.by_time.remove(&(at, key.clone()));
            self.by_key.insert(key.clone(), now);
            self.by_time.insert((now, key));
        }
        while self.by_time.first().is_some_and(|(at, _)| now.since(*at) >= self.window) {
            self.drop_first();
        }
    }

    fn drop_first(&mut self) {
        if let Some((_, key)) = self.by_time.pop_first() {
            self.by_key.remove(&key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_of_too_many_grants_at_once_are_not_believed() {
        // How many are refused, of how many, one each so many seconds; asked when, believed?
        let cases = [
            ("five of few", 5, 20, 1, 5, true),
            ("six of few", 6, 20, 1, 6, false),
            ("one in a hundred of many", 30, 3_000, 1, 30, true),
            ("more than one in a hundred", 31, 3_000, 1, 31, false),
            ("six, but slowly", 6, 20, 120, 720, true),
            ("nearly eight hours later", 6, 20, 1, 5 + 28_799, false),
            ("after eight hours of calm", 6, 20, 1, 5 + 28_800, true),
        ];
        for (name, refused, known, apart, asked_at, expected) in cases {
            let mut deaths = MassDeath::new(&Margins::default());
            for number in 0..refused {
                deaths.refused(secs(number * apart), &key(number), known);
            }
            assert_eq!(deaths.believes(secs(asked_at)), expected, "{name}");
        }
    }

    #[test]
    fn a_grant_counts_once_and_not_when_it_had_moved_on() {
        let mut deaths = MassDeath::new(&Margins::default());
        for now in 0..50 {
            deaths.refused(secs(now), &key(now % 5), 20);
        }
        assert!(deaths.believes(secs(50)));
        deaths.withdrawn(&key(0));
        deaths.refused(secs(50), &key(6), 20);
        assert!(deaths.believes(secs(50)));
        deaths.refused(secs(50), &key(7), 20);
        assert!(!deaths.believes(secs(50)));
    }

    #[test]
    fn an_operator_decides_over_any_number() {
        let mut deaths = MassDeath::new(&Margins::default());
        let mut ruled = |ruling, refused| {
            deaths.rule(ruling);
            (0..refused).for_each(|number| deaths.refused(secs(0), &key(number), 20));
            deaths.believes(secs(0))
        };
        assert!(ruled(Ruling::Believe, 19));
        assert!(!ruled(Ruling::Doubt, 0));
        assert!(!ruled(Ruling::Automatic, 6));
        assert!(ruled(Ruling::Automatic, 5));
    }

    #[test]
    fn a_clock_set_back_makes_nothing_older_or_endless() {
        let mut deaths = MassDeath::new(&Margins::default());
        (0..6).for_each(|number| deaths.refused(secs(90_000 + number), &key(number), 20));
        assert!(!deaths.believes(secs(1_000)));
        assert!(!deaths.believes(secs(1_000 + 28_799)));
        assert!(deaths.believes(secs(1_000 + 28_800)));
    }

    #[test]
    fn memory_is_bounded_by_the_limit() {
        let mut deaths = MassDeath::new(&Margins::default());
        (0..1_000).for_each(|number| deaths.refused(secs(0), &key(number), 1_000));
        assert_eq!((deaths.by_time.len(), deaths.by_key.len()), (11, 11));
    }

    fn key(number: u64) -> GrantKey {
        GrantKey::new(&format!("planner/{number}")).expect("a key")
    }

    fn secs(secs: u64) -> Timestamp {
        Timestamp::from_unix_secs(secs)
    }
}
