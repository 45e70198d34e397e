//! A tower layer that signs requests.

mod error;
mod future;
mod message;
#[cfg(feature = "reqwest")]
mod over_reqwest;

pub use error::AuthorizeError;
pub use future::AuthorizeFuture;

use std::marker::PhantomData;
use std::sync::Arc;
use std::task::{Context, Poll};

use http::{Request, Response};
use sr_auth_core::{ApiOrigin, Authorization};
use tower_layer::Layer;
use tower_service::Service;

use super::pace::Pace;
use super::{Endpoint, Rules};
use crate::runtime::Recent;
use crate::{Clock, TokenSource};
use message::{Judged, Signable};

/// Sends each request once: how a layer begins.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Once;

/// Sends a request once more after a 401: see [`AuthorizeLayer::replay`].
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Replaying;

/// Signs requests to one API origin with the header of a [`TokenSource`], and reports a 401 with the
/// fingerprint that was sent.
///
/// A request to another origin, and one that is marked [`Public`](crate::Public), passes as it is. The
/// service below must not follow redirects: it would carry the header elsewhere. It is one of requests
/// of `http`, or, with the feature `reqwest`, a client of reqwest. A header that is at
/// hand costs no allocation.
///
/// # Examples
///
/// ```
/// use std::convert::Infallible;
/// use std::future::{Ready, ready};
/// use std::task::{Context, Poll};
/// use http::{Request, Response};
/// use sr_auth_core::{ApiKey, Endpoints, Secret};
/// use sr_auth_http::{AuthorizeLayer, TokenSource};
/// use tower_layer::Layer as _;
/// use tower_service::Service;
///
/// #[derive(Clone)]
/// struct Http;
///
/// impl Service<Request<()>> for Http {
///     type Response = Response<()>;
///     type Error = Infallible;
///     type Future = Ready<Result<Response<()>, Infallible>>;
///
///     fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
///         Poll::Ready(Ok(()))
///     }
///
///     fn call(&mut self, request: Request<()>) -> Self::Future {
///         assert!(request.headers().contains_key("x-smarttoken"));
///         ready(Ok(Response::new(())))
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let source = TokenSource::api_key(ApiKey::new(Secret::new("7cb555e318b3f847".to_owned()))?);
/// let origin = Endpoints::production().api().clone();
/// let mut client = AuthorizeLayer::new(origin, source).layer(Http);
/// let request = Request::get("https://api.smartrecruiters.com/jobs").body(())?;
/// client.call(request).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct AuthorizeLayer<P = Once> {
    policy: PhantomData<P>,
    rules: Rules,
}

/// A service that signs requests: see [`AuthorizeLayer`].
#[derive(Clone, Debug)]
pub struct Authorize<S, P = Once> {
    inner: S,
    policy: PhantomData<P>,
    recent: Option<Recent>,
    rules: Arc<Rules>,
}

impl AuthorizeLayer {
    /// Signs requests to `origin` with the header of `source`.
    #[must_use]
    pub fn new(origin: ApiOrigin, source: TokenSource) -> Self {
        Self { policy: PhantomData, rules: Rules::new(origin, source) }
    }

    /// Sends a request once more when its token was refused with 401 and another is to be had: GET,
    /// HEAD and OPTIONS, and what is marked [`Replayable`](crate::Replayable).
    ///
    /// Each such request is cloned before it is sent, its body included.
    #[must_use]
    pub fn replay(self) -> AuthorizeLayer<Replaying> {
        AuthorizeLayer { policy: PhantomData, rules: Rules { replays: true, ..self.rules } }
    }
}

impl<P> AuthorizeLayer<P> {
    /// Sets the clock of the pace; the system's by default.
    #[must_use]
    pub fn clock(self, clock: Clock) -> Self {
        Self { rules: Rules { clock, ..self.rules }, ..self }
    }

    /// Keeps to the rate limits that answers name: requests wait until the API takes them, and after a
    /// 429 for as long as it says. Counted for each method and first part of the path, over all clones
    /// of the services that this layer makes.
    #[must_use]
    pub fn pace(self) -> Self {
        Self { rules: Rules { pace: Some(Pace::new()), ..self.rules }, ..self }
    }
}

