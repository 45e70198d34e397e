//! A transport that counts, and that can be held.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use http::{Request, Response};
use sr_auth_core::SecretBytes;
use sr_auth_http::{Limits, ReqwestTransport, Transport, TransportError};
use tokio::sync::Semaphore;

#[derive(Debug)]
pub(crate) struct Counted {
    begun: AtomicUsize,
    ended: AtomicUsize,
    gate: Semaphore,
    inner: ReqwestTransport,
}

impl Counted {
    /// How many requests may go before it is held.
    const MANY: usize = 1_000_000;

    pub(crate) fn new() -> Arc<Self> {
        let inner = ReqwestTransport::builder().without_root_certificates().build().unwrap();
        let gate = Semaphore::new(Self::MANY);
        Arc::new(Self { begun: AtomicUsize::new(0), ended: AtomicUsize::new(0), gate, inner })
    }

    /// How many requests were asked for.
    pub(crate) fn begun(&self) -> usize {
        self.begun.load(Ordering::SeqCst)
    }

    /// How many answers came back.
    pub(crate) fn ended(&self) -> usize {
        self.ended.load(Ordering::SeqCst)
    }

    /// Lets no request go from now on.
    pub(crate) fn hold(&self) {
        self.gate.forget_permits(Self::MANY);
    }

    pub(crate) fn release(&self) {
        self.gate.add_permits(Self::MANY);
    }
}

#[async_trait]
impl Transport for Counted {
    async fn send(
        &self,
        request: Request<SecretBytes>,
        limits: Limits,
    ) -> Result<Response<SecretBytes>, TransportError> {
        self.begun.fetch_add(1, Ordering::SeqCst);
        let _permit = self.gate.acquire().await.unwrap();
        let answer = self.inner.send(request, limits).await;
        self.ended.fetch_add(1, Ordering::SeqCst);
        answer
    }
}
