//! Client credentials grant (RFC 6749 §4.4): one token for the application itself.
//!
//! ```text
//!  new ──▶ Waiting ── token, refusal or nonsense ──▶ Done
//!           ▲   │                                      ▲
//!   Timeout │   │ 5xx, 429, lost or late               │
//!           │   ▼                                      │
//!         BackingOff          (no attempts left) ──────┘
//! ```
//!
//! Produces exactly one outcome. May send more than once, because repeating the request only
//! yields another token. A refusal ends it at once: asking again would not change the answer.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use http::Request;

use super::retry::WRITE_WITHIN;
use super::{Input, Output, RetryPolicy};
use crate::machine::{Machine, Transmit, TransmitId};
use crate::wire::token_answer::{self, TokenAnswer};
use crate::wire::token_request;
use crate::{AccessToken, ClientCredentials, GrantError, SecretBytes, Timestamp, TokenEndpoint};

type Outcome = Result<AccessToken, GrantError>;

/// Obtains one access token with the client's own credentials.
///
/// # Examples
///
/// ```
/// use sr_auth_core::grant::{ClientCredentialsGrant, Input, Output, RetryPolicy};
/// use sr_auth_core::{ClientCredentials, Endpoints, Machine, Secret, SecretBytes, Timestamp};
///
/// let client = ClientCredentials::new("82e4424135fe", Secret::new("9165228a82e4".to_owned()))?;
/// let now = Timestamp::from_unix_secs(0);
/// let endpoints = Endpoints::production();
/// let mut grant =
///     ClientCredentialsGrant::new(&client, endpoints.token(), RetryPolicy::default(), now);
///
/// let Some(Output::Transmit(transmit)) = grant.poll_output() else { panic!("a request first") };
/// // Send `transmit.request` with any HTTP library, then hand over what came back:
/// let body = br#"{"access_token":"DCRD10-e7c5","token_type":"bearer","expires_in":1799}"#;
/// let response = http::Response::new(SecretBytes::new(body.to_vec()));
/// grant.handle_input(now, Input::Response { id: transmit.id, response });
///
/// let Some(Output::Event(Ok(token))) = grant.poll_output() else { panic!("then a token") };
/// assert_eq!(token.expires_at(), Timestamp::from_unix_secs(1_799));
/// # Ok::<(), sr_auth_core::ConfigError>(())
/// ```
#[derive(Debug)]
pub struct ClientCredentialsGrant {
    outputs: VecDeque<Output<Outcome>>,
    request: Arc<Request<SecretBytes>>,
    retry: RetryPolicy,
    state: State,
}

#[derive(Clone, Copy, Debug)]
enum State {
    BackingOff { next: TransmitId, retry_at: Timestamp },
    Done,
    Waiting { id: TransmitId, sent_at: Timestamp, give_up_at: Timestamp },
}

impl ClientCredentialsGrant {
    /// Starts the grant; the first request is ready in [`Machine::poll_output`].
    #[must_use]
    pub fn new(
        client: &ClientCredentials,
        endpoint: &TokenEndpoint,
        retry: RetryPolicy,
        now: Timestamp,
    ) -> Self {
        let request = token_request::client_credentials(client, endpoint);
        Self::with_request(Arc::new(request), retry, now)
    }

    /// Starts the grant with a request that was written before: it is the same each time. See
    /// [`token_request::client_credentials`].
    #[must_use]
    pub fn with_request(
        request: Arc<Request<SecretBytes>>,
        retry: RetryPolicy,
        now: Timestamp,
    ) -> Self {
        let mut grant = Self { outputs: VecDeque::new(), request, retry, state: State::Done };
        grant.state = grant.transmit(now, TransmitId::FIRST);
        grant
    }

    fn transmit(&mut self, now: Timestamp, id: TransmitId) -> State {
        let answer_within = self.retry.answer_within();
        let (request, not_after) = (Request::clone(&self.request), now.after(WRITE_WITHIN));
        self.outputs.push_back(Output::Transmit(Transmit {
            id,
            request,
            not_after,
            answer_within,
        }));
        State::Waiting { id, sent_at: now, give_up_at: not_after.after(answer_within) }
    }

    fn back_off(&mut self, now: Timestamp, id: TransmitId, asked: Option<Duration>) -> State {
        match self.retry.pause_after(id, asked) {
            Some(pause) => State::BackingOff { next: id.next(), retry_at: now.after(pause) },
            None => self.finish(Err(GrantError::Unavailable {
                attempts: id.count(),
                retry_at: asked.map(|pause| now.after(pause)),
            })),
        }
    }

    fn judge(&mut self, now: Timestamp, id: TransmitId, answer: TokenAnswer) -> State {
        match answer {
            TokenAnswer::Granted(response) => self.finish(Ok(response.access)),
            TokenAnswer::ServerFault { retry_after } | TokenAnswer::Throttled { retry_after } => {
                self.back_off(now, id, retry_after)
            }
            TokenAnswer::ClientRefused(response)
            | TokenAnswer::GrantRefused(response)
            | TokenAnswer::RequestRefused(response)
            | TokenAnswer::Unrecognised(response) => {
                self.finish(Err(GrantError::Refused(response)))
            }
            TokenAnswer::Unusable { rule, .. } => {
                self.finish(Err(GrantError::ServerMisbehaved(rule)))
            }
        }
    }

    fn finish(&mut self, outcome: Outcome) -> State {
        self.request = Arc::default();
        self.outputs.push_back(Output::Event(outcome));
        State::Done
    }
}

impl Machine for ClientCredentialsGrant {
    type Input = Input;
    type Output = Output<Outcome>;

    fn handle_input(&mut self, now: Timestamp, input: Input) {
        self.state = match (self.state, input) {
            (State::Waiting { id, sent_at, .. }, Input::Response { id: of, response })
                if of == id =>
            {
                self.judge(now, id, token_answer::classify(&response, sent_at, now))
            }
            (
                State::Waiting { id, sent_at, .. },
                Input::TransportFailed { id: of, received, .. },
            ) if of == id => {
                match received.and_then(|it| token_answer::classify_part(&it, sent_at, now)) {
                    Some(TokenAnswer::Granted(response)) => self.finish(Ok(response.access)),
                    _ => self.back_off(now, id, None),
                }
            }
            (State::Waiting { id, give_up_at, .. }, Input::Timeout) if now >= give_up_at => {
                self.back_off(now, id, None)
            }
            (State::BackingOff { next, retry_at }, Input::Timeout) if now >= retry_at => {
                self.transmit(now, next)
            }
            // An early timeout, or an answer to a request that was given up.
            (unchanged, _) => unchanged,
        };
    }

    fn poll_output(&mut self) -> Option<Self::Output> {
        self.outputs.pop_front()
    }

    fn poll_timeout(&self) -> Option<Timestamp> {
        match self.state {
            State::BackingOff { retry_at, .. } => Some(retry_at),
            State::Done => None,
            State::Waiting { give_up_at, .. } => Some(give_up_at),
        }
    }
}
