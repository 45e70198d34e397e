//! One run: a world, its processes, and time.

mod exchange;
mod mishap;
mod step;
mod store;

use std::collections::BTreeMap;
use std::time::Duration;

use sr_auth_core::fleet;
use sr_auth_core::lifecycle::{self, Application, Margins};
use sr_auth_core::store::{GrantKey, NewGrant, StoreIdentity, StoreOp, StoredToken};
use sr_auth_core::{
    ClientCredentials, Endpoints, Fingerprint, FingerprintKey, RefreshToken, ScopeSet, Secret,
    Timestamp,
};

use super::choices::Choices;
use super::coverage::Coverage;
use super::machines::{Ground, number};
use super::oracle::{Condition, Evidence, Given, Oracle, Rules, Shown, Violation};
use super::process::Process;
use super::queue::Queue;
use super::scenario::Scenario;
use super::slab::Slab;
use super::storage::{Storage, StoreDefect};
use super::trace::Trace;
use crate::simulator::{GrantId, Issued, Simulator, Successor, TokenErrors};
use crate::world::{Client, Company, SystemRole, User, World};
use exchange::Crossing;
use mishap::{Outage, Relief};
use store::Op;

/// Something that will happen.
#[derive(Clone, Copy, Debug)]
pub(super) enum Event {
    /// A request reaches the token endpoint.
    Arrives { crossing: u32, second: bool },
    /// A caller asks a process for a token.
    Calls { grant: u8, process: u8, resting: bool },
    /// A process hears of a request, or gives it up.
    Ends { crossing: u32 },
    /// It is time for a mishap.
    Happens,
    /// A mishap is over.
    Lifts(Relief),
    /// An operation reaches the store.
    OpArrives { op: u32 },
    /// A process hears of an operation, or gives it up.
    OpEnds { op: u32 },
    /// The faults are over.
    Rests,
    /// A machine's time has come.
    Wakes { incarnation: u32, process: u8 },
}

/// What came of a run.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Report {
    /// The bytes that decided it.
    pub choices: Vec<u8>,
    /// How many inputs the machines handled.
    pub events: u64,
    /// A number that is the same whenever the run is.
    pub hash: u64,
    /// What happened, a line each; only if it was asked for.
    pub lines: Vec<String>,
    /// The first promise that was broken.
    pub violation: Option<Violation>,
}

/// A world that runs.
#[derive(Debug)]
pub(super) struct Run<'a> {
    choices: &'a mut Choices,
    common: Ground,
    coverage: &'a mut Coverage,
    crossings: Slab<Crossing>,
    /// A fleet did not believe refusals.
    doubted: bool,
    end: Timestamp,
    events: u64,
    grants: Vec<Grant>,
    now: Timestamp,
    /// How many events happened at this moment.
    now_events: u32,
    ops: Slab<Op>,
    oracle: Oracle,
    outage: Outage,
    processes: Vec<Process>,
    queue: Queue<Event>,
    resting: bool,
    scenario: Scenario,
    simulator: Simulator,
    storage: Storage,
    /// What callers got last, for the lines.
    told: BTreeMap<(usize, usize), Shown>,
    trace: Trace,
    /// The token with which callers of a process last tried the API.
    tried: BTreeMap<(usize, usize), Fingerprint>,
}

/// A grant of the scenario.
#[derive(Debug)]
struct Grant {
    /// Its name at the server, if a user has given it.
    id: Option<GrantId>,
    revoked: bool,
}

const CLIENT: &str = "application";
const SERVICE: &str = "service";
const USER: &str = "user";
const COMPANY: &str = "company";
const CLIENT_SECRET: &str = "secret-of-the-application";
const BEGIN: Timestamp = Timestamp::from_unix_secs(1_800_000_000);

