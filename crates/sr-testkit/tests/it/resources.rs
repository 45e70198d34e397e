//! The resource server of the simulator: credentials, rights, limits, faults, journal.

use std::time::Duration;

use http::{HeaderValue, Method};
use sr_auth_core::AccessToken;
use sr_testkit::{Canary, DemoCredentials, Effect, Fault, Reply, Simulator, Target, World};

use crate::fixture::{Scene, at, header, json, request, scene, text};

const KEY: &str = "x-smarttoken";

fn key(scene: &Scene) -> String {
    scene.credentials.api_key_secret().expose().to_owned()
}

fn partner_key(scene: &Scene) -> String {
    scene.credentials.partner_api_key_secret().expose().to_owned()
}

fn service_token(scene: &mut Scene) -> AccessToken {
    let service = scene.credentials.service().clone();
    scene.client_credentials(&service).expect("a token")
}

fn count(response: &http::Response<sr_auth_core::SecretBytes>) -> usize {
    let body = json(response);
    body.get("content").and_then(serde_json::Value::as_array).map_or(0, Vec::len)
}

const INVALID: &str =
    "Bearer error=\"invalid_token\", error_description=\"The credential is not valid\"";

/// Calls with one header each: name, header, value, URI, expected status and challenge.
#[track_caller]
fn check_calls(scene: &mut Scene, cases: &[(&str, &'static str, &str, &str, u16, &str)]) {
    for (name, header_name, value, uri, status, challenge) in cases {
        let answer = scene.call(Method::GET, uri, (header_name, value), "");
        let verdict = (answer.status().as_u16(), header(&answer, "www-authenticate"));
        assert_eq!(verdict, (*status, (*challenge).to_owned()), "{name}");
    }
}

#[test]
fn credentials_of_companies_are_judged() {
    let mut scene = scene(&[]);
    let key = key(&scene);
    let token = service_token(&mut scene).secret().expose().to_owned();
    let bearer = format!("Bearer {token}");
    let (small, wrong_key, wrong) =
        (format!("bearer {token}"), format!("{key}0"), format!("{bearer}0"));
    let (in_url, key_in_url) =
        (format!("/jobs?access_token={token}"), format!("/jobs?apiKey={key}"));
    let (auth, unclear) = ("authorization", "Bearer error=\"invalid_request\"");
    let cases = [
        ("a key", KEY, key.as_str(), "/jobs", 200, ""),
        ("a bearer token", auth, &bearer, "/jobs", 200, ""),
        ("a bearer token, lower case", auth, &small, "/jobs", 200, ""),
        ("a wrong key", KEY, &wrong_key, "/jobs", 401, INVALID),
        ("a wrong token", auth, &wrong, "/jobs", 401, INVALID),
        ("another scheme", auth, "Basic eDp5", "/jobs", 400, unclear),
        ("nothing of use", "x-other", "x", "/jobs", 401, "Bearer"),
        ("a token in the URL", "x-other", "x", &in_url, 401, "Bearer"),
        ("a company's key in the URL", "x-other", "x", &key_in_url, 401, INVALID),
    ];
    check_calls(&mut scene, &cases);
    let mut two = request(Method::GET, "/jobs", "");
    for (name, value) in [(KEY, &key), (auth, &bearer)] {
        two.headers_mut().insert(name, HeaderValue::from_str(value).expect("a header value"));
    }
    assert_eq!(scene.send(&two).status(), 400, "two credentials");
}

#[test]
fn keys_of_partners_are_for_partners() {
    let mut scene = scene(&[]);
    let (key, partner) = (key(&scene), partner_key(&scene));
    let bearer = format!("Bearer {}", service_token(&mut scene).secret().expose());
    let feed = "/feed/publications";
    let (in_url, wrong_in_url) = (format!("{feed}?apiKey={partner}"), format!("{feed}?apiKey=x"));
    let cases = [
        ("a partner's key", KEY, partner.as_str(), feed, 200, ""),
        ("a partner's key in the URL", "x-other", "x", &in_url, 200, ""),
        ("the URL goes first", KEY, &partner, &wrong_in_url, 401, INVALID),
        ("a partner's key for companies", KEY, &partner, "/jobs", 403, ""),
        ("a company's key for partners", KEY, &key, feed, 403, ""),
        ("a bearer token for partners", "authorization", &bearer, feed, 403, ""),
    ];
    check_calls(&mut scene, &cases);
}

#[test]
fn a_missing_scope_is_named_and_any_of_several_is_enough() {
    let mut scene = scene(&[]);
    let narrow = scene.credentials.narrow().clone();
    let token = scene.client_credentials(&narrow).expect("a token");
    assert_eq!(scene.with_token("/jobs", &token).status(), 200);
    let answer = scene.with_token("/configuration/company", &token);
    assert_eq!(answer.status(), 403);
    let expected = r#"{"message":"Missing required scopes: company_read,configuration_read"}"#;
    assert_eq!(text(&answer), expected);
    assert_eq!(
        header(&answer, "www-authenticate"),
        "Bearer scope=\"company_read configuration_read\", error=\"insufficient_scope\", \
         error_description=\"Insufficient scope for this resource\""
    );
    // The client of a user's grant has one of the two.
    let settings = scene.settings();
    let settings =
        settings.with_scopes(sr_auth_core::ScopeSet::parse("company_read").expect("one"));
    let settings = settings.expect("not empty");
    let tokens = scene.sign_in(&settings, DemoCredentials::ADMINISTRATOR).expect("tokens");
    assert_eq!(scene.with_token("/configuration/company", tokens.access()).status(), 200);
    // A key has no scopes, and needs none.
    let key = key(&scene);
    let answer = scene.call(Method::GET, "/configuration/company", (KEY, &key), "");
    assert_eq!(answer.status(), 200);
}

#[test]
fn the_refusal_of_a_missing_scope_has_the_shape_of_its_switch() {
    let listed = "Missing required scopes: users_read,users_manage";
    let coded = format!(
        r#"{{"errors":[{{"code":"OAuthPermissionsException","message":"{listed}"}}],"message":"{listed}"}}"#
    );
    let cases = [
        ("challenge", format!(r#"{{"message":"{listed}"}}"#), true),
        ("exception_code", coded, false),
        ("exception_message", r#"{"message":"OAuthPermissionsException"}"#.to_owned(), false),
    ];
    for (rule, body, challenged) in cases {
        let mut scene = scene(&[&format!("missing_scope={rule}")]);
        let narrow = scene.credentials.narrow().clone();
        let token = scene.client_credentials(&narrow).expect("a token");
        let answer = scene.with_token("/users", &token);
        assert_eq!((answer.status().as_u16(), text(&answer)), (403, body), "{rule}");
        let challenge = header(&answer, "www-authenticate");
        assert_eq!(challenge.contains("insufficient_scope"), challenged, "{rule}");
        let refusal = sr_auth_core::wire::api_refusal::ApiRefusal::read(&answer, scene.now);
        let remedy = refusal.map(|it| it.remedy());
        assert_eq!(remedy, Some(sr_auth_core::Remedy::AskAdministrator), "{rule}");
    }
}

#[test]
fn a_company_without_api_access_is_told_so() {
    let mut scene = scene(&[]);
    let client = scene.credentials.locked_out().clone();
    let token = scene.client_credentials(&client).expect("a token");
    let answer = scene.with_token("/jobs", &token);
    let verdict = (answer.status().as_u16(), text(&answer));
    assert_eq!(verdict, (403, r#"{"message":"No access to feature: Customer API"}"#.to_owned()));
    let public = scene.get("/v1/companies/GlobexFoods/postings");
    assert_eq!((public.status().as_u16(), count(&public)), (200, 1));
}

#[test]
fn a_user_sees_what_the_role_allows() {
    let cases = [
        (DemoCredentials::ADMINISTRATOR, 3, 3, 200),
        ("user-extended", 3, 3, 403),
        (DemoCredentials::STANDARD_USER, 1, 1, 403),
    ];
    for (user, jobs, candidates, audit) in cases {
        let mut scene = scene(&[]);
        let scopes = "audit_events_read candidates_read jobs_read user_me_read";
        let scopes = sr_auth_core::ScopeSet::parse(scopes).expect("scopes");
        let settings = scene.settings().with_scopes(scopes).expect("not empty");
        let tokens = scene.sign_in(&settings, user).expect("tokens");
        let token = tokens.access();
        assert_eq!(count(&scene.with_token("/jobs", token)), jobs, "{user}");
        assert_eq!(count(&scene.with_token("/candidates", token)), candidates, "{user}");
        let answer = scene.with_token("/audit-api/v201910/audit-events", token);
        assert_eq!(answer.status().as_u16(), audit, "{user}");
        let me = json(&scene.with_token("/user-api/v201804/users/me", token));
        assert_eq!(me.get("id").and_then(serde_json::Value::as_str), Some(user));
    }
}

#[test]
fn jobs_are_created_published_and_listed() {
    let mut scene = scene(&[]);
    let key = key(&scene);
    let mut call = |method, uri: &str, body: &str| scene.call(method, uri, (KEY, &key), body);
    let body = r#"{"title":"Dock Worker","location":{"city":"Gdynia"}}"#;
    let created = json(&call(Method::POST, "/jobs", body));
    let id = created.get("id").and_then(serde_json::Value::as_str).expect("an id").to_owned();
    let job = json(&call(Method::GET, &format!("/jobs/{id}"), ""));
    assert_eq!(job.get("postingStatus").and_then(|it| it.as_str()), Some("NOT_PUBLISHED"));
    let publication = format!("/jobs/{id}/publication");
    assert_eq!(call(Method::POST, &publication, "").status(), 201);
    let public = call(Method::GET, "/v1/companies/AcmeLogistics/postings", "");
    assert!(text(&public).contains("Dock Worker"));
    assert_eq!(call(Method::DELETE, &publication, "").status(), 204);
    let public = call(Method::GET, "/v1/companies/AcmeLogistics/postings", "");
    assert!(!text(&public).contains("Dock Worker"));
    // The sample of the pages has the members of a user.
    let slip = r#"{"firstname":"New","lastname":"Candidate"}"#;
    let refused = call(Method::POST, "/jobs", slip);
    assert_eq!(refused.status(), 400);
    assert!(text(&refused).contains(r#""code":"PROPERTY_REQUIRED""#));
    let other_company = call(Method::GET, "/jobs/job-2001", "");
    assert_eq!(other_company.status(), 404);
    let candidate = r#"{"firstName":"Lea","lastName":"Lang","email":"lea@example.org"}"#;
    assert_eq!(call(Method::POST, "/candidates", candidate).status(), 201);
}

#[test]
fn what_a_company_can_make_is_bounded() {
    let mut scene = scene(&[]);
    let key = key(&scene);
    let (fits, long) = ("x".repeat(512), "x".repeat(513));
    let candidate = |email: &str, last: &str| {
        format!(r#"{{"firstName":"Lea","lastName":"{last}","email":"{email}"}}"#)
    };
    let cases = [
        ("/jobs", format!(r#"{{"title":"{fits}"}}"#), 201),
        ("/jobs", format!(r#"{{"title":"{long}"}}"#), 422),
        ("/jobs", format!(r#"{{"title":"x","location":{{"city":"{long}"}}}}"#), 422),
        ("/candidates", candidate(&fits, "Lang"), 201),
        ("/candidates", candidate(&long, "Lang"), 422),
        ("/candidates", candidate("x", &long), 422),
    ];
    for (uri, body, expected) in cases {
        let answer = scene.call(Method::POST, uri, (KEY, &key), &body);
        assert_eq!(answer.status().as_u16(), expected, "{uri} {body}");
    }
    for (uri, body) in [("/jobs", r#"{"title":"x"}"#), ("/candidates", &candidate("x", "y"))] {
        let mut made = 0;
        // Ten in each second.
        let refused = loop {
            scene.now = at(scene.now.as_unix_millis() / 1_000 + u64::from(made % 10 == 0));
            let answer = scene.call(Method::POST, uri, (KEY, &key), body);
            if answer.status() != 201 {
                break answer;
            }
            made += 1;
            assert!(made < 2_000, "{uri}");
        };
        assert_eq!(refused.status(), 422, "{uri} {made}: {}", text(&refused));
        assert_eq!(made, 996, "four of {uri} were there before");
    }
}

#[test]
fn lists_come_in_pages() {
    let mut scene = scene(&[]);
    let key = key(&scene);
    let mut page = |query: &str| scene.call(Method::GET, &format!("/jobs{query}"), (KEY, &key), "");
    let first = page("?limit=2");
    let next = json(&first);
    let next = next.get("nextPageId").and_then(|it| it.as_str()).expect("more").to_owned();
    assert_eq!(count(&first), 2);
    let last = page(&format!("?limit=2&pageId={next}"));
    assert_eq!((count(&last), json(&last).get("nextPageId").is_none()), (1, true));
    for query in ["?limit=0", "?limit=101", "?limit=x", "?pageId=x"] {
        assert_eq!(page(query).status(), 400, "{query}");
    }
}

#[test]
fn paths_and_methods_that_do_not_exist_are_refused() {
    let mut scene = scene(&[]);
    let cases = [
        (Method::GET, "/nothing", 404, ""),
        (Method::GET, "/jobs/", 404, ""),
        (Method::GET, "/jobs/1/2/3", 404, ""),
        (Method::PATCH, "/jobs", 405, "GET, POST"),
        (Method::GET, "/v1/companies/Nobody/postings", 404, ""),
    ];
    for (method, uri, status, allow) in cases {
        let answer = scene.send(&request(method, uri, ""));
        let verdict = (answer.status().as_u16(), header(&answer, "allow"));
        assert_eq!(verdict, (status, allow.to_owned()), "{uri}");
    }
}

/// The four documented headers as numbers.
fn budget(response: &http::Response<sr_auth_core::SecretBytes>) -> [String; 4] {
    ["limit", "remaining", "concurrent-limit", "concurrent-remaining"]
        .map(|name| header(response, &format!("x-ratelimit-{name}")))
}

#[test]
fn ten_requests_a_second_are_answered_and_the_eleventh_is_not() {
    let mut scene = scene(&[]);
    let key = key(&scene);
    for left in (0..10).rev() {
        let answer = scene.call(Method::GET, "/jobs", (KEY, &key), "");
        assert_eq!(answer.status(), 200);
        assert_eq!(budget(&answer), ["10", &left.to_string(), "8", "7"]);
    }
    let answer = scene.call(Method::GET, "/jobs", (KEY, &key), "");
    assert_eq!((answer.status().as_u16(), header(&answer, "retry-after")), (429, String::new()));
    assert_eq!(budget(&answer), ["10", "0", "8", "8"]);
    // Another endpoint and another credential have budgets of their own.
    assert_eq!(scene.call(Method::GET, "/users", (KEY, &key), "").status(), 200);
    let token = service_token(&mut scene);
    assert_eq!(scene.with_token("/jobs", &token).status(), 200);
    scene.now = at(1);
    assert_eq!(scene.call(Method::GET, "/jobs", (KEY, &key), "").status(), 200);
    // A clock that is set back must not lock anybody out.
    scene.now = at(0);
    assert_eq!(scene.call(Method::GET, "/jobs", (KEY, &key), "").status(), 200);
}

#[test]
fn publications_have_a_smaller_budget_and_every_answer_tells_one() {
    let mut scene = scene(&["retry_after=3"]);
    let key = key(&scene);
    let uri = "/jobs/job-1002/publication";
    let statuses: Vec<_> = (0..3)
        .map(|_| scene.call(Method::POST, uri, (KEY, &key), ""))
        .map(|it| (it.status().as_u16(), header(&it, "retry-after")))
        .collect();
    let expected = [(201, ""), (201, ""), (429, "3")].map(|(it, wait)| (it, wait.to_owned()));
    assert_eq!(statuses, expected);
    for uri in ["/jobs", "/nothing", "/v1/companies/AcmeLogistics/postings"] {
        assert!(budget(&scene.get(uri)).iter().all(|it| !it.is_empty()), "{uri}");
    }
}

#[test]
fn candidates_are_listed_one_request_at_a_time() {
    let mut scene = scene(&[]);
    let key = key(&scene);
    let mut ask = request(Method::GET, "/candidates", "");
    ask.headers_mut().insert(KEY, HeaderValue::from_str(&key).expect("a key"));
    let (first, slot) = scene.simulator.begin(scene.now, &ask);
    let first = first.into_response().expect("an answer");
    assert_eq!(
        (first.status().as_u16(), budget(&first)),
        (200, ["10", "9", "1", "0"].map(str::to_owned))
    );
    let second = scene.send(&ask);
    assert_eq!(second.status(), 429);
    scene.simulator.end(slot);
    assert_eq!(scene.send(&ask).status(), 200);
}

#[test]
fn bodies_of_undocumented_errors_are_a_switch() {
    let cases = [
        ("message", r#"{"message":"Authentication is required"}"#),
        ("empty", ""),
        ("html", "<html><body><h1>Authentication is required</h1></body></html>"),
    ];
    for (rule, expected) in cases {
        let mut scene = scene(&[&format!("unauthorized_body={rule}")]);
        assert_eq!(text(&scene.get("/jobs")), expected, "{rule}");
    }
}

#[test]
fn faults_hit_the_next_requests_of_their_kind() {
    let mut scene = scene(&[]);
    let redirect = Effect::Redirect { location: "https://elsewhere.example/".into(), status: 308 };
    let jobs = Target::Path("/jobs".to_owned());
    scene.simulator.inject(Fault::new(jobs, redirect));
    scene.simulator.inject(Fault::new(Target::Resources, Effect::Garbage).times(2));
    scene.simulator.inject(Fault::new(Target::Any, Effect::HugeBody { bytes: 100_000 }));
    let service = scene.service_form();
    let big = scene.post_form(&service);
    assert!(big.body().len() > 100_000);
    let answer = scene.get("/jobs");
    let verdict = (answer.status().as_u16(), header(&answer, "location"));
    assert_eq!(verdict, (308, "https://elsewhere.example/".to_owned()));
    for uri in ["/users", "/jobs"] {
        let garbage = scene.get(uri);
        assert!(serde_json::from_slice::<serde_json::Value>(garbage.body().expose()).is_err());
    }
    assert_eq!(scene.get("/jobs").status(), 401);
    let kinds: Vec<_> = scene.simulator.journal().filter_map(|entry| entry.fault).collect();
    assert_eq!(kinds, ["huge_body", "redirect", "garbage", "garbage"]);
    let delay = Fault::new(Target::Any, Effect::Delay { millis: 1_500 });
    scene.simulator.inject(delay);
    let reply = scene.simulator.handle(scene.now, &request(Method::GET, "/jobs", ""));
    let Reply::Answer { delay, .. } = reply else { unreachable!("{reply:?}") };
    assert_eq!(delay, Duration::from_millis(1_500));
    scene.simulator.inject(Fault::new(Target::Any, Effect::LostBefore));
    scene.simulator.clear_faults();
    assert_eq!(scene.get("/jobs").status(), 401);
}

#[test]
fn the_journal_tells_what_happened_and_no_secret() {
    let mut scene = scene(&[]);
    let tokens = scene.tokens();
    let token = service_token(&mut scene);
    scene.with_token("/jobs", &token);
    let key = key(&scene);
    scene.call(Method::GET, "/jobs?limit=1", (KEY, &key), "");
    scene.get("/jobs");
    let last = scene.simulator.journal().next_back().expect("an entry");
    let told = (last.path.as_str(), last.status, last.reason);
    assert_eq!(told, ("/jobs", Some(401), Some("no credential")));
    let shown = format!("{:?}", scene.simulator.journal().collect::<Vec<_>>());
    let everything = format!("{shown} {:?}", scene.simulator);
    let secrets = [
        scene.credentials.api_key_secret(),
        scene.credentials.partner_api_key_secret(),
        tokens.access().secret(),
        tokens.refresh().expect("a refresh token").secret(),
        token.secret(),
    ];
    for secret in secrets {
        let found =
            Canary::of("a secret of the simulator", secret.clone()).find(everything.as_bytes());
        assert!(found.is_empty(), "{found:?}");
    }
    scene.simulator.clear_journal();
    assert_eq!(scene.simulator.journal().count(), 0);
}

#[test]
fn the_same_seed_gives_the_same_run() {
    let run = |seed| {
        let (world, credentials) = World::demo(seed);
        let mut scene = Scene { credentials, now: at(0), simulator: Simulator::new(world, seed) };
        let tokens = scene.tokens();
        tokens.access().secret().expose().to_owned()
    };
    assert_eq!(run(1), run(1));
    assert_ne!(run(1), run(2));
}
