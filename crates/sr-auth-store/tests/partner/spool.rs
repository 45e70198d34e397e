//! Credentials of a company that are under way when the process dies.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use sr_auth_core::Secret;
use sr_auth_core::lifecycle::StoreFailure;
use sr_auth_core::store::{StoreAnswer, StoreOp};
use sr_auth_store::{
    Backend, BackendError, BackendFault, Durability, Replay, Sealed, SealingKey, SealingKeys,
    SqliteBackend, Store,
};
use sr_partner::store::{
    IntegrationRecord, PartnerAnswer, PartnerOp, PartnerOutcome, Phase, Verified,
};
use tempfile::TempDir;

use crate::fixture::{connect, key, wait};
use crate::open::OpenBackend;

const SECRET: &str = "canary-of-a-company";

/// A backend behind a network that can be down.
#[derive(Clone, Debug)]
struct Remote {
    backend: OpenBackend,
    is_down: Arc<AtomicBool>,
}

#[async_trait]
impl Backend for Remote {
    async fn apply(&self, op: StoreOp<Sealed>) -> Result<StoreAnswer<Sealed>, BackendError> {
        self.backend.apply(op).await
    }

    async fn apply_partner(
        &self,
        op: PartnerOp<Sealed>,
    ) -> Result<PartnerAnswer<Sealed>, BackendError> {
        if self.is_down.load(Ordering::Relaxed) {
            return Err(BackendError::new(BackendFault::Unreachable, StoreFailure::NotDone));
        }
        self.backend.apply_partner(op).await
    }

    fn durability(&self) -> Durability {
        Durability::Durable
    }
}

struct Scene {
    folder: TempDir,
    remote: Remote,
}

impl Scene {
    fn new() -> Self {
        let remote = Remote { backend: OpenBackend::new(), is_down: Arc::default() };
        Self { folder: tempfile::tempdir().unwrap(), remote }
    }

    fn spool(&self) -> PathBuf {
        self.folder.path().join("spool")
    }

    /// A process of this machine, with the spool.
    fn store(&self, byte: u8) -> Store {
        let keys = SealingKeys::new(SealingKey::from_bytes([byte; 32]));
        Store::new(self.remote.clone(), keys).with_spool(&self.spool()).unwrap()
    }

    fn down(&self, is_down: bool) {
        self.remote.is_down.store(is_down, Ordering::Relaxed);
    }

    fn files(&self) -> Vec<PathBuf> {
        fs::read_dir(self.spool()).unwrap().map(|it| it.unwrap().path()).collect()
    }

    /// A process that is given credentials, cannot commit them, and dies.
    fn lose(&self) {
        let store = self.store(1);
        let [begin, arm, commit, _] = steps();
        for op in [begin, arm] {
            wait(store.apply_partner(op)).unwrap();
        }
        self.down(true);
        wait(store.apply_partner(commit)).unwrap_err();
        self.down(false);
    }

    fn record(&self, store: &Store) -> IntegrationRecord<Secret> {
        let outcome = wait(store.apply_partner(PartnerOp::Load { key: key("5f1b") })).unwrap();
        let PartnerOutcome::Loaded(record) = outcome.outcome else { panic!("it is there") };
        record
    }
}

fn steps() -> [PartnerOp<Secret>; 4] {
    connect(&key("5f1b"), 1, Secret::new(SECRET.to_owned()))
}

fn replay(store: &Store) -> [usize; 3] {
    let Replay { saved, needless, damaged, .. } = wait(store.replay()).unwrap();
    [saved, needless, damaged]
}

#[test]
fn credentials_whose_commit_did_not_arrive_are_offered_at_the_next_start() {
    let scene = Scene::new();
    scene.lose();
    let [file] = scene.files().try_into().unwrap();
    let bytes = fs::read(&file).unwrap();
    assert!(!bytes.windows(6).any(|it| it == b"canary"), "in clear");
    let store = scene.store(1);
    assert_eq!(replay(&store), [1, 0, 0]);
    let Some(Phase::Integrated { integrated, .. }) =
        scene.record(&store).attempt.map(|it| it.phase)
    else {
        panic!("the credentials are there")
    };
    assert_eq!(integrated.secret.expose(), SECRET);
    assert_eq!(scene.files(), Vec::<PathBuf>::new());
    assert_eq!(replay(&store), [0; 3]);
}

#[test]
fn credentials_that_arrived_leave_no_file() {
    let scene = Scene::new();
    let store = scene.store(1);
    for op in steps() {
        wait(store.apply_partner(op)).unwrap();
    }
    // What is being written is waited for.
    drop(store);
    assert_eq!(scene.files(), Vec::<PathBuf>::new());
}

