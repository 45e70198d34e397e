//! Successors that are under way when the process dies.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use async_trait::async_trait;
use sr_auth_core::Secret;
use sr_auth_core::lifecycle::StoreFailure;
use sr_auth_core::store::{Generation, GrantKey, StoreAnswer, StoreOp};
use sr_auth_store::{
    Backend, BackendError, BackendFault, Durability, Replay, Sealed, Store, StoreError,
};
use tempfile::TempDir;

use crate::fixture::{OpenBackend, adopt, commit, end, escrow, key, keys, load, texts};

const DOWN: u8 = 1;
const ANSWER_LOST: u8 = 2;

/// A backend behind a network that can fail.
#[derive(Clone, Debug)]
struct Remote {
    backend: OpenBackend,
    network: Arc<AtomicU8>,
}

#[async_trait]
impl Backend for Remote {
    async fn apply(&self, op: StoreOp<Sealed>) -> Result<StoreAnswer<Sealed>, BackendError> {
        let unreachable = |failure| Err(BackendError::new(BackendFault::Unreachable, failure));
        match self.network.load(Ordering::Relaxed) {
            DOWN => unreachable(StoreFailure::NotDone),
            ANSWER_LOST => {
                self.backend.apply(op).await?;
                unreachable(StoreFailure::OutcomeUnknown)
            }
            _ => self.backend.apply(op).await,
        }
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
        let remote = Remote { backend: OpenBackend::new(), network: Arc::default() };
        Self { folder: tempfile::tempdir().expect("a folder"), remote }
    }

    fn spool(&self) -> PathBuf {
        self.folder.path().join("spool")
    }

    /// A process of this machine, with the spool.
    fn store(&self) -> Store {
        let store = Store::new(self.remote.clone(), keys(1));
        store.with_spool(&self.spool()).expect("the spool opens")
    }

    fn network(&self, state: u8) {
        self.remote.network.store(state, Ordering::Relaxed);
    }

    fn files(&self) -> Vec<PathBuf> {
        let files = fs::read_dir(self.spool()).expect("the spool is there");
        files.map(|it| it.expect("a file").path()).collect()
    }

    /// A process that rotates `acme` from generation 1 and dies with the answer of the store.
    async fn lose(&self, network: u8) {
        let store = self.store();
        store.apply(adopt(&key("acme"), "a1", "r1")).await.expect("the network is up");
        self.network(network);
        let lost = store.apply(commit(&key("acme"), 1, "a2", Some("secret-r2"))).await;
        lost.expect_err("the network is down");
        self.network(0);
    }
}

fn replayed(saved: usize, needless: usize, damaged: usize) -> [usize; 3] {
    [saved, needless, damaged]
}

async fn replay(store: &Store) -> [usize; 3] {
    let Replay { saved, needless, damaged, .. } = store.replay().await.expect("the store is up");
    [saved, needless, damaged]
}

#[tokio::test]
async fn a_successor_whose_commit_did_not_arrive_is_offered_at_the_next_start() {
    let scene = Scene::new();
    scene.lose(DOWN).await;
    let [file] = scene.files().try_into().expect("one file");
    let bytes = fs::read(&file).expect("it can be read");
    assert!(!bytes.windows(7).any(|it| it == b"secret-"), "in clear");
    let store = scene.store();
    assert_eq!(replay(&store).await, replayed(1, 0, 0));
    let record = load(&store, &key("acme")).await;
    assert_eq!(record.generation, Generation::from_number(2));
    let expected = [Some("a2"), Some("secret-r2"), None].map(|it| it.map(str::to_owned));
    assert_eq!(texts(&record), expected);
    assert_eq!(scene.files(), Vec::<PathBuf>::new());
    assert_eq!(replay(&store).await, replayed(0, 0, 0));
}

#[cfg(unix)]
#[tokio::test]
async fn k03_spooled_files_are_for_their_owner_only() {
    use std::os::unix::fs::PermissionsExt as _;

    let mode = |path: &Path| fs::metadata(path).expect("it is there").permissions().mode() & 0o777;
    let scene = Scene::new();
    scene.lose(DOWN).await;
    assert_eq!(mode(&scene.spool()), 0o700);
    assert_eq!(scene.files().iter().map(|it| mode(it)).collect::<Vec<_>>(), [0o600]);
    fs::set_permissions(scene.spool(), fs::Permissions::from_mode(0o750)).expect("it is ours");
    let error = Store::new(scene.remote.clone(), keys(1)).with_spool(&scene.spool());
    assert_eq!(error.expect_err("others may open it").code(), "sr_auth::spool::open_to_others");
}

