//! SmartRecruiters as a caller: tokens, notifications, calls to the partner's own API.

use std::time::Duration;

use http::{Request, Response, StatusCode};
use sr_auth_core::{Machine as _, Secret, SecretBytes, Timestamp};
use sr_partner::inbound::{
    Admission, InboundInput, InboundOutput, Notification, TokenIssuance, TokenIssuer,
};

use super::{Event, Run, Who, number};
use crate::simulator::DisableRequests;

/// A request to a partner's endpoint, in the process that answers it.
#[derive(Debug)]
pub(super) struct Call {
    kind: Kind,
    machine: Answering,
    process: usize,
    wakes_at: Option<Timestamp>,
}

#[derive(Debug)]
enum Kind {
    Api {
        token: Secret,
    },
    Notice {
        notice: u32,
    },
    /// For a notification, if it is to be written.
    Token {
        company: usize,
        disables: Option<DisableRequests>,
    },
}

#[derive(Debug)]
enum Answering {
    Admission(Admission),
    Issuance(Box<TokenIssuance>),
    Notification(Notification),
}

/// A notification, which may come several times.
#[derive(Debug)]
pub(super) struct Notice {
    company: usize,
    request: Request<SecretBytes>,
    times: u8,
    token: Secret,
}

impl Answering {
    fn handle_input(&mut self, now: Timestamp, input: InboundInput) {
        match self {
            Self::Admission(it) => it.handle_input(now, input),
            Self::Issuance(it) => it.handle_input(now, input),
            Self::Notification(it) => it.handle_input(now, input),
        }
    }

    fn poll_output(&mut self) -> Option<InboundOutput> {
        match self {
            Self::Admission(it) => it.poll_output(),
            Self::Issuance(it) => it.poll_output(),
            Self::Notification(it) => it.poll_output(),
        }
    }

    fn poll_timeout(&self) -> Option<Timestamp> {
        match self {
            Self::Admission(it) => it.poll_timeout(),
            Self::Issuance(it) => it.poll_timeout(),
            Self::Notification(it) => it.poll_timeout(),
        }
    }
}

impl Call {
    pub(super) const fn process(&self) -> usize {
        self.process
    }
}

