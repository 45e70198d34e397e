//! No secret in any `Debug` or `Display`: every value that holds one is printed and searched.

use sr_auth_core::grant::{ClientCredentialsGrant, Input, Output, RefreshTokenGrant};
use sr_auth_core::wire::callback::Callback;
use sr_auth_core::wire::token_answer::classify;
use sr_auth_core::{ApiKey, Endpoints, Machine as _, PartnerApiKey, SecretBytes, StaticCredential};

use crate::fixture::{
    CLIENT_SECRET, CODE, REFRESH, STATE, SUCCESSOR, TOKEN, answer, at, begin, client, lost,
    refresh_token, response, retry, secret, settings,
};

/// Fails when a text shows a secret of the fixtures, or any eight characters of one in a row.
#[track_caller]
fn assert_quiet(shown: &str) {
    for canary in [CLIENT_SECRET, CODE, REFRESH, SUCCESSOR, TOKEN, STATE] {
        let canary = canary.strip_prefix("canary-").unwrap_or(canary);
        for window in canary.as_bytes().windows(8) {
            let window = std::str::from_utf8(window).expect("ASCII");
            assert!(!shown.contains(window), "a secret shows in {shown}");
            let bytes = format!("{:?}", window.as_bytes());
            assert!(!shown.contains(bytes.trim_matches(['[', ']'])), "as bytes in {shown}");
        }
    }
}

#[test]
fn k04_no_debug_output_shows_a_secret() {
    let endpoints = Endpoints::production();
    let body =
        format!(r#"{{"access_token":"{TOKEN}","expires_in":1,"refresh_token":"{SUCCESSOR}"}}"#);
    let mut refresh =
        RefreshTokenGrant::new(&client(), endpoints.token(), refresh_token(), retry(), at(0));
    let request = refresh.poll_output();
    assert_quiet(&format!("{refresh:?} {request:?}"));
    refresh.handle_input(at(1), response(1, 200, &body));
    let outcome = refresh.poll_output();
    let Some(Output::Event(Ok(set))) = &outcome else { panic!("tokens") };
    let header = set.access().authorization();
    assert_quiet(&format!(
        "{outcome:?} {header:?} {:?} {:?}",
        header.value(),
        set.access().secret()
    ));

    let basic =
        ClientCredentialsGrant::new(&client().in_header(), endpoints.token(), retry(), at(0));
    assert_quiet(&format!("{basic:?} {:?}", client().in_header()));

    let request = begin(&settings()).bind_to(&secret(REFRESH));
    assert_quiet(&format!("{request:?}"));
    let pending = request.into_pending();
    assert_quiet(&format!("{pending:?} {:?}", pending.to_secret()));
    let callback = Callback::new(&format!("code={CODE}&state={STATE}"));
    assert_quiet(&format!("{callback:?}"));
    let mut grant =
        begin(&settings()).into_pending().accept(&settings(), &callback, at(0)).expect("ok");
    assert_quiet(&format!("{grant:?} {:?}", grant.poll_output()));

    let key = ApiKey::new(secret(TOKEN)).expect("valid");
    let partner = PartnerApiKey::new(secret(TOKEN)).expect("valid");
    let credential = StaticCredential::from(key.clone());
    assert_quiet(&format!("{key:?} {partner:?} {credential:?} {:?}", credential.authorization()));
    let mut echoed = answer(200, &body);
    for name in ["location", "set-cookie"] {
        let value = format!("https://a.example/?client_secret={CLIENT_SECRET}&token={TOKEN}");
        echoed.headers_mut().insert(name, value.parse().expect("a header value"));
    }
    let (id, received) = (sr_auth_core::TransmitId::FIRST, Some(echoed.clone()));
    let failure = sr_auth_core::TransportFailure::AfterSend;
    assert_quiet(&format!("{:?}", Input::Response { id, response: echoed }));
    assert_quiet(&format!("{:?}", Input::TransportFailed { id, failure, received }));
    assert_quiet(&format!("{:?}", SecretBytes::new(body.into_bytes())));
}

#[test]
fn k05_a_logged_input_shows_what_happened() {
    let shown = |input: &Input| format!("{input:?}");
    let id = "TransmitId(1)";
    assert_eq!(
        shown(&response(1, 503, "busy")),
        format!("Response {{ id: {id}, status: 503, body: SecretBytes(4 bytes) }}")
    );
    assert_eq!(shown(&Input::Timeout), "Timeout");
    assert_eq!(
        shown(&lost(1)),
        format!("TransportFailed {{ id: {id}, failure: AfterSend, received: None }}")
    );
}

#[test]
fn k04_no_error_shows_a_secret_that_the_server_repeats() {
    let echo = format!("{CLIENT_SECRET} {TOKEN} {REFRESH}");
    let bodies = [
        format!(r#"{{"error":"invalid_client","error_description":"{echo}"}}"#),
        format!(r#"{{"error":"{echo}"}}"#),
        format!(r#"{{"message":"{echo}"}}"#),
        format!(r#"{{"access_token":["{echo}"],"refresh_token":"{SUCCESSOR}"}}"#),
        format!(r#"{{"access_token":"{TOKEN}","expires_in":"{echo}","token_type":"{echo}"}}"#),
        echo,
    ];
    for status in [200, 400, 401, 503] {
        for body in &bodies {
            assert_quiet(&format!("{:?}", classify(&answer(status, body), at(0), at(0))));
            let endpoints = Endpoints::production();
            let mut grant = RefreshTokenGrant::new(
                &client(),
                endpoints.token(),
                refresh_token(),
                retry(),
                at(0),
            );
            grant.poll_output();
            grant.handle_input(at(1), response(1, status, body));
            let Some(Output::Event(outcome)) = grant.poll_output() else { panic!("an outcome") };
            if let Err(failure) = outcome {
                let source = std::error::Error::source(&failure).map(ToString::to_string);
                assert_quiet(&format!("{failure} {failure:?} {source:?} {}", failure.error()));
            }
        }
    }
}

#[test]
fn k04_no_committed_snapshot_shows_a_secret() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/snapshots");
    let mut read = 0;
    for entry in std::fs::read_dir(folder).expect("the snapshots are there") {
        let path = entry.expect("a readable folder").path();
        assert_quiet(&std::fs::read_to_string(&path).expect("a text"));
        read += 1;
    }
    assert!(read > 20, "only {read} snapshots were searched");
}
