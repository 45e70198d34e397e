//! The Assessment sibling: the same machines, the company in the path, a `DELETE` for the end.

use http::{Request, StatusCode};
use sr_partner::Profile;
use sr_partner::consent::ConsentDisplayMode::Redirect;
use sr_partner::store::EndCause;
use sr_partner_axum::ServerLimits;

use crate::scene::{COMPANY, Scene, header, text};

async fn scene() -> Scene {
    let scene =
        Scene::with(Redirect, |it| it.profile(Profile::Assessment), ServerLimits::default()).await;
    scene.connect("acme").await;
    scene
}

async fn delete(scene: &Scene, company: &str, token: Option<&str>) -> StatusCode {
    let mut request = Request::delete(format!("{}/integrations/companies/{company}", scene.origin));
    if let Some(token) = token {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    scene.ask(request, "").await.status()
}

#[tokio::test]
async fn i18_a_deletion_ends_the_company_of_its_token_and_no_other() {
    let scene = scene().await;
    let asked = scene.sandbox.with(|it| {
        let path = format!("{}{COMPANY}", Profile::ASSESSMENT_PATH);
        it.journal().filter(|entry| entry.path == path).count()
    });
    assert_eq!(asked, 1, "the exchange names the company in its path");
    let token = scene.their_token().await;
    assert_eq!(scene.call("/interviews", &token).await.status(), StatusCode::OK);
    let cases = [
        ("nobody", COMPANY, None, StatusCode::UNAUTHORIZED),
        ("no token of ours", COMPANY, Some("4f1c"), StatusCode::UNAUTHORIZED),
        ("another company", "60d1a4e3", Some(&*token), StatusCode::FORBIDDEN),
        ("a part of it", "60d1", Some(&*token), StatusCode::FORBIDDEN),
        ("a path in its place", "..%2F60d1a4e2", Some(&*token), StatusCode::FORBIDDEN),
        ("other letters", "60D1A4E2", Some(&*token), StatusCode::FORBIDDEN),
        ("no text", "%ff", Some(&*token), StatusCode::BAD_REQUEST),
        ("one more segment", "60d1a4e2/all", Some(&*token), StatusCode::NOT_FOUND),
        ("no company", "", Some(&*token), StatusCode::NOT_FOUND),
    ];
    for (name, company, token, expected) in cases {
        assert_eq!(delete(&scene, company, token).await, expected, "{name}");
    }
    let posted = scene.post(&format!("/integrations/companies/{COMPANY}"));
    let posted = scene.ask(posted.header("authorization", format!("Bearer {token}")), "").await;
    assert_eq!(posted.status(), StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(header(&posted, "allow"), Some("DELETE"));
    assert!(scene.record().await.binding.is_some(), "nothing has ended");

    // Its own, in another spelling of the same path.
    assert_eq!(delete(&scene, "%360d1a4e2", Some(&token)).await, StatusCode::OK);
    assert_eq!(delete(&scene, COMPANY, Some(&token)).await, StatusCode::OK, "once more");
    scene.service.settle().await;
    assert_eq!(scene.record().await.ended.map(|it| it.cause), Some(EndCause::Disabled));
    let left = format!("{COMPANY} #1 left acme: Disabled");
    assert_eq!(scene.told().iter().filter(|it| **it == left).count(), 1);
    let refused = scene.call("/interviews", &token).await;
    assert_eq!(refused.status(), StatusCode::UNAUTHORIZED, "{}", text(&refused));
    scene.stop().await;
}

/// The general profile has no such address.
#[tokio::test]
async fn a_deletion_is_of_its_own_profile() {
    let scene = Scene::new(Redirect).await;
    scene.connect("acme").await;
    let token = scene.their_token().await;
    assert_eq!(delete(&scene, COMPANY, Some(&token)).await, StatusCode::NOT_FOUND);
    assert!(scene.record().await.binding.is_some());
    scene.stop().await;
}
