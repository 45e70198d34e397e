//! The guard of the application's own API.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::body::Body;
use axum::extract::FromRequestParts;
use axum::response::{IntoResponse, Response};
use http::header::AUTHORIZATION;
use http::request::Parts;
use http::{Request, StatusCode};
use sr_auth_core::store::Generation;
use sr_auth_core::{Scope, ScopeSet, SecretBytes};
use sr_partner::inbound::Admission;
use sr_partner::store::Principal;
use sr_partner::{CompanyId, IntegrationKey, TenantId};
use tower_layer::Layer;
use tower_service::Service;
use tracing::error;

use crate::drive::Answer;
use crate::routes::status_only;
use crate::service::Shared;

/// Admits requests with a token of ours; see [`PartnerService::guard`](crate::PartnerService::guard).
///
/// The token is looked up at every request, so an integration that ends opens nothing from that
/// moment on, in any process. Handlers behind the layer do not see the token: they take a [`Caller`].
#[derive(Clone, Debug)]
pub struct GuardLayer {
    needs: Option<Scope>,
    shared: Arc<Shared>,
}

impl GuardLayer {
    pub(crate) const fn new(shared: Arc<Shared>, needs: Option<Scope>) -> Self {
        Self { needs, shared }
    }
}

impl<S> Layer<S> for GuardLayer {
    type Service = Guard<S>;

    fn layer(&self, inner: S) -> Guard<S> {
        Guard { inner, layer: self.clone() }
    }
}

/// A service behind a [`GuardLayer`].
#[derive(Clone, Debug)]
pub struct Guard<S> {
    inner: S,
    layer: GuardLayer,
}

impl<S> Service<Request<Body>> for Guard<S>
where
    S: Service<Request<Body>, Response = Response, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send + 'static,
{
    type Response = Response;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        // The one that was polled is the one that is ready.
        let next = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, next);
        let GuardLayer { needs, shared } = self.layer.clone();
        Box::pin(async move {
            if let Err(status) = shared.peers.admit(&mut request, shared.is_secure()) {
                return Ok(status_only(status));
            }
            let admission = Admission::new(shared.clock.now(), &head(&request), needs);
            match shared.run(admission).await.0 {
                Answer::Admitted(principal) => {
                    request.headers_mut().remove(AUTHORIZATION);
                    request.extensions_mut().insert(Caller(principal));
                    inner.call(request).await
                }
                Answer::Refused(response) => Ok(response),
            }
        })
    }
}

/// Returns the part of a request that a token may stand in.
fn head(request: &Request<Body>) -> Request<SecretBytes> {
    let mut head = Request::new(SecretBytes::default());
    *head.method_mut() = request.method().clone();
    *head.uri_mut() = request.uri().clone();
    for value in request.headers().get_all(AUTHORIZATION) {
        head.headers_mut().append(AUTHORIZATION, value.clone());
    }
    head
}

/// Who calls the application's own API: SmartRecruiters, on behalf of one company.
///
/// The company is that of the token's client, whatever the request says.
#[derive(Clone, Debug)]
pub struct Caller(Principal);

impl Caller {
    /// Returns the company.
    #[must_use]
    pub const fn company(&self) -> &CompanyId {
        &self.0.key.company
    }

    /// Returns which integration of the company it is.
    #[must_use]
    pub const fn generation(&self) -> Generation {
        self.0.generation
    }

    /// Returns the application and the company.
    #[must_use]
    pub const fn key(&self) -> &IntegrationKey {
        &self.0.key
    }

    /// Returns what the caller may do.
    #[must_use]
    pub const fn scopes(&self) -> &ScopeSet {
        &self.0.scopes
    }

    /// Returns the account that the company is connected with.
    #[must_use]
    pub const fn tenant(&self) -> &TenantId {
        &self.0.tenant
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = NoGuard;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, NoGuard> {
        parts.extensions.get::<Self>().cloned().ok_or(NoGuard)
    }
}

/// A handler asks who calls, and no [`GuardLayer`] stands before it. Nobody is let in.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("no guard stands before this handler")]
#[non_exhaustive]
pub struct NoGuard;

impl IntoResponse for NoGuard {
    fn into_response(self) -> Response {
        error!(target: "sr_partner", "{self}");
        status_only(StatusCode::INTERNAL_SERVER_ERROR)
    }
}
