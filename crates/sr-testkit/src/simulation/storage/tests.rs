//! What befalls a store, and what each of its defects breaks.

use sr_auth_core::store::{
    CauseOfDeath, End, Generation, Health, IntentId, NewGrant, NewIntent, Refusals, Renewal,
    Sequence, Sibling, StoredToken, Successor, TakeOver,
};
use sr_auth_core::{Fingerprint, FingerprintKey};

use super::*;

const QUIET: Duration = Duration::from_secs(135);

fn at(secs: u64) -> Timestamp {
    Timestamp::from_unix_secs(secs)
}

fn key(name: &str) -> GrantKey {
    GrantKey::new(name).unwrap()
}

fn token(text: &str) -> StoredToken<Secret> {
    let value = Secret::new(text.to_owned());
    let fingerprint = FingerprintKey::new([0; 32]).fingerprint(&value);
    StoredToken { ends_at: at(1_000_000), fingerprint, renew_at: at(500_000), value }
}

fn name(text: &str) -> Fingerprint {
    token(text).fingerprint
}

fn generation(number: u64) -> Generation {
    Generation::from_number(number)
}

fn adopt(grant: &str, refresh: &str) -> StoreOp<Secret> {
    let (access, refresh) = (Some(token("access of a consent")), Some(token(refresh)));
    let grant_key = key(grant);
    let grant = NewGrant { access, refresh, renewal: Renewal::SingleUse };
    StoreOp::Adopt { grant, key: grant_key, only_if_missing: false }
}

fn intent(owner: u128, number: u64) -> IntentId {
    IntentId { number, owner: OwnerId::new(owner) }
}

fn arm(of: u64, id: IntentId, over: Option<IntentId>) -> StoreOp<Secret> {
    StoreOp::Arm {
        generation: generation(of),
        intent: NewIntent { fingerprint: Some(name("r1")), id, quiet: QUIET },
        key: key("a"),
        over: over.map(|intent| TakeOver { even_if_alive: false, intent }),
    }
}

fn commit(of: u64, owner: u128, refresh: &str) -> StoreOp<Secret> {
    let (access, refresh) = (Some(token(&format!("access of {refresh}"))), Some(token(refresh)));
    let (owner, successor) = (OwnerId::new(owner), Successor { access, refresh });
    StoreOp::Commit { generation: generation(of), key: key("a"), owner, successor }
}

fn bury(of: u64) -> StoreOp<Secret> {
    let (cause, owner) = (CauseOfDeath::RefusedByServer, OwnerId::new(1));
    let refused = Some(token(&format!("r{of}")).fingerprint);
    StoreOp::Bury { cause, generation: generation(of), key: key("a"), owner, refused }
}

fn disarm(id: IntentId) -> StoreOp<Secret> {
    let (not_before, refusals) = (Timestamp::EPOCH, Refusals::default());
    StoreOp::Disarm { intent: id, key: key("a"), not_before, refusals }
}

fn load(grant: &str) -> StoreOp<Secret> {
    StoreOp::Load { key: key(grant) }
}

fn pulse(since: u64) -> StoreOp<Secret> {
    StoreOp::Pulse { alive: false, owner: OwnerId::new(9), since: Sequence(since) }
}

/// Something that happens to a store.
enum Step {
    Backup,
    Dies(u128),
    Op(StoreOp<Secret>),
    Restore,
}

/// Every rule of the store at work, once.
fn story() -> Vec<(u64, Step)> {
    use Step::{Backup, Dies, Op, Restore};
    let escrowed = Sibling { from: generation(1), token: token("sibling") };
    let escrow = StoreOp::Escrow { key: key("a"), owner: OwnerId::new(1), sibling: escrowed };
    let end = StoreOp::End { end: End::Disabled, generation: None, key: key("a") };
    vec![
        (0, Op(adopt("b", "of another"))),
        (0, Op(adopt("a", "r1"))),
        (1, Op(load("a"))),
        (1, Op(pulse(0))),
        (2, Backup),
        (10, Op(arm(1, intent(1, 1), None))),
        (11, Op(arm(1, intent(2, 1), Some(intent(1, 1))))),
        (12, Op(disarm(intent(2, 1)))),
        (13, Op(arm(1, intent(2, 2), None))),
        (14, Op(commit(1, 1, "r2"))),
        (15, Op(commit(1, 2, "late"))),
        (16, Op(bury(1))),
        (20, Op(arm(2, intent(1, 2), None))),
        (21, Dies(1)),
        (22, Op(bury(2))),
        (23, Op(commit(2, 1, "r3"))),
        (24, Op(commit(3, 1, "r4"))),
        (25, Op(escrow)),
        (30, Op(adopt("a", "again"))),
        (31, Op(commit(4, 1, "over the consent"))),
        (40, Op(arm(5, intent(1, 3), None))),
        (41, Op(end)),
        (42, Op(commit(5, 1, "over the end"))),
        (43, Op(pulse(4))),
        (50, Restore),
        (51, Op(pulse(9))),
    ]
}

/// What a store answers to the story, and what it then holds.
fn told(defect: Option<StoreDefect>) -> Vec<String> {
    let mut storage = Storage::new(StoreIdentity(7), defect);
    let mut told = Vec::new();
    for (secs, step) in story() {
        match step {
            Step::Backup => storage.back_up(false),
            Step::Dies(owner) => storage.owner_died(at(secs), OwnerId::new(owner)),
            Step::Op(op) => told.push(format!("{:?}", storage.apply(at(secs), op))),
            Step::Restore => assert!(storage.restore()),
        }
        told.push(format!("{:?}", storage.row(&key("a"))));
    }
    told
}

