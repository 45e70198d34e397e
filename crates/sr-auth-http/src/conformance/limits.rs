//! Time and memory: late answers, long bodies, and the fence.

use std::io;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use sr_auth_core::TransportFailure::{AfterSend, BeforeSend};
use tokio::io::AsyncReadExt as _;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::time::timeout;

use super::bench::{BODY, Bench, WIDE, request};
use super::peer::{Behaviour, Peer};
use super::report::Rule;
use crate::Limits;

/// How much of an answer the system's own buffers may take on loopback.
const BUFFERS: u64 = 32 * 1024 * 1024;

const SHORT: Duration = Duration::from_millis(400);

pub(super) async fn check(bench: &mut Bench<'_>) -> io::Result<()> {
    a_long_body_is_cut(bench).await?;
    a_late_answer_is_given_up(bench).await?;
    a_request_past_its_fence_is_not_written(bench).await?;
    a_slow_connection_does_not_outlast_the_fence(bench).await?;
    a_stalled_handshake_is_not_sent(bench).await
}

async fn a_long_body_is_cut(bench: &mut Bench<'_>) -> io::Result<()> {
    let scenes: [(&str, &[u8]); 3] = [
        ("a body of 10 MB", b"HTTP/1.1 200 OK\r\nContent-Length: 10000000\r\n\r\n"),
        ("a body without an end", b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"),
        (
            "an endless body in one chunk",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffffff\r\n",
        ),
    ];
    for (scene, head) in scenes {
        let peer = Peer::start(Behaviour::Flood { head }).await?;
        match bench.post(scene, &peer, WIDE).await {
            Some(Ok(response)) => {
                let length = response.body().len();
                bench.expect(length == WIDE.body_limit, Rule::BodyCut, scene, || {
                    format!("{length} bytes instead of {}", WIDE.body_limit)
                });
            }
            Some(Err(error)) => bench.note(Rule::BodyCut, scene, error.to_string()),
            None => {}
        }
        let ended = peer.all_ended().await;
        let sent = peer.received().sent;
        bench.expect(ended && sent <= BUFFERS, Rule::BodyCut, scene, || {
            format!("{sent} bytes taken, connection closed: {ended}")
        });
    }
    Ok(())
}

async fn a_late_answer_is_given_up(bench: &mut Bench<'_>) -> io::Result<()> {
    let scenes = [
        ("the peer says nothing", Behaviour::Silent),
        ("the head of the answer drips", Behaviour::Drip { head: b"HTTP/1.1 200 OK\r\nX-Slow: " }),
        (
            "the body of the answer drips",
            Behaviour::Drip { head: b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" },
        ),
    ];
    for (scene, behaviour) in scenes {
        for body in [BODY, b"".as_slice()] {
            let peer = Peer::start(behaviour.clone()).await?;
            let limits = Limits::new(SHORT, SHORT, WIDE.body_limit);
            let outcome = bench.send(scene, request(&peer.url(), body), limits).await;
            if outcome.is_none() {
                // One call that does not come back is enough to wait for.
                return Ok(());
            }
            // On a busy machine the time may be over before anything was sent.
            if peer.received().bytes() > 0 {
                bench.expect_failure(scene, outcome, AfterSend);
            }
        }
    }
    Ok(())
}

async fn a_request_past_its_fence_is_not_written(bench: &mut Bench<'_>) -> io::Result<()> {
    const SCENE: &str = "there is no time left to write";
    let peer = Peer::start(Behaviour::CloseAfterRequest).await?;
    let limits = Limits::new(Duration::ZERO, WIDE.answer_within, WIDE.body_limit);
    let outcome = bench.post(SCENE, &peer, limits).await;
    bench.expect_failure(SCENE, outcome, BeforeSend);
    let bytes = peer.received().bytes();
    bench.expect(bytes == 0, Rule::Fenced, SCENE, || format!("{bytes} bytes"));
    Ok(())
}

/// The system finishes a connection only when there is room in the queue of the listener. It is
/// filled first and emptied after the fence, so that the connection comes in time for an answer and
/// too late for the request.
async fn a_slow_connection_does_not_outlast_the_fence(bench: &mut Bench<'_>) -> io::Result<()> {
    const SCENE: &str = "the connection is made when there is no time left to write";
    let socket = TcpSocket::new_v4()?;
    socket.bind((Ipv4Addr::LOCALHOST, 0).into())?;
    let listener = socket.listen(1)?;
    let address = listener.local_addr()?;
    let mut queue = Vec::new();
    while let Ok(connected) = timeout(SHORT * 2, TcpStream::connect(address)).await {
        queue.push(connected?);
    }
    let seen = Arc::new(AtomicU64::new(0));
    let taken = tokio::spawn(take_late(listener, queue, Arc::clone(&seen)));
    // The system tries again after one second, after three and after seven.
    let limits = Limits::new(SHORT, SHORT * 20, WIDE.body_limit);
    let outcome = bench.send(SCENE, request(&format!("http://{address}"), BODY), limits).await;
    bench.expect_failure(SCENE, outcome, BeforeSend);
    let _later = timeout(SHORT * 4, std::future::pending::<()>()).await;
    taken.abort();
    let bytes = seen.load(Ordering::SeqCst);
    bench.expect(bytes == 0, Rule::Fenced, SCENE, || format!("{bytes} bytes"));
    Ok(())
}

/// Takes every connection after the fence, and counts what arrives on them: what is written then is
/// written too late.
async fn take_late(listener: TcpListener, queue: Vec<TcpStream>, seen: Arc<AtomicU64>) {
    let _waited = timeout(SHORT * 2, std::future::pending::<()>()).await;
    drop(queue);
    while let Ok((mut stream, _)) = listener.accept().await {
        let mut bytes = Vec::new();
        let _ended = timeout(SHORT * 4, stream.read_buf(&mut bytes)).await;
        seen.fetch_add(u64::try_from(bytes.len()).unwrap_or(u64::MAX), Ordering::SeqCst);
    }
}

async fn a_stalled_handshake_is_not_sent(bench: &mut Bench<'_>) -> io::Result<()> {
    const SCENE: &str = "the peer accepts a TLS connection and says nothing";
    let peer = Peer::start(Behaviour::Silent).await?;
    let url = peer.url().replacen("http:", "https:", 1);
    let limits = Limits::new(SHORT, SHORT * 3, WIDE.body_limit);
    let outcome = bench.send(SCENE, request(&url, BODY), limits).await;
    bench.expect_failure(SCENE, outcome, BeforeSend);
    Ok(())
}
