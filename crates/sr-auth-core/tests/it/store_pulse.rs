//! What a pulse tells, and how much a store remembers.

use sr_auth_core::store::{
    LedgerEvent, Model, OwnerId, Pulse, Record, Sequence, StoreIdentity, StoreOp, StoreOutcome,
};

use crate::fixture::at;
use crate::store_model::{A, B, Token, commit, key, pulse, store};

fn look(store: &mut Model<Token>, now: u64, owner: OwnerId, since: u64) -> Pulse {
    let op = StoreOp::Pulse { alive: false, owner, since: Sequence(since) };
    let StoreOutcome::Pulse(pulse) = store.apply(at(now), op).outcome else { panic!("a pulse") };
    pulse
}

#[test]
fn a_pulse_tells_what_moved_since_the_last_and_who_lives() {
    let mut store = store();
    store.apply(at(1), commit(1, A, Some("rt2")));
    let seen = look(&mut store, 2, B, 0);
    assert_eq!((seen.sequence, seen.store), (Sequence(2), StoreIdentity(1)));
    let told: Vec<_> =
        seen.changes.iter().map(|it| (it.sequence.0, it.generation.number())).collect();
    assert_eq!(told, [(1, 1), (2, 2)]);
    assert_eq!(look(&mut store, 2, B, 1).changes.len(), 1);
    assert_eq!(look(&mut store, 2, B, 2).changes.len(), 0);
    store.apply(at(10), pulse(A, true));
    assert_eq!(look(&mut store, 19, B, 2).processes, 2);
    assert_eq!(look(&mut store, 20, B, 2).processes, 1, "ten seconds without a sign of life");
    assert_eq!(look(&mut store, 19, A, 2).processes, 1, "the one that asks counts once");
}

#[test]
fn what_is_remembered_is_bounded() {
    let mut store = store();
    for number in 1..=Model::<Token>::CHANGES_LIMIT as u64 {
        store.apply(at(1), commit(number, A, Some("rt")));
    }
    let changes = look(&mut store, 2, B, 0).changes;
    assert_eq!(changes.len(), Model::<Token>::CHANGES_LIMIT);
    assert_eq!(changes.first().map(|it| it.sequence), Some(Sequence(2)), "the oldest is forgotten");
    let ledger = &store.record(&key()).expect("there").ledger;
    assert_eq!(ledger.len(), Record::<Token>::LEDGER_LIMIT);
    assert!(ledger.iter().all(|it| it.event == LedgerEvent::Rotated), "the newest are kept");
}
