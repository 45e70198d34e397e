//! A user's grant in the store: stored by `login`, used by `token` and `api`, shown by `status`, ended by
//! `logout`.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value;
use sr_testkit::{Effect, Fault, Sandbox, Target};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use crate::browser::{authorize, come_back};
use crate::program::{Ended, Program, WITHIN, sandbox, secret_of};

/// How long an access token lives, in seconds.
pub(crate) const LONG: u32 = 1_799;
/// Long enough for a login, and so short that its end can be awaited.
const SHORT: u32 = 1;

/// A sandbox that consents by itself, and a home to log in from.
pub(crate) struct Scene {
    home: TempDir,
    sandbox: Sandbox,
}

impl Scene {
    /// Starts a sandbox; access tokens live so many seconds.
    async fn start(life: u32) -> Self {
        let life = format!("access_token_life={life}");
        let sandbox = sandbox(&["auto_decision=authorize", &life]).await;
        Self { home: tempfile::tempdir().expect("a directory can be made"), sandbox }
    }

    pub(crate) async fn logged_in(life: u32) -> Self {
        let scene = Self::start(life).await;
        let ended = scene.log_in(&[]).await;
        assert_eq!(ended.code, 0, "{}", ended.err);
        scene
    }

    /// Prepares the program as the application, in this home.
    fn program(&self, arguments: &[&str]) -> Program {
        Program::new(arguments).for_application(&self.sandbox).at_home(self.home.path())
    }

    pub(crate) async fn run(&self, arguments: &[&str]) -> Ended {
        self.program(arguments).run().await
    }

    async fn log_in(&self, more: &[&str]) -> Ended {
        let arguments: Vec<&str> = ["login", "--no-browser"].iter().chain(more).copied().collect();
        let mut running = self.program(&arguments).start();
        come_back(&authorize(&running.url().await).await).await;
        running.end().await
    }

    async fn status(&self) -> (i32, Value) {
        let ended = self.run(&["status", "--json"]).await;
        (ended.code, serde_json::from_str(&ended.out).expect("it is JSON"))
    }

    /// Waits until an access token of a short life has ended.
    #[expect(clippy::disallowed_methods, reason = "the program runs on the clock of the system")]
    async fn token_has_ended(&self) {
        let (_, status) = self.status().await;
        let moment = |pointer| status.pointer(pointer).and_then(Value::as_u64);
        let ends_at = moment("/access_token/ends_at").expect("there is one");
        let now = moment("/now").expect("it tells the time");
        tokio::time::sleep(Duration::from_millis(ends_at.saturating_sub(now) + 50)).await;
    }

    fn state(&self) -> PathBuf {
        self.home.path().join(".local/state/sr-auth")
    }

    fn config(&self) -> PathBuf {
        self.home.path().join(".config/sr-auth")
    }

    /// Returns the file of the store.
    pub(crate) fn store(&self) -> PathBuf {
        let files = fs::read_dir(self.state())
            .expect("it is there")
            .map(|it| it.expect("it can be listed").path());
        let store = files.into_iter().find(|it| it.extension().is_some_and(|it| it == "db"));
        store.expect("there is a store")
    }

    /// Counts the presentations of refresh tokens that the server has seen.
    pub(crate) fn presentations(&self) -> usize {
        self.sandbox.with(|it| {
            it.journal().filter(|entry| entry.grant_type == Some("refresh_token")).count()
        })
    }
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).expect("the mode can be set");
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).expect("it is there").permissions().mode() & 0o777
}

/// Returns all bytes below a folder, file by file.
fn files_below(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).expect("it is there") {
        let path = entry.expect("it can be listed").path();
        if path.is_dir() {
            files.extend(files_below(&path));
        } else {
            let bytes = fs::read(&path).expect("it can be read");
            files.push((path, bytes));
        }
    }
    files
}

/// Returns the length of the longest run of hexadecimal digits: tokens of the sandbox have 32.
fn longest_hex(bytes: &[u8]) -> usize {
    bytes.split(|it| !it.is_ascii_hexdigit()).map(<[u8]>::len).max().unwrap_or_default()
}

