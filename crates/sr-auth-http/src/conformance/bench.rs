//! The bench on which a transport is tried: sends made-up requests and notes broken rules.

use std::error::Error;
use std::fmt::Write as _;
use std::time::Duration;

use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{Request, Response};
use sr_auth_core::{SecretBytes, TransportFailure};
use tokio::time::timeout;

use super::peer::Peer;
use super::report::{Report, Rule};
use crate::clock::Stopwatch;
use crate::{Limits, Transport, TransportError};

/// Made-up secrets: one for each place from which a real one could get out.
const BODY_SECRET: &str = "c0de-b0dy-5ca1ab1e";
const HEADER_SECRET: &str = "c0de-header-5ca1ab1e";
const QUERY_SECRET: &str = "c0de-query-5ca1ab1e";

/// The body of the requests, with bytes that no text has.
pub(super) const BODY: &[u8] = b"grant_type=x&code=c0de-b0dy-5ca1ab1e&raw=\x00\xff\r\n\r\n";

/// What a call may take longer than allowed: a slow machine is no broken transport.
const SLACK: Duration = Duration::from_secs(3);

/// Limits that none of the ordinary scenes reaches.
pub(super) const WIDE: Limits =
    Limits::new(Duration::from_secs(10), Duration::from_secs(10), 64 * 1024);

pub(super) type Outcome = Result<Response<SecretBytes>, TransportError>;

#[derive(Debug)]
pub(super) struct Bench<'a> {
    report: Report,
    transport: &'a dyn Transport,
}

impl<'a> Bench<'a> {
    pub(super) fn new(transport: &'a dyn Transport) -> Self {
        Self { report: Report::default(), transport }
    }

    pub(super) fn into_report(self) -> Report {
        self.report
    }

    pub(super) fn note(&mut self, rule: Rule, scene: &'static str, saw: impl Into<String>) {
        self.report.add(rule, scene, saw.into());
    }

    /// Notes a broken rule unless it holds.
    pub(super) fn expect(
        &mut self,
        holds: bool,
        rule: Rule,
        scene: &'static str,
        saw: impl FnOnce() -> String,
    ) {
        if !holds {
            self.note(rule, scene, saw());
        }
    }

    /// Posts the made-up secrets to a peer; `None` when the transport did not come back.
    pub(super) async fn post(
        &mut self,
        scene: &'static str,
        peer: &Peer,
        limits: Limits,
    ) -> Option<Outcome> {
        self.send(scene, request(&peer.url(), BODY), limits).await
    }

    pub(super) async fn send(
        &mut self,
        scene: &'static str,
        request: Request<SecretBytes>,
        limits: Limits,
    ) -> Option<Outcome> {
        let watch = Stopwatch::begin();
        let patience = limits.answer_within.saturating_add(SLACK);
        let outcome = timeout(patience, self.transport.send(request, limits)).await;
        let Ok(outcome) = outcome else {
            self.note(Rule::Timely, scene, format!("no answer after {:?}", watch.elapsed()));
            return None;
        };
        if let Err(error) = &outcome {
            self.look_for_secrets(scene, &everything_about(error));
        }
        self.look_for_secrets(scene, &format!("{:?}", self.transport));
        if let Ok(response) = &outcome {
            let length = response.body().len();
            self.expect(length <= limits.body_limit, Rule::BodyCut, scene, || {
                format!("a body of {length} bytes")
            });
        }
        Some(outcome)
    }

    /// Notes the rule unless the call failed with `expected`.
    pub(super) fn expect_failure(
        &mut self,
        scene: &'static str,
        outcome: Option<Outcome>,
        expected: TransportFailure,
    ) {
        let rule = match expected {
            TransportFailure::AfterSend => Rule::MaybeSent,
            TransportFailure::BeforeSend => Rule::NotSent,
        };
        match outcome {
            Some(Ok(response)) => {
                self.note(Rule::AnswerUnchanged, scene, format!("status {}", response.status()));
            }
            Some(Err(error)) => {
                let failure = error.failure();
                self.expect(failure == expected, rule, scene, || format!("{failure:?}"));
            }
            None => {}
        }
    }

    fn look_for_secrets(&mut self, scene: &'static str, shown: &str) {
        let secrets = [("body", BODY_SECRET), ("header", HEADER_SECRET), ("query", QUERY_SECRET)];
        for (place, secret) in secrets {
            let shows = spellings(secret).iter().any(|spelt| shown.contains(spelt));
            self.expect(!shows, Rule::SecretsHidden, scene, || {
                format!("the secret of the {place}")
            });
        }
    }
}

/// A secret as text, as `Debug` shows bytes, and in hexadecimal.
fn spellings(secret: &str) -> [String; 3] {
    let bytes = format!("{:?}", secret.as_bytes());
    let hex = secret.bytes().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"));
    [secret.to_owned(), bytes.trim_matches(['[', ']']).to_owned(), hex]
}

/// A request with a secret in each place.
pub(super) fn request(url: &str, body: &[u8]) -> Request<SecretBytes> {
    let method = if body.is_empty() { http::Method::GET } else { http::Method::POST };
    Request::builder()
        .method(method)
        .uri(format!("{url}/token?q={QUERY_SECRET}"))
        .header(AUTHORIZATION, format!("Bearer {HEADER_SECRET}"))
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(SecretBytes::new(body.to_vec()))
        .expect("a loopback URL and plain headers are valid")
}

fn everything_about(error: &TransportError) -> String {
    let mut shown = format!("{error} {error:?}");
    let mut next = error.source();
    while let Some(error) = next {
        write!(shown, " {error} {error:?}").expect("writing to a text cannot fail");
        next = error.source();
    }
    shown
}
