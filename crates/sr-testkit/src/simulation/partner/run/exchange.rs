//! Exchanges in their processes, and their requests to SmartRecruiters.

use std::time::Duration;

use http::{Method, Request, Response};
use sr_auth_core::wire::token_answer::{self, TokenAnswer};
use sr_auth_core::wire::token_request;
use sr_auth_core::{
    AccessToken, ClientCredentials, Endpoints, GrantError, Machine as _, SecretBytes, Timestamp,
    Transmit, TransmitId, TransportFailure,
};
use sr_partner::consent::Consent;
use sr_partner::exchange::{
    ExchangeError, ExchangeEvent, Input, IntegrationExchange, Output, TokenOf, TokenRequestId,
};

use super::{Event, Run, Who, number};
use crate::simulation::network::{Arrival, Fate, Trouble};

/// One exchange of one process.
#[derive(Debug)]
pub(super) struct Exchange {
    company: usize,
    /// Whose token it asked for, when it is the company's.
    customer: Option<ClientCredentials>,
    machine: IntegrationExchange,
    number: usize,
    process: usize,
    waits_for: &'static str,
    wakes_at: Option<Timestamp>,
}

/// A request under way.
#[derive(Debug)]
pub(super) struct Crossing {
    answer: Option<Response<SecretBytes>>,
    exchange: u32,
    fate: Fate,
    id: TransmitId,
    is_post: bool,
    request: Request<SecretBytes>,
    /// How many events will still name it.
    uses: u8,
}

