//! Every request that an exchange sends, as it goes on the wire.

use std::fmt::Write as _;

use http::Request;
use sr_auth_core::{AllowedHosts, ApiOrigin, Endpoints, SecretBytes};
use sr_partner::Profile;
use sr_partner::exchange::{Probe, Verification};
use sr_partner::wire::integrations;

use crate::exchange_scene::{Reaction, Scene, ok};
use crate::fixture::{Desk, access_token, consent, key, outbound, settings};

fn shown(request: &Request<SecretBytes>) -> String {
    let mut text = format!("{} {}\n", request.method(), request.uri());
    for (name, value) in request.headers() {
        let sensitive = if value.is_sensitive() { "  (sensitive)" } else { "" };
        let value = value.to_str().expect("text");
        writeln!(text, "{name}: {value}{sensitive}").expect("a text takes every text");
    }
    let body = String::from_utf8(request.body().expose().to_vec()).expect("text");
    text.push_str(&body);
    text
}

fn request(profile: Profile, bidirectional: bool) -> String {
    let endpoints = Endpoints::production();
    let ours = outbound(7);
    let outbound = bidirectional.then_some(&ours);
    let token = access_token("master-token");
    shown(&integrations::request(profile, endpoints.api(), &key("5f1b"), outbound, &token))
}

#[test]
fn the_general_exchange_names_the_company_in_its_body() {
    insta::assert_snapshot!(request(Profile::General, true));
}

#[test]
fn an_exchange_in_one_direction_brings_no_credentials() {
    insta::assert_snapshot!(request(Profile::General, false));
}

#[test]
fn the_assessment_sibling_names_the_company_in_its_path() {
    insta::assert_snapshot!(request(Profile::Assessment, true));
}

#[test]
fn the_probe_carries_the_companys_own_token() {
    let probe = Probe::new("/configuration/company", "/id").expect("valid");
    let settings = settings().with_verification(Verification::Probe(probe));
    let mut scene = Scene::begin(Desk::new(), settings, consent("5f1b", "acme", 0, 1))
        .reacting([ok(), Reaction::Answer(200, r#"{"id":"5f1b"}"#.to_owned())]);
    scene.tokens.extend([Ok("master-token"), Ok("customer-token")]);
    let scene = scene.run();
    insta::assert_snapshot!(shown(&scene.requests[1].request));
}

#[test]
fn every_request_goes_to_the_configured_origin() {
    let origin = ApiOrigin::parse("http://127.0.0.1:4000", AllowedHosts::Named).expect("valid");
    let endpoints = Endpoints::production().with_api(origin);
    let settings = sr_partner::exchange::ExchangeSettings::new(&endpoints);
    let scene = Scene::begin(Desk::new(), settings, consent("5f1b", "acme", 0, 1));
    let scene = scene.reacting([ok()]).run();
    let uri = scene.requests[0].request.uri().to_string();
    assert_eq!(uri, "http://127.0.0.1:4000/apps-integrations/partner-api/integrations");
}
