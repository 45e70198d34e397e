//! No secret in anything that is told while tokens are kept, renewed, refused and ended.

use std::time::Duration;

use sr_auth_core::lifecycle::View;
use sr_auth_core::store::End;
use sr_auth_core::{Fingerprint, FingerprintKey, Secret, TokenSet};
use sr_auth_http::Clock;
use sr_testkit::{Canary, Effect, Fault, Target, Transcript};

use crate::flaky::Flaky;
use crate::scene::{Scene, in_time, key, memory, until};

#[tokio::test]
async fn k05_k07_fingerprints_are_told_while_tokens_are_kept_and_no_secret() {
    let log = Transcript::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_ansi(false)
        .with_max_level(tracing_subscriber::filter::LevelFilter::TRACE)
        .with_writer(move || writer.clone())
        .finish();
    // All tasks of this test are on this thread.
    let _guard = tracing::subscriber::set_default(subscriber);
    let (canaries, fingerprint) = live_through(&log).await;
    let (shown, text) = (log.bytes(), log.text());
    for word in ["adopted", "rotated", "commit_delayed", "ended", "renewal_failed", "planner/acme"]
    {
        assert!(text.contains(word), "the log is there, and tells of {word}");
    }
    let rotation = text.lines().find(|it| it.contains("event=\"rotated\"")).unwrap();
    assert!(rotation.contains(&fingerprint.to_string()), "{rotation}");
    for canary in canaries {
        assert!(canary.find(&shown).is_empty(), "{:?}", canary.find(&shown));
    }
}

/// Does a bit of everything, well and badly, and returns the secrets that were about, and the
/// fingerprint of the refresh token that the first rotation brought.
async fn live_through(log: &Transcript) -> (Vec<Canary>, Fingerprint) {
    let scene = Scene::start().await;
    let clock = Clock::manual(Clock::system().now());
    let (switch, store) = Flaky::new();
    let source = scene.user(store).clock(clock.clone()).build().unwrap();
    let tokens = scene.consent().await;
    let mut canaries = watch(&tokens);
    source.adopt(&tokens).await.unwrap();
    let of = |view: Option<View>| view.unwrap().refresh_token.unwrap();
    let expected = FingerprintKey::new([7; 32]).fingerprint(tokens.refresh().unwrap().secret());
    assert_eq!(of(source.view().await.unwrap()), expected, "under the key of the deployment");
    log.show(&(source.authorization().await, source.view().await, &source));

    clock.advance(Duration::from_secs(1_400));
    switch.set_down(true);
    let old = source.authorization().await.unwrap();
    until("the store refuses", || switch.refused() > 0).await;
    switch.set_down(false);
    until("the successor is served", || {
        clock.advance(Duration::from_millis(100));
        source.ready().is_some_and(|it| it.value() != old.value())
    })
    .await;
    // The store is asked again in a while.
    for _ in 0..100 {
        clock.advance(Duration::from_secs(1));
        tokio::task::yield_now().await;
    }
    let new = source.ready().unwrap();
    let rotated = of(source.view().await.unwrap());
    canaries.push(header("the next access token", new.value()));
    log.show(&(&new, source.view().await));
    source.rejected(new.fingerprint().unwrap());
    let other = in_time("another token", source.authorization()).await;
    canaries.push(header("one more access token", other.as_ref().unwrap().value()));
    source.end(End::Revoked).await.unwrap();
    log.show(&(source.authorization().await, source.view().await));
    in_time("drained", source.shutdown()).await;
    log.show(&source.adopt(&tokens).await);

    let companies = scene.companies().wait_within(Duration::from_millis(200)).build().unwrap();
    let mut events = companies.events();
    let client = scene.sandbox.credentials().service().clone();
    let company = companies.client(&key("company"), client.clone());
    scene.sandbox.with(|it| it.inject(Fault::new(Target::Token, Effect::Status { status: 503 })));
    log.show(&(company.authorization().await, &company, &companies, &client));
    log.show(&events.next().await);
    let users = scene.users(memory()).build();
    log.show(&users);
    (canaries, rotated)
}

fn watch(tokens: &TokenSet) -> Vec<Canary> {
    let access = tokens.access().secret().expose().to_owned();
    let refresh = tokens.refresh().unwrap().secret().expose().to_owned();
    vec![
        Canary::of("the access token", Secret::new(access)),
        Canary::of("the refresh token", Secret::new(refresh)),
    ]
}

fn header(name: &'static str, value: &http::HeaderValue) -> Canary {
    let token = value.to_str().unwrap().trim_start_matches("Bearer ").to_owned();
    Canary::of(name, Secret::new(token))
}
