//! No secret in any `Debug` or `Display`: every value that holds one is printed and searched.

use std::fmt::Write as _;

use sr_auth_core::{ClientCredentials, Machine};
use sr_partner::exchange::{ExchangeEvent, Output};
use sr_partner::inbound::{InboundOutput, Notification};
use sr_partner::registration::MasterCredentials;
use sr_partner::store::PartnerOp;
use sr_partner::wire::integrations::{self, IntegrationAnswer};
use sr_partner::wire::token_form::TokenForm;

use crate::exchange_scene::{CREDENTIALS, Scene, answer, ok};
use crate::fixture::{
    Desk, app, at, consent, disabled, form, integrated, key, outbound, secret, settings, token_form,
};

/// Secrets of these tests, any part of which may not be shown.
fn assert_hidden(shown: &str, secrets: &[&str]) {
    for secret in secrets {
        let part = &secret[..secret.len().min(12)];
        assert!(!shown.contains(part), "{part} in {shown}");
    }
}

#[test]
fn k04_an_exchange_shows_no_secret_at_any_step() {
    let mut scene = Scene::begin(Desk::new(), settings(), consent("5f1b", "acme", 0, 1));
    let mut shown = format!("{:?}", scene.machine);
    scene.reactions.push_back(ok());
    let mut ours = None;
    while let Some(output) = scene.machine.poll_output() {
        write!(shown, "{output:?} {:?}", scene.machine).expect("a text takes every text");
        match output {
            Output::Store(request) => {
                write!(shown, "{:?}", request.op).expect("a text takes every text");
                if let PartnerOp::Begin { attempt, .. } = &request.op {
                    assert!(attempt.outbound.is_some());
                }
                let result = Ok(scene.desk.store.apply(at(0), request.op));
                let input = sr_partner::exchange::Input::Stored { id: request.id, result };
                write!(shown, "{input:?}").expect("a text takes every text");
                scene.machine.handle_input(at(0), input);
            }
            Output::Token(request) => {
                let result = Ok(crate::fixture::access_token("canary-master-token"));
                let input = sr_partner::exchange::Input::Token { id: request.id, result };
                write!(shown, "{input:?}").expect("a text takes every text");
                scene.machine.handle_input(at(0), input);
            }
            Output::Transmit(transmit) => {
                let body = transmit.request.body().expose().to_vec();
                let body: serde_json::Value = serde_json::from_slice(&body).unwrap();
                ours = body["clientSecret"].as_str().map(str::to_owned);
                let response = answer(200, CREDENTIALS);
                let input = sr_partner::exchange::Input::Response { id: transmit.id, response };
                write!(shown, "{input:?}").expect("a text takes every text");
                scene.machine.handle_input(at(0), input);
            }
            Output::Event(event) => {
                let ExchangeEvent::AwaitsOwner { .. } = event else { panic!("{event:?}") };
            }
        }
    }
    write!(shown, "{:?}", scene.desk.store).expect("a text takes every text");
    let ours = ours.expect("our secret was sent");
    assert_hidden(&shown, &[&ours, "customer-secret", "canary-master-token"]);
}

#[test]
fn k01_a_store_keeps_what_it_has_to_verify_as_digests_only() {
    let mut desk = Desk::new();
    desk.bind("5f1b", "acme", 1, 0);
    desk.arm("77aa", "globex", 2, 0);
    let (first, second) = (desk.token_of(1), desk.token_of(2));
    // Everything of a record and of the tables around it, with secrets of theirs in clear.
    let record = desk.store.record(&key("5f1b")).unwrap().clone();
    let opened = record.try_map(|_, it| Ok::<_, ()>(it.expose().to_owned())).unwrap();
    let dump = format!("{opened:?} {:?}", desk.store);
    assert!(dump.contains("customer-secret-1"), "what we have to present can be opened: {dump}");
    let (ours, provisional) = (outbound(1), outbound(2));
    let secrets = [ours.secret().expose(), provisional.secret().expose(), &first, &second];
    assert_hidden(&dump, &secrets);
    let digest = outbound(1).secret().digest();
    let kept = desk.store.record(&key("5f1b")).unwrap().binding.as_ref().unwrap();
    assert_eq!(kept.outbound.as_ref().unwrap().secret, digest);
}

#[test]
fn k04_requests_and_answers_show_no_secret() {
    let mut desk = Desk::new();
    desk.bind("5f1b", "acme", 1, 0);
    let request = token_form(&outbound(1));
    let ours = outbound(1);
    let read = TokenForm::read(&request).unwrap();
    let mut issuance = desk.issuer.answer(at(0), &request, None, [3; 32]);
    let mut shown = format!("{read:?} {issuance:?} {request:?} {ours:?}");
    while let Some(output) = issuance.poll_output() {
        write!(shown, "{output:?} {issuance:?}").expect("a text takes every text");
        if let InboundOutput::Store(it) = output {
            let result = Ok(desk.store.apply(at(0), it.op));
            let input = sr_partner::inbound::InboundInput::Stored { id: it.id, result };
            write!(shown, "{input:?}").expect("a text takes every text");
            issuance.handle_input(at(0), input);
        }
    }
    let token = "03".repeat(32);
    let notification = Notification::receive(at(0), &disabled(&token));
    write!(shown, "{notification:?}").expect("a text takes every text");
    let misplaced = form(&[
        ("client_id", ours.secret().expose()),
        ("client_secret", "x"),
        ("grant_type", "client_credentials"),
    ]);
    let served = desk.token(&misplaced);
    write!(shown, "{:?} {:?}", TokenForm::read(&misplaced), served.events)
        .expect("a text takes every text");
    assert_hidden(&shown, &[ours.secret().expose(), &token]);
}

#[test]
fn k04_credentials_and_answers_of_the_service_show_no_secret() {
    let client = ClientCredentials::new("82e4424135fe", secret("canary-master-secret")).unwrap();
    let master = MasterCredentials::new(app(), client);
    let answered = integrations::classify(&answer(200, CREDENTIALS), at(0));
    let IntegrationAnswer::Integrated(it) = &answered else { panic!("{answered:?}") };
    assert_eq!(it.secret.expose(), "customer-secret");
    let refused = answer(400, r#"{"message":"canary-in-a-message"}"#);
    let refused = integrations::classify(&refused, at(0));
    let shown = format!("{master:?} {answered:?} {refused:?} {:?}", integrated("canary-theirs"));
    assert_hidden(
        &shown,
        &["canary-master-secret", "customer-secret", "canary-in-a-message", "canary-theirs"],
    );
}
