//! What the tests have in common: settings with recognisable secrets, answers, and a story teller.

use std::fmt::Write as _;

use sr_auth_core::grant::{
    AuthorizationRequest, AuthorizationSettings, Input, Output, RetryPolicy,
};
use sr_auth_core::wire::callback::Callback;
use sr_auth_core::{
    ClientCredentials, Endpoints, Machine, RedirectUri, RefreshToken, ScopeSet, Secret,
    SecretBytes, Timestamp, TransmitId, TransportFailure,
};

pub(crate) const CLIENT_SECRET: &str = "canary-client+secret";
pub(crate) const CODE: &str = "canary-e63dfcab300260b2";
pub(crate) const REFRESH: &str = "canary-b2591f58e63dfcab";
pub(crate) const STATE: &str = "0707070707070707070707070707070707070707070707070707070707070707";
pub(crate) const SUCCESSOR: &str = "canary-0260b8e63dxcs326";
pub(crate) const TOKEN: &str = "canary-e7c5c8139165228a";

pub(crate) fn at(secs: u64) -> Timestamp {
    Timestamp::from_unix_secs(secs)
}

pub(crate) fn secret(text: &str) -> Secret {
    Secret::new(text.to_owned())
}

pub(crate) fn client() -> ClientCredentials {
    ClientCredentials::new("82e4424135fe", secret(CLIENT_SECRET)).expect("a valid client")
}

pub(crate) fn refresh_token() -> RefreshToken {
    RefreshToken::new(secret(REFRESH), at(0)).expect("a valid token")
}

pub(crate) fn settings() -> AuthorizationSettings {
    let uri = RedirectUri::parse("https://yourapp.example/callback").expect("a valid URI");
    AuthorizationSettings::new(client(), Endpoints::production(), uri)
        .with_scopes(ScopeSet::parse("candidates_read candidates_create").expect("valid scopes"))
        .expect("not empty")
}

pub(crate) fn begin(settings: &AuthorizationSettings) -> AuthorizationRequest {
    AuthorizationRequest::new(settings, [7; 64], at(0)).expect("an authorization endpoint")
}

pub(crate) fn callback(query: &str) -> Callback {
    Callback::new(&format!("https://yourapp.example/callback?{query}"))
}

pub(crate) fn retry() -> RetryPolicy {
    RetryPolicy::default()
}

pub(crate) fn answer(status: u16, body: &str) -> http::Response<SecretBytes> {
    http::Response::builder()
        .status(status)
        .body(SecretBytes::new(body.as_bytes().to_vec()))
        .expect("a valid status")
}

/// The nth transmission of a machine.
pub(crate) fn nth(count: u32) -> TransmitId {
    (1..count).fold(TransmitId::FIRST, |id, _| id.next())
}

pub(crate) fn response(count: u32, status: u16, body: &str) -> Input {
    Input::Response { id: nth(count), response: answer(status, body) }
}

pub(crate) fn not_sent(count: u32) -> Input {
    Input::TransportFailed { id: nth(count), failure: TransportFailure::BeforeSend, received: None }
}

/// The connection broke after this much of the answer.
pub(crate) fn cut(count: u32, body: &str) -> Input {
    let received = Some(answer(200, body));
    Input::TransportFailed { id: nth(count), failure: TransportFailure::AfterSend, received }
}

pub(crate) fn lost(count: u32) -> Input {
    Input::TransportFailed { id: nth(count), failure: TransportFailure::AfterSend, received: None }
}

/// Feeds a script of inputs and tells what the machine did, a line each.
pub(crate) fn story<M, T, E>(mut machine: M, script: Vec<(Timestamp, Input)>) -> String
where
    M: Machine<Input = Input, Output = Output<Result<T, E>>>,
    T: std::fmt::Debug,
    E: std::fmt::Display,
{
    let mut told = String::new();
    tell(&mut machine, &mut told);
    for (now, input) in script {
        let name = match &input {
            Input::Response { id, response } => {
                format!("answer {} to request {}", response.status(), id.count())
            }
            Input::Timeout => "timeout".to_owned(),
            Input::TransportFailed { id, failure, .. } => {
                format!("request {}: {failure:?}", id.count())
            }
        };
        writeln!(told, "{now:?} ── {name}").expect("writing to a text");
        machine.handle_input(now, input);
        tell(&mut machine, &mut told);
    }
    told
}

fn tell<M, T, E>(machine: &mut M, told: &mut String)
where
    M: Machine<Input = Input, Output = Output<Result<T, E>>>,
    T: std::fmt::Debug,
    E: std::fmt::Display,
{
    let mut line = |text: String| writeln!(told, "    {text}").expect("writing to a text");
    let mut quiet = true;
    while let Some(output) = machine.poll_output() {
        quiet = false;
        match output {
            Output::Transmit(it) => line(format!(
                "request {}, not after {:?}, answer within {:?}",
                it.id.count(),
                it.not_after,
                it.answer_within
            )),
            Output::Event(Ok(token)) => line(format!("done: {token:?}")),
            Output::Event(Err(error)) => line(format!("failed: {error}")),
        }
    }
    if quiet {
        line("nothing".to_owned());
    }
    match machine.poll_timeout() {
        Some(due) => line(format!("waits until {due:?}")),
        None => line("waits for nothing".to_owned()),
    }
}
