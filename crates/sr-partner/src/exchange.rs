//! The exchange of credentials: one consent becomes one integration.
//!
//! ```text
//!  Consent ─▶ Begin ─▶ master token ─▶ Arm ─▶ Posting ── credentials ──▶ Commit ─▶ verified? ──▶ Activate
//!              │ store    │ outside     │ store  │ ▲                       store      │   │          │ store
//!              ▼          ▼             ▼        │ └─ 401: token renewed once,        │   ▼          ▼
//!            Failed     Void ─▶ Failed  Failed   │    or provably not sent            │  AwaitsOwner Bound
//!                                                ├─ refused: Void ─▶ Failed           └─ another company:
//!                                                └─ nobody knows: Unsettled              Void ─▶ Failed
//!                                                      │ late answer: Commit
//!                                                      └ quiet period over: Failed, or once more
//! ```
//!
//! Our credentials are durable, as a digest, before the request leaves; what SmartRecruiters answers
//! is durable before anybody is told; a request that may have arrived is not repeated blindly, since
//! what a second one does is not documented. One outcome is announced, and before it at most one
//! [`Unsettled`](ExchangeEvent::Unsettled).

mod event;
mod held;
mod message;
mod probing;
mod settings;
mod store_step;

pub use event::{ExchangeError, ExchangeEvent, StoreStep, Unverified};
pub use message::{Input, Output, TokenOf, TokenRequest, TokenRequestId};
pub use settings::{ExchangeSettings, ExchangeSpans, Probe, Reconciliation, Verification};

use sr_auth_core::{
    AccessToken, GrantError, Machine, Remedy, SecretBytes, Timestamp, TransmitId, TransportFailure,
};

use crate::consent::Consent;
use crate::store::{PartnerOutcome, Verified};
use crate::wire::integrations::{self, IntegrationAnswer};
use held::Held;
use probing::Probing;
use store_step::{Step, Storing};

/// Turns one consent into one integration.
///
/// # Examples
///
/// ```
/// # use sr_auth_core::store::Generation;
/// # use sr_auth_core::{Endpoints, Machine, ScopeSet, Secret, Timestamp};
/// # use sr_partner::consent::*;
/// # use sr_partner::exchange::*;
/// # use sr_partner::{AppId, TenantId};
/// # let app = AppId::new("planner")?;
/// # let origins = RedirectOrigins::production();
/// # let visit = ConsentVisit::parse("companyId=5f1b", ConsentDisplayMode::Popup, &origins)?;
/// # let visitor = Visitor::new(&Secret::new("cookie".into()), TenantId::new("acme")?);
/// # let (now, key) = (Timestamp::from_unix_secs(0), TicketKey::new([7; 32]));
/// # let seen = Generation::default();
/// # let ticket = ConsentTicket::new(now, app.clone(), visit, visitor.clone(), seen, [1; 32]);
/// # let form = ticket.to_secret(&key);
/// # let consent = ConsentTicket::accept(&form, &key, now, &app, &visitor, &origins)?;
/// let settings = ExchangeSettings::new(&Endpoints::production())
///     .calling_us(ScopeSet::parse("interviews_read")?);
/// let mut exchange = IntegrationExchange::new(now, settings, consent, [7; 80]);
/// let Some(Output::Store(first)) = exchange.poll_output() else { unreachable!() };
/// assert_eq!(first.op.name(), "Begin", "durable before anything leaves");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct IntegrationExchange {
    held: Held,
    state: State,
}

/// Where it stands; secrets live beside it.
#[derive(Clone, Copy, Debug)]
enum State {
    /// Somebody was asked for an access token.
    Asking {
        id: TokenRequestId,
        give_up_at: Timestamp,
        of: AskedFor,
    },
    Done,
    /// The request is under way.
    Posting {
        id: TransmitId,
        give_up_at: Timestamp,
    },
    /// The call that names the company is under way, or will be made again.
    Probing(Probing),
    /// The store was given an operation, or will be.
    Storing(Storing),
    /// Nobody knows what became of the request.
    Unsettled {
        id: TransmitId,
        until: Timestamp,
    },
}

#[derive(Clone, Copy, Debug)]
enum AskedFor {
    Customer,
    Master,
}

impl IntegrationExchange {
    /// Begins the exchange; the first operation is ready in [`Machine::poll_output`].
    ///
    /// `entropy` is fresh for each: 32 bytes for our client id, 32 for its secret, 16 for the name of
    /// this run.
    #[must_use]
    pub fn new(
        now: Timestamp,
        settings: ExchangeSettings,
        consent: Consent,
        entropy: [u8; 80],
    ) -> Self {
        let mut held = Held::new(settings, consent, entropy);
        let state = State::Storing(held.store(now, Step::Begin, 1));
        Self { held, state }
    }

    fn store(&mut self, now: Timestamp, step: Step) -> State {
        State::Storing(self.held.store(now, step, 1))
    }

