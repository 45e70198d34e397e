//! Peers that are slow, silent, large or too many.

use std::time::Duration;

use http::StatusCode;
use sr_partner::consent::ConsentDisplayMode::Redirect;
use sr_partner_axum::ServerLimits;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};

use crate::scene::{Scene, text};

const SHORT: Duration = Duration::from_millis(300);
/// For a loaded machine: what is cut off is cut off long before.
const PATIENCE: Duration = Duration::from_secs(10);

async fn hurried() -> Scene {
    let mut limits = ServerLimits::default();
    limits.head_within = SHORT;
    limits.idle_within = 8 * SHORT;
    limits.write_within = SHORT;
    limits.connections = 64;
    Scene::with(Redirect, |it| it, limits).await
}

async fn connect(scene: &Scene) -> TcpStream {
    let address = scene.origin.strip_prefix("http://").unwrap();
    TcpStream::connect(address).await.unwrap()
}

/// Reads until the server ends the connection, and returns what it said.
async fn read_to_end(stream: &mut TcpStream) -> String {
    let mut said = Vec::new();
    let read = timeout(PATIENCE, stream.read_to_end(&mut said)).await;
    // Whether it is closed or reset is no matter.
    let _closed = read.expect("the server ends the connection");
    String::from_utf8_lossy(&said).into_owned()
}

/// Reads one answer of a connection that stays open.
async fn read_answer(stream: &mut TcpStream) -> String {
    let mut said = Vec::new();
    let read = async {
        while !said.ends_with(b"}") {
            assert_ne!(stream.read_buf(&mut said).await.unwrap(), 0, "closed");
        }
    };
    timeout(PATIENCE, read).await.expect("an answer");
    String::from_utf8_lossy(&said).into_owned()
}

fn token_request(body: &str) -> String {
    format!(
        "POST /oauth/token HTTP/1.1\r\nhost: x\r\ncontent-type: application/x-www-form-urlencoded\r\n\
         content-length: {}\r\n\r\n{body}",
        body.len()
    )
}

const BAD_CLIENT: &str = "client_id=a&client_secret=b&grant_type=client_credentials";

#[tokio::test]
async fn i23_silence_and_slow_heads_are_cut_off() {
    let scene = hurried().await;
    let mut silent = connect(&scene).await;
    assert_eq!(read_to_end(&mut silent).await, "");

    let began = Instant::now();
    let mut slow = connect(&scene).await;
    // A byte at a time keeps nobody waiting for ever.
    for byte in "POST /oauth/token HTTP/1.1\r\nx-slow: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa".bytes() {
        if slow.write_all(&[byte]).await.is_err() {
            break;
        }
        let _pause = timeout(SHORT / 10, slow.readable()).await;
    }
    read_to_end(&mut slow).await;
    assert!(began.elapsed() >= SHORT, "no sooner than it has to be");
    scene.stop().await;
}

#[tokio::test]
async fn i23_a_connection_rests_between_requests_and_not_for_ever() {
    let scene = hurried().await;
    let mut stream = connect(&scene).await;
    for _ in 0..2 {
        stream.write_all(token_request(BAD_CLIENT).as_bytes()).await.unwrap();
        assert!(read_answer(&mut stream).await.starts_with("HTTP/1.1 401"));
        // Longer than a head may take: nothing of one is here yet.
        let early = timeout(SHORT + SHORT / 2, stream.readable()).await;
        assert!(early.is_err(), "it is still open");
    }
    assert_eq!(read_to_end(&mut stream).await, "");
    scene.stop().await;
}

/// A second head is as slow as the first, and has no more time.
#[tokio::test]
async fn i23_a_head_that_has_begun_is_not_given_the_time_of_a_connection_that_rests() {
    let scene = hurried().await;
    let mut stream = connect(&scene).await;
    stream.write_all(token_request(BAD_CLIENT).as_bytes()).await.unwrap();
    read_answer(&mut stream).await;
    stream.write_all(b"POST /oauth/token HTTP/1.1\r\n").await.unwrap();
    let mut rest = [0; 64];
    let ended = timeout(5 * SHORT, stream.read(&mut rest)).await;
    // Whether it is closed or reset is no matter.
    assert!(matches!(ended, Ok(Ok(0) | Err(_))), "long before the end of a rest: {ended:?}");
    scene.stop().await;
}

