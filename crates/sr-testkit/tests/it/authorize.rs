//! The authorization endpoint of the simulator.

use http::{Method, StatusCode};
use sr_testkit::{ClientKind, DemoCredentials, SystemRole, User};

use crate::fixture::{AUTHORIZE, at, form, header, request, scene, text, ticket};

const ADA: &str = DemoCredentials::ADMINISTRATOR;

#[test]
fn errors_about_client_or_redirect_uri_stay_on_the_page() {
    let mut scene = scene(&[]);
    let id = scene.credentials.application().id().to_string();
    let service = scene.credentials.service().id().to_string();
    let good = "http%3A%2F%2F127.0.0.1%2Fcallback";
    let cases = [
        ("no parameters", String::new()),
        ("no client", format!("redirect_uri={good}")),
        ("an unknown client", format!("client_id=nobody&redirect_uri={good}")),
        ("a client without users", format!("client_id={service}&redirect_uri={good}")),
        ("no redirect URI", format!("client_id={id}")),
        ("another path", format!("client_id={id}&redirect_uri={good}%2F")),
        (
            "another letter case",
            format!("client_id={id}&redirect_uri={}", good.replace("call", "Call")),
        ),
        (
            "another port",
            format!("client_id={id}&redirect_uri=http%3A%2F%2F127.0.0.1%3A80%2Fcallback"),
        ),
        ("another host", format!("client_id={id}&redirect_uri=https%3A%2F%2Fevil.example%2F")),
        ("more after it", format!("client_id={id}&redirect_uri={good}%3Fx%3D1")),
        ("two clients", format!("client_id={id}&client_id={id}&redirect_uri={good}")),
        ("two redirect URIs", format!("client_id={id}&redirect_uri={good}&redirect_uri={good}")),
        ("two states", format!("client_id={id}&redirect_uri={good}&state=a&state=a")),
        ("a broken escape", format!("client_id={id}&redirect_uri={good}&state=%zz")),
    ];
    for (name, query) in cases {
        let answer = scene.get(&format!("{AUTHORIZE}?{query}"));
        assert_eq!(answer.status(), StatusCode::BAD_REQUEST, "{name}");
        assert_eq!(header(&answer, "location"), "", "{name}");
        assert!(text(&answer).contains("<h1>This request cannot be answered</h1>"), "{name}");
    }
}

#[test]
fn errors_about_the_rest_are_told_to_the_application() {
    let cases = [
        ("another response type", "&response_type=token", "unsupported_response_type"),
        ("an empty scope", "&scope=", "invalid_scope"),
        ("blanks for a scope", "&scope=%20", "invalid_scope"),
        ("a scope that was not approved", "&scope=webhooks_manage", "invalid_scope"),
        ("one of two not approved", "&scope=jobs_read%20webhooks_manage", "invalid_scope"),
        ("a malformed scope", "&scope=%22", "invalid_scope"),
        ("a repeated parameter", "&scope=jobs_read&scope=jobs_read", "invalid_request"),
        ("a repeated unknown parameter", "&x=1&x=2", "invalid_request"),
    ];
    for (name, more, expected) in cases {
        let mut scene = scene(&[]);
        let answer = scene.get(&scene.authorize_url(&format!("{more}&state=s%201")));
        let location = header(&answer, "location");
        let start = format!("http://127.0.0.1/callback?error={expected}&error_description=");
        assert!(location.starts_with(&start), "{name}: {location}");
        assert!(location.ends_with("&code=500&state=s%201"), "{name}: {location}");
    }
}

#[test]
fn a_response_type_of_any_value_may_mean_code() {
    for (rule, sent, accepted) in [
        ("optional", "token", false),
        ("required", "token", false),
        ("ignored", "token", true),
        ("ignored", "code", true),
        ("ignored", "", true),
    ] {
        let mut scene = scene(&[&format!("response_type={rule}")]);
        let page = scene.get(&scene.authorize_url(&format!("&response_type={sent}")));
        assert_eq!(page.status() == StatusCode::OK, accepted, "{rule} {sent}");
    }
}

