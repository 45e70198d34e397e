//! The redirect endpoint of `sr-auth login`, met by hostile clients; and the browser it opens.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

use crate::browser::{authorize, come_back};
use crate::program::{
    Program, Running, WITHIN, authority, check_status, fetch, header, raw, sandbox, secret_of,
};

/// Starts a login, and returns it with the callback that the sandbox sends the browser to.
async fn waiting(sandbox: &sr_testkit::Sandbox, arguments: &[&str]) -> (Running, String) {
    let arguments: Vec<&str> = ["login", "--no-browser"].iter().chain(arguments).copied().collect();
    let mut running = Program::new(&arguments).for_application(sandbox).start();
    let url = running.url().await;
    let callback = authorize(&url).await;
    (running, callback)
}

#[tokio::test]
async fn c31_it_listens_on_127_0_0_1_only_and_on_a_port_of_its_own() {
    let sandbox = sandbox(&["auto_decision=authorize"]).await;
    let (first, first_callback) = waiting(&sandbox, &[]).await;
    let (second, second_callback) = waiting(&sandbox, &[]).await;
    assert_ne!(authority(&first_callback), authority(&second_callback));
    for (running, callback) in [(first, first_callback), (second, second_callback)] {
        let (host, port) = authority(&callback).split_once(':').expect("it has a port");
        assert_eq!(host, "127.0.0.1");
        for other in ["127.0.0.2", "[::1]"] {
            let reached = TcpStream::connect(format!("{other}:{port}")).await;
            assert!(reached.is_err(), "{other}");
        }
        come_back(&callback).await;
        assert_eq!(running.end().await.code, 0);
    }
}

#[tokio::test]
async fn c31_a_redirect_uri_with_an_ipv6_address_is_listened_on() {
    if let Err(error) = TcpListener::bind("[::1]:0").await {
        #[expect(clippy::disallowed_methods, reason = "no setting says where the test runs")]
        let must = std::env::var("CI").is_ok_and(|it| !it.is_empty());
        assert!(!must, "this machine has to have IPv6: {error}");
        // Past the capture of the test runner, so that it is seen.
        let _told = writeln!(std::io::stderr(), "not tested, for want of IPv6: {error}");
        return;
    }
    let sandbox = sandbox(&[]).await;
    let arguments = ["login", "--no-browser", "--redirect-uri", "http://[::1]/callback"];
    let mut running = Program::new(&arguments).for_application(&sandbox).start();
    let url = running.url().await;
    let (_, port) = url.split_once("%5B%3A%3A1%5D%3A").expect("the address is in the URL");
    let port = port.split('%').next().expect("a path follows");
    let answer = fetch(&format!("http://[::1]:{port}/callback?code=1&state=2")).await;
    check_status(&answer, 400);
    let state = url.split("state=").nth(1).and_then(|it| it.split('&').next());
    let state = state.expect("it is in the URL");
    let answer = fetch(&format!("http://[::1]:{port}/callback?code=1&state={state}")).await;
    check_status(&answer, 303);
    let ended = running.end().await;
    assert_eq!(ended.code, 3, "the code is made up: {}", ended.err);
}

#[tokio::test]
async fn c31_a_foreign_host_gets_403_and_its_callback_is_not_taken() {
    let sandbox = sandbox(&["auto_decision=authorize"]).await;
    let (running, callback) = waiting(&sandbox, &[]).await;
    let here = authority(&callback);
    let port = here.rsplit(':').next().expect("it has a port");
    for host in ["evil.example", &format!("localhost:{port}"), "127.0.0.1", "127.0.0.1:1"] {
        let request = format!("GET /callback?code=1&state=2 HTTP/1.1\r\nHost: {host}\r\n\r\n");
        check_status(&raw(here, &request).await, 403);
    }
    check_status(&raw(here, "GET /callback?code=1 HTTP/1.1\r\n\r\n").await, 400);
    check_status(&fetch(&format!("http://{here}/favicon.ico")).await, 404);
    come_back(&callback).await;
    assert_eq!(running.end().await.code, 0);
}

#[tokio::test]
async fn c31_a_callback_of_another_authorization_is_refused_and_ours_still_awaited() {
    let sandbox = sandbox(&["auto_decision=authorize"]).await;
    let (running, callback) = waiting(&sandbox, &[]).await;
    let base = callback.split_once('?').expect("it has a query").0;
    for query in ["", "?code=1", "?code=1&state=2", "?error=access_denied&state=2", "?state=%"] {
        check_status(&fetch(&format!("{base}{query}")).await, 400);
    }
    let exchanges = sandbox.with(|it| it.journal().filter(|it| it.grant_type.is_some()).count());
    assert_eq!(exchanges, 0);
    come_back(&callback).await;
    let ended = running.end().await;
    assert_eq!(ended.code, 0, "{}", ended.err);
}

