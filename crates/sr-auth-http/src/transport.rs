//! The contract of a transport: one request out, one answer in, and an honest word when it fails.

mod error;
mod patience;

pub use error::{TlsFault, TransportError, TransportErrorKind};
pub(crate) use patience::{LAST_LOOK, patiently};

use std::fmt::Debug;
use std::time::Duration;

use async_trait::async_trait;
use sr_auth_core::SecretBytes;

/// Sends requests that carry credentials.
///
/// The machines decide what is sent, when, and whether it may be sent again; a transport only
/// sends. So an implementation
///
/// - sends each request at most once: no retry on any layer;
/// - hands a redirect over as an answer and never follows it;
/// - keeps to [`Limits`], and closes a connection whose answer it has cut;
/// - says [`BeforeSend`](sr_auth_core::TransportFailure::BeforeSend) only when it knows that no
///   byte of the request reached the network, and
///   [`AfterSend`](sr_auth_core::TransportFailure::AfterSend) whenever it does not know;
/// - shows no part of a request or an answer in `Debug` or in a log.
///
/// The feature `conformance` brings a suite that any implementation can run against itself.
///
/// # Examples
///
/// A transport that adds nothing but a count:
///
/// ```
/// use std::sync::Arc;
/// use std::sync::atomic::{AtomicU64, Ordering};
/// use async_trait::async_trait;
/// use sr_auth_core::SecretBytes;
/// use sr_auth_http::{Limits, Transport, TransportError};
///
/// #[derive(Debug)]
/// struct Counted {
///     inner: Arc<dyn Transport>,
///     sent: AtomicU64,
/// }
///
/// #[async_trait]
/// impl Transport for Counted {
///     async fn send(
///         &self,
///         request: http::Request<SecretBytes>,
///         limits: Limits,
///     ) -> Result<http::Response<SecretBytes>, TransportError> {
///         self.sent.fetch_add(1, Ordering::Relaxed);
///         self.inner.send(request, limits).await
///     }
/// }
/// ```
#[async_trait]
pub trait Transport: Debug + Send + Sync {
    /// Sends `request` once, and returns the whole answer, whatever its status.
    ///
    /// A body longer than [`Limits::body_limit`] is cut there: what reads it sees that it is too
    /// long. Dropping the future abandons the request; whether it was sent is then unknown.
    ///
    /// # Errors
    ///
    /// A [`TransportError`] when there is no complete answer; its
    /// [`failure`](TransportError::failure) says whether the request may have been sent.
    async fn send(
        &self,
        request: http::Request<SecretBytes>,
        limits: Limits,
    ) -> Result<http::Response<SecretBytes>, TransportError>;
}

/// What one request may cost in time and memory.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Limits {
    /// How long the whole answer may take, from the call.
    pub answer_within: Duration,
    /// The longest body that is handed over, in bytes; a longer one is cut to this length.
    pub body_limit: usize,
    /// How long after the call the body may begin to leave; past it the request is not sent.
    ///
    /// A request without a body has nothing that is used only once: there the span is judged when
    /// the call begins.
    pub write_within: Duration,
}

impl Limits {
    /// Sets all three.
    #[must_use]
    pub const fn new(write_within: Duration, answer_within: Duration, body_limit: usize) -> Self {
        Self { answer_within, body_limit, write_within }
    }
}
