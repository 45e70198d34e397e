//! One run: companies and their owners, processes of a partner, SmartRecruiters, and time.

mod exchange;
mod inbound;
mod owner;
mod store;

use std::time::Duration;

use sr_auth_core::{ClientCredentials, Endpoints, ScopeSet, Secret, Timestamp};
use sr_partner::consent::{RedirectOrigins, TicketKey};
use sr_partner::exchange::{ExchangeSettings, Probe, Verification};
use sr_partner::registration::InboundUrls;
use sr_partner::store::{IntegrationRecord, PartnerAnswer, PartnerOp};
use sr_partner::{AppId, CompanyId, IntegrationKey};

use super::coverage::PartnerCoverage;
use super::oracle::{Oracle, PAGE};
use super::scenario::PartnerScenario;
use super::storage::{PartnerDefect, Storage};
use crate::simulation::choices::Choices;
use crate::simulation::oracle::Invariant;
use crate::simulation::queue::Queue;
use crate::simulation::run::Report;
use crate::simulation::slab::Slab;
use crate::simulation::trace::Trace;
use crate::simulator::Simulator;
use crate::world::{Client, ClientKind, Company, PartnerApp, World};
use exchange::{Crossing, Exchange};
use inbound::{Call, Notice};
use owner::Form;
use store::Op;

/// Something that will happen.
#[derive(Clone, Copy, Debug)]
pub(super) enum Event {
    /// A request of an exchange reaches SmartRecruiters.
    Arrives { crossing: u32, second: bool },
    /// An exchange hears of its request.
    Ends { crossing: u32 },
    /// It is time for something that people, SmartRecruiters or fate do.
    Happens,
    /// The owner of an account decides about credentials that wait.
    Decides { company: u8, confirms: bool },
    /// A notification is on its way.
    Notifies { notice: u32 },
    /// An operation reaches the store.
    OpArrives { op: u32 },
    /// Whoever asked hears of it.
    OpEnds { op: u32 },
    /// The faults are over, and customers try again.
    Rests { round: u8 },
    /// A process is there again.
    Starts { process: u8 },
    /// The form of a consent page comes back.
    Submits { form: u32, process: u8 },
    /// SmartRecruiters answers a request for an access token.
    Tokens { who: Who, id: u32, of_company: bool },
    /// A machine's time has come.
    Wakes { who: Who },
}

/// A machine of a process.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Who {
    /// By its number.
    Call(u32),
    /// By its place.
    Exchange(u32),
}

/// A world that runs.
#[derive(Debug)]
pub(in crate::simulation) struct Run<'a> {
    calls: Vec<Option<Call>>,
    choices: &'a mut Choices,
    common: Knowledge,
    coverage: &'a mut PartnerCoverage,
    crossings: Slab<Crossing>,
    /// Numbers for bytes that look random, each used once.
    drawn: u64,
    end: Timestamp,
    events: u64,
    exchanges: Vec<Option<Exchange>>,
    forms: Vec<Form>,
    notices: Vec<Notice>,
    now: Timestamp,
    ops: Slab<Op>,
    oracle: Oracle,
    /// Whether each process runs, and after how many acts it dies.
    processes: Vec<Process>,
    queue: Queue<Event>,
    resting: bool,
    scenario: PartnerScenario,
    simulator: Simulator,
    storage: Storage,
    /// The tokens of ours that SmartRecruiters holds.
    tokens: Vec<Secret>,
    trace: Trace,
}

/// One of the places where a process runs.
#[derive(Clone, Copy, Debug, Default)]
struct Process {
    /// After so many acts it dies.
    dies_in: Option<u32>,
    is_down: bool,
}

/// What all processes know.
#[derive(Debug)]
struct Knowledge {
    keys: Vec<IntegrationKey>,
    master: ClientCredentials,
    origins: RedirectOrigins,
    settings: ExchangeSettings,
    ticket_key: TicketKey,
}

