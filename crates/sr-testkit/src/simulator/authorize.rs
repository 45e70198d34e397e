//! The authorization endpoint (RFC 6749 §3.1): a page for the user, and the way back.

mod request;

use std::collections::VecDeque;
use std::time::Duration;

use http::{Method, Request, StatusCode};
use sr_auth_core::{SecretBytes, Timestamp};

use super::Simulator;
use super::answer::{self, Handled, Sources};
use super::fingerprint::{Lookup, lookup};
use super::form::{Form, encode};
use super::ledger::{Code, Presented};
use super::page;
use super::switches::{AutoDecision, DeclineSpaces};
pub(super) use request::Consent;
use request::{AuthorizationError, Rejected};

/// The consent pages that were shown and not answered yet: each is good for one answer.
#[derive(Debug, Default)]
pub(super) struct Tickets(VecDeque<Ticket>);

#[derive(Debug)]
struct Ticket {
    consent: Consent,
    shown_at: Timestamp,
    token: Lookup,
}

impl Tickets {
    /// How many pages can wait at a time.
    const CAPACITY: usize = 256;
    /// How long a page can wait.
    const LIFE: Duration = Duration::from_secs(600);

    fn add(&mut self, shown_at: Timestamp, token: &str, consent: Consent) {
        if self.0.len() >= Self::CAPACITY {
            self.0.pop_front();
        }
        self.0.push_back(Ticket { consent, shown_at, token: lookup(token) });
    }

    fn take(&mut self, now: Timestamp, token: &str) -> Option<Consent> {
        let token = lookup(token);
        let at = self.0.iter().position(|ticket| ticket.token == token)?;
        let ticket = self.0.remove(at)?;
        (now.since(ticket.shown_at) < Self::LIFE).then_some(ticket.consent)
    }
}

impl Simulator {
    pub(super) fn authorize(&mut self, now: Timestamp, request: &Request<SecretBytes>) -> Handled {
        match *request.method() {
            Method::GET => self.ask(now, request.uri().query().unwrap_or_default()),
            Method::POST => self.decide(now, request.body().expose()),
            _ => Handled::new(answer::method_not_allowed("GET, POST")),
        }
    }

    /// Shows the consent page, or whatever the request deserves instead.
    fn ask(&mut self, now: Timestamp, query: &str) -> Handled {
        let consent = match request::read(query, &self.world, &self.switches) {
            Ok(consent) => consent,
            Err(Rejected::Shown(reason)) => return shown(reason),
            Err(Rejected::Redirected { error, redirect_uri, state }) => {
                return self.sent_back(&redirect_uri, state.as_deref(), error);
            }
        };
        match self.switches.auto_decision {
            AutoDecision::Ask => {
                let ticket = self.secrets.hex(64);
                let html = page::consent(&self.world, &consent, &ticket);
                let form_targets = page::form_target(&consent.redirect_uri);
                let sources = Sources { form_targets, ..Sources::default() };
                self.tickets.add(now, &ticket, consent);
                Handled::new(answer::page(StatusCode::OK, html, &sources))
            }
            AutoDecision::Authorize => {
                let user = self.world.users().find(|user| user.active);
                match user.map(|user| user.id.clone()) {
                    Some(user) => self.grant_code(now, consent, user),
                    None => shown("there is no user who could agree"),
                }
            }
            AutoDecision::Decline => self.declined(&consent),
        }
    }

    /// Takes the answer to a consent page.
    fn decide(&mut self, now: Timestamp, body: &[u8]) -> Handled {
        let Some(form) = Form::read(body).filter(|form| form.repeated().is_none()) else {
            return shown("the form cannot be read");
        };
        let ticket = form.filled("ticket").and_then(|ticket| self.tickets.take(now, ticket));
        let Some(consent) = ticket else {
            return shown("this page was answered before, or is too old");
        };
        match form.filled("decision") {
            Some("authorize") => {
                let user = form.filled("user").and_then(|id| self.world.user(id));
                match user.filter(|user| user.active).map(|user| user.id.clone()) {
                    Some(user) => self.grant_code(now, consent, user),
                    None => shown("there is no such user"),
                }
            }
            Some("decline") => self.declined(&consent),
            _ => shown("no decision was made"),
        }
    }

    fn grant_code(&mut self, now: Timestamp, consent: Consent, user: String) -> Handled {
        let code_text = self.secrets.hex(40);
        let location =
            back(&consent.redirect_uri, consent.state.as_deref(), &[format!("code={code_text}")]);
        let code = Code {
            challenge: consent.challenge,
            client: consent.client.into(),
            issued_at: now,
            presented: Presented::Never,
            redirect_uri: consent.redirect_uri,
            scopes: consent.scopes.into(),
            user: user.into(),
        };
        self.ledger.add_code(&code_text, code);
        Handled::new(answer::see_other(&location))
    }

    fn declined(&self, consent: &Consent) -> Handled {
        let error = AuthorizationError {
            code: "access_denied",
            description: "The user denied access to your application",
        };
        self.sent_back(&consent.redirect_uri, consent.state.as_deref(), error)
    }

    /// Sends the browser back with an error; as documented, a number stands in `code` beside it.
    fn sent_back(
        &self,
        redirect_uri: &str,
        state: Option<&str>,
        error: AuthorizationError,
    ) -> Handled {
        let description = match self.switches.decline_spaces {
            DeclineSpaces::Encoded => encode(error.description),
            DeclineSpaces::Raw => error.description.to_owned(),
        };
        let parts = [
            format!("error={}", error.code),
            format!("error_description={description}"),
            "code=500".to_owned(),
        ];
        Handled::new(answer::see_other(&back(redirect_uri, state, &parts))).because(error.code)
    }
}

/// An error about the client or the redirect URI: shown here, never sent on (RFC 6749 §4.1.2.1).
fn shown(reason: &'static str) -> Handled {
    let html = page::error(reason);
    Handled::new(answer::page(StatusCode::BAD_REQUEST, html, &Sources::default())).because(reason)
}

fn back(redirect_uri: &str, state: Option<&str>, parts: &[String]) -> String {
    let state = state.map(|state| format!("&state={}", encode(state))).unwrap_or_default();
    let separator = if redirect_uri.contains('?') { '&' } else { '?' };
    format!("{redirect_uri}{separator}{}{state}", parts.join("&"))
}
