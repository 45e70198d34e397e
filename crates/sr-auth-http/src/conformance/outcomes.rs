//! What a failure is called, that nothing is repeated, and that no redirect is followed.

use std::io;
use std::net::Ipv4Addr;

use sr_auth_core::TransportFailure::{AfterSend, BeforeSend};
use tokio::net::TcpSocket;

use super::bench::{BODY, Bench, WIDE, request};
use super::peer::{Behaviour, Peer};
use super::report::Rule;

const EMPTY: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";

pub(super) async fn check(bench: &mut Bench<'_>) -> io::Result<()> {
    a_refused_connection_is_not_sent(bench).await?;
    a_connection_closed_at_once_ends_the_call(bench).await?;
    a_request_that_arrived_counts_as_sent(bench).await?;
    a_kept_connection_is_no_reason_to_repeat(bench).await?;
    a_redirect_is_an_answer(bench).await
}

async fn a_refused_connection_is_not_sent(bench: &mut Bench<'_>) -> io::Result<()> {
    const SCENE: &str = "nobody listens";
    // Bound and never listening: nobody else can get the port meanwhile.
    let socket = TcpSocket::new_v4()?;
    socket.bind((Ipv4Addr::LOCALHOST, 0).into())?;
    let url = format!("http://{}", socket.local_addr()?);
    for body in [BODY, b"".as_slice()] {
        let outcome = bench.send(SCENE, request(&url, body), WIDE).await;
        bench.expect_failure(SCENE, outcome, BeforeSend);
    }
    Ok(())
}

/// Whether bytes left before the connection was seen to be closed, only the transport can know.
async fn a_connection_closed_at_once_ends_the_call(bench: &mut Bench<'_>) -> io::Result<()> {
    const SCENE: &str = "the peer closes without reading";
    let peer = Peer::start(Behaviour::CloseAtOnce).await?;
    if let Some(Ok(response)) = bench.post(SCENE, &peer, WIDE).await {
        bench.note(Rule::AnswerUnchanged, SCENE, format!("status {}", response.status()));
    }
    Ok(())
}

async fn a_request_that_arrived_counts_as_sent(bench: &mut Bench<'_>) -> io::Result<()> {
    let garbage = b"\x16\x03\x01 no HTTP at all\r\n\r\n".to_vec();
    let half = b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf".to_vec();
    let scenes = [
        ("the peer resets after a byte", Behaviour::ResetAfter(1)),
        ("the peer resets inside the body", Behaviour::ResetAfter(300)),
        ("the peer reads the request and closes", Behaviour::CloseAfterRequest),
        ("the peer answers with garbage", Behaviour::AnswerOnceThenClose(garbage)),
        ("the peer closes inside the answer", Behaviour::AnswerOnceThenClose(half)),
    ];
    let long: Vec<u8> = BODY.iter().copied().cycle().take(600).collect();
    for (scene, behaviour) in scenes {
        for body in [&long, b"".as_slice()] {
            if body.is_empty() && matches!(behaviour, Behaviour::ResetAfter(300)) {
                continue;
            }
            let peer = Peer::start(behaviour.clone()).await?;
            let outcome = bench.send(scene, request(&peer.url(), body), WIDE).await;
            bench.expect_failure(scene, outcome, AfterSend);
            let connections = peer.received().connections.len();
            bench.expect(connections <= 1, Rule::Once, scene, || {
                format!("{connections} connections")
            });
        }
    }
    Ok(())
}

async fn a_kept_connection_is_no_reason_to_repeat(bench: &mut Bench<'_>) -> io::Result<()> {
    const IGNORED: &str = "the peer reads a second request on a kept connection and closes";
    let peer = Peer::start(Behaviour::AnswerOnceThenIgnore(EMPTY.to_vec())).await?;
    let first = bench.post(IGNORED, &peer, WIDE).await;
    if let Some(Err(error)) = first {
        bench.note(Rule::AnswerUnchanged, IGNORED, error.to_string());
    }
    let second = bench.post(IGNORED, &peer, WIDE).await;
    bench.expect_failure(IGNORED, second, AfterSend);
    let requests = peer.received().requests;
    bench.expect(requests == 2, Rule::Once, IGNORED, || format!("{requests} requests for 2"));

    const STALE: &str = "the peer closes a connection that it had promised to keep";
    let peer = Peer::start(Behaviour::AnswerOnceThenClose(EMPTY.to_vec())).await?;
    for sent in 1..=3 {
        // It may fail, when the close crosses the request; it must not arrive twice.
        let _either = bench.post(STALE, &peer, WIDE).await;
        let requests = peer.received().requests;
        bench.expect(requests <= sent, Rule::Once, STALE, || format!("{requests} for {sent}"));
    }
    Ok(())
}

async fn a_redirect_is_an_answer(bench: &mut Bench<'_>) -> io::Result<()> {
    const SCENE: &str = "the peer redirects to another origin";
    for status in [301, 302, 303, 307, 308] {
        let target = Peer::start(Behaviour::Answer(EMPTY.to_vec())).await?;
        let location = target.url();
        let answer = format!(
            "HTTP/1.1 {status} Moved\r\nLocation: {location}/stolen\r\nContent-Length: 0\r\n\r\n"
        );
        let peer = Peer::start(Behaviour::Answer(answer.into_bytes())).await?;
        match bench.post(SCENE, &peer, WIDE).await {
            Some(Ok(response)) => {
                let got = response.status().as_u16();
                bench.expect(got == status, Rule::RedirectNotFollowed, SCENE, || {
                    format!("{got} for {status}")
                });
            }
            Some(Err(error)) => bench.note(Rule::AnswerUnchanged, SCENE, error.to_string()),
            None => {}
        }
        let reached = target.received().bytes();
        bench.expect(reached == 0, Rule::RedirectNotFollowed, SCENE, || {
            format!("{reached} bytes at the target of a {status}")
        });
    }
    Ok(())
}
