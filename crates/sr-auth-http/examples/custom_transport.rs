//! A transport of your own: here one that counts what it hands on.
//!
//! A whole HTTP library is put in its place the same way; `sr_auth_http::conformance` checks it.

use std::error::Error;
use std::io::{Write as _, stdout};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use http::{Request, Response};
use sr_auth_core::SecretBytes;
use sr_auth_http::{Limits, ReqwestTransport, TokenSource, Transport, TransportError};
use sr_testkit::{Sandbox, SandboxSettings};

#[derive(Debug)]
struct Counted {
    inner: ReqwestTransport,
    sent: AtomicU64,
}

#[async_trait]
impl Transport for Counted {
    async fn send(
        &self,
        request: Request<SecretBytes>,
        limits: Limits,
    ) -> Result<Response<SecretBytes>, TransportError> {
        self.sent.fetch_add(1, Ordering::Relaxed);
        self.inner.send(request, limits).await
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let sandbox = Sandbox::start(SandboxSettings::default()).await?;
    let counted = Arc::new(Counted { inner: ReqwestTransport::new()?, sent: AtomicU64::new(0) });
    let source = TokenSource::client_credentials(sandbox.credentials().service().clone())
        .endpoints(sandbox.endpoints()?)
        .transport(Arc::clone(&counted) as Arc<dyn Transport>)
        .build()?;
    for _ in 0..1_000 {
        source.authorization().await?;
    }
    let sent = counted.sent.load(Ordering::Relaxed);
    writeln!(stdout(), "a thousand headers, {sent} request")?;
    if sent == 1 { Ok(()) } else { Err("one token is enough for all".into()) }
}

#[cfg(test)]
#[test]
fn it_runs() {
    main().expect("it runs against the sandbox");
}
