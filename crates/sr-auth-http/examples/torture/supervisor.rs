//! The run: a sandbox, workers over one store, and whoever kills them.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use sr_auth_core::lifecycle::StoreFailure;
use sr_auth_core::store::{
    Health, LedgerEvent, NewGrant, OwnerId, Record, Sequence, StoreOp, StoreOutcome,
};
use sr_auth_core::{
    ClientAuthentication, Fingerprint as StoreName, FingerprintKey, RefreshToken, Secret, Timestamp,
};
use sr_auth_http::{Clock, entropy};
use sr_auth_store::{SealingKeys, Store};
use sr_testkit::{
    AccessTokenLife, DemoCredentials, Effect, Fault, Fingerprint, Sandbox, SandboxSettings, Target,
};

use tokio::task::JoinHandle;

use crate::Failure;
use crate::chance::Chance;
use crate::children::{Sayings, Worker};
use crate::facts::{Consent, Facts, Fate, Instance, Presentation};
use crate::judge::judge;
use crate::options::Options;
use crate::place::{self, Place};
use crate::report;
use crate::worker::{Orders, key};

/// How often the supervisor looks at everything.
const GLANCE: Duration = Duration::from_millis(10);
/// At how many glances one look at the store happens.
const GLANCES: u32 = 12;
/// A store that takes longer for a change counts as closed meanwhile.
const OPEN_WITHIN: Duration = Duration::from_millis(200);
/// How long a server may take for a connection and for an answer before the next look goes on.
const ANSWERS_WITHIN: Duration = Duration::from_millis(1_500);
/// How long an answer of the token endpoint takes at most, on purpose.
const LONGEST_ANSWER_MS: u64 = 400;

/// Runs it all; tells whether nothing was done against the rules.
pub(crate) async fn run(options: &Options) -> Result<bool, Failure> {
    let folder = tempfile::tempdir()?;
    let mut run = Run::begin(options, folder.path().to_owned()).await?;
    run.torture().await?;
    run.rest().await?;
    let now = run.sandbox.now();
    let verdict = judge(&run.facts, options.scale, now);
    let tally = run.sayings.tally();
    let counts = (run.kills, run.stops, run.crashes);
    report::print(options, &run.facts, &verdict, &tally, counts);
    report::keep(options, &run.facts, &run.sayings.lines())?;
    Ok(report::is_good(options, &run.facts, &verdict, run.kills))
}

struct Run<'a> {
    begun_at: Timestamp,
    chance: Chance,
    /// From when to when the store took no change, though it was asked to.
    closed: Arc<Mutex<Vec<(Timestamp, Timestamp)>>>,
    /// The server of the store lies down, or comes up.
    crash: Option<JoinHandle<Result<(), Failure>>>,
    crashes: u32,
    facts: Facts,
    fingerprints: FingerprintKey,
    glances: u32,
    kills: u32,
    /// By which name the server knows what the store knows by another.
    names: BTreeMap<StoreName, Fingerprint>,
    options: &'a Options,
    prober: JoinHandle<()>,
    orders: Orders,
    sandbox: Sandbox,
    stops: u32,
    store: Store,
    sayings: Sayings,
    /// Where processes of the same seat keep what the store does not have yet.
    spools: Option<PathBuf>,
    /// When a seat is filled again whose worker was killed.
    vacant: Vec<(Timestamp, u32)>,
    workers: Vec<Worker>,
}