const BEGIN: Timestamp = Timestamp::from_unix_secs(1_800_000_000);
const APP: &str = "planner";
const MASTER: &str = "master";
const MASTER_SECRET: &str = "secret-of-the-partner";

impl<'a> Run<'a> {
    /// Makes the world of a scenario, whose course the choices decide.
    pub(in crate::simulation) fn new(
        choices: &'a mut Choices,
        scenario: PartnerScenario,
        defect: Option<PartnerDefect>,
        coverage: &'a mut PartnerCoverage,
        readable: bool,
    ) -> Self {
        let common = common(&scenario);
        let mut simulator = Simulator::new(world(&common.keys), 7);
        simulator.limit_journal(0);
        simulator.switches_mut().repeated_integration = scenario.repeated;
        simulator.switches_mut().partner_authentication = scenario.authentication;
        let mut run = Self {
            calls: Vec::new(),
            choices,
            coverage,
            crossings: Slab::new(),
            drawn: 0,
            end: BEGIN.after(scenario.length),
            events: 0,
            exchanges: Vec::new(),
            forms: Vec::new(),
            notices: Vec::new(),
            now: BEGIN,
            ops: Slab::new(),
            oracle: Oracle::new(scenario.companies, scenario.reconciliation),
            processes: vec![Process::default(); scenario.processes],
            queue: Queue::new(),
            resting: false,
            simulator,
            storage: Storage::new(defect),
            tokens: Vec::new(),
            trace: Trace::new(readable),
            common,
            scenario,
        };
        run.trace.say(run.now, format_args!("{:?}", run.scenario));
        run.connects(0, false);
        run.queue.put(run.now.after(Duration::from_secs(60)), Event::Happens);
        let rests = run.scenario.length.saturating_sub(PartnerScenario::REST);
        run.queue.put(run.now.after(rests), Event::Rests { round: 0 });
        run
    }

    /// Runs to the end, or to the first broken promise.
    pub(in crate::simulation) fn run(mut self) -> Report {
        let end = self.end;
        while let Some((at, event)) = self.queue.take_before(end) {
            self.now = at;
            self.events += 1;
            self.happen(event);
            if self.oracle.verdict().is_some() {
                break;
            }
            if self.events > 400_000 {
                self.oracle.breaks(at, Invariant::Bounded, 0, "it never comes to rest");
            }
        }
        if self.oracle.verdict().is_none() {
            self.now = end;
            self.judge_rest();
        }
        let violation = self.oracle.verdict();
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
            Event::Decides { company, confirms } => self.decides(usize::from(company), confirms),
            Event::Ends { crossing } => self.ends(crossing),
            Event::Happens => self.happens(),
            Event::Notifies { notice } => self.notifies(notice),
            Event::OpArrives { op } => self.op_arrives(op),
            Event::OpEnds { op } => self.op_ends(op),
            Event::Rests { round } => self.rests(round),
            Event::Starts { process } => {
                if let Some(it) = self.processes.get_mut(usize::from(process)) {
                    it.is_down = false;
                }
            }
            Event::Submits { form, process } => self.submits(form, usize::from(process)),
            Event::Tokens { who, id, of_company } => self.tokens_arrive(who, id, of_company),
            Event::Wakes { who: Who::Call(place) } => self.wakes_call(place),
            Event::Wakes { who: Who::Exchange(place) } => self.wakes_exchange(place),
        }
    }

    /// Has an operation carried out at this moment, and judged.
    fn apply(&mut self, op: PartnerOp<Secret>) -> PartnerAnswer<Secret> {
        let answer = self.storage.apply(self.now, op.clone());
        let (now, line) = (self.now, (op.name(), answer.outcome.name()));
        self.trace.step(now, 1, number(line.0), number(line.1));
        self.trace.say(now, format_args!("store: {}: {}", line.0, line.1));
        let keys = self.common.keys.iter();
        let records: Vec<_> = keys.map(|key| (key, self.storage.record(key))).collect();
        self.oracle.changed(now, &op, &answer.outcome, &records);
        answer
    }

    fn key(&self, company: usize) -> Option<IntegrationKey> {
        self.common.keys.get(company).cloned()
    }

    fn record(&self, company: usize) -> Option<&IntegrationRecord<Secret>> {
        self.storage.record(self.common.keys.get(company)?)
    }

    /// Tells whether a client is one that SmartRecruiters made for a company.
    fn is_theirs(simulator: &Simulator, key: &IntegrationKey, client: &str) -> bool {
        // One that was revoked is not known any more.
        simulator.world().client(client).is_none_or(|it| match &it.kind {
            ClientKind::Service { company, .. } => company == key.company.as_str(),
            ClientKind::Application { .. } | ClientKind::Master { .. } => false,
        })
    }

    /// Bytes that look random, and never come twice.
    fn draw<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        for byte in &mut bytes {
            self.drawn = self.drawn.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mixed = (self.drawn ^ (self.drawn >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            *byte = (mixed >> 56) as u8;
        }
        bytes
    }

    /// Counts an act of a process, which may be its last; `false` when it is.
    fn acts(&mut self, process: usize) -> bool {
        let Some(it) = self.processes.get_mut(process) else { return false };
        match it.dies_in {
            Some(0) => {
                self.crash(process);
                false
            }
            Some(left) => {
                it.dies_in = Some(left - 1);
                true
            }
            None => true,
        }
    }

    /// Ends a process: whatever it had in mind is gone.
    fn crash(&mut self, process: usize) {
        let Some(it) = self.processes.get_mut(process) else { return };
        *it = Process { dies_in: None, is_down: true };
        self.trace.say(self.now, format_args!("process {process} dies"));
        self.exchanges_die(process);
        let back = self.choices.span(Duration::from_secs(20)) + Duration::from_millis(1);
        let process = u8::try_from(process).unwrap_or(u8::MAX);
        self.queue.put(self.now.after(back), Event::Starts { process });
    }
}

