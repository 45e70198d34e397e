//! The driver: order, the fence, patience, and time that jumps.
#![expect(clippy::unwrap_used, reason = "what cannot be set up has failed the test")]

mod script;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use http::Request;
use script::{Scene, Script};
use sr_auth_core::grant::{ClientCredentialsGrant, Input, Output, RetryPolicy};
use sr_auth_core::wire::token_answer::BODY_LIMIT;
use sr_auth_core::{
    ClientCredentials, Endpoints, GrantError, Machine, Secret, SecretBytes, Timestamp, Transmit,
    TransmitId, TransportFailure,
};
use sr_auth_http::{Clock, Limits, TransportError, TransportErrorKind, drive};
use tokio::time::timeout;

const TOKEN: &str = r#"{"access_token":"DCRD10-e7c5","token_type":"bearer","expires_in":1799}"#;
const NOT_SENT: TransportError = TransportError::before_send(TransportErrorKind::Connect);
const MAYBE_SENT: TransportError = TransportError::after_send(TransportErrorKind::Closed);
const SECOND: Duration = Duration::from_secs(1);

/// A machine that sends one request and ends with a word for what came.
struct OneRequest {
    give_up_at: Option<Timestamp>,
    outputs: VecDeque<Output<String>>,
}

impl OneRequest {
    fn new(not_after: Timestamp, give_up_at: Option<Timestamp>) -> Self {
        let transmit = Transmit {
            id: TransmitId::FIRST,
            request: Request::post("https://api.example/").body(SecretBytes::default()).unwrap(),
            not_after,
            answer_within: 5 * SECOND,
        };
        Self { give_up_at, outputs: [Output::Transmit(transmit)].into() }
    }
}

impl Machine for OneRequest {
    type Input = Input;
    type Output = Output<String>;

    fn handle_input(&mut self, now: Timestamp, input: Input) {
        let word = match input {
            Input::Response { response, .. } => format!("{}", response.status().as_u16()),
            Input::Timeout => format!("timeout at {now:?}"),
            Input::TransportFailed { failure, .. } => format!("{failure:?}"),
        };
        self.outputs.push_back(Output::Event(word));
    }

    fn poll_output(&mut self) -> Option<Output<String>> {
        self.outputs.pop_front()
    }

    fn poll_timeout(&self) -> Option<Timestamp> {
        self.give_up_at
    }
}

#[tokio::test]
async fn an_answer_and_a_failure_are_handed_over_as_they_are() {
    let cases = [
        ("an answer", Scene::Answers(503, ""), "503"),
        ("not sent", Scene::Fails(NOT_SENT), "BeforeSend"),
        ("maybe sent", Scene::Fails(MAYBE_SENT), "AfterSend"),
    ];
    for (name, scene, expected) in cases {
        let script = Script::new([scene]);
        let outcome = drive(OneRequest::new(Timestamp::MAX, None), &script, &at(0)).await;
        assert_eq!(outcome, expected, "{name}");
    }
}

#[tokio::test]
async fn c36_a_request_past_its_fence_is_never_handed_to_the_transport() {
    let script = Script::new([]);
    let late = OneRequest::new(Timestamp::from_unix_secs(9), None);
    assert_eq!(drive(late, &script, &at(10)).await, "BeforeSend");
    assert_eq!(script.asked(), []);
}

#[tokio::test]
async fn c36_the_transport_is_told_its_limits() {
    let script = Script::new([Scene::Answers(200, "")]);
    let machine = OneRequest::new(Timestamp::from_unix_secs(12), None);
    assert_eq!(drive(machine, &script, &at(10)).await, "200");
    // The answer is awaited from the last moment of writing.
    assert_eq!(script.asked(), [Limits::new(2 * SECOND, 7 * SECOND, BODY_LIMIT + 1)]);
}

#[tokio::test(start_paused = true)]
async fn c36_a_transport_that_overstays_counts_as_maybe_sent() {
    let script = Script::new([Scene::Hangs]);
    let machine = OneRequest::new(Timestamp::MAX, None);
    let outcome = timeout(60 * SECOND, drive(machine, &script, &at(0))).await;
    assert_eq!(outcome.unwrap(), format!("{:?}", TransportFailure::AfterSend));
}

