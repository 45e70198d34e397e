//! `oauthTokenUrl` and `callbackUrl` over sockets.

use http::StatusCode;
use sr_partner::consent::ConsentDisplayMode::Redirect;

use crate::scene::{Scene, header, text};

const FORM: &str = "application/x-www-form-urlencoded";

#[tokio::test]
async fn i04_a_token_is_got_by_form_and_by_basic_and_opens_the_api() {
    let scene = Scene::new(Redirect).await;
    scene.connect("acme").await;
    for how in ["partner_authentication=body", "partner_authentication=basic"] {
        scene.sandbox.with(|it| it.switches_mut().set(how)).unwrap();
        let token = scene.their_token().await;
        assert_eq!(scene.call("/interviews", &token).await.status(), StatusCode::OK, "{how}");
    }
    scene.stop().await;
}

#[tokio::test]
async fn i08_an_unknown_client_a_wrong_secret_and_a_disabled_client_get_the_same_bytes() {
    let scene = Scene::new(Redirect).await;
    scene.connect("acme").await;
    let request = scene.sandbox.with(|it| it.partner_token_request(&scene.key())).unwrap();
    let good = String::from_utf8(request.body().expose().to_vec()).unwrap();
    let id = good.split('&').find_map(|it| it.strip_prefix("client_id=")).unwrap().to_owned();
    let ask = |body: String| {
        let request = scene.post("/oauth/token").header("content-type", FORM);
        let scene = &scene;
        async move { scene.ask(request, &body).await }
    };
    let form = |id: &str| format!("client_id={id}&client_secret=1&grant_type=client_credentials");
    let mut answers = vec![
        ask(form("nobody")).await,
        ask(form(&id)).await,
        ask(form(&id.replace("srp1-", "srp1-0"))).await,
    ];
    scene.sandbox.with(|it| it.disable_integration(&scene.key()));
    scene.service.end(&scene.key(), sr_partner::store::EndCause::Revoked).await.unwrap();
    answers.push(ask(good).await);
    let seen = |it: &http::Response<sr_auth_core::SecretBytes>| {
        let mut headers = it.headers().clone();
        headers.remove("date");
        (it.status(), headers, text(it))
    };
    let (status, _, body) = seen(&answers[0]);
    assert_eq!(
        (status, body.as_str()),
        (StatusCode::UNAUTHORIZED, "{\"error\":\"invalid_client\"}")
    );
    for (number, answer) in answers.iter().enumerate() {
        assert_eq!(seen(answer), seen(&answers[0]), "answer {number}");
    }
    scene.stop().await;
}

#[tokio::test]
async fn i09_a_source_that_is_refused_too_often_is_turned_away() {
    let scene = Scene::new(Redirect).await;
    scene.connect("acme").await;
    let mut statuses = Vec::new();
    for number in 0..101 {
        let body =
            format!("client_id=nobody-{number}&client_secret=1&grant_type=client_credentials");
        let request = scene.post("/oauth/token").header("content-type", FORM);
        statuses.push(scene.ask(request, &body).await.status().as_u16());
    }
    assert_eq!(statuses.pop(), Some(429), "from one address");
    assert!(statuses.iter().all(|it| *it == 401), "{statuses:?}");
    // SmartRecruiters calls for all companies from one address: a right secret is never shut out.
    scene.their_token().await;
    scene.stop().await;
}

#[tokio::test]
async fn i02_i24_methods_are_refused_and_preflights_get_no_word_of_other_origins() {
    let scene = Scene::new(Redirect).await;
    for path in ["/oauth/token", "/callback"] {
        for method in ["GET", "PUT", "DELETE", "OPTIONS"] {
            let request = http::Request::builder()
                .method(method)
                .uri(format!("{}{path}", scene.origin))
                .header("origin", "https://evil.example")
                .header("access-control-request-method", "POST");
            let answer = scene.ask(request, "").await;
            assert_eq!(answer.status(), StatusCode::METHOD_NOT_ALLOWED, "{method} {path}");
            assert_eq!(header(&answer, "allow"), Some("POST"), "{method} {path}");
            let cors = answer.headers().keys().find(|it| it.as_str().starts_with("access-control"));
            assert_eq!(cors, None, "{method} {path}");
        }
    }
    scene.stop().await;
}

#[tokio::test]
async fn i22_what_was_disabled_gets_no_token_and_opens_nothing_in_any_process() {
    let scene = Scene::new(Redirect).await;
    scene.connect("acme").await;
    let token = scene.their_token().await;
    let request = scene.sandbox.with(|it| it.partner_token_request(&scene.key())).unwrap();
    let requests = scene.sandbox.with(|it| it.disable_requests(&scene.key())).unwrap();
    let granted = scene.send(requests.token().clone()).await.unwrap();
    let other = scene.another_process().await;
    let before = other.call(&scene, "/interviews", &token).await;
    assert_eq!(before, StatusCode::OK, "the other process admits what this one has issued");
    let heard = scene.send(requests.notification(&granted).unwrap()).await.unwrap();
    assert_eq!(heard.status(), StatusCode::OK);
    let after = other.call(&scene, "/interviews", &token).await;
    assert_eq!(after, StatusCode::UNAUTHORIZED, "at once, for nothing is remembered");
    let refused = scene.send(request).await.unwrap();
    assert_eq!(refused.status(), StatusCode::UNAUTHORIZED);
    // The token of the notification itself speaks for its generation once more, and changes nothing.
    let again = scene.send(requests.notification(&granted).unwrap()).await.unwrap();
    assert_eq!(again.status(), StatusCode::OK);
    scene.service.settle().await;
    assert_eq!(scene.told().iter().filter(|it| it.contains("left")).count(), 1);
    scene.stop().await;
}
