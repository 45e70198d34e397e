//! Whatever is asked, from whichever connection: the file answers as the model does.

use std::time::Duration;

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use sr_auth_core::Timestamp;
use sr_auth_core::store::{
    CauseOfDeath, End, Generation, IntentId, Model, NewGrant, NewIntent, Refusals, Renewal,
    Sequence, Sibling, StoreOp, StoreOutcome, Successor, TakeOver,
};
use sr_auth_store::Sealed;

use crate::fixture::{Place, apply, key, owner, pulse, token, wait};

fn intent_id() -> impl Strategy<Value = IntentId> {
    (0..3_u64, 0..3_u8).prop_map(|(number, by)| IntentId { number, owner: owner(by) })
}

fn generation() -> impl Strategy<Value = Generation> {
    (0..5_u64).prop_map(Generation::from_number)
}

fn renewal() -> impl Strategy<Value = Renewal> {
    prop_oneof![1 => Just(Renewal::Repeatable), 4 => Just(Renewal::SingleUse)]
}

fn cause() -> impl Strategy<Value = CauseOfDeath> {
    prop_oneof![Just(CauseOfDeath::Expired), Just(CauseOfDeath::LostInRotation)]
}

fn op() -> impl Strategy<Value = StoreOp<Sealed>> {
    let key = prop_oneof![Just("acme"), Just("globex")].prop_map(key);
    let tokens = (option::of((0..4_u8).prop_map(token)), option::of((0..4_u8).prop_map(token)));
    let by = (0..3_u8).prop_map(owner);
    let quiet = prop_oneof![Just(0), Just(5), Just(135)].prop_map(Duration::from_secs);
    let moment = (0..1_400_u64).prop_map(Timestamp::from_unix_secs);
    let refusals = (0..3_u32, 400..402_u16, moment.clone())
        .prop_map(|(count, status, first_at)| Refusals { count, first_at, status });
    let over = option::of(
        (any::<bool>(), intent_id())
            .prop_map(|(even_if_alive, intent)| TakeOver { even_if_alive, intent }),
    );
    let new = (option::of((0..4_u8).prop_map(|it| token(it).fingerprint)), intent_id(), quiet)
        .prop_map(|(fingerprint, id, quiet)| NewIntent { fingerprint, id, quiet });
    prop_oneof![
        1 => (key.clone(), tokens.clone(), renewal(), any::<bool>()).prop_map(
            |(key, (access, refresh), renewal, only_if_missing)| {
                let grant = NewGrant { access, refresh, renewal };
                StoreOp::Adopt { grant, key, only_if_missing }
            }
        ),
        3 => (key.clone(), generation(), new, over).prop_map(|(key, generation, intent, over)| {
            StoreOp::Arm { generation, intent, key, over }
        }),
        1 => (key.clone(), generation(), by.clone(), cause(), option::of(0..4_u8)).prop_map(
            |(key, generation, owner, cause, refused)| {
                let refused = refused.map(|it| token(it).fingerprint);
                StoreOp::Bury { cause, generation, key, owner, refused }
            }
        ),
        3 => (key.clone(), generation(), by.clone(), tokens).prop_map(
            |(key, generation, owner, (access, refresh))| {
                let successor = Successor { access, refresh };
                StoreOp::Commit { generation, key, owner, successor }
            }
        ),
        1 => (key.clone(), intent_id(), moment.clone(), refusals).prop_map(
            |(key, intent, not_before, refusals)| {
                StoreOp::Disarm { intent, key, not_before, refusals }
            }
        ),
        1 => (0..3_usize, moment).prop_map(|(limit, until)| StoreOp::Due { limit, until }),
        1 => (key.clone(), option::of(generation()), any::<bool>()).prop_map(
            |(key, generation, disabled)| {
                let end = if disabled { End::Disabled } else { End::Revoked };
                StoreOp::End { end, generation, key }
            }
        ),
        1 => (key.clone(), by.clone(), generation(), 0..4_u8).prop_map(|(key, owner, from, number)| {
            StoreOp::Escrow { key, owner, sibling: Sibling { from, token: token(number) } }
        }),
        1 => key.prop_map(|key| StoreOp::Load { key }),
        1 => (any::<bool>(), by, 0..20_u64).prop_map(|(alive, owner, since)| StoreOp::Pulse {
            alive,
            owner,
            since: Sequence(since)
        }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    /// Two connections to one file, one of them opened anew now and then, answer together as one
    /// model does.
    #[test]
    fn a_file_answers_as_the_model(steps in vec((0..2_usize, 0..40_u64, op()), 1..60)) {
        let place = Place::new();
        let mut connections = [place.open(), place.open()];
        let StoreOutcome::Pulse(first) =
            wait(apply(&connections[0], pulse(false, 0))).unwrap().outcome
        else {
            panic!("a pulse is answered with a pulse");
        };
        let mut model = Model::new(first.store);
        let mut secs = 1_000;
        for (step, (by, pause, op)) in steps.into_iter().enumerate() {
            secs += pause;
            place.set_clock(secs);
            if step % 20 == 19 {
                connections[by] = place.open();
            }
            let expected = model.apply(Timestamp::from_unix_secs(secs), op.clone());
            let answer = wait(apply(&connections[by], op.clone())).unwrap();
            prop_assert_eq!(answer, expected, "step {}: {:?}", step, op);
        }
    }
}
