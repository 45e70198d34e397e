//! Who is at the other end, and what a request may say about that.

use http::StatusCode;
use sr_partner::consent::ConsentDisplayMode::Redirect;
use sr_partner_axum::{AddressRange, Peers, ServerLimits};

use crate::scene::Scene;

const FORM: &str = "application/x-www-form-urlencoded";

async fn behind(range: &str) -> Scene {
    let proxies = Peers::Behind(vec![range.parse().unwrap()]);
    Scene::with(Redirect, |it| it.peers(proxies), ServerLimits::default()).await
}

/// Asks for a token in vain so many times, from so many addresses as a header says, and returns how
/// often it was turned away as one that asks too often.
async fn turned_away(scene: &Scene, header: &str, times: usize) -> usize {
    let mut turned_away = 0;
    for number in 0..times {
        let body = format!("client_id=n-{number}&client_secret=1&grant_type=client_credentials");
        let request = scene.post("/oauth/token").header("content-type", FORM);
        let request = request.header(header, format!("10.9.8.{number}"));
        let status = scene.ask(request, &body).await.status();
        turned_away += usize::from(status == StatusCode::TOO_MANY_REQUESTS);
    }
    turned_away
}

#[tokio::test]
async fn i01_what_a_stranger_says_about_proxies_is_not_believed() {
    let scene = Scene::new(Redirect).await;
    assert_eq!(
        turned_away(&scene, "x-forwarded-for", 103).await,
        3,
        "one address, whatever it says"
    );
    scene.stop().await;
    let scene = Scene::new(Redirect).await;
    assert_eq!(turned_away(&scene, "forwarded", 103).await, 3);
    scene.stop().await;
}

#[tokio::test]
async fn i01_a_proxy_of_ours_says_whose_request_it_is() {
    let scene = behind("127.0.0.0/8").await;
    assert_eq!(turned_away(&scene, "x-forwarded-for", 103).await, 0, "as many addresses");
    // What the client itself has put in front of the address that the proxy wrote is hearsay.
    let mut turned_away = 0;
    for number in 0..103 {
        let body = format!("client_id=m-{number}&client_secret=1&grant_type=client_credentials");
        let request = scene.post("/oauth/token").header("content-type", FORM);
        let said = format!("10.9.8.{number}, 192.0.2.7, 127.0.0.1");
        let status = scene.ask(request.header("x-forwarded-for", said), &body).await.status();
        turned_away += usize::from(status == StatusCode::TOO_MANY_REQUESTS);
    }
    assert_eq!(turned_away, 3);
    scene.stop().await;
}

#[tokio::test]
async fn i01_whoever_is_no_proxy_of_ours_is_refused_everywhere() {
    let scene = behind("10.0.0.0/8").await;
    for path in ["/connect", "/oauth/token", "/callback", "/interviews"] {
        let request = scene.get(path).header("x-forwarded-for", "10.1.1.1");
        assert_eq!(scene.ask(request, "").await.status(), StatusCode::FORBIDDEN, "{path}");
    }
    scene.stop().await;
}

#[test]
fn i01_a_range_has_the_addresses_that_begin_like_it() {
    let cases = [
        ("10.0.0.0/8", "10.255.0.1", true),
        ("10.0.0.0/8", "11.0.0.1", false),
        ("10.0.0.0/8", "::ffff:10.0.0.1", true),
        ("192.0.2.7", "192.0.2.7", true),
        ("192.0.2.7", "192.0.2.8", false),
        ("0.0.0.0/0", "203.0.113.9", true),
        ("0.0.0.0/0", "2001:db8::1", false),
        ("fd00::/8", "fdff::1", true),
        ("fd00::/8", "fe80::1", false),
        ("2001:db8::/64", "2001:db8::ffff:1", true),
        ("2001:db8::/64", "2001:db8:0:1::1", false),
    ];
    for (range, address, expected) in cases {
        let range: AddressRange = range.parse().unwrap();
        assert_eq!(range.contains(address.parse().unwrap()), expected, "{range:?}: {address}");
    }
    for bad in ["", "10.0.0.0/33", "::/129", "10.0.0/8", "proxy.example", "10.0.0.0/-1"] {
        assert!(bad.parse::<AddressRange>().is_err(), "{bad}");
    }
}