#[tokio::test(start_paused = true)]
async fn a_clock_set_forward_does_not_give_up_an_answer_on_its_way() {
    let clock = at(0);
    let script = Script::new([Scene::AnswersAfterAStep(clock.clone(), TOKEN)]);
    let token = drive(grant(1), &script, &clock).await.expect("the answer that was on its way");
    assert_eq!(token.expires_at(), Timestamp::from_unix_secs(1_799));
}

#[tokio::test]
async fn what_arrived_of_a_broken_answer_reaches_the_machine() {
    let part = http::Response::new(SecretBytes::new(TOKEN.as_bytes().to_vec()));
    let script = Script::new([Scene::Fails(MAYBE_SENT.with_received(part))]);
    assert!(drive(grant(1), &script, &at(0)).await.is_ok(), "nothing of it was missing");
}

#[tokio::test]
async fn a_lost_answer_is_asked_for_again_after_the_pause() {
    let clock = at(0);
    let scenes = [Scene::Fails(MAYBE_SENT), Scene::Answers(503, ""), Scene::Answers(200, TOKEN)];
    let script = Arc::new(Script::new(scenes));
    let run = tokio::spawn({
        let (clock, script) = (clock.clone(), Arc::clone(&script));
        async move { drive(grant(3), &*script, &clock).await }
    });
    for (requests, pause) in [(1, 1), (2, 2)] {
        until(|| script.asked().len() == requests).await;
        clock.advance(pause * SECOND);
    }
    let token = timeout(10 * SECOND, run).await.unwrap().unwrap().unwrap();
    // The last request left 3 seconds after the start.
    assert_eq!(token.expires_at(), Timestamp::from_unix_secs(3 + 1_799));
    assert_eq!(script.asked().len(), 3);
}

#[tokio::test]
async fn the_attempts_of_the_retry_policy_are_all_there_are() {
    let script = Script::new([Scene::Fails(NOT_SENT)]);
    let outcome = drive(grant(1), &script, &at(0)).await;
    let expected = GrantError::Unavailable { attempts: 1, retry_at: None };
    assert_eq!(outcome.unwrap_err(), expected);
}

#[tokio::test]
async fn a_dropped_run_sends_nothing_more() {
    let clock = at(0);
    let script = Script::new([Scene::Fails(MAYBE_SENT)]);
    let run = timeout(Duration::from_millis(30), drive(grant(3), &script, &clock)).await;
    assert!(run.is_err(), "it waits for the pause to end");
    clock.advance(60 * SECOND);
    tokio::task::yield_now().await;
    assert_eq!(script.asked().len(), 1);
}

#[tokio::test]
async fn a_machine_that_breaks_its_contract_does_not_hang() {
    let stalled = OneRequest { give_up_at: None, outputs: VecDeque::new() };
    let run = tokio::spawn(async move { drive(stalled, &Script::new([]), &at(0)).await });
    assert!(timeout(10 * SECOND, run).await.unwrap().unwrap_err().is_panic());
}

fn at(secs: u64) -> Clock {
    Clock::manual(Timestamp::from_unix_secs(secs))
}

fn grant(attempts: u32) -> ClientCredentialsGrant {
    let secret = Secret::new("9165228a82e4".to_owned());
    let client = ClientCredentials::new("82e4424135fe", secret).unwrap();
    let retry = RetryPolicy::default().with_attempts(attempts).unwrap();
    let endpoints = Endpoints::production();
    ClientCredentialsGrant::new(&client, endpoints.token(), retry, Timestamp::from_unix_secs(0))
}

/// Lets the other tasks run until something holds.
async fn until(holds: impl Fn() -> bool) {
    let wait = async {
        while !holds() {
            tokio::task::yield_now().await;
        }
    };
    timeout(10 * SECOND, wait).await.unwrap();
}
