//! The gate in front of a request body: it knows whether the body has begun to leave, and keeps it
//! from leaving too late.
//!
//! On HTTP/1.1 the head is buffered until the body has been asked for once, and both are written
//! together. So a body that was never asked for, or that refused, is a request of which nothing
//! has left; and a body that is not `Clone` cannot be sent twice by any layer below.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Frame, SizeHint};
use sr_auth_core::SecretBytes;

use crate::clock::Stopwatch;
use crate::{TransportError, TransportErrorKind};

const WAITING: u8 = 0;
const LEAVING: u8 = 1;
const CLOSED: u8 = 2;
const FENCED: u8 = 3;

/// Lets a body through once, until it is closed or too late.
#[derive(Debug)]
pub(super) struct Gate {
    clock: Stopwatch,
    state: AtomicU8,
    write_within: Duration,
}

impl Gate {
    /// Makes the gate of one request.
    ///
    /// An empty body is never asked for, so its gate counts as passed from the beginning: whether
    /// such a request was sent is not known.
    pub(super) fn new(
        body: &SecretBytes,
        clock: Stopwatch,
        write_within: Duration,
    ) -> Result<Arc<Self>, TransportError> {
        let state = AtomicU8::new(if body.is_empty() { LEAVING } else { WAITING });
        let gate = Self { clock, state, write_within };
        if gate.is_too_late() {
            return Err(TransportError::before_send(TransportErrorKind::Fenced));
        }
        Ok(Arc::new(gate))
    }

    /// Lets nothing through any more, and tells whether nothing has gone through.
    pub(super) fn close(&self) -> bool {
        self.shut(CLOSED)
    }

    /// Tells whether the body was refused because it was too late.
    pub(super) fn is_fenced(&self) -> bool {
        self.state.load(Ordering::SeqCst) == FENCED
    }

    pub(super) fn close_on_drop(self: &Arc<Self>) -> CloseOnDrop {
        CloseOnDrop(Arc::clone(self))
    }

    /// Lets the body through, or refuses it for ever.
    fn pass(&self) -> Result<(), Refused> {
        if self.is_too_late() {
            self.shut(FENCED);
            return Err(Refused);
        }
        let was = self.state.compare_exchange(WAITING, LEAVING, Ordering::SeqCst, Ordering::SeqCst);
        was.map(|_| ()).map_err(|_| Refused)
    }

    fn shut(&self, state: u8) -> bool {
        let was = self.state.compare_exchange(WAITING, state, Ordering::SeqCst, Ordering::SeqCst);
        was != Err(LEAVING)
    }

    fn is_too_late(&self) -> bool {
        self.clock.elapsed() >= self.write_within
    }
}

/// Closes the gate when the call that it belongs to is abandoned.
#[derive(Debug)]
pub(super) struct CloseOnDrop(Arc<Gate>);

impl Drop for CloseOnDrop {
    fn drop(&mut self) {
        self.0.close();
    }
}

/// A body behind its gate, given out in one piece and wiped when the last reader drops it.
#[derive(Debug)]
pub(super) struct GatedBody {
    bytes: Option<Bytes>,
    gate: Arc<Gate>,
}

impl GatedBody {
    pub(super) fn new(body: SecretBytes, gate: Arc<Gate>) -> Self {
        let bytes = (!body.is_empty()).then(|| Bytes::from_owner(Owned(body)));
        Self { bytes, gate }
    }
}

impl http_body::Body for GatedBody {
    type Data = Bytes;
    type Error = Refused;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Refused>>> {
        let Some(bytes) = self.bytes.take() else { return Poll::Ready(None) };
        Poll::Ready(Some(self.gate.pass().map(|()| Frame::data(bytes))))
    }

    fn is_end_stream(&self) -> bool {
        self.bytes.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        let left = self.bytes.as_ref().map_or(0, Bytes::len);
        SizeHint::with_exact(u64::try_from(left).unwrap_or(u64::MAX))
    }
}

/// The body may not leave any more.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the body may not be sent any more")]
pub(super) struct Refused;

struct Owned(SecretBytes);

impl AsRef<[u8]> for Owned {
    fn as_ref(&self) -> &[u8] {
        self.0.expose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gate(body: &[u8], write_within: Duration) -> Result<Arc<Gate>, TransportError> {
        Gate::new(&SecretBytes::new(body.to_vec()), Stopwatch::begin(), write_within)
    }

    #[test]
    fn a_body_passes_once() {
        let gate = gate(b"code=e63d", Duration::MAX).unwrap();
        assert_eq!([gate.pass(), gate.pass()], [Ok(()), Err(Refused)]);
        assert!(!gate.close(), "it has begun to leave");
    }

    #[test]
    fn a_closed_gate_lets_nothing_through() {
        let gate = gate(b"code=e63d", Duration::MAX).unwrap();
        drop(gate.close_on_drop());
        assert_eq!(gate.pass(), Err(Refused));
        assert!(gate.close() && !gate.is_fenced());
    }

    #[test]
    fn c36_a_fence_of_zero_is_too_late_at_once() {
        for body in [b"code=e63d".as_slice(), b""] {
            let error = gate(body, Duration::ZERO).unwrap_err();
            assert_eq!(error, TransportError::before_send(TransportErrorKind::Fenced));
        }
    }

    #[test]
    fn c36_a_body_that_is_asked_for_too_late_is_refused_for_ever() {
        let (clock, write_within) = (Stopwatch::begin(), Duration::from_millis(2));
        let gate = Gate { clock, state: AtomicU8::new(WAITING), write_within };
        while gate.clock.elapsed() < write_within {
            std::hint::spin_loop();
        }
        assert_eq!([gate.pass(), gate.pass()], [Err(Refused), Err(Refused)]);
        assert!(gate.is_fenced() && gate.close());
    }

    #[test]
    fn an_empty_body_counts_as_sent() {
        assert!(!gate(b"", Duration::MAX).unwrap().close());
    }
}