#[tokio::test]
async fn c31_a_connection_that_says_nothing_holds_nobody_up() {
    let sandbox = sandbox(&["auto_decision=authorize"]).await;
    let (running, callback) = waiting(&sandbox, &[]).await;
    let silent = TcpStream::connect(authority(&callback)).await.expect("it listens");
    come_back(&callback).await;
    assert_eq!(running.end().await.code, 0);
    drop(silent);
}

#[tokio::test]
async fn c31_many_connections_that_say_nothing_hold_nobody_up() {
    let sandbox = sandbox(&["auto_decision=authorize"]).await;
    let arguments = ["login", "--no-browser"];
    let few_files = "ulimit -n 24";
    for program in [Program::new(&arguments), Program::below(few_files, &arguments)] {
        let mut running = program.for_application(&sandbox).start();
        let url = running.url().await;
        let callback = authorize(&url).await;
        let mut silent = Vec::new();
        for _ in 0..40 {
            silent.push(TcpStream::connect(authority(&callback)).await.expect("it listens"));
        }
        come_back(&callback).await;
        let ended = running.end().await;
        assert_eq!(ended.code, 0, "{}", ended.err);
        drop(silent);
    }
}

#[tokio::test]
async fn c31_after_the_callback_the_listener_is_closed() {
    let sandbox = sandbox(&["auto_decision=authorize"]).await;
    let (running, callback) = waiting(&sandbox, &["--print", "token"]).await;
    check_status(&fetch(&callback).await, 303);
    check_status(&fetch(&callback).await, 410);
    let here = authority(&callback);
    check_status(&fetch(&format!("http://{here}/done")).await, 200);
    let closed = async {
        while TcpStream::connect(here).await.is_ok() {
            tokio::task::yield_now().await;
        }
    };
    timeout(Duration::from_secs(2), closed).await.expect("nothing listens any more");
    assert_eq!(running.end().await.code, 0);
}

#[tokio::test]
async fn c33_the_callback_is_answered_with_a_way_out_of_the_address_bar() {
    let sandbox = sandbox(&["auto_decision=authorize"]).await;
    let (running, callback) = waiting(&sandbox, &[]).await;
    let code = callback.split("code=").nth(1).and_then(|it| it.split('&').next());
    let code = code.expect("there is a code");
    let answer = fetch(&callback).await;
    let page = fetch(&format!("http://{}/done", authority(&callback))).await;
    assert_eq!(header(&answer, "location"), Some("/done"));
    for answer in [&answer, &page] {
        assert!(!answer.contains(code));
        assert_eq!(header(answer, "cache-control"), Some("no-store"));
        assert_eq!(header(answer, "referrer-policy"), Some("no-referrer"));
        let policy = header(answer, "content-security-policy").expect("there is a policy");
        assert!(policy.starts_with("default-src 'none';"), "{policy}");
    }
    assert_eq!(running.end().await.code, 0);
}

#[tokio::test]
async fn c32_the_browser_gets_the_url_as_one_argument_and_no_shell_sees_it() {
    let sandbox = sandbox(&["auto_decision=authorize"]).await;
    let directory = tempfile::tempdir().expect("a directory can be made");
    let (script, seen) = (directory.path().join("browser"), directory.path().join("seen"));
    let owned = directory.path().join("owned");
    let (seen_name, owned_name) = (seen.display(), owned.display());
    let text = format!(
        "#!/bin/sh\nprintf '%s\\n' \"$#\" \"$@\" > {seen_name}.part\nmv {seen_name}.part {seen_name}\n"
    );
    fs::write(&script, text).expect("it can be written");
    fs::set_permissions(&script, fs::Permissions::from_mode(0o700)).expect("it can be set");
    let endpoint = format!(
        "{}/identity/oauth/allow?a=$(touch%20{owned_name});touch%20{owned_name}&b=--x",
        sandbox.origin()
    );
    let running = Program::new(&["login", "--authorization-endpoint", &endpoint])
        .for_application(&sandbox)
        .env("BROWSER", script.to_str().expect("the path is text"))
        .env("PATH", "/usr/bin:/bin")
        .start();
    let opened = async {
        let mut glances = tokio::time::interval(Duration::from_millis(20));
        while !seen.exists() {
            glances.tick().await;
        }
    };
    timeout(WITHIN, opened).await.expect("the browser is opened");
    running.signal("INT").await;
    let ended = running.end().await;
    assert_eq!(ended.code, 130, "{}", ended.err);
    let seen = fs::read_to_string(&seen).expect("it is there");
    let lines: Vec<&str> = seen.lines().collect();
    assert_eq!((lines.len(), lines[0]), (2, "1"), "{seen}");
    assert!(lines[1].starts_with(&endpoint), "{seen}");
    assert!(!owned.exists());
    let secret = secret_of(sandbox.credentials().application());
    assert!(!seen.contains(&secret));
}