impl<S, P> Layer<S> for AuthorizeLayer<P> {
    type Service = Authorize<S, P>;

    fn layer(&self, inner: S) -> Self::Service {
        let rules = Arc::new(self.rules.clone());
        Authorize { inner, policy: PhantomData, recent: rules.source.recent(), rules }
    }
}

impl<S, B, R> Service<Request<B>> for Authorize<S, Once>
where
    S: Service<Request<B>, Response = Response<R>> + Clone + Send + 'static,
    S::Future: Send,
    S::Error: Send,
    B: Send + 'static,
    R: Send + 'static,
{
    type Response = Response<R>;
    type Error = AuthorizeError<S::Error>;
    type Future = AuthorizeFuture<S::Future, Response<R>, S::Error>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx).map_err(AuthorizeError::Service)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let Some(endpoint) = self.endpoint(&request) else {
            return AuthorizeFuture::passing(self.inner.call(request));
        };
        match self.rules.again_at_hand(endpoint, &mut self.recent) {
            Some(signature) => send(&mut self.inner, request, &self.rules, endpoint, signature),
            None => {
                let (inner, rules) = (self.take_ready(), Arc::clone(&self.rules));
                AuthorizeFuture::waiting(future::once(inner, request, rules, endpoint))
            }
        }
    }
}

impl<S, B, R> Service<Request<B>> for Authorize<S, Replaying>
where
    S: Service<Request<B>, Response = Response<R>> + Clone + Send + 'static,
    S::Future: Send,
    S::Error: Send,
    B: Clone + Send + 'static,
    R: Send + 'static,
{
    type Response = Response<R>;
    type Error = AuthorizeError<S::Error>;
    type Future = AuthorizeFuture<S::Future, Response<R>, S::Error>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx).map_err(AuthorizeError::Service)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let Some(endpoint) = self.endpoint(&request) else {
            return AuthorizeFuture::passing(self.inner.call(request));
        };
        let repeats = self.rules.may_repeat(request.method(), request.extensions());
        match self.rules.again_at_hand(endpoint, &mut self.recent) {
            Some(signature) if !repeats => {
                send(&mut self.inner, request, &self.rules, endpoint, signature)
            }
            Some(_) | None => {
                let (inner, rules) = (self.take_ready(), Arc::clone(&self.rules));
                if repeats {
                    let copy = request.clone();
                    AuthorizeFuture::waiting(future::twice(inner, request, copy, rules, endpoint))
                } else {
                    AuthorizeFuture::waiting(future::once(inner, request, rules, endpoint))
                }
            }
        }
    }
}

/// Sends a request with a header that is at hand. Inlined, so that the request is not moved once more.
#[inline(always)]
fn send<S: Service<Q, Response: Judged>, Q: Signable>(
    inner: &mut S,
    mut request: Q,
    rules: &Arc<Rules>,
    endpoint: Endpoint,
    signature: Option<&Authorization>,
) -> AuthorizeFuture<S::Future, S::Response, S::Error> {
    let sent = super::sign(request.headers_mut(), signature);
    AuthorizeFuture::signed(inner.call(request), Arc::clone(rules), endpoint, sent)
}

impl<S, P> Authorize<S, P> {
    /// Returns the endpoint of a request that is signed; `None` for what passes as it is.
    fn endpoint<B>(&self, request: &Request<B>) -> Option<Endpoint> {
        let is_api = self.rules.origin.contains(request.uri());
        if !Rules::signs(is_api, request.extensions()) {
            return None;
        }
        Some(self.rules.endpoint(request.method(), || request.uri().path()))
    }
}

impl<S: Clone, P> Authorize<S, P> {
    /// Takes the service that was found ready, and leaves a clone of it.
    fn take_ready(&mut self) -> S {
        let clone = self.inner.clone();
        std::mem::replace(&mut self.inner, clone)
    }
}
