//! SmartRecruiters as a caller of partners: what it sends, in which order, and how often.

use std::time::Duration;

use http::{Response, StatusCode};
use sr_auth_core::{Machine as _, SecretBytes};
use sr_partner::registration::InboundUrls;
use sr_partner::{AppId, CompanyId, IntegrationKey};
use sr_testkit::{PartnerApp, PartnerCall, PartnerCallInput, PartnerCallOutput};

use crate::fixture::{Scene, at, form, member, request, scene};

/// A scene with a connected application that SmartRecruiters can call.
fn connected(switches: &[&str]) -> (Scene, IntegrationKey) {
    let mut scene = scene(switches);
    let app = scene.credentials.partner().app().clone();
    let company = scene.simulator.world().companies().next().expect("a company").id().to_owned();
    let key = IntegrationKey { app, company: CompanyId::new(&company).expect("valid") };
    assert!(scene.simulator.consent_to(&key.app, &key.company));
    let master = scene.credentials.partner().client().clone();
    let (id, secret) = (master.id().as_str(), crate::fixture::secret(&master));
    let body = format!("grant_type=client_credentials&client_id={id}&client_secret={secret}");
    let token = member(&scene.send(&form("/identity/oauth/token", &body)), "access_token");
    let body = format!(
        r#"{{"appId":"{}","companyId":"{company}","clientId":"ours","clientSecret":"s3cr3t-of-ours"}}"#,
        key.app
    );
    let path = sr_partner::Profile::GENERAL_PATH;
    let mut exchange = request(http::Method::POST, path, &body);
    let bearer = format!("Bearer {token}").parse().expect("a header");
    exchange.headers_mut().insert("authorization", bearer);
    assert_eq!(scene.send(&exchange).status(), 200);
    (scene, key)
}

fn answer(status: u16, body: &str) -> PartnerCallInput {
    let mut response = Response::new(SecretBytes::new(body.as_bytes().to_vec()));
    *response.status_mut() = StatusCode::from_u16(status).expect("a status");
    PartnerCallInput::Answered(response)
}

const GRANTED: &str = r#"{"access_token":"t0ken-of-the-partner","token_type":"Bearer"}"#;

/// Answers each request with the next of these, and returns the story.
fn play(call: &mut PartnerCall, mut answers: Vec<PartnerCallInput>) -> Vec<String> {
    let (mut story, mut now) = (Vec::new(), at(10));
    answers.reverse();
    loop {
        match (call.poll_output(), call.poll_timeout()) {
            (Some(PartnerCallOutput::Transmit(sent)), _) => {
                story.push(format!("{} {}", sent.method(), sent.uri()));
                call.handle_input(now, answers.pop().expect("an answer for each request"));
            }
            (Some(PartnerCallOutput::Record(record)), _) => {
                let outcome =
                    record.problem.or(record.body.as_deref()).unwrap_or("done").to_owned();
                story.push(format!("{} {:?} {outcome}", record.step.as_str(), record.status));
                assert!(!format!("{record:?}").contains("t0ken"), "a secret in a record");
            }
            (None, Some(due)) => {
                assert_eq!(due, now.after(PartnerCall::PAUSE));
                call.handle_input(now, PartnerCallInput::Timeout);
                assert!(call.poll_output().is_none(), "an early timeout changes nothing");
                now = due;
                story.push("pause".to_owned());
                call.handle_input(now, PartnerCallInput::Timeout);
            }
            (None, None) => return story,
        }
    }
}

const TOKEN: &str = "POST http://localhost:8800/oauth/token";
const NOTICE: &str = "POST http://localhost:8800/callback";

#[test]
fn a_disable_asks_for_a_token_and_then_tells_with_it() {
    let (mut scene, key) = connected(&[]);
    assert!(scene.simulator.disable(&key));
    assert!(scene.simulator.integrations(&key).is_empty(), "disabled whatever the partner says");
    let mut call = scene.simulator.poll_partner_call().expect("the partner is told");
    assert!(scene.simulator.poll_partner_call().is_none(), "once");
    let story = play(&mut call, vec![answer(200, GRANTED), answer(200, "")]);
    assert_eq!(story, [TOKEN, "token Some(200) done", NOTICE, "notification Some(200) done"]);
    assert!(!scene.simulator.disable(&key), "there is nothing left");
    assert!(scene.simulator.poll_partner_call().is_none());
    call.handle_input(at(99), answer(200, GRANTED));
    assert!(call.poll_output().is_none(), "an answer that nobody waits for changes nothing");
}

