//! What the Partner & API Team is told, and what it would send back.

use sr_auth_core::{Fault, Scope, ScopeSet};
use sr_partner::consent::ConsentDisplayMode;
use sr_partner::registration::{AppRegistration, Finding, InboundUrls, RequestedScope, Visibility};
use sr_partner::{AppId, PartnerConfigError, PartnerSetting};

const CONSENT: &str = "https://planner.example/connect";

fn scope(name: &str) -> Scope {
    Scope::new(name).expect("valid")
}

fn requested(name: &str) -> RequestedScope {
    RequestedScope::new(scope(name), "plan interviews").expect("valid")
}

fn registration(consent_url: &str, scopes: &[&str]) -> Result<AppRegistration, PartnerConfigError> {
    let scopes: Vec<RequestedScope> = scopes.iter().map(|it| requested(it)).collect();
    AppRegistration::new("Interview Planner", consent_url, ConsentDisplayMode::Redirect, scopes)
}

#[test]
fn the_message_has_everything_that_is_asked_for() {
    let urls = InboundUrls::new("https://planner.example/oauth/token").unwrap();
    let urls = urls.with_callback("https://planner.example/callback").unwrap();
    let granted = ScopeSet::parse("interviews_read").unwrap();
    let selected = Visibility::Selected(vec!["Acme Logistics".to_owned(), "Globex".to_owned()]);
    let app = registration(CONSENT, &["candidates_read", "jobs_read"])
        .unwrap()
        .with_app_id(AppId::new("planner").unwrap())
        .called_by_smartrecruiters(urls, granted)
        .with_description("Plans interviews with everybody involved.")
        .unwrap()
        .with_logo("https://planner.example/logo.svg")
        .unwrap()
        .with_visibility(selected)
        .unwrap();
    insta::assert_snapshot!(app.to_message());
    assert_eq!(app.granted_scopes().unwrap().to_string(), "interviews_read");
    assert_eq!(app.inbound().unwrap().callback_url(), Some("https://planner.example/callback"));
}

#[test]
fn the_message_of_the_smallest_application_is_small() {
    insta::assert_snapshot!(registration(CONSENT, &["jobs_read"]).unwrap().to_message());
}

#[test]
fn what_cannot_be_registered_is_refused_when_it_is_given() {
    let fault = |result: Result<AppRegistration, PartnerConfigError>| {
        result.map(|_| ()).map_err(|it| (it.setting(), it.fault()))
    };
    let (url, scopes) = (PartnerSetting::ConsentUrl, PartnerSetting::Scopes);
    let cases = [
        ("plain http", "http://planner.example/connect", vec!["a"], (url, Fault::NotHttps)),
        ("no URL", "planner.example", vec!["a"], (url, Fault::NotAUrl)),
        ("a user", "https://a@planner.example/", vec!["a"], (url, Fault::UserInfo)),
        ("a fragment", "https://planner.example/#a", vec!["a"], (url, Fault::Fragment)),
        ("a company", "https://planner.example/?companyId=1", vec!["a"], (url, Fault::Reserved)),
        ("escaped", "https://planner.example/?redirec%74=1", vec!["a"], (url, Fault::Reserved)),
        ("no scope", CONSENT, vec![], (scopes, Fault::Empty)),
        ("a scope twice", CONSENT, vec!["a", "a"], (scopes, Fault::OutOfRange)),
    ];
    for (name, consent_url, scopes, expected) in cases {
        assert_eq!(fault(registration(consent_url, &scopes)), Err(expected), "{name}");
    }
    assert!(registration("https://planner.example/connect?lang=en", &["a"]).is_ok());
    assert!(registration("http://127.0.0.1:8080/connect", &["a"]).is_ok(), "for a sandbox");
    assert!(RequestedScope::new(scope("jobs_read"), " ").is_err(), "a scope needs its reason");
    let app = registration(CONSENT, &["jobs_read"]).unwrap();
    for nobody in [vec![], vec![String::new()]] {
        assert!(app.clone().with_visibility(Visibility::Selected(nobody)).is_err());
    }
    assert!(app.clone().with_description("two\nlines").is_err());
    assert!(app.with_logo("http://planner.example/logo.svg").is_err());
    assert!(InboundUrls::new("http://planner.example/token").is_err());
    let urls = InboundUrls::new("https://planner.example/token").unwrap();
    assert!(urls.with_callback("/callback").is_err());
}

#[test]
fn a_review_finds_what_is_too_much_too_little_or_misspelt() {
    let app = registration(
        CONSENT,
        &[
            "candidates_read",
            "candidates_manage",
            "candidate_status_read",
            "jobs_raed",
            "users_read",
        ],
    );
    let needed = "candidates_read candidates_manage candidate_status_read jobs_raed jobs_read";
    let findings = app.unwrap().review(&ScopeSet::parse(needed).unwrap());
    let expected = [
        Finding::Obsolete(scope("candidate_status_read")),
        Finding::Changes(scope("candidates_manage")),
        Finding::Changes(scope("jobs_raed")),
        Finding::Unlisted(scope("jobs_raed")),
        Finding::Unneeded(scope("users_read")),
        Finding::Missing(scope("jobs_read")),
    ];
    assert_eq!(findings, expected);
    let told: Vec<String> = findings.iter().map(Finding::to_string).collect();
    assert_eq!(told[5], "jobs_read is needed and not asked for");
}

#[test]
fn an_application_that_asks_for_what_it_needs_has_no_findings() {
    let app = registration(CONSENT, &["candidates_read", "jobs_read"]).unwrap();
    assert_eq!(app.review(&ScopeSet::parse("jobs_read candidates_read").unwrap()), []);
}
