//! One exchange with everything around it: a store, tokens, and a service that does as it is told.

use std::collections::VecDeque;
use std::fmt::Write as _;
use std::time::Duration;

use http::Response;
use sr_auth_core::lifecycle::StoreFailure;
use sr_auth_core::{
    GrantError, Machine, SecretBytes, Timestamp, Transmit, TransmitId, TransportFailure,
};
use sr_partner::consent::Consent;
use sr_partner::exchange::{
    ExchangeEvent, ExchangeSettings, Input, IntegrationExchange, Output, TokenOf,
};
use sr_partner::inbound::PartnerStoreRequest;

use crate::fixture::{Desk, access_token};

pub(crate) const CREDENTIALS: &str = r#"{"clientId":"customer-82e4","clientSecret":"customer-secret","integrationId":"7cbc0f64-4d1c-4d70-9f19-dbd8f3656020"}"#;

/// What becomes of a request.
#[derive(Clone, Debug)]
pub(crate) enum Reaction {
    /// This answer.
    Answer(u16, String),
    /// This answer, so many seconds later.
    Late(u64, u16, String),
    /// Maybe sent, and no answer.
    Lost,
    /// Not sent.
    NotSent,
    /// Maybe sent; this much of the answer came.
    Part(String),
    /// Nothing, ever.
    Silence,
}

/// Bytes that differ, so that no part of a secret is part of anything else.
pub(crate) fn entropy() -> [u8; 80] {
    let mut entropy = [0; 80];
    entropy.iter_mut().zip(0x30..).for_each(|(byte, value)| *byte = value);
    entropy
}

pub(crate) fn ok() -> Reaction {
    Reaction::Answer(200, CREDENTIALS.to_owned())
}

pub(crate) fn status(code: u16) -> Reaction {
    Reaction::Answer(code, r#"{"message":"no"}"#.to_owned())
}

/// How the store meets an operation.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Fate {
    Fails,
    /// Carried out, and the answer is lost.
    Lost,
}

pub(crate) struct Scene {
    pub(crate) desk: Desk,
    pub(crate) events: Vec<ExchangeEvent>,
    pub(crate) fates: VecDeque<(&'static str, Fate)>,
    pub(crate) machine: IntegrationExchange,
    pub(crate) reactions: VecDeque<Reaction>,
    pub(crate) requests: Vec<Transmit>,
    pub(crate) story: String,
    pub(crate) tokens: VecDeque<Result<&'static str, GrantError>>,
    late: Option<(Timestamp, TransmitId, u16, String)>,
    slow: Duration,
}

impl Scene {
    pub(crate) fn begin(desk: Desk, settings: ExchangeSettings, consent: Consent) -> Self {
        let machine = IntegrationExchange::new(desk.now, settings, consent, entropy());
        Self {
            desk,
            events: Vec::new(),
            fates: VecDeque::new(),
            machine,
            reactions: VecDeque::new(),
            requests: Vec::new(),
            story: String::new(),
            tokens: VecDeque::new(),
            late: None,
            slow: Duration::ZERO,
        }
    }

    /// Sets what becomes of the requests, in order.
    pub(crate) fn reacting(mut self, reactions: impl IntoIterator<Item = Reaction>) -> Self {
        self.reactions.extend(reactions);
        self
    }