#[tokio::test]
async fn what_a_successor_is_good_for_depends_on_what_the_store_has_now() {
    let acme = || key("acme");
    let r2 = || Some("secret-r2".to_owned());
    type Meanwhile = fn(&GrantKey) -> Vec<StoreOp<Secret>>;
    let cases: [(&str, Meanwhile, [usize; 3]); 4] = [
        ("nothing has happened", |_| vec![], replayed(1, 0, 0)),
        ("another has rotated", |it| vec![commit(it, 1, "a3", Some("r3"))], replayed(1, 0, 0)),
        ("the grant was ended", |it| vec![end(it)], replayed(0, 1, 0)),
        (
            "it was put aside and taken",
            |it| {
                vec![
                    commit(it, 1, "a3", Some("r3")),
                    escrow(it, 1, "secret-r2"),
                    commit(it, 2, "a2", Some("secret-r2")),
                ]
            },
            replayed(0, 1, 0),
        ),
    ];
    for (name, meanwhile, expected) in cases {
        let scene = Scene::new();
        scene.lose(DOWN).await;
        let other = Store::new(scene.remote.clone(), keys(1));
        for op in meanwhile(&acme()) {
            other.apply(op).await.expect("the network is up");
        }
        assert_eq!(replay(&scene.store()).await, expected, "{name}");
        assert!(scene.files().is_empty(), "{name}");
        let [_, refresh, sibling] = texts(&load(&other, &acme()).await);
        assert_eq!(refresh == r2() || sibling == r2(), name != "the grant was ended", "{name}");
    }
}

#[tokio::test]
async fn a_store_that_has_the_successor_already_needs_it_no_more() {
    let scene = Scene::new();
    scene.lose(ANSWER_LOST).await;
    assert_eq!(replay(&scene.store()).await, replayed(0, 1, 0));
    assert!(scene.files().is_empty());
}

#[tokio::test]
async fn a_store_that_was_restored_is_healed() {
    let acme = key("acme");
    // The record of the first generation comes back when the third was under way, or none does.
    for lose_all in [false, true] {
        let scene = Scene::new();
        let store = scene.store();
        store.apply(adopt(&acme, "a1", "r1")).await.expect("the network is up");
        let backup = scene.remote.backend.record(&acme);
        store.apply(commit(&acme, 1, "a2", Some("r2"))).await.expect("the network is up");
        scene.network(DOWN);
        store.apply(commit(&acme, 2, "a3", Some("r3"))).await.expect_err("the network is down");
        drop(store);
        scene.network(0);
        let restored = Remote { backend: OpenBackend::new(), network: Arc::default() };
        if !lose_all {
            restored.backend.put(&acme, backup);
        }
        let store = Store::new(restored, keys(1)).with_spool(&scene.spool()).expect("it opens");
        assert_eq!(replay(&store).await, replayed(1, 0, 0), "all: {lose_all}");
        let [_, refresh, _] = texts(&load(&store, &acme).await);
        assert_eq!(refresh.as_deref(), Some("r3"), "all: {lose_all}");
    }
}

#[tokio::test]
async fn what_is_durable_leaves_nothing_behind() {
    let scene = Scene::new();
    let store = scene.store();
    let acme = key("acme");
    store.apply(adopt(&acme, "a1", "r1")).await.expect("the network is up");
    store.apply(commit(&acme, 1, "a2", Some("r2"))).await.expect("the network is up");
    // Refused twice, taken the third time.
    scene.network(DOWN);
    for _ in 0..2 {
        let refused = store.apply(commit(&acme, 2, "a3", Some("r3"))).await;
        refused.expect_err("the network is down");
    }
    scene.network(0);
    store.apply(commit(&acme, 2, "a3", Some("r3"))).await.expect("the network is up");
    // Outrun, and put aside.
    store.apply(commit(&acme, 2, "a9", Some("r9"))).await.expect("the network is up");
    store.apply(escrow(&acme, 2, "r9")).await.expect("the network is up");
    drop(store);
    assert_eq!(scene.files(), Vec::<PathBuf>::new());
}

#[tokio::test]
async fn what_cannot_be_read_stays_where_it_is() {
    let scene = Scene::new();
    scene.lose(DOWN).await;
    let [file] = scene.files().try_into().expect("one file");
    let other_key = Store::new(scene.remote.clone(), keys(2));
    let other_key = other_key.with_spool(&scene.spool()).expect("the spool opens");
    assert_eq!(replay(&other_key).await, replayed(0, 0, 1), "another key");
    let whole = fs::read(&file).expect("it can be read");
    fs::write(&file, whole.split_at(whole.len() / 2).0).expect("it can be written");
    assert_eq!(replay(&scene.store()).await, replayed(0, 0, 1), "torn");
    fs::write(&file, &whole).expect("it can be written");
    scene.network(DOWN);
    let error = scene.store().replay().await.expect_err("the network is down");
    assert!(matches!(error, StoreError::Backend(_)), "{error}");
    scene.network(0);
    assert_eq!(replay(&scene.store()).await, replayed(1, 0, 0), "whole again");
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_full_disk_is_told_and_holds_no_commit_up() {
    let scene = Scene::new();
    scene.lose(DOWN).await;
    let [file] = scene.files().try_into().expect("one file");
    fs::remove_file(&file).expect("it is ours");
    // What is written to this name meets a device that is always full.
    let unfinished = file.with_extension("unfinished");
    std::os::unix::fs::symlink("/dev/full", &unfinished).expect("the folder is ours");
    let store = scene.store();
    assert!(store.spool_trouble().is_none());
    scene.network(DOWN);
    let op = || commit(&key("acme"), 1, "a2", Some("secret-r2"));
    store.apply(op()).await.expect_err("the network is down");
    // A thread of its own writes.
    while store.spool_trouble().is_none() {
        tokio::task::yield_now().await;
    }
    let trouble = store.spool_trouble().expect("it was told");
    assert_eq!(trouble.code(), "sr_auth::spool::disk_full");
    scene.network(0);
    store.apply(op()).await.expect("a commit does not need the spool");
}
