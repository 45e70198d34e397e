//! Ordinary traffic: requests and answers pass unchanged.

use std::io;

use super::bench::{BODY, Bench, WIDE, request};
use super::peer::{Behaviour, Peer};
use super::report::Rule;

const ANSWER: &[u8] =
    b"HTTP/1.1 418 Odd\r\nX-Made-Up: a, b\r\nContent-Length: 6\r\n\r\n\x00\xff\r\n{}";

pub(super) async fn check(bench: &mut Bench<'_>) -> io::Result<()> {
    requests_and_answers_pass_unchanged(bench).await?;
    an_empty_body_passes(bench).await
}

async fn requests_and_answers_pass_unchanged(bench: &mut Bench<'_>) -> io::Result<()> {
    const SCENE: &str = "the peer answers";
    let peer = Peer::start(Behaviour::Answer(ANSWER.to_vec())).await?;
    match bench.post(SCENE, &peer, WIDE).await {
        Some(Ok(response)) => {
            let (status, length) = (response.status().as_u16(), response.body().len());
            let header = response.headers().get("x-made-up").is_some_and(|it| it == "a, b");
            let body = response.body().expose() == b"\x00\xff\r\n{}";
            bench.expect(status == 418 && header && body, Rule::AnswerUnchanged, SCENE, || {
                format!("status {status}, header {header}, {length} bytes of body")
            });
        }
        Some(Err(error)) => bench.note(Rule::AnswerUnchanged, SCENE, error.to_string()),
        None => {}
    }
    let received = peer.received().connections.concat();
    let head = String::from_utf8_lossy(&received).to_ascii_lowercase();
    let expected = [
        ("the request line", "post /token?q=c0de-query-5ca1ab1e http/1.1\r\n".to_owned()),
        ("the credential", "\r\nauthorization: bearer c0de-header-5ca1ab1e\r\n".to_owned()),
        ("the content type", "\r\ncontent-type: application/x-www-form-urlencoded\r\n".to_owned()),
        ("the content length", format!("\r\ncontent-length: {}\r\n", BODY.len())),
    ];
    for (part, text) in expected {
        let there = head.matches(&text).count();
        bench.expect(there == 1, Rule::RequestUnchanged, SCENE, || format!("{part} {there} times"));
    }
    bench.expect(received.ends_with(BODY), Rule::RequestUnchanged, SCENE, || {
        "another body".to_owned()
    });
    Ok(())
}

async fn an_empty_body_passes(bench: &mut Bench<'_>) -> io::Result<()> {
    const SCENE: &str = "the peer answers a request without a body";
    let peer = Peer::start(Behaviour::Answer(ANSWER.to_vec())).await?;
    let outcome = bench.send(SCENE, request(&peer.url(), b""), WIDE).await;
    if let Some(Err(error)) = outcome {
        bench.note(Rule::AnswerUnchanged, SCENE, error.to_string());
    }
    let requests = peer.received().requests;
    bench.expect(requests == 1, Rule::Once, SCENE, || format!("{requests} requests"));
    Ok(())
}
