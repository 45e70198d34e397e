//! `sr-auth login`: the grant, with the callback on loopback and pasted.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

use sr_testkit::{Effect, Fault, Sandbox, Target};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::time::timeout;

use crate::browser::{authorize, come_back, press_authorize};
use crate::program::{Ended, Program, WITHIN, sandbox, secret_of};

const ELSEWHERE: &str = "https://yourapp.example/callback";

/// Logs in on loopback, with a browser that the test plays.
async fn log_in(sandbox: &Sandbox, arguments: &[&str]) -> Ended {
    let arguments: Vec<&str> = ["login", "--no-browser"].iter().chain(arguments).copied().collect();
    let mut running = Program::new(&arguments).for_application(sandbox).start();
    let url = running.url().await;
    come_back(&authorize(&url).await).await;
    running.end().await
}

/// Logs in by pasting what `change` makes of the callback.
async fn paste(sandbox: &Sandbox, change: impl FnOnce(String) -> String) -> Ended {
    let arguments = ["login", "--no-browser", "--paste", "--redirect-uri", ELSEWHERE];
    let mut running = Program::new(&arguments).for_application(sandbox).start();
    let url = running.url().await;
    let callback = authorize(&url).await;
    assert!(callback.starts_with(ELSEWHERE), "{callback}");
    running.type_line(&change(callback)).await;
    running.end().await
}

#[tokio::test]
async fn a_user_authorizes_on_loopback() {
    let sandbox = sandbox(&["auto_decision=authorize"]).await;
    let ended = log_in(&sandbox, &["--scope", "jobs_read user_me_read"]).await;
    assert_eq!(ended.code, 0, "{}", ended.err);
    insta::with_settings!({filters => [(r"expires in 17\d\d s", "expires in 17xx s")]}, {
        insta::assert_snapshot!(ended.out);
    });
    let scopes = sandbox.with(|it| it.grants(sandbox.now()).remove(0).scopes);
    assert_eq!(scopes.to_string(), "jobs_read user_me_read");
}

#[tokio::test]
async fn a_user_presses_authorize_on_the_page() {
    let sandbox = sandbox(&[]).await;
    let mut running = Program::new(&["login", "--no-browser"]).for_application(&sandbox).start();
    let url = running.url().await;
    come_back(&press_authorize(&url).await).await;
    let ended = running.end().await;
    assert_eq!(ended.code, 0, "{}", ended.err);
    let user = sandbox.with(|it| it.grants(sandbox.now()).remove(0).user_id);
    assert_eq!(user, "user-admin");
}

#[tokio::test]
async fn a_proof_key_can_be_sent() {
    let sandbox = sandbox(&["auto_decision=authorize", "pkce=required"]).await;
    let ended = log_in(&sandbox, &["--pkce"]).await;
    assert_eq!(ended.code, 0, "{}", ended.err);
}

#[tokio::test]
async fn only_the_token_is_printed_when_asked_for() {
    let sandbox = sandbox(&["auto_decision=authorize"]).await;
    let ended = log_in(&sandbox, &["--print", "token"]).await;
    assert_eq!(ended.code, 0, "{}", ended.err);
    let token = ended.out.trim();
    assert!(!token.contains(char::is_whitespace) && !ended.err.contains(token));
    assert!(!ended.err.contains(&secret_of(sandbox.credentials().application())));
}

#[tokio::test]
async fn a_pasted_callback_is_as_good() {
    let sandbox = sandbox(&["auto_decision=authorize"]).await;
    let ended = paste(&sandbox, |callback| callback).await;
    assert_eq!(ended.code, 0, "{}", ended.err);
    let ended =
        paste(&sandbox, |callback| callback.split_once('?').expect("it has a query").1.to_owned())
            .await;
    assert_eq!(ended.code, 0, "{}", ended.err);
}

