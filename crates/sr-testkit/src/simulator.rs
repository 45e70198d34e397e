//! A SmartRecruiters without sockets, clock or randomness: requests, time and a seed go in, answers
//! come out.

mod access;
mod answer;
mod apps;
mod authorize;
mod faults;
mod fingerprint;
mod form;
mod integrations;
mod iso_time;
mod journal;
mod ledger;
mod own_credentials;
mod page;
mod pages;
mod partner_call;
mod rate_limit;
mod recorder;
mod resources;
mod switches;
mod token;
mod truth;

pub use apps::Connection;
pub use faults::{Effect, Fault, Target};
pub use fingerprint::Fingerprint;
pub use integrations::{DisableRequests, IntegrationView};
pub use journal::JournalEntry;
pub use ledger::{GrantId, GrantView};
pub use own_credentials::{CredentialKind, CredentialView, NewCredential};
pub use partner_call::{
    PartnerCall, PartnerCallInput, PartnerCallOutput, PartnerCallRecord, PartnerStep,
};
pub use rate_limit::Slot;
pub use switches::{
    AccessTokenLife, AnswerScope, AutoDecision, BasicAuthentication, CodeReplay, DeclineSpaces,
    ErrorBody, ExchangeRedirect, ExpiresIn, InvalidClientStatus, LoopbackPort, MissingScope,
    OldAccessToken, PartnerAuthentication, Pkce, RefreshTokenType, RepeatedIntegration,
    RequestScope, ResponseType, SecondToken, SpentRefreshToken, Successor, Switch, SwitchError,
    Switches, TokenErrors, TokenShape, UnconsentedIntegration, UnreadableBody,
};

pub use truth::Issued;

pub(crate) use fingerprint::{Generator, Lookup, lookup};
#[cfg(feature = "server")]
pub(crate) use page::{document, escape};
#[cfg(feature = "server")]
pub(crate) use pages::{PAGES, RegistrationForm};

use std::time::Duration;

use http::{Request, Response};
use sr_auth_core::{Endpoints, SecretBytes, Timestamp};

use crate::world::World;
use answer::Handled;
use authorize::Tickets;
use faults::Faults;
use integrations::Integrations;
use journal::Journal;
use ledger::Ledger;
use pages::ShownOnce;
use rate_limit::RateLimits;

/// SmartRecruiters: authorization server and resource server, as documented.
///
/// It is sans-IO and deterministic: the same world, seed and requests give the same answers. What
/// the documentation leaves open is decided by [`Switches`].
///
/// # Examples
///
/// ```
/// use http::Request;
/// use sr_auth_core::{SecretBytes, Timestamp};
/// use sr_testkit::{Simulator, World};
///
/// let (world, _) = World::demo(7);
/// let mut simulator = Simulator::new(world, 7);
/// let request = Request::get("/v1/companies/AcmeLogistics/postings");
/// let request = request.body(SecretBytes::default()).expect("the request is complete");
/// let answer = simulator.handle(Timestamp::from_unix_secs(0), &request).into_response();
/// assert_eq!(answer.expect("nothing was lost").status(), 200);
/// ```
#[derive(Debug)]
pub struct Simulator {
    faults: Faults,
    integrations: Integrations,
    issued: Option<Issued>,
    journal: Journal,
    ledger: Ledger,
    limits: RateLimits,
    secrets: Generator,
    shown_once: ShownOnce,
    switches: Switches,
    tickets: Tickets,
    world: World,
}

/// What comes back for a request.
#[derive(Debug)]
#[expect(clippy::exhaustive_enums, reason = "whoever skips a case does not simulate a network")]
pub enum Reply {
    /// An answer.
    Answer {
        /// How long it takes.
        delay: Duration,
        /// The answer.
        response: Response<SecretBytes>,
    },
    /// The request was processed, and its answer was lost.
    LostAfter,
    /// The request was lost, and changed nothing.
    LostBefore,
}

impl Reply {
    /// Returns the answer, unless something was lost.
    #[must_use]
    pub fn into_response(self) -> Option<Response<SecretBytes>> {
        match self {
            Self::Answer { response, .. } => Some(response),
            Self::LostAfter | Self::LostBefore => None,
        }
    }
}

impl Simulator {
    /// How long an access token lives, from the moment when it was generated.
    pub const ACCESS_TOKEN_LIFE: Duration = Duration::from_secs(1_799);
    /// How long an authorization code lives, from the moment when it was issued.
    pub const CODE_LIFE: Duration = Duration::from_secs(30);

