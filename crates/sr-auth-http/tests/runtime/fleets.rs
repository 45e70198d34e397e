//! Several fleets over one SQLite file, as several processes would be.

use std::future::pending;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use sr_auth_core::fleet::FleetEvent;
use sr_auth_core::lifecycle::Event;
use sr_auth_core::store::{GrantKey, Health, StoreAnswer, StoreOp, StoreOutcome};
use sr_auth_core::{ClientCredentials, ErrorCode, GrantError, Secret};
use sr_auth_http::{Clock, Events, News, TokenSources};
use sr_auth_store::{Backend, BackendError, Durability, Sealed, SealingKeys, SqliteBackend, Store};
use tempfile::TempDir;

use crate::scene::{Scene, in_time, key};

/// Longer than a token wants to live.
const RENEWAL_IS_DUE: Duration = Duration::from_secs(1_400);

/// A SQLite file, on a clock that is moved by hand.
struct Shared {
    clock: Clock,
    file: Arc<Restorable>,
    folder: TempDir,
    keys: SealingKeys,
}

/// What stands under the name of the file: another one after a restoration.
#[derive(Debug)]
struct Restorable(Mutex<Arc<SqliteBackend>>);

#[async_trait]
impl Backend for Restorable {
    async fn apply(&self, op: StoreOp<Sealed>) -> Result<StoreAnswer<Sealed>, BackendError> {
        let backend = Arc::clone(&self.0.lock().unwrap());
        backend.apply(op).await
    }

    fn durability(&self) -> Durability {
        self.0.lock().unwrap().durability()
    }
}

impl Shared {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = Clock::manual(Clock::system().now());
        let file = open(&folder.path().join("grants.db"), &clock);
        let file = Arc::new(Restorable(Mutex::new(file)));
        Self { clock, file, folder, keys: SealingKeys::random().unwrap() }
    }

    fn store(&self) -> Store {
        Store::new(Arc::clone(&self.file), self.keys.clone())
    }

    /// Copies the file and its log, while nobody writes.
    fn back_up(&self) {
        for end in ["", "-wal"] {
            let from = self.folder.path().join(format!("grants.db{end}"));
            std::fs::copy(from, self.folder.path().join(format!("backup.db{end}"))).unwrap();
        }
    }

    /// Puts the copy in the place of the file, under all who have it open.
    fn restore(&self) {
        *self.file.0.lock().unwrap() = open(&self.folder.path().join("backup.db"), &self.clock);
    }

    async fn record(&self, key: &GrantKey) -> (u64, Health) {
        let answer = self.store().apply(StoreOp::Load { key: key.clone() }).await.unwrap();
        let StoreOutcome::Loaded(record) = answer.outcome else { panic!("{key} is missing") };
        (record.generation.number(), record.health)
    }

    /// Lets a moment pass, and what happens in it happen.
    async fn step(&self) {
        self.clock.advance(Duration::from_millis(200));
        let _over = tokio::time::timeout(Duration::from_millis(5), pending::<()>()).await;
    }
}

