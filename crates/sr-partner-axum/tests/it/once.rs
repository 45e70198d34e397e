//! One consent is one request for credentials, whoever presses how often.

use http::StatusCode;
use sr_partner::consent::ConsentDisplayMode::Redirect;
use sr_partner::exchange::{Probe, Verification};
use sr_partner_axum::ServerLimits;

use crate::scene::{COMPANY, Scene, header, text};

/// How often SmartRecruiters was asked for credentials.
fn posts(scene: &Scene) -> usize {
    let path = sr_partner::Profile::GENERAL_PATH;
    scene.sandbox.with(|it| it.journal().filter(|entry| entry.path == path).count())
}

async fn probing(pointer: &str) -> Scene {
    let probe = Probe::new("/configuration/company", pointer).unwrap();
    let verified = Verification::Probe(probe);
    Scene::with(Redirect, |it| it.verification(verified), ServerLimits::default()).await
}

#[tokio::test]
async fn p17_a_double_click_waits_for_the_first_and_gets_the_same_answer() {
    let scene = Scene::new(Redirect).await;
    let ticket = scene.ticket("acme").await;
    let press = || scene.press("acme", &ticket, "allow");
    let (first, second, third) = tokio::join!(press(), press(), press());
    for answer in [first, second, third] {
        assert!(text(&answer).contains("Is this your company?"), "{}", text(&answer));
    }
    assert_eq!(posts(&scene), 1);
    scene.stop().await;
}

#[tokio::test]
async fn p17_a_reload_afterwards_tells_how_things_stand() {
    let scene = Scene::new(Redirect).await;
    let ticket = scene.ticket("acme").await;
    let page = scene.press("acme", &ticket, "allow").await;
    let reloaded = scene.press("acme", &ticket, "allow").await;
    assert!(text(&reloaded).contains("Is this your company?"), "{}", text(&reloaded));
    let confirm = crate::scene::ticket_of(&page);
    for _ in 0..2 {
        let back = scene.press("acme", &confirm, "confirm").await;
        assert_eq!(back.status(), StatusCode::SEE_OTHER, "{}", text(&back));
    }
    let back = scene.press("acme", &ticket, "allow").await;
    assert_eq!(back.status(), StatusCode::SEE_OTHER, "{}", text(&back));
    assert_eq!(posts(&scene), 1);
    let connected = format!("{COMPANY} #1 connected with acme");
    assert_eq!(scene.told().iter().filter(|it| **it == connected).count(), 1);
    scene.stop().await;
}

#[tokio::test]
async fn p17_of_two_tabs_the_second_is_told_that_it_is_late() {
    let scene = Scene::new(Redirect).await;
    let (first, second) = (scene.ticket("acme").await, scene.ticket("acme").await);
    scene.press("acme", &first, "allow").await;
    let late = scene.press("acme", &second, "allow").await;
    assert_eq!(late.status(), StatusCode::CONFLICT, "{}", text(&late));
    assert_eq!(header(&late, "location"), None);
    assert_eq!(posts(&scene), 1);
    scene.stop().await;
}

#[tokio::test]
async fn p17_a_browser_that_leaves_cuts_nothing_off() {
    let scene = Scene::new(Redirect).await;
    let ticket = scene.ticket("acme").await;
    let pressed = scene.press("acme", &ticket, "allow");
    // Long enough to be sent, and too short to be answered, or not: either is right.
    let _left = tokio::time::timeout(std::time::Duration::from_millis(30), pressed).await;
    let page = scene.press("acme", &ticket, "allow").await;
    assert!(text(&page).contains("Is this your company?"), "{}", text(&page));
    assert_eq!(posts(&scene), 1);
    scene.stop().await;
}

#[tokio::test]
async fn p09_a_company_that_a_call_names_is_live_at_once_and_another_never_is() {
    let scene = probing("/id").await;
    let ticket = scene.ticket("acme").await;
    let answer = scene.press("acme", &ticket, "allow").await;
    assert_eq!(answer.status(), StatusCode::SEE_OTHER, "{}", text(&answer));
    assert_eq!(scene.told(), [format!("{COMPANY} #1 connected with acme")]);
    scene.stop().await;

    // Another member of the answer, which is another name than that of the visit.
    let scene = probing("/identifier").await;
    let ticket = scene.ticket("acme").await;
    let answer = scene.press("acme", &ticket, "allow").await;
    assert_eq!(answer.status(), StatusCode::BAD_GATEWAY, "{}", text(&answer));
    assert_eq!(header(&answer, "location"), None);
    let record = scene.record().await;
    assert!(record.binding.is_none() && record.attempt.is_none(), "{record:?}");
    assert_eq!(scene.told(), [""; 0]);
    scene.stop().await;
}

#[tokio::test]
async fn an_account_that_tries_too_often_waits() {
    let scene = Scene::new(Redirect).await;
    scene.visit("acme");
    let mut statuses = Vec::new();
    for _ in 0..11 {
        let ticket = scene.ticket("acme").await;
        scene.sandbox.with(|it| it.disable_integration(&scene.key()));
        statuses.push(scene.press("acme", &ticket, "allow").await.status().as_u16());
    }
    assert_eq!(statuses.pop(), Some(429));
    assert!(statuses.iter().all(|it| *it == 502), "{statuses:?}");
    scene.stop().await;
}
