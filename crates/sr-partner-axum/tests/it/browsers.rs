//! Headers, frames, cookies, and what browsers say about a request.

use http::{HeaderMap, StatusCode};
use sr_auth_core::Secret;
use sr_partner::consent::ConsentDisplayMode::{self, Popup, Redirect};
use sr_partner_axum::SessionCookie;

use crate::scene::{COMPANY, Scene, cookie, header, text};

/// Answers to browsers of every kind: pages, forms, refusals, redirects.
async fn answers(scene: &Scene) -> Vec<(&'static str, http::Response<sr_auth_core::SecretBytes>)> {
    let ticket = scene.ticket("acme").await;
    let confirm = scene.press("acme", &ticket, "allow").await;
    let done = scene.press("acme", &crate::scene::ticket_of(&confirm), "confirm").await;
    vec![
        ("the page", scene.ask(scene.visit("acme"), "").await),
        ("the confirmation", confirm),
        ("the end", done),
        ("nobody is signed in", scene.ask(scene.get(&scene.consent_path()), "").await),
        ("no authority", scene.ask(scene.visit("intern"), "").await),
        ("no company", scene.ask(scene.get("/connect"), "").await),
        ("a bad ticket", scene.press("acme", "X", "allow").await),
    ]
}

#[tokio::test]
async fn p10_p14_every_answer_to_a_browser_says_who_may_frame_it_and_loads_nothing() {
    for mode in [Popup, Redirect] {
        let scene = Scene::new(mode).await;
        let their = scene.sandbox.origin();
        let (frames, forms, denied) = match mode {
            Popup => (their.clone(), "'self'".to_owned(), None),
            Redirect => ("'none'".to_owned(), format!("'self' {their}"), Some("DENY")),
        };
        let policy = format!(
            "default-src 'none'; style-src 'self'; img-src data:; form-action {forms}; base-uri \
             'none'; frame-ancestors {frames}"
        );
        for (name, answer) in answers(&scene).await {
            let expected = [
                ("content-security-policy", Some(policy.as_str())),
                ("x-frame-options", denied),
                ("referrer-policy", Some("no-referrer")),
                ("cache-control", Some("no-store")),
                ("x-content-type-options", Some("nosniff")),
            ];
            for (header_name, value) in expected {
                assert_eq!(header(&answer, header_name), value, "{mode:?}, {name}: {header_name}");
            }
        }
        let style = scene.ask(scene.get("/connect/style.css"), "").await;
        assert_eq!(header(&style, "content-type"), Some("text/css; charset=utf-8"));
        assert_eq!(header(&style, "x-content-type-options"), Some("nosniff"));
        scene.stop().await;
    }
}

#[test]
fn p11_a_session_cookie_reaches_the_page_where_it_is_shown() {
    let session = Secret::new("b7f3".to_owned());
    let all = "__Host-planner=b7f3; Path=/; Secure; HttpOnly; ";
    let cases = [
        (Redirect, format!("{all}SameSite=Lax")),
        (Popup, format!("{all}SameSite=None; Partitioned")),
    ];
    for (mode, expected) in cases {
        let cookie = SessionCookie::new("planner", mode);
        let set = cookie.set(&session).unwrap();
        assert_eq!(set.to_str().unwrap(), expected, "{mode:?}");
        assert!(!format!("{set:?}").contains("b7f3"));
        let cleared = cookie.clear().unwrap();
        let cleared = cleared.to_str().unwrap();
        assert!(cleared.starts_with("__Host-planner=; Path=/;"), "{cleared}");
        assert!(cleared.ends_with("Max-Age=0"), "{cleared}");
        for bad in ["", "a b", "a;b", "a\nb", "a\"b", "ä"] {
            assert!(cookie.set(&Secret::new(bad.to_owned())).is_none(), "{bad:?}");
        }
    }
}

#[test]
fn p11_a_session_is_read_from_one_cookie_of_its_name_or_not_at_all() {
    let cases = [
        ("alone", &["__Host-planner=b7f3"][..], Some("b7f3")),
        ("among others", &["a=1; __Host-planner=b7f3;c=2"], Some("b7f3")),
        ("in another header", &["a=1", "__Host-planner=b7f3"], Some("b7f3")),
        ("twice", &["__Host-planner=b7f3; __Host-planner=evil"], None),
        ("without the prefix", &["planner=b7f3"], None),
        ("another name", &["__Host-planner2=b7f3"], None),
        ("empty", &["__Host-planner="], None),
        ("none", &[], None),
    ];
    for (name, cookies, expected) in cases {
        let mut headers = HeaderMap::new();
        for cookie in cookies {
            headers.append("cookie", cookie.parse().unwrap());
        }
        let session = SessionCookie::new("planner", Redirect).read(&headers);
        assert_eq!(session.is_some(), expected.is_some(), "{name}");
        let same = session.iter().zip(expected).all(|(it, text)| it.expose() == text);
        assert!(same, "{name}");
    }
}

