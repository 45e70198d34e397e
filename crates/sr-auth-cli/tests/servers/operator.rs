//! What an operator does with the store of a service.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::Stdio;

use serde_json::Value;

use crate::scene::{SERVERS, Scene, ended};

const GRANT: [&str; 2] = ["--grant", "planner/acme"];

/// Fetches a page of plain http.
fn fetch(url: &str) -> String {
    let rest = url.strip_prefix("http://").expect("it is plain http");
    let (authority, path) = rest.split_once('/').expect("it has a path");
    let mut stream = TcpStream::connect(authority).expect("it listens");
    write!(stream, "GET /{path} HTTP/1.1\r\nHost: {authority}\r\nConnection: close\r\n\r\n")
        .expect("it reads");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("it answers in text");
    answer
}

/// Returns where an answer leads.
fn location(answer: &str) -> String {
    let location = answer.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("location").then(|| value.trim().replace(' ', "%20"))
    });
    location.expect("it leads somewhere")
}

/// Plays the browser, until the user sees that it is done.
fn consent(url: &str) {
    let callback = location(&fetch(url));
    let done = location(&fetch(&callback));
    let origin = callback.split("/callback").next().expect("it is a callback");
    assert!(fetch(&format!("{origin}{done}")).starts_with("HTTP/1.1 200 "));
}

/// Logs a user in, whose grant the store then has.
async fn log_in(scene: &Scene) -> String {
    let mut command = scene.program(&["login", "--no-browser", GRANT[0], GRANT[1]]);
    let told = tokio::task::spawn_blocking(move || {
        let piped = command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = piped.spawn().expect("the program starts");
        let mut told = String::new();
        let err = BufReader::new(child.stderr.take().expect("it is piped"));
        for line in err.lines() {
            let line = line.expect("it is text");
            if let Some(url) = line.trim().strip_prefix("http") {
                consent(&format!("http{url}"));
            }
            told.push_str(&line);
        }
        let output = child.wait_with_output().expect("it ends");
        assert!(output.status.success(), "{told}");
        String::from_utf8(output.stdout).expect("it is text")
    });
    told.await.expect("nothing panics")
}

#[tokio::test(flavor = "multi_thread")]
async fn k09_a_grant_on_a_server_is_stored_shown_held_released_and_ended() {
    for server in SERVERS {
        let scene = Scene::on(server).await;
        let told = log_in(&scene).await;
        assert!(told.contains("stored, sealed, as grant planner/acme in "), "{server}: {told}");
        let [status, json] =
            [&[][..], &["--json"]].map(|more| [&["status"], &GRANT[..], more].concat());
        let shown = scene.run(&status).await;
        assert_eq!(shown.code, Some(0), "{server}: {}", shown.err);
        assert!(shown.out.contains("state:          live"), "{server}: {}", shown.out);

        let held = scene.run(&["hold", "planner", "--reason", "a leaked key"]).await;
        assert!(held.out.starts_with("Held: planner, since "), "{server}: {held:?}");
        let shown: Value = serde_json::from_str(&scene.run(&json).await.out).expect("it is JSON");
        assert_eq!(shown["held"]["reason"], "a leaked key", "{server}");
        assert_eq!(shown["grant"], "planner/acme", "{server}");
        let released = scene.run(&["release", "planner"]).await;
        assert!(released.out.starts_with("Released: planner"), "{server}: {released:?}");

        let ended = scene.run(&[&["logout"], &GRANT[..]].concat()).await;
        assert!(
            ended.out.starts_with("The grant is ended: grant planner/acme."),
            "{server}: {ended:?}"
        );
        assert_eq!(scene.run(&status).await.code, Some(3), "{server}");
        let nobody = scene.run(&["status", "--grant", "planner/nobody"]).await;
        assert_eq!(nobody.code, Some(3), "{server}: {nobody:?}");
    }
}

#[tokio::test]
async fn a_slip_of_the_pen_makes_no_store() {
    for server in SERVERS {
        let scene = Scene::on(server).await;
        for arguments in
            [&["hold", "--all"][..], &["release", "--all"], &["logout", GRANT[0], GRANT[1]]]
        {
            // A second time, the store would be there if the first had made it.
            for _ in 0..2 {
                let refused = scene.run(arguments).await;
                assert_eq!(refused.code, Some(2), "{server} {arguments:?}: {refused:?}");
                assert!(refused.err.contains("sr_auth::store::not_a_store"), "{refused:?}");
            }
        }
    }
}

#[tokio::test]
async fn k04_an_address_is_read_from_a_file_of_its_owner_and_never_shown() {
    use std::os::unix::fs::PermissionsExt as _;

    let scene = Scene::on(SERVERS[0]).await;
    log_in_nobody(&scene).await;
    let path = scene.home().join("address");
    std::fs::write(&path, format!("{}\n", scene.address())).expect("there is room");
    let mode = |mode| {
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).expect("it is ours");
    };
    let named = || {
        let mut command = scene.program(&["hold", "--store-address-file"]);
        command.arg(&path).env_remove("SR_AUTH_STORE");
        command
    };
    mode(0o600);
    assert_eq!(ended(named()).await.out, "Nothing is held.\n");
    mode(0o640);
    let refused = ended(named()).await;
    assert!(refused.err.contains("sr_auth::secret_file_mode"), "{refused:?}");

    let wrong = scene.address().replace("only-on-loopback", "canary-of-a-password");
    let nowhere = "postgres://sr_auth:canary-of-a-password@127.0.0.1:1/postgres";
    let broken = "postgres://sr_auth:canary-of-a-password@host:port/x";
    let other = "mysql://sr_auth:canary-of-a-password@127.0.0.1/x";
    let mut scene = scene;
    for (address, code, name) in [
        (wrong.as_str(), 2, "sr_auth::store::refused"),
        (nowhere, 5, "sr_auth::store::unreachable"),
        (broken, 2, "sr_auth::store::misconfigured"),
        (other, 2, "sr_auth::usage"),
    ] {
        scene = scene.with_address(address);
        let refused = scene.run(&["-vv", "hold", "--all"]).await;
        assert_eq!(refused.code, Some(code), "{name}: {refused:?}");
        assert!(refused.err.contains(name), "{name}: {refused:?}");
        assert!(!format!("{refused:?}").contains("canary"), "{name}: {refused:?}");
    }
}

/// Makes the store, with nothing in it.
async fn log_in_nobody(scene: &Scene) {
    // What was asked of the user is not answered: the store was made before.
    let command = scene.program(&["login", "--no-browser", "--timeout", "1", GRANT[0], GRANT[1]]);
    let given_up = ended(command).await;
    assert!(given_up.err.contains("sr_auth::login::timeout"), "{given_up:?}");
}
