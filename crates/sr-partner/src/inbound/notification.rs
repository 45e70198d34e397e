//! Notifications: a customer has disabled the integration.
//!
//! ```text
//!  request ── no token, or none that can be read ──────────────────────────────▶ Done
//!     │                                                                           ▲
//!     ├── INTEGRATION_DISABLED: Disable ──▶ Disabling ── durable, or not ours ────┤
//!     │                                        ▲  │ store fails                   │
//!     │                                        └──┘ three times                   │
//!     └── DELETE, or anything else: Identify ──▶ Identifying ── judged ───────────┘
//! ```
//!
//! Who speaks is told by the token alone: the generation of its client, never the body or the path.
//! The written rule for bodies: a body of more than 8 KiB is 413, another declared type than JSON
//! 415, what is no object with a text `eventType` 400, an event that nobody knows 202; whoever has
//! no good token learns none of this. Success is answered when the end is durable, and not before.

use http::header::CONTENT_TYPE;
use http::{Method, Request, StatusCode};
use serde::Deserialize;
use sr_auth_core::{Machine, SecretBytes, SecretDigest, ServerText, Timestamp};

use super::task::{Asked, Task};
use super::{InboundEvent, InboundInput, InboundOutput, Refusal};
use crate::store::{DisableEffect, PartnerOp, PartnerOutcome, Principal};
use crate::wire::answer;
use crate::wire::bearer::{self, BearerFault};

/// One notification.
#[derive(Debug)]
pub struct Notification {
    event: Event,
    state: State,
    task: Task,
    token: SecretDigest,
}

/// What is said, before it is known who says it.
#[derive(Debug)]
enum Event {
    /// The integration of the token's own generation was disabled.
    Disabled,
    /// That of the company in the path was.
    DisabledIn(String),
    Malformed(StatusCode),
    Unheard(ServerText),
}

#[derive(Clone, Copy, Debug)]
enum State {
    Disabling { asked: Asked, tries: u32 },
    Done,
    Identifying(Asked),
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Body {
    event_type: String,
}

impl Notification {
    /// The longest body that is read, in bytes.
    pub const BODY_LIMIT: usize = 8 * 1024;
    /// The event of a disabled integration.
    pub const INTEGRATION_DISABLED: &str = "INTEGRATION_DISABLED";
    /// How often a disable is offered to a store that fails. The service documents no second
    /// notification, so a store gets more than one chance.
    pub const TRIES: u32 = 3;

    /// Takes in a request to `callbackUrl`.
    #[must_use]
    pub fn receive(now: Timestamp, request: &Request<SecretBytes>) -> Self {
        if request.method() != Method::POST {
            return Self::refused(Refusal::Malformed, answer::only("POST"));
        }
        Self::begin(now, request, read(request))
    }

    /// Takes in a request of the Assessment sibling, `DELETE …/integrations/companies/{company}`.
    ///
    /// `company` is the decoded segment of the path: compared with the token's company, and never
    /// believed.
    #[must_use]
    pub fn receive_deletion(now: Timestamp, request: &Request<SecretBytes>, company: &str) -> Self {
        if request.method() != Method::DELETE {
            return Self::refused(Refusal::Malformed, answer::only("DELETE"));
        }
        Self::begin(now, request, Event::DisabledIn(company.to_owned()))
    }

    fn begin(now: Timestamp, request: &Request<SecretBytes>, event: Event) -> Self {
        let token = match bearer::read(request) {
            Ok(token) => token.digest(),
            Err(BearerFault::Malformed) => {
                let response = answer::challenge(StatusCode::BAD_REQUEST, Some("invalid_request"));
                return Self::refused(Refusal::Malformed, response);
            }
            Err(BearerFault::Missing) => {
                let response = answer::challenge(StatusCode::UNAUTHORIZED, None);
                return Self::refused(Refusal::Unauthenticated, response);
            }
        };
        let mut task = Task::default();
        let state = match event {
            Event::Disabled => {
                State::Disabling { asked: task.ask(now, PartnerOp::Disable { token }), tries: 1 }
            }
            Event::DisabledIn(_) | Event::Malformed(_) | Event::Unheard(_) => {
                State::Identifying(task.ask(now, PartnerOp::Identify { token }))
            }
        };
        Self { event, state, task, token }
    }

