//! Serves a router, with a limit to everything that a peer can make large or slow.

mod connection;
mod deadline;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tracing::{info, warn};

/// Serves a router over HTTP/1.1, which `oauthTokenUrl` and the rest need no more than.
///
/// It speaks plain HTTP: TLS ends in front of it, on this machine or at a proxy that is named in
/// [`Peers`](crate::Peers).
///
/// # Examples
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
/// use std::time::Duration;
/// use axum::Router;
/// use sr_partner_axum::{Server, ServerLimits};
///
/// let mut limits = ServerLimits::default();
/// limits.stop_within = Duration::from_secs(2);
/// let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
/// let stop = std::future::ready(()); // At once; a service waits for a signal here.
/// Server::new(limits).serve(listener, Router::new(), stop).await;
/// # Ok::<(), std::io::Error>(())
/// # })?;
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Server {
    limits: ServerLimits,
}

/// What one peer may cost. How large a body may be is decided where it is read, and axum's own
/// extractors take 2 MB.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct ServerLimits {
    /// How long the body of a request may take, from the moment at which its handler begins to wait
    /// for it. The pages and addresses of [`PartnerService`](crate::PartnerService) take 5 s.
    pub body_within: Duration,
    /// How many connections are served at a time; more wait.
    pub connections: usize,
    /// How large the head of a request may be, in bytes; 8 KiB at least.
    pub head_bytes: usize,
    /// How long the head of a request may take, from its first byte on, and on a new connection from
    /// its beginning on.
    pub head_within: Duration,
    /// How long a connection may be silent between two requests.
    pub idle_within: Duration,
    /// How long connections are waited for when the server stops.
    pub stop_within: Duration,
    /// How long a peer may take in nothing of an answer.
    pub write_within: Duration,
}

impl Default for ServerLimits {
    /// 2,048 connections, heads of 16 KiB in 5 s, bodies in 30 s, 30 s of silence, 30 s without a byte
    /// taken in, and 10 s for the end.
    fn default() -> Self {
        Self {
            body_within: Duration::from_secs(30),
            connections: 2_048,
            head_bytes: 16 * 1024,
            head_within: Duration::from_secs(5),
            idle_within: Duration::from_secs(30),
            stop_within: Duration::from_secs(10),
            write_within: Duration::from_secs(30),
        }
    }
}

impl Server {
    /// Sets the limits.
    #[must_use]
    pub const fn new(limits: ServerLimits) -> Self {
        Self { limits }
    }

    /// Serves until `stop` is over; then takes no more connections, lets those finish that answer,
    /// and returns. What an exchange still has to do is waited for by
    /// [`PartnerService::settle`](crate::PartnerService::settle).
    pub async fn serve(
        &self,
        listener: TcpListener,
        router: Router,
        stop: impl Future<Output = ()> + Send,
    ) {
        if let Ok(address) = listener.local_addr() {
            let is_local = address.ip().is_loopback();
            info!(target: "sr_partner", %address, is_local, "serving plain HTTP");
        }
        let limits = self.limits;
        let (stopping, stopped) = watch::channel(false);
        let mut connections = JoinSet::new();
        let accepting = accept(&listener, limits, &router, &stopped, &mut connections);
        tokio::select! {
            () = accepting => {}
            () = stop => {}
        }
        drop(listener);
        // A connection that is gone hears nothing.
        let _none_left = stopping.send(true);
        let finish = async { while connections.join_next().await.is_some() {} };
        if tokio::time::timeout(limits.stop_within, finish).await.is_err() {
            warn!(target: "sr_partner", "connections are cut off at the end");
        }
    }
}

async fn accept(
    listener: &TcpListener,
    limits: ServerLimits,
    router: &Router,
    stopped: &watch::Receiver<bool>,
    connections: &mut JoinSet<()>,
) {
    let places = Arc::new(Semaphore::new(limits.connections));
    loop {
        // The ends of connections are taken in as they come, so that the set does not grow.
        while connections.try_join_next().is_some() {}
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
        let (stream, peer) = match listener.accept().await {
            Ok(accepted) => accepted,
            Err(error) => {
                warn!(target: "sr_partner", kind = ?error.kind(), "no connection can be taken");
                pause().await;
                continue;
            }
        };
        let connection = connection::serve(stream, peer, limits, router.clone(), stopped.clone());
        connections.spawn(async move {
            connection.await;
            drop(place);
        });
    }
}

#[expect(clippy::disallowed_methods, reason = "out of files: others must close one first")]
async fn pause() {
    tokio::time::sleep(Duration::from_millis(50)).await;
}