    /// Sets what becomes of the next operations of a name.
    pub(crate) fn with_fates(mut self, fates: &[(&'static str, Fate)]) -> Self {
        self.fates.extend(fates);
        self
    }

    /// Has the store take so long for each answer.
    pub(crate) fn with_slow_store(self, slow: Duration) -> Self {
        Self { slow, ..self }
    }

    /// Runs to the outcome, or to the end of the patience.
    pub(crate) fn run(mut self) -> Self {
        for _ in 0..200 {
            self.drain();
            let Some(due) = self.machine.poll_timeout() else { return self };
            let late = self.late.take_if(|it| it.0 <= due);
            if let Some((at, id, status, body)) = late {
                self.desk.now = at.max(self.desk.now);
                self.tell(format!("the answer {status} comes late"));
                let response = answer(status, &body);
                self.machine.handle_input(self.desk.now, Input::Response { id, response });
                continue;
            }
            self.desk.now = due.max(self.desk.now);
            self.tell("timeout".to_owned());
            self.machine.handle_input(self.desk.now, Input::Timeout);
        }
        self
    }

    /// Runs until a request is under way.
    pub(crate) fn run_until_request(mut self) -> Self {
        while self.requests.is_empty() {
            self.drain();
        }
        self
    }

    /// Has the last request answered.
    pub(crate) fn answered(mut self, status: u16, body: &str) -> Self {
        let id = self.requests.last().expect("a request").id;
        let response = answer(status, body);
        self.machine.handle_input(self.desk.now, Input::Response { id, response });
        self
    }

    fn tell(&mut self, text: String) {
        writeln!(self.story, "{:?} {text}", self.desk.now).expect("a text takes every text");
    }

    fn drain(&mut self) {
        while let Some(output) = self.machine.poll_output() {
            match output {
                Output::Event(event) => {
                    self.tell(format!("event: {event:?}"));
                    self.events.push(event);
                }
                Output::Store(request) => self.store(request),
                Output::Token(request) => {
                    let of = match &request.of {
                        TokenOf::Customer(client) => format!("of the customer {}", client.id()),
                        TokenOf::Master { renew } => format!("of the master, another: {renew}"),
                    };
                    let result = self.tokens.pop_front().unwrap_or(Ok("master-token"));
                    let told = if result.is_ok() { "here" } else { "not to be had" };
                    self.tell(format!("token {of}: {told}"));
                    let (id, result) = (request.id, result.map(access_token));
                    self.machine.handle_input(self.desk.now, Input::Token { id, result });
                }
                Output::Transmit(transmit) => self.transmit(transmit),
            }
        }
    }

    fn store(&mut self, request: PartnerStoreRequest) {
        let name = request.op.name();
        let fate = self.fates.front().is_some_and(|(of, _)| *of == name);
        let fate = if fate { self.fates.pop_front().map(|(_, fate)| fate) } else { None };
        self.desk.now = self.desk.now.after(self.slow);
        let result = match fate {
            Some(Fate::Fails) => Err(StoreFailure::NotDone),
            Some(Fate::Lost) => {
                self.desk.store.apply(self.desk.now, request.op);
                Err(StoreFailure::OutcomeUnknown)
            }
            None => Ok(self.desk.store.apply(self.desk.now, request.op)),
        };
        let told = match &result {
            Ok(answer) => answer.outcome.name().to_owned(),
            Err(failure) => format!("{failure:?}"),
        };
        self.tell(format!("store {name}: {told}"));
        self.machine.handle_input(self.desk.now, Input::Stored { id: request.id, result });
    }

    fn transmit(&mut self, transmit: Transmit) {
        let (id, path) = (transmit.id, transmit.request.uri().path().to_owned());
        let method = transmit.request.method().clone();
        let reaction = self.reactions.pop_front().unwrap_or(Reaction::Silence);
        let told = match &reaction {
            Reaction::Answer(status, _) => format!("{status}"),
            Reaction::Late(secs, ..) => format!("nothing for {secs} s"),
            Reaction::Lost => "lost".to_owned(),
            Reaction::NotSent => "not sent".to_owned(),
            Reaction::Part(_) => "a part".to_owned(),
            Reaction::Silence => "silence".to_owned(),
        };
        self.tell(format!("request {} {method} {path}: {told}", id.count()));
        self.requests.push(transmit);
        let input = match reaction {
            Reaction::Answer(status, body) => {
                Input::Response { id, response: answer(status, &body) }
            }
            Reaction::Late(secs, status, body) => {
                let at = self.desk.now.after(Duration::from_secs(secs));
                self.late = Some((at, id, status, body));
                return;
            }
            Reaction::Lost => failed(id, TransportFailure::AfterSend, None),
            Reaction::NotSent => failed(id, TransportFailure::BeforeSend, None),
            Reaction::Part(body) => {
                failed(id, TransportFailure::AfterSend, Some(answer(200, &body)))
            }
            Reaction::Silence => return,
        };
        self.machine.handle_input(self.desk.now, input);
    }

    #[track_caller]
    pub(crate) fn outcome(&self) -> &ExchangeEvent {
        let (last, before) = self.events.split_last().expect("an outcome");
        let unsettled = before.iter().all(|it| *it == ExchangeEvent::Unsettled);
        assert!(before.len() <= 1 && unsettled, "{before:?}");
        assert_ne!(*last, ExchangeEvent::Unsettled, "an outcome follows");
        last
    }
}

fn failed(
    id: TransmitId,
    failure: TransportFailure,
    received: Option<Response<SecretBytes>>,
) -> Input {
    Input::TransportFailed { failure, id, received }
}

pub(crate) fn answer(status: u16, body: &str) -> Response<SecretBytes> {
    Response::builder()
        .status(status)
        .body(SecretBytes::new(body.as_bytes().to_vec()))
        .expect("a valid status")
}
