//! `sr-auth sandbox`.

use crate::browser::press_authorize;
use crate::program::{Program, Running, authority, check_status, fetch, post_form, raw};

/// A sandbox of the program, and the lines that it printed for the shell.
struct Started {
    exports: Vec<(String, String)>,
    origin: String,
    running: Running,
}

async fn start(arguments: &[&str]) -> Started {
    let arguments: Vec<&str> =
        ["sandbox", "--port", "0"].iter().chain(arguments).copied().collect();
    let mut running = Program::new(&arguments).start();
    let first = running.line_with("listens on").await;
    let origin = first.split(' ').find(|word| word.starts_with("http://"));
    let origin = origin.expect("the address is there").to_owned();
    let mut exports = Vec::new();
    while exports.len() < 7 {
        let line = running.line_with("export ").await;
        let (name, value) = line["export ".len()..].split_once('=').expect("it is a pair");
        exports.push((name.to_owned(), value.trim_matches('\'').to_owned()));
    }
    Started { exports, origin, running }
}

impl Started {
    fn value(&self, name: &str) -> &str {
        let found = self.exports.iter().find(|(it, _)| it == name);
        &found.expect("it is exported").1
    }

    /// Prepares a run with everything that was exported.
    fn program(&self, arguments: &[&str]) -> Program {
        let pairs = self.exports.iter();
        pairs.fold(Program::new(arguments), |program, (name, value)| program.env(name, value))
    }

    async fn post_token(&self, body: &str) -> String {
        post_form(authority(&self.origin), "/identity/oauth/token", body).await
    }
}

#[tokio::test]
async fn its_export_lines_make_the_other_commands_work() {
    let started = start(&[]).await;
    assert_eq!(started.value("SR_AUTH_ORIGIN"), started.origin);
    let cases: [&[&str]; 4] = [
        &["token"],
        &["api", "GET", "/jobs"],
        &["api", "GET", "/jobs", "--auth", "api-key"],
        &["api", "GET", "/feed/publications", "--auth", "partner-api-key"],
    ];
    for arguments in cases {
        let ended = started.program(arguments).run().await;
        assert_eq!((ended.code, ended.err.as_str()), (0, ""), "{arguments:?}");
    }
}

#[tokio::test]
async fn the_requests_of_the_documentation_are_answered_with_a_real_form() {
    let started = start(&[]).await;
    let (id, secret) = (started.value("SR_AUTH_CLIENT_ID"), started.value("SR_AUTH_CLIENT_SECRET"));
    let form = format!("grant_type=client_credentials&client_id={id}&client_secret={secret}");
    let answer = started.post_token(&form).await;
    check_status(&answer, 200);
    assert!(answer.contains("\"token_type\":\"bearer\""), "{answer}");
    let json = format!(
        r#"{{"client_id": "{id}", "client_secret": "{secret}", "grant_type": "client_credentials"}}"#
    );
    check_status(&started.post_token(&json).await, 400);
}

#[tokio::test]
async fn the_guide_of_the_authorization_code_can_be_followed_by_hand() {
    let started = start(&[]).await;
    let (id, secret) =
        (started.value("SR_AUTH_APP_CLIENT_ID"), started.value("SR_AUTH_APP_CLIENT_SECRET"));
    let allow = format!(
        "{}/identity/oauth/allow?client_id={id}\
         &redirect_uri=https%3A%2F%2Fyourapp.example%2Fcallback&scope=candidates_read%20jobs_read",
        started.origin
    );
    let callback = press_authorize(&allow).await;
    let code = callback.strip_prefix("https://yourapp.example/callback?code=").expect("a code");
    let client = format!("client_id={id}&client_secret={secret}");
    let first =
        started.post_token(&format!("{client}&code={code}&grant_type=authorization_code")).await;
    check_status(&first, 200);
    let bearer = format!("Authorization: Bearer {}", member(&first, "access_token"));
    let here = authority(&started.origin);
    let jobs =
        format!("GET /jobs HTTP/1.1\r\nHost: {here}\r\nConnection: close\r\n{bearer}\r\n\r\n");
    check_status(&raw(here, &jobs).await, 200);
    let refresh = format!(
        "{client}&refresh_token={}&grant_type=refresh_token",
        member(&first, "refresh_token")
    );
    let second = started.post_token(&refresh).await;
    check_status(&second, 200);
    assert_ne!(member(&first, "refresh_token"), member(&second, "refresh_token"));
    check_status(&started.post_token(&refresh).await, 400);
}

/// Returns a text of a JSON answer.
fn member(answer: &str, name: &str) -> String {
    let (_, body) = answer.split_once("\r\n\r\n").expect("it has a body");
    let body: serde_json::Value = serde_json::from_str(body).expect("it is JSON");
    body.get(name).and_then(|it| it.as_str()).expect("it is there").to_owned()
}

#[tokio::test]
async fn the_administration_answers_on_loopback() {
    let started = start(&[]).await;
    check_status(&fetch(&format!("{}/", started.origin)).await, 200);
    check_status(&fetch(&format!("{}/__sandbox/switches", started.origin)).await, 200);
}

#[tokio::test]
async fn a_switch_accepts_json_in_place_of_a_form() {
    let started = start(&["--switch", "unreadable_body=accept_json"]).await;
    let (id, secret) = (started.value("SR_AUTH_CLIENT_ID"), started.value("SR_AUTH_CLIENT_SECRET"));
    let json = format!(
        r#"{{"client_id": "{id}", "client_secret": "{secret}", "grant_type": "client_credentials"}}"#
    );
    check_status(&started.post_token(&json).await, 200);
}

