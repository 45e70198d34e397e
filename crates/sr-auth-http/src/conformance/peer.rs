//! The hostile peer: a loopback server that does one thing, and remembers what it received.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval, timeout};

/// Between two drops of a dripping answer.
const DRIP: Duration = Duration::from_millis(40);

/// The most that is remembered of one connection, and the most that an endless body is long.
const MEMORY: usize = 1024 * 1024;
const FLOOD: u64 = 256 * 1024 * 1024;

/// What the peer does with each connection.
#[derive(Clone, Debug)]
pub(super) enum Behaviour {
    /// Reads each request and answers with the same bytes.
    Answer(Vec<u8>),
    /// Answers the first request, and closes after it although it promised not to.
    AnswerOnceThenClose(Vec<u8>),
    /// Answers the first request; reads the next one on the same connection, and closes.
    AnswerOnceThenIgnore(Vec<u8>),
    /// Closes without reading.
    CloseAtOnce,
    /// Reads the whole request, and closes.
    CloseAfterRequest,
    /// Reads the request, sends `head`, and then a byte at a time for ever.
    Drip { head: &'static [u8] },
    /// Reads the request, sends `head`, and then as much as is taken.
    Flood { head: &'static [u8] },
    /// Reads so many bytes, and resets the connection.
    ResetAfter(usize),
    /// Reads what comes and says nothing.
    Silent,
}

/// What the peer received.
#[derive(Clone, Debug, Default)]
pub(super) struct Received {
    /// The bytes of each connection, in the order in which they were made.
    pub(super) connections: Vec<Vec<u8>>,
    /// How many connections have ended.
    pub(super) ended: usize,
    /// How many whole requests were read.
    pub(super) requests: usize,
    /// How many bytes of an answer were taken.
    pub(super) sent: u64,
}

impl Received {
    pub(super) fn bytes(&self) -> usize {
        self.connections.iter().map(Vec::len).sum()
    }
}

/// A running peer; it stops when dropped.
#[derive(Debug)]
pub(super) struct Peer {
    address: SocketAddr,
    received: Arc<Mutex<Received>>,
    _tasks: JoinSet<()>,
}

impl Peer {
    pub(super) async fn start(behaviour: Behaviour) -> io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let received = Arc::new(Mutex::new(Received::default()));
        let mut tasks = JoinSet::new();
        tasks.spawn(accept(listener, behaviour, Arc::clone(&received)));
        Ok(Self { address, received, _tasks: tasks })
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(super) fn received(&self) -> Received {
        lock(&self.received).clone()
    }

    /// Waits a little until all connections have ended, and tells whether they have.
    pub(super) async fn all_ended(&self) -> bool {
        let ended = timeout(Duration::from_secs(3), async {
            let mut look = interval(Duration::from_millis(5));
            loop {
                look.tick().await;
                let received = lock(&self.received);
                if received.ended == received.connections.len() {
                    return;
                }
            }
        });
        ended.await.is_ok()
    }
}

async fn accept(listener: TcpListener, behaviour: Behaviour, received: Arc<Mutex<Received>>) {
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        let index = {
            let mut received = lock(&received);
            received.connections.push(Vec::new());
            received.connections.len().saturating_sub(1)
        };
        let mut connection = Connection { index, received: Arc::clone(&received), stream };
        let behaviour = behaviour.clone();
        connections.spawn(async move {
            // An error only means that the transport has gone, which ends the scene as well.
            let _gone = connection.behave(behaviour).await;
            lock(&connection.received).ended += 1;
        });
    }
}

struct Connection {
    index: usize,
    received: Arc<Mutex<Received>>,
    stream: TcpStream,
}

impl Connection {
    async fn behave(&mut self, behaviour: Behaviour) -> io::Result<()> {
        match behaviour {
            Behaviour::Answer(answer) => loop {
                self.read_request().await?;
                self.stream.write_all(&answer).await?;
            },
            Behaviour::AnswerOnceThenClose(answer) => {
                self.read_request().await?;
                self.stream.write_all(&answer).await
            }
            Behaviour::AnswerOnceThenIgnore(answer) => {
                if self.index > 0 {
                    return self.read_request().await;
                }
                self.read_request().await?;
                self.stream.write_all(&answer).await?;
                self.read_request().await
            }
            Behaviour::CloseAtOnce => Ok(()),
            Behaviour::CloseAfterRequest => self.read_request().await,
            Behaviour::Drip { head } => self.drip(head).await,
            Behaviour::Flood { head } => self.flood(head).await,
            Behaviour::ResetAfter(bytes) => {
                self.read(bytes).await?;
                self.stream.set_zero_linger()
            }
            Behaviour::Silent => loop {
                self.read_some().await?;
            },
        }
    }

    async fn drip(&mut self, head: &[u8]) -> io::Result<()> {
        self.read_request().await?;
        self.stream.write_all(head).await?;
        let mut drop = interval(DRIP);
        drop.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            drop.tick().await;
            self.stream.write_all(b"x").await?;
        }
    }

    async fn flood(&mut self, head: &[u8]) -> io::Result<()> {
        self.read_request().await?;
        self.stream.write_all(head).await?;
        let block = vec![b'x'; 64 * 1024];
        while lock(&self.received).sent < FLOOD {
            let taken = self.stream.write(&block).await?;
            lock(&self.received).sent += u64::try_from(taken).unwrap_or(u64::MAX);
        }
        Ok(())
    }

    /// Reads one request: its head, and as much body as the head announces.
    async fn read_request(&mut self) -> io::Result<()> {
        let begin = self.seen(<[u8]>::len);
        loop {
            let complete = self.seen(|all| {
                all.get(begin..).and_then(request_length).is_some_and(|it| all.len() >= begin + it)
            });
            if complete {
                lock(&self.received).requests += 1;
                return Ok(());
            }
            self.read_some().await?;
        }
    }

    async fn read(&mut self, bytes: usize) -> io::Result<()> {
        while self.seen(<[u8]>::len) < bytes {
            self.read_some().await?;
        }
        Ok(())
    }

    async fn read_some(&mut self) -> io::Result<()> {
        let mut buffer = vec![0; 4_096];
        let count = self.stream.read(&mut buffer).await?;
        let mut received = lock(&self.received);
        let Some(seen) = received.connections.get_mut(self.index) else { return Ok(()) };
        if count == 0 || seen.len() > MEMORY {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        seen.extend(buffer.iter().take(count));
        Ok(())
    }

    fn seen<T>(&self, judge: impl FnOnce(&[u8]) -> T) -> T {
        let received = lock(&self.received);
        judge(received.connections.get(self.index).map_or(&[], Vec::as_slice))
    }
}

/// Returns how long the request at the beginning of `bytes` is, once its head is complete.
fn request_length(bytes: &[u8]) -> Option<usize> {
    let head = bytes.windows(4).position(|it| it == b"\r\n\r\n")?.checked_add(4)?;
    let lines = String::from_utf8_lossy(bytes.get(..head)?).to_ascii_lowercase();
    let length = lines.lines().find_map(|line| line.strip_prefix("content-length:"));
    let length: usize = length.and_then(|it| it.trim().parse().ok()).unwrap_or(0);
    head.checked_add(length)
}

fn lock(received: &Mutex<Received>) -> MutexGuard<'_, Received> {
    received.lock().unwrap_or_else(PoisonError::into_inner)
}
