//! The redirect endpoint of a program on this machine (RFC 8252 §7.3): open for one callback.
//!
//! ```text
//!  bind ──▶ callback ── GET /callback with our state ──▶ Farewell ── GET /done, or 3 s ──▶ closed
//!             │  ▲                     303 to /done
//!             └──┘ anything else: 400, 403, 404, 405, and no callback
//! ```
//!
//! It listens on an address of the loopback interface and never on a name; a request whose `Host`
//! is not this address gets 403, so that no web page can reach it by another name of its own.

mod connection;
mod page;

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use sr_auth_core::Secret;
use sr_auth_core::wire::callback::Callback;
use tokio::net::TcpListener;
use tokio::task::{JoinError, JoinSet};
use tokio::time::timeout;

use crate::exit::{Exit, Failure};
use connection::{Routes, Served};

/// How many connections are read at a time: a browser opens some that it never uses.
const CONNECTIONS: usize = 32;

/// How long the page after the callback can be fetched.
const FAREWELL: Duration = Duration::from_secs(3);

/// A listener on loopback that waits for one callback.
#[derive(Debug)]
pub(crate) struct Loopback {
    connections: JoinSet<Served>,
    listener: TcpListener,
    routes: Arc<Routes>,
}

impl Loopback {
    /// Listens on an address of the loopback interface; port 0 takes a free one.
    pub(crate) async fn bind(address: IpAddr, port: u16, path: &str) -> Result<Self, Failure> {
        let cannot = |error| {
            Failure::new(
                Exit::Failed,
                "sr_auth::loopback",
                format!("cannot listen on {}: {error}", SocketAddr::new(address, port)),
                "take another port with --port, or use --paste",
            )
        };
        if !address.is_loopback() {
            return Err(cannot("it is no address of this machine alone".to_owned()));
        }
        let listener = TcpListener::bind((address, port))
            .await
            .map_err(|error| cannot(error.kind().to_string()))?;
        let address = listener.local_addr().map_err(|error| cannot(error.kind().to_string()))?;
        let routes = Arc::new(Routes::new(address, path));
        Ok(Self { connections: JoinSet::new(), listener, routes })
    }

    /// Returns the redirect URI that leads here, with the port that was taken.
    pub(crate) fn redirect_uri(&self) -> String {
        self.routes.redirect_uri()
    }

    /// Has a request of the path `/` sent on to the authorization URL: the page of an application
    /// where a user begins.
    pub(crate) fn start_at(&self, authorization_url: &str) {
        self.routes.start_at(authorization_url);
    }

    /// Waits for the callback with this `state`; the listener is closed when the future is dropped.
    pub(crate) async fn callback(
        mut self,
        state: &Secret,
    ) -> Result<(Callback, Farewell), Failure> {
        self.routes.expect(state);
        loop {
            match self.next().await? {
                Served::Callback(callback) => return Ok((callback, Farewell(self))),
                Served::Done | Served::Other => {}
            }
        }
    }

    /// Accepts connections until one of them has been served.
    async fn next(&mut self) -> Result<Served, Failure> {
        loop {
            tokio::select! {
                accepted = self.listener.accept() => {
                    let (stream, _) = accepted
                        .map_err(|error| Failure::io("the listener failed", &error))?;
                    if self.connections.len() < CONNECTIONS {
                        let routes = Arc::clone(&self.routes);
                        self.connections.spawn(async move { routes.serve(stream).await });
                    }
                }
                Some(served) = self.connections.join_next() => {
                    return Ok(served.unwrap_or_else(|_: JoinError| Served::Other));
                }
            }
        }
    }
}

/// The listener after its callback: it answers one page, so that the code leaves the address bar.
#[derive(Debug)]
pub(crate) struct Farewell(Loopback);

impl Farewell {
    /// Answers that page, or nobody within a few seconds; then nothing listens any more.
    pub(crate) async fn serve(mut self) {
        let page = async { while !matches!(self.0.next().await, Ok(Served::Done) | Err(_)) {} };
        // Whether the page was fetched changes nothing.
        let _fetched = timeout(FAREWELL, page).await;
    }
}
