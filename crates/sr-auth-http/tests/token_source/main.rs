//! Every method, from the credential to an answer of the API, against the sandbox.
#![expect(clippy::unwrap_used, reason = "what cannot be set up has failed the test")]

mod failures;
mod recorder;
mod scene;

use http::{HeaderMap, HeaderName, Request};
use scene::Scene;
use sr_auth_core::{Authorization, ConfigError, Fault, SecretBytes, Setting};
use sr_auth_http::{ApiError, SourceError, TokenSource};

#[tokio::test]
async fn every_credential_opens_what_it_is_for() {
    let scene = Scene::start().await;
    let credentials = scene.sandbox.credentials();
    let cases = [
        ("an API key", TokenSource::api_key(credentials.api_key().clone()), "/jobs"),
        ("client credentials", scene.source(credentials.service()), "/jobs"),
        (
            "client credentials in a header",
            scene.source(&credentials.service().clone().in_header()),
            "/jobs",
        ),
        (
            "a partner API key",
            TokenSource::partner_api_key(credentials.partner_api_key().clone()),
            "/feed/publications",
        ),
        ("none", TokenSource::none(), "/v1/companies/AcmeLogistics/postings"),
    ];
    for (name, source, path) in cases {
        let response = scene.api(source).get(path).await;
        assert_eq!(response.map(|it| it.status().as_u16()).unwrap(), 200, "{name}");
    }
}

#[tokio::test]
async fn a_user_consents_and_the_grant_is_refreshed() {
    let scene = Scene::start().await;
    let first = scene.authorize().await;
    let client = scene.client(scene.sandbox.credentials().application());
    let (access, refresh) = first.into_parts();
    let second = client.refresh(refresh.unwrap()).await.unwrap();
    assert!(second.rotated(), "a refresh brings the next refresh token");
    for token in [&access, second.access()] {
        let mut request = Request::get(format!("{}/users/me", scene.sandbox.origin()));
        token.authorization().apply_to(request.headers_mut().unwrap());
        let request = request.body(SecretBytes::default()).unwrap();
        let response = scene.api(TokenSource::none()).send(request).await.unwrap();
        assert_eq!(response.status(), 200);
    }
}

#[tokio::test]
async fn c22_an_access_token_is_in_the_authorization_header_and_nowhere_else() {
    let scene = Scene::start().await;
    let client = scene.client(scene.sandbox.credentials().service());
    let auth = client.client_credentials().await.unwrap().authorization();
    let token = auth.value().to_str().unwrap().strip_prefix("Bearer ").unwrap().to_owned();
    let mut request = Request::get(format!("{}/jobs", scene.sandbox.origin()));
    auth.apply_to(request.headers_mut().unwrap());
    let request = request.body(SecretBytes::default()).unwrap();
    scene.api(TokenSource::none()).send(request).await.unwrap();

    let sent = scene.recorder.sent();
    let call = sent.last().unwrap();
    assert_eq!(call.credential, format!("authorization: Bearer {token}\n"));
    for sent in sent {
        let elsewhere = format!("{} {} {}", sent.url, sent.body, sent.other_headers);
        assert!(!elsewhere.contains(&token), "{} {}", sent.method, sent.path);
    }
}

#[tokio::test]
async fn c03_token_requests_are_posts_without_a_query() {
    let scene = Scene::start().await;
    let credentials = scene.sandbox.credentials();
    let refresh = scene.authorize().await.into_parts().1.unwrap();
    scene.client(credentials.application()).refresh(refresh).await.unwrap();
    scene.source(credentials.service()).authorization().await.unwrap();
    let sent = scene.recorder.sent();
    assert_eq!(sent.len(), 3, "a code, a refresh token, client credentials");
    for sent in sent {
        assert_eq!((sent.method.as_str(), sent.path.as_str()), ("POST", "/identity/oauth/token"));
        assert_eq!(sent.url, format!("{}{}", scene.sandbox.origin(), sent.path));
    }
    let leaked = scene.sandbox.with(|it| it.journal().filter(|it| it.secret_in_url).count());
    assert_eq!(leaked, 0);
}

#[tokio::test]
async fn c17_a_refresh_token_is_sent_to_the_token_endpoint_only() {
    let scene = Scene::start().await;
    let tokens = scene.authorize().await;
    let auth = tokens.access().authorization();
    let refresh = tokens.into_parts().1.unwrap();
    let secret = refresh.secret().expose().to_owned();
    let mut request = Request::get(format!("{}/users/me", scene.sandbox.origin()));
    auth.apply_to(request.headers_mut().unwrap());
    let request = request.body(SecretBytes::default()).unwrap();
    scene.api(TokenSource::none()).send(request).await.unwrap();
    scene.client(scene.sandbox.credentials().application()).refresh(refresh).await.unwrap();
    let carried: Vec<_> = scene
        .recorder
        .sent()
        .into_iter()
        .filter(|it| format!("{it:?}").contains(&secret))
        .map(|it| it.path)
        .collect();
    assert_eq!(carried, ["/identity/oauth/token"]);
}

#[tokio::test]
async fn c27_a_request_to_another_origin_gets_no_credential() {
    let scene = Scene::start().await;
    let key = scene.sandbox.credentials().api_key().clone();
    let api = scene.api(TokenSource::api_key(key));
    let port = scene.sandbox.origin().replace("127.0.0.1", "localhost");
    for url in ["https://api.smartrecruiters.com/jobs", "http://127.0.0.1:9/jobs", &port] {
        let request = Request::get(url).body(SecretBytes::default()).unwrap();
        let error = api.send(request).await.unwrap_err();
        let expected = ConfigError::new(Setting::ApiPath, Fault::OtherOrigin);
        assert!(matches!(error, ApiError::Config(it) if it == expected), "{url}: {error}");
    }
    for path in ["//elsewhere.example/jobs", "/\\elsewhere.example/jobs", "jobs"] {
        assert!(matches!(api.get(path).await, Err(ApiError::Config(_))), "{path}");
    }
    assert_eq!(scene.recorder.sent().len(), 0);
}

#[tokio::test]
async fn signing_replaces_an_earlier_credential() {
    let scene = Scene::start().await;
    let source = TokenSource::api_key(scene.sandbox.credentials().api_key().clone());
    let mut headers = HeaderMap::new();
    headers.insert(http::header::AUTHORIZATION, "Bearer stale".parse().unwrap());
    source.sign(&mut headers).await.unwrap();
    let names: Vec<_> = headers.keys().map(HeaderName::as_str).collect();
    assert_eq!(names, [Authorization::SMART_TOKEN.as_str()]);
}

#[tokio::test]
async fn a_source_without_a_credential_says_so() {
    let source = TokenSource::none();
    let mut headers = HeaderMap::new();
    source.sign(&mut headers).await.unwrap();
    assert_eq!(headers.len(), 0);
    let error = source.authorization().await.unwrap_err();
    assert_eq!(error, SourceError::NoCredential);
    assert_eq!(error.code(), "sr_auth::source::no_credential");
}