#[tokio::test]
async fn a_callback_that_is_not_ours_is_refused_and_its_code_not_sent() {
    let sandbox = sandbox(&["auto_decision=authorize"]).await;
    let change_state = |callback: String| callback.replace("state=", "state=0");
    let cases: [(&str, fn(String) -> String, &str); 4] = [
        ("another's", change_state, "sr_auth::callback::state_mismatch"),
        ("no state", |it| it.replace("state=", "s="), "sr_auth::callback::state_mismatch"),
        ("elsewhere", |it| it.replace("yourapp", "evil"), "sr_auth::callback::other_redirect_uri"),
        ("nonsense", |_| "hello".to_owned(), "sr_auth::callback::malformed"),
    ];
    for (name, change, code) in cases {
        let ended = paste(&sandbox, change).await;
        assert_eq!((ended.code, ended.out.as_str()), (3, ""), "{name}");
        assert!(ended.err.contains(code), "{name}: {}", ended.err);
    }
    assert_eq!(exchanges(&sandbox), 0);
}

#[tokio::test]
async fn c37_a_declined_consent_is_told_plainly() {
    for switch in ["decline_spaces=encoded", "decline_spaces=raw"] {
        let sandbox = sandbox(&["auto_decision=decline", switch]).await;
        let runs = [
            log_in(&sandbox, &[]).await,
            paste(&sandbox, |callback| callback).await,
            paste(&sandbox, |callback| callback.replace("%20", " ")).await,
        ];
        for ended in runs {
            assert_eq!((ended.code, ended.out.as_str()), (3, ""), "{switch}: {}", ended.err);
            assert!(ended.err.contains("sr_auth::callback::declined"), "{switch}: {}", ended.err);
        }
        assert_eq!(exchanges(&sandbox), 0);
    }
}

#[tokio::test]
async fn an_expired_code_is_refused() {
    let sandbox = sandbox(&["auto_decision=authorize"]).await;
    let ended = paste(&sandbox, |callback| {
        sandbox.advance(Duration::from_secs(31));
        callback
    })
    .await;
    assert_eq!(ended.code, 3, "{}", ended.err);
    assert!(ended.err.contains("sr_auth::refused::invalid_grant"), "{}", ended.err);
}

#[tokio::test]
async fn a_user_who_does_not_come_is_not_awaited_for_ever() {
    let sandbox = sandbox(&[]).await;
    let arguments = ["login", "--no-browser", "--timeout", "1"];
    for paste in [&[][..], &["--paste", "--redirect-uri", ELSEWHERE]] {
        let arguments: Vec<&str> = arguments.iter().chain(paste).copied().collect();
        let mut running = Program::new(&arguments).for_application(&sandbox).start();
        running.url().await;
        // Standard input stays open meanwhile.
        let ended = running.end_by_itself().await;
        assert_eq!((ended.code, ended.out.as_str()), (3, ""), "{}", ended.err);
        assert!(ended.err.contains("sr_auth::login::timeout"), "{}", ended.err);
    }
}

#[tokio::test]
async fn a_signal_while_waiting_ends_with_130() {
    let sandbox = sandbox(&[]).await;
    for signal in ["HUP", "INT", "QUIT", "TERM"] {
        let program = Program::new(&["login", "--no-browser"]);
        let mut running = program.for_application(&sandbox).start();
        running.url().await;
        running.signal(signal).await;
        let ended = running.end().await;
        assert_eq!((ended.code, ended.out.as_str()), (130, ""), "{signal}: {}", ended.err);
    }
}

#[tokio::test]
async fn a_login_below_nohup_survives_its_terminal() {
    let sandbox = sandbox(&["auto_decision=authorize"]).await;
    let program = Program::below("trap '' HUP", &["login", "--no-browser"]);
    let mut running = program.for_application(&sandbox).start();
    let url = running.url().await;
    running.signal("HUP").await;
    come_back(&authorize(&url).await).await;
    let ended = running.end().await;
    assert_eq!(ended.code, 0, "{}", ended.err);
}

