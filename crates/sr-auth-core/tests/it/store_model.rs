//! What the operations of a store mean, as stories and as laws.

use std::time::Duration;

use proptest::prelude::*;
use sr_auth_core::store::{
    CauseOfDeath, End, Generation, GrantKey, Health, IntentId, LedgerEvent, Model, NewGrant,
    NewIntent, OwnerId, Record, Refusals, Renewal, Sequence, Sibling, StoreIdentity, StoreOp,
    StoreOutcome, StoredToken, Successor, TakeOver,
};
use sr_auth_core::{Fingerprint, Timestamp};

use crate::fixture::at;
use crate::store_adoption::found;

pub(crate) type Token = &'static str;

pub(crate) const A: OwnerId = OwnerId::new(0xa);
pub(crate) const B: OwnerId = OwnerId::new(0xb);
const QUIET: u64 = 135;

pub(crate) fn key() -> GrantKey {
    GrantKey::new("planner/acme/user-1").expect("valid")
}

pub(crate) fn token(value: Token, ends_at: u64) -> StoredToken<Token> {
    let mut bytes = [0; 16];
    bytes.iter_mut().zip(value.bytes()).for_each(|(to, from)| *to = from);
    let fingerprint = Fingerprint::from_bytes(bytes);
    StoredToken { ends_at: at(ends_at), fingerprint, renew_at: at(1_000), value }
}

pub(crate) fn generation(number: u64) -> Generation {
    Generation::from_number(number)
}

pub(crate) fn adopt(refresh: Token) -> StoreOp<Token> {
    adopt_until(refresh, 2_419_200)
}

/// A consent whose refresh token ends at another moment.
pub(crate) fn adopt_until(refresh: Token, ends_at: u64) -> StoreOp<Token> {
    let grant = NewGrant {
        access: None,
        refresh: Some(token(refresh, ends_at)),
        renewal: Renewal::SingleUse,
    };
    StoreOp::Adopt { grant, key: key(), only_if_missing: false }
}

fn intent(owner: OwnerId, number: u64) -> IntentId {
    IntentId { number, owner }
}

fn arm(generation_is: u64, id: IntentId, over: Option<IntentId>) -> StoreOp<Token> {
    let new = NewIntent { fingerprint: None, id, quiet: Duration::from_secs(QUIET) };
    let over = over.map(|intent| TakeOver { even_if_alive: false, intent });
    StoreOp::Arm { generation: generation(generation_is), intent: new, key: key(), over }
}

pub(crate) fn commit(generation_is: u64, owner: OwnerId, refresh: Option<Token>) -> StoreOp<Token> {
    let successor = Successor {
        access: Some(token("at", 1_799)),
        refresh: refresh.map(|it| token(it, 2_419_200)),
    };
    StoreOp::Commit { generation: generation(generation_is), key: key(), owner, successor }
}

fn bury(generation_is: u64, refused: Token) -> StoreOp<Token> {
    let (cause, generation) = (CauseOfDeath::LostInRotation, generation(generation_is));
    let refused = Some(token(refused, 0).fingerprint);
    StoreOp::Bury { cause, generation, key: key(), owner: B, refused }
}

pub(crate) fn end(only: Option<u64>) -> StoreOp<Token> {
    StoreOp::End { end: End::Disabled, generation: only.map(generation), key: key() }
}

pub(crate) fn pulse(owner: OwnerId, alive: bool) -> StoreOp<Token> {
    StoreOp::Pulse { alive, owner, since: Sequence(0) }
}

/// A store with one grant at generation 1, whose refresh token is `rt1`.
pub(crate) fn store() -> Model<Token> {
    let mut store = Model::new(StoreIdentity(1));
    store.apply(at(0), adopt("rt1"));
    store
}

/// Writes an outcome as one word and what matters of the record.
fn told(outcome: &StoreOutcome<Token>) -> String {
    let (word, record) = match outcome {
        StoreOutcome::Armed(record) => ("armed", record),
        StoreOutcome::Busy { record, until } => {
            return format!("busy until {until:?}, {}", of(record));
        }
        StoreOutcome::Done(record) => ("done", record),
        StoreOutcome::Due(keys) => return format!("{} due", keys.len()),
        StoreOutcome::Ended(record) => ("ended", record),
        StoreOutcome::Loaded(record) => ("loaded", record),
        StoreOutcome::Missing => return "missing".to_owned(),
        StoreOutcome::Moved(record) => ("moved", record),
        StoreOutcome::NotDue { until, .. } => return format!("not before {until:?}"),
        StoreOutcome::Pulse(pulse) => {
            return format!("{} change(s), {} process(es)", pulse.changes.len(), pulse.processes);
        }
    };
    format!("{word}, {}", of(record))
}

