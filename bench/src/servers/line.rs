//! Stands between a store and its server, and counts round trips.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};

/// What went over the line.
#[derive(Default)]
pub(super) struct Line {
    server_spoke_last: AtomicBool,
    turns: AtomicU64,
}

impl Line {
    /// Opens a port that leads to the server of an address, and returns the address of that port.
    pub(super) async fn open(address: &str) -> (String, Arc<Self>) {
        let (start, rest) = address.split_once("127.0.0.1:").expect("a server on the loopback");
        let (port, path) = rest.split_once('/').expect("an address with a path");
        let port: u16 = port.parse().expect("a port");
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
        let own = listener.local_addr().expect("it is bound");
        let line = Arc::new(Self::default());
        tokio::spawn(Arc::clone(&line).lead(listener, SocketAddr::from(([127, 0, 0, 1], port))));
        (format!("{start}{own}/{path}"), line)
    }

    /// How often the client has begun to speak: once for each round trip.
    pub(super) fn turns(&self) -> u64 {
        self.turns.load(Ordering::SeqCst)
    }

    async fn lead(self: Arc<Self>, listener: TcpListener, server: SocketAddr) {
        while let Ok((client, _)) = listener.accept().await {
            let server = TcpStream::connect(server).await.expect("the server answers");
            let (from_client, to_client) = client.into_split();
            let (from_server, to_server) = server.into_split();
            tokio::spawn(Arc::clone(&self).forward(from_client, to_server, true));
            tokio::spawn(Arc::clone(&self).forward(from_server, to_client, false));
        }
    }

    async fn forward(
        self: Arc<Self>,
        mut from: OwnedReadHalf,
        mut to: OwnedWriteHalf,
        is_client: bool,
    ) {
        let mut bytes = vec![0; 64 * 1024];
        while let Ok(length @ 1..) = from.read(&mut bytes).await {
            if is_client && self.server_spoke_last.swap(false, Ordering::SeqCst) {
                self.turns.fetch_add(1, Ordering::SeqCst);
            }
            if !is_client {
                self.server_spoke_last.store(true, Ordering::SeqCst);
            }
            if to.write_all(&bytes[..length]).await.is_err() {
                return;
            }
        }
    }
}