#[tokio::test]
async fn a_signal_during_the_exchange_costs_no_refresh_token() {
    let sandbox = sandbox(&["auto_decision=authorize"]).await;
    let directory = tempfile::tempdir().expect("a directory can be made");
    for signal in ["HUP", "INT", "QUIT", "TERM"] {
        let effect = Effect::Delay { millis: 700 };
        sandbox.with(|it| it.inject(Fault::new(Target::Token, effect)));
        let path = directory.path().join(signal);
        let name = path.to_str().expect("the path is text");
        let arguments = ["login", "--no-browser", "--refresh-token-file", name];
        let mut running = Program::new(&arguments).for_application(&sandbox).start();
        let before = exchanges(&sandbox);
        let url = running.url().await;
        come_back(&authorize(&url).await).await;
        let mut glances = tokio::time::interval(Duration::from_millis(10));
        let begun = async {
            while exchanges(&sandbox) == before {
                glances.tick().await;
            }
        };
        timeout(WITHIN, begun).await.expect("the exchange begins");
        running.signal(signal).await;
        let ended = running.end().await;
        assert_eq!(ended.code, 0, "{signal}: {}", ended.err);
        assert!(!fs::read_to_string(&path).expect("it is there").trim().is_empty(), "{signal}");
    }
    assert_eq!(fs::read_dir(directory.path()).expect("it is there").count(), 4);
}

/// Counts the requests that the token endpoint has received.
fn exchanges(sandbox: &Sandbox) -> usize {
    sandbox.with(|it| it.journal().filter(|entry| entry.grant_type.is_some()).count())
}

#[tokio::test]
async fn k04_a_refresh_token_is_kept_for_its_owner_only_and_never_replaced_unasked() {
    let sandbox = sandbox(&["auto_decision=authorize"]).await;
    let directory = tempfile::tempdir().expect("a directory can be made");
    let path = directory.path().join("refresh");
    let name = path.to_str().expect("the path is text");
    let ended = log_in(&sandbox, &["--refresh-token-file", name]).await;
    assert_eq!(ended.code, 0, "{}", ended.err);
    let first = fs::read_to_string(&path).expect("it is there");
    assert!(!ended.out.contains(first.trim()) && !ended.err.contains(first.trim()));
    let mode = fs::metadata(&path).expect("it is there").permissions().mode() & 0o777;
    assert_eq!(mode, 0o600);

    let before = sandbox.with(|it| it.journal().count());
    let arguments = ["login", "--no-browser", "--refresh-token-file", name];
    let ended = Program::new(&arguments).for_application(&sandbox).run().await;
    assert_eq!(ended.code, 2, "{}", ended.err);
    assert_eq!(sandbox.with(|it| it.journal().count()), before, "nothing was begun");
    assert_eq!(fs::read_to_string(&path).expect("it is there"), first);

    let ended = log_in(&sandbox, &["--refresh-token-file", name, "--force"]).await;
    assert_eq!(ended.code, 0, "{}", ended.err);
    assert_ne!(fs::read_to_string(&path).expect("it is there"), first);
    assert_eq!(fs::read_dir(directory.path()).expect("it is there").count(), 1);
}

#[tokio::test]
async fn a_full_disk_is_found_out_before_anything_is_spent() {
    let sandbox = sandbox(&["auto_decision=authorize"]).await;
    let directory = tempfile::tempdir().expect("a directory can be made");
    let path = directory.path().join("refresh");
    let name = path.to_str().expect("the path is text");
    let arguments = ["login", "--no-browser", "--timeout", "1", "--refresh-token-file", name];
    // Room for a token, but not for the longest one.
    let program = Program::below("trap '' XFSZ; ulimit -f 64", &arguments);
    let ended = program.for_application(&sandbox).run().await;
    assert_eq!((ended.code, ended.out.as_str()), (1, ""), "{}", ended.err);
    assert!(ended.err.contains("cannot be written: file too large"), "{}", ended.err);
    assert_eq!(fs::read_dir(directory.path()).expect("it is there").count(), 0);
}