#[tokio::test]
async fn p12_p13_nobody_signs_in_inside_a_frame() {
    let scene = Scene::new(Popup).await;
    let path = scene.consent_path();
    let link = format!("/sign-in?return_to=%2Fconnect%3FcompanyId%3D{COMPANY}");
    for (name, dest) in [("a frame", Some("iframe")), ("a browser that does not say", None)] {
        let mut request = scene.get(&path);
        if let Some(dest) = dest {
            request = request.header("sec-fetch-dest", dest);
        }
        let page = scene.ask(request, "").await;
        assert_eq!(page.status(), StatusCode::OK, "{name}");
        let expected = format!("href=\"{link}\" target=\"_blank\" rel=\"noopener\"");
        assert!(text(&page).contains(&expected), "{name}: {}", text(&page));
        assert!(!text(&page).contains("<input"), "{name}: {}", text(&page));
    }
    // The window that the link opens has the session, and goes all the way by itself.
    let window = scene.ask(scene.get(&path).header("sec-fetch-dest", "document"), "").await;
    assert_eq!(window.status(), StatusCode::SEE_OTHER);
    assert_eq!(header(&window, "location"), Some(link.as_str()));
    let signed_in = scene.visit("acme").header("sec-fetch-dest", "document");
    let ticket = crate::scene::ticket_of(&scene.ask(signed_in, "").await);
    let confirm = scene.press("acme", &ticket, "allow").await;
    let done = scene.press("acme", &crate::scene::ticket_of(&confirm), "confirm").await;
    assert!(text(&done).contains("A window of this application can be closed."), "{}", text(&done));
    scene.stop().await;
}

#[tokio::test]
async fn p13_whoever_signs_in_comes_back_to_the_visit_that_was_judged() {
    let scene = Scene::new(Redirect).await;
    let path = format!("{}&evil=https%3A%2F%2Fevil.example", scene.consent_path());
    let answer = scene.ask(scene.get(&path), "").await;
    assert_eq!(answer.status(), StatusCode::SEE_OTHER);
    let location = header(&answer, "location").unwrap();
    let (_, return_to) = location.split_once("return_to=").unwrap();
    let return_to = url::form_urlencoded::parse(format!("x={return_to}").as_bytes())
        .next()
        .unwrap()
        .1
        .into_owned();
    assert_eq!(return_to, scene.consent_path(), "what was not understood is left out");
    scene.stop().await;
}

#[tokio::test]
async fn p16_pages_are_shown_to_people_and_forms_taken_from_our_own_page() {
    use ConsentDisplayMode as Mode;
    let cases: [(&str, Mode, &[(&str, &str)], bool); 11] = [
        ("a browser that says nothing", Redirect, &[], true),
        (
            "a window",
            Redirect,
            &[("sec-fetch-dest", "document"), ("sec-fetch-mode", "navigate")],
            true,
        ),
        (
            "a window, from their page",
            Redirect,
            &[("sec-fetch-site", "cross-site"), ("sec-fetch-dest", "document")],
            true,
        ),
        ("a frame where none is meant", Redirect, &[("sec-fetch-dest", "iframe")], false),
        (
            "an image",
            Redirect,
            &[("sec-fetch-dest", "image"), ("sec-fetch-mode", "no-cors")],
            false,
        ),
        (
            "a script that fetches",
            Redirect,
            &[("sec-fetch-dest", "empty"), ("sec-fetch-mode", "cors")],
            false,
        ),
        ("a frame", Popup, &[("sec-fetch-dest", "iframe"), ("sec-fetch-mode", "navigate")], true),
        ("a window of its own", Popup, &[("sec-fetch-dest", "document")], true),
        ("an object", Popup, &[("sec-fetch-dest", "object")], false),
        ("a script", Popup, &[("sec-fetch-dest", "script"), ("sec-fetch-mode", "no-cors")], false),
        (
            "a fetch that looks like a frame",
            Popup,
            &[("sec-fetch-dest", "iframe"), ("sec-fetch-mode", "cors")],
            false,
        ),
    ];
    for mode in [Popup, Redirect] {
        let scene = Scene::new(mode).await;
        for (name, _, headers, shown) in cases.iter().filter(|it| it.1 == mode) {
            let mut request = scene.get(&scene.consent_path()).header("cookie", cookie("acme"));
            for (header, value) in *headers {
                request = request.header(*header, *value);
            }
            let status = scene.ask(request, "").await.status();
            assert_eq!(status, if *shown { 200 } else { 403 }, "{mode:?}: {name}");
        }
        scene.stop().await;
    }
}

#[tokio::test]
async fn p15_no_page_has_a_script_that_could_post_a_message() {
    for mode in [Popup, Redirect] {
        let scene = Scene::new(mode).await;
        for (name, answer) in answers(&scene).await {
            let page = text(&answer).to_lowercase();
            for script in ["<script", "postmessage", "javascript:", " onclick", " onload"] {
                assert!(!page.contains(script), "{mode:?}, {name}: {page}");
            }
        }
        scene.stop().await;
    }
}