impl Run<'_> {
    /// A process that runs, if one does.
    fn some_process(&mut self) -> Option<usize> {
        let count = u32::try_from(self.processes.len()).unwrap_or(1);
        let first = self.choices.below(count) as usize;
        let places = (0..self.processes.len()).map(|it| (first + it) % self.processes.len());
        places.into_iter().find(|it| self.is_up(*it))
    }

    /// SmartRecruiters asks for a token, with the newest pair that it was sent.
    pub(super) fn asks_for_token(&mut self, company: usize, disables: Option<DisableRequests>) {
        let Some(key) = self.key(company) else { return };
        let request = match &disables {
            Some(requests) => Some(requests.token().clone()),
            None => self.simulator.partner_token_request(&key),
        };
        let Some((request, process)) = request.zip(self.some_process()) else { return };
        let entropy = self.draw();
        let machine = TokenIssuer::default().answer(self.now, &request, None, entropy);
        let machine = Answering::Issuance(Box::new(machine));
        self.serves(Call {
            kind: Kind::Token { company, disables },
            machine,
            process,
            wakes_at: None,
        });
    }

    /// SmartRecruiters calls the partner's own API with one of its tokens.
    pub(super) fn calls_api(&mut self) {
        let count = u32::try_from(self.tokens.len()).unwrap_or(u32::MAX);
        let place = self.choices.below(count.max(1)) as usize;
        let token = self.tokens.len().checked_sub(1 + place).and_then(|it| self.tokens.get(it));
        let Some(token) = token.cloned() else { return };
        let Some(process) = self.some_process() else { return };
        let mut request = Request::new(SecretBytes::default());
        let value = format!("Bearer {}", token.expose());
        let Ok(value) = value.parse() else { return };
        request.headers_mut().insert("authorization", value);
        let machine = Answering::Admission(Admission::new(self.now, &request, None));
        self.serves(Call { kind: Kind::Api { token }, machine, process, wakes_at: None });
    }

    /// A customer disables the integration: SmartRecruiters asks for a token, to say so with.
    pub(super) fn disables(&mut self, company: usize) {
        let Some(key) = self.key(company) else { return };
        let requests = self.simulator.disable_requests(&key);
        self.simulator.disable_integration(&key);
        self.trace.say(self.now, format_args!("company {company} disables the integration"));
        if let Some(requests) = requests {
            self.asks_for_token(company, Some(requests));
        }
    }

    pub(super) fn notifies(&mut self, place: u32) {
        let Some(process) = self.some_process() else { return };
        let Some(notice) = self.notices.get_mut(place as usize) else { return };
        notice.times += 1;
        let (times, request, company) = (notice.times, notice.request.clone(), notice.company);
        if times > 1 {
            self.coverage.word("a notification comes again");
        }
        let is_late =
            self.key(company).is_some_and(|it| !self.simulator.integrations(&it).is_empty());
        if is_late {
            self.coverage.word("a notification comes after a new consent");
        }
        let machine = Answering::Notification(Notification::receive(self.now, &request));
        let kind = Kind::Notice { notice: place };
        self.serves(Call { kind, machine, process, wakes_at: None });
    }

    fn serves(&mut self, call: Call) {
        self.calls.push(Some(call));
        self.flush_call(u32::try_from(self.calls.len() - 1).unwrap_or(u32::MAX));
    }

    fn call(&mut self, place: u32) -> Option<&mut Call> {
        self.calls.get_mut(place as usize)?.as_mut()
    }

    pub(super) fn feed_call(&mut self, place: u32, input: InboundInput) {
        let now = self.now;
        let Some(call) = self.call(place) else { return };
        call.machine.handle_input(now, input);
        self.flush_call(place);
    }

    pub(super) fn wakes_call(&mut self, place: u32) {
        let now = self.now;
        let Some(call) = self.call(place) else { return };
        call.wakes_at = None;
        if call.machine.poll_timeout().is_some_and(|at| at <= now) {
            self.feed_call(place, InboundInput::Timeout);
        } else {
            self.flush_call(place);
        }
    }

    fn flush_call(&mut self, place: u32) {
        while let Some(call) = self.call(place) {
            let Some(output) = call.machine.poll_output() else { break };
            let process = call.process;
            match output {
                InboundOutput::Event(_) => {}
                InboundOutput::Store(request) => {
                    if !self.acts(process) {
                        return;
                    }
                    self.store(Who::Call(place), request);
                }
                InboundOutput::Admit(principal) => {
                    let call = self.calls.get_mut(place as usize).and_then(Option::take);
                    if let Some(Call { kind: Kind::Api { token }, .. }) = call {
                        self.coverage.word("a call is admitted");
                        self.trace.step(self.now, 4, u64::from(place), 1);
                        self.oracle.admitted(self.now, &token, &principal);
                    }
                    return;
                }
                InboundOutput::Respond(response) => {
                    let call = self.calls.get_mut(place as usize).and_then(Option::take);
                    if let Some(call) = call {
                        self.answered(call.kind, &response);
                    }
                    return;
                }
            }
        }
        let now = self.now;
        let Some(call) = self.call(place) else { return };
        let Some(at) = call.machine.poll_timeout().map(|at| at.max(now)) else { return };
        if call.wakes_at.is_none_or(|it| at < it) {
            call.wakes_at = Some(at);
            self.queue.put(at, Event::Wakes { who: Who::Call(place) });
        }
    }

    /// SmartRecruiters hears what came of its request.
    fn answered(&mut self, kind: Kind, response: &Response<SecretBytes>) {
        let (now, status) = (self.now, response.status());
        self.trace.step(now, 5, u64::from(status.as_u16()), number(kind_name(&kind)));
        self.trace.say(now, format_args!("{} is answered {status}", kind_name(&kind)));
        match kind {
            Kind::Api { .. } => self.coverage.word("a call is refused"),
            Kind::Notice { notice } => self.noticed(notice, status),
            Kind::Token { company, disables } => {
                let body: serde_json::Value =
                    serde_json::from_slice(response.body().expose()).unwrap_or_default();
                let token = body.get("access_token").and_then(serde_json::Value::as_str);
                let Some(token) = token.map(|it| Secret::new(it.to_owned())) else {
                    return self.coverage.word("a token is refused");
                };
                let digest = token.digest();
                let is_kept = self.storage.tokens().iter().any(|it| it.digest == digest);
                self.oracle.handed_out(now, &token, is_kept);
                self.tokens.push(token.clone());
                let request = disables.and_then(|it| it.notification(response));
                if let Some(request) = request {
                    self.notifies_later(Notice { company, request, times: 0, token });
                }
            }
        }
    }

    fn notifies_later(&mut self, notice: Notice) {
        if !self.resting && self.choices.below(6) == 5 {
            return self.coverage.word("a notification is lost");
        }
        self.notices.push(notice);
        let place = u32::try_from(self.notices.len() - 1).unwrap_or(u32::MAX);
        let longest = Duration::from_secs(if self.resting { 1 } else { 1_200 });
        let after = self.choices.span(longest) + Duration::from_millis(1);
        self.queue.put(self.now.after(after), Event::Notifies { notice: place });
    }

    fn noticed(&mut self, place: u32, status: StatusCode) {
        let now = self.now;
        let Some(notice) = self.notices.get(place as usize) else { return };
        let (token, times) = (notice.token.clone(), notice.times);
        if status == StatusCode::OK {
            self.coverage.word("disabled and told");
            self.oracle.acknowledged(now, &token);
        } else {
            self.coverage.word("a notification is not answered");
        }
        // It may come again, whether or not it was done.
        if times < 3 && (status != StatusCode::OK || self.choices.below(4) == 3) {
            let after = self.choices.span(Duration::from_secs(600)) + Duration::from_secs(1);
            self.queue.put(now.after(after), Event::Notifies { notice: place });
        }
    }
}

const fn kind_name(kind: &Kind) -> &'static str {
    match kind {
        Kind::Api { .. } => "a call to the API",
        Kind::Notice { .. } => "a notification",
        Kind::Token { .. } => "a request for a token",
    }
}
