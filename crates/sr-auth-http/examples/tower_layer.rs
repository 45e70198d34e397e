//! Every request of a tower client signed: here one over hyper, in yours any service of `http` types.

use std::error::Error;
use std::future::Future;
use std::io::{Write as _, stdout};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use http::{Request, Response};
use sr_auth_core::SecretBytes;
use sr_auth_http::{
    AuthorizeLayer, Limits, Public, ReqwestTransport, TokenSource, Transport, TransportError,
};
use sr_testkit::{Sandbox, SandboxSettings};
use tower_layer::Layer as _;
use tower_service::Service;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let sandbox = Sandbox::start(SandboxSettings::default()).await?;
    let endpoints = sandbox.endpoints()?;
    let source = TokenSource::client_credentials(sandbox.credentials().service().clone())
        .endpoints(endpoints.clone())
        .build()?;
    let layer = AuthorizeLayer::new(endpoints.api().clone(), source).pace().replay();
    let mut client = layer.layer(Http(Arc::new(ReqwestTransport::new()?)));

    let jobs = Request::get(format!("{}/jobs", sandbox.origin())).body(SecretBytes::default())?;
    let postings = format!("{}/v1/companies/AcmeLogistics/postings", sandbox.origin());
    let postings = Request::get(postings).extension(Public).body(SecretBytes::default())?;
    for (name, request) in [("signed", jobs), ("public", postings)] {
        let answer = client.call(request).await?;
        writeln!(stdout(), "{name}: {}", answer.status())?;
        if !answer.status().is_success() {
            return Err("the API has refused the call".into());
        }
    }
    Ok(())
}

/// An HTTP client as a tower service.
#[derive(Clone)]
struct Http(Arc<ReqwestTransport>);

impl Service<Request<SecretBytes>> for Http {
    type Response = Response<SecretBytes>;
    type Error = TransportError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, TransportError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), TransportError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<SecretBytes>) -> Self::Future {
        let http = Arc::clone(&self.0);
        let limits = Limits::new(Duration::from_secs(10), Duration::from_secs(10), 1 << 20);
        Box::pin(async move { http.send(request, limits).await })
    }
}

#[cfg(test)]
#[test]
fn it_runs() {
    main().expect("it runs against the sandbox");
}
