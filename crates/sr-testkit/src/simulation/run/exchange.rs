//! A process and the token endpoint.

use std::time::Duration;

use http::header::RETRY_AFTER;
use http::{Request, Response};
use sr_auth_core::fleet::{self, GrantId};
use sr_auth_core::lifecycle::Input;
use sr_auth_core::{Secret, SecretBytes, Transmit, TransmitId, TransportFailure};

use super::{Event, Run};
use crate::simulation::coverage::KEPT_ALIVE;
use crate::simulation::network::{Arrival, Fate, Trouble};
use crate::simulation::oracle::{Given, Heard, Presentation};
use crate::simulation::trace::number;
use crate::simulator::{SpentRefreshToken, Successor};

/// A request under way.
#[derive(Debug)]
pub(super) struct Crossing {
    answer: Option<Response<SecretBytes>>,
    fate: Fate,
    /// What the answer carries that the process may get.
    given: Option<Given>,
    grant: usize,
    id: TransmitId,
    incarnation: u32,
    /// `None` if nothing was sent.
    presentation: Option<Presentation>,
    process: usize,
    request: Option<Request<SecretBytes>>,
    /// The grant, as the fleet names it.
    slot: GrantId,
    /// How many events will still name it.
    uses: u8,
}

impl Run<'_> {
    pub(super) fn transmit(&mut self, process: usize, slot: GrantId, transmit: Transmit) {
        let Transmit { id, request, not_after, answer_within } = transmit;
        let Some(it) = self.processes.get(process) else { return };
        let key = it.machines.as_ref().and_then(|it| it.key(slot));
        let Some(grant) = key.and_then(|key| self.common.place(key)) else { return };
        let incarnation = it.incarnation;
        let too_late = it.clock.now(self.now) > not_after;
        let mut fate = self.scenario.network.fate(self.choices, answer_within);
        if let Some(trouble) = self.outage.server {
            fate = Fate { trouble, ..fate };
            fate.again = None;
        }
        if too_late {
            fate.trouble = Trouble::NotSent;
        }
        self.coverage.trouble(fate.trouble);
        self.trace.say(self.now, format_args!("p{process} g{grant} sends: {fate:?}"));
        let is_sent = fate.trouble != Trouble::NotSent;
        if fate.trouble.keeps_from_server() {
            (fate.processed, fate.again) = (None, None);
        }
        let presentation = is_sent.then(|| {
            let token = refresh_token(&request).map(|secret| self.name(secret));
            self.trace.step(self.now, 4, (process * 64 + grant) as u64, number(token));
            if *request.uri() != self.common.endpoint {
                self.oracle.sends_elsewhere(self.now, process, grant);
            }
            self.oracle.presented(self.now, process, grant, token, answer_within)
        });
        let answered = fate.answered.unwrap_or(answer_within).min(answer_within);
        let crossing = self.crossings.put(Crossing {
            answer: None,
            fate,
            given: None,
            grant,
            id,
            incarnation,
            presentation,
            process,
            request: Some(request),
            slot,
            uses: 1 + u8::from(fate.processed.is_some()) + u8::from(fate.again.is_some()),
        });
        let at = |span: Duration| self.now.after(span);
        let arrivals = [(fate.processed, false), (fate.again, true)];
        for (span, second) in arrivals {
            if let Some(span) = span {
                self.queue.put(at(span), Event::Arrives { crossing, second });
            }
        }
        self.queue.put(at(answered), Event::Ends { crossing });
    }

    /// A request reaches the server.
    pub(super) fn arrives(&mut self, at: u32, second: bool) {
        let Some(it) = self.crossings.at_mut(at) else { return };
        it.uses -= 1;
        let Some(presentation) = it.presentation else { return };
        let Some(request) = &it.request else { return };
        let (fate, grant) = (it.fate, it.grant);
        let response = self.simulator.handle(self.now, request).into_response();
        let issued = self.simulator.take_issued();
        let given = issued.as_ref().map(|issued| self.given(issued));
        let spends = self.scenario.switches.successor != Successor::Kept;
        if self.oracle.processed(self.now, &presentation, given, spends) {
            self.coverage.word(KEPT_ALIVE);
        }
        if given.is_none() {
            self.refused_by_server(grant, &presentation, second);
        }
        self.trace.step(self.now, 5, grant as u64, number(given.map(|it| it.access)));
        self.trace.say(self.now, format_args!("the server gives g{grant} {given:?}"));
        let Some(it) = self.crossings.at_mut(at) else { return };
        // The process hears the answer to one of the two, if it still listens.
        let is_kept =
            second == fate.second_answer && it.uses > u8::from(!second && fate.again.is_some());
        let arrives = matches!(fate.trouble, Trouble::None | Trouble::Cut | Trouble::Duplicated);
        if is_kept && arrives && fate.answered.is_some() {
            (it.answer, it.given) = (response, given);
        } else {
            self.oracle.answer_is_gone(&presentation, given, false);
        }
        if self.crossings.at_mut(at).is_some_and(|it| it.uses == 0) {
            self.crossings.remove(at);
        }
    }

    /// The server has given nothing: it may have revoked the grant, or found the token too old.
    fn refused_by_server(&mut self, grant: usize, presentation: &Presentation, second: bool) {
        self.oracle.ages(self.now, grant);
        let Some(place) = self.grants.get_mut(grant) else { return };
        let revokes =
            self.scenario.switches.spent_refresh_token == SpentRefreshToken::RevokesFamily;
        let revoked = place.id.is_some_and(|id| self.simulator.is_revoked(id));
        if revokes && revoked && !place.revoked {
            place.revoked = true;
            self.oracle.revoked_by_reuse(self.now, presentation, second);
        }
    }

    /// A process hears of its request, or gives it up.
    pub(super) fn ends(&mut self, at: u32) {
        let Some(it) = self.crossings.at_mut(at) else { return };
        let (process, incarnation) = (it.process, it.incarnation);
        let runs = self.processes.get(process).is_some_and(|it| it.is(incarnation));
        if runs && self.waits(process, Event::Ends { crossing: at }) {
            return;
        }
        let Some(it) = self.crossings.at_mut(at) else { return };
        it.uses -= 1;
        let (grant, id, fate, presentation) = (it.grant, it.id, it.fate, it.presentation);
        let slot = it.slot;
        let (answer, given) = (it.answer.take(), it.given.take());
        if it.uses == 0 {
            self.crossings.remove(at);
        }
        let arrival = match fate.answered {
            Some(_) => fate.arrival(answer),
            None => Arrival::Nothing,
        };
        let heard = self.heard(&arrival, fate.trouble, given);
        let carried = heard == Heard::Tokens;
        if let Some(span) = asks_to_pause(&arrival).filter(|_| runs) {
            self.oracle.pause_is_asked(self.now, process, span);
        }
        if let Some(presentation) = &presentation {
            if runs {
                self.oracle.heard(self.now, presentation, heard, given.filter(|_| carried));
            }
            if given.is_some() {
                self.oracle.answer_is_gone(presentation, given, runs && carried);
            }
        }
        if !runs {
            return;
        }
        let failed = |failure, received| Input::TransportFailed { failure, id, received };
        let input = match arrival {
            Arrival::Whole(response) => Input::Response { id, response },
            Arrival::Part(part) => failed(TransportFailure::AfterSend, Some(part)),
            Arrival::Nothing if fate.trouble == Trouble::NotSent => {
                failed(TransportFailure::BeforeSend, None)
            }
            Arrival::Nothing => failed(TransportFailure::AfterSend, None),
        };
        self.step(process, Some(grant), fleet::Input::Grant { id: slot, input });
    }

    /// What a process hears in what arrives, as the judge reads it: without the machines' own eyes.
    fn heard(&self, arrival: &Arrival, trouble: Trouble, given: Option<Given>) -> Heard {
        match arrival {
            Arrival::Nothing if trouble == Trouble::NotSent => Heard::Unsent,
            Arrival::Nothing => Heard::Doubtful,
            Arrival::Part(part) => {
                let token = successor(part).map(|secret| self.name(secret));
                let is_whole = token.is_some() && token == given.and_then(|it| it.refresh);
                if is_whole { Heard::Tokens } else { Heard::Doubtful }
            }
            Arrival::Whole(_) if given.is_some() => Heard::Tokens,
            Arrival::Whole(response) => match trouble {
                Trouble::None | Trouble::Duplicated if refuses_token(response) => Heard::Refused,
                Trouble::None | Trouble::Duplicated | Trouble::Throttled => Heard::Clean,
                Trouble::AnswerLate
                | Trouble::AnswerLost
                | Trouble::Cut
                | Trouble::Garbled
                | Trouble::NotSent
                | Trouble::ProxyAfter
                | Trouble::ProxyBefore
                | Trouble::RedirectedAfter
                | Trouble::RedirectedBefore
                | Trouble::RequestLost
                | Trouble::Zombie => Heard::Doubtful,
            },
        }
    }
}

