//! The consent page: looking at it changes nothing.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::Response;
use http::request::Parts;
use sr_auth_core::Secret;
use sr_auth_core::store::Generation;
use sr_partner::IntegrationKey;
use sr_partner::consent::{ConsentTicket, ConsentVisit, Visitor};
use sr_partner::store::{IntegrationRecord, Phase};
use url::form_urlencoded::Serializer;

use crate::page::{self, Message, Next, Parties, Standing};
use crate::random::draw;
use crate::service::Shared;
use crate::{Account, answer, browser};

/// Shows the page.
pub(super) async fn show(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let (head, _) = request.into_parts();
    visited(&shared, &head).await.unwrap_or_else(|message| shared.say(&message, Next::Nothing))
}

async fn visited(shared: &Shared, head: &Parts) -> Result<Response, Message> {
    if !browser::may_see(&head.headers, shared.mode()) {
        return Err(Message::foreign());
    }
    let query = head.uri.query().unwrap_or_default();
    let visit = ConsentVisit::parse(query, shared.mode(), &shared.origins);
    let visit = visit.map_err(Message::visit)?;
    let account = shared.hooks.signed_in(head).await.map_err(|_| Message::unavailable())?;
    let Some(account) = account else { return sign_in(shared, head, &visit) };
    if !account.may_connect {
        return Err(Message::no_authority());
    }
    if !shared.hooks.may_join(&account, visit.company()).await {
        return Err(Message::other_company());
    }
    let key = IntegrationKey { app: shared.app.clone(), company: visit.company().clone() };
    let record = shared.record(&key).await.map_err(|_| Message::unavailable())?;
    shared.ask(&account, visit, record.unwrap_or_default()).await
}

/// Leads to the application's own page for that: in a window of its own, never in a frame.
fn sign_in(shared: &Shared, head: &Parts, visit: &ConsentVisit) -> Result<Response, Message> {
    let mut query = Serializer::new(String::new());
    query.append_pair("companyId", visit.company().as_str());
    if let Some(redirect) = visit.redirect() {
        query.append_pair("redirect", redirect.as_str());
    }
    let return_to = format!("{}?{}", shared.paths.consent, query.finish());
    let to = shared.hooks.sign_in(&return_to);
    if browser::is_in_window(&head.headers, shared.mode()) {
        let response = answer::see_other(&to, shared.mode(), &shared.origins);
        return response.ok_or_else(Message::unavailable);
    }
    Ok(shared.say(&Message::sign_in(), Next::Window(&to)))
}

impl Shared {
    /// Returns a page that says one thing.
    pub(super) fn say(&self, message: &Message, next: Next<'_>) -> Response {
        let html = page::message(message, next, &self.paths.consent);
        answer::page(message.status, html, self.mode(), &self.origins)
    }

    /// Returns the page that asks: for consent, or for a confirmation that is missing.
    async fn ask(
        &self,
        account: &Account,
        visit: ConsentVisit,
        record: IntegrationRecord<()>,
    ) -> Result<Response, Message> {
        let waits = record.attempt.as_ref().filter(|it| {
            it.tenant == *account.tenant() && matches!(it.phase, Phase::Integrated { .. })
        });
        if let Some(attempt) = waits {
            return self.ask_owner(account, visit, attempt.generation).await;
        }
        let (standing, from) = match record.binding {
            None => (Standing::Unconnected, None),
            Some(it) if it.tenant == *account.tenant() => (Standing::Ours, None),
            Some(it) if self.hooks.gives_up(&it.tenant, visit.company(), account).await => {
                (Standing::GivenUp, Some(it.tenant))
            }
            Some(_) => return Err(Message::elsewhere()),
        };
        let parties = self.parties(account, &visit).await;
        let ticket = self.ticket(account, visit.clone(), record.generation)?;
        let ticket = match from {
            Some(tenant) => ticket.taking_over_from(tenant),
            None => ticket,
        };
        let ticket = ticket.to_secret(&self.key);
        let path = &self.paths.consent;
        Ok(self.page(page::consent(&parties, standing, &*self.hooks, path, &ticket)))
    }

    /// Returns the page that asks the owner whether the credentials open the right company.
    pub(super) async fn ask_owner(
        &self,
        account: &Account,
        visit: ConsentVisit,
        generation: Generation,
    ) -> Result<Response, Message> {
        let parties = self.parties(account, &visit).await;
        let ticket = self.ticket(account, visit.clone(), generation)?.to_secret(&self.key);
        Ok(self.page(page::confirm(&parties, generation, &self.paths.consent, &ticket)))
    }

    /// Returns the page of an exchange that runs.
    pub(super) fn ask_to_wait(&self, ticket: &Secret, is_unsettled: bool) -> Response {
        self.page(page::wait(&self.paths.consent, ticket, is_unsettled))
    }

    fn page(&self, html: String) -> Response {
        answer::page(http::StatusCode::OK, html, self.mode(), &self.origins)
    }

    async fn parties<'a>(&'a self, account: &'a Account, visit: &'a ConsentVisit) -> Parties<'a> {
        let company = visit.company();
        let company_name = self.hooks.company_name(account, company).await;
        Parties { account, app: &self.registration, company, company_name }
    }

    fn ticket(
        &self,
        account: &Account,
        visit: ConsentVisit,
        seen: Generation,
    ) -> Result<ConsentTicket, Message> {
        let entropy = draw().map_err(|_| Message::unavailable())?;
        let (app, visitor) = (self.app.clone(), self.visitor(account));
        Ok(ConsentTicket::new(self.clock.now(), app, visit, visitor, seen, entropy))
    }

    pub(super) fn visitor(&self, account: &Account) -> Visitor {
        Visitor::new(&account.session, account.tenant.clone())
    }
}