impl<'a> Run<'a> {
    async fn begin(options: &'a Options, folder: PathBuf) -> Result<Self, Failure> {
        let mut settings = SandboxSettings::default();
        let life = AccessTokenLife::from_secs(options.token_life);
        settings.switches.access_token_life = life.ok_or("a token cannot live so long")?;
        let sandbox = Sandbox::start(settings).await?;
        let closed = Arc::new(Mutex::new(Vec::new()));
        let keys = folder.join("keys");
        write_key(&keys)?;
        let [a, b, c, d, ..] = random_key()?;
        let random = u32::from_be_bytes([a, b, c, d]);
        let place = Place::choose(options.store, &folder, random)?;
        // Whoever waits for its lock continues nobody who holds it.
        let patience = if options.store.is_remote() { ANSWERS_WITHIN } else { OPEN_WITHIN };
        let backend = place.open(0, Some(patience)).await?;
        let store = Store::new(backend, SealingKeys::from_file(&keys)?);
        let prober = tokio::spawn(probe(store.clone(), Arc::clone(&closed)));
        let client = sandbox.credentials().application();
        let ClientAuthentication::Body(secret) = client.authentication() else {
            return Err("the application of the sandbox has a secret".into());
        };
        let fingerprints = random_key()?;
        let orders = Orders {
            client_id: client.id().to_string(),
            client_secret: secret.expose().to_owned(),
            fingerprints,
            grants: options.grants,
            instance: 0,
            keys,
            origin: sandbox.origin(),
            scale: options.scale.0,
            spool: None,
            store: place,
        };
        Ok(Self {
            begun_at: sandbox.now(),
            chance: Chance::new(options.seed),
            closed,
            crash: None,
            crashes: 0,
            facts: Facts { keeps_spools: options.store.is_remote(), ..Facts::default() },
            fingerprints: FingerprintKey::new(fingerprints),
            glances: 0,
            kills: 0,
            names: BTreeMap::new(),
            options,
            prober,
            orders,
            sandbox,
            stops: 0,
            store,
            sayings: Sayings::default(),
            spools: options.store.is_remote().then_some(folder),
            vacant: Vec::new(),
            workers: Vec::new(),
        })
    }

    /// Kills and stops until enough were killed, and enough rotated meanwhile.
    async fn torture(&mut self) -> Result<(), Failure> {
        for number in 0..self.options.grants {
            self.consent(number).await?;
        }
        let now = self.sandbox.now();
        self.vacant = (0..self.options.processes).map(|seat| (now, seat)).collect();
        let mut kill_at = self.sandbox.now().after(Duration::from_secs(1));
        let mut stop_at = kill_at;
        let mut crash_at = kill_at.after(self.millis(0, 4_000));
        let end_at = self.begun_at.after(self.options.at_most);
        while !report::is_enough(self.options, &self.facts, self.kills)
            && self.sandbox.now() < end_at
        {
            let fresh = self.glance().await?;
            let now = self.sandbox.now();
            if now >= stop_at && self.try_stop(now, fresh)? {
                stop_at = now.after(self.millis(300, 2_500));
            }
            if now >= crash_at && self.options.store.is_remote() {
                self.crash_store().await?;
                crash_at = now.after(self.millis(2_000, 10_000));
            }
            if now >= kill_at {
                self.kill(now).await?;
                kill_at = now.after(self.millis(100, 700));
            }
        }
        Ok(())
    }

    /// Kills the server of the store, unless it is down already.
    async fn crash_store(&mut self) -> Result<(), Failure> {
        if self.crash.as_ref().is_some_and(|it| !it.is_finished()) {
            return Ok(());
        }
        if let Some(crash) = self.crash.take() {
            crash.await??;
        }
        let down_for = self.millis(0, 1_500);
        self.crash = Some(tokio::spawn(place::crash(self.options.store, down_for)));
        self.crashes += 1;
        Ok(())
    }