fn of(record: &Record<Token>) -> String {
    let refresh = record.refresh.as_ref().map_or("nothing", |it| it.value);
    let intent = record.intent.as_ref().map_or(0, |it| it.attempt);
    let number = record.generation.number();
    format!("{refresh} at generation {number}, {:?}, attempt {intent}", record.health)
}

#[track_caller]
pub(crate) fn check(store: &mut Model<Token>, steps: Vec<(u64, StoreOp<Token>, &str)>) {
    for (now, op, expected) in steps {
        let name = format!("{op:?} at {now} s");
        assert_eq!(told(&store.apply(at(now), op).outcome), expected, "{name}");
    }
}

#[test]
fn a_rotation_is_armed_and_committed() {
    check(
        &mut store(),
        vec![
            (10, arm(1, intent(A, 1), None), "armed, rt1 at generation 1, Live, attempt 1"),
            (11, commit(1, A, Some("rt2")), "done, rt2 at generation 2, Live, attempt 0"),
            (12, arm(1, intent(B, 1), None), "moved, rt2 at generation 2, Live, attempt 0"),
            (13, arm(2, intent(B, 2), None), "armed, rt2 at generation 2, Live, attempt 1"),
        ],
    );
}

#[test]
fn an_intent_stands_until_quiet_and_its_owner_is_gone() {
    let old = Some(intent(A, 1));
    check(
        &mut store(),
        vec![
            (10, arm(1, intent(A, 1), None), "armed, rt1 at generation 1, Live, attempt 1"),
            (
                11,
                arm(1, intent(B, 1), old),
                "busy until 145.000s, rt1 at generation 1, Live, attempt 1",
            ),
            (100, pulse(A, true), "1 change(s), 1 process(es)"),
            // The quiet period is over, and the owner was seen 45 s ago.
            (
                145,
                arm(1, intent(B, 1), old),
                "busy until 235.000s, rt1 at generation 1, Live, attempt 1",
            ),
            (
                235,
                arm(1, intent(B, 1), None),
                "busy until 235.000s, rt1 at generation 1, Live, attempt 1",
            ),
            (235, arm(1, intent(B, 1), old), "armed, rt1 at generation 1, Live, attempt 2"),
        ],
    );
}

#[test]
fn an_owner_in_doubt_arms_over_its_own_intent_after_the_quiet_period() {
    let old = Some(intent(A, 1));
    check(
        &mut store(),
        vec![
            (10, arm(1, intent(A, 1), None), "armed, rt1 at generation 1, Live, attempt 1"),
            (100, pulse(A, true), "1 change(s), 1 process(es)"),
            (
                144,
                arm(1, intent(A, 2), old),
                "busy until 145.000s, rt1 at generation 1, Live, attempt 1",
            ),
            (145, arm(1, intent(A, 2), old), "armed, rt1 at generation 1, Live, attempt 2"),
        ],
    );
}

#[test]
fn a_late_commit_wins_over_an_inferred_death() {
    check(
        &mut store(),
        vec![
            (10, arm(1, intent(A, 1), None), "armed, rt1 at generation 1, Live, attempt 1"),
            (
                200,
                arm(1, intent(B, 1), Some(intent(A, 1))),
                "armed, rt1 at generation 1, Live, attempt 2",
            ),
            (201, bury(1, "rt1"), "done, rt1 at generation 1, Dead(LostInRotation), attempt 0"),
            (
                202,
                arm(1, intent(B, 2), None),
                "ended, rt1 at generation 1, Dead(LostInRotation), attempt 0",
            ),
            (999, commit(1, A, Some("rt2")), "done, rt2 at generation 2, Live, attempt 0"),
            (1000, bury(1, "rt1"), "moved, rt2 at generation 2, Live, attempt 0"),
        ],
    );
}

