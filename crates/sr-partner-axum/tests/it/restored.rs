//! A store that went back under running processes: a backup of the SQLite file is put in its place.

mod stage;

use http::StatusCode;
use sr_auth_core::store::Generation;
use sr_auth_http::SourceError;
use sr_partner::consent::ConsentDisplayMode::Redirect;
use sr_partner::store::EndCause;
use sr_partner_axum::CompanyError;
use sr_testkit::Transcript;

use crate::scene::{COMPANY, Scene, header, text, ticket_of};
use stage::{Backup, Process, others_go_on, sequence};

/// What of the log is for the operator, once.
fn told_once(log: &Transcript, lost: &str, ended_again: &str) {
    let text = log.text();
    let told: Vec<&str> = text.lines().filter(|it| it.contains("another history")).collect();
    let [told] = told[..] else { unreachable!("told once: {told:#?}") };
    assert!(told.contains("ERROR"), "{told}");
    for expected in [format!("lost=\"{lost}\""), format!("ended_again=\"{ended_again}\"")] {
        assert!(told.contains(&expected), "{expected} in {told}");
    }
    assert!(told.contains("docs/guide/partner-integration.md"), "{told}");
}

fn listen() -> (Transcript, tracing::subscriber::DefaultGuard) {
    let log = Transcript::default();
    let writer = log.clone();
    let subscriber =
        tracing_subscriber::fmt().with_ansi(false).with_writer(move || writer.clone()).finish();
    (log, tracing::subscriber::set_default(subscriber))
}

fn named() -> String {
    format!("planner/{COMPANY}")
}

