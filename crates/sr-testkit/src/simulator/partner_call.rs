//! SmartRecruiters as a caller: a token of the partner's token endpoint, and then what it is for.
//!
//! ```text
//!  new ──▶ Token ── granted ──▶ Purpose ── 2xx ──▶ Done
//!           ▲ │                  ▲ │                ▲
//!   Timeout │ │ anything else    │ │ anything else  │
//!           │ ▼                  │ ▼                │
//!         Pausing              Pausing  (no repeat left) ──┘
//! ```
//!
//! Ends exactly once, with as many records as requests. Whether a request is repeated is not
//! documented: the switch `partner_retries` says how often.

use std::collections::VecDeque;
use std::time::Duration;

use http::header::AUTHORIZATION;
use http::{Request, Response, StatusCode};
use serde::Deserialize;
use sr_auth_core::{Machine, Secret, SecretBytes, Timestamp};
use sr_partner::IntegrationKey;

use super::integrations::DisableRequests;

/// What SmartRecruiters sends to a partner, one request after the other.
#[derive(Debug)]
pub struct PartnerCall {
    key: IntegrationKey,
    outputs: VecDeque<PartnerCallOutput>,
    purpose: Purpose,
    /// The request that waits for its answer, to be sent again.
    request: Request<SecretBytes>,
    retries: u32,
    state: State,
}

/// What the token is for.
#[derive(Debug)]
enum Purpose {
    /// A call of the partner's own API.
    Api(String),
    /// The notice that the integration was disabled.
    Notice(DisableRequests),
}

#[derive(Clone, Copy, Debug)]
enum State {
    Done,
    Pausing { step: PartnerStep, repeat: u32, until: Timestamp },
    Waiting { step: PartnerStep, repeat: u32 },
}

/// Which request it is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum PartnerStep {
    /// A call of the partner's own API.
    Api,
    /// `INTEGRATION_DISABLED`, to `callbackUrl`.
    Notice,
    /// A token, from `oauthTokenUrl`.
    Token,
}

impl PartnerStep {
    /// Returns its name in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Api => "api",
            Self::Notice => "notification",
            Self::Token => "token",
        }
    }
}

/// What can happen to a call.
#[derive(Debug)]
#[expect(clippy::exhaustive_enums, reason = "a driver that skips a case is broken")]
pub enum PartnerCallInput {
    /// The partner answered.
    Answered(Response<SecretBytes>),
    /// It did not, for a reason that is told.
    Failed(&'static str),
    /// The moment named by [`Machine::poll_timeout`] has come.
    Timeout,
}

/// What a call asks for.
#[derive(Debug)]
#[expect(clippy::exhaustive_enums, reason = "a driver that skips a case is broken")]
pub enum PartnerCallOutput {
    /// What became of a request, to be shown.
    Record(PartnerCallRecord),
    /// A request to send.
    Transmit(Request<SecretBytes>),
}

/// One request of SmartRecruiters to a partner, without a secret.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct PartnerCallRecord {
    /// When its answer came, or none.
    pub at: Timestamp,
    /// What the partner's own API answered: the first 2 KiB, in case it is text.
    pub body: Option<String>,
    /// Whose integration.
    pub key: IntegrationKey,
    /// Why it did not do what it was for.
    pub problem: Option<&'static str>,
    /// The status of the answer.
    pub status: Option<u16>,
    /// Which request.
    pub step: PartnerStep,
    /// Where it went.
    pub url: String,
}

impl PartnerCall {
    /// How long it waits before it repeats a request.
    pub const PAUSE: Duration = Duration::from_secs(1);
    /// How much of an answer is shown, in bytes.
    const SHOWN: usize = 2 * 1024;

    pub(super) fn notice(key: IntegrationKey, requests: DisableRequests, retries: u32) -> Self {
        let token = requests.token().clone();
        Self::new(key, token, Purpose::Notice(requests), retries)
    }

    pub(super) fn api(
        key: IntegrationKey,
        token: Request<SecretBytes>,
        url: String,
        retries: u32,
    ) -> Self {
        Self::new(key, token, Purpose::Api(url), retries)
    }

    fn new(
        key: IntegrationKey,
        request: Request<SecretBytes>,
        purpose: Purpose,
        retries: u32,
    ) -> Self {
        let outputs = VecDeque::from([PartnerCallOutput::Transmit(request.clone())]);
        let state = State::Waiting { step: PartnerStep::Token, repeat: 0 };
        Self { key, outputs, purpose, request, retries, state }
    }