    /// Makes a simulator of a world, with the documented answers.
    #[must_use]
    pub fn new(world: World, seed: u64) -> Self {
        Self {
            faults: Faults::default(),
            integrations: Integrations::default(),
            issued: None,
            journal: Journal::default(),
            ledger: Ledger::default(),
            limits: RateLimits::default(),
            secrets: Generator::new(seed),
            shown_once: ShownOnce::default(),
            switches: Switches::default(),
            tickets: Tickets::default(),
            world,
        }
    }

    /// Lists the endpoints of the resource server, as `GET /jobs`, and what a caller needs at each,
    /// in words.
    pub fn endpoints() -> impl Iterator<Item = (String, &'static str)> {
        resources::listing()
    }

    /// Answers a request that takes no time.
    pub fn handle(&mut self, now: Timestamp, request: &Request<SecretBytes>) -> Reply {
        let (reply, slot) = self.begin(now, request);
        self.end(slot);
        reply
    }

    /// Takes in a request and decides its answer; the request counts as under way until its slot
    /// is given to [`end`](Self::end).
    pub fn begin(&mut self, now: Timestamp, request: &Request<SecretBytes>) -> (Reply, Slot) {
        let Some(fault) = self.faults.take(request.uri().path()) else {
            let handled = self.process(now, request);
            self.note(now, request, &handled, None);
            let reply = Reply::Answer { delay: Duration::ZERO, response: handled.response };
            return (reply, handled.slot);
        };
        let replacement = fault.effect.replacement();
        let lost_before = matches!(fault.effect, Effect::LostBefore);
        let processed = !lost_before && (fault.processed || replacement.is_none());
        let mut handled = if processed {
            self.process(now, request)
        } else {
            Handled::new(answer::empty(http::StatusCode::OK))
        };
        if let Some(response) = replacement {
            handled.response = response;
        }
        self.note(now, request, &handled, Some(&fault.effect));
        let (delay, response) = (fault.effect.delay(), handled.response);
        let reply = match fault.effect {
            Effect::LostAfter => Reply::LostAfter,
            Effect::LostBefore => Reply::LostBefore,
            Effect::Delay { .. }
            | Effect::Garbage
            | Effect::HugeBody { .. }
            | Effect::Redirect { .. }
            | Effect::Status { .. } => Reply::Answer { delay, response },
        };
        (reply, handled.slot)
    }

    /// Ends a request: its place among those at a time is free again.
    pub fn end(&mut self, slot: Slot) {
        self.limits.give_back(slot);
    }

    /// Plants a fault; faults for the same requests take effect in the order of planting.
    pub fn inject(&mut self, fault: Fault) {
        self.faults.add(fault);
    }

    /// Takes away all faults that still wait.
    pub fn clear_faults(&mut self) {
        self.faults.clear();
    }

    /// Returns the switches.
    #[must_use]
    pub const fn switches(&self) -> &Switches {
        &self.switches
    }

    /// Returns the switches to change them; what was issued before stays as it is.
    pub const fn switches_mut(&mut self) -> &mut Switches {
        &mut self.switches
    }

    /// Returns the world.
    #[must_use]
    pub const fn world(&self) -> &World {
        &self.world
    }

    /// Returns the world to change it: to add or revoke clients, keys and users.
    pub const fn world_mut(&mut self) -> &mut World {
        &mut self.world
    }

    /// Returns the requests, the oldest first.
    pub fn journal(&self) -> impl DoubleEndedIterator<Item = &JournalEntry> {
        self.journal.entries()
    }

    /// Returns how many requests the journal has let go, since it is bounded.
    #[must_use]
    pub const fn journal_dropped(&self) -> u64 {
        self.journal.dropped()
    }

    /// Sets how many requests the journal keeps, 10,000 at first. With none, requests are not
    /// looked at for it, which makes them several times cheaper.
    pub fn limit_journal(&mut self, entries: usize) {
        self.journal.set_limit(entries);
    }

    /// Empties the journal.
    pub fn clear_journal(&mut self) {
        self.journal.clear();
    }

    fn process(&mut self, now: Timestamp, request: &Request<SecretBytes>) -> Handled {
        match request.uri().path() {
            Endpoints::AUTHORIZATION_PATH => self.authorize(now, request),
            Endpoints::TOKEN_PATH => self.token(now, request),
            page::STYLE_PATH => Handled::new(page::style()),
            _ => {
                let handled = self.integration(now, request).or_else(|| self.page(request));
                handled.unwrap_or_else(|| self.resource(now, request))
            }
        }
    }

    fn throttled(&self, reason: &'static str) -> Handled {
        let body = self.switches.throttled_body;
        let status = http::StatusCode::TOO_MANY_REQUESTS;
        let handled = Handled::new(answer::undocumented(status, body, "Too many requests"));
        let handled = handled.because(reason);
        match self.switches.retry_after {
            Some(seconds) => handled.header(http::header::RETRY_AFTER, &seconds.to_string()),
            None => handled,
        }
    }
}