#[test]
fn a_late_commit_does_not_undo_an_end_or_a_new_consent() {
    let mut store = store();
    check(
        &mut store,
        vec![
            (10, arm(1, intent(A, 1), None), "armed, rt1 at generation 1, Live, attempt 1"),
            (11, end(Some(7)), "moved, rt1 at generation 1, Live, attempt 1"),
            (11, end(Some(1)), "done, nothing at generation 2, Disabled, attempt 0"),
            (12, commit(1, A, Some("rt2")), "moved, nothing at generation 2, Disabled, attempt 0"),
            (13, adopt("rt9"), "done, rt9 at generation 3, Live, attempt 0"),
            (14, commit(1, A, Some("rt2")), "moved, rt9 at generation 3, Live, attempt 0"),
        ],
    );
    let sibling = Sibling { from: generation(1), token: token("rt2", 9) };
    let outcome = store.apply(at(15), StoreOp::Escrow { key: key(), owner: A, sibling }).outcome;
    let StoreOutcome::Done(record) = outcome else { panic!("escrowed") };
    assert_eq!(record.sibling.map(|it| it.token.value), Some("rt2"));
}

#[test]
fn a_success_without_a_successor_is_the_last_leg() {
    check(
        &mut store(),
        vec![
            (10, arm(1, intent(A, 1), None), "armed, rt1 at generation 1, Live, attempt 1"),
            (11, commit(1, A, None), "done, rt1 at generation 2, LastLeg, attempt 0"),
            (12, arm(2, intent(A, 2), None), "armed, rt1 at generation 2, LastLeg, attempt 1"),
            (13, commit(2, A, Some("rt3")), "done, rt3 at generation 3, Live, attempt 0"),
        ],
    );
}

#[test]
fn a_success_without_a_successor_ends_no_intent_of_another() {
    check(
        &mut store(),
        vec![
            (10, arm(1, intent(A, 1), None), "armed, rt1 at generation 1, Live, attempt 1"),
            (
                145,
                arm(1, intent(B, 1), Some(intent(A, 1))),
                "armed, rt1 at generation 1, Live, attempt 2",
            ),
            (146, commit(1, A, None), "moved, rt1 at generation 1, Live, attempt 2"),
            (147, commit(1, B, None), "done, rt1 at generation 2, LastLeg, attempt 0"),
        ],
    );
}

#[test]
fn a_presentation_that_was_armed_over_is_remembered_though_the_next_one_is_disarmed() {
    let disarm = StoreOp::Disarm {
        intent: intent(B, 1),
        key: key(),
        not_before: Timestamp::EPOCH,
        refusals: Refusals::default(),
    };
    check(
        &mut store(),
        vec![
            (10, arm(1, intent(A, 1), None), "armed, rt1 at generation 1, Live, attempt 1"),
            (
                145,
                arm(1, intent(B, 1), Some(intent(A, 1))),
                "armed, rt1 at generation 1, Live, attempt 2",
            ),
            (146, disarm, "done, rt1 at generation 1, Live, attempt 0"),
            (147, arm(1, intent(B, 2), None), "armed, rt1 at generation 1, Live, attempt 2"),
            (148, commit(1, B, Some("rt2")), "done, rt2 at generation 2, Live, attempt 0"),
            (149, arm(2, intent(B, 3), None), "armed, rt2 at generation 2, Live, attempt 1"),
        ],
    );
}

#[test]
fn a_back_off_is_shared_by_all() {
    let disarm = |number, secs| StoreOp::Disarm {
        intent: intent(A, number),
        key: key(),
        not_before: at(secs),
        refusals: Refusals::default(),
    };
    check(
        &mut store(),
        vec![
            (10, arm(1, intent(A, 1), None), "armed, rt1 at generation 1, Live, attempt 1"),
            (11, disarm(9, 500), "done, rt1 at generation 1, Live, attempt 1"),
            (12, disarm(1, 60), "done, rt1 at generation 1, Live, attempt 0"),
            (13, arm(1, intent(B, 1), None), "not before 60.000s"),
            (60, arm(1, intent(B, 1), None), "armed, rt1 at generation 1, Live, attempt 1"),
        ],
    );
}

#[test]
fn an_owner_that_still_lives_is_passed_over_only_by_who_does_not_care() {
    let mut store = store();
    store.apply(at(10), arm(1, intent(A, 1), None));
    store.apply(at(140), pulse(A, true));
    let over = |even_if_alive| {
        let StoreOp::Arm { generation, intent: new, key, .. } = arm(1, intent(B, 1), None) else {
            panic!("an arming")
        };
        let over = Some(TakeOver { even_if_alive, intent: intent(A, 1) });
        StoreOp::Arm { generation, intent: new, key, over }
    };
    check(
        &mut store,
        vec![
            (144, over(true), "busy until 145.000s, rt1 at generation 1, Live, attempt 1"),
            (145, over(false), "busy until 275.000s, rt1 at generation 1, Live, attempt 1"),
            (145, over(true), "armed, rt1 at generation 1, Live, attempt 2"),
        ],
    );
}