#[test]
fn challenges_are_judged_when_proof_keys_are_verified() {
    let challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
    let cases = [
        ("ignored", "&code_challenge_method=plain&code_challenge=x", true),
        ("verified", "", true),
        ("verified", "&code_challenge_method=S256", true),
        ("verified", "&code_challenge_method=plain", false),
        ("verified", "&code_challenge_method=none", false),
        ("required", "", false),
    ];
    for (rule, more, accepted) in cases {
        let mut scene = scene(&[&format!("pkce={rule}")]);
        let challenge =
            if more.is_empty() { String::new() } else { format!("&code_challenge={challenge}") };
        let challenge = if more.contains("=x") { String::new() } else { challenge };
        let answer = scene.get(&scene.authorize_url(&format!("{more}{challenge}")));
        assert_eq!(answer.status() == StatusCode::OK, accepted, "{rule} {more}");
    }
}

#[test]
fn a_loopback_redirect_uri_matches_on_any_port_only_by_its_switch() {
    let cases = [
        ("http://127.0.0.1:51234/callback", true),
        ("http://localhost:51234/callback", true),
        ("http://127.0.0.1:51234/other", false),
        ("http://127.0.0.1:51234/callback?x=1", false),
        ("http://[::1]:51234/callback", false),
        ("http://127.1:51234/callback", false),
        ("http://user@127.0.0.1:51234/callback", false),
        ("https://127.0.0.1:51234/callback", false),
        ("https://yourapp.example:8443/callback", false),
        ("http://127.0.0.1.evil.example/callback", false),
    ];
    for (uri, matches) in cases {
        for (rule, expected) in [("exact", false), ("any", matches)] {
            let mut scene = scene(&[&format!("loopback_port={rule}")]);
            let uri: String = url::form_urlencoded::byte_serialize(uri.as_bytes()).collect();
            let id = scene.credentials.application().id().to_string();
            let answer = scene.get(&format!("{AUTHORIZE}?client_id={id}&redirect_uri={uri}"));
            assert_eq!(answer.status() == StatusCode::OK, expected, "{rule}: {uri}");
        }
    }
}

#[test]
fn the_page_says_who_asks_for_what_and_is_safe_to_show() {
    let mut scene = scene(&[]);
    let url = scene.authorize_url("&scope=jobs_read%20candidates_offers_read&state=%3Cb%3E");
    let page = scene.get(&url);
    let html = text(&page);
    for expected in [
        "<html lang=\"en\">",
        "<title>Authorize an application – SmartRecruiters sandbox</title>",
        "<h1>Authorize Interview Planner</h1>",
        "Read jobs (<code>jobs_read</code>)",
        "<legend>Signed in as</legend>",
        "Standard User, Standard at Acme Logistics",
        "value=\"authorize\">Authorize</button>",
        "value=\"decline\">Decline</button>",
    ] {
        assert!(html.contains(expected), "{expected}");
    }
    assert!(!html.contains("<script") && !html.contains("<b>"));
    let policy = header(&page, "content-security-policy");
    assert!(policy.contains("default-src 'none'"), "{policy}");
    assert!(policy.contains("form-action 'self' http://127.0.0.1;"), "{policy}");
    let headers = [
        ("referrer-policy", "no-referrer"),
        ("cache-control", "no-store"),
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "DENY"),
    ];
    for (name, expected) in headers {
        assert_eq!(header(&page, name), expected, "{name}");
    }
    let style = scene.get("/identity/oauth/style.css");
    assert_eq!(header(&style, "content-type"), "text/css; charset=utf-8");
}

#[test]
fn the_page_is_this_one() {
    let mut scene = scene(&[]);
    let page = scene.get(&scene.authorize_url("&scope=jobs_read&state=s1"));
    insta::assert_snapshot!(text(&page));
}