impl Run<'_> {
    /// A process carries a consent out.
    pub(super) fn begins(&mut self, process: usize, company: usize, consent: Consent) {
        let tenant = consent.tenant().clone();
        let entropy = self.draw();
        let settings = self.common.settings.clone();
        let number = self.oracle.begun(company, consent.attempt(), tenant);
        let machine = IntegrationExchange::new(self.now, settings, consent, entropy);
        let (customer, waits_for, wakes_at) = (None, "pause", None);
        let exchange =
            Exchange { company, customer, machine, number, process, waits_for, wakes_at };
        self.exchanges.push(Some(exchange));
        self.flush(u32::try_from(self.exchanges.len() - 1).unwrap_or(u32::MAX));
    }

    fn exchange(&mut self, place: u32) -> Option<&mut Exchange> {
        self.exchanges.get_mut(place as usize)?.as_mut()
    }

    pub(super) fn feed(&mut self, place: u32, input: Input) {
        let (now, name) = (self.now, input_name(&input));
        let Some(exchange) = self.exchange(place) else { return };
        let waits_for = exchange.waits_for;
        exchange.machine.handle_input(now, input);
        self.coverage.cell(waits_for, name);
        self.trace.step(now, 2, u64::from(place), number(name));
        self.trace.say(now, format_args!("exchange {place}: {waits_for}: {name}"));
        self.flush(place);
    }

    pub(super) fn wakes_exchange(&mut self, place: u32) {
        let now = self.now;
        let Some(exchange) = self.exchange(place) else { return };
        if exchange.wakes_at.is_some_and(|at| at <= now) {
            exchange.wakes_at = None;
        }
        if exchange.machine.poll_timeout().is_some_and(|at| at <= now) {
            self.feed(place, Input::Timeout);
        } else {
            self.schedule(place);
        }
    }

    /// Does what an exchange asks for, in its order.
    fn flush(&mut self, place: u32) {
        let mut asks = None;
        while let Some(exchange) = self.exchange(place) {
            let Some(output) = exchange.machine.poll_output() else { break };
            let process = exchange.process;
            if !matches!(output, Output::Event(_)) && !self.acts(process) {
                return;
            }
            asks = self.carries_out(place, output).or(asks);
        }
        let Some(exchange) = self.exchange(place) else { return };
        match asks {
            Some(asks) => exchange.waits_for = asks,
            None if exchange.waits_for != "doubt" => exchange.waits_for = "pause",
            None => {}
        }
        self.schedule(place);
    }

    /// Has an exchange woken when its time comes; forgets one that waits for nothing more.
    fn schedule(&mut self, place: u32) {
        let now = self.now;
        let Some(exchange) = self.exchange(place) else { return };
        let number = exchange.number;
        let Some(at) = exchange.machine.poll_timeout() else {
            self.oracle.over(now, number);
            if let Some(slot) = self.exchanges.get_mut(place as usize) {
                *slot = None;
            }
            return;
        };
        let at = at.max(now);
        if exchange.wakes_at.is_none_or(|it| at < it) {
            exchange.wakes_at = Some(at);
            self.queue.put(at, Event::Wakes { who: Who::Exchange(place) });
        }
    }

    fn carries_out(&mut self, place: u32, output: Output) -> Option<&'static str> {
        match output {
            Output::Event(event) => self.tells(place, &event),
            Output::Store(request) => {
                let name = request.op.name();
                self.store(Who::Exchange(place), request);
                Some(name)
            }
            Output::Token(request) => {
                let of_company = matches!(request.of, TokenOf::Customer(_));
                let back = self.choices.span(Duration::from_secs(2)) + Duration::from_millis(40);
                let (who, id) = (Who::Exchange(place), request.id.0);
                self.queue.put(self.now.after(back), Event::Tokens { who, id, of_company });
                if let TokenOf::Customer(client) = request.of
                    && let Some(exchange) = self.exchange(place)
                {
                    exchange.customer = Some(client);
                }
                Some(if of_company { "customer token" } else { "master token" })
            }
            Output::Transmit(transmit) => Some(self.transmits(place, transmit)),
        }
    }

    fn tells(&mut self, place: u32, event: &ExchangeEvent) -> Option<&'static str> {
        let now = self.now;
        let exchange = self.exchange(place)?;
        let (company, number) = (exchange.company, exchange.number);
        self.trace.say(now, format_args!("exchange {place} tells {event:?}"));
        let key = self.key(company)?;
        let simulator = &self.simulator;
        let record = self.storage.record(&key);
        let is_theirs = |client: &str| Self::is_theirs(simulator, &key, client);
        self.oracle.told(now, number, event, record, is_theirs);
        if let ExchangeEvent::Failed(error) = event {
            self.coverage.word(failure(error));
        }
        if let ExchangeEvent::AwaitsOwner { .. } = event {
            let confirms = self.resting || self.choices.below(5) < 4;
            let company = u8::try_from(company).unwrap_or(u8::MAX);
            let thinks = self.choices.span(Duration::from_secs(900)) + Duration::from_secs(1);
            let thinks = if self.resting { Duration::from_secs(1) } else { thinks };
            self.queue.put(now.after(thinks), Event::Decides { company, confirms });
        }
        (*event == ExchangeEvent::Unsettled).then_some("doubt")
    }

    fn transmits(&mut self, place: u32, transmit: Transmit) -> &'static str {
        let Transmit { id, request, not_after, answer_within } = transmit;
        let is_post = request.method() == Method::POST;
        let name = if is_post { "post" } else { "probe" };
        let mut fate = self.scenario.network.fate(self.choices, answer_within);
        if self.now > not_after {
            let answered = Some(Duration::ZERO);
            fate =
                Fate { again: None, answered, processed: None, trouble: Trouble::NotSent, ..fate };
        }
        let Some(exchange) = self.exchange(place) else { return name };
        let number = exchange.number;
        if is_post && fate.trouble != Trouble::NotSent {
            self.oracle.posts(self.now, number, &request);
        }
        // One that comes after it was given up, and is listened to all the same.
        let late = answer_within + self.choices.span(Duration::from_secs(5));
        let is_late = fate.trouble == Trouble::AnswerLate;
        let heard = if is_late { Some(late) } else { fate.answered };
        let events = [fate.processed, fate.again, heard];
        let uses = u8::try_from(events.iter().flatten().count()).unwrap_or(u8::MAX);
        let kept = Crossing { answer: None, exchange: place, fate, id, is_post, request, uses };
        let crossing = self.crossings.put(kept);
        if uses == 0 {
            self.crossings.remove(crossing);
        }
        let mut put = |after: Option<Duration>, event| {
            after.into_iter().for_each(|after| self.queue.put(self.now.after(after), event));
        };
        put(fate.processed, Event::Arrives { crossing, second: false });
        put(fate.again, Event::Arrives { crossing, second: true });
        put(heard, Event::Ends { crossing });
        name
    }

    pub(super) fn arrives(&mut self, place: u32, second: bool) {
        let now = self.now;
        let Some(crossing) = self.crossings.at_mut(place) else { return };
        let answer = self.simulator.handle(now, &crossing.request).into_response();
        let (is_post, exchange) = (crossing.is_post, crossing.exchange);
        let is_success = answer.as_ref().is_some_and(|it| it.status().is_success());
        let status = answer.as_ref().map_or(0, |it| it.status().as_u16());
        if crossing.fate.second_answer == second {
            crossing.answer = answer;
        }
        self.trace.step(now, 3, u64::from(place), u64::from(status));
        self.trace.say(now, format_args!("SmartRecruiters answers exchange {exchange}: {status}"));
        self.crossing_used(place);
        let company = self.exchange(exchange).map(|it| it.company);
        if let Some(company) = company.filter(|_| is_post && is_success)
            && self.choices.below(4) == 3
        {
            self.coverage.word("called before the answer was there");
            self.asks_for_token(company, None);
        }
    }

    pub(super) fn ends(&mut self, place: u32) {
        let Some(crossing) = self.crossings.at_mut(place) else { return };
        let (fate, id, exchange) = (crossing.fate, crossing.id, crossing.exchange);
        let (answer, is_post) = (crossing.answer.take(), crossing.is_post);
        self.crossing_used(place);
        let arrival = match (fate.trouble, answer) {
            (Trouble::AnswerLate, Some(answer)) => Arrival::Whole(answer),
            (_, answer) => fate.arrival(answer),
        };
        let input = match arrival {
            Arrival::Whole(response) => {
                let undone = is_post && response.status().is_client_error();
                if let Some(number) = self.exchange(exchange).map(|it| it.number).filter(|_| undone)
                {
                    self.oracle.undone(number);
                }
                Input::Response { id, response }
            }
            Arrival::Part(response) => {
                let (failure, received) = (TransportFailure::AfterSend, Some(response));
                Input::TransportFailed { failure, id, received }
            }
            Arrival::Nothing => {
                let is_sent = fate.trouble != Trouble::NotSent;
                let failure = if is_sent {
                    TransportFailure::AfterSend
                } else {
                    TransportFailure::BeforeSend
                };
                Input::TransportFailed { failure, id, received: None }
            }
        };
        self.feed(exchange, input);
    }

    fn crossing_used(&mut self, place: u32) {
        let Some(it) = self.crossings.at_mut(place) else { return };
        it.uses = it.uses.saturating_sub(1);
        if it.uses == 0 {
            self.crossings.remove(place);
        }
    }

    /// SmartRecruiters gives a token, or the way there is broken.
    pub(super) fn tokens_arrive(&mut self, who: Who, id: u32, of_company: bool) {
        let Who::Exchange(place) = who else { return };
        let within = Duration::from_secs(15);
        let trouble = self.scenario.network.fate(self.choices, within).trouble;
        let master = self.common.master.clone();
        let Some(exchange) = self.exchange(place) else { return };
        let client = if of_company { exchange.customer.take() } else { Some(master) };
        let result = match client.filter(|_| trouble == Trouble::None) {
            Some(client) => self.access_token(&client),
            None => Err(GrantError::Unavailable { attempts: 3, retry_at: None }),
        };
        self.feed(place, Input::Token { id: TokenRequestId(id), result });
    }

    fn access_token(&mut self, client: &ClientCredentials) -> Result<AccessToken, GrantError> {
        let endpoints = Endpoints::production();
        let request = token_request::client_credentials(client, endpoints.token());
        let response = self.simulator.handle(self.now, &request).into_response();
        let unknown = GrantError::OutcomeUnknown;
        let response = response.ok_or(unknown)?;
        let answer = token_answer::classify(&response, self.now, self.now);
        let TokenAnswer::Granted(granted) = answer else { return Err(GrantError::OutcomeUnknown) };
        Ok(granted.access)
    }

    /// The exchanges of a process are gone.
    pub(super) fn exchanges_die(&mut self, process: usize) {
        for slot in &mut self.exchanges {
            if let Some(exchange) = slot.take_if(|it| it.process == process) {
                self.coverage.cell(exchange.waits_for, "crash");
            }
        }
        for slot in &mut self.calls {
            slot.take_if(|it| it.process() == process);
        }
    }

    /// Tells whether exchanges are under way.
    pub(super) fn is_exchanging(&self) -> bool {
        self.exchanges.iter().any(Option::is_some)
    }
}