#[tokio::test]
async fn i23_split_and_pipelined_requests_are_answered_in_order() {
    let scene = hurried().await;
    let mut stream = connect(&scene).await;
    let request = token_request(BAD_CLIENT);
    let (head, tail) = request.split_at(40);
    stream.write_all(head.as_bytes()).await.unwrap();
    tokio::task::yield_now().await;
    stream.write_all(tail.as_bytes()).await.unwrap();
    assert!(read_answer(&mut stream).await.starts_with("HTTP/1.1 401"));
    let other = token_request("grant_type=password&client_id=a&client_secret=b");
    stream.write_all(format!("{request}{other}").as_bytes()).await.unwrap();
    let mut said = read_answer(&mut stream).await;
    if !said.contains("unsupported_grant_type") {
        said.push_str(&read_answer(&mut stream).await);
    }
    let first = said.find("invalid_client").unwrap();
    assert!(first < said.find("unsupported_grant_type").unwrap(), "{said}");
    scene.stop().await;
}

#[tokio::test]
async fn i23_what_is_too_large_is_refused_before_it_is_read() {
    let scene = hurried().await;
    let cases = [
        ("a head", format!("GET /connect HTTP/1.1\r\nx: {}\r\n\r\n", "a".repeat(20_000)), "431"),
        ("a body", token_request(&format!("{BAD_CLIENT}&x={}", "a".repeat(9_000))), "413"),
        (
            "a body that is announced",
            "POST /oauth/token HTTP/1.1\r\nhost: x\r\ncontent-type: \
             application/x-www-form-urlencoded\r\ncontent-length: 999999999\r\n\r\n"
                .to_owned()
                + &"a".repeat(9_000),
            "413",
        ),
        (
            "too many parameters",
            token_request(&format!("{BAD_CLIENT}{}", "&a=b".repeat(40))),
            "400",
        ),
    ];
    for (name, request, status) in cases {
        let mut stream = connect(&scene).await;
        // The server may have answered and closed before all of it is written.
        let _cut = stream.write_all(request.as_bytes()).await;
        let said = read_to_end(&mut stream).await;
        assert!(said.starts_with(&format!("HTTP/1.1 {status}")), "{name}: {said}");
    }
    scene.stop().await;
}

#[tokio::test]
async fn i23_a_body_that_does_not_come_is_not_waited_for() {
    let scene = hurried().await;
    let mut stream = connect(&scene).await;
    let request = token_request(BAD_CLIENT);
    stream.write_all(&request.as_bytes()[..request.len() - 10]).await.unwrap();
    let said = read_to_end(&mut stream).await;
    assert!(said.starts_with("HTTP/1.1 408"), "{said}");
    scene.stop().await;
}

/// A handler of the application itself, which reads a body like any other.
#[tokio::test]
async fn i23_a_body_that_trickles_is_cut_off_whoever_reads_it() {
    let mut limits = ServerLimits::default();
    limits.body_within = SHORT;
    let scene = Scene::with(Redirect, |it| it, limits).await;
    let head = "POST /notes HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\n\r\n";
    let mut slow = connect(&scene).await;
    slow.write_all(head.as_bytes()).await.unwrap();
    let began = Instant::now();
    while began.elapsed() < PATIENCE && slow.write_all(b"a").await.is_ok() {
        // Something to read is an answer.
        if timeout(SHORT / 10, slow.readable()).await.is_ok() {
            break;
        }
    }
    let said = read_to_end(&mut slow).await;
    assert!(said.starts_with("HTTP/1.1 400"), "{said}");
    assert!(began.elapsed() >= SHORT / 2, "no sooner than it has to be");
    assert!(began.elapsed() < PATIENCE, "{:?}", began.elapsed());
    let quick = scene.ask(scene.post("/notes"), "in one piece").await;
    assert_eq!(text(&quick), "in one piece");
    scene.stop().await;
}

/// A peer that takes in nothing of its answers: they wait in the socket, and not for ever.
#[tokio::test]
async fn i23_whoever_takes_in_no_answer_is_cut_off() {
    let scene = hurried().await;
    let mut deaf = connect(&scene).await;
    let note = "a".repeat(1_000_000);
    let head = "POST /notes HTTP/1.1\r\nhost: x\r\ncontent-length: 1000000\r\n\r\n";
    // More than two sockets hold, unless somebody reads.
    let write = async {
        while deaf.write_all(head.as_bytes()).await.is_ok() {
            if deaf.write_all(note.as_bytes()).await.is_err() {
                break;
            }
        }
    };
    timeout(PATIENCE, write).await.expect("the server ends the connection");
    scene.stop().await;
}

