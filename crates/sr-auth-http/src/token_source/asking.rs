//! A call for a header, as a future.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use sr_auth_core::Authorization;

use super::TokenSource;
use crate::SourceError;

/// A call for a header. Written out, and read where it is awaited: a header that is at hand needs no
/// memory of a future that may have to wait.
pub(super) enum Asking<'a> {
    Asked { source: &'a TokenSource, within: Option<Duration> },
    Waiting(Waiting<'a>),
}

impl Asking<'_> {
    #[cold]
    #[inline(never)]
    fn wait(&mut self, cx: &mut Context<'_>) -> Poll<Result<Arc<Authorization>, SourceError>> {
        if let Self::Asked { source, within } = *self {
            *self = Self::Waiting(source.waiting(within));
        }
        match self {
            Self::Asked { .. } => Poll::Pending,
            Self::Waiting(future) => future.as_mut().poll(cx),
        }
    }
}

impl Future for Asking<'_> {
    type Output = Result<Arc<Authorization>, SourceError>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let asking = self.get_mut();
        if let Self::Asked { source, .. } = asking
            && let Some(ready) = source.ready()
        {
            return Poll::Ready(Ok(ready));
        }
        asking.wait(cx)
    }
}

/// A call that waits for its header.
pub(super) type Waiting<'a> =
    Pin<Box<dyn Future<Output = Result<Arc<Authorization>, SourceError>> + Send + 'a>>;