    /// Lets everything come to rest: what is in doubt is settled, what was lost is found to be.
    async fn rest(&mut self) -> Result<(), Failure> {
        if let Some(crash) = self.crash.take() {
            crash.await??;
        }
        self.sandbox.with(sr_testkit::Simulator::clear_faults);
        for worker in &mut self.workers {
            if worker.continue_at.take().is_some() {
                worker.go_on()?;
                end_stop(&mut self.facts, worker.instance, self.sandbox.now());
            }
        }
        // The longest quiet period of an unsettled presentation, for its owner and for the others.
        let quiet = self.options.scale.margins().quiet();
        let end_at = self.sandbox.now().after(quiet * 20 + Duration::from_secs(20));
        let least = self.sandbox.now().after(quiet * 3 + Duration::from_secs(3));
        while self.sandbox.now() < end_at {
            self.glance().await?;
            if self.sandbox.now() >= least && self.newest().all(|it| it.end == Fate::Lives) {
                break;
            }
        }
        for worker in self.workers.drain(..) {
            if !worker.end().await? {
                return Err("a worker that was told to end did not end well".into());
            }
        }
        self.prober.abort();
        self.facts.closed = self.closed.lock().map_err(|_| "the probe has panicked")?.clone();
        self.read_journal();
        self.read_store(true).await?;
        self.facts.conclude();
        Ok(())
    }

    /// Returns the newest consent of each key.
    fn newest(&self) -> impl Iterator<Item = &Consent> {
        (0..self.options.grants)
            .filter_map(|key| self.facts.consents.iter().rev().find(|it| it.key == key))
    }

    fn millis(&mut self, from: u64, to: u64) -> Duration {
        Duration::from_millis(from + self.chance.below(to - from))
    }

    /// Looks at everything once; returns the process that was answered just now, if one was.
    async fn glance(&mut self) -> Result<Option<u64>, Failure> {
        tokio::time::sleep(GLANCE).await;
        let fresh = self.read_journal();
        let now = self.sandbox.now();
        for worker in &mut self.workers {
            if worker.continue_at.is_some_and(|at| at <= now) {
                worker.go_on()?;
                end_stop(&mut self.facts, worker.instance, self.sandbox.now());
            }
            if worker.has_ended()? {
                let lines = self.sayings.lines();
                let last = lines.iter().rev().find(|it| it.1 == worker.instance);
                let last = last.map(|it| it.2.as_str()).unwrap_or_default();
                return Err(format!("worker {}: ended by itself: {last}", worker.instance).into());
            }
        }
        while self.vacant.first().is_some_and(|(at, _)| *at <= now) {
            let (_, seat) = self.vacant.remove(0);
            self.orders.instance += 1;
            let spools = self.spools.as_ref();
            self.orders.spool = spools.map(|it| it.join(format!("spool-{seat}")));
            let worker = Worker::start(&self.orders, seat, &self.sayings).await?;
            self.facts.instances.insert(worker.instance, Instance::default());
            self.workers.push(worker);
        }
        self.glances = self.glances.wrapping_add(1);
        if self.glances.is_multiple_of(GLANCES) {
            self.read_store(false).await?;
        }
        Ok(fresh)
    }

    /// Takes the presentations out of the sandbox, and plants the next slow answer.
    fn read_journal(&mut self) -> Option<u64> {
        let seen: Vec<_> = self.sandbox.with(|simulator| {
            let seen = simulator.journal().filter(|it| it.presented.is_some()).cloned().collect();
            simulator.clear_journal();
            seen
        });
        let before = self.facts.presentations.len();
        for entry in seen {
            let agent = entry.user_agent.unwrap_or_default();
            let instance = agent.strip_prefix("torture/").and_then(|it| it.parse().ok());
            let (Some(token), Some(instance)) = (entry.presented, instance) else { continue };
            let issued = entry.grant.zip(entry.issued);
            self.facts.presentations.push(Presentation { at: entry.at, instance, issued, token });
            if self.chance.once_in(2) {
                let millis = 30 + self.chance.below(LONGEST_ANSWER_MS - 30);
                let fault = Fault::new(Target::Token, Effect::Delay { millis });
                self.sandbox.with(|simulator| simulator.inject(fault));
            }
        }
        let fresh = self.facts.presentations.get(before..).unwrap_or_default();
        fresh.iter().rev().find(|it| it.issued.is_some()).map(|it| it.instance)
    }