#[test]
fn names_are_escaped_on_the_page() {
    let mut scene = scene(&[]);
    let mallory = User::new("\"><i>", "60d1a4e2", "<script>", "'&\"", SystemRole::Standard);
    scene.simulator.world_mut().add_user(mallory);
    let html = text(&scene.get(&scene.authorize_url("")));
    assert!(html.contains("&lt;script&gt; &#39;&amp;&quot;"), "{html}");
    assert!(!html.contains("<script>") && !html.contains("<i>"));
}

#[test]
fn a_page_is_answered_once_and_not_for_ever() {
    let cases = [
        ("authorize", ADA, 0, 303),
        ("decline", "", 0, 303),
        ("authorize", "nobody", 0, 400),
        ("authorize", ADA, 600, 400),
        ("maybe", ADA, 0, 400),
    ];
    for (decision, user, later, expected) in cases {
        let mut scene = scene(&[]);
        let page = scene.get(&scene.authorize_url(""));
        let body = format!("ticket={}&decision={decision}&user={user}", ticket(&page));
        scene.now = at(later);
        let answer = scene.send(&form(AUTHORIZE, &body));
        assert_eq!(answer.status().as_u16(), expected, "{decision} as {user}");
        let again = scene.send(&form(AUTHORIZE, &body));
        assert_eq!(again.status().as_u16(), 400, "{decision} as {user}, again");
    }
    let mut scene = scene(&[]);
    let forged = scene.send(&form(AUTHORIZE, &format!("decision=authorize&user={ADA}")));
    assert_eq!(forged.status().as_u16(), 400, "a form of another site");
    assert_eq!(scene.send(&request(Method::PUT, AUTHORIZE, "")).status().as_u16(), 405);
}

#[test]
fn the_state_comes_back_as_it_was() {
    for state in ["s1", "a b+c&d=e/ü%", ""] {
        let mut scene = scene(&[]);
        let encoded: String = url::form_urlencoded::byte_serialize(state.as_bytes()).collect();
        let url = scene.authorize_url(&format!("&state={encoded}"));
        let location = scene.browse(&url, "authorize", ADA);
        let (_, query) = location.split_once('?').expect("a query");
        let pairs: Vec<_> = url::form_urlencoded::parse(query.as_bytes()).collect();
        let found = pairs.iter().find(|(name, _)| name == "state");
        assert_eq!(found.map(|(_, value)| value.as_ref()), Some(state));
    }
    let mut scene = scene(&[]);
    let url = scene.authorize_url("");
    assert!(!scene.browse(&url, "authorize", ADA).contains("state"));
}

#[test]
fn consent_can_do_without_a_browser() {
    for (rule, expected) in [("authorize", "?code="), ("decline", "?error=access_denied")] {
        let mut scene = scene(&[&format!("auto_decision={rule}")]);
        let answer = scene.get(&scene.authorize_url("&state=s1"));
        assert_eq!(answer.status(), StatusCode::SEE_OTHER);
        let location = header(&answer, "location");
        assert!(location.contains(expected) && location.ends_with("&state=s1"), "{location}");
    }
}

#[test]
fn an_application_has_three_redirect_uris_at_most() {
    let scene = scene(&[]);
    let id = scene.credentials.application().id().as_str();
    let client = scene.simulator.world().client(id).expect("the application");
    let ClientKind::Application { redirect_uris, .. } = client.kind() else {
        unreachable!("an application")
    };
    assert_eq!(redirect_uris.len(), 3);
    let uris =
        ["https://a.example/", "https://b.example/", "https://c.example/", "https://d.example/"];
    let secret = sr_auth_core::Secret::new("x".to_owned());
    let client = sr_testkit::Client::application("x", secret, "X", &uris, client.scopes().clone());
    let ClientKind::Application { redirect_uris, .. } = client.kind() else {
        unreachable!("an application")
    };
    assert_eq!(redirect_uris.last().map(String::as_str), Some("https://c.example/"));
}