#[tokio::test]
async fn a_refresh_token_that_cannot_be_kept_costs_no_access_token() {
    let sandbox = sandbox(&["auto_decision=authorize"]).await;
    let directory = tempfile::tempdir().expect("a directory can be made");
    let path = directory.path().join("refresh");
    let name = path.to_str().expect("the path is text");
    let arguments = ["login", "--no-browser", "--print", "token", "--refresh-token-file", name];
    let mut running = Program::new(&arguments).for_application(&sandbox).start();
    let url = running.url().await;
    fs::write(&path, "another's").expect("it can be written");
    come_back(&authorize(&url).await).await;
    let ended = running.end().await;
    assert_eq!(ended.code, 1, "{}", ended.err);
    assert!(ended.err.contains("the secret is in"), "{}", ended.err);
    assert!(!ended.out.trim().is_empty() && !ended.out.trim().contains(char::is_whitespace));
    assert_eq!(fs::read_to_string(&path).expect("it is there"), "another's");
}

#[tokio::test]
async fn a_refresh_token_in_an_otherwise_useless_answer_is_kept() {
    let sandbox = sandbox(&["auto_decision=authorize"]).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
    let address = listener.local_addr().expect("it listens");
    let server = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.expect("somebody comes");
        let body = r#"{"refresh_token":"0260b8e63d"}"#;
        let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close";
        let answer = format!("{head}\r\nContent-Length: {}\r\n\r\n{body}", body.len());
        assert_ne!(stream.read(&mut [0; 4096]).await.expect("it sends"), 0);
        stream.write_all(answer.as_bytes()).await.expect("it reads");
    });
    let directory = tempfile::tempdir().expect("a directory can be made");
    let path = directory.path().join("refresh");
    let endpoint = format!("http://{address}/identity/oauth/token");
    let name = path.to_str().expect("the path is text");
    let arguments = ["--refresh-token-file", name, "--token-endpoint", &endpoint];
    let ended = log_in(&sandbox, &arguments).await;
    server.await.expect("it answered");
    assert_eq!((ended.code, ended.out.as_str()), (6, ""), "{}", ended.err);
    assert!(ended.err.contains("was saved in"), "{}", ended.err);
    assert_eq!(fs::read_to_string(&path).expect("it is there"), "0260b8e63d\n");
}

#[tokio::test]
async fn what_cannot_work_is_refused_before_the_browser_opens() {
    let sandbox = sandbox(&[]).await;
    let cases: [(&str, &[&str]); 6] = [
        ("a name", &["--redirect-uri", "http://localhost:0/callback"]),
        ("another machine", &["--redirect-uri", ELSEWHERE]),
        ("no redirect URI", &["--paste"]),
        ("no scope", &["--scope", ""]),
        ("no consent page", &["--api-origin", "https://a.example", "--redirect-uri", "x"]),
        ("no directory", &["--refresh-token-file", "/nowhere/refresh"]),
    ];
    for (name, more) in cases {
        let arguments: Vec<&str> = ["login", "--no-browser"].iter().chain(more).copied().collect();
        let ended = Program::new(&arguments).for_application(&sandbox).run().await;
        let expected = if name == "no directory" { 1 } else { 2 };
        assert_eq!((ended.code, ended.out.as_str()), (expected, ""), "{name}: {}", ended.err);
    }
    let vendor = Program::new(&["login", "--environment", "sandbox"])
        .env("SR_AUTH_CLIENT_ID", "id")
        .env("SR_AUTH_CLIENT_SECRET", "secret")
        .run()
        .await;
    assert_eq!(vendor.code, 2, "{}", vendor.err);
    assert!(vendor.err.contains("--authorization-endpoint"), "{}", vendor.err);
    assert_eq!(sandbox.with(|it| it.journal().count()), 0);
}
