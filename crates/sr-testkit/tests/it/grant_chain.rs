//! A grant over many rotations, compared with what the server holds.

use std::time::Duration;

use proptest::prelude::*;
use sr_auth_core::RefreshToken;
use sr_testkit::{Effect, Fault, Target};

use crate::fixture::{fingerprint, refresh_of, scene};

#[test]
fn c16_the_newest_refresh_token_is_kept_and_the_old_one_dropped() {
    let mut scene = scene(&[]);
    let mut tokens = scene.tokens();
    for rotation in 1..=50 {
        scene.now = scene.now.after(Duration::from_secs(27 * 24 * 60 * 60));
        let before = refresh_of(&tokens);
        tokens = scene.refresh(&before).expect("a rotation");
        let held = refresh_of(&tokens);
        assert!(tokens.rotated() && !held.secret().matches(before.secret()));
        let grants = scene.simulator.grants(scene.now);
        let grant = grants.first().expect("one grant");
        assert_eq!(grant.live_refresh, [fingerprint(held.secret())], "rotation {rotation}");
        assert!(grant.live_access.contains(&fingerprint(tokens.access().secret())));
    }
}

#[test]
fn c16_without_a_successor_the_old_refresh_token_is_kept() {
    let mut scene = scene(&["successor=omitted"]);
    let before = refresh_of(&scene.tokens());
    let tokens = scene.refresh(&before).expect("an access token");
    assert!(!tokens.rotated());
    assert!(refresh_of(&tokens).secret().matches(before.secret()));
}

/// What the network does to one refresh.
fn weather() -> impl Strategy<Value = Option<Fault>> {
    let token = |effect| Some(Fault::new(Target::Token, effect));
    prop_oneof![
        6 => Just(None),
        1 => Just(token(Effect::LostAfter)),
        1 => Just(token(Effect::LostBefore)),
        1 => Just(token(Effect::Status { status: 429 })),
        1 => Just(token(Effect::Status { status: 503 })),
        1 => Just(token(Effect::Garbage).map(Fault::after_processing)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// As long as the client believes that its token is unspent, the server agrees; and the server
    /// never has more than one live refresh token.
    #[test]
    fn client_and_server_agree_on_what_is_unspent(
        days in prop::collection::vec((weather(), 1..27_u64), 1..12),
    ) {
        let mut scene = scene(&[]);
        let mut held: RefreshToken = refresh_of(&scene.tokens());
        for (fault, days) in days {
            scene.now = scene.now.after(Duration::from_secs(days * 24 * 60 * 60));
            scene.simulator.clear_faults();
            if let Some(fault) = fault {
                scene.simulator.inject(fault);
            }
            // Kept for at most 28 days without a rotation.
            if scene.now >= held.expires_at() {
                break;
            }
            let unspent = match scene.refresh(&held) {
                Ok(tokens) => {
                    held = refresh_of(&tokens);
                    true
                }
                Err(failure) => failure.error().single_use() == sr_auth_core::SingleUse::Unspent,
            };
            let grants = scene.simulator.grants(scene.now);
            let live = &grants.first().expect("one grant").live_refresh;
            prop_assert!(live.len() <= 1, "{live:?}");
            if !unspent {
                break;
            }
            if scene.now < held.expires_at() {
                prop_assert_eq!(live.as_slice(), [fingerprint(held.secret())]);
            }
        }
    }
}