    fn ask(&mut self, now: Timestamp, of: AskedFor) -> State {
        let give_up_at = now.after(self.held.settings.spans.token_within);
        let id = match of {
            AskedFor::Customer => self.held.ask_for_customer_token(),
            AskedFor::Master => self.held.ask_for_master_token(),
        };
        State::Asking { id, give_up_at, of }
    }

    /// The store has done what it was asked for, or said why not.
    fn stored(
        &mut self,
        now: Timestamp,
        step: Step,
        outcome: PartnerOutcome<sr_auth_core::Secret>,
    ) -> State {
        match (step, outcome) {
            (Step::Begin, PartnerOutcome::Done(record)) => {
                self.held.generation = record.generation;
                self.ask(now, AskedFor::Master)
            }
            (Step::Arm, PartnerOutcome::Done(_)) => self.post(now),
            (Step::Commit, PartnerOutcome::Done(_)) => self.verify(now),
            (Step::Activate(verified), PartnerOutcome::Done(_)) => self.bound(verified),
            (Step::Void(error), _) => self.fail(error),
            (_, PartnerOutcome::Taken(_)) => self.fail(ExchangeError::Taken),
            (_, PartnerOutcome::Moved(_)) => self.fail(ExchangeError::Moved),
            (_, PartnerOutcome::Busy { until, .. }) => self.fail(ExchangeError::Busy { until }),
            (_, PartnerOutcome::BoundElsewhere(_)) => self.fail(ExchangeError::BoundElsewhere),
            // Whatever else: the attempt is not ours to go on with.
            (Step::Activate(_) | Step::Arm | Step::Begin | Step::Commit, _) => {
                self.fail(ExchangeError::Superseded)
            }
        }
    }

    /// The store has failed, or did not answer in time.
    fn not_stored(&mut self, now: Timestamp, storing: Storing) -> State {
        match self.held.offer_later(now, storing) {
            Some(later) => State::Storing(later),
            None => self.fail(storing.step.failure()),
        }
    }

    fn master_token(&mut self, now: Timestamp, result: Result<AccessToken, GrantError>) -> State {
        match result {
            Ok(token) => {
                self.held.master = Some(token);
                self.store(now, Step::Arm)
            }
            Err(error) => self.give_up(now, ExchangeError::MasterToken { remedy: error.remedy() }),
        }
    }

    fn no_token(&mut self, now: Timestamp, of: AskedFor) -> State {
        match of {
            AskedFor::Customer => self.await_owner(Unverified::NoToken),
            AskedFor::Master => {
                let remedy = Remedy::RetryLater { at: None };
                self.give_up(now, ExchangeError::MasterToken { remedy })
            }
        }
    }

    fn post(&mut self, now: Timestamp) -> State {
        let spans = self.held.settings.spans;
        // The announcement is only as good as its quiet period: a process that slept since must not
        // send, for the store may believe by now that the request is over.
        let not_after = self.held.armed_at.after(spans.fence);
        let Some(id) = self.held.post(now, not_after) else {
            return self.not_sent(now);
        };
        State::Posting { id, give_up_at: not_after.after(spans.answer) }
    }

    /// Provably nothing left: the same request may be announced again.
    fn not_sent(&mut self, now: Timestamp) -> State {
        let spans = self.held.settings.spans;
        if self.held.posts < spans.posts {
            return State::Storing(Storing::at(Step::Arm, now.after(spans.pause)));
        }
        self.give_up(now, ExchangeError::Unavailable)
    }

    fn judge(&mut self, now: Timestamp, answer: IntegrationAnswer, id: TransmitId) -> State {
        match answer {
            IntegrationAnswer::Integrated(integrated) => {
                self.held.integrated = Some(integrated);
                self.store(now, Step::Commit)
            }
            IntegrationAnswer::Unauthenticated if !self.held.renewed => {
                self.held.renewed = true;
                self.ask(now, AskedFor::Master)
            }
            IntegrationAnswer::Unauthenticated => {
                let remedy = Remedy::FixConfiguration;
                self.give_up(now, ExchangeError::MasterToken { remedy })
            }
            IntegrationAnswer::Duplicate => self.give_up(now, ExchangeError::AlreadyIntegrated),
            IntegrationAnswer::Refused { message, status } => {
                self.held.message = message;
                self.give_up(now, ExchangeError::Refused { status })
            }
            IntegrationAnswer::Throttled { retry_at } => {
                self.give_up(now, ExchangeError::Throttled { retry_at })
            }
            IntegrationAnswer::Unclear => self.unsettled(now, id),
        }
    }

    /// Nothing comes of it. What was invented is voided, unless an earlier request may have brought
    /// it to SmartRecruiters: then it ends by itself.
    fn give_up(&mut self, now: Timestamp, error: ExchangeError) -> State {
        if self.held.doubted {
            return self.fail(error);
        }
        self.store(now, Step::Void(error))
    }

    fn unsettled(&mut self, now: Timestamp, id: TransmitId) -> State {
        self.held.doubt();
        let until = self.held.armed_at.after(self.held.settings.spans.quiet).max(now);
        State::Unsettled { id, until }
    }

