//! What the consent page shows, to whom, and what comes of its form.

use http::StatusCode;
use sr_partner::consent::ConsentDisplayMode::Redirect;
use sr_partner::store::IntegrationRecord;

use crate::scene::{Scene, text};

#[tokio::test]
async fn p06_looking_at_the_page_changes_nothing() {
    let scene = Scene::new(Redirect).await;
    for _ in 0..3 {
        let page = scene.ask(scene.visit("acme"), "").await;
        assert_eq!(page.status(), StatusCode::OK, "{}", text(&page));
    }
    assert_eq!(scene.record().await, IntegrationRecord::default());
    assert!(scene.sandbox.with(|it| it.integrations(&scene.key())).is_empty());
    scene.stop().await;
}
