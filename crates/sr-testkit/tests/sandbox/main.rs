//! The sandbox server, from outside: plain HTTP/1.1 on a socket.

mod partners;

use std::time::Duration;

use sr_auth_core::{ClientAuthentication, ClientCredentials};
use sr_testkit::{Effect, Fault, Sandbox, SandboxSettings, Target};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// What came back: the head and the body, or nothing at all.
#[derive(Debug)]
struct Answer {
    body: String,
    head: String,
}

impl Answer {
    fn status(&self) -> &str {
        self.head.split(' ').nth(1).unwrap_or_default()
    }

    #[track_caller]
    fn header(&self, name: &str) -> &str {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(": "));
        let found = lines.find(|(it, _)| it.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value).unwrap_or_default()
    }
}

/// Sends bytes on a connection of their own and reads to its end.
async fn raw(sandbox: &Sandbox, bytes: &[u8]) -> String {
    let exchange = async {
        let address = sandbox.origin().replace("http://", "");
        let mut stream = TcpStream::connect(address).await.expect("the sandbox listens");
        let mut answer = Vec::new();
        // The sandbox may refuse before it has read all, and a reset is an end as well.
        let _written = stream.write_all(bytes).await;
        let _ended = stream.read_to_end(&mut answer).await;
        String::from_utf8_lossy(&answer).into_owned()
    };
    tokio::time::timeout(Duration::from_secs(20), exchange).await.expect("it answers in time")
}

