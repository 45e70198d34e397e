//! A socket that does not wait for ever: for a head, for a body, for the next request, or for its peer
//! to read.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep};

use super::ServerLimits;

/// What a connection is about: shared by its socket and its service, which run in one task.
///
/// ```text
///  Head ── a request is read ──▶ Serving ── the answer is written ──▶ Resting
///   ▲                                                                    │
///   └───────────────────── the first byte of the next ◀──────────────────┘
/// ```
#[derive(Clone, Debug, Default)]
pub(super) struct Phase(Arc<AtomicU8>);

const HEAD: u8 = 0;
const SERVING: u8 = 1;
/// The answer has just been written: the deadline is to be set.
const RESTING: u8 = 2;
/// The deadline is set.
const IDLE: u8 = 3;

impl Phase {
    /// A request was read, and is being answered: how long that may take is not the socket's.
    pub(super) fn serve(&self) {
        self.set(SERVING);
    }

    /// The answer is over.
    pub(super) fn rest(&self) {
        self.set(RESTING);
    }

    fn now(&self) -> u8 {
        self.0.load(Ordering::Relaxed)
    }

    fn set(&self, phase: u8) {
        self.0.store(phase, Ordering::Relaxed);
    }
}

/// A socket with deadlines.
#[derive(Debug)]
pub(super) struct Deadlined {
    limits: ServerLimits,
    phase: Phase,
    /// When the head that is read must be here, or the next must begin.
    read_by: Pin<Box<Sleep>>,
    stream: TcpStream,
    /// When the peer must have taken something in; `None` while it does.
    written_by: Option<Pin<Box<Sleep>>>,
}

impl Deadlined {
    pub(super) fn new(stream: TcpStream, phase: Phase, limits: ServerLimits) -> Self {
        let read_by = Box::pin(alarm(limits.head_within));
        Self { limits, phase, read_by, stream, written_by: None }
    }

    /// Fails when nothing may be waited for any more.
    fn poll_read_by(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        match self.phase.now() {
            SERVING => return Ok(()),
            RESTING => {
                self.read_by.as_mut().reset(Instant::now() + self.limits.idle_within);
                self.phase.set(IDLE);
            }
            _ => {}
        }
        match self.read_by.as_mut().poll(cx) {
            Poll::Ready(()) => Err(io::ErrorKind::TimedOut.into()),
            Poll::Pending => Ok(()),
        }
    }

    /// Has a write wait only so long.
    fn patiently<T>(
        &mut self,
        cx: &mut Context<'_>,
        written: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.written_by = None;
            return written;
        }
        let within = self.limits.write_within;
        let written_by = self.written_by.get_or_insert_with(|| Box::pin(alarm(within)));
        ready!(written_by.as_mut().poll(cx));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl AsyncRead for Deadlined {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.poll_read_by(cx)?;
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(cx, buffer);
        if self.phase.now() == IDLE && buffer.filled().len() > before {
            let by = Instant::now() + self.limits.head_within;
            self.read_by.as_mut().reset(by);
            self.phase.set(HEAD);
        }
        read
    }
}

impl AsyncWrite for Deadlined {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.patiently(cx, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, parts);
        self.patiently(cx, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

/// The body of a request, which has to be here some time after it is first waited for.
#[derive(Debug)]
pub(super) struct Arriving {
    body: Incoming,
    here_by: Option<Pin<Box<Sleep>>>,
    within: Duration,
}

impl Arriving {
    pub(super) const fn new(body: Incoming, within: Duration) -> Self {
        Self { body, here_by: None, within }
    }
}

impl Body for Arriving {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let late = || axum::Error::new(io::Error::from(io::ErrorKind::TimedOut));
        if let Some(here_by) = &mut self.here_by
            && here_by.as_mut().poll(cx).is_ready()
        {
            return Poll::Ready(Some(Err(late())));
        }
        let frame = Pin::new(&mut self.body).poll_frame(cx);
        if frame.is_pending() && self.here_by.is_none() {
            // Only now, for most bodies come with their head.
            let mut here_by = Box::pin(alarm(self.within));
            if here_by.as_mut().poll(cx).is_ready() {
                return Poll::Ready(Some(Err(late())));
            }
            self.here_by = Some(here_by);
        }
        frame.map_err(axum::Error::new)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[expect(clippy::disallowed_methods, reason = "a socket's deadline is the timer's own")]
fn alarm(within: Duration) -> Sleep {
    tokio::time::sleep(within)
}