/// The company has connected since the backup, and the store has come as far again when anybody asks:
/// nothing of the company is left, its calls get nowhere, and somebody is told.
#[tokio::test]
async fn a_company_that_the_backup_lacks_is_retired_and_its_calls_are_refused() {
    let (log, _guard) = listen();
    let scene = Scene::new(Redirect).await;
    let mut process = Process::new(&scene).await;
    others_go_on(&scene, 1).await;
    let backup = Backup::of(&scene).await;
    scene.connect("acme").await;
    let source = process.source(&scene).await;
    let token = scene.their_token().await;
    let requests = scene.sandbox.with(|it| it.disable_requests(&scene.key())).unwrap();
    let granted = scene.send(requests.token().clone()).await.unwrap();
    process.pass().await;
    let seen = sequence(&scene).await;

    backup.restore(&scene);
    others_go_on(&scene, seen).await;
    assert_eq!(sequence(&scene).await, seen, "the number shows nothing");
    process.pass().await;
    assert_eq!(source.authorization().await.unwrap_err(), SourceError::Retired);
    let gone = process.companies.source(&scene.key()).await.unwrap_err();
    assert_eq!(gone, CompanyError::NotConnected);
    told_once(&log, &named(), "");

    // Their client is unknown, and so is whatever it got.
    let request = scene.sandbox.with(|it| it.partner_token_request(&scene.key())).unwrap();
    let refused = scene.send(request).await.unwrap();
    assert_eq!(refused.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(text(&refused), r#"{"error":"invalid_client"}"#);
    let refused = scene.call("/interviews", &token).await;
    assert_eq!(refused.status(), StatusCode::UNAUTHORIZED);
    let challenge = header(&refused, "www-authenticate").unwrap();
    assert!(challenge.contains("invalid_token"), "{challenge}");
    let heard = scene.send(requests.notification(&granted).unwrap()).await.unwrap();
    assert_eq!(heard.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(scene.record().await.generation, Generation::default(), "nothing has changed");

    // A new consent is given the same number again, and is another one.
    scene.sandbox.with(|it| it.disable_integration(&scene.key()));
    scene.connect("acme").await;
    assert_eq!(scene.record().await.generation.number(), 1);
    process.pass().await;
    let newer = process.source(&scene).await;
    assert_eq!(source.authorization().await.unwrap_err(), SourceError::Retired);
    newer.authorization().await.unwrap();
    scene.stop().await;
}

/// The company was connected before the backup and is still: nothing happens to it. Tokens that it got
/// meanwhile are gone, and it gets others.
#[tokio::test]
async fn a_company_that_the_backup_has_stays_and_gets_new_tokens() {
    let (log, _guard) = listen();
    let scene = Scene::new(Redirect).await;
    scene.connect("acme").await;
    let mut process = Process::new(&scene).await;
    let source = process.source(&scene).await;
    let backup = Backup::of(&scene).await;
    let token = scene.their_token().await;
    assert_eq!(scene.call("/interviews", &token).await.status(), StatusCode::OK);
    others_go_on(&scene, sequence(&scene).await + 2).await;
    process.pass().await;

    backup.restore(&scene);
    process.pass().await;
    told_once(&log, "", "");
    source.authorization().await.unwrap();
    process.source(&scene).await;
    assert_eq!(scene.call("/interviews", &token).await.status(), StatusCode::UNAUTHORIZED);
    let token = scene.their_token().await;
    assert_eq!(scene.call("/interviews", &token).await.status(), StatusCode::OK);

    // The customer disables it: the client of before is good for that.
    let requests = scene.sandbox.with(|it| it.disable_requests(&scene.key())).unwrap();
    let granted = scene.send(requests.token().clone()).await.unwrap();
    let heard = scene.send(requests.notification(&granted).unwrap()).await.unwrap();
    assert_eq!(heard.status(), StatusCode::OK);
    process.pass().await;
    assert_eq!(source.authorization().await.unwrap_err(), SourceError::Retired);
    scene.stop().await;
}

/// What was taken back, or left, does not become good again.
#[tokio::test]
async fn k09_a_company_that_had_ended_before_the_store_went_back_is_ended_again() {
    for cause in [EndCause::Disabled, EndCause::Revoked] {
        let (log, _guard) = listen();
        let scene = Scene::new(Redirect).await;
        scene.connect("acme").await;
        let mut process = Process::new(&scene).await;
        let source = process.source(&scene).await;
        let token = scene.their_token().await;
        let backup = Backup::of(&scene).await;
        scene.service.end(&scene.key(), cause).await.unwrap();
        process.pass().await;
        assert_eq!(source.authorization().await.unwrap_err(), SourceError::Retired, "{cause:?}");

        backup.restore(&scene);
        assert!(scene.record().await.binding.is_some(), "{cause:?}: the backup says it is live");
        assert_eq!(scene.call("/interviews", &token).await.status(), StatusCode::OK);
        process.pass().await;
        told_once(&log, "", &named());
        let record = scene.record().await;
        assert!(record.binding.is_none(), "{cause:?}");
        assert_eq!(record.ended.map(|it| it.cause), Some(cause));
        assert_eq!(scene.call("/interviews", &token).await.status(), StatusCode::UNAUTHORIZED);
        let gone = process.companies.source(&scene.key()).await.unwrap_err();
        assert_eq!(gone, CompanyError::NotConnected, "{cause:?}");
        let left = format!("{COMPANY} #1 left acme: {cause:?}");
        assert_eq!(scene.told().iter().filter(|it| **it == left).count(), 2, "{:?}", scene.told());
        scene.stop().await;
    }
}

/// The company has changed the account since the backup, which says that it is still with the one of
/// before: it is with nobody.
#[tokio::test]
async fn p08_a_company_goes_back_to_no_account_that_had_given_it_up() {
    let (log, _guard) = listen();
    let scene = Scene::new(Redirect).await;
    scene.connect("seller").await;
    let mut process = Process::new(&scene).await;
    let of_seller = process.source(&scene).await;
    let backup = Backup::of(&scene).await;
    scene.sandbox.with(|it| it.disable_integration(&scene.key()));
    scene.connect("buyer").await;
    process.pass().await;
    let of_buyer = process.source(&scene).await;

    backup.restore(&scene);
    assert_eq!(scene.record().await.binding.unwrap().tenant.as_str(), "seller");
    process.pass().await;
    told_once(&log, &named(), &named());
    assert!(scene.record().await.binding.is_none());
    for source in [of_seller, of_buyer] {
        assert_eq!(source.authorization().await.unwrap_err(), SourceError::Retired);
    }
    scene.sandbox.with(|it| it.disable_integration(&scene.key()));
    scene.connect("buyer").await;
    process.pass().await;
    process.source(&scene).await;
    scene.stop().await;
}

/// The wrong backup first, and the right one afterwards: what only the first one lacked is there.
#[tokio::test]
async fn a_company_that_one_backup_lacks_and_the_next_has_is_live() {
    let scene = Scene::new(Redirect).await;
    let mut process = Process::new(&scene).await;
    others_go_on(&scene, 1).await;
    let wrong = Backup::of(&scene).await;
    scene.connect("acme").await;
    let lost = process.source(&scene).await;
    process.pass().await;
    let right = Backup::of(&scene).await;

    wrong.restore(&scene);
    process.pass().await;
    assert_eq!(lost.authorization().await.unwrap_err(), SourceError::Retired);
    right.restore(&scene);
    process.pass().await;
    assert!(scene.record().await.binding.is_some());
    process.source(&scene).await;
    scene.stop().await;
}

/// Pages that people had open: what they tell of is not there any more, so nothing comes of them.
#[tokio::test]
async fn p08_a_page_from_before_a_restoration_connects_nothing() {
    let scene = Scene::new(Redirect).await;
    others_go_on(&scene, 1).await;
    let backup = Backup::of(&scene).await;
    let first = scene.ticket("acme").await;
    let waits = ticket_of(&scene.press("acme", &first, "allow").await);
    backup.restore(&scene);
    let confirmed = scene.press("acme", &waits, "confirm").await;
    assert_eq!(confirmed.status(), StatusCode::CONFLICT, "{}", text(&confirmed));
    assert_eq!(scene.record().await.generation, Generation::default());

    scene.sandbox.with(|it| it.disable_integration(&scene.key()));
    scene.connect("acme").await;
    let again = scene.ticket("acme").await;
    backup.restore(&scene);
    let pressed = scene.press("acme", &again, "allow").await;
    assert_eq!(pressed.status(), StatusCode::CONFLICT, "{}", text(&pressed));
    assert!(text(&pressed).contains("This page is out of date"), "{}", text(&pressed));
    assert_eq!(scene.record().await.generation, Generation::default(), "nothing has begun");
    scene.stop().await;
}

/// The company had connected again, and nobody had asked for it since: it has to connect once more.
#[tokio::test]
async fn a_company_that_had_connected_again_is_lost_with_what_it_replaced() {
    let (log, _guard) = listen();
    let scene = Scene::new(Redirect).await;
    scene.connect("acme").await;
    let mut process = Process::new(&scene).await;
    let source = process.source(&scene).await;
    let backup = Backup::of(&scene).await;
    scene.sandbox.with(|it| it.disable_integration(&scene.key()));
    scene.connect("acme").await;
    process.pass().await;
    assert_eq!(source.authorization().await.unwrap_err(), SourceError::Retired);
    let newer = process.source(&scene).await;
    drop(newer);

    backup.restore(&scene);
    process.pass().await;
    told_once(&log, &named(), &named());
    assert!(scene.record().await.binding.is_none());
    scene.stop().await;
}