    async fn kill(&mut self, now: Timestamp) -> Result<(), Failure> {
        let count = self.workers.len() as u64;
        let place = usize::try_from(self.chance.below(count))?;
        let Some(worker) = self.workers.get(place) else { return Ok(()) };
        // One that stands still is killed now and then, too.
        if worker.continue_at.is_some() && !self.chance.once_in(8) {
            return Ok(());
        }
        let mut worker = self.workers.swap_remove(place);
        worker.kill().await?;
        end_stop(&mut self.facts, worker.instance, self.sandbox.now());
        let instance = self.facts.instances.entry(worker.instance).or_default();
        instance.killed_at = Some(self.sandbox.now());
        self.kills += 1;
        let pause = self.millis(0, 400);
        self.vacant.push((now.after(pause), worker.seat));
        Ok(())
    }

    /// Stops a process past its quiet period: every other time one whose answer is on its way.
    fn try_stop(&mut self, now: Timestamp, fresh: Option<u64>) -> Result<bool, Failure> {
        let running = self.workers.iter().filter(|it| it.continue_at.is_none()).count();
        if running < 3 {
            return Ok(false);
        }
        let aims = self.stops.is_multiple_of(2);
        let place = self.chance.below(self.workers.len() as u64);
        let chosen = match (aims, fresh) {
            (true, None) => return Ok(false),
            (true, Some(instance)) => self.workers.iter_mut().find(|it| it.instance == instance),
            (false, _) => self.workers.get_mut(usize::try_from(place)?),
        };
        let Some(worker) = chosen.filter(|it| it.continue_at.is_none()) else { return Ok(false) };
        let quiet = self.options.scale.margins().quiet();
        let extra = Duration::from_millis(self.chance.below(2_000));
        worker.stop(now.after(quiet + quiet / 2 + extra))?;
        let stops = &mut self.facts.instances.entry(worker.instance).or_default().stops;
        stops.push((now, None));
        self.stops += 1;
        Ok(true)
    }

    /// Has a user consent, and gives the grant to the store.
    async fn consent(&mut self, number: u32) -> Result<(), Failure> {
        let now = self.sandbox.now();
        let client = self.orders.client_id.as_str();
        let user = DemoCredentials::ADMINISTRATOR;
        let issued = self.sandbox.with(|simulator| simulator.consent(now, client, user));
        let issued = issued.ok_or("the demo user consents")?;
        let (grant, refresh) = issued.grant.zip(issued.refresh).ok_or("a grant with a token")?;
        let token = RefreshToken::new(refresh, now)?;
        let grant_of_store = NewGrant::from_refresh_token(&token, &self.fingerprints);
        let op =
            StoreOp::Adopt { grant: grant_of_store, key: key(number)?, only_if_missing: false };
        // Whether it was taken in shows when it is offered again.
        let mut answer = self.store.apply(op.clone()).await;
        while answer.as_ref().is_err_and(|it| it.failure() == StoreFailure::OutcomeUnknown) {
            tokio::time::sleep(GLANCE).await;
            answer = self.store.apply(op.clone()).await;
        }
        match answer {
            Ok(_) => self.facts.consents.push(Consent { end: Fate::Lives, grant, key: number }),
            // One that stands still holds the lock of the store: at the next look again.
            Err(error) if error.failure() == StoreFailure::NotDone => {}
            Err(error) => return Err(error.into()),
        }
        Ok(())
    }

    /// Reads what the store says of each grant, and consents anew where one is lost for good.
    async fn read_store(&mut self, is_last: bool) -> Result<(), Failure> {
        for number in 0..self.options.grants {
            let load = StoreOp::Load { key: key(number)? };
            let mut answer = self.store.apply(load.clone()).await;
            // A server that has just come up may take longer once.
            for _ in 0..if is_last { 10 } else { 0 } {
                if answer.is_err() {
                    answer = self.store.apply(load.clone()).await;
                }
            }
            let Ok(StoreOutcome::Loaded(record)) = answer.map(|it| it.outcome) else {
                if is_last {
                    return Err("the store cannot be read at the end".into());
                }
                continue;
            };
            self.note(&record);
            let fate = self.fate(number, &record);
            let mut consents = self.facts.consents.iter_mut().rev();
            let Some(consent) = consents.find(|it| it.key == number) else { continue };
            consent.end = fate;
            let grant = consent.grant;
            if fate == Fate::Dead && !is_last && self.is_given_up(grant) {
                self.consent(number).await?;
            }
        }
        Ok(())
    }