    /// An answer came after it was given up.
    fn answered_late(
        &mut self,
        now: Timestamp,
        id: TransmitId,
        until: Timestamp,
        response: &http::Response<SecretBytes>,
    ) -> State {
        let answer = integrations::classify(response, now);
        if let IntegrationAnswer::Unclear = answer {
            return State::Unsettled { id, until };
        }
        self.held.answered_late();
        self.judge(now, answer, id)
    }

    /// The quiet period is over, and no answer came.
    fn settle(&mut self, now: Timestamp) -> State {
        let again = self.held.settings.reconciliation == Reconciliation::PostOnceMore;
        if again && !self.held.reposted {
            self.held.reposted = true;
            // The token may have ended meanwhile; a new one costs nothing.
            return self.ask(now, AskedFor::Master);
        }
        self.fail(ExchangeError::OutcomeUnknown)
    }

    fn bound(&mut self, verified: Verified) -> State {
        let event = self.held.bound(verified);
        self.finish(event)
    }

    fn await_owner(&mut self, why: Unverified) -> State {
        let event = self.held.awaits_owner(why);
        self.finish(event)
    }

    fn fail(&mut self, error: ExchangeError) -> State {
        self.finish(ExchangeEvent::Failed(error))
    }

    fn finish(&mut self, event: ExchangeEvent) -> State {
        self.held.tell(event);
        self.held.forget_secrets();
        State::Done
    }

    /// Returns the server's own words for a refusal, if it sent any. Text from the server.
    #[must_use]
    pub const fn refusal_message(&self) -> Option<&sr_auth_core::ServerText> {
        self.held.message.as_ref()
    }

    /// Returns the generation of the attempt, once it has begun.
    #[must_use]
    pub const fn generation(&self) -> sr_auth_core::store::Generation {
        self.held.generation
    }

    /// The connection of the request broke, or was never there.
    fn post_failed(
        &mut self,
        now: Timestamp,
        id: TransmitId,
        failure: TransportFailure,
        received: Option<&http::Response<SecretBytes>>,
    ) -> State {
        match (failure, received.and_then(integrations::salvage)) {
            (_, Some(integrated)) => self.judge(now, IntegrationAnswer::Integrated(integrated), id),
            (TransportFailure::AfterSend, None) => self.unsettled(now, id),
            (TransportFailure::BeforeSend, None) => self.not_sent(now),
        }
    }
}

impl Machine for IntegrationExchange {
    type Input = Input;
    type Output = Output;

    fn handle_input(&mut self, now: Timestamp, input: Input) {
        self.state = match (self.state, input) {
            (State::Storing(storing), Input::Stored { id, result }) if storing.waits_for(id) => {
                match result {
                    Ok(answer) => self.stored(now, storing.step, answer.outcome),
                    Err(_) => self.not_stored(now, storing),
                }
            }
            (State::Storing(storing), Input::Timeout) if now >= storing.wake_at() => {
                match storing.is_offered() {
                    true => self.not_stored(now, storing),
                    false => State::Storing(self.held.store(now, storing.step, storing.tries)),
                }
            }
            (State::Asking { id, of, .. }, Input::Token { id: answered, result })
                if id == answered =>
            {
                match of {
                    AskedFor::Customer => self.customer_token(now, result),
                    AskedFor::Master => self.master_token(now, result),
                }
            }
            (State::Asking { give_up_at, of, .. }, Input::Timeout) if now >= give_up_at => {
                self.no_token(now, of)
            }
            (State::Posting { id, .. }, Input::Response { id: of, response }) if id == of => {
                self.judge(now, integrations::classify(&response, now), id)
            }
            (State::Posting { id, .. }, Input::TransportFailed { id: of, failure, received })
                if id == of =>
            {
                self.post_failed(now, id, failure, received.as_ref())
            }
            (State::Posting { id, give_up_at }, Input::Timeout) if now >= give_up_at => {
                self.unsettled(now, id)
            }
            (State::Unsettled { id, until }, Input::Response { id: of, response }) if id == of => {
                self.answered_late(now, id, until, &response)
            }
            (State::Unsettled { until, .. }, Input::Timeout) if now >= until => self.settle(now),
            (State::Probing(probing), input) => self.probing(now, probing, input),
            // An early timeout, or an answer to something that was given up.
            (unchanged, _) => unchanged,
        };
    }

    fn poll_output(&mut self) -> Option<Output> {
        self.held.outputs.pop_front()
    }

    fn poll_timeout(&self) -> Option<Timestamp> {
        match self.state {
            State::Asking { give_up_at, .. } | State::Posting { give_up_at, .. } => {
                Some(give_up_at)
            }
            State::Done => None,
            State::Probing(Probing::Pausing { retry_at, .. }) => Some(retry_at),
            State::Probing(Probing::Waiting { give_up_at, .. }) => Some(give_up_at),
            State::Storing(storing) => Some(storing.wake_at()),
            State::Unsettled { until, .. } => Some(until),
        }
    }
}
