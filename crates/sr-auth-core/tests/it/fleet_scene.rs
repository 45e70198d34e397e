//! A fleet, a store and a token endpoint on a table, with a clock that is moved by hand.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU32;
use std::time::Duration;

use sr_auth_core::fleet::{ApplicationId, Fleet, FleetEvent, Input, Output, Settings};
use sr_auth_core::lifecycle::{self, Application, Availability, Event, Process};
use sr_auth_core::store::{
    GrantKey, Model, NewGrant, OwnerId, Record, Renewal, StoreIdentity, StoreOp,
};
use sr_auth_core::{
    Endpoints, FingerprintKey, Machine, RefreshToken, Secret, SecretBytes, Timestamp, Transmit,
};

use crate::fixture::{answer, at, client, secret};

/// What the token endpoint does.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Server {
    Answers,
    /// 503 without having acted.
    IsDown,
    RefusesTheClient,
    /// `invalid_grant`, whatever is presented.
    RefusesTheGrant,
    /// Answers when it is told to: see [`Scene::answer_all`].
    TakesItsTime,
    /// 429 and `Retry-After` in seconds.
    Throttles(u64),
}

pub(crate) struct Scene {
    pub(crate) application: ApplicationId,
    pub(crate) deaths: u32,
    pub(crate) drained: u32,
    pub(crate) events: Vec<(String, Event)>,
    pub(crate) fleet: Fleet,
    issued: u64,
    live: BTreeSet<String>,
    pub(crate) notices: Vec<FleetEvent>,
    pub(crate) now: Timestamp,
    /// Requests, by the moment at which they were made and the grant.
    pub(crate) requests: Vec<(Timestamp, String)>,
    pub(crate) server: Server,
    pub(crate) store: Model<Secret>,
    /// A store that does not answer.
    pub(crate) store_is_away: bool,
    waiting: BTreeMap<(String, u32), (sr_auth_core::fleet::GrantId, Transmit)>,
}

impl Scene {
    pub(crate) fn new(settings: Settings) -> Self {
        let now = at(1_000_000);
        let mut fleet = Fleet::new(now, process(7), settings);
        let application = fleet.register(now, application(), Renewal::SingleUse);
        Self {
            application,
            deaths: 0,
            drained: 0,
            events: Vec::new(),
            fleet,
            issued: 0,
            live: BTreeSet::new(),
            notices: Vec::new(),
            now,
            requests: Vec::new(),
            server: Server::Answers,
            store: Model::new(StoreIdentity(1)),
            store_is_away: false,
            waiting: BTreeMap::new(),
        }
    }

    /// Puts grants into the store, each with a refresh token of now.
    pub(crate) fn with_grants(mut self, count: u32) -> Self {
        for number in 0..count {
            let grant = self.consent();
            self.store.apply(
                self.now,
                StoreOp::Adopt { grant, key: key(number), only_if_missing: false },
            );
        }
        self
    }

    /// A user agrees.
    pub(crate) fn consent(&mut self) -> NewGrant<Secret> {
        let text = self.issue();
        let token = RefreshToken::new(secret(&text), self.now).expect("a token");
        NewGrant::from_refresh_token(&token, &fingerprints())
    }

    fn issue(&mut self) -> String {
        self.issued += 1;
        let token = format!("refresh-{}", self.issued);
        self.live.insert(token.clone());
        token
    }

    pub(crate) fn input(&mut self, input: Input) {
        self.fleet.handle_input(self.now, input);
        self.work();
    }

    pub(crate) fn want(&mut self, number: u32) {
        self.input(Input::Want { application: self.application, key: key(number) });
    }

    /// The API refuses the access token of a grant, if it has one.
    pub(crate) fn reject(&mut self, number: u32) {
        let found = self.fleet.find(&key(number));
        let found = found.and_then(|id| self.fleet.availability(self.now, id));
        if let Some(Availability::Ready(token)) = found {
            let fingerprint = token.fingerprint;
            self.input(Input::Rejected { fingerprint, key: key(number) });
        }
    }

    /// Lets time pass, to each moment that the fleet names.
    pub(crate) fn pass(&mut self, span: Duration) {
        let end = self.now.after(span);
        while let Some(next) = self.fleet.poll_timeout().filter(|it| *it <= end) {
            self.now = self.now.max(next);
            self.input(Input::Timeout);
        }
        self.now = end;
    }

    pub(crate) fn pass_secs(&mut self, secs: u64) {
        self.pass(Duration::from_secs(secs));
    }

    /// The server answers what it was asked.
    pub(crate) fn answer_all(&mut self) {
        self.answer_all_as(Server::Answers);
    }

