//! What goes wrong, what it is called, and how many requests it costs.

use std::sync::Arc;
use std::time::Duration;

use sr_auth_core::wire::api_refusal::ApiRefusal;
use sr_auth_core::{
    ApiKey, Endpoints, ErrorCode, ExpiredCredential, GrantError, Secret, ServerMisbehaved,
};
use sr_auth_http::{ApiError, Clock, SourceError, TokenClient, TokenSource, Transport};
use sr_testkit::{Effect, Fault, Target};

use crate::scene::Scene;

#[tokio::test]
async fn a_revoked_client_is_refused_after_one_request() {
    let scene = Scene::start().await;
    let client = scene.sandbox.credentials().service().clone();
    assert!(scene.sandbox.with(|it| it.world_mut().revoke_client(client.id().as_str())));
    let error = scene.source(&client).authorization().await.unwrap_err();
    let SourceError::Grant(GrantError::Refused(response)) = error else { panic!("{error:?}") };
    assert_eq!(response.code(), ErrorCode::InvalidClient);
    assert_eq!(scene.token_requests(), 1);
}

#[tokio::test]
async fn client_credentials_outlast_passing_faults() {
    let unavailable = |attempts| GrantError::Unavailable { attempts, retry_at: None };
    let misbehaved = GrantError::ServerMisbehaved;
    let redirect = Effect::Redirect { location: "http://127.0.0.1:9/".to_owned(), status: 307 };
    let cases = [
        ("two server faults", Effect::Status { status: 503 }, 2, Ok(()), 3),
        ("three server faults", Effect::Status { status: 500 }, 3, Err(unavailable(3)), 3),
        ("a lost request", Effect::LostBefore, 1, Ok(()), 2),
        ("a lost answer", Effect::LostAfter, 1, Ok(()), 2),
        ("a redirect", redirect, 1, Err(misbehaved(ServerMisbehaved::Redirect)), 1),
        ("no JSON", Effect::Garbage, 1, Err(misbehaved(ServerMisbehaved::NotJson)), 1),
        (
            "a long body",
            Effect::HugeBody { bytes: 10_000_000 },
            1,
            Err(misbehaved(ServerMisbehaved::TooLong)),
            1,
        ),
    ];
    for (name, effect, times, expected, requests) in cases {
        let scene = Scene::start().await;
        scene.sandbox.with(|it| it.inject(Fault::new(Target::Token, effect).times(times)));
        let client = scene.client(scene.sandbox.credentials().service());
        let outcome = client.client_credentials().await.map(|_| ());
        assert_eq!(outcome, expected, "{name}");
        assert_eq!(scene.recorder.sent().len(), requests, "{name}");
    }
}

#[tokio::test]
async fn c12_a_refresh_token_that_may_have_arrived_is_not_sent_again() {
    for effect in [Effect::LostBefore, Effect::LostAfter, Effect::Status { status: 502 }] {
        let scene = Scene::start().await;
        let refresh = scene.authorize().await.into_parts().1.unwrap();
        let before = scene.recorder.sent().len();
        scene.sandbox.with(|it| it.inject(Fault::new(Target::Token, effect.clone()).times(9)));
        let client = scene.client(scene.sandbox.credentials().application());
        let failure = client.refresh(refresh).await.unwrap_err();
        assert_eq!(failure.error(), &GrantError::OutcomeUnknown, "{effect:?}");
        assert_eq!(scene.recorder.sent().len() - before, 1, "{effect:?}");
    }
}

#[tokio::test]
async fn a_code_that_grew_too_old_is_not_sent() {
    let scene = Scene::start().await;
    let grant = scene.consent().await;
    let late = Clock::manual(Clock::system().now().after(Duration::from_secs(28)));
    let client = TokenClient::builder(scene.sandbox.credentials().application().clone())
        .clock(late.clone())
        .endpoints(scene.sandbox.endpoints().unwrap())
        .transport(Arc::clone(&scene.recorder) as Arc<dyn Transport>)
        .build()
        .unwrap();
    let failure = client.authorization_code(grant).await.unwrap_err();
    let expected = GrantError::Expired(ExpiredCredential::AuthorizationCode);
    assert_eq!(failure.error(), &expected);
    assert_eq!(scene.recorder.sent().len(), 0);
}