#[test]
fn every_defect_shows_in_a_story_that_uses_every_rule() {
    let good = told(None);
    assert_eq!(good, told(None));
    for defect in StoreDefect::ALL {
        assert_ne!(good, told(Some(defect)), "{defect:?}");
    }
}

/// Runs operations of the grant `a`, a second apart, and returns its row.
fn row_after(defect: Option<StoreDefect>, ops: Vec<StoreOp<Secret>>) -> Row {
    let mut storage = Storage::new(StoreIdentity(7), defect);
    for (op, secs) in ops.into_iter().zip(0..) {
        storage.apply(at(secs), op);
    }
    storage.row(&key("a")).unwrap()
}

#[test]
fn a_defect_is_what_its_name_says() {
    let dead = Health::Dead(CauseOfDeath::RefusedByServer);
    let begun = || vec![adopt("a", "r1"), arm(1, intent(1, 1), None)];
    let with = |more: Vec<StoreOp<Secret>>| begun().into_iter().chain(more).collect::<Vec<_>>();
    let end = || StoreOp::End { end: End::Revoked, generation: None, key: key("a") };
    let cases = [
        (StoreDefect::AdoptKeepsGeneration, with(vec![adopt("a", "x")]), 1, Health::Live, "x"),
        (StoreDefect::BuryBumpsGeneration, with(vec![bury(1)]), 2, dead, "r1"),
        (
            StoreDefect::BuryIgnoresGeneration,
            with(vec![commit(1, 1, "r2"), bury(1)]),
            2,
            dead,
            "r2",
        ),
        (StoreDefect::CommitFencedByEpoch, with(vec![commit(1, 2, "r2")]), 1, Health::Live, "r1"),
        (
            StoreDefect::CommitIgnoresGeneration,
            with(vec![adopt("a", "x"), commit(1, 1, "r2")]),
            3,
            Health::Live,
            "r2",
        ),
        (StoreDefect::CommitRefusedByDeath, with(vec![bury(1), commit(1, 1, "r2")]), 1, dead, "r1"),
        (
            StoreDefect::EndKeepsGeneration,
            with(vec![end(), commit(1, 1, "r2")]),
            2,
            Health::Live,
            "r2",
        ),
    ];
    for (defect, ops, number, health, refresh) in cases {
        let row = row_after(Some(defect), ops);
        let expected = (generation(number), health, Some(name(refresh)));
        assert_eq!((row.generation, row.health, row.refresh), expected, "{defect:?}");
    }
}

#[test]
fn a_replica_shows_a_record_as_it_was_for_as_long_as_it_lags() {
    let mut storage = Storage::new(StoreIdentity(7), None);
    storage.set_lag(Duration::from_secs(5));
    storage.apply(at(0), adopt("a", "r1"));
    assert!(storage.load_stale(at(0), &key("a")).is_none(), "nothing was there before");
    storage.apply(at(1), arm(1, intent(1, 1), None));
    storage.apply(at(2), commit(1, 1, "r2"));
    for (secs, expected) in [(2, Some("r1")), (6, Some("r1")), (7, None)] {
        let shown = storage.load_stale(at(secs), &key("a"));
        let shown = shown.map(|answer| {
            let StoreOutcome::Loaded(record) = answer.outcome else { panic!("{answer:?}") };
            record.refresh.unwrap().fingerprint
        });
        assert_eq!(shown, expected.map(name), "after {secs} s");
    }
}

#[test]
fn a_restored_backup_brings_old_tokens_and_an_old_sequence() {
    let mut storage = Storage::new(StoreIdentity(7), None);
    assert!(!storage.restore(), "there is none");
    storage.apply(at(0), adopt("a", "r1"));
    storage.back_up(false);
    storage.apply(at(1), commit(1, 1, "r2"));
    assert!(storage.restore());
    let row = storage.row(&key("a")).unwrap();
    assert_eq!((row.generation, row.refresh), (generation(1), Some(name("r1"))));
    let StoreOutcome::Pulse(pulse) = storage.apply(at(2), pulse(0)).answer.outcome else {
        panic!("a pulse")
    };
    assert_eq!(pulse.sequence, Sequence(1));
}

#[test]
fn an_operation_is_judged_by_the_row_before_and_after_it() {
    let mut storage = Storage::new(StoreIdentity(7), None);
    assert_eq!(storage.apply(at(0), adopt("a", "r1")).before, None);
    let applied = storage.apply(at(1), commit(1, 1, "r2"));
    assert_eq!(applied.deed.carries(), Some(name("r2")));
    assert!(applied.before.unwrap().keeps(name("r1")));
    assert!(applied.after.unwrap().keeps(name("r2")));
    let applied = storage.apply(at(2), pulse(0));
    assert_eq!((applied.before, applied.after), (None, None));
}

#[test]
fn a_calm_store_is_prompt_and_a_stormy_one_fails_in_every_way() {
    let calm = StoreWeather::default().fate(&mut Choices::from_seed(1));
    let instant = Duration::from_millis(1);
    assert_eq!(calm, StoreFate { back: instant, forth: instant, way: StoreWay::Done });
    let often = Rate::once_in(8);
    let stormy = StoreWeather {
        answer_lost: often,
        carried_out_late: often,
        lost: often,
        refused: often,
        slowness: Duration::from_secs(10),
        stale: often,
    };
    let mut choices = Choices::from_seed(1);
    let ways: std::collections::BTreeSet<_> =
        (0..1_000).map(|_| stormy.fate(&mut choices).way).collect();
    assert_eq!(ways.len(), 6, "{ways:?}");
}
