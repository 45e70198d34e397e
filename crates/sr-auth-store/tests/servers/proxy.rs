//! Stands between a backend and its server, counts who speaks when, and cuts the line.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};

/// What went over the line.
#[derive(Debug, Default)]
pub(crate) struct Line {
    /// Whether an answer of the server is withheld from now on, and the line cut instead.
    cuts_answers: AtomicBool,
    server_spoke_last: AtomicBool,
    turns: AtomicU64,
}

impl Line {
    /// Returns how often the backend has begun to speak: once for each round trip.
    pub(crate) fn turns(&self) -> u64 {
        self.turns.load(Ordering::SeqCst)
    }

    /// From now on a request gets through, and its answer does not.
    pub(crate) fn cut_answers(&self, cut: bool) {
        self.cuts_answers.store(cut, Ordering::SeqCst);
    }
}

/// Opens a port that leads to `server`.
pub(crate) async fn open(server: SocketAddr) -> (SocketAddr, Arc<Line>) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    let line = Arc::new(Line::default());
    let shared = Arc::clone(&line);
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let Ok(server) = TcpStream::connect(server).await else { continue };
            let ((from_client, to_client), (from_server, to_server)) =
                (client.into_split(), server.into_split());
            let line = Arc::clone(&shared);
            tokio::spawn(async move {
                tokio::select! {
                    () = forward(from_client, to_server, &line, true) => {}
                    () = forward(from_server, to_client, &line, false) => {}
                }
            });
        }
    });
    (address, line)
}

async fn forward(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, line: &Line, is_client: bool) {
    let mut bytes = vec![0; 64 * 1024];
    while let Ok(length @ 1..) = from.read(&mut bytes).await {
        if is_client && line.server_spoke_last.swap(false, Ordering::SeqCst) {
            line.turns.fetch_add(1, Ordering::SeqCst);
        }
        if !is_client {
            if line.cuts_answers.load(Ordering::SeqCst) {
                return;
            }
            line.server_spoke_last.store(true, Ordering::SeqCst);
        }
        let Some(spoken) = bytes.get(..length) else { return };
        if to.write_all(spoken).await.is_err() {
            return;
        }
    }
}
