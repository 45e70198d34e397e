//! Secrets are in no log, no page, no address and no file.

use sr_auth_core::Secret;
use sr_partner::consent::ConsentDisplayMode::Redirect;
use sr_testkit::{Canary, Transcript};

use crate::scene::{MASTER_SECRET, SESSION, Scene, text};

#[tokio::test]
async fn k04_i03_no_secret_is_logged_shown_or_kept() {
    let log = Transcript::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing_subscriber::filter::LevelFilter::TRACE)
        .with_writer(move || writer.clone())
        .finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    let scene = Scene::new(Redirect).await;
    let first = scene.ticket("acme").await;
    let page = scene.press("acme", &first, "allow").await;
    let second = crate::scene::ticket_of(&page);
    let back = scene.press("acme", &second, "confirm").await;
    let token = scene.their_token().await;
    scene.call("/interviews", &token).await;
    scene.call("/offers", &token).await;
    let request = scene.sandbox.with(|it| it.partner_token_request(&scene.key())).unwrap();
    let body = String::from_utf8(request.body().expose().to_vec()).unwrap();
    let ours = body.split('&').find_map(|it| it.strip_prefix("client_secret=")).unwrap();
    let in_address = scene.ask(scene.post(&format!("/oauth/token?{body}")), "").await;
    assert_eq!(in_address.status(), http::StatusCode::BAD_REQUEST, "and not logged, below");
    let theirs = scene.sandbox.with(|it| {
        let client = it.integrations(&scene.key())[0].client_id.clone();
        it.world().client(&client).unwrap().credentials().unwrap()
    });
    let sr_auth_core::ClientAuthentication::Body(theirs) = theirs.authentication().clone() else {
        panic!("the simulator makes secrets");
    };
    let secret = |it: &str| Secret::new(it.to_owned());
    let canaries = [
        Canary::of("master secret", secret(MASTER_SECRET)),
        Canary::of("our client secret", secret(ours)),
        Canary::of("their client secret", theirs),
        Canary::of("access token", secret(&token)),
        Canary::of("session", secret(SESSION)),
        Canary::of("first ticket", secret(&first)),
        Canary::of("second ticket", secret(&second)),
    ];
    let debug = format!("{:?} {:?}", scene.service, scene.service.guard_without_scope());
    let log = log.bytes();
    assert!(log.len() > 500, "something was logged: {}", log.len());
    let files: Vec<u8> = std::fs::read_dir(scene.folder())
        .unwrap()
        .flat_map(|it| std::fs::read(it.unwrap().path()).unwrap())
        .collect();
    assert!(files.len() > 500, "something was kept: {}", files.len());
    let pages = [text(&page), text(&back), format!("{:?}", back.headers())].concat();
    for canary in &canaries {
        for (place, bytes) in
            [("log", &log), ("store", &files), ("debug", &debug.clone().into_bytes())]
        {
            assert!(canary.find(bytes).is_empty(), "{canary:?} in the {place}");
        }
    }
    for canary in canaries.iter().take(4) {
        assert!(canary.find(pages.as_bytes()).is_empty(), "{canary:?} in a page");
    }
    scene.stop().await;
}