#[test]
fn a_failed_request_is_repeated_as_often_as_the_switch_says() {
    let refused = || answer(503, "");
    let lost = || PartnerCallInput::Failed("the partner closed the connection");
    let told = "notification Some(200) done";
    let lost_line = "token None the partner closed the connection";
    let no_token = "token Some(503) the partner gave no token";
    let none = "token Some(200) the answer holds no token";
    let late = "notification Some(503) the partner did not accept it";
    let cases: [(&str, &str, Vec<PartnerCallInput>, Vec<&str>); 5] = [
        ("never", "none", vec![refused()], vec![TOKEN, no_token]),
        ("no token in it", "none", vec![answer(200, "{}")], vec![TOKEN, none]),
        (
            "once, used up",
            "1",
            vec![lost(), refused()],
            vec![TOKEN, lost_line, "pause", TOKEN, no_token],
        ),
        (
            "each request anew",
            "1",
            vec![lost(), answer(200, GRANTED), refused(), answer(200, "")],
            vec![
                TOKEN,
                lost_line,
                "pause",
                TOKEN,
                "token Some(200) done",
                NOTICE,
                late,
                "pause",
                NOTICE,
                told,
            ],
        ),
        (
            "the notice alone",
            "none",
            vec![answer(200, GRANTED), refused()],
            vec![TOKEN, "token Some(200) done", NOTICE, late],
        ),
    ];
    for (name, retries, answers, expected) in cases {
        let (mut scene, key) = connected(&[&format!("partner_retries={retries}")]);
        scene.simulator.disable(&key);
        let mut call = scene.simulator.poll_partner_call().expect("a call");
        assert_eq!(play(&mut call, answers), expected, "{name}");
    }
}

#[test]
fn a_call_of_the_partners_api_stays_on_its_host() {
    let (mut scene, key) = connected(&[]);
    for path in ["", "api", "//evil.example/", "https://evil.example/", "/\\evil.example/"] {
        assert!(!scene.simulator.call_partner_api(&key, path), "{path}");
    }
    assert!(scene.simulator.call_partner_api(&key, "/api/jobs?x=1"));
    let mut call = scene.simulator.poll_partner_call().expect("a call");
    let story = play(&mut call, vec![answer(200, GRANTED), answer(200, "hello")]);
    let api = "GET http://localhost:8800/api/jobs?x=1";
    assert_eq!(story, [TOKEN, "token Some(200) done", api, "api Some(200) hello"]);
    scene.simulator.disable_integration(&key);
    assert!(!scene.simulator.call_partner_api(&key, "/api/jobs"), "there are no credentials");
}

#[test]
fn who_has_no_token_endpoint_is_told_nothing() {
    let mut scene = scene(&[]);
    let app = AppId::new("deaf").expect("valid");
    let scopes = sr_auth_core::ScopeSet::parse("jobs_read").expect("valid");
    let urls = InboundUrls::new("https://deaf.example/token").expect("valid");
    for (inbound, called) in [(None, false), (Some(urls), false)] {
        let known = PartnerApp::new(app.clone(), scopes.clone());
        let known = inbound.into_iter().fold(known, PartnerApp::with_inbound);
        scene.simulator.world_mut().add_partner_app(known);
        let company = CompanyId::new("60d1a4e2").expect("valid");
        let key = IntegrationKey { app: app.clone(), company };
        assert!(scene.simulator.consent_to(&key.app, &key.company));
        assert!(scene.simulator.disable(&key));
        assert_eq!(scene.simulator.poll_partner_call().is_some(), called);
    }
}

#[test]
fn records_of_calls_are_bounded_and_the_newest_stay() {
    let (mut scene, key) = connected(&[]);
    for _ in 0..150 {
        assert!(scene.simulator.call_partner_api(&key, "/"));
        let mut call = scene.simulator.poll_partner_call().expect("a call");
        let mut answers = vec![answer(200, "late"), answer(200, GRANTED)];
        while let Some(output) = call.poll_output() {
            match output {
                PartnerCallOutput::Transmit(_) => {
                    call.handle_input(at(1), answers.pop().expect("an answer"));
                }
                PartnerCallOutput::Record(record) => scene.simulator.note_partner_call(record),
            }
        }
    }
    assert_eq!(scene.simulator.partner_calls().count(), 200);
    let last = scene.simulator.partner_calls().next_back().expect("a record");
    assert_eq!(last.body.as_deref(), Some("late"));
    assert_eq!(PartnerCall::PAUSE, Duration::from_secs(1));
}
