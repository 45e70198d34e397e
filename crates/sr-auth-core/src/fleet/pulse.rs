//! What every process has to know: who changed what, and whether it is still the same store.

use super::poll::Poll;
use crate::store::{Change, OwnerId, Pulse, Sequence, StoreIdentity};

/// Reads what others have changed, and shows that this process lives.
#[derive(Debug)]
pub(super) struct Pulses {
    /// The last change that was seen, as the store told it.
    last: Option<Change>,
    pub(super) poll: Poll,
    since: Sequence,
    /// The store, and its newest change, as they were seen last.
    seen: Option<(StoreIdentity, Sequence)>,
}

/// What a pulse brought.
#[derive(Debug)]
pub(super) struct News {
    /// What others have changed.
    pub(super) changes: Vec<Change>,
    /// There are more changes to be had at once.
    pub(super) has_more: bool,
    /// Some changes are known to nobody any more: everything may have changed.
    pub(super) has_missed: bool,
    pub(super) has_rolled_back: bool,
}

impl Pulses {
    pub(super) const fn new(poll: Poll) -> Self {
        Self { last: None, poll, since: Sequence(0), seen: None }
    }

    /// Returns the number after which changes are asked for: the last change that was seen is told
    /// once more. A store that went back may have come as far again before anybody asks, and then
    /// only another change under this number shows it.
    pub(super) const fn since(&self) -> Sequence {
        Sequence(self.since.0.saturating_sub(1))
    }

    /// Takes in an answer of the store.
    pub(super) fn read(&mut self, owner: OwnerId, pulse: Pulse) -> News {
        let Pulse { mut changes, sequence, store, .. } = pulse;
        let has_rolled_back =
            self.seen.is_some_and(|(identity, newest)| identity != store || sequence < newest)
                || self.last.as_ref().is_some_and(|last| {
                    changes.iter().any(|it| it.sequence == last.sequence && it != last)
                });
        self.seen = Some((store, sequence));
        if has_rolled_back {
            // Numbers have been given twice: what they say is about another history.
            self.since = sequence;
            self.last = changes.pop().filter(|it| it.sequence == sequence);
            let changes = Vec::new();
            return News { changes, has_more: false, has_missed: true, has_rolled_back };
        }
        if let Some(last) = changes.last().filter(|it| it.sequence >= self.since) {
            self.last = Some(last.clone());
        }
        changes.retain(|it| it.sequence > self.since);
        let next = Sequence(self.since.0.saturating_add(1));
        let first = changes.first().map(|it| it.sequence);
        let has_missed = sequence > self.since && first.is_none_or(|it| it > next);
        let last = changes.last().map_or(sequence, |it| it.sequence);
        self.since = self.since.max(last);
        changes.retain(|it| it.owner != Some(owner));
        News { changes, has_more: self.since < sequence, has_missed, has_rolled_back }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::Timestamp;
    use crate::store::{Generation, GrantKey, Health};

    const OURS: OwnerId = OwnerId::new(1);
    const THEIRS: OwnerId = OwnerId::new(2);

    #[test]
    fn a_pulse_tells_what_others_changed_and_what_was_missed() {
        // Which numbers and whose, the newest; whose are told, more to come, missed, rolled back.
        let cases: [(&str, &[(u64, OwnerId)], u64, u128, (usize, bool, bool, bool)); 8] = [
            ("nothing new", &[], 5, 7, (0, false, false, false)),
            ("one of ours", &[(6, OURS)], 6, 7, (0, false, false, false)),
            ("one of theirs", &[(6, THEIRS), (7, OURS)], 7, 7, (1, false, false, false)),
            ("cut at a limit", &[(6, THEIRS)], 9, 7, (1, true, false, false)),
            ("what was seen", &[(5, OURS), (6, THEIRS)], 6, 7, (1, false, false, false)),
            ("the first are forgotten", &[(8, THEIRS)], 8, 7, (1, false, true, false)),
            ("all are forgotten", &[], 8, 7, (0, false, true, false)),
            ("gone back", &[(3, THEIRS)], 3, 7, (0, false, true, true)),
        ];
        let other = ("another store", &[][..], 5, 8, (0, false, true, true));
        for (name, changes, newest, store, expected) in cases.into_iter().chain([other]) {
            let mut pulses = Pulses::new(Poll::after(Timestamp::EPOCH, Duration::ZERO));
            pulses.read(OURS, pulse(&[(1, OURS), (5, OURS)], 5, 7));
            assert_eq!(pulses.since(), Sequence(4), "the last one is told again");
            let news = pulses.read(OURS, pulse(changes, newest, store));
            let told = news.changes.len();
            let found = (told, news.has_more, news.has_missed, news.has_rolled_back);
            assert_eq!(found, expected, "{name}");
            let last = changes.last().map_or(newest, |it| it.0);
            assert_eq!(pulses.since(), Sequence(last - 1), "{name}");
        }
    }

    #[test]
    fn a_store_that_went_back_and_came_as_far_again_is_noticed() {
        // What is told at last: numbers and whose, the newest; noticed.
        let cases: [(&str, &[(u64, OwnerId)], u64, bool); 4] = [
            ("as it was", &[(5, OURS)], 5, false),
            ("another change under the number", &[(5, THEIRS)], 5, true),
            ("and one more", &[(5, THEIRS), (6, OURS)], 6, true),
            ("forgotten by the store", &[(6, OURS)], 6, false),
        ];
        for (name, changes, newest, expected) in cases {
            let mut pulses = Pulses::new(Poll::after(Timestamp::EPOCH, Duration::ZERO));
            pulses.read(OURS, pulse(&[(4, OURS), (5, OURS)], 5, 7));
            let news = pulses.read(OURS, pulse(changes, newest, 7));
            assert_eq!((news.has_rolled_back, news.has_missed), (expected, expected), "{name}");
            let again = pulses.read(OURS, pulse(changes, newest, 7));
            assert!(!again.has_rolled_back && !again.has_missed, "{name}: once");
        }
    }

    fn pulse(changes: &[(u64, OwnerId)], newest: u64, store: u128) -> Pulse {
        let change = |(sequence, owner): &(u64, OwnerId)| Change {
            generation: Generation::default(),
            health: Health::Live,
            key: GrantKey::new("planner/acme").expect("a key"),
            owner: Some(*owner),
            sequence: Sequence(*sequence),
        };
        Pulse {
            changes: changes.iter().map(change).collect(),
            processes: 1,
            sequence: Sequence(newest),
            store: StoreIdentity(store),
        }
    }
}
