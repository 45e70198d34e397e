//! A grant over many rotations, compared with what the server holds.

use std::time::Duration;

use proptest::prelude::*;
use sr_auth_core::{RefreshToken, SingleUse};
use sr_testkit::{DemoCredentials, Effect, Fault, Simulator, Target};

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
    let mut scene = scene(&["successor=kept"]);
    let first = refresh_of(&scene.tokens());
    let mut held = first.clone();
    for refresh in 1..=3 {
        let tokens = scene.refresh(&held).expect("the old one stays valid");
        assert!(!tokens.rotated());
        held = refresh_of(&tokens);
        assert!(held.secret().matches(first.secret()), "refresh {refresh}");
        assert_eq!(scene.with_token("/jobs", tokens.access()).status(), 200);
    }
    let grants = scene.simulator.grants(scene.now);
    let grant = grants.first().expect("one grant");
    assert_eq!(grant.live_refresh, [fingerprint(first.secret())]);
    assert!(grant.spent_refresh.is_empty() && grant.live_access.len() == 4);
    scene.now = scene.now.after(RefreshToken::LIFE);
    assert!(scene.refresh(&held).is_err(), "its days are not made more");
}

#[test]
fn a_grant_whose_successor_is_omitted_ends_with_its_access_token() {
    let mut scene = scene(&["successor=omitted"]);
    let before = refresh_of(&scene.tokens());
    let tokens = scene.refresh(&before).expect("an access token");
    assert!(!tokens.rotated());
    let held = refresh_of(&tokens);
    assert!(held.secret().matches(before.secret()), "there is no other to try");
    let failure = scene.refresh(&held).expect_err("it is spent");
    assert_eq!(failure.error().single_use(), SingleUse::Spent);
    let live = |scene: &crate::fixture::Scene| {
        let grants = scene.simulator.grants(scene.now);
        let grant = grants.first().expect("one grant");
        (grant.live_access.len(), grant.live_refresh.len())
    };
    assert_eq!(live(&scene), (2, 0));
    scene.now = scene.now.after(Simulator::ACCESS_TOKEN_LIFE);
    assert_eq!(live(&scene), (0, 0));
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
                Err(failure) => failure.error().single_use() == SingleUse::Unspent,
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

#[test]
fn a_consent_without_a_browser_is_a_consent() {
    let mut scene = scene(&["old_access_token=dies"]);
    let client = scene.credentials.application().id().as_str().to_owned();
    let user = DemoCredentials::ADMINISTRATOR;
    let given = scene.simulator.consent(scene.now, &client, user).expect("a consent");
    let grant = given.grant.expect("a grant of a user");
    assert!(scene.simulator.accepts(scene.now, &given.access));
    let held = RefreshToken::new(given.refresh.expect("a token"), scene.now).expect("a token");
    let tokens = scene.refresh(&held).expect("tokens");
    let issued = scene.simulator.take_issued().expect("the request was granted");
    assert!(issued.access.matches(tokens.access().secret()));
    assert_eq!((issued.grant, scene.simulator.take_issued().is_none()), (Some(grant), true));
    assert!(!scene.simulator.accepts(scene.now, &given.access), "the refresh has killed it");
    scene.refresh(&held).expect_err("it is spent");
    assert!(scene.simulator.take_issued().is_none(), "nothing was issued");
    assert!(scene.simulator.revoke_grant(grant) && scene.simulator.is_revoked(grant));
    assert!(!scene.simulator.accepts(scene.now, &issued.access));
    assert!(scene.simulator.consent(scene.now, &client, "nobody").is_none());
    let service = scene.credentials.service().id().as_str().to_owned();
    assert!(scene.simulator.consent(scene.now, &service, user).is_none());
}