#[tokio::test]
async fn a_login_is_used_by_token_and_api_until_the_logout() {
    let scene = Scene::logged_in(LONG).await;
    let first = scene.run(&["token"]).await;
    assert_eq!((first.code, first.err.as_str()), (0, ""));
    assert_eq!(scene.run(&["token"]).await.out, first.out, "it is served from the store");
    assert_eq!(scene.presentations(), 0);
    let me = scene.run(&["api", "GET", "/users/me"]).await;
    assert_eq!(me.code, 0, "{}", me.err);
    assert!(me.out.contains("user-admin"), "{}", me.out);

    let ended = scene.run(&["logout"]).await;
    assert_eq!(ended.code, 0, "{}", ended.err);
    for told in ["The grant is ended", "knows the refresh token until", "no way to take"] {
        assert!(ended.out.contains(told), "{told}: {}", ended.out);
    }
    let (code, status) = scene.status().await;
    assert_eq!((code, status["state"].as_str()), (3, Some("revoked")));
    assert_eq!(status["refresh_token"], Value::Null);
    let ended = scene.run(&["logout"]).await;
    assert_eq!(ended.code, 0, "{}", ended.err);
    assert!(ended.out.starts_with("No grant is stored"), "{}", ended.out);
    let ended = scene.run(&["token", "--auth", "login"]).await;
    assert_eq!((ended.code, ended.out.as_str()), (3, ""));
    assert!(ended.err.contains("sr_auth::missing"), "{}", ended.err);
    let ended = scene.log_in(&["-vv"]).await;
    assert_eq!(ended.code, 0, "it can be begun anew");
    let token = scene.run(&["token", "-vv"]).await;
    assert_eq!(token.code, 0, "{}\n{}", ended.err, token.err);
}

#[tokio::test]
async fn a_token_that_the_api_refuses_is_renewed_for_the_next_call() {
    let scene = Scene::logged_in(LONG).await;
    let effect = Effect::Status { status: 401 };
    scene.sandbox.with(|it| it.inject(Fault::new(Target::Resources, effect)));
    let refused = scene.run(&["api", "GET", "/users/me"]).await;
    assert_eq!(refused.code, 3, "{}", refused.err);
    assert!(refused.err.contains("call again"), "{}", refused.err);
    assert_eq!(scene.presentations(), 1);
    assert_eq!(scene.run(&["api", "GET", "/users/me"]).await.code, 0);
    assert_eq!(scene.presentations(), 1);
}

#[tokio::test]
async fn two_shells_with_an_ended_token_present_the_refresh_token_once() {
    let scene = Scene::logged_in(SHORT).await;
    scene.token_has_ended().await;
    // What comes of it lives long enough for both.
    scene.sandbox.with(|it| it.switches_mut().set("access_token_life=1799")).expect("there is one");
    let effect = Effect::Delay { millis: 300 };
    scene.sandbox.with(|it| it.inject(Fault::new(Target::Token, effect)));
    let (left, right) = tokio::join!(scene.run(&["token"]), scene.run(&["token"]));
    assert_eq!((left.code, right.code), (0, 0), "{}{}", left.err, right.err);
    assert_eq!(left.out, right.out);
    assert_eq!(scene.presentations(), 1);
    let (code, status) = scene.status().await;
    assert_eq!((code, status["generation"].as_u64()), (0, Some(2)));
    assert_eq!(status["history"][1]["event"], "rotated");
}

#[tokio::test]
async fn a_signal_during_a_renewal_costs_no_grant() {
    for signal in ["INT", "TERM"] {
        let scene = Scene::logged_in(SHORT).await;
        scene.token_has_ended().await;
        scene
            .sandbox
            .with(|it| it.switches_mut().set("access_token_life=1799"))
            .expect("it is one");
        let effect = Effect::Delay { millis: 700 };
        scene.sandbox.with(|it| it.inject(Fault::new(Target::Token, effect)));
        let running = scene.program(&["token"]).start();
        let mut glances = tokio::time::interval(Duration::from_millis(10));
        let begun = async {
            while scene.presentations() == 0 {
                glances.tick().await;
            }
        };
        tokio::time::timeout(WITHIN, begun).await.expect("the renewal begins");
        running.signal(signal).await;
        let ended = running.end().await;
        assert_eq!(ended.code, 130, "{signal}: {}", ended.err);
        assert_eq!(scene.run(&["token"]).await.code, 0, "{signal}: what came was stored");
        assert_eq!(scene.presentations(), 1, "{signal}");
    }
}

