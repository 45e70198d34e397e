//! Many callers at once.

use std::sync::Arc;
use std::time::Duration;

use sr_auth_core::lifecycle::{Blame, Cause};
use sr_auth_core::{Authorization, Remedy};
use sr_auth_http::{SourceError, TokenSource};
use sr_testkit::{Effect, Fault, Target};
use tokio::task::JoinHandle;

use crate::scene::{Scene, in_time, key, until};

const HERD: usize = 10_000;

type Answer = Result<Arc<Authorization>, SourceError>;

fn herd(source: &TokenSource, callers: usize) -> Vec<JoinHandle<Answer>> {
    let call = |source: TokenSource| async move { source.authorization().await };
    (0..callers).map(|_| tokio::spawn(call(source.clone()))).collect()
}

async fn answers(herd: Vec<JoinHandle<Answer>>) -> Vec<Answer> {
    let mut answers = Vec::new();
    for caller in herd {
        answers.push(in_time("every caller is answered", caller).await.unwrap());
    }
    answers
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_callers_of_a_missing_token_cost_one_request() {
    let scene = Scene::start().await;
    let source = scene.service().build().unwrap();
    scene.transport.hold();
    let herd = herd(&source, HERD);
    until("the request is under way", || scene.transport.begun() == 1).await;
    scene.transport.release();
    let answers = answers(herd).await;
    let first = answers[0].as_ref().unwrap().value().clone();
    assert!(answers.iter().all(|it| it.as_ref().is_ok_and(|it| *it.value() == first)));
    assert_eq!((scene.transport.begun(), scene.token_requests()), (1, 1));
    // From now on it is at hand.
    assert_eq!(source.ready().unwrap().value(), first);
    assert_eq!(scene.token_requests(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_first_caller_who_leaves_changes_nothing_for_the_others() {
    let scene = Scene::start().await;
    let source = scene.service().build().unwrap();
    scene.transport.hold();
    let first = herd(&source, 1);
    until("the first caller has asked", || scene.transport.begun() == 1).await;
    let others = herd(&source, HERD - 1);
    first.into_iter().for_each(|it| it.abort());
    scene.transport.release();
    assert!(answers(others).await.iter().all(Result::is_ok));
    assert_eq!((scene.transport.begun(), scene.token_requests()), (1, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn when_all_callers_leave_the_token_comes_all_the_same() {
    let scene = Scene::start().await;
    let source = scene.service().build().unwrap();
    scene.transport.hold();
    let herd = herd(&source, 10);
    until("the request is under way", || scene.transport.begun() == 1).await;
    herd.into_iter().for_each(|it| it.abort());
    scene.transport.release();
    until("the token is published", || source.ready().is_some()).await;
    assert_eq!(scene.token_requests(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_credentials_cost_a_hundred_requests() {
    let scene = Scene::start().await;
    let companies = scene.companies().build().unwrap();
    let client = scene.sandbox.credentials().service();
    let herds: Vec<_> = (0..100)
        .map(|it| companies.client(&key(&format!("company/{it}")), client.clone()))
        .flat_map(|source| herd(&source, HERD / 100))
        .collect();
    assert!(answers(herds).await.iter().all(Result::is_ok));
    assert_eq!((scene.transport.begun(), scene.token_requests()), (100, 100));
    let again = companies.source(&key("company/7"));
    assert!(again.ready().is_some(), "by key as well");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_fails_gives_all_the_same_error_and_no_storm() {
    let cases = [
        (Effect::Status { status: 503 }, Blame::Endpoint),
        (Effect::Status { status: 429 }, Blame::Throttled),
        (Effect::LostAfter, Blame::Silence),
    ];
    for (effect, blame) in cases {
        let scene = Scene::start().await;
        let source = scene.service().wait_within(Duration::from_millis(300)).build().unwrap();
        scene.sandbox.with(|it| it.inject(Fault::new(Target::Token, effect.clone()).times(9)));
        scene.transport.hold();
        let herd = herd(&source, 1_000);
        until("the request is under way", || scene.transport.begun() == 1).await;
        scene.transport.release();
        let answers = answers(herd).await;
        let first = answers[0].clone().unwrap_err();
        let SourceError::Unavailable(why) = &first else { panic!("{effect:?}: {first:?}") };
        assert_eq!(why.cause(), Cause::Renewal(blame), "{effect:?}");
        assert!(matches!(first.remedy(), Remedy::RetryLater { at: Some(_) }), "{first:?}");
        let same = answers.iter().filter(|it| it.as_ref().unwrap_err() == &first).count();
        assert_eq!((same, scene.token_requests()), (1_000, 1), "{effect:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failure_that_passes_is_waited_out() {
    let scene = Scene::start().await;
    let source = scene.service().build().unwrap();
    let fault = Fault::new(Target::Token, Effect::Status { status: 503 });
    scene.sandbox.with(|it| it.inject(fault));
    assert!(answers(herd(&source, 1_000)).await.iter().all(Result::is_ok));
    assert_eq!(scene.token_requests(), 2);
}

#[tokio::test]
async fn a_client_that_is_refused_is_told_at_once() {
    let scene = Scene::start().await;
    let client = scene.sandbox.credentials().service().clone();
    scene.sandbox.with(|it| it.world_mut().revoke_client(client.id().as_str()));
    let source = scene.service().build().unwrap();
    let error = in_time("at once", source.authorization()).await.unwrap_err();
    assert_eq!(error.code(), "sr_auth::renewal::application");
    assert_eq!(error.remedy(), Remedy::FixConfiguration);
    assert_eq!(scene.token_requests(), 1);
}

#[tokio::test]
async fn a_caller_keeps_its_own_deadline() {
    let scene = Scene::start().await;
    let source = scene.service().build().unwrap();
    scene.transport.hold();
    let waited = source.authorization_within(Duration::from_millis(50)).await;
    assert_eq!(waited.unwrap_err(), SourceError::TimedOut);
    scene.transport.release();
    assert!(in_time("it goes on", source.authorization()).await.is_ok());
    assert_eq!(scene.transport.begun(), 1);
}
