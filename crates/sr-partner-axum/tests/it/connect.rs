//! A customer connects, works, and leaves.

use http::StatusCode;
use sr_partner::consent::ConsentDisplayMode::{Popup, Redirect};

use crate::scene::{COMPANY, Scene, header, text, ticket_of};

#[tokio::test]
async fn a_customer_connects_is_called_and_leaves() {
    let scene = Scene::new(Redirect).await;
    let ticket = scene.ticket("acme").await;
    let page = scene.press("acme", &ticket, "allow").await;
    assert_eq!(page.status(), StatusCode::OK);
    assert!(text(&page).contains("Is this your company?"), "{}", text(&page));
    let back = scene.press("acme", &ticket_of(&page), "confirm").await;
    assert_eq!(back.status(), StatusCode::SEE_OTHER);
    let apps = format!("{}/settings/apps", scene.sandbox.origin());
    assert_eq!(header(&back, "location"), Some(apps.as_str()));

    let token = scene.their_token().await;
    let interviews = scene.call("/interviews", &token).await;
    assert_eq!(text(&interviews), format!("{COMPANY} of acme by interviews_read"));

    let requests = scene.sandbox.with(|it| it.disable_requests(&scene.key())).unwrap();
    scene.sandbox.with(|it| it.disable_integration(&scene.key()));
    let granted = scene.send(requests.token().clone()).await.unwrap();
    let heard = scene.send(requests.notification(&granted).unwrap()).await.unwrap();
    assert_eq!(heard.status(), StatusCode::OK);
    assert_eq!(scene.call("/interviews", &token).await.status(), StatusCode::UNAUTHORIZED);
    scene.service.settle().await;
    let expected = [
        format!("{COMPANY} #1 awaits acme"),
        format!("{COMPANY} #1 connected with acme"),
        format!("{COMPANY} #1 left acme: Disabled"),
    ];
    assert_eq!(scene.told(), expected);
    scene.stop().await;
}

#[tokio::test]
async fn a_pop_up_stays_where_it_is() {
    let scene = Scene::new(Popup).await;
    let ticket = scene.ticket("acme").await;
    let page = scene.press("acme", &ticket, "allow").await;
    let done = scene.press("acme", &ticket_of(&page), "confirm").await;
    assert_eq!(done.status(), StatusCode::OK);
    assert_eq!(header(&done, "location"), None);
    assert!(text(&done).contains("<h1>Connected</h1>"), "{}", text(&done));
    scene.stop().await;
}