#[tokio::test]
async fn the_same_seed_gives_the_same_credentials() {
    let (first, second) = (start(&["--seed", "7"]).await, start(&["--seed", "7"]).await);
    assert_eq!(first.value("SR_AUTH_API_KEY"), second.value("SR_AUTH_API_KEY"));
    let other = start(&[]).await;
    assert_ne!(first.value("SR_AUTH_API_KEY"), other.value("SR_AUTH_API_KEY"));
}

#[tokio::test]
async fn k04_each_request_is_shown_without_its_secrets() {
    let mut started = start(&[]).await;
    let secret = started.value("SR_AUTH_CLIENT_SECRET").to_owned();
    let ended = started.program(&["token"]).run().await;
    let line = started.running.line_with("/identity/oauth/token").await;
    let granted = started.program(&["token"]).env("SR_AUTH_CLIENT_SECRET", "wrong").run().await;
    assert_eq!(granted.code, 3);
    let refused = started.running.line_with("401").await;
    assert!(line.contains("POST") && line.contains("200") && line.contains("client_credentials"));
    assert!(refused.contains("secret is wrong"), "{refused}");
    for line in [line, refused] {
        assert!(!line.contains(&secret) && !line.contains(ended.out.trim()), "{line}");
    }
}

#[tokio::test]
async fn a_signal_ends_it_well_and_frees_the_port() {
    for signal in ["INT", "TERM"] {
        let started = start(&["--quiet"]).await;
        started.running.signal(signal).await;
        let ended = started.running.end().await;
        assert_eq!((ended.code, ended.err.as_str()), (0, ""), "{signal}");
        let again = tokio::net::TcpStream::connect(authority(&started.origin)).await;
        assert!(again.is_err(), "{signal}");
    }
}

#[tokio::test]
async fn everything_that_it_prints_can_be_pasted_into_a_shell() {
    let mut running = Program::new(&["sandbox", "--port", "0"]).start();
    let first = running.line_with("listens on").await;
    let origin = first.split(' ').find(|word| word.starts_with("http://"));
    let here = authority(origin.expect("the address is there")).to_owned();
    let lines = ["GET /$(id)'\";id|\\", "G`$id` /x", "GET /last"];
    let mut seen = Vec::new();
    for line in lines {
        raw(&here, &format!("{line} HTTP/1.1\r\nHost: {here}\r\nConnection: close\r\n\r\n")).await;
    }
    while seen.last().is_none_or(|line: &String| !line.contains("/last")) {
        seen.push(running.line_with("").await);
    }
    let shown: Vec<&String> = seen.iter().filter(|it| it.contains("%24")).collect();
    assert_eq!(shown.len(), 2, "{seen:?}");
    assert!(shown.iter().all(|it| !it.contains(['$', '`', '\'', '"', ';', '|'])), "{shown:?}");
    let safe = |it: char| it.is_ascii_alphanumeric() || "/._~:+-=".contains(it);
    let is_export = |line: &str| {
        let value = line.strip_prefix("export SR_AUTH_").and_then(|it| it.split_once("='"));
        let value = value.and_then(|(_, value)| value.strip_suffix('\''));
        value.is_some_and(|it| it.chars().all(safe))
    };
    for line in &seen {
        assert!(line.is_empty() || line.starts_with('#') || is_export(line), "{line}");
    }
}

#[tokio::test]
async fn a_signal_ends_it_while_nobody_reads_what_it_shows() {
    let started = start(&[]).await;
    let path = "x".repeat(250);
    // More than a pipe holds; the last of them are looked at when the pipe is full.
    for _ in 0..400 {
        fetch(&format!("{}/{path}", started.origin)).await;
    }
    let mut glances = tokio::time::interval(std::time::Duration::from_millis(250));
    for _ in 0..3 {
        glances.tick().await;
    }
    started.running.signal("TERM").await;
    assert_eq!(started.running.end_unread().await, 0);
}

#[tokio::test]
async fn it_goes_on_when_its_output_is_closed() {
    let mut started = start(&[]).await;
    started.running.close_output();
    let mut glances = tokio::time::interval(std::time::Duration::from_millis(150));
    for _ in 0..5 {
        check_status(&fetch(&format!("{}/", started.origin)).await, 200);
        glances.tick().await;
    }
    started.running.signal("TERM").await;
    assert_eq!(started.running.end_unread().await, 0);
}

#[tokio::test]
async fn a_port_that_is_taken_is_told() {
    let started = start(&[]).await;
    let port = started.origin.rsplit(':').next().expect("there is a port");
    let ended = Program::new(&["sandbox", "--port", port]).run().await;
    assert_eq!((ended.code, ended.out.as_str()), (1, ""));
    assert!(ended.err.contains(&format!("cannot listen on 127.0.0.1:{port}")), "{}", ended.err);
}

#[tokio::test]
async fn switches_are_listed_and_wrong_ones_refused() {
    let listed = Program::new(&["sandbox", "--switches"]).run().await;
    assert_eq!(listed.code, 0);
    for switch in sr_testkit::Switches::all() {
        assert!(listed.out.contains(&format!("{}=", switch.name())), "{}", switch.name());
    }
    let wrong = Program::new(&["sandbox", "--switch", "basic=maybe"]).run().await;
    assert_eq!(wrong.code, 2, "{}", wrong.err);
    assert!(wrong.err.contains("accepted | ignored"), "{}", wrong.err);
}