#[test]
fn a_refusal_that_is_not_believed_makes_a_grant_suspect_and_a_rotation_clears_it() {
    let refusals = Refusals::default().after(at(12), 403);
    let disarm = |number, refusals| StoreOp::Disarm {
        intent: intent(A, number),
        key: key(),
        not_before: at(20),
        refusals,
    };
    let mut store = store();
    check(
        &mut store,
        vec![
            (10, arm(1, intent(A, 1), None), "armed, rt1 at generation 1, Live, attempt 1"),
            (12, disarm(1, refusals), "done, rt1 at generation 1, Suspect, attempt 0"),
            (20, arm(1, intent(A, 2), None), "armed, rt1 at generation 1, Suspect, attempt 1"),
        ],
    );
    let again = refusals.after(at(30), 403);
    assert_eq!((again.count, again.first_at), (2, at(12)));
    assert_eq!(again.after(at(40), 404), Refusals { count: 1, first_at: at(40), status: 404 });
    store.apply(at(21), commit(1, A, Some("rt2")));
    let record = store.record(&key()).expect("there");
    assert_eq!((record.health, record.refusals), (Health::Live, Refusals::default()));
}

#[test]
fn a_refusal_of_another_token_says_nothing_of_a_record_that_was_founded_anew() {
    let mut founded = Model::new(StoreIdentity(1));
    founded.apply(at(0), found("rt7"));
    check(
        &mut founded,
        vec![
            (1, bury(1, "rt1"), "moved, rt7 at generation 1, Live, attempt 0"),
            (2, bury(1, "rt7"), "done, rt7 at generation 1, Dead(LostInRotation), attempt 0"),
            (3, bury(1, "rt7"), "done, rt7 at generation 1, Dead(LostInRotation), attempt 0"),
        ],
    );
}

#[test]
fn a_grant_is_due_when_its_token_wants_it_or_when_an_intent_is_quiet() {
    let mut store = store();
    let due = |store: &Model<Token>| store.record(&key()).expect("there").due_at();
    assert_eq!(due(&store), Some(at(1_000)));
    store.apply(at(10), arm(1, intent(A, 1), None));
    assert_eq!(due(&store), Some(at(145)));
    let refusals = Refusals::default();
    let not_before = at(2_000);
    store.apply(at(11), StoreOp::Disarm { intent: intent(A, 1), key: key(), not_before, refusals });
    assert_eq!(due(&store), Some(at(2_000)));
    store.apply(at(12), end(None));
    assert_eq!(due(&store), None);
}

#[test]
fn due_work_is_listed_by_its_moment_and_the_dead_are_left_out() {
    let due = |limit| StoreOp::Due { limit, until: at(1_000) };
    check(
        &mut store(),
        vec![
            (1, due(10), "1 due"),
            (1, due(0), "0 due"),
            (2, bury(1, "rt1"), "done, rt1 at generation 1, Dead(LostInRotation), attempt 0"),
            (3, due(10), "0 due"),
        ],
    );
}

#[test]
fn the_ledger_says_who_rotated_and_why_it_died() {
    let mut store = store();
    store.apply(at(10), arm(1, intent(A, 1), None));
    store.apply(at(11), commit(1, A, Some("rt2")));
    store.apply(at(12), bury(2, "rt2"));
    let ledger = &store.record(&key()).expect("there").ledger;
    let told: Vec<_> = ledger.iter().map(|it| (it.at, it.event, it.owner)).collect();
    assert_eq!(
        told,
        [
            (at(0), LedgerEvent::Adopted, None),
            (at(11), LedgerEvent::Rotated, Some(A)),
            (at(12), LedgerEvent::Buried(CauseOfDeath::LostInRotation), Some(B)),
        ]
    );
}

#[test]
fn a_take_over_stands_in_the_ledger_and_a_first_arming_does_not() {
    let mut store = store();
    store.apply(at(10), arm(1, intent(A, 1), None));
    assert_eq!(store.record(&key()).expect("there").ledger.len(), 1);
    store.apply(at(500), arm(1, intent(B, 1), Some(intent(A, 1))));
    let last = store.record(&key()).expect("there").ledger.last().expect("an entry").clone();
    assert_eq!((last.event, last.owner), (LedgerEvent::TakenOver, Some(B)));
}

