//! Up to where the news of a store was taken in, and whether it is still the same store.

use std::collections::BTreeMap;

use sr_auth_core::store::{Generation, Sequence, StoreIdentity};
use sr_partner::IntegrationKey;
use sr_partner::store::{IntegrationChange, PartnerNews};

/// Up to which change of which store everything was taken in.
#[derive(Clone, Debug, Default)]
pub(super) struct Cursor {
    /// The last change that was seen, as the store told it.
    last: Option<IntegrationChange>,
    seen: Option<(StoreIdentity, Sequence)>,
}

/// What news mean for companies that are known.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Doubt {
    /// Numbers have been given twice, or it is another store: what is known is of another history.
    All,
    /// Some changes are forgotten by the store.
    Missed,
    /// Of these companies that generation is live now, or none.
    Some(BTreeMap<IntegrationKey, Option<Generation>>),
}

impl Cursor {
    /// Returns the number after which changes are asked for: the last change that was seen is told
    /// once more. A store that went back may have come as far again before anybody asks, and then
    /// only another change under this number shows it.
    pub(super) fn since(&self) -> Sequence {
        Sequence(self.sequence().0.saturating_sub(1))
    }

    fn sequence(&self) -> Sequence {
        self.seen.map_or(Sequence(0), |(_, sequence)| sequence)
    }

    /// Returns what news mean, and where they lead once they are taken in.
    pub(super) fn read(&self, news: PartnerNews) -> (Self, Doubt) {
        let PartnerNews { changes, sequence, store } = news;
        let newest = changes.last().filter(|it| it.sequence == sequence);
        // One that the store has forgotten meanwhile is still the last one.
        let before = || self.last.as_ref().filter(|it| it.sequence == sequence);
        let last = newest.or_else(before).cloned();
        let next = Self { last, seen: Some((store, sequence)) };
        let (seen, after) = (self.sequence(), self.sequence().0.saturating_add(1));
        let went_back = self.seen.is_some_and(|(identity, _)| identity != store || sequence < seen)
            || self.last.as_ref().is_some_and(|last| {
                changes.iter().any(|it| it.sequence == last.sequence && it != last)
            });
        if went_back {
            return (next, Doubt::All);
        }
        let mut new = changes.into_iter().filter(|it| it.sequence > seen).peekable();
        let has_missed = sequence > seen && new.peek().is_none_or(|it| it.sequence.0 > after);
        if has_missed {
            return (next, Doubt::Missed);
        }
        (next, Doubt::Some(new.map(|it| (it.key, it.live)).collect()))
    }
}

#[cfg(test)]
mod tests {
    use sr_partner::{AppId, CompanyId};

    use super::*;

    /// A number, a company, and which generation is live.
    type Told = (u64, &'static str, Option<u64>);

    const BEFORE: [Told; 2] = [(4, "acme", None), (5, "acme", Some(1))];

    #[test]
    fn news_tell_what_changed_what_was_missed_and_that_a_store_went_back() {
        // What is told, the newest number, the store; what it means.
        let cases: [(&str, &[Told], u64, u128, Doubt); 9] = [
            ("nothing new", &[BEFORE[1]], 5, 7, some(&[])),
            ("nothing new, and the last is forgotten", &[], 5, 7, some(&[])),
            ("another", &[BEFORE[1], (6, "beta", None)], 6, 7, some(&[("beta", None)])),
            (
                "two of one company",
                &[BEFORE[1], (6, "acme", None), (7, "acme", Some(2))],
                7,
                7,
                some(&[("acme", Some(2))]),
            ),
            ("the first are forgotten", &[(8, "beta", None)], 8, 7, Doubt::Missed),
            ("all are forgotten", &[], 8, 7, Doubt::Missed),
            ("gone back", &[(3, "beta", None)], 3, 7, Doubt::All),
            ("emptied", &[], 0, 7, Doubt::All),
            ("another store", &[BEFORE[1]], 5, 8, Doubt::All),
        ];
        for (name, told, newest, store, expected) in cases {
            check(name, told, newest, store, &expected);
        }
    }

    #[test]
    fn a_store_that_went_back_and_came_as_far_again_is_noticed() {
        let cases: [(&str, &[Told], u64, Doubt); 4] = [
            ("another company", &[(5, "beta", Some(1))], 5, Doubt::All),
            ("another generation", &[(5, "acme", Some(2))], 5, Doubt::All),
            ("none is live", &[(5, "acme", None), (6, "acme", Some(1))], 6, Doubt::All),
            ("forgotten by the store", &[(6, "beta", None)], 6, some(&[("beta", None)])),
        ];
        for (name, told, newest, expected) in cases {
            check(name, told, newest, 7, &expected);
        }
    }

    #[test]
    fn the_first_news_of_a_store_are_of_no_other_history() {
        let cursor = Cursor::default();
        assert_eq!(cursor.since(), Sequence(0));
        assert_eq!(cursor.read(news(&[], 0, 7)).1, some(&[]));
        assert_eq!(cursor.read(news(&[(1_500, "acme", None)], 1_500, 7)).1, Doubt::Missed);
    }

    #[track_caller]
    fn check(name: &str, told: &[Told], newest: u64, store: u128, expected: &Doubt) {
        let (cursor, _) = Cursor::default().read(news(&BEFORE, 5, 7));
        assert_eq!(cursor.since(), Sequence(4), "{name}: the last one is told again");
        let (cursor, doubt) = cursor.read(news(told, newest, store));
        assert_eq!(&doubt, expected, "{name}");
        let (_, again) = cursor.read(news(told, newest, store));
        assert_eq!(again, some(&[]), "{name}: once");
    }

    fn news(told: &[Told], newest: u64, store: u128) -> PartnerNews {
        let change = |(number, company, live): &Told| IntegrationChange {
            key: key(company),
            live: live.map(Generation::from_number),
            sequence: Sequence(*number),
        };
        PartnerNews {
            changes: told.iter().map(change).collect(),
            sequence: Sequence(newest),
            store: StoreIdentity(store),
        }
    }

    fn some(changed: &[(&str, Option<u64>)]) -> Doubt {
        let changed = changed.iter();
        let live = |it: Option<u64>| it.map(Generation::from_number);
        Doubt::Some(changed.map(|(company, it)| (key(company), live(*it))).collect())
    }

    fn key(company: &str) -> IntegrationKey {
        let company = CompanyId::new(company).expect("an id");
        IntegrationKey { app: AppId::new("planner").expect("an id"), company }
    }
}
