//! The presentation of a credential that works once: an authorization code or a refresh token.
//!
//! ```text
//!  new ──▶ Waiting ── answer, or lost after bytes may have left, or late ──▶ Done
//!           ▲   │                                                             ▲
//!   Timeout │   │ provably not sent                                           │
//!           │   ▼                                                             │
//!         BackingOff ── no attempts left, or the credential is too old ───────┘
//! ```
//!
//! Produces exactly one outcome. A request is made again only when no byte of the one before
//! reached the network: a code or refresh token that may have reached the server is spent.

use std::collections::VecDeque;
use std::time::Duration;

use http::Request;

use super::retry::WRITE_WITHIN;
use super::{Input, Output, RefreshTokenGrant, RetryPolicy};
use crate::machine::{Transmit, TransmitId, TransportFailure};
use crate::wire::token_answer::{self, TokenAnswer};
use crate::{
    ExpiredCredential, GrantError, GrantFailure, RefreshToken, Remedy, SecretBytes, SingleUse,
    Timestamp, TokenSet,
};

pub(super) type Outcome = Result<TokenSet, GrantFailure>;

/// One attempt to spend a single-use credential.
#[derive(Debug)]
pub(super) struct Presentation {
    outputs: VecDeque<Output<Outcome>>,
    /// The refresh token that is presented, to be kept when the answer brings no other.
    presented: Option<RefreshToken>,
    request: Request<SecretBytes>,
    retry: RetryPolicy,
    state: State,
    window: Option<Window>,
}

/// When a code may be sent.
#[derive(Clone, Copy, Debug)]
pub(super) struct Window {
    pub(super) opens_at: Timestamp,
    pub(super) closes_at: Timestamp,
}

#[derive(Clone, Copy, Debug)]
enum State {
    BackingOff { next: TransmitId, retry_at: Timestamp },
    Done,
    Waiting { id: TransmitId, sent_at: Timestamp, give_up_at: Timestamp },
}

impl Presentation {
    pub(super) fn of_code(
        request: Request<SecretBytes>,
        retry: RetryPolicy,
        window: Window,
        now: Timestamp,
    ) -> Self {
        Self::new(request, retry, None, Some(window), now)
    }

    pub(super) fn of_refresh_token(
        request: Request<SecretBytes>,
        retry: RetryPolicy,
        presented: RefreshToken,
        now: Timestamp,
    ) -> Self {
        Self::new(request, retry, Some(presented), None, now)
    }

    fn new(
        request: Request<SecretBytes>,
        retry: RetryPolicy,
        presented: Option<RefreshToken>,
        window: Option<Window>,
        now: Timestamp,
    ) -> Self {
        let outputs = VecDeque::new();
        let mut new = Self { outputs, presented, request, retry, state: State::Done, window };
        new.state = new.transmit(now, TransmitId::FIRST);
        new
    }

    fn transmit(&mut self, now: Timestamp, id: TransmitId) -> State {
        let fence = now.after(WRITE_WITHIN);
        let not_after = match self.window {
            // A clock that was set back would make an old code look young.
            Some(window) if now < window.opens_at || now > window.closes_at => {
                return self.fail(now, GrantError::Expired(ExpiredCredential::AuthorizationCode));
            }
            Some(window) => fence.min(window.closes_at),
            None => fence,
        };
        let answer_within = self.retry.single_use_answer_within();
        let request = self.request.clone();
        self.outputs.push_back(Output::Transmit(Transmit {
            id,
            request,
            not_after,
            answer_within,
        }));
        State::Waiting { id, sent_at: now, give_up_at: not_after.after(answer_within) }
    }

    fn not_sent(&mut self, now: Timestamp, id: TransmitId) -> State {
        let Some(pause) = self.retry.pause_after(id, None) else {
            let error = GrantError::Unavailable { attempts: id.count(), retry_at: None };
            return self.fail(now, error);
        };
        let retry_at = now.after(pause);
        match self.window {
            Some(window) if retry_at > window.closes_at => {
                self.fail(now, GrantError::Expired(ExpiredCredential::AuthorizationCode))
            }
            _ => State::BackingOff { next: id.next(), retry_at },
        }
    }