#[test]
fn only_the_same_offer_counts_as_a_repeat() {
    let with_access = |access: Token, refresh: Token| {
        let StoreOp::Adopt { mut grant, key, .. } = adopt(refresh) else { panic!("an adoption") };
        grant.access = Some(token(access, 1_799));
        StoreOp::Adopt { grant, key, only_if_missing: false }
    };
    check(
        &mut store(),
        vec![
            (1, adopt("rt1"), "done, rt1 at generation 1, Live, attempt 0"),
            (2, with_access("at1", "rt1"), "done, rt1 at generation 2, Live, attempt 0"),
            (3, with_access("at1", "rt1"), "done, rt1 at generation 2, Live, attempt 0"),
            (4, with_access("at1", "rt2"), "done, rt2 at generation 3, Live, attempt 0"),
            (5, commit(3, A, Some("rt3")), "done, rt3 at generation 4, Live, attempt 0"),
            (6, commit(3, A, Some("rt3")), "done, rt3 at generation 4, Live, attempt 0"),
            // The same access token beside another refresh token is somebody else's rotation.
            (7, commit(3, B, Some("rt4")), "moved, rt3 at generation 4, Live, attempt 0"),
            (8, commit(2, A, Some("rt3")), "moved, rt3 at generation 4, Live, attempt 0"),
        ],
    );
}

fn any_op() -> impl Strategy<Value = StoreOp<Token>> {
    let owner = || prop_oneof![Just(A), Just(B)];
    let id = move || (owner(), 1..4_u64).prop_map(|(owner, number)| intent(owner, number));
    let named = prop_oneof![Just("rt1"), Just("rt2"), Just("rt3")];
    let token = prop_oneof![Just(None), Just(Some("rt2")), Just(Some("rt3")), Just(Some("rt4"))];
    prop_oneof![
        1 => Just(adopt("rt1")),
        1 => Just(found("rt2")),
        5 => (0..5_u64, id(), proptest::option::of(id())).prop_map(|(at, id, over)| arm(at, id, over)),
        4 => (0..5_u64, owner(), token).prop_map(|(at, owner, token)| commit(at, owner, token)),
        2 => (0..5_u64, named).prop_map(|(at, refused)| bury(at, refused)),
        1 => proptest::option::of(0..5_u64).prop_map(end),
        2 => (id(), 0..2_u32).prop_map(|(intent, count)| StoreOp::Disarm {
            intent,
            key: key(),
            not_before: Timestamp::EPOCH,
            refusals: Refusals { count, ..Refusals::default() },
        }),
        1 => (owner(), any::<bool>()).prop_map(|(owner, alive)| pulse(owner, alive)),
    ]
}

proptest! {
    /// The generation never goes back, an intent is never armed over before it is quiet, nothing
    /// but a commit, a consent or an end changes the refresh token, and a repeated operation
    /// changes nothing more.
    #[test]
    fn the_rules_hold_over_any_operations(steps in proptest::collection::vec((0..90_u64, any_op()), 0..40)) {
        let mut store = store();
        let mut now = 0;
        for (step, op) in steps {
            now += step;
            let before = store.record(&key()).cloned().expect("never removed");
            let answer = store.apply(at(now), op.clone());
            let after = store.record(&key()).cloned().expect("never removed");
            prop_assert!(after.generation >= before.generation);
            let moves = matches!(op, StoreOp::Adopt { .. } | StoreOp::Commit { .. } | StoreOp::End { .. });
            prop_assert!(moves || (&after.refresh, after.generation) == (&before.refresh, before.generation));
            if let (Some(old), Some(new)) = (&before.intent, &after.intent)
                && old.id != new.id
            {
                prop_assert!(at(now) >= old.armed_at.after(old.quiet), "armed over too early");
            }
            if matches!(answer.outcome, StoreOutcome::Armed(_)) {
                prop_assert!(matches!(after.health, Health::LastLeg | Health::Live | Health::Suspect));
            }
            let again = store.apply(at(now), op);
            let last = store.record(&key()).cloned().expect("never removed");
            prop_assert_eq!(&last, &after, "a repeat changed something");
            prop_assert_eq!(told(&again.outcome), told(&answer.outcome));
        }
    }
}
