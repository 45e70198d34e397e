//! The exchange of credentials with partners, as SmartRecruiters sees it.

use http::{Method, Request, Response};
use sr_auth_core::{ScopeSet, Secret, SecretBytes};
use sr_partner::registration::InboundUrls;
use sr_partner::{AppId, CompanyId, IntegrationKey, Profile};
use sr_testkit::{Client, DemoCredentials, PartnerApp};

use crate::fixture::{Scene, form, header, json, member, request, scene, text};

const MASTER: &str = "9165228a82e44244e7c5c8135fe01c16";
const OURS: &str = "our-secret-0123456789";

fn company(scene: &Scene, identifier: &str) -> CompanyId {
    let companies = scene.simulator.world().companies();
    let found = companies.filter(|it| it.identifier() == identifier).map(|it| it.id().to_owned());
    CompanyId::new(&found.last().expect("a company")).expect("valid")
}

/// A scene with an approved application that Acme's administrator has connected.
fn connected(switches: &[&str]) -> (Scene, IntegrationKey) {
    let mut scene = scene(switches);
    let app = AppId::new("planner").expect("valid");
    let inbound = InboundUrls::new("https://planner.example/oauth/token").expect("valid");
    let inbound = inbound.with_callback("https://planner.example/callback").expect("valid");
    let world = scene.simulator.world_mut();
    world.add_client(Client::master("master", Secret::new(MASTER.to_owned()), &app));
    let scopes = ScopeSet::parse("company_read jobs_read").expect("valid");
    world.add_partner_app(PartnerApp::new(app.clone(), scopes).with_inbound(inbound));
    let company = company(&scene, DemoCredentials::COMPANY);
    assert!(scene.simulator.consent_to(&app, &company));
    (scene, IntegrationKey { app, company })
}

fn bearer(mut request: Request<SecretBytes>, token: &str) -> Request<SecretBytes> {
    let value = format!("Bearer {token}").parse().expect("a header");
    request.headers_mut().insert("authorization", value);
    request
}

fn send(scene: &mut Scene, request: &Request<SecretBytes>) -> Response<SecretBytes> {
    scene.simulator.handle(scene.now, request).into_response().expect("nothing was lost")
}

fn token(scene: &mut Scene, id: &str, secret: &str) -> String {
    let body = format!("grant_type=client_credentials&client_id={id}&client_secret={secret}");
    let answer = send(scene, &form("/identity/oauth/token", &body));
    member(&answer, "access_token")
}

fn post(scene: &mut Scene, uri: &str, body: &str) -> Response<SecretBytes> {
    let token = token(scene, "master", MASTER);
    send(scene, &bearer(request(Method::POST, uri, body), &token))
}

fn exchange(scene: &mut Scene, key: &IntegrationKey, ours: &str) -> Response<SecretBytes> {
    let (app, company) = (&key.app, &key.company);
    let body = format!(
        r#"{{"appId":"{app}","companyId":"{company}","clientId":"{ours}","clientSecret":"{OURS}"}}"#
    );
    post(scene, Profile::GENERAL_PATH, &body)
}

#[test]
fn an_exchange_brings_credentials_that_open_that_company_and_no_other() {
    let (mut scene, key) = connected(&[]);
    let answer = exchange(&mut scene, &key, "ours-1");
    assert_eq!(answer.status(), 200, "{}", text(&answer));
    let mut members: Vec<String> = json(&answer).as_object().unwrap().keys().cloned().collect();
    members.sort();
    assert_eq!(members, ["clientId", "clientSecret", "integrationId"]);
    let token = token(&mut scene, &member(&answer, "clientId"), &member(&answer, "clientSecret"));
    let company =
        send(&mut scene, &bearer(request(Method::GET, "/configuration/company", ""), &token));
    assert_eq!(member(&company, "id"), key.company.as_str());
    let users = send(&mut scene, &bearer(request(Method::GET, "/users", ""), &token));
    assert_eq!(users.status(), 403, "its scopes are those of the application");
}