    /// The server answers what it was asked in some way, and everything else as usual.
    pub(crate) fn answer_all_as(&mut self, server: Server) {
        self.server = server;
        while let Some((_, (grant, transmit))) = self.waiting.pop_first() {
            self.respond(grant, &transmit);
            self.server = Server::Answers;
            self.work();
            self.server = server;
        }
        self.server = Server::Answers;
    }

    pub(crate) fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// Whether a caller of a grant gets a token now.
    pub(crate) fn is_ready(&self, number: u32) -> bool {
        let found =
            self.fleet.find(&key(number)).and_then(|id| self.fleet.availability(self.now, id));
        matches!(found, Some(Availability::Ready(_)))
    }

    pub(crate) fn record(&self, number: u32) -> &Record<Secret> {
        self.store.record(&key(number)).expect("a record")
    }

    pub(crate) fn told(&self, what: impl Fn(&FleetEvent) -> bool) -> usize {
        self.notices.iter().filter(|it| what(it)).count()
    }

    fn work(&mut self) {
        while let Some(output) = self.fleet.poll_output() {
            match output {
                Output::Availability(_) => {}
                Output::Drained => self.drained += 1,
                Output::Event { event, key } => {
                    self.deaths += u32::from(matches!(event, Event::Died { .. }));
                    self.events.push((key.as_str().to_owned(), event));
                }
                Output::Notice(event) => self.notices.push(event),
                Output::Store { grant, request } => {
                    if self.store_is_away {
                        continue;
                    }
                    let (id, result) = (request.id, Ok(self.store.apply(self.now, request.op)));
                    let stored = lifecycle::Input::Stored { id, result };
                    let input = match (grant, stored) {
                        (Some(id), input) => Input::Grant { id, input },
                        (None, lifecycle::Input::Stored { id, result }) => {
                            Input::Stored { id, result }
                        }
                        (None, _) => unreachable!("made above"),
                    };
                    self.fleet.handle_input(self.now, input);
                }
                Output::Transmit { grant, transmit } => {
                    let name = self.fleet.key(grant).expect("resident").as_str().to_owned();
                    self.requests.push((self.now, name.clone()));
                    if self.server == Server::TakesItsTime {
                        self.waiting.insert((name, transmit.id.count()), (grant, transmit));
                    } else {
                        self.respond(grant, &transmit);
                    }
                }
            }
        }
    }

    fn respond(&mut self, id: sr_auth_core::fleet::GrantId, transmit: &Transmit) {
        let response = self.serve(transmit);
        let input = lifecycle::Input::Response { id: transmit.id, response };
        self.fleet.handle_input(self.now, Input::Grant { id, input });
    }

    fn serve(&mut self, transmit: &Transmit) -> http::Response<SecretBytes> {
        let body = String::from_utf8_lossy(transmit.request.body().expose()).into_owned();
        let presented = body.split('&').find_map(|it| it.strip_prefix("refresh_token="));
        let presented = presented.expect("a refresh token").to_owned();
        match self.server {
            Server::Answers | Server::TakesItsTime => {}
            Server::IsDown => return answer(503, ""),
            Server::RefusesTheClient => return answer(401, r#"{"error":"invalid_client"}"#),
            Server::RefusesTheGrant => return answer(400, r#"{"error":"invalid_grant"}"#),
            Server::Throttles(secs) => {
                let mut response = answer(429, "");
                response.headers_mut().insert(http::header::RETRY_AFTER, secs.into());
                return response;
            }
        }
        if !self.live.remove(&presented) {
            return answer(400, r#"{"error":"invalid_grant"}"#);
        }
        let next = self.issue();
        answer(
            200,
            &format!(
                r#"{{"access_token":"access-{}","expires_in":1799,"refresh_token":"{next}"}}"#,
                self.issued
            ),
        )
    }
}

/// Ten requests a second, bursts of ten.
pub(crate) fn settings() -> Settings {
    let ten = NonZeroU32::new(10).expect("not zero");
    Settings::default().with_budget(ten, ten)
}

/// For tests of weeks.
pub(crate) fn slow_pulse(settings: Settings) -> Settings {
    settings.with_pulse_every(Duration::from_secs(60)).expect("in range")
}

pub(crate) fn key(number: u32) -> GrantKey {
    GrantKey::new(&format!("planner/{number}")).expect("a key")
}

pub(crate) fn application() -> Application {
    Application::new(client(), Endpoints::production().token().clone())
}

pub(crate) fn process(owner: u128) -> Process {
    Process::new(OwnerId::new(owner), fingerprints())
}

fn fingerprints() -> FingerprintKey {
    FingerprintKey::new([7; 32])
}