fn open(path: &Path, clock: &Clock) -> Arc<SqliteBackend> {
    let clock = clock.clone();
    Arc::new(SqliteBackend::builder(path).clock(move || clock.now()).open().unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_secret_that_is_rolled_out_costs_no_grant_and_a_right_one_no_pause() {
    let (scene, shared) = (Scene::start().await, Shared::new());
    let fleets = fleets(&scene, &shared, 2);
    let keys = consents(&scene, &fleets, 40).await;
    let mut events: Vec<_> = fleets.iter().map(TokenSources::events).collect();
    let id = scene.sandbox.credentials().application().id().as_str().to_owned();
    let with = |secret: &str| ClientCredentials::new(&id, Secret::new(secret.to_owned())).unwrap();

    let before = scene.token_requests();
    for fleet in &fleets {
        let GrantError::Refused(refusal) =
            fleet.rotate_client(with("a slip of the pen")).await.unwrap_err()
        else {
            panic!("it is refused")
        };
        assert_eq!(refusal.code(), ErrorCode::InvalidClient);
    }
    assert_eq!(scene.token_requests() - before, 2, "one request each, and nothing was spent");
    renew_all(&shared, &fleets, &keys).await;

    // Both are good for a while, then the new one alone.
    let next = Secret::new("the next secret of the application".to_owned());
    let client = scene.sandbox.with(|it| it.world_mut().client(&id).unwrap().clone());
    scene.sandbox.with(|it| {
        it.world_mut().add_client(client.clone().with_another_secret(next.clone()));
    });
    for fleet in &fleets {
        fleet.rotate_client(with("the next secret of the application")).await.unwrap();
    }
    scene.sandbox.with(|it| it.world_mut().add_client(client.with_secret(next)));
    renew_all(&shared, &fleets, &keys).await;

    assert_eq!(scene.token_requests() - before, 2 + 40 + 2 + 40, "each grant was renewed twice");
    for events in &mut events {
        let told = told(events).await;
        let is_stopped =
            |it: &News| matches!(it, News::Fleet(FleetEvent::ApplicationStopped { .. }));
        assert!(!told.iter().any(|it| is_stopped(it) || is_death(it)), "{told:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_that_is_restored_under_two_fleets_costs_no_grant() {
    let (scene, shared) = (Scene::start().await, Shared::new());
    let fleets = fleets(&scene, &shared, 2);
    let keys = consents(&scene, &fleets, 30).await;
    shared.back_up();
    renew_all(&shared, &fleets, &keys).await;
    let mut events: Vec<_> = fleets.iter().map(TokenSources::events).collect();
    // A pulse or two, so that the renewals were seen.
    for _ in 0..30 {
        shared.step().await;
    }
    let presented = scene.token_requests();

    shared.restore();
    for events in &mut events {
        hear(&shared, events, |it| *it == News::Fleet(FleetEvent::StoreRolledBack)).await;
    }
    // They write what they remember; every refresh token in the backup was spent.
    for key in &keys {
        let healed = async {
            while shared.record(key).await != (2, Health::Live) {
                shared.step().await;
            }
        };
        in_time("the record is healed", healed).await;
    }
    assert_eq!(scene.token_requests(), presented, "and present nothing for it");
    renew_all(&shared, &fleets, &keys).await;
    let refused = refusals(&scene);
    let mut deaths = 0;
    for events in &mut events {
        deaths += told(events).await.iter().filter(|it| is_death(it)).count();
    }
    println!("restored under two fleets: {refused} refusals, {deaths} of 30 grants died");
    assert_eq!((refused, deaths), (0, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn k08_a_backup_that_nobody_remembers_better_kills_no_more_than_the_first_few() {
    let (scene, shared) = (Scene::start().await, Shared::new());
    let before = fleets(&scene, &shared, 1);
    let keys = consents(&scene, &before, 30).await;
    shared.back_up();
    renew_all(&shared, &before, &keys).await;
    before[0].shutdown().await;
    shared.restore();

    // All that is left of them is spent, and the processes know nothing else.
    let after = fleets(&scene, &shared, 1);
    let mut events = after[0].events();
    shared.clock.advance(RENEWAL_IS_DUE * 2);
    for key in &keys {
        let source = after[0].source(key);
        let outcome = in_time("it is refused", source.authorization()).await;
        assert!(outcome.is_err(), "{key}");
    }
    let told = told(&mut events).await;
    let deaths = told.iter().filter(|it| is_death(it)).count();
    let refused = refusals(&scene);
    println!("restored and remembered by nobody: {refused} refusals, {deaths} of 30 grants died");
    assert!(told.contains(&News::Fleet(FleetEvent::RefusalsDoubted)), "{told:?}");
    assert!((1..=5).contains(&deaths), "{deaths}");
    for key in &keys {
        let (generation, health) = shared.record(key).await;
        assert_eq!(generation, 1);
        assert!(matches!(health, Health::Dead(_) | Health::Suspect), "{key}: {health:?}");
    }
}

fn fleets(scene: &Scene, shared: &Shared, count: usize) -> Vec<TokenSources> {
    let fleet = || scene.users(shared.store()).clock(shared.clock.clone()).build().unwrap();
    (0..count).map(|_| fleet()).collect()
}

/// Has so many users agree.
async fn consents(scene: &Scene, fleets: &[TokenSources], count: usize) -> Vec<GrantKey> {
    let keys: Vec<_> = (0..count).map(|number| key(&format!("planner/{number}"))).collect();
    for key in &keys {
        fleets[0].adopt(key, &scene.consent().await).await.unwrap();
    }
    keys
}

/// Lets all access tokens end, and has each renewed by one fleet or another.
async fn renew_all(shared: &Shared, fleets: &[TokenSources], keys: &[GrantKey]) {
    shared.clock.advance(RENEWAL_IS_DUE * 2);
    for (number, key) in keys.iter().enumerate() {
        let source = fleets[number % fleets.len()].source(key);
        let renewed = async {
            // The clock stands still, and so would every pause.
            while source.authorization_within(Duration::from_millis(200)).await.is_err() {
                shared.clock.advance(Duration::from_millis(500));
            }
        };
        in_time("it is renewed", renewed).await;
    }
}

/// Returns what was told until now.
async fn told(events: &mut Events) -> Vec<News> {
    let mut told = Vec::new();
    while let Ok(Some(news)) = tokio::time::timeout(Duration::from_millis(50), events.next()).await
    {
        told.push(news);
    }
    told
}

/// Lets time pass until something is told.
async fn hear(shared: &Shared, events: &mut Events, is_it: impl Fn(&News) -> bool) {
    let heard = async {
        loop {
            let next = tokio::time::timeout(Duration::from_millis(20), events.next()).await;
            match next {
                Ok(Some(news)) if is_it(&news) => return,
                Ok(_) => {}
                Err(_) => shared.clock.advance(Duration::from_millis(200)),
            }
        }
    };
    in_time("it is told", heard).await;
}

const fn is_death(news: &News) -> bool {
    matches!(news, News::Grant { event: Event::Died { .. }, .. })
}

/// Counts the refusals of refresh tokens that the server has given.
fn refusals(scene: &Scene) -> usize {
    scene.sandbox.with(|it| {
        let refused = it.journal().filter(|it| it.path.ends_with("/token"));
        refused.filter(|it| it.status == Some(400)).count()
    })
}