#[tokio::test]
async fn after_a_lost_answer_nothing_is_presented_and_status_says_until_when() {
    let scene = Scene::logged_in(SHORT).await;
    scene.token_has_ended().await;
    scene.sandbox.with(|it| it.inject(Fault::new(Target::Token, Effect::LostAfter)));
    for _ in 0..2 {
        let ended = scene.run(&["token", "--wait", "1"]).await;
        assert_eq!((ended.code, ended.out.as_str()), (5, ""), "{}", ended.err);
        assert!(ended.err.contains("and not before"), "{}", ended.err);
    }
    assert_eq!(scene.presentations(), 1, "it is not presented again within the quiet period");
    let (code, status) = scene.status().await;
    assert_eq!((code, status["state"].as_str()), (0, Some("live")));
    let presentation = &status["presentation"];
    let quiet = presentation["quiet_until"].as_u64().zip(presentation["begun_at"].as_u64());
    assert_eq!(quiet.map(|(until, begun)| until - begun), Some(135_000));
    let told = scene.run(&["status"]).await.out;
    assert!(told.contains("its outcome is not known"), "{told}");
    let ended = scene.run(&["logout"]).await.out;
    assert!(ended.contains("A renewal was under way"), "{ended}");
}

#[tokio::test]
async fn a_dead_grant_is_told_with_its_cause_and_no_other_credential_takes_its_place() {
    let scene = Scene::logged_in(SHORT).await;
    scene.token_has_ended().await;
    assert!(scene.sandbox.with(|it| it.world_mut().delete_user("user-admin")));
    let service = scene.sandbox.credentials().service();
    for _ in 0..2 {
        let ended = scene.program(&["token"]).with(service).run().await;
        assert_eq!((ended.code, ended.out.as_str()), (3, ""), "{}", ended.err);
        assert!(ended.err.contains("sr_auth::dead::refused_by_server"), "{}", ended.err);
        assert!(ended.err.contains("sr-auth login"), "{}", ended.err);
    }
    assert_eq!(scene.presentations(), 1);
    let (code, status) = scene.status().await;
    assert_eq!((code, status["state"].as_str()), (3, Some("dead")));
    assert_eq!(status["cause_of_death"], "refused_by_server");
    let told = scene.run(&["status"]).await;
    assert!(told.out.contains("found dead: refused by the server"), "{}", told.out);
    assert!(told.err.contains("sr_auth::dead::refused_by_server"), "{}", told.err);
    let arguments = ["token", "--auth", "client-credentials"];
    assert_eq!(scene.program(&arguments).with(service).run().await.code, 0);
}

#[tokio::test]
async fn a_client_has_a_grant_for_each_name() {
    let scene = Scene::logged_in(LONG).await;
    assert_eq!(scene.log_in(&["--name", "work"]).await.code, 0);
    let tokens = [scene.run(&["token"]).await, scene.run(&["token", "--name", "work"]).await];
    assert!(tokens.iter().all(|it| it.code == 0) && tokens[0].out != tokens[1].out);
    let unknown = scene.run(&["token", "--name", "other"]).await;
    assert_eq!((unknown.code, unknown.out.as_str()), (3, ""), "{}", unknown.err);
    assert_eq!(scene.run(&["logout"]).await.code, 0);
    assert_eq!(scene.run(&["status", "--name", "work"]).await.code, 0);
}

#[tokio::test]
async fn what_the_command_line_says_beats_what_is_stored() {
    let scene = Scene::logged_in(LONG).await;
    let stored = scene.run(&["token"]).await.out;
    let service = scene.sandbox.credentials().service();
    let with = |arguments: &[&str]| scene.program(arguments).with(service);
    let id = service.id().as_str();
    let cases: [&[&str]; 2] =
        [&["token", "--auth", "client-credentials"], &["token", "--client-id", id]];
    for arguments in cases {
        let ended = with(arguments).run().await;
        assert_eq!(ended.code, 0, "{arguments:?}: {}", ended.err);
        assert_ne!(ended.out, stored, "{arguments:?}");
    }
    let public = with(&["api", "GET", "/jobs", "--public"]).run().await;
    assert_eq!(public.code, 3, "{}", public.err);
}

