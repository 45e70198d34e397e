//! Grants in a SQLite file, beside the statement that a program would write for one row.
//!
//! Syncs gate: `cargo xtask bench` counts those of `syncs` with strace. Times are those of this disk
//! and this minute.

use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rusqlite::Connection;
use sr_auth_core::store::{
    Generation, GrantKey, IntentId, NewGrant, NewIntent, OwnerId, Renewal, StoreOp, StoredToken,
    Successor,
};
use sr_auth_core::{FingerprintKey, Secret, Timestamp};
use sr_auth_store::{SealingKeys, SqliteBackend, Store};
use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinSet;

use crate::timing::median;

const GRANTS: u64 = 10_000;
/// How many operations are timed one at a time, and by each of those at once.
const SAMPLES: u64 = 1_000;
const AT_ONCE: u64 = 64;
const EACH: u64 = 100;

/// Prints what an operation takes, one at a time and many at once.
pub(crate) fn table() {
    let folder = tempfile::tempdir_in(folder()).expect("a folder on the disk of the build");
    println!("grants in SQLite, {GRANTS} of them, on the disk of {}", folder.path().display());
    let runtime = Builder::new_multi_thread().worker_threads(2).build().expect("a runtime");
    let store = Rotations::open(folder.path(), &runtime, GRANTS);
    let bare = Bare::open(folder.path());
    let limit = Limit::open(folder.path());
    let mut times = [Vec::new(), Vec::new(), Vec::new(), Vec::new()];
    for number in 0..SAMPLES {
        times[0].push(micros(|| limit.write(number)));
        times[1].push(micros(|| bare.update(number)));
        let rotation = number % GRANTS;
        times[2].push(micros(|| runtime.block_on(store.arm(rotation, 1))));
        times[3].push(micros(|| runtime.block_on(store.commit(rotation, 1))));
    }
    let [limit, bare, arm, commit] = times.map(median);
    let row = |what: &str, time: f64| println!("  {what:<52} {time:>9.1} us  {:>5.2}", time / bare);
    row("limit: 200 bytes in place, fdatasync", limit);
    row("the bare prepared statement, one row", bare);
    row("arm", arm);
    row("commit", commit);
    let alone = 1e6 / ((arm + commit) / 2.0);
    let together = runtime.block_on(store.at_once());
    println!(
        "  one at a time {alone:.0} operations/s, {AT_ONCE} at once {together:.0}/s: {:.1}x",
        together / alone
    );
}

/// Rotates so many grants one after the other: the syncs of it are counted from outside.
pub(crate) fn syncs(rotations: u64) {
    let folder = tempfile::tempdir_in(folder()).expect("a folder on the disk of the build");
    let runtime = Builder::new_current_thread().build().expect("a runtime");
    // One grant, so that opening and adopting cost the same however many rotations follow.
    let store = Rotations::open(folder.path(), &runtime, 1);
    for generation in 1..=rotations {
        runtime.block_on(store.arm(0, generation));
        runtime.block_on(store.commit(0, generation));
    }
}

fn folder() -> std::path::PathBuf {
    let program = std::env::current_exe().expect("this program is a file");
    program.parent().expect("it lies in a folder").to_owned()
}

fn micros(work: impl FnOnce()) -> f64 {
    let started = Instant::now();
    work();
    started.elapsed().as_nanos() as f64 / 1e3
}

/// Ours, sealed, as a driver uses it.
#[derive(Clone)]
struct Rotations {
    store: Arc<Store>,
}

impl Rotations {
    fn open(folder: &Path, runtime: &Runtime, grants: u64) -> Self {
        let backend = SqliteBackend::open(&folder.join("grants.db")).expect("it opens");
        let keys = SealingKeys::random().expect("random bytes");
        let rotations = Self { store: Arc::new(Store::new(backend, keys)) };
        runtime.block_on(async {
            let mut tasks = JoinSet::new();
            for number in 0..grants {
                let rotations = rotations.clone();
                tasks.spawn(async move { rotations.adopt(number).await });
            }
            tasks.join_all().await;
        });
        rotations
    }