/// The refresh token in a part of an answer, if it arrived up to its last letter.
fn successor(part: &Response<SecretBytes>) -> Option<Secret> {
    let body = std::str::from_utf8(part.body().expose()).ok()?;
    let (_, rest) = body.split_once("\"refresh_token\":\"")?;
    let (token, _) = rest.split_once('"')?;
    Some(Secret::new(token.to_owned()))
}

/// Whether an answer of the server says that the refresh token is no good, in any of its forms.
fn refuses_token(response: &Response<SecretBytes>) -> bool {
    let body = String::from_utf8_lossy(response.body().expose()).to_ascii_lowercase();
    body.contains("invalid_grant")
}

/// For how long an answer asks to be left alone.
fn asks_to_pause(arrival: &Arrival) -> Option<Duration> {
    let Arrival::Whole(response) = arrival else { return None };
    let seconds = response.headers().get(RETRY_AFTER)?.to_str().ok()?.parse().ok()?;
    Some(Duration::from_secs(seconds))
}

/// The refresh token that a request presents. Those of the simulator need no escapes.
fn refresh_token(request: &Request<SecretBytes>) -> Option<Secret> {
    let body = std::str::from_utf8(request.body().expose()).ok()?;
    let token = body.split('&').find_map(|pair| pair.strip_prefix("refresh_token="))?;
    Some(Secret::new(token.to_owned()))
}
