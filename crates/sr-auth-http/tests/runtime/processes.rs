//! Real processes over one SQLite file. The test starts its own program again, and a variable names
//! the file that tells the child what to do.

use std::future::pending;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use serde_json::{Value, json};
use sr_auth_core::{ClientAuthentication, ClientCredentials, Endpoints, FingerprintKey, Secret};
use sr_auth_http::{ReqwestTransport, TokenSource, TokenSources};
use sr_auth_store::{SealingKey, SealingKeys, SqliteBackend, Store};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};
use tokio::task::JoinSet;

use crate::scene::{Scene, in_time, key};

const ORDERS: &str = "SR_AUTH_HTTP_TEST_ORDERS";
/// Before each line of a child, so that it is told from what the test program prints.
const MARK: &str = "child: ";
const NAME: &str =
    "processes::four_processes_with_ten_thousand_callers_each_at_expiry_make_one_request";

const CALLERS: usize = 10_000;
const PROCESSES: usize = 4;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn four_processes_with_ten_thousand_callers_each_at_expiry_make_one_request() {
    if let Some(orders) = orders_of_child() {
        return work(&orders).await;
    }
    let scene = Scene::start().await;
    let folder = tempfile::tempdir().unwrap();
    let orders = Orders::write(&scene, folder.path());
    // Its access token ends at once; what is asked for then lives long.
    set(&scene, "access_token_life=1");
    let consent = scene.consent().await;
    set(&scene, "access_token_life=1799");
    let adopting = orders.sources();
    adopting.adopt(&key("planner/acme"), &consent).await.unwrap();
    adopting.shutdown().await;
    let requests = scene.token_requests();
    let _ended = tokio::time::timeout(Duration::from_millis(1_500), pending::<()>()).await;

    let mut children: Vec<_> = (0..PROCESSES).map(|_| Worker::start(&orders.path)).collect();
    for child in &mut children {
        assert_eq!(child.line().await, "ready");
    }
    for child in &mut children {
        child.input("go\n").await;
    }
    let mut told = Vec::new();
    for child in &mut children {
        told.push(child.line().await);
    }
    let made = scene.token_requests() - requests;
    println!("{PROCESSES} processes with {CALLERS} callers each: {made} token request, {told:?}");
    assert!(told[0].starts_with("10000 served with one token, "), "{}", told[0]);
    assert!(told.iter().all(|it| *it == told[0]), "{told:?}");
    assert_eq!(made, 1);
    for mut child in children {
        // It ends with its standard input.
        drop(child.child.stdin.take());
        assert!(in_time("it ends", child.child.wait()).await.unwrap().success());
    }
}

/// What the child does: opens the store, waits for a word, and has its callers ask all at once.
async fn work(orders: &Orders) {
    let sources = orders.sources();
    let source = sources.source(&key("planner/acme"));
    let mut input = BufReader::new(tokio::io::stdin()).lines();
    say("ready");
    assert_eq!(input.next_line().await.unwrap().as_deref(), Some("go"));
    let ask = |source: TokenSource| async move {
        source.authorization_within(Duration::from_secs(60)).await
    };
    let callers: JoinSet<_> = (0..CALLERS).map(|_| ask(source.clone())).collect();
    let answers = callers.join_all().await;
    let served: Vec<_> = answers.into_iter().map(|it| it.unwrap().fingerprint()).collect();
    let is_one = served.iter().all(|it| *it == served[0]);
    let what = if is_one { "one token" } else { "several tokens" };
    let name = served[0].map(|it| it.to_string()).unwrap_or_default();
    say(&format!("{} served with {what}, {name}", served.len()));
    while input.next_line().await.unwrap().is_some() {}
    sources.shutdown().await;
}

/// Where grants rest, whose they are, and where their tokens come from.
struct Orders {
    path: PathBuf,
    text: Value,
}

impl Orders {
    fn write(scene: &Scene, folder: &Path) -> Self {
        let client = scene.sandbox.credentials().application();
        let (ClientAuthentication::Basic(secret) | ClientAuthentication::Body(secret)) =
            client.authentication()
        else {
            panic!("clients of the sandbox have secrets")
        };
        let text = json!({
            "client_id": client.id().as_str(),
            "client_secret": secret.expose(),
            "origin": scene.sandbox.origin(),
            "store": folder.join("grants.db"),
        });
        let path = folder.join("orders.json");
        std::fs::write(&path, text.to_string()).unwrap();
        Self { path, text }
    }

    fn sources(&self) -> TokenSources {
        let text = |name: &str| self.text[name].as_str().unwrap();
        let secret = Secret::new(text("client_secret").to_owned());
        let backend = SqliteBackend::open(Path::new(text("store"))).unwrap();
        let store = Store::new(backend, SealingKeys::new(SealingKey::from_bytes([9; 32])));
        let transport = ReqwestTransport::builder().without_root_certificates().build().unwrap();
        TokenSources::authorization_code(ClientCredentials::new(text("client_id"), secret).unwrap())
            .endpoints(Endpoints::at_origin(text("origin")).unwrap())
            .store(store, FingerprintKey::new([7; 32]))
            .transport(std::sync::Arc::new(transport))
            .build()
            .unwrap()
    }
}

fn orders_of_child() -> Option<Orders> {
    #[expect(clippy::disallowed_methods, reason = "a child is told so what it is")]
    let path = PathBuf::from(std::env::var_os(ORDERS)?);
    let text = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    Some(Orders { path, text })
}

struct Worker {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Worker {
    fn start(orders: &Path) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args([NAME, "--exact", "--nocapture"]).env(ORDERS, orders);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, lines }
    }

    async fn input(&mut self, text: &str) {
        self.child.stdin.as_mut().unwrap().write_all(text.as_bytes()).await.unwrap();
    }

    /// Returns the next line that the child means.
    async fn line(&mut self) -> String {
        let line = async {
            loop {
                let line = self.lines.next_line().await.unwrap().expect("the child says something");
                if let Some(said) = line.strip_prefix(MARK) {
                    return said.to_owned();
                }
            }
        };
        in_time("the child says something", line).await
    }
}

fn say(line: &str) {
    use std::io::Write as _;
    // The name of the test may stand before it, without an end of its line.
    let mut output = std::io::stdout();
    writeln!(output, "\n{MARK}{line}").unwrap();
    output.flush().unwrap();
}

fn set(scene: &Scene, switch: &str) {
    scene.sandbox.with(|it| it.switches_mut().set(switch)).unwrap();
}
