//! Looks for an order in which operations that ran at once explain each other.

use std::collections::BTreeSet;

use super::kind::{Answer, Grants, Kind};

/// An operation of a history: when it began and ended, by one counter of the whole run.
#[derive(Clone, Debug)]
pub(super) struct Event<K: Kind = Grants> {
    pub(super) answer: Answer<K>,
    pub(super) began: u64,
    pub(super) ended: u64,
    pub(super) op: K::Op,
}

/// The greatest number of operations in a history: one bit for each.
pub(super) const LONGEST: usize = 128;

/// How many states are looked at before the search is given up.
const STATES: usize = 20_000;

/// Why there is no order.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum NoOrder {
    /// The longest order explains so many, and none of those that could come next fits.
    Contradiction { explained: usize, next: Vec<String> },
    /// Too many were tried.
    TooMany,
}

/// Finds an order of the history that the model explains, in which what ended before something
/// began stands before it (linearizability; the search is that of Wing and Gong, with the states
/// that were seen remembered as Lowe does).
pub(super) fn order<K: Kind>(model: &K::Model, history: &[Event<K>]) -> Result<(), NoOrder> {
    assert!(history.len() <= LONGEST, "a history is at most {LONGEST} operations long");
    let mut search = Search { best: (0, Vec::new()), history, seen: BTreeSet::new() };
    if search.from(0, 0, model) {
        return Ok(());
    }
    if search.seen.len() >= STATES {
        return Err(NoOrder::TooMany);
    }
    let (explained, next) = search.best;
    Err(NoOrder::Contradiction { explained, next })
}

struct Search<'a, K: Kind> {
    /// The longest order so far, and why nothing could follow it.
    best: (usize, Vec<String>),
    history: &'a [Event<K>],
    /// Which operations were done, and what the store was then.
    seen: BTreeSet<(u128, String)>,
}

impl<K: Kind> Search<'_, K> {
    fn from(&mut self, done: u128, count: usize, model: &K::Model) -> bool {
        if count == self.history.len() {
            return true;
        }
        if self.seen.len() >= STATES || !self.seen.insert((done, format!("{model:?}"))) {
            return false;
        }
        let is_done = |index: &usize| done & (1 << index) != 0;
        let open: Vec<usize> = (0..self.history.len()).filter(|it| !is_done(it)).collect();
        let ended = |index: &usize| self.history.get(*index).map(|it| it.ended);
        let first_end = open.iter().filter_map(ended).min().unwrap_or(u64::MAX);
        let mut misfits = Vec::new();
        for index in open {
            let Some(event) = self.history.get(index) else { continue };
            if event.began > first_end {
                continue;
            }
            let mut next = model.clone();
            let expected = K::apply(&mut next, event.answer.now, event.op.clone());
            match K::judge(&event.op, &[], &expected, &event.answer.outcome) {
                None => {
                    if self.from(done | (1 << index), count + 1, &next) {
                        return true;
                    }
                }
                Some((rule, saw)) => {
                    misfits.push(format!("{}: {rule}: {saw}", K::op_name(&event.op)));
                }
            }
        }
        if count >= self.best.0 {
            self.best = (count, misfits);
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use sr_auth_core::Timestamp;
    use sr_auth_core::store::{Model, StoreIdentity, StoreOp};
    use sr_auth_store::Sealed;

    use super::super::values::{LONG, adopt, arm, commit, disarm, intent, key, load};
    use super::*;

    /// Runs operations one after the other, and says when each was under way.
    fn history(steps: Vec<(StoreOp<Sealed>, u64, u64)>) -> Vec<Event> {
        let mut model = Model::new(StoreIdentity(7));
        let events = steps.into_iter().zip(1..).map(|((op, began, ended), secs)| {
            let now = Timestamp::from_unix_secs(secs);
            let answer = Answer { now, outcome: model.apply(now, op.clone()).outcome };
            Event { answer, began, ended, op }
        });
        events.collect()
    }

    fn check(name: &str, history: &[Event], has_order: bool) {
        let order = order(&Model::new(StoreIdentity(7)), history);
        assert_eq!(order.is_ok(), has_order, "{name}: {order:?}");
    }

    #[test]
    fn an_order_is_found_if_there_is_one() {
        let key = key("a");
        let load = || load(&key);
        let armed = |of| arm(&key, 1, intent(of, 1), LONG);
        let one_by_one = |ops: Vec<StoreOp<Sealed>>| {
            history(ops.into_iter().zip(0..).map(|(op, it)| (op, it * 2, it * 2 + 1)).collect())
        };
        let story = || {
            vec![
                adopt(&key, 1),
                armed(1),
                armed(2),
                commit(&key, 1, 1, 2),
                disarm(&key, intent(1, 1)),
                load(),
            ]
        };
        check("nothing", &[], true);
        check("one after the other", &one_by_one(story()), true);

        // The same answers to operations that ran at once, in any order of the list.
        let mut at_once = one_by_one(story());
        at_once.reverse();
        for event in &mut at_once {
            (event.began, event.ended) = (0, 99);
        }
        check("at once", &at_once, true);

        // A read that ended before the write began, and saw it.
        let mut early = one_by_one(vec![adopt(&key, 1), load()]);
        (early[0].began, early[0].ended) = (10, 11);
        (early[1].began, early[1].ended) = (1, 2);
        check("a read sees what has not begun", &early, false);
        early[1].ended = 10;
        check("a read sees what begins before it ends", &early, true);
    }

    #[test]
    fn two_that_both_won_have_no_order() {
        let key = key("a");
        let quiet = Duration::from_secs(9);
        let armed = |of| arm(&key, 1, intent(of, 1), quiet);
        let mut won = history(vec![(adopt(&key, 1), 0, 1), (armed(1), 2, 9), (load(&key), 20, 21)]);
        let other = history(vec![(adopt(&key, 1), 0, 1), (armed(2), 2, 9)]).remove(1);
        won.push(other);
        let Err(NoOrder::Contradiction { explained, next }) =
            order(&Model::new(StoreIdentity(7)), &won)
        else {
            panic!("an order was found");
        };
        assert_eq!(explained, 2, "{next:?}");
        assert!(next.iter().any(|it| it.contains("Busy")), "{next:?}");
    }
}