#[tokio::test]
async fn without_a_home_only_a_login_wants_to_know_where() {
    let scene = Scene::start(LONG).await;
    let token = Program::new(&["token"]).for_service(&scene.sandbox).without_home().run().await;
    assert_eq!(token.code, 0, "{}", token.err);
    let login = scene.program(&["login", "--no-browser"]).without_home().run().await;
    assert_eq!(login.code, 2, "{}", login.err);
    assert!(login.err.contains("--state-folder"), "{}", login.err);
    let status = scene.run(&["status"]).await;
    assert_eq!((status.code, status.out.as_str()), (3, ""), "{}", status.err);
}

#[tokio::test]
async fn a_folder_that_cannot_be_written_shows_before_the_browser_opens() {
    let scene = Scene::start(LONG).await;
    let file = scene.home.path().join("file");
    fs::write(&file, "").expect("it can be written");
    let below = file.join("state");
    for folder in [below.to_str().expect("it is text"), "/proc/sr-auth"] {
        let arguments = ["login", "--no-browser", "--state-folder", folder];
        let ended = scene.run(&arguments).await;
        assert_eq!((ended.code, ended.out.as_str()), (1, ""), "{folder}: {}", ended.err);
        assert!(ended.err.contains(folder), "{folder}: {}", ended.err);
    }
    assert_eq!(scene.sandbox.with(|it| it.journal().count()), 0);
}

#[tokio::test]
async fn k03_keys_and_stores_are_for_their_owner_only_and_refused_when_they_are_not() {
    let scene = Scene::logged_in(LONG).await;
    let (key, store) = (scene.config().join("sealing.key"), scene.store());
    for folder in [scene.state(), scene.config()] {
        assert_eq!(mode(&folder), 0o700, "{}", folder.display());
        for (file, _) in files_below(&folder) {
            assert_eq!(mode(&file), 0o600, "{}", file.display());
        }
    }
    let before = scene.sandbox.with(|it| it.journal().count());
    let cases = [
        (&key, "sr_auth::sealing_key::open_to_others"),
        (&store, "sr_auth::store::open_to_others"),
        (&scene.state().join("fingerprint.key"), "sr_auth::secret_file_mode"),
    ];
    for (file, code) in cases {
        set_mode(file, 0o640);
        for arguments in [&["token"][..], &["login", "--no-browser"]] {
            let ended = scene.run(arguments).await;
            assert_eq!((ended.code, ended.out.as_str()), (2, ""), "{code}: {}", ended.err);
            assert!(ended.err.contains(code), "{code}: {}", ended.err);
            assert!(ended.err.contains("chmod 600"), "{code}: {}", ended.err);
        }
        set_mode(file, 0o600);
    }
    assert_eq!(scene.sandbox.with(|it| it.journal().count()), before, "nothing was sent");
    assert_eq!(scene.run(&["token"]).await.code, 0, "nothing was lost");
}

#[tokio::test]
async fn a_key_that_is_wrong_or_gone_is_told_and_costs_nothing() {
    let scene = Scene::logged_in(LONG).await;
    let key = scene.config().join("sealing.key");
    let other = format!("{}A=", "B".repeat(42));
    let gone = scene.home.path().join("gone");
    let gone = gone.to_str().expect("it is text");
    let cases = [
        ("another key", "SR_AUTH_SEALING_KEY", other.as_str(), "sr_auth::seal::unknown_key"),
        ("no key", "SR_AUTH_SEALING_KEY", "nonsense", "sr_auth::sealing_key::malformed"),
        ("no file", "SR_AUTH_SEALING_KEY_FILE", gone, "sr_auth::sealing_key::missing"),
    ];
    for (name, variable, value, code) in cases {
        for arguments in [&["token"][..], &["login", "--no-browser"]] {
            let ended = scene.program(arguments).env(variable, value).run().await;
            assert_eq!((ended.code, ended.out.as_str()), (2, ""), "{name}: {}", ended.err);
            assert!(ended.err.contains(code), "{name}: {}", ended.err);
            assert!(!ended.err.contains(&other), "{name}");
        }
    }
    assert!(!Path::new(gone).exists(), "a second key is not made");
    // What needs no key goes on to work.
    let hidden = key.with_extension("hidden");
    fs::rename(&key, &hidden).expect("it can be moved");
    let ended = scene.run(&["token"]).await;
    assert_eq!(ended.code, 2, "{}", ended.err);
    assert!(ended.err.contains("sr_auth::sealing_key::missing"), "{}", ended.err);
    assert_eq!(scene.run(&["status"]).await.code, 0);
    fs::rename(&hidden, &key).expect("it can be moved");
    assert_eq!(scene.run(&["token"]).await.code, 0, "nothing was lost");
    let key = fs::read_to_string(&key).expect("it is there");
    let other_home = tempfile::tempdir().expect("a directory can be made");
    let program = scene.program(&["token"]).at_home(other_home.path());
    let program = program.env("SR_AUTH_STATE_FOLDER", scene.state().to_str().expect("it is text"));
    assert_eq!(program.env("SR_AUTH_SEALING_KEY", &key).run().await.code, 0, "from a variable");
}