    fn judge(&mut self, now: Timestamp, id: TransmitId, answer: TokenAnswer) -> State {
        match answer {
            TokenAnswer::Granted(response) => {
                let rotated = response.refresh.is_some();
                let refresh = response.refresh.or_else(|| self.presented.take());
                self.finish(Ok(TokenSet::new(response.access, refresh, rotated)))
            }
            TokenAnswer::ServerFault { retry_after } => {
                self.fail_with(now, GrantError::OutcomeUnknown, None, retry_after)
            }
            TokenAnswer::Throttled { retry_after } => {
                let retry_at = retry_after.map(|pause| now.after(pause));
                self.fail(now, GrantError::Unavailable { attempts: id.count(), retry_at })
            }
            TokenAnswer::ClientRefused(response)
            | TokenAnswer::GrantRefused(response)
            | TokenAnswer::RequestRefused(response)
            | TokenAnswer::Unrecognised(response) => self.fail(now, GrantError::Refused(response)),
            TokenAnswer::Unusable { rule, salvaged } => {
                self.fail_with(now, GrantError::ServerMisbehaved(rule), salvaged, None)
            }
        }
    }

    /// The connection broke after bytes may have left.
    fn broken(&mut self, now: Timestamp, id: TransmitId, part: Option<TokenAnswer>) -> State {
        match part {
            Some(TokenAnswer::Unusable { salvaged, .. }) => {
                self.fail_with(now, GrantError::OutcomeUnknown, salvaged, None)
            }
            Some(answer) => self.judge(now, id, answer),
            None => self.fail(now, GrantError::OutcomeUnknown),
        }
    }

    fn fail(&mut self, now: Timestamp, error: GrantError) -> State {
        self.fail_with(now, error, None, None)
    }

    fn fail_with(
        &mut self,
        now: Timestamp,
        error: GrantError,
        salvaged: Option<RefreshToken>,
        asked: Option<Duration>,
    ) -> State {
        let remedy = match (error.single_use(), &self.presented) {
            // What was salvaged is good for the next refresh.
            _ if salvaged.is_some() => Remedy::RetryLater { at: None },
            (SingleUse::MaybeSpent, Some(_)) => {
                let pause = RefreshTokenGrant::QUIET_PERIOD.max(asked.unwrap_or_default());
                Remedy::RetryLater { at: Some(now.after(pause)) }
            }
            (SingleUse::MaybeSpent, None) => Remedy::Reauthorize,
            (SingleUse::Spent | SingleUse::Unspent, _) => error.remedy(),
        };
        self.finish(Err(GrantFailure::new(error, remedy, salvaged)))
    }

    fn finish(&mut self, outcome: Outcome) -> State {
        // Nothing will be sent any more, so nothing secret is kept.
        self.request = Request::default();
        self.presented = None;
        self.outputs.push_back(Output::Event(outcome));
        State::Done
    }

    pub(super) fn handle_input(&mut self, now: Timestamp, input: Input) {
        self.state = match (self.state, input) {
            (State::Waiting { id, sent_at, .. }, Input::Response { id: of, response })
                if of == id =>
            {
                self.judge(now, id, token_answer::classify(&response, sent_at, now))
            }
            (
                State::Waiting { id, sent_at, .. },
                Input::TransportFailed { id: of, failure, received },
            ) if of == id => match failure {
                TransportFailure::AfterSend => {
                    let part = received.as_ref();
                    let part = part.and_then(|it| token_answer::classify_part(it, sent_at, now));
                    self.broken(now, id, part)
                }
                TransportFailure::BeforeSend => self.not_sent(now, id),
            },
            (State::Waiting { give_up_at, .. }, Input::Timeout) if now >= give_up_at => {
                self.fail(now, GrantError::OutcomeUnknown)
            }
            (State::BackingOff { next, retry_at }, Input::Timeout) if now >= retry_at => {
                self.transmit(now, next)
            }
            // An early timeout, or an answer to a request that was given up.
            (unchanged, _) => unchanged,
        };
    }

    pub(super) fn poll_output(&mut self) -> Option<Output<Outcome>> {
        self.outputs.pop_front()
    }

    pub(super) const fn poll_timeout(&self) -> Option<Timestamp> {
        match self.state {
            State::BackingOff { retry_at, .. } => Some(retry_at),
            State::Done => None,
            State::Waiting { give_up_at, .. } => Some(give_up_at),
        }
    }
}