    /// Notes which tokens are durable, and since when.
    fn note(&mut self, record: &Record<Secret>) {
        if let Some(refresh) = &record.refresh {
            self.names.insert(refresh.fingerprint, Fingerprint::of(&refresh.value));
        }
        for entry in &record.ledger {
            let name = entry.fingerprint.and_then(|it| self.names.get(&it));
            if let (LedgerEvent::Rotated, Some(name)) = (entry.event, name) {
                self.facts.durable.entry(*name).or_insert(entry.at);
            }
        }
    }

    fn fate(&self, number: u32, record: &Record<Secret>) -> Fate {
        if matches!(record.health, Health::Dead(_)) {
            return Fate::Dead;
        }
        let grant = self.newest().find(|it| it.key == number);
        let held = record.refresh.as_ref().map(|it| Fingerprint::of(&it.value));
        let now = self.sandbox.now();
        let grants = self.sandbox.with(|simulator| simulator.grants(now));
        let works = grants.iter().filter(|it| grant.is_some_and(|grant| grant.grant == it.id));
        let works = works.flat_map(|it| &it.live_refresh).any(|it| Some(*it) == held);
        if works { Fate::Lives } else { Fate::Useless }
    }

    /// Tells whether nobody is left who could save a grant: the process that was answered last is
    /// dead.
    fn is_given_up(&self, grant: sr_testkit::GrantId) -> bool {
        let answered = self
            .facts
            .presentations
            .iter()
            .rev()
            .find_map(|it| it.issued.filter(|(of, _)| *of == grant).map(|_| it.instance));
        let instance = answered.and_then(|it| self.facts.instances.get(&it));
        instance.is_some_and(|it| it.killed_at.is_some())
    }
}

/// Asks the store for a change again and again, and notes when it took long: a process that stands
/// still may hold its lock.
async fn probe(store: Store, closed: Arc<Mutex<Vec<(Timestamp, Timestamp)>>>) {
    let clock = Clock::system();
    let owner = OwnerId::new(0);
    loop {
        let begun = clock.now();
        let op = StoreOp::Pulse { alive: true, owner, since: Sequence(u64::MAX) };
        let taken = store.apply(op).await.is_ok();
        let ended = clock.now();
        if !taken || ended.since(begun) > OPEN_WITHIN {
            closed.lock().unwrap_or_else(PoisonError::into_inner).push((begun, ended));
        }
        tokio::time::sleep(GLANCE * 5).await;
    }
}

fn end_stop(facts: &mut Facts, instance: u64, now: Timestamp) {
    let stops = facts.instances.get_mut(&instance).map(|it| &mut it.stops);
    let open = stops.and_then(|it| it.last_mut()).filter(|it| it.1.is_none());
    open.into_iter().for_each(|it| it.1 = Some(now));
}

/// Draws the key of fingerprints, or of a seal.
fn random_key() -> Result<[u8; 32], Failure> {
    let drawn = entropy()?;
    let [first, ..] = drawn.as_chunks::<32>().0 else { return Err("64 bytes".into()) };
    Ok(*first)
}

/// Writes a random key, for its owner only.
fn write_key(path: &std::path::Path) -> Result<(), Failure> {
    use base64::Engine as _;
    use std::io::Write as _;
    use std::os::unix::fs::OpenOptionsExt as _;
    let text = base64::engine::general_purpose::STANDARD.encode(random_key()?);
    let mut file =
        std::fs::OpenOptions::new().create_new(true).mode(0o600).write(true).open(path)?;
    writeln!(file, "{text}")?;
    Ok(())
}