const fn input_name(input: &Input) -> &'static str {
    match input {
        Input::Response { .. } => "Response",
        Input::Stored { result: Err(_), .. } => "Stored (failed)",
        Input::Stored { result: Ok(_), .. } => "Stored",
        Input::Timeout => "Timeout",
        Input::Token { result: Err(_), .. } => "Token (failed)",
        Input::Token { result: Ok(_), .. } => "Token",
        Input::TransportFailed { .. } => "TransportFailed",
    }
}

#[expect(clippy::wildcard_enum_match_arm, reason = "what cannot happen here is counted as one")]
const fn failure(error: &ExchangeError) -> &'static str {
    match error {
        ExchangeError::AlreadyIntegrated => "failed: AlreadyIntegrated",
        ExchangeError::BoundElsewhere => "failed: BoundElsewhere",
        ExchangeError::Busy { .. } => "failed: Busy",
        ExchangeError::MasterToken { .. } => "failed: MasterToken",
        ExchangeError::Moved => "failed: Moved",
        ExchangeError::OutcomeUnknown => "failed: OutcomeUnknown",
        ExchangeError::Refused { .. } => "failed: Refused",
        ExchangeError::Store { .. } => "failed: Store",
        ExchangeError::Superseded => "failed: Superseded",
        ExchangeError::Taken => "failed: Taken",
        ExchangeError::Unavailable => "failed: Unavailable",
        _ => "failed otherwise",
    }
}