impl<'a> Run<'a> {
    /// Makes the world of a scenario, whose course the choices decide.
    pub(super) fn new(
        choices: &'a mut Choices,
        scenario: Scenario,
        defect: Option<StoreDefect>,
        coverage: &'a mut Coverage,
        readable: bool,
    ) -> Self {
        let common = common(&scenario);
        let margins = Margins::default();
        let rules = Rules {
            fence: margins.fence(),
            network: Duration::from_secs(5),
            recovery: scenario.recovery,
        };
        let mut simulator = Simulator::new(world(), 7);
        simulator.limit_journal(0);
        simulator.switches_mut().clone_from(&scenario.switches);
        coverage.mode(&scenario.switches);
        let mut storage = Storage::new(StoreIdentity(1), defect);
        if let Some(lag) = scenario.lag {
            storage.set_lag(lag);
        }
        let (grants, processes) = (scenario.grants, scenario.processes);
        let mut run = Self {
            choices,
            common,
            coverage,
            crossings: Slab::new(),
            doubted: false,
            end: BEGIN.after(scenario.length),
            events: 0,
            grants: (0..grants).map(|_| Grant { id: None, revoked: false }).collect(),
            now: BEGIN,
            now_events: 0,
            ops: Slab::new(),
            oracle: Oracle::new(rules, grants, processes),
            outage: Outage::default(),
            processes: (0..processes).map(|_| Process::new(BEGIN)).collect(),
            queue: Queue::new(),
            resting: false,
            scenario,
            simulator,
            storage,
            told: BTreeMap::new(),
            trace: Trace::new(readable),
            tried: BTreeMap::new(),
        };
        run.begin();
        run
    }

    /// Gives the first consents, starts the processes and the callers.
    fn begin(&mut self) {
        self.trace.say(self.now, format_args!("{:?}", self.scenario));
        let single_use = self.scenario.grants - self.scenario.repeatable;
        for grant in 0..self.scenario.grants {
            if grant < single_use {
                let new = self.consent(grant);
                let Some((key, new)) = self.common.keys.get(grant).cloned().zip(new) else {
                    continue;
                };
                let applied = self
                    .storage
                    .apply(self.now, StoreOp::Adopt { grant: new, key, only_if_missing: false });
                let no_evidence = (self.now, Evidence::default());
                self.tell_change(Some(grant), no_evidence, &applied);
            } else {
                self.oracle.repeatable(grant);
            }
        }
        for process in 0..self.scenario.processes {
            self.start(process);
            for grant in 0..self.scenario.grants {
                self.call_again(process, grant);
            }
        }
        self.mishap_again();
        let rest = self.scenario.length.saturating_sub(Scenario::REST);
        self.queue.put(self.now.after(rest), Event::Rests);
    }

