//! A client of reqwest under the layer: a service of its own requests.

use std::sync::Arc;
use std::task::{Context, Poll};

use reqwest::{Client, Error, Request, Response};
use tower_service::Service;

use super::{Authorize, AuthorizeError, AuthorizeFuture, future, send};

/// Without marks: a request of reqwest has no place for them that others see. One to a public
/// endpoint goes through the client itself, and only GET, HEAD and OPTIONS are sent once more. The
/// client must not follow redirects: build it with [`Policy::none`](reqwest::redirect::Policy::none).
///
/// # Examples
///
/// ```no_run
/// use reqwest::redirect::Policy;
/// use sr_auth_core::{ClientCredentials, Endpoints};
/// use sr_auth_http::{AuthorizeLayer, TokenSource};
/// use tower_layer::Layer as _;
/// use tower_service::Service as _;
///
/// # async fn run(client: ClientCredentials) -> Result<(), Box<dyn std::error::Error>> {
/// let source = TokenSource::client_credentials(client).build()?;
/// let http = reqwest::Client::builder().redirect(Policy::none()).build()?;
/// let mut api = AuthorizeLayer::new(Endpoints::production().api().clone(), source).layer(http.clone());
/// let jobs = api.call(http.get("https://api.smartrecruiters.com/jobs").build()?).await?;
/// # drop(jobs);
/// # Ok(())
/// # }
/// ```
impl<P> Service<Request> for Authorize<Client, P> {
    type Response = Response;
    type Error = AuthorizeError<Error>;
    type Future = AuthorizeFuture<<Client as Service<Request>>::Future, Response, Error>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx).map_err(AuthorizeError::Service)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let rules = &self.rules;
        if !rules.is_api(request.url()) {
            return AuthorizeFuture::passing(self.inner.call(request));
        }
        let endpoint = rules.endpoint(request.method(), || request.url().path());
        let repeats = rules.replays && request.method().is_safe();
        if !repeats && let Some(signature) = rules.again_at_hand(endpoint, &mut self.recent) {
            return send(&mut self.inner, request, rules, endpoint, signature);
        }
        let (inner, rules) = (self.inner.clone(), Arc::clone(rules));
        // One whose body is a stream has no copy.
        let copy = if repeats { request.try_clone() } else { None };
        match copy {
            Some(copy) => {
                AuthorizeFuture::waiting(future::twice(inner, request, copy, rules, endpoint))
            }
            None => AuthorizeFuture::waiting(future::once(inner, request, rules, endpoint)),
        }
    }
}
