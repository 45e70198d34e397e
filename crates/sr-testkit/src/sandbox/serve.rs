//! Sockets: HTTP/1.1 with bounds on everything that a peer can make large or slow.

use std::convert::Infallible;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use http::{Request, Response};
use hyper::body::Incoming;
use hyper::service::Service as _;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

/// Marks an answer that must not be sent: its connection is closed instead.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lost;

/// How many connections are served at a time; more wait.
const CONNECTIONS: usize = 512;
/// How long the head of a request may take to arrive, from the end of the one before on.
const HEAD_WITHIN: Duration = Duration::from_secs(60);
/// How large the head of a request may be, in bytes.
const HEAD_LIMIT: usize = 64 * 1024;

/// Serves until it is told to stop, then waits for the connections to finish.
pub(super) async fn serve(
    listener: TcpListener,
    router: Router,
    mut stopped: watch::Receiver<bool>,
) {
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    let mut connections = JoinSet::new();
    loop {
        // The ends of connections are taken in as they come, so that the set does not grow.
        while connections.try_join_next().is_some() {}
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { break };
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stopped.wait_for(|stop| *stop) => break,
        };
        let Ok((stream, _)) = accepted else {
            pause().await;
            continue;
        };
        let connection = connection(stream, router.clone(), stopped.clone());
        connections.spawn(async move {
            connection.await;
            drop(place);
        });
    }
    drop(listener);
    while connections.join_next().await.is_some() {}
}

#[expect(clippy::disallowed_methods, reason = "out of files: others must close one first")]
async fn pause() {
    tokio::time::sleep(Duration::from_millis(50)).await;
}

async fn connection(stream: TcpStream, router: Router, mut stopped: watch::Receiver<bool>) {
    let router = TowerToHyperService::new(router);
    let service = hyper::service::service_fn(move |request: Request<Incoming>| {
        let answer = router.call(request);
        async move { answer.await.map_or_else(never, send_unless_lost) }
    });
    let connection = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_WITHIN)
        .max_buf_size(HEAD_LIMIT)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = pin!(connection);
    // How a connection ends is the peer's business: there is nobody to tell.
    tokio::select! {
        _ended = connection.as_mut() => return,
        _ = stopped.wait_for(|stop| *stop) => connection.as_mut().graceful_shutdown(),
    }
    let _ended = connection.await;
}

#[derive(Debug, thiserror::Error)]
#[error("the answer is lost on purpose")]
struct LostOnPurpose;

fn never(error: Infallible) -> Result<Response<Body>, LostOnPurpose> {
    match error {}
}

fn send_unless_lost(response: Response<Body>) -> Result<Response<Body>, LostOnPurpose> {
    match response.extensions().get::<Lost>() {
        Some(Lost) => Err(LostOnPurpose),
        None => Ok(response),
    }
}
