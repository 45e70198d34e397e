//! The two that sign, behind one call.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use http::{Method, Request, Response};
use reqwest::redirect::Policy;
use reqwest_middleware::ClientWithMiddleware;
use sr_auth_core::SecretBytes;
use sr_auth_http::{
    Authorize, AuthorizeLayer, AuthorizeMiddleware, Clock, Limits, Public, Replayable, Replaying,
    ReqwestTransport, TokenSource, Transport, TransportError,
};
use sr_testkit::Sandbox;
use tower_layer::Layer as _;
use tower_service::Service;

#[derive(Clone, Copy, Debug)]
pub(crate) enum Way {
    Middleware,
    /// The layer, over a client of reqwest.
    Reqwest,
    Tower,
}

#[derive(Clone, Debug)]
pub(crate) struct Ask {
    pub(crate) is_public: bool,
    pub(crate) is_replayable: bool,
    pub(crate) method: Method,
    pub(crate) path: &'static str,
}

impl Way {
    /// Tells whether requests can be marked; those of reqwest have no place for it.
    pub(crate) const fn has_marks(self) -> bool {
        matches!(self, Self::Middleware | Self::Tower)
    }
}

impl Ask {
    pub(crate) const fn is_marked(&self) -> bool {
        self.is_public || self.is_replayable
    }
}

pub(crate) enum Signer {
    Middleware(ClientWithMiddleware),
    Once(Mutex<Authorize<Http>>),
    OverReqwest(Mutex<Authorize<reqwest::Client>>),
    OverReqwestReplaying(Mutex<Authorize<reqwest::Client, Replaying>>),
    Replaying(Mutex<Authorize<Http, Replaying>>),
}

impl Signer {
    /// Makes one that keeps to the pace when it is given a clock.
    pub(crate) fn new(
        way: Way,
        sandbox: &Sandbox,
        source: TokenSource,
        replay: bool,
        pace: Option<Clock>,
    ) -> Self {
        let origin = sandbox.endpoints().unwrap().api().clone();
        if matches!(way, Way::Middleware) {
            let it = AuthorizeMiddleware::new(origin, source);
            let it = if replay { it.replay() } else { it };
            let it = if let Some(clock) = pace { it.clock(clock).pace() } else { it };
            return Self::Middleware(it.client(reqwest::Client::builder().no_proxy()).unwrap());
        }
        let layer = AuthorizeLayer::new(origin, source);
        let layer = if let Some(clock) = pace { layer.clock(clock).pace() } else { layer };
        if matches!(way, Way::Reqwest) {
            let client = reqwest::Client::builder().no_proxy().redirect(Policy::none());
            let client = client.build().unwrap();
            return if replay {
                Self::OverReqwestReplaying(Mutex::new(layer.replay().layer(client)))
            } else {
                Self::OverReqwest(Mutex::new(layer.layer(client)))
            };
        }
        let http = ReqwestTransport::builder().without_root_certificates().build().unwrap();
        let http = Http(Arc::new(http));
        if replay {
            Self::Replaying(Mutex::new(layer.replay().layer(http)))
        } else {
            Self::Once(Mutex::new(layer.layer(http)))
        }
    }

    pub(crate) async fn send(&self, origin: &str, ask: &Ask) -> u16 {
        self.try_send(origin, ask).await.unwrap()
    }

    pub(crate) async fn try_send(&self, origin: &str, ask: &Ask) -> Result<u16, String> {
        let url = format!("{origin}{}", ask.path);
        match self {
            Self::Middleware(client) => {
                let mut request = client.request(ask.method.clone(), url);
                if ask.is_public {
                    request = request.with_extension(Public);
                }
                if ask.is_replayable {
                    request = request.with_extension(Replayable);
                }
                let answer = request.send().await.map_err(|error| error.to_string())?;
                Ok(answer.status().as_u16())
            }
            Self::Once(service) => through(service, request(url, ask)).await,
            Self::OverReqwest(service) => over_reqwest(service, url, ask).await,
            Self::OverReqwestReplaying(service) => over_reqwest(service, url, ask).await,
            Self::Replaying(service) => through(service, request(url, ask)).await,
        }
    }
}

async fn through<S>(service: &Mutex<S>, request: Request<SecretBytes>) -> Result<u16, String>
where
    S: Service<Request<SecretBytes>, Response = Response<SecretBytes>>,
    S::Error: std::fmt::Display,
{
    let call = service.lock().unwrap().call(request);
    call.await.map(|it| it.status().as_u16()).map_err(|error| error.to_string())
}

async fn over_reqwest<S>(service: &Mutex<S>, url: String, ask: &Ask) -> Result<u16, String>
where
    S: Service<reqwest::Request, Response = reqwest::Response>,
    S::Error: std::fmt::Display,
{
    assert!(!ask.is_public && !ask.is_replayable, "it has no place for marks");
    let request = reqwest::Request::new(ask.method.clone(), url.parse().unwrap());
    let call = service.lock().unwrap().call(request);
    call.await.map(|it| it.status().as_u16()).map_err(|error| error.to_string())
}

fn request(url: String, ask: &Ask) -> Request<SecretBytes> {
    let mut request = Request::builder().method(ask.method.clone()).uri(url);
    if ask.is_public {
        request = request.extension(Public);
    }
    if ask.is_replayable {
        request = request.extension(Replayable);
    }
    request.body(SecretBytes::default()).unwrap()
}

/// HTTP as a tower service.
#[derive(Clone)]
pub(crate) struct Http(Arc<ReqwestTransport>);

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
