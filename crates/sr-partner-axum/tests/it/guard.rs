//! SmartRecruiters at the application's own API.

use http::StatusCode;
use sr_partner::consent::ConsentDisplayMode::Redirect;
use sr_partner::store::EndCause;

use crate::scene::{COMPANY, Scene, header, text};

#[tokio::test]
async fn the_guard_admits_the_scope_of_the_token_and_names_the_company() {
    let scene = Scene::new(Redirect).await;
    scene.connect("acme").await;
    let token = scene.their_token().await;
    let cases = [
        ("its scope", "/interviews", &*token, StatusCode::OK, None),
        ("no scope is needed", "/anything", &*token, StatusCode::OK, None),
        (
            "another scope",
            "/offers",
            &*token,
            StatusCode::FORBIDDEN,
            Some("Bearer error=\"insufficient_scope\""),
        ),
        (
            "no token of ours",
            "/interviews",
            "4f1c",
            StatusCode::UNAUTHORIZED,
            Some("Bearer error=\"invalid_token\""),
        ),
        (
            "no guard before the handler",
            "/unguarded",
            &*token,
            StatusCode::INTERNAL_SERVER_ERROR,
            None,
        ),
    ];
    for (name, path, token, status, challenge) in cases {
        let answer = scene.call(path, token).await;
        assert_eq!(answer.status(), status, "{name}");
        assert_eq!(header(&answer, "www-authenticate"), challenge, "{name}");
    }
    assert_eq!(text(&scene.call("/token-seen", &token).await), "false", "handlers see no token");
    let none = scene.ask(scene.get("/interviews"), "").await;
    assert_eq!(none.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(header(&none, "www-authenticate"), Some("Bearer"));
    let other = format!("/interviews?companyId=someone-else&{COMPANY}");
    let answer = scene.call(&other, &token).await;
    assert_eq!(text(&answer), format!("{COMPANY} of acme by interviews_read"));
    scene.stop().await;
}

#[tokio::test]
async fn an_end_by_our_own_hand_closes_the_api() {
    let scene = Scene::new(Redirect).await;
    scene.connect("acme").await;
    let token = scene.their_token().await;
    scene.service.end(&scene.key(), EndCause::Revoked).await.unwrap();
    assert_eq!(scene.call("/interviews", &token).await.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(scene.told().last(), Some(&format!("{COMPANY} #1 left acme: Revoked")));
    scene.stop().await;
}
