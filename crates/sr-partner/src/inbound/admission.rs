//! Calls of SmartRecruiters to our own API: who calls, and for which company.
//!
//! ```text
//!  request ── no token, or none that can be read ──▶ Done
//!     │ Identify                                       ▲
//!     ▼                                                │
//!  Identifying ── admitted or refused ─────────────────┘
//! ```
//!
//! The company is that of the token's client, whatever the request says, and a token of an
//! integration that has ended or was replaced opens nothing.

use http::{Request, StatusCode};
use sr_auth_core::{Machine, Scope, Secret, SecretBytes, Timestamp};

use super::task::{Asked, Task};
use super::{InboundInput, InboundOutput, Refusal};
use crate::store::{PartnerOp, PartnerOutcome};
use crate::wire::answer;
use crate::wire::bearer::{self, BearerFault};

/// One request to the application's own API.
#[derive(Debug)]
pub struct Admission {
    needs: Option<Scope>,
    state: State,
    task: Task,
}

#[derive(Clone, Copy, Debug)]
enum State {
    Done,
    Identifying(Asked),
}

impl Admission {
    /// Takes in a request; `needs` is the scope that its resource asks for.
    #[must_use]
    pub fn new(now: Timestamp, request: &Request<SecretBytes>, needs: Option<Scope>) -> Self {
        let mut task = Task::default();
        let state = match bearer::read(request) {
            Ok(token) => {
                let token = token.digest();
                State::Identifying(task.ask(now, PartnerOp::Identify { token }))
            }
            Err(BearerFault::Malformed) => {
                let response = answer::challenge(StatusCode::BAD_REQUEST, Some("invalid_request"));
                task.refuse(Refusal::Malformed, response);
                State::Done
            }
            Err(BearerFault::Missing) => {
                let response = answer::challenge(StatusCode::UNAUTHORIZED, None);
                task.refuse(Refusal::Unauthenticated, response);
                State::Done
            }
        };
        Self { needs, state, task }
    }

    fn judge(&mut self, outcome: PartnerOutcome<Secret>) -> State {
        let invalid = || answer::challenge(StatusCode::UNAUTHORIZED, Some("invalid_token"));
        if let PartnerOutcome::Foreign = outcome {
            self.task.refuse(Refusal::Foreign, invalid());
            return State::Done;
        }
        let PartnerOutcome::Identified(principal) = outcome else { return self.unavailable() };
        let may = self.needs.as_ref().is_none_or(|scope| principal.scopes.contains(scope));
        match (principal.current, may) {
            (false, _) => self.task.refuse(Refusal::Retired, invalid()),
            (true, false) => {
                let status = StatusCode::FORBIDDEN;
                let response = answer::challenge(status, Some("insufficient_scope"));
                self.task.refuse(Refusal::Scope, response);
            }
            (true, true) => self.task.admit(principal),
        }
        State::Done
    }

    fn unavailable(&mut self) -> State {
        self.task.unavailable();
        State::Done
    }
}

impl Machine for Admission {
    type Input = InboundInput;
    type Output = InboundOutput;

    fn handle_input(&mut self, now: Timestamp, input: InboundInput) {
        self.state = match (self.state, input) {
            (State::Identifying(asked), InboundInput::Stored { id, result }) if asked.id == id => {
                match result {
                    Ok(answer) => self.judge(answer.outcome),
                    Err(_) => self.unavailable(),
                }
            }
            (State::Identifying(asked), InboundInput::Timeout) if now >= asked.give_up_at => {
                self.unavailable()
            }
            // An early timeout, or an answer that came too late.
            (unchanged, _) => unchanged,
        };
    }

    fn poll_output(&mut self) -> Option<InboundOutput> {
        self.task.poll()
    }

    fn poll_timeout(&self) -> Option<Timestamp> {
        match self.state {
            State::Done => None,
            State::Identifying(asked) => Some(asked.give_up_at),
        }
    }
}