#[tokio::test]
async fn i23_http_2_is_not_spoken() {
    let scene = hurried().await;
    let mut stream = connect(&scene).await;
    stream.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await.unwrap();
    let said = read_to_end(&mut stream).await;
    assert!(!said.starts_with("HTTP/2"), "{said}");
    scene.stop().await;
}

#[tokio::test]
async fn i23_whoever_waits_while_all_places_are_taken_is_served_when_the_silent_are_gone() {
    let scene = hurried().await;
    let (began, mut silent) = (Instant::now(), Vec::new());
    for _ in 0..200 {
        silent.push(connect(&scene).await);
    }
    let answer = scene.ask(scene.get("/oauth/token"), "").await;
    assert_eq!(answer.status(), StatusCode::METHOD_NOT_ALLOWED);
    // Three times as many are before it as there are places.
    assert!(began.elapsed() >= 2 * SHORT, "it had to wait for its place: {:?}", began.elapsed());
    for mut stream in silent {
        read_to_end(&mut stream).await;
    }
    scene.stop().await;
}

#[tokio::test]
async fn a_server_that_stops_lets_answers_out_and_cuts_the_silent_off() {
    let mut limits = ServerLimits::default();
    limits.stop_within = SHORT;
    let scene = Scene::with(Redirect, |it| it, limits).await;
    let mut silent = connect(&scene).await;
    silent.write_all(b"GET /connect HTTP/1.1\r\n").await.unwrap();
    scene.stop().await;
    assert_eq!(read_to_end(&mut silent).await, "");
}

/// A proxy in front may see the end of a body elsewhere: what follows must not be taken for a request.
#[tokio::test]
async fn i23_a_body_whose_end_can_be_seen_in_two_places_is_followed_by_nothing() {
    let scene = hurried().await;
    let length = BAD_CLIENT.len();
    let chunked = format!("{length:x}\r\n{BAD_CLIENT}\r\n0\r\n\r\n");
    let plain = |headers: &str| (headers.to_owned(), BAD_CLIENT.to_owned());
    let in_chunks = |headers: &str| (headers.to_owned(), chunked.clone());
    let both = format!("content-length: {length}\r\ntransfer-encoding: chunked");
    let differ = format!("content-length: {length}\r\ncontent-length: 3");
    let cases = [
        ("length and chunks", in_chunks(&both)),
        ("two lengths", plain(&differ)),
        ("a list of lengths", plain(&format!("content-length: {length}, {length}"))),
        ("a sign", plain(&format!("content-length: +{length}"))),
        ("a space before the colon", plain(&format!("content-length : {length}"))),
        ("a folded line", plain(&format!("x: a\r\n b\r\ncontent-length: {length}"))),
        ("no coding", in_chunks("transfer-encoding: identity")),
        ("chunks are not the last coding", in_chunks("transfer-encoding: chunked, identity")),
        ("a coding that nobody knows", in_chunks("transfer-encoding: xchunked")),
        ("a prefix of a number", {
            ("transfer-encoding: chunked".to_owned(), format!("0x{chunked}"))
        }),
        ("half a line end", {
            ("transfer-encoding: chunked".to_owned(), chunked.replacen("\r\n", "\n", 1))
        }),
    ];
    for (name, (headers, body)) in cases {
        let mut stream = connect(&scene).await;
        let request = format!(
            "POST /oauth/token HTTP/1.1\r\nhost: x\r\ncontent-type: \
             application/x-www-form-urlencoded\r\n{headers}\r\n\r\n{body}\
             GET /oauth/token HTTP/1.1\r\nhost: x\r\n\r\n"
        );
        // The server may have answered and closed before all of it is written.
        let _cut = stream.write_all(request.as_bytes()).await;
        let said = read_to_end(&mut stream).await;
        assert!(!said.contains("405 Method"), "{name}: the second was answered: {said}");
        assert!(said.matches("HTTP/1.1").count() <= 1, "{name}: {said}");
    }
    scene.stop().await;
}