async fn send(sandbox: &Sandbox, line: &str, headers: &[(&str, &str)], body: &str) -> Answer {
    let mut text = format!("{line} HTTP/1.1\r\nConnection: close\r\n");
    if !headers.iter().any(|(name, _)| *name == "Host") {
        text.push_str("Host: 127.0.0.1\r\n");
    }
    for (name, value) in headers {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    text.push_str(&format!("Content-Length: {}\r\n\r\n{body}", body.len()));
    let answer = raw(sandbox, text.as_bytes()).await;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_default();
    Answer { body: body.to_owned(), head: head.to_owned() }
}

const FORM: (&str, &str) = ("Content-Type", "application/x-www-form-urlencoded");
const JSON: (&str, &str) = ("Content-Type", "application/json");

async fn start() -> Sandbox {
    Sandbox::start(SandboxSettings::default()).await.expect("a free port exists")
}

fn secret(client: &ClientCredentials) -> &str {
    match client.authentication() {
        ClientAuthentication::Basic(secret) | ClientAuthentication::Body(secret) => secret.expose(),
        ClientAuthentication::Certificate | _ => "",
    }
}

fn client_credentials(client: &ClientCredentials) -> String {
    let (id, secret) = (client.id(), secret(client));
    format!("grant_type=client_credentials&client_id={id}&client_secret={secret}")
}

fn member(json: &str, name: &str) -> String {
    let json: serde_json::Value = serde_json::from_str(json).expect("the body is JSON");
    json.get(name).and_then(serde_json::Value::as_str).unwrap_or_default().to_owned()
}

#[tokio::test]
async fn every_method_of_authentication_works_over_a_socket() {
    let sandbox = start().await;
    let credentials = sandbox.credentials().clone();
    let public = send(&sandbox, "GET /v1/companies/AcmeLogistics/postings", &[], "").await;
    assert_eq!((public.status(), public.body.contains("Truck Driver")), ("200", true));
    let key = ("X-SmartToken", credentials.api_key_secret().expose());
    assert_eq!(send(&sandbox, "GET /jobs", &[key], "").await.status(), "200");
    let key = ("X-SmartToken", credentials.partner_api_key_secret().expose());
    assert_eq!(send(&sandbox, "GET /feed/publications", &[key], "").await.status(), "200");
    let form = client_credentials(credentials.service());
    let token = send(&sandbox, "POST /identity/oauth/token", &[FORM], &form).await;
    assert_eq!(token.status(), "200");
    let bearer = format!("Bearer {}", member(&token.body, "access_token"));
    let me = send(&sandbox, "GET /users/me", &[("Authorization", &bearer)], "").await;
    assert_eq!((me.status(), me.header("x-ratelimit-remaining")), ("200", "9"));
    let nobody = send(&sandbox, "GET /jobs", &[], "").await;
    assert_eq!((nobody.status(), nobody.header("www-authenticate")), ("401", "Bearer"));
    sandbox.stop().await;
}

#[tokio::test]
async fn a_lost_answer_closes_the_connection_without_a_byte() {
    let sandbox = start().await;
    let form = client_credentials(sandbox.credentials().service());
    for effect in [Effect::LostBefore, Effect::LostAfter] {
        sandbox.with(|simulator| simulator.inject(Fault::new(Target::Token, effect)));
        let lost = send(&sandbox, "POST /identity/oauth/token", &[FORM], &form).await;
        assert_eq!((lost.head.as_str(), lost.body.as_str()), ("", ""));
    }
    let answer = send(&sandbox, "POST /identity/oauth/token", &[FORM], &form).await;
    assert_eq!(answer.status(), "200");
    let statuses: Vec<_> =
        sandbox.with(|simulator| simulator.journal().map(|it| it.status).collect());
    assert_eq!(statuses, vec![None, None, Some(200)]);
}

#[tokio::test]
async fn another_host_name_is_refused() {
    let sandbox = start().await;
    for (host, expected) in [("localhost:1", "200"), ("[::1]", "200"), ("evil.example", "403")] {
        for path in ["/", "/v1/companies/AcmeLogistics/postings", "/__sandbox/requests"] {
            let answer = send(&sandbox, &format!("GET {path}"), &[("Host", host)], "").await;
            assert_eq!(answer.status(), expected, "{host}{path}");
        }
    }
    let twice =
        "GET / HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\nConnection: close\r\n\r\n";
    assert!(!raw(&sandbox, twice.as_bytes()).await.starts_with("HTTP/1.1 200"));
}

#[tokio::test]
async fn the_administration_moves_the_clock_plants_faults_and_sets_switches() {
    let sandbox = start().await;
    let before = sandbox.now();
    let moved = send(&sandbox, "POST /__sandbox/clock", &[JSON], r#"{"advance_seconds":1800}"#);
    assert_eq!(moved.await.status(), "200");
    assert!(sandbox.now().since(before) >= Duration::from_secs(1_800));
    let fault = r#"{"target":"token","count":1,"effect":{"kind":"status","status":503}}"#;
    let planted = send(&sandbox, "POST /__sandbox/faults", &[JSON], fault).await;
    assert_eq!(planted.status(), "204");
    let form = client_credentials(sandbox.credentials().service());
    let answer = send(&sandbox, "POST /identity/oauth/token", &[FORM], &form).await;
    assert_eq!(answer.status(), "503");
    let wanted = r#"{"token_shape":"dcra1","expires_in":"text"}"#;
    let set = send(&sandbox, "PUT /__sandbox/switches", &[JSON], wanted).await;
    assert_eq!(set.status(), "200");
    let answer = send(&sandbox, "POST /identity/oauth/token", &[FORM], &form).await;
    assert!(member(&answer.body, "access_token").starts_with("DCRA1-"), "{}", answer.body);
    let wrong = r#"{"token_shape":"hex","expires_in":"never"}"#;
    let refused = send(&sandbox, "PUT /__sandbox/switches", &[JSON], wrong).await;
    assert_eq!(refused.status(), "400");
    let journal = send(&sandbox, "GET /__sandbox/requests", &[], "").await;
    assert!(journal.body.contains(r#""grant_type":"client_credentials""#), "{}", journal.body);
    assert!(!journal.body.contains(secret(sandbox.credentials().service())));
}

#[tokio::test]
async fn the_administration_takes_only_what_makes_sense() {
    let sandbox = start().await;
    let status = |status: &str| {
        format!(r#"{{"target":"any","effect":{{"kind":"status","status":{status}}}}}"#)
    };
    let redirect = |status: &str| {
        let effect = format!(r#"{{"kind":"redirect","location":"/","status":{status}}}"#);
        format!(r#"{{"target":"any","effect":{effect}}}"#)
    };
    let advance = |seconds: &str| format!(r#"{{"advance_seconds":{seconds}}}"#);
    let range = "the status of a fault must be from 200 to 599";
    let decade = "advance_seconds must be at most 315360000, which is ten years";
    let cases = [
        ("POST /__sandbox/faults", status("99"), "400", range),
        ("POST /__sandbox/faults", status("101"), "400", range),
        ("POST /__sandbox/faults", status("199"), "400", range),
        ("POST /__sandbox/faults", status("600"), "400", range),
        ("POST /__sandbox/faults", redirect("600"), "400", range),
        ("POST /__sandbox/faults", status("70000"), "400", "70000"),
        ("POST /__sandbox/faults", status("\"x\""), "400", "invalid type"),
        ("POST /__sandbox/faults", status("599"), "204", ""),
        ("POST /__sandbox/faults", redirect("200"), "204", ""),
        ("POST /__sandbox/clock", advance("315360001"), "400", decade),
        ("POST /__sandbox/clock", advance("18446744073709551615"), "400", decade),
        ("POST /__sandbox/clock", advance("18446744073709551616"), "400", "message"),
        ("POST /__sandbox/clock", advance("-1"), "400", "message"),
        ("PUT /__sandbox/switches", r#"{"basic":1}"#.to_owned(), "400", "basic"),
    ];
    for (line, body, expected, told) in cases {
        let before = sandbox.now();
        let answer = send(&sandbox, line, &[JSON], &body).await;
        assert_eq!(answer.status(), expected, "{line} {body}: {}", answer.body);
        assert!(answer.body.contains(told), "{line} {body}: {}", answer.body);
        assert!(sandbox.now().since(before) < Duration::from_secs(60), "{line} {body}");
    }
    let moved = send(&sandbox, "POST /__sandbox/clock", &[JSON], &advance("315360000")).await;
    assert_eq!(moved.status(), "200");
}

#[tokio::test]
async fn other_sites_cannot_administer() {
    let sandbox = start().await;
    let body = r#"{"advance_seconds":1800}"#;
    let plain = send(&sandbox, "POST /__sandbox/clock", &[("Content-Type", "text/plain")], body);
    assert_eq!(plain.await.status(), "415");
    let cross = [JSON, ("Sec-Fetch-Site", "cross-site")];
    assert_eq!(send(&sandbox, "POST /__sandbox/clock", &cross, body).await.status(), "403");
    let settings = {
        let mut settings = SandboxSettings::default();
        settings.admin = false;
        settings
    };
    let closed = Sandbox::start(settings).await.expect("a free port exists");
    assert_eq!(send(&closed, "GET /__sandbox/requests", &[], "").await.status(), "404");
    let start = send(&closed, "GET /", &[], "").await;
    assert!(start.body.contains("<h1>SmartRecruiters sandbox</h1>"), "{}", start.body);
    assert!(!start.body.contains("/__sandbox/"), "a link that leads nowhere");
}

#[tokio::test]
async fn consent_is_given_on_the_page_of_the_sandbox_only() {
    let sandbox = start().await;
    let id = sandbox.credentials().application().id().to_string();
    let url = format!(
        "GET /identity/oauth/allow?client_id={id}&redirect_uri=http%3A%2F%2F127.0.0.1%2Fcallback"
    );
    let own = sandbox.origin();
    let host = ("Host", own.trim_start_matches("http://"));
    let cases = [
        ("a browser", &[("Origin", "null"), ("Sec-Fetch-Site", "same-origin")][..], "303"),
        ("an older browser", &[("Origin", own.as_str())], "303"),
        ("a program", &[], "303"),
        ("another site", &[("Origin", "null"), ("Sec-Fetch-Site", "cross-site")], "403"),
        ("another site in an older browser", &[("Origin", "https://evil.example")], "403"),
    ];
    for (name, headers, expected) in cases {
        // A link of another site leads to the page as ever.
        let page = send(&sandbox, &url, &[("Sec-Fetch-Site", "cross-site")], "").await;
        assert_eq!(page.status(), "200", "{name}");
        let (_, ticket) = page.body.split_once("name=\"ticket\" value=\"").expect("a form");
        let (ticket, _) = ticket.split_once('"').expect("a value");
        let body = format!("ticket={ticket}&decision=decline");
        let headers = [&[host, FORM], headers].concat();
        let answer = send(&sandbox, "POST /identity/oauth/allow", &headers, &body).await;
        assert_eq!(answer.status(), expected, "{name}");
    }
}

#[tokio::test]
async fn large_and_unfinished_requests_are_refused() {
    let sandbox = start().await;
    let large = "x".repeat(1024 * 1024 + 1);
    let body = send(&sandbox, "POST /identity/oauth/token", &[FORM], &large).await;
    assert_eq!(body.status(), "413");
    for path in ["/identity/oauth/token", "/identity/oauth/allow"] {
        for (size, expected) in [(64 * 1024, "40"), (64 * 1024 + 1, "413")] {
            let form = "x".repeat(size);
            let answer = send(&sandbox, &format!("POST {path}"), &[FORM], &form).await;
            assert!(answer.status().starts_with(expected), "{path}: {}", answer.status());
        }
    }
    let head = "x".repeat(512 * 1024);
    let head = send(&sandbox, "GET /", &[("X-Large", &head)], "").await;
    assert!(matches!(head.status(), "431" | ""), "{}", head.status());
    let garbage = raw(&sandbox, b"\x16\x03\x01 not http\r\n\r\n").await;
    assert!(garbage.is_empty() || garbage.starts_with("HTTP/1.1 400"), "{garbage}");
}

#[tokio::test]
async fn a_delayed_answer_takes_up_its_place_until_it_is_out() {
    let sandbox = start().await;
    let delay = Fault::new(Target::Path("/candidates".to_owned()), Effect::Delay { millis: 1_000 });
    sandbox.with(|simulator| simulator.inject(delay));
    let key = ("X-SmartToken", sandbox.credentials().api_key_secret().expose());
    let slow = async { send(&sandbox, "GET /candidates", &[key], "").await };
    let second = async {
        while sandbox.with(|simulator| simulator.journal().count()) == 0 {
            tokio::task::yield_now().await;
        }
        send(&sandbox, "GET /candidates", &[key], "").await
    };
    let (slow, second) = tokio::join!(slow, second);
    assert_eq!((slow.status(), second.status()), ("200", "429"));
    assert_eq!(second.header("x-ratelimit-concurrent-remaining"), "0");
    assert_eq!(send(&sandbox, "GET /candidates", &[key], "").await.status(), "200");
}

#[tokio::test]
async fn a_stopped_sandbox_answers_no_more() {
    let sandbox = start().await;
    let address = sandbox.origin().replace("http://", "");
    let idle = TcpStream::connect(&address).await.expect("the sandbox listens");
    sandbox.stop().await;
    assert!(TcpStream::connect(&address).await.is_err());
    drop(idle);
    let taken = start().await;
    let settings = {
        let mut settings = SandboxSettings::default();
        settings.port = taken.origin().rsplit(':').next().unwrap().parse().unwrap();
        settings
    };
    let refused = Sandbox::start(settings).await.expect_err("the port is taken");
    assert!(refused.to_string().starts_with("the sandbox cannot listen on 127.0.0.1:"));
}
