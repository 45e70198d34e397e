//! Peers that say nothing, or that say it slowly: they hold a place and give nothing for it.

use std::fmt;
use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::program::now;

/// How often each peer says one byte more.
const TICK: Duration = Duration::from_millis(250);
/// How long peers are waited for that nobody cuts off. The server gives them half of it.
const PATIENCE: Duration = Duration::from_secs(20);

/// What a peer says, a byte at a time.
const MANNERS: [&str; 3] = [
    "",
    "POST /oauth/token HTTP/1.1\r\nhost: x\r\nx-slow: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    "POST /oauth/token HTTP/1.1\r\nhost: x\r\ncontent-type: application/x-www-form-urlencoded\r\n\
     content-length: 8000\r\n\r\n",
];

/// Peers of each manner, in a thread of their own. One that is cut off comes again.
#[derive(Debug)]
pub(super) struct SlowPeers {
    enough: Arc<AtomicBool>,
    thread: JoinHandle<Cut>,
}

/// What became of them.
#[derive(Debug, Default)]
pub(super) struct Cut {
    /// How often one was cut off.
    pub(super) cut: usize,
    /// How many were never.
    pub(super) left: usize,
    longest: Duration,
}

impl fmt::Display for Cut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { cut, left, longest } = self;
        write!(f, "{cut} cut off, the last after {} ms, {left} left over", longest.as_millis())
    }
}

impl SlowPeers {
    /// Connects all of them.
    ///
    /// # Errors
    ///
    /// Fails when there are not as many as there should be.
    pub(super) fn begin(address: SocketAddr, count: usize) -> anyhow::Result<Self> {
        let manners = MANNERS.iter().cycle().take(count);
        let peers = manners.map(|manner| Peer::connect(address, manner));
        let peers = peers.collect::<std::io::Result<Vec<Peer>>>()?;
        let enough = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&enough);
        let thread = std::thread::spawn(move || hold(address, peers, &told));
        Ok(Self { enough, thread })
    }

    /// Lets none come again, waits until all are cut off, and tells what became of them.
    pub(super) fn finish(self) -> Cut {
        self.enough.store(true, Ordering::Relaxed);
        // A thread that broke has seen nothing.
        self.thread.join().unwrap_or_default()
    }
}

fn hold(address: SocketAddr, mut peers: Vec<Peer>, enough: &AtomicBool) -> Cut {
    let mut cut = Cut::default();
    let mut give_up_at = None;
    loop {
        let is_over = enough.load(Ordering::Relaxed);
        peers.retain_mut(|peer| {
            if peer.is_open() {
                return true;
            }
            cut.cut += 1;
            cut.longest = cut.longest.max(now().duration_since(peer.since));
            match (is_over, Peer::connect(address, peer.manner)) {
                (false, Ok(again)) => {
                    *peer = again;
                    true
                }
                (true, _) | (false, Err(_)) => false,
            }
        });
        cut.left = peers.len();
        let until = is_over.then(|| *give_up_at.get_or_insert_with(|| now() + PATIENCE));
        if is_over && (peers.is_empty() || until.is_some_and(|it| now() >= it)) {
            return cut;
        }
        std::thread::park_timeout(TICK);
    }
}

#[derive(Debug)]
struct Peer {
    manner: &'static str,
    said: usize,
    since: Instant,
    stream: TcpStream,
}

impl Peer {
    fn connect(address: SocketAddr, manner: &'static str) -> std::io::Result<Self> {
        let stream = TcpStream::connect_timeout(&address, Duration::from_secs(10))?;
        stream.set_nonblocking(true)?;
        Ok(Self { manner, said: 0, since: now(), stream })
    }

    /// Says a byte more, and tells whether anybody listens.
    fn is_open(&mut self) -> bool {
        let mut heard = [0; 1_024];
        loop {
            match self.stream.read(&mut heard) {
                Ok(0) => return false,
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(_) => return false,
            }
        }
        let said = self.manner.as_bytes();
        // The last manner says its head at once, and then a byte of a body that has no end.
        let all_of_head = self.manner.ends_with("\r\n\r\n") && self.said == 0;
        let next = match (said.get(self.said), all_of_head) {
            (_, true) => said,
            (Some(byte), false) => std::slice::from_ref(byte),
            (None, false) if self.manner.is_empty() => return true,
            (None, false) => b"a",
        };
        match self.stream.write(next) {
            Ok(written) => {
                self.said += written;
                true
            }
            Err(error) => error.kind() == ErrorKind::WouldBlock,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    #[test]
    fn a_server_that_cuts_nobody_off_is_found_out_and_one_that_does_is_not() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let server = std::thread::spawn(move || {
            let kept = listener.incoming().take(3).map(Result::unwrap).collect::<Vec<_>>();
            // All but the last are cut off.
            kept.into_iter().next_back()
        });
        let peers = MANNERS.map(|manner| Peer::connect(address, manner).unwrap());
        let kept = server.join().unwrap();
        let mut open = peers;
        let until = now() + Duration::from_secs(10);
        while open.iter_mut().filter_map(|it| it.is_open().then_some(())).count() > 1 {
            assert!(now() < until, "two were cut off");
            std::thread::park_timeout(Duration::from_millis(5));
        }
        drop(kept);
        while open.iter_mut().any(Peer::is_open) {
            assert!(now() < until, "the last was cut off");
            std::thread::park_timeout(Duration::from_millis(5));
        }
    }
}