    fn refused(why: Refusal, response: http::Response<SecretBytes>) -> Self {
        let mut task = Task::default();
        task.refuse(why, response);
        let token = SecretDigest::from_bytes([0; 32]);
        Self { event: Event::Disabled, state: State::Done, task, token }
    }

    fn disable(&mut self, now: Timestamp, tries: u32) -> State {
        let op = PartnerOp::Disable { token: self.token };
        State::Disabling { asked: self.task.ask(now, op), tries }
    }

    fn identified(&mut self, now: Timestamp, principal: Principal) -> State {
        match &self.event {
            Event::Disabled => self.disable(now, 1),
            Event::DisabledIn(company) if *company == principal.key.company.as_str() => {
                self.disable(now, 1)
            }
            Event::DisabledIn(_) => {
                let response = answer::empty(StatusCode::FORBIDDEN);
                self.task.refuse(Refusal::OtherCompany, response);
                State::Done
            }
            Event::Malformed(status) => {
                let response = answer::empty(*status);
                self.task.refuse(Refusal::Malformed, response);
                State::Done
            }
            Event::Unheard(name) => {
                let name = name.clone();
                self.task.tell(InboundEvent::UnknownNotification { name, principal });
                self.task.respond(answer::empty(StatusCode::ACCEPTED));
                State::Done
            }
        }
    }

    fn disabled(&mut self, effect: DisableEffect, principal: Principal) -> State {
        self.task.tell(InboundEvent::Disabled { effect, principal });
        self.task.respond(answer::empty(StatusCode::OK));
        State::Done
    }

    fn stored(&mut self, now: Timestamp, outcome: PartnerOutcome<sr_auth_core::Secret>) -> State {
        if let PartnerOutcome::Foreign = outcome {
            let response = answer::challenge(StatusCode::UNAUTHORIZED, Some("invalid_token"));
            self.task.refuse(Refusal::Foreign, response);
            return State::Done;
        }
        if let PartnerOutcome::Identified(principal) = outcome {
            return self.identified(now, principal);
        }
        let PartnerOutcome::Disabled { effect, principal } = outcome else {
            return self.unavailable();
        };
        self.disabled(effect, principal)
    }

    fn failed(&mut self, now: Timestamp) -> State {
        match self.state {
            State::Disabling { tries, .. } if tries < Self::TRIES => self.disable(now, tries + 1),
            State::Disabling { .. } | State::Done | State::Identifying(_) => self.unavailable(),
        }
    }

    fn unavailable(&mut self) -> State {
        self.task.unavailable();
        State::Done
    }
}

impl Machine for Notification {
    type Input = InboundInput;
    type Output = InboundOutput;

    fn handle_input(&mut self, now: Timestamp, input: InboundInput) {
        self.state = match (self.state, input) {
            (
                State::Disabling { asked, .. } | State::Identifying(asked),
                InboundInput::Stored { id, result },
            ) if asked.id == id => match result {
                Ok(answer) => self.stored(now, answer.outcome),
                Err(_) => self.failed(now),
            },
            (State::Disabling { asked, .. } | State::Identifying(asked), InboundInput::Timeout)
                if now >= asked.give_up_at =>
            {
                self.failed(now)
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
            State::Disabling { asked, .. } | State::Identifying(asked) => Some(asked.give_up_at),
            State::Done => None,
        }
    }
}

fn read(request: &Request<SecretBytes>) -> Event {
    let body = request.body().expose();
    if body.len() > Notification::BODY_LIMIT {
        return Event::Malformed(StatusCode::PAYLOAD_TOO_LARGE);
    }
    let kind = request.headers().get(CONTENT_TYPE).map(|it| it.to_str().unwrap_or("unreadable"));
    let kind = kind.map(|it| it.split(';').next().unwrap_or_default().trim_matches([' ', '\t']));
    if kind.is_some_and(|kind| !kind.eq_ignore_ascii_case("application/json")) {
        return Event::Malformed(StatusCode::UNSUPPORTED_MEDIA_TYPE);
    }
    let is_object = body.trim_ascii_start().starts_with(b"{");
    let body = serde_json::from_slice::<Body>(body).ok().filter(|_| is_object);
    match body {
        Some(body) if body.event_type == Notification::INTEGRATION_DISABLED => Event::Disabled,
        Some(body) => Event::Unheard(ServerText::sanitize(&body.event_type)),
        None => Event::Malformed(StatusCode::BAD_REQUEST),
    }
}
