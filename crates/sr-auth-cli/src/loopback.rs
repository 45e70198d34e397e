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

use std::collections::VecDeque;
use std::convert::Infallible;
use std::future::pending;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use sr_auth_core::Secret;
use sr_auth_core::wire::callback::Callback;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::{JoinError, JoinSet};
use tokio::time::timeout;

use crate::exit::{Exit, Failure};
use connection::{Routes, Served};

/// How many connections are read at a time: a browser opens some that it never uses.
const CONNECTIONS: usize = 32;

/// How many of them stay when the callback has come.
const NEWEST: usize = 4;

/// How long the listener rests after a connection that could not be accepted.
const REST: Duration = Duration::from_millis(10);

/// How long the page after the callback can be fetched.
const FAREWELL: Duration = Duration::from_secs(3);

/// A listener on loopback that waits for one callback.
#[derive(Debug)]
pub(crate) struct Loopback {
    connections: JoinSet<Served>,
    /// Whether the page after the callback was fetched.
    done: bool,
    listener: TcpListener,
    /// The connections whose request has not come, the oldest first: dropping one closes it.
    readers: VecDeque<oneshot::Sender<Infallible>>,
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
        let readers = VecDeque::new();
        Ok(Self { connections: JoinSet::new(), done: false, listener, readers, routes })
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
            match self.next().await {
                Served::Callback(callback) => {
                    // The exchange may need what they hold; the newest may want the last page.
                    let silent = self.readers.len().saturating_sub(NEWEST);
                    self.readers.drain(..silent);
                    return Ok((callback, Farewell(self)));
                }
                // The page can overtake the end of the connection that brought the callback.
                Served::Done => self.done = true,
                Served::Other => {}
            }
        }
    }

    /// Accepts connections until one of them has been served.
    ///
    /// A connection that cannot be accepted is the trouble of whoever made it, or the system's for
    /// a while: neither ends the waiting, which its caller bounds.
    async fn next(&mut self) -> Served {
        loop {
            tokio::select! {
                // What is finished comes first, so that it does not pile up.
                biased;
                Some(served) = self.connections.join_next() => {
                    return served.unwrap_or_else(|_: JoinError| Served::Other);
                }
                accepted = self.listener.accept() => match accepted {
                    Ok((stream, _)) => self.read(stream),
                    Err(_) => {
                        // It may be that too many are open.
                        self.readers.pop_front();
                        let _rested = timeout(REST, pending::<()>()).await;
                    }
                },
            }
        }
    }

    /// Reads a connection; when there are too many, the one that has been silent longest is closed.
    fn read(&mut self, stream: TcpStream) {
        self.readers.retain(|reader| !reader.is_closed());
        if self.readers.len() >= CONNECTIONS {
            self.readers.pop_front();
        }
        let (reader, closed) = oneshot::channel();
        self.readers.push_back(reader);
        let routes = Arc::clone(&self.routes);
        self.connections.spawn(async move { routes.serve(stream, closed).await });
    }
}

/// The listener after its callback: it answers one page, so that the code leaves the address bar.
#[derive(Debug)]
pub(crate) struct Farewell(Loopback);

impl Farewell {
    /// Answers that page, or nobody within a few seconds; then nothing listens any more.
    pub(crate) async fn serve(mut self) {
        let page = async { while !self.0.done && !matches!(self.0.next().await, Served::Done) {} };
        // Whether the page was fetched changes nothing.
        let _fetched = timeout(FAREWELL, page).await;
    }
}