    fn judge(
        &mut self,
        now: Timestamp,
        step: PartnerStep,
        repeat: u32,
        answer: Result<Response<SecretBytes>, &'static str>,
    ) -> State {
        let next = match (&answer, step) {
            (Ok(answer), PartnerStep::Token) => self.follow(answer).map(Some),
            (Ok(answer), _) if answer.status().is_success() => Ok(None),
            (Ok(_), _) => Err("the partner did not accept it"),
            (Err(problem), _) => Err(*problem),
        };
        self.record(now, step, answer.ok().as_ref(), next.as_ref().err().copied());
        match next {
            Ok(None) => State::Done,
            Ok(Some(request)) => {
                self.request = request;
                let step = match self.purpose {
                    Purpose::Api(_) => PartnerStep::Api,
                    Purpose::Notice(_) => PartnerStep::Notice,
                };
                self.transmit(step, 0)
            }
            Err(_) if repeat < self.retries => {
                State::Pausing { step, repeat: repeat + 1, until: now.after(Self::PAUSE) }
            }
            Err(_) => State::Done,
        }
    }

    fn transmit(&mut self, step: PartnerStep, repeat: u32) -> State {
        self.outputs.push_back(PartnerCallOutput::Transmit(self.request.clone()));
        State::Waiting { step, repeat }
    }

    /// Writes the request that the token is for.
    fn follow(&self, answer: &Response<SecretBytes>) -> Result<Request<SecretBytes>, &'static str> {
        if answer.status() != StatusCode::OK {
            return Err("the partner gave no token");
        }
        let request = match &self.purpose {
            Purpose::Api(url) => api_request(url, answer),
            Purpose::Notice(requests) => requests.notification(answer),
        };
        request.ok_or("the answer holds no token")
    }

    fn record(
        &mut self,
        at: Timestamp,
        step: PartnerStep,
        answer: Option<&Response<SecretBytes>>,
        problem: Option<&'static str>,
    ) {
        // The answer of the token endpoint is a secret, and that to a notice says nothing.
        let body = answer.filter(|_| step == PartnerStep::Api).map(|answer| {
            let bytes = answer.body().expose();
            let shown = bytes.get(..bytes.len().min(Self::SHOWN)).unwrap_or_default();
            String::from_utf8_lossy(shown).into_owned()
        });
        let status = answer.map(|it| it.status().as_u16());
        let (key, url) = (self.key.clone(), self.request.uri().to_string());
        let record = PartnerCallRecord { at, body, key, problem, status, step, url };
        self.outputs.push_back(PartnerCallOutput::Record(record));
    }
}

impl Machine for PartnerCall {
    type Input = PartnerCallInput;
    type Output = PartnerCallOutput;

    fn handle_input(&mut self, now: Timestamp, input: Self::Input) {
        self.state = match (self.state, input) {
            (State::Waiting { step, repeat }, PartnerCallInput::Answered(answer)) => {
                self.judge(now, step, repeat, Ok(answer))
            }
            (State::Waiting { step, repeat }, PartnerCallInput::Failed(why)) => {
                self.judge(now, step, repeat, Err(why))
            }
            (State::Pausing { step, repeat, until }, PartnerCallInput::Timeout) if now >= until => {
                self.transmit(step, repeat)
            }
            // An early timeout, or an answer that nobody waits for.
            (unchanged, _) => unchanged,
        };
    }

    fn poll_output(&mut self) -> Option<Self::Output> {
        self.outputs.pop_front()
    }

    fn poll_timeout(&self) -> Option<Timestamp> {
        match self.state {
            State::Done | State::Waiting { .. } => None,
            State::Pausing { until, .. } => Some(until),
        }
    }
}

/// Reads the token in the answer of a partner's token endpoint.
pub(super) fn granted(answer: &Response<SecretBytes>) -> Option<Secret> {
    #[derive(Deserialize)]
    struct Granted {
        access_token: String,
    }
    let granted: Granted = serde_json::from_slice(answer.body().expose()).ok()?;
    Some(Secret::new(granted.access_token))
}

fn api_request(url: &str, answer: &Response<SecretBytes>) -> Option<Request<SecretBytes>> {
    let token = granted(answer)?;
    let bearer = format!("Bearer {}", token.expose());
    Request::get(url).header(AUTHORIZATION, bearer).body(SecretBytes::default()).ok()
}