    async fn adopt(&self, number: u64) {
        let (access, refresh) = (Some(token(number, 1)), Some(token(number, 1)));
        let grant = NewGrant { access, refresh, renewal: Renewal::SingleUse };
        self.apply(StoreOp::Adopt { grant, key: key(number), only_if_missing: false }, "Done")
            .await;
    }

    async fn arm(&self, number: u64, generation: u64) {
        let intent = NewIntent {
            fingerprint: Some(token(number, generation).fingerprint),
            id: IntentId { number: generation, owner: OwnerId::new(1) },
            quiet: Duration::from_secs(135),
        };
        let generation = Generation::from_number(generation);
        let op = StoreOp::Arm { generation, intent, key: key(number), over: None };
        self.apply(op, "Armed").await;
    }

    async fn commit(&self, number: u64, generation: u64) {
        let token = token(number, generation + 1);
        let successor = Successor { access: Some(token.clone()), refresh: Some(token) };
        let generation = Generation::from_number(generation);
        let (key, owner) = (key(number), OwnerId::new(1));
        self.apply(StoreOp::Commit { generation, key, owner, successor }, "Done").await;
    }

    async fn apply(&self, op: StoreOp<Secret>, expected: &str) {
        let answer = self.store.apply(op).await.expect("the disk takes it");
        assert_eq!(answer.outcome.name(), expected);
    }

    /// Returns how many operations many tasks get done in a second together.
    async fn at_once(&self) -> f64 {
        let started = Instant::now();
        let mut tasks = JoinSet::new();
        for task in 0..AT_ONCE {
            let rotations = self.clone();
            tasks.spawn(async move {
                // Grants that were not rotated yet, each task its own.
                let first = SAMPLES + task * EACH;
                for number in first..first + EACH {
                    rotations.arm(number, 1).await;
                    rotations.commit(number, 1).await;
                }
            });
        }
        tasks.join_all().await;
        (2 * AT_ONCE * EACH) as f64 / started.elapsed().as_secs_f64()
    }
}

fn key(number: u64) -> GrantKey {
    GrantKey::new(&format!("planner/company-{number}")).expect("a good key")
}

fn token(number: u64, generation: u64) -> StoredToken<Secret> {
    let value = Secret::new(format!("DCRD10-{number:032x}{generation:08x}"));
    let fingerprint = FingerprintKey::new([7; 32]).fingerprint(&value);
    let [renew_at, ends_at] = [1, 2].map(Timestamp::from_unix_secs);
    StoredToken { ends_at, fingerprint, renew_at, value }
}

/// What a program would write that keeps one row for each grant and no record of who does what.
struct Bare(Connection);

impl Bare {
    fn open(folder: &Path) -> Self {
        let connection = Connection::open(folder.join("bare.db")).expect("it opens");
        let begin = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
            CREATE TABLE grant_ (key TEXT PRIMARY KEY, generation INTEGER, value BLOB) STRICT;
            BEGIN";
        connection.execute_batch(begin).expect("a table");
        let insert = "INSERT INTO grant_ VALUES (?1, 1, ?2)";
        for number in 0..GRANTS {
            connection.execute(insert, (key(number).as_str(), [7; 200])).expect("a row");
        }
        connection.execute_batch("COMMIT").expect("it is written");
        Self(connection)
    }

    fn update(&self, number: u64) {
        let update = "UPDATE grant_ SET generation = generation + 1, value = ?1
            WHERE key = ?2 AND generation = 1";
        let mut update = self.0.prepare_cached(update).expect("a statement");
        let changed = update.execute(([8; 200], key(number).as_str())).expect("it is written");
        assert_eq!(changed, 1);
    }
}

/// What the disk can do at best.
struct Limit(File);

impl Limit {
    fn open(folder: &Path) -> Self {
        let file = File::create(folder.join("limit")).expect("a file");
        file.write_all_at(&vec![0; 1 << 20], 0).expect("it is written");
        file.sync_all().expect("it is synced");
        Self(file)
    }

    fn write(&self, number: u64) {
        self.0.write_all_at(&[7; 200], number * 512).expect("it is written");
        self.0.sync_data().expect("it is synced");
    }
}
