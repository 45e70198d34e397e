//! The form of the consent page: what a person has decided.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Request, State};
use axum::response::Response;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, StatusCode};
use sr_auth_core::Secret;
use sr_partner::consent::{Consent, ConsentTicket};
use sr_partner::exchange::ExchangeError;
use sr_partner::store::Phase;
use tokio::sync::watch;
use tracing::info;
use url::form_urlencoded;

use crate::body::{read, to_socket};
use crate::page::{Message, Next};
use crate::running::{Ending, Progress, Running};
use crate::service::Shared;
use crate::{Account, answer, browser};

/// The longest form that is read: a ticket, escaped.
const FORM_LIMIT: usize = 3 * ConsentTicket::LIMIT;
/// How long a browser waits for the exchange, before the person is told that it takes its time.
const PATIENCE: Duration = Duration::from_secs(20);

/// What the person has pressed.
#[derive(Clone, Copy, Debug)]
enum Decision {
    Allow,
    Confirm,
    Decline,
    Undo,
}

/// Takes in a decision.
pub(super) async fn decide(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    decided(&shared, request).await.unwrap_or_else(|message| shared.say(&message, Next::Nothing))
}

async fn decided(shared: &Arc<Shared>, request: Request) -> Result<Response, Message> {
    if !browser::is_from_us(request.headers(), &shared.paths.origin) {
        return Err(Message::foreign());
    }
    let request = read(request, FORM_LIMIT).await.map_err(Message::unreadable)?;
    let (head, body) = request.into_parts();
    let account = shared.hooks.signed_in(&head).await.map_err(|_| Message::unavailable())?;
    let account = account.ok_or_else(Message::signed_out)?;
    if !account.may_connect {
        return Err(Message::no_authority());
    }
    let (decision, ticket) = form(&head.headers, body.expose())
        .ok_or_else(|| Message::unreadable(StatusCode::BAD_REQUEST))?;
    let (now, visitor) = (shared.clock.now(), shared.visitor(&account));
    let consent =
        ConsentTicket::accept(&ticket, &shared.key, now, &shared.app, &visitor, &shared.origins);
    let consent = consent.map_err(Message::ticket)?;
    let (key, generation) = (consent.key(), consent.seen());
    let joins = matches!(decision, Decision::Allow | Decision::Confirm);
    if joins && !shared.hooks.may_join(&account, &key.company).await {
        return Err(Message::other_company());
    }
    match decision {
        Decision::Allow => shared.connect(&account, consent, &ticket).await,
        Decision::Confirm => {
            let confirmed = shared.confirm(key, generation, consent.tenant()).await;
            confirmed.map_err(|it| Message::failed(&it.into()))?;
            Ok(shared.send_back(&consent))
        }
        Decision::Decline => {
            info!(target: "sr_partner", %key, "declined");
            Ok(shared.say(&Message::declined(), Next::Nothing))
        }
        Decision::Undo => {
            let given_up = shared.give_up(key, generation, consent.tenant()).await;
            given_up.map_err(|it| Message::failed(&it.into()))?;
            Ok(shared.say(&Message::given_up(), Next::Nothing))
        }
    }
}

impl Shared {
    /// Begins the exchange or joins it, and waits for a while.
    async fn connect(
        self: &Arc<Self>,
        account: &Account,
        consent: Consent,
        ticket: &Secret,
    ) -> Result<Response, Message> {
        let progress = Running::begin(self, consent.clone()).ok_or_else(Message::too_many)?;
        match wait(progress).await {
            Progress::Over(Ending::Connected) => Ok(self.send_back(&consent)),
            Progress::Over(Ending::AwaitsOwner(generation)) => {
                self.ask_owner(account, consent.to_visit(), generation).await
            }
            Progress::Over(Ending::Failed(ExchangeError::Taken)) => {
                self.look_back(account, &consent, ticket).await
            }
            Progress::Over(Ending::Failed(error)) => Err(Message::failed(&error)),
            Progress::Running => Ok(self.ask_to_wait(ticket, false)),
            Progress::Unsettled => Ok(self.ask_to_wait(ticket, true)),
        }
    }

    /// Tells what came of a consent that was carried out before: here, or in another process.
    async fn look_back(
        &self,
        account: &Account,
        consent: &Consent,
        ticket: &Secret,
    ) -> Result<Response, Message> {
        let record = self.record(consent.key()).await.map_err(|_| Message::unavailable())?;
        let record = record.unwrap_or_default();
        if record.binding.is_some_and(|it| it.attempt == consent.attempt()) {
            return Ok(self.send_back(consent));
        }
        match record.attempt.filter(|it| it.id == consent.attempt()) {
            Some(attempt) => match attempt.phase {
                Phase::Integrated { .. } => {
                    self.ask_owner(account, consent.to_visit(), attempt.generation).await
                }
                Phase::Posting { .. } => Ok(self.ask_to_wait(ticket, true)),
                Phase::Prepared { .. } => Ok(self.ask_to_wait(ticket, false)),
            },
            None => Err(Message::failed(&ExchangeError::Taken)),
        }
    }

    /// Sends the browser back to SmartRecruiters, or says that all is done where it stays.
    fn send_back(&self, consent: &Consent) -> Response {
        match consent.back().to_response() {
            Some(back) => answer::guarded(to_socket(back), self.mode(), &self.origins),
            None => self.say(&Message::connected(), Next::Nothing),
        }
    }
}

/// Waits until something can be said.
async fn wait(mut progress: watch::Receiver<Progress>) -> Progress {
    let over = progress.wait_for(|it| !matches!(it, Progress::Running));
    match tokio::time::timeout(PATIENCE, over).await {
        Ok(Ok(it)) => *it,
        // The task broke: what it has done is in the store.
        Ok(Err(_)) => Progress::Over(Ending::Failed(ExchangeError::Taken)),
        Err(_) => Progress::Running,
    }
}

fn form(headers: &HeaderMap, body: &[u8]) -> Option<(Decision, Secret)> {
    let kind = headers.get(CONTENT_TYPE)?.to_str().ok()?;
    let kind = kind.split(';').next().unwrap_or_default().trim();
    if body.len() > FORM_LIMIT || !kind.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
        return None;
    }
    let (mut decision, mut ticket) = (None, None);
    for (name, value) in form_urlencoded::parse(body) {
        match &*name {
            "decision" => decision = Some(value),
            "ticket" => ticket = Some(Secret::new(value.into_owned())),
            _ => {}
        }
    }
    let decision = match &*decision? {
        "allow" => Decision::Allow,
        "confirm" => Decision::Confirm,
        "decline" => Decision::Decline,
        "undo" => Decision::Undo,
        _ => return None,
    };
    Some((decision, ticket?))
}