fn common(scenario: &PartnerScenario) -> Knowledge {
    let why = "the names of the simulation are valid";
    let app = AppId::new(APP).expect(why);
    let key = |number: usize| {
        let company = CompanyId::new(&format!("60d1a4e{number}")).expect(why);
        IntegrationKey { app: app.clone(), company }
    };
    let secret = Secret::new(MASTER_SECRET.to_owned());
    let mut settings = ExchangeSettings::new(&Endpoints::production())
        .calling_us(ScopeSet::parse("interviews_read").expect(why))
        .with_reconciliation(scenario.reconciliation);
    if scenario.probes {
        let probe = Probe::new("/configuration/company", "/id").expect(why);
        settings = settings.with_verification(Verification::Probe(probe));
    }
    debug_assert!(PAGE.starts_with("https://www.smartrecruiters.com/"));
    Knowledge {
        keys: (0..scenario.companies).map(key).collect(),
        master: ClientCredentials::new(MASTER, secret).expect(why),
        origins: RedirectOrigins::production(),
        settings,
        ticket_key: TicketKey::new([9; 32]),
    }
}

fn world(keys: &[IntegrationKey]) -> World {
    let why = "the names of the simulation are valid";
    let mut world = World::new();
    let app = AppId::new(APP).expect(why);
    for key in keys {
        let id = key.company.as_str();
        world.add_company(Company::new(id, id, "a company"));
    }
    let inbound = InboundUrls::new("https://planner.example/oauth/token").expect(why);
    let inbound = inbound.with_callback("https://planner.example/callback").expect(why);
    let scopes = ScopeSet::parse("company_read jobs_read").expect(why);
    world.add_client(Client::master(MASTER, Secret::new(MASTER_SECRET.to_owned()), &app));
    world.add_partner_app(PartnerApp::new(app, scopes).with_inbound(inbound));
    world
}

/// A name as a number, for the trace.
fn number(name: &str) -> u64 {
    name.bytes().fold(7, |sum, byte| sum.wrapping_mul(31).wrapping_add(u64::from(byte)))
}