    /// Runs to the end, or to the first broken promise.
    pub(super) fn run(mut self) -> Report {
        let end = self.end;
        while let Some((at, event)) = self.queue.take_before(end) {
            self.now_events = if at == self.now { self.now_events + 1 } else { 0 };
            self.now = at;
            self.happen(event);
            if self.scenario.is_long() {
                self.oracle.weather(at, self.is_well());
            }
            if self.now_events > 20_000 {
                self.oracle.runs_hot(at);
            }
            if self.oracle.verdict().is_some() {
                break;
            }
        }
        if self.oracle.verdict().is_none() {
            self.judge_rest(end);
        }
        self.coverage.excuses(self.oracle.excuses());
        for process in 0..self.processes.len() {
            self.count_events(process);
        }
        let violation = self.oracle.verdict().copied();
        if let Some(violation) = violation {
            self.trace.say(self.now, format_args!("{violation}"));
        }
        Report {
            choices: self.choices.read().to_vec(),
            events: self.events,
            hash: self.trace.hash(),
            lines: self.trace.into_lines(),
            violation,
        }
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Arrives { crossing, second } => self.arrives(crossing, second),
            Event::Calls { grant, process, resting } => {
                // When the faults are over, everybody begins to ask more often.
                if resting == self.resting {
                    self.calls(usize::from(process), usize::from(grant));
                }
            }
            Event::Ends { crossing } => self.ends(crossing),
            Event::Happens => self.mishap(),
            Event::Lifts(relief) => self.lift(relief),
            Event::OpArrives { op } => self.op_arrives(op),
            Event::OpEnds { op } => self.op_ends(op),
            Event::Rests => self.rest(),
            Event::Wakes { incarnation, process } => self.wakes(usize::from(process), incarnation),
        }
    }

    /// Tells whether nothing keeps an idle grant from its renewal.
    fn is_well(&self) -> bool {
        let Outage { secret, server, store, .. } = self.outage;
        let works =
            |it: &Process| it.machines.is_some() && !it.paused && !it.closing && !it.partitioned;
        !secret && !store && server.is_none() && self.processes.iter().any(works)
    }

    fn judge_rest(&mut self, end: Timestamp) {
        self.now = end;
        let odd = self.scenario.switches.token_errors == TokenErrors::Empty;
        let unrecognised = odd || self.doubted;
        let keeps = self.scenario.switches.successor == Successor::Kept;
        let condition = Condition { keeps, unrecognised };
        for grant in 0..self.scenario.grants {
            self.oracle.ages(end, grant);
            self.oracle.intents_rest(end, grant);
            self.oracle.successors_rest(end, grant);
            for process in 0..self.processes.len() {
                let Some(it) = self.processes.get(process) else { continue };
                let key = self.common.keys.get(grant);
                let Some((machines, key)) = it.machines.as_ref().zip(key) else { continue };
                let Some(shown) = machines.shown(it.clock.now(end), key) else { continue };
                self.oracle.rests(end, process, grant, shown, condition);
            }
        }
        let under_way = self.ops.len() + self.crossings.len();
        if under_way > 8 * self.scenario.processes * self.scenario.grants {
            self.oracle.runs_hot(end);
        }
    }

    /// A user gives consent: the server's tokens, as a grant for the store.
    fn consent(&mut self, grant: usize) -> Option<NewGrant<Secret>> {
        // The consent before this one is worth nothing from now on.
        if let Some(old) = self.grants.get(grant).and_then(|it| it.id) {
            self.simulator.revoke_grant(old);
        }
        let issued = self.simulator.consent(self.now, CLIENT, USER)?;
        let given = self.given(&issued);
        self.oracle.ages(self.now, grant);
        let expires_at = self.now.after(Simulator::ACCESS_TOKEN_LIFE);
        self.oracle.consented(grant, self.now, given);
        if let Some(place) = self.grants.get_mut(grant) {
            *place = Grant { id: issued.grant, revoked: false };
        }
        let refresh = RefreshToken::new(issued.refresh?, self.now).ok()?;
        let mut new = NewGrant::from_refresh_token(&refresh, &self.common.fingerprints);
        let margin = Duration::from_secs(30);
        new.access = Some(StoredToken {
            ends_at: expires_at.before(margin),
            fingerprint: given.access,
            renew_at: expires_at.before(margin * 20),
            value: issued.access,
        });
        Some(new)
    }

    fn given(&self, issued: &Issued) -> Given {
        let name = |secret: &Secret| self.common.fingerprints.fingerprint(secret);
        Given { access: name(&issued.access), refresh: issued.refresh.as_ref().map(name) }
    }

    fn name(&self, secret: Secret) -> Fingerprint {
        self.common.fingerprints.fingerprint(&secret)
    }
}

/// What all processes of a scenario have in common.
fn common(scenario: &Scenario) -> Ground {
    let secret = || Secret::new(CLIENT_SECRET.to_owned());
    let endpoints = Endpoints::production();
    let application = |id| {
        let client = ClientCredentials::new(id, secret()).expect("printable text");
        Application::new(client, endpoints.token().clone())
    };
    let key = |grant: usize| GrantKey::new(&format!("grant/{grant}")).expect("a short text");
    let settings = fleet::Settings::default()
        .with_capacity(number(scenario.capacity))
        .with_lifecycle(lifecycle::Settings::default().with_recovery(scenario.recovery))
        .with_pulse_every(scenario.pulse_every)
        .and_then(|it| it.with_scan_every(Duration::from_secs(1_800)))
        .expect("scenarios keep to the range");
    Ground {
        applications: [application(CLIENT), application(SERVICE)],
        endpoint: endpoints.token().as_str().parse().expect("it is a URL"),
        fingerprints: FingerprintKey::new([7; 32]),
        keys: (0..scenario.grants).map(key).collect(),
        repeatable: scenario.repeatable,
        settings,
    }
}

/// A server with one company, one user and a client of each kind.
fn world() -> World {
    let mut world = World::new();
    world.add_company(Company::new(COMPANY, "Company", "Company"));
    world.add_user(User::new(USER, COMPANY, "First", "Last", SystemRole::Administrator));
    for client in clients(CLIENT_SECRET) {
        world.add_client(client);
    }
    world
}

/// The clients, with a secret that may be another than the processes have.
fn clients(secret: &str) -> [Client; 2] {
    let scopes = || ScopeSet::parse("jobs_read").expect("a scope");
    let secret = || Secret::new(secret.to_owned());
    let role = SystemRole::Administrator;
    [
        Client::application(CLIENT, secret(), CLIENT, &[], scopes()),
        Client::service(SERVICE, secret(), SERVICE, COMPANY, role, scopes()),
    ]
}