#[tokio::test]
async fn k02_k04_k07_no_token_is_told_or_written_unsealed_and_fingerprints_name_them() {
    let scene = Scene::start(SHORT).await;
    let login = scene.log_in(&["-vv", "--no-store", "--print", "token"]).await;
    assert!(longest_hex(login.out.as_bytes()) >= 16, "tokens would be found: {}", login.out);
    assert!(!scene.state().exists(), "nothing is stored unless it is wanted");
    let login = scene.log_in(&["-vv"]).await;
    assert_eq!(login.code, 0, "{}", login.err);
    scene.token_has_ended().await;
    let token = scene.run(&["token", "-vv"]).await;
    assert_eq!((token.code, scene.presentations()), (0, 1), "{}", token.err);
    let status = scene.run(&["status"]).await;
    let json = scene.run(&["status", "--json"]).await;
    let id = scene.sandbox.credentials().application().id().as_str().to_owned();
    let runs = [&login.out, &login.err, &token.err, &status.out, &status.err, &json.out];
    for told in runs {
        // The URL of the authorize page has `state` in it, and is for the person at the terminal.
        let told: Vec<&str> = told.lines().filter(|it| !it.contains("/allow?")).collect();
        let told = told.join("\n").replace(&id, "");
        assert!(longest_hex(told.as_bytes()) < 16, "{told}");
        assert!(!told.contains(token.out.trim()), "{told}");
    }
    let json: Value = serde_json::from_str(&json.out).expect("it is JSON");
    let name = json["refresh_token"]["fingerprint"].as_str().expect("it has one");
    assert_eq!(name.len(), 8);
    assert!(status.out.contains(name) && token.err.contains(name), "{}", token.err);
    let secret = secret_of(scene.sandbox.credentials().application());
    for (file, bytes) in files_below(scene.home.path()) {
        let text = String::from_utf8_lossy(&bytes).replace(&id, "");
        assert!(longest_hex(text.as_bytes()) < 16, "{} holds a token", file.display());
        for text in [token.out.trim(), secret.as_str()] {
            let found = bytes.windows(text.len()).any(|it| it == text.as_bytes());
            assert!(!found, "{} holds a secret", file.display());
        }
    }
}

#[tokio::test]
async fn a_refresh_token_that_a_file_gets_is_not_stored_as_well() {
    let scene = Scene::start(LONG).await;
    let file = scene.home.path().join("refresh");
    let path = file.to_str().expect("it is text");
    assert_eq!(scene.log_in(&["--refresh-token-file", path]).await.code, 0);
    assert!(file.exists() && !scene.state().exists());
}

#[tokio::test]
async fn a_refresh_token_in_a_broken_answer_is_stored() {
    let scene = Scene::start(LONG).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
    let address = listener.local_addr().expect("it has one");
    let server = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.expect("it comes");
        let body = r#"{"access_token":"","expires_in":1799,"refresh_token":"0260b8e63d"}"#;
        let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close";
        let answer = format!("{head}\r\nContent-Length: {}\r\n\r\n{body}", body.len());
        assert_ne!(stream.read(&mut [0; 4096]).await.expect("it sends"), 0);
        stream.write_all(answer.as_bytes()).await.expect("it reads");
    });
    let endpoint = format!("http://{address}/identity/oauth/token");
    let ended = scene.log_in(&["--token-endpoint", &endpoint]).await;
    server.await.expect("it answered");
    assert_eq!((ended.code, ended.out.as_str()), (6, ""), "{}", ended.err);
    assert!(ended.err.contains("was saved in the store"), "{}", ended.err);
    let status = scene.run(&["status", "--json", "--token-endpoint", &endpoint]).await;
    let status: Value = serde_json::from_str(&status.out).expect("it is JSON");
    assert_eq!(status["access_token"], Value::Null);
    assert_ne!(status["refresh_token"], Value::Null);
}