#[test]
fn credentials_that_nobody_waits_for_are_removed() {
    let ended = |store: &Store| {
        let attempt = sr_partner::AttemptId::from_bytes([1; 16]);
        wait(store.apply_partner(PartnerOp::Void { attempt, key: key("5f1b") })).unwrap();
    };
    let offered_again = |store: &Store| {
        let [_, _, commit, activate] = steps();
        for op in [commit, activate] {
            wait(store.apply_partner(op)).unwrap();
        }
    };
    let cases: [(&str, &dyn Fn(&Store), bool); 2] =
        [("the consent was given up", &ended, false), ("it has them", &offered_again, true)];
    for (name, meanwhile, is_live) in cases {
        let scene = Scene::new();
        scene.lose();
        // Another machine, whose spool is another.
        let elsewhere = SealingKeys::new(SealingKey::from_bytes([1; 32]));
        meanwhile(&Store::new(scene.remote.clone(), elsewhere));
        let store = scene.store(1);
        assert_eq!(replay(&store), [0, 1, 0], "{name}");
        let verified = scene.record(&store).binding.map(|it| it.verified);
        assert_eq!(verified, is_live.then_some(Verified::ByProbe), "{name}");
        assert_eq!(scene.files(), Vec::<PathBuf>::new(), "{name}");
    }
}

#[test]
fn credentials_that_no_key_opens_stay_where_they_are() {
    let scene = Scene::new();
    scene.lose();
    assert_eq!(replay(&scene.store(2)), [0, 0, 1]);
    assert_eq!(scene.files().len(), 1);
    assert_eq!(replay(&scene.store(1)), [1, 0, 0], "with the right one it is not too late");
}

#[test]
fn a_store_that_is_still_away_is_offered_them_the_next_time() {
    let scene = Scene::new();
    scene.lose();
    scene.down(true);
    wait(scene.store(1).replay()).unwrap_err();
    scene.down(false);
    assert_eq!(scene.files().len(), 1);
    assert_eq!(replay(&scene.store(1)), [1, 0, 0]);
}

/// A file behind a network in which commits disappear.
#[derive(Debug)]
struct BlackHole(SqliteBackend);

#[async_trait]
impl Backend for BlackHole {
    async fn apply(&self, op: StoreOp<Sealed>) -> Result<StoreAnswer<Sealed>, BackendError> {
        self.0.apply(op).await
    }

    async fn apply_partner(
        &self,
        op: PartnerOp<Sealed>,
    ) -> Result<PartnerAnswer<Sealed>, BackendError> {
        if let PartnerOp::Commit { .. } = op {
            return std::future::pending().await;
        }
        self.0.apply_partner(op).await
    }

    fn durability(&self) -> Durability {
        self.0.durability()
    }
}

/// Where a child works; `None` in the test itself.
fn folder_of_child() -> Option<PathBuf> {
    #[expect(clippy::disallowed_methods, reason = "a child is told so what it is")]
    std::env::var_os(FOLDER).map(PathBuf::from)
}

const FOLDER: &str = "SR_AUTH_STORE_TEST_FOLDER";

fn store_in(folder: &Path, backend: impl Backend + 'static) -> Store {
    let keys = SealingKeys::new(SealingKey::from_bytes([1; 32]));
    Store::new(backend, keys).with_spool(&folder.join("spool")).unwrap()
}

/// Commits into the void until it is killed; says when the credentials are on the disk.
fn commit_in_vain(folder: &Path) {
    let backend = SqliteBackend::open(&folder.join("grants.db")).unwrap();
    let store = store_in(folder, BlackHole(backend));
    let [begin, arm, commit, _] = steps();
    for op in [begin, arm] {
        wait(store.apply_partner(op)).unwrap();
    }
    std::thread::spawn(move || wait(store.apply_partner(commit)));
    let is_kept = || {
        let mut files = fs::read_dir(folder.join("spool")).unwrap();
        files.any(|it| it.unwrap().path().extension().is_some_and(|it| it == "credentials"))
    };
    while !is_kept() {
        std::thread::yield_now();
    }
    let mut stdout = std::io::stdout();
    writeln!(stdout, "\n{KEPT}").unwrap();
    loop {
        std::thread::park();
    }
}

const KEPT: &str = "the credentials are kept";

#[test]
fn credentials_of_a_process_that_is_killed_are_in_the_store_after_the_next_start() {
    const NAME: &str =
        "spool::credentials_of_a_process_that_is_killed_are_in_the_store_after_the_next_start";
    if let Some(folder) = folder_of_child() {
        commit_in_vain(&folder);
    }
    let folder = tempfile::tempdir().unwrap();
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args([NAME, "--exact", "--nocapture"]).env(FOLDER, folder.path());
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    let is_kept = lines.into_iter().any(|line| line == KEPT);
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(is_kept, "the child ended by itself");
    let backend = SqliteBackend::open(&folder.path().join("grants.db")).unwrap();
    let store = store_in(folder.path(), backend);
    assert_eq!(replay(&store), [1, 0, 0]);
    let [_, _, _, activate] = steps();
    let answer = wait(store.apply_partner(activate)).unwrap();
    assert_eq!(answer.outcome.name(), "Done");
    let outcome = wait(store.apply_partner(PartnerOp::Load { key: key("5f1b") })).unwrap().outcome;
    let PartnerOutcome::Loaded(record) = outcome else { panic!("it is there") };
    assert_eq!(record.binding.unwrap().integrated.secret.expose(), SECRET);
}
