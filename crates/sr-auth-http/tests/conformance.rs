//! The shipped transport keeps to the contract, and the checks find transports that do not.

use std::fmt;
use std::sync::Mutex;
use std::time::Duration;

use async_trait::async_trait;
use http::{Request, Response};
use sr_auth_core::SecretBytes;
use sr_auth_core::TransportFailure::AfterSend;
use sr_auth_http::conformance::{Rule, check};
use sr_auth_http::{Limits, ReqwestTransport, Transport, TransportError, TransportErrorKind};

#[tokio::test(flavor = "multi_thread")]
async fn c26_c36_the_reqwest_transport_keeps_to_the_contract() {
    let report = check(&plain()).await.unwrap();
    assert!(report.conforms(), "{report}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_transport_is_found_out_by_the_rule_that_it_breaks() {
    let cases = [
        ("sends again what may have arrived", Fault::Repeats, Rule::Once),
        ("follows redirects", Fault::FollowsRedirects, Rule::RedirectNotFollowed),
        ("always says not sent", Fault::AlwaysBeforeSend, Rule::MaybeSent),
        ("always says maybe sent", Fault::AlwaysAfterSend, Rule::NotSent),
        ("reads bodies to their end", Fault::IgnoresBodyLimit, Rule::BodyCut),
        ("reads bodies to their end, then cuts", Fault::CutsTooLate, Rule::BodyCut),
        ("ignores the fence", Fault::IgnoresFence, Rule::Fenced),
        ("looks at the fence before it connects", Fault::FencesTooEarly, Rule::Fenced),
        ("shows the bytes of the last request", Fault::ShowsBytes, Rule::SecretsHidden),
        ("waits for ever", Fault::IgnoresTime, Rule::Timely),
        ("shows the last request", Fault::ShowsRequests, Rule::SecretsHidden),
        ("trims bodies", Fault::TrimsBodies, Rule::RequestUnchanged),
        ("turns an odd status into an error", Fault::JudgesStatus, Rule::AnswerUnchanged),
    ];
    // All at once: most of the time of a run is spent waiting.
    let runs: Vec<_> = cases
        .into_iter()
        .map(|(name, fault, rule)| {
            let run = tokio::spawn(async move { check(&Broken::new(fault)).await });
            (name, rule, run)
        })
        .collect();
    for (name, rule, run) in runs {
        let report = run.await.unwrap().unwrap();
        assert!(report.breaks(rule), "a transport that {name}: {report}");
    }
}

/// The peers speak plain http, so the system needs no certificate authorities.
fn plain() -> ReqwestTransport {
    let transport = ReqwestTransport::builder().without_root_certificates().build();
    transport.expect("nothing of the system is needed")
}

/// What is wrong with a transport.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Fault {
    AlwaysAfterSend,
    AlwaysBeforeSend,
    CutsTooLate,
    FencesTooEarly,
    FollowsRedirects,
    IgnoresBodyLimit,
    IgnoresFence,
    IgnoresTime,
    JudgesStatus,
    Repeats,
    ShowsBytes,
    ShowsRequests,
    TrimsBodies,
}

/// A transport that breaks one rule, around one that keeps them all.
struct Broken {
    fault: Fault,
    inner: ReqwestTransport,
    last: Mutex<String>,
}

impl Broken {
    fn new(fault: Fault) -> Self {
        let inner = plain();
        Self { fault, inner, last: Mutex::default() }
    }

    fn request(&self, request: Request<SecretBytes>) -> Request<SecretBytes> {
        if self.fault == Fault::ShowsRequests {
            let body = String::from_utf8_lossy(request.body().expose()).into_owned();
            *self.last.lock().expect("no test panics while holding it") = body;
        }
        if self.fault == Fault::ShowsBytes {
            let body = format!("{:?}", request.body().expose());
            *self.last.lock().expect("no test panics while holding it") = body;
        }
        if self.fault == Fault::TrimsBodies {
            let trim = |body: SecretBytes| body.expose().trim_ascii_end().to_vec();
            return request.map(|body| SecretBytes::new(trim(body)));
        }
        request
    }

    fn limits(&self, mut limits: Limits) -> Limits {
        let ten = Duration::from_secs(10);
        if matches!(self.fault, Fault::CutsTooLate | Fault::IgnoresBodyLimit) {
            limits.body_limit = 64 * 1024 * 1024;
        }
        if self.fault == Fault::IgnoresFence {
            limits.write_within = ten;
        }
        if self.fault == Fault::FencesTooEarly && !limits.write_within.is_zero() {
            limits.write_within = ten;
        }
        if self.fault == Fault::IgnoresTime {
            limits.answer_within = ten;
        }
        limits
    }
}

impl fmt::Debug for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Broken").field("last", &self.last).finish_non_exhaustive()
    }
}

#[async_trait]
impl Transport for Broken {
    async fn send(
        &self,
        request: Request<SecretBytes>,
        limits: Limits,
    ) -> Result<Response<SecretBytes>, TransportError> {
        let request = self.request(request);
        let outcome = self.inner.send(request.clone(), self.limits(limits)).await;
        match (self.fault, outcome) {
            (Fault::AlwaysAfterSend, Err(error)) => Err(TransportError::after_send(error.kind())),
            (Fault::AlwaysBeforeSend, Err(error)) => Err(TransportError::before_send(error.kind())),
            (Fault::CutsTooLate, Ok(response)) => {
                let cut = |body: SecretBytes| {
                    body.expose().iter().copied().take(limits.body_limit).collect()
                };
                Ok(response.map(|body| SecretBytes::new(cut(body))))
            }
            (Fault::FollowsRedirects, Ok(response)) if response.status().is_redirection() => {
                let mut next = request;
                let location = response.headers()["location"].to_str().expect("the peer's own");
                *next.uri_mut() = location.parse().expect("the peer's own");
                self.inner.send(next, limits).await
            }
            (Fault::JudgesStatus, Ok(response)) if response.status().is_client_error() => {
                Err(TransportError::after_send(TransportErrorKind::Protocol))
            }
            (Fault::Repeats, Err(error)) if error.failure() == AfterSend => {
                self.inner.send(request, limits).await
            }
            (_, outcome) => outcome,
        }
    }
}
