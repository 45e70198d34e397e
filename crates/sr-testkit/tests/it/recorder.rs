//! The recorder that says whether a secret was in a URL, and keeps none.

use std::time::Duration;

use http::{HeaderValue, Method};
use sr_testkit::{Canary, DemoCredentials};

use crate::fixture::{Scene, TOKEN, fingerprint, form, refresh_of, request, scene, secret};

/// Every kind of secret that the simulator knows, by name.
fn secrets(scene: &mut Scene) -> Vec<(&'static str, String)> {
    let tokens = scene.tokens();
    let code = scene.code(DemoCredentials::ADMINISTRATOR);
    let service = scene.credentials.service().clone();
    let own = scene.client_credentials(&service).expect("a token");
    let expose = |it: &sr_auth_core::Secret| it.expose().to_owned();
    vec![
        ("a key", expose(scene.credentials.api_key_secret())),
        ("a partner's key", expose(scene.credentials.partner_api_key_secret())),
        ("a client secret", secret(&service)),
        ("an access token of a user", expose(tokens.access().secret())),
        ("a refresh token", expose(refresh_of(&tokens).secret())),
        ("a code", code),
        ("an access token of a client", expose(own.secret())),
    ]
}

/// Ways in which a secret gets into a URL.
fn urls(secret: &str) -> Vec<String> {
    let escaped: String = secret.bytes().map(|byte| format!("%{byte:02x}")).collect();
    let twice = escaped.replace('%', "%25");
    vec![
        format!("/jobs/{secret}"),
        format!("/jobs/apiKey={secret}"),
        format!("/jobs/{}", secret.replace('-', "%2D")),
        format!("/jobs/x-{secret}.json"),
        format!("/jobs/{escaped}"),
        format!("/{}/{secret}", "x/".repeat(200)),
        format!("/jobs?apiKey={secret}&x=%2"),
        format!("/jobs?{secret}"),
        format!("/jobs?{secret}=1"),
        format!("/jobs?next=https%3A%2F%2Fx%2F%3Ft%3D{secret}"),
        format!("/jobs?next=https%3A%2F%2Fx%2F%3Ft%3D{escaped}"),
        format!("/jobs?next=https%3A%2F%2Fx%2F%3Ft%3D{twice}"),
    ]
}

fn check_journal(scene: &Scene, name: &str, secret: &str) {
    let entry = scene.simulator.journal().next_back().expect("an entry");
    assert!(entry.secret_in_url, "{name}: {entry:?}");
    let canary = Canary::of("a secret", sr_auth_core::Secret::new(secret.to_owned()));
    let found = canary.find(format!("{entry:?}").as_bytes());
    assert!(found.is_empty(), "{name}: {entry:?}");
}

#[test]
fn c03_the_recorder_sees_a_secret_however_it_is_written_into_a_url() {
    for shape in ["documented", "dcra1", "dcrd10", "hex", "uuid", "long"] {
        let mut scene = scene(&[&format!("token_shape={shape}")]);
        for (name, secret) in secrets(&mut scene) {
            for url in urls(&secret) {
                scene.get(&url);
                check_journal(&scene, &format!("{shape}: {name}"), &secret);
            }
            let mut ask = request(Method::GET, "/jobs", "");
            let referer = format!("https://app.example/{secret}#%2");
            let referer = HeaderValue::from_str(&referer).expect("a header value");
            ask.headers_mut().insert("referer", referer);
            scene.send(&ask);
            check_journal(&scene, name, &secret);
        }
    }
}

#[test]
fn c03_the_recorder_does_not_cry_wolf() {
    let mut scene = scene(&[]);
    let unknown = "0123456789abcdef0123456789abcdef";
    for url in [
        "/jobs".to_owned(),
        "/jobs?limit=10&x=%2&y=%zz".to_owned(),
        format!("/jobs/{unknown}?apiKey={unknown}"),
        scene.authorize_url("&state=0123456789abcdef0123456789abcdef"),
    ] {
        scene.get(&url);
        let entry = scene.simulator.journal().next_back().expect("an entry");
        assert!(!entry.secret_in_url, "{url}: {entry:?}");
        assert!(url.starts_with(&entry.path), "{entry:?}");
    }
}

#[test]
fn the_journal_keeps_little_of_a_method_and_nothing_of_a_secret_in_it() {
    let mut scene = scene(&[]);
    let key = scene.credentials.api_key_secret().expose().to_owned();
    let long = "M".repeat(50_000);
    for (method, kept) in [("PATCH", "PATCH"), (&long, &long[..32]), (&key, "-")] {
        let method = Method::from_bytes(method.as_bytes()).expect("a method");
        scene.send(&request(method, "/jobs", ""));
        let entry = scene.simulator.journal().next_back().expect("an entry");
        assert_eq!(entry.method.as_str(), kept);
    }
}

#[test]
fn the_journal_names_what_a_refresh_spent_and_what_it_brought() {
    let mut scene = scene(&[]);
    let first = refresh_of(&scene.tokens());
    let second = refresh_of(&scene.refresh(&first).expect("a live token"));
    let [first, second] = [first, second].map(|it| fingerprint(it.secret()));
    let grant = scene.simulator.grants(scene.now).pop().expect("a grant").id;
    let seen = |scene: &Scene| {
        let entry = scene.simulator.journal().next_back().expect("an entry").clone();
        (entry.grant, entry.presented, entry.issued)
    };
    assert_eq!(seen(&scene), (Some(grant), Some(first), Some(second)));

    let spent = format!("{}&grant_type=refresh_token&refresh_token=x", scene.application_form());
    let mut request = form(TOKEN, &spent);
    request.headers_mut().insert("user-agent", HeaderValue::from_static("probe/1"));
    scene.send(&request);
    let entry = scene.simulator.journal().next_back().expect("an entry");
    assert_eq!((entry.grant, entry.issued), (None, None), "it was refused");
    assert_eq!(entry.user_agent.as_deref(), Some("probe/1"));
}

#[test]
fn an_access_token_lives_as_long_as_the_switch_says() {
    let mut scene = scene(&["access_token_life=9"]);
    let token = scene.tokens().access().clone();
    assert_eq!(token.expires_at(), scene.now.after(Duration::from_secs(9)));
    for (secs, status) in [(8, 200), (1, 401)] {
        scene.now = scene.now.after(Duration::from_secs(secs));
        assert_eq!(scene.with_token("/users/me", &token).status(), status, "{secs} s on");
    }
}