#[test]
fn the_assessment_sibling_takes_the_company_from_the_path() {
    let (mut scene, key) = connected(&[]);
    let uri = format!("{}{}", Profile::ASSESSMENT_PATH, key.company);
    let answer = post(&mut scene, &uri, r#"{"clientId":"ours-1","clientSecret":"s"}"#);
    assert_eq!(answer.status(), 200, "{}", text(&answer));
    assert_eq!(scene.simulator.integrations(&key).len(), 1);
}

#[test]
fn what_is_no_exchange_is_refused() {
    let (mut scene, key) = connected(&[]);
    let other = company(&scene, DemoCredentials::COMPANY_WITHOUT_ACCESS);
    let good = format!(r#"{{"appId":"planner","companyId":"{}"}}"#, key.company);
    let cases = [
        ("another application", good.replace("planner", "other"), 403),
        ("no application", good.replace("\"appId\":\"planner\",", ""), 403),
        ("no company", r#"{"appId":"planner"}"#.to_owned(), 400),
        ("a company that did not consent", good.replace(key.company.as_str(), other.as_str()), 403),
        ("half a pair", good.replace('}', r#","clientId":"x"}"#), 400),
        ("no JSON", "appId=planner".to_owned(), 400),
        ("in one direction", good.clone(), 200),
    ];
    for (name, body, status) in cases {
        assert_eq!(post(&mut scene, Profile::GENERAL_PATH, &body).status(), status, "{name}");
    }
    let get = request(Method::GET, Profile::GENERAL_PATH, "");
    assert_eq!(header(&send(&mut scene, &get), "allow"), "POST");
    let nobody = request(Method::POST, Profile::GENERAL_PATH, &good);
    assert_eq!(send(&mut scene, &nobody).status(), 401);
    let id = scene.credentials.service().id().as_str().to_owned();
    let secret = crate::fixture::secret(scene.credentials.service());
    let token = token(&mut scene, &id, &secret);
    let customer = bearer(request(Method::POST, Profile::GENERAL_PATH, &good), &token);
    assert_eq!(send(&mut scene, &customer).status(), 403, "a customer's own client");
    let master = self::token(&mut scene, "master", MASTER);
    let jobs = bearer(request(Method::GET, "/jobs", ""), &master);
    assert_eq!(send(&mut scene, &jobs).status(), 403, "master tokens reach no customer's data");
}

#[test]
fn an_exchange_without_consent_gets_what_the_switch_says() {
    for (value, status) in [("403", 403), ("404", 404), ("accepted", 200)] {
        let (mut scene, key) = connected(&[&format!("unconsented_integration={value}")]);
        scene.simulator.disable_integration(&key);
        assert_eq!(exchange(&mut scene, &key, "ours-1").status(), status, "{value}");
    }
}

#[test]
fn a_second_exchange_does_what_the_switch_says() {
    let cases = [
        ("refused", 409, true, 1),
        ("replaces", 200, false, 1),
        ("adds", 200, true, 2),
        ("same", 200, true, 1),
    ];
    for (value, status, first_lives, count) in cases {
        let (mut scene, key) = connected(&[&format!("repeated_integration={value}")]);
        let first = exchange(&mut scene, &key, "ours-1");
        let pair = (member(&first, "clientId"), member(&first, "clientSecret"));
        let second = exchange(&mut scene, &key, "ours-2");
        assert_eq!(second.status(), status, "{value}");
        assert_eq!(member(&second, "clientId") == pair.0, value == "same", "{value}");
        let lives = !token(&mut scene, &pair.0, &pair.1).is_empty();
        assert_eq!(lives, first_lives, "{value}");
        let views = scene.simulator.integrations(&key);
        assert_eq!(views.len(), count, "{value}");
        let newest = views.last().unwrap().partner_client_id.as_deref();
        assert_eq!(newest, Some(if value == "refused" { "ours-1" } else { "ours-2" }), "{value}");
    }
}

#[test]
fn smartrecruiters_calls_the_partner_with_the_pair_that_it_was_sent() {
    for how in ["body", "basic"] {
        let (mut scene, key) = connected(&[&format!("partner_authentication={how}")]);
        assert!(scene.simulator.partner_token_request(&key).is_none(), "nothing was exchanged");
        exchange(&mut scene, &key, "ours-1");
        let asked = scene.simulator.partner_token_request(&key).unwrap();
        assert_eq!(asked.uri(), "https://planner.example/oauth/token");
        let body = String::from_utf8(asked.body().expose().to_vec()).unwrap();
        assert_eq!(body.contains(OURS), how == "body", "{body}");
        assert_eq!(asked.headers().contains_key("authorization"), how == "basic");
        let requests = scene.simulator.disable_requests(&key).unwrap();
        let granted = Response::new(SecretBytes::new(br#"{"access_token":"t"}"#.to_vec()));
        let notice = requests.notification(&granted).unwrap();
        assert_eq!(notice.uri(), "https://planner.example/callback");
        assert_eq!(notice.headers()["authorization"], "Bearer t");
        assert_eq!(notice.body().expose(), br#"{"eventType":"INTEGRATION_DISABLED"}"#);
        assert_eq!(scene.simulator.disable_integration(&key).len(), 1);
        assert!(scene.simulator.integrations(&key).is_empty());
    }
}