#[tokio::test]
async fn nobody_at_the_token_endpoint_is_unavailable_and_spends_nothing() {
    let scene = Scene::start().await;
    let refresh = scene.authorize().await.into_parts().1.unwrap();
    let nobody = Endpoints::at_origin("http://127.0.0.1:9").unwrap();
    let pause = Duration::from_millis(1);
    let retry = sr_auth_core::grant::RetryPolicy::default().with_pauses(pause, pause).unwrap();
    let client = TokenClient::builder(scene.sandbox.credentials().application().clone())
        .endpoints(nobody)
        .retry(retry)
        .build()
        .unwrap();
    let failure = client.refresh(refresh.clone()).await.unwrap_err();
    let expected = GrantError::Unavailable { attempts: 3, retry_at: None };
    assert_eq!(failure.error(), &expected);
    let client = scene.client(scene.sandbox.credentials().application());
    assert!(client.refresh(refresh).await.is_ok(), "the token is as good as before");
}

#[tokio::test]
async fn a_refusal_of_the_api_says_what_is_missing() {
    let scene = Scene::start().await;
    let credentials = scene.sandbox.credentials();
    let wrong = ApiKey::new(Secret::new("DCRA1-no-such-key".to_owned())).unwrap();
    let cases = [
        ("another key", TokenSource::api_key(wrong), "/jobs", "unauthenticated"),
        ("no key", TokenSource::none(), "/jobs", "unauthenticated"),
        ("a narrow client", scene.source(credentials.narrow()), "/candidates", "missing_scope"),
        ("no API access", scene.source(credentials.locked_out()), "/jobs", "no_api_access"),
    ];
    for (name, source, path, code) in cases {
        let error = scene.api(source).get(path).await.unwrap_err();
        assert_eq!(error.code(), format!("sr_auth::api::{code}"), "{name}");
        let ApiError::Refused(refused) = error else { panic!("{name}: {error}") };
        assert!(refused.response().status().is_client_error(), "{name}");
    }
}

#[tokio::test]
async fn a_missing_scope_is_named_with_the_words_of_the_server() {
    let scene = Scene::start().await;
    let api = scene.api(scene.source(scene.sandbox.credentials().narrow()));
    let ApiError::Refused(refused) = api.get("/candidates").await.unwrap_err() else {
        panic!("it is refused")
    };
    let ApiRefusal::MissingScope { needed } = refused.refusal() else { panic!("{refused:?}") };
    assert!(needed.iter().any(|scope| scope.as_str() == "candidates_read"), "{needed:?}");
    assert!(refused.message().is_some() && refused.rate_limit().limit.is_some());
}

#[tokio::test]
async fn an_answer_of_the_api_is_bounded_and_not_redirected() {
    let scene = Scene::start().await;
    let key = scene.sandbox.credentials().api_key().clone();
    let api = scene.api(TokenSource::api_key(key)).with_body_limit(1_000);
    let redirect = Effect::Redirect { location: "http://127.0.0.1:9/".to_owned(), status: 302 };
    let cases = [
        ("a redirect", redirect, "sr_auth::api::redirected"),
        ("a long body", Effect::HugeBody { bytes: 5_000 }, "sr_auth::api::too_long"),
        ("a lost answer", Effect::LostAfter, "sr_auth::transport::closed"),
        ("too many requests", Effect::Status { status: 429 }, "sr_auth::api::throttled"),
    ];
    for (name, effect, code) in cases {
        scene.sandbox.with(|it| it.inject(Fault::new(Target::Resources, effect)));
        let error = api.get("/jobs?limit=1").await.unwrap_err();
        assert_eq!(error.code(), code, "{name}");
    }
    assert_eq!(scene.recorder.sent().len(), 4, "nothing is sent twice");
}
