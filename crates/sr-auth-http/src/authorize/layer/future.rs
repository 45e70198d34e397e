//! The calls of the layer.

use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;
use sr_auth_core::Fingerprint;
use tower_service::Service;

use super::super::{Endpoint, Rules, Verdict, sign};
use super::AuthorizeError;
use super::message::{Judged, Signable};

pin_project! {
    /// A call through [`Authorize`](super::Authorize).
    pub struct AuthorizeFuture<F, T, E> {
        #[pin]
        call: Call<F, T, E>,
    }
}

pin_project! {
    #[project = CallNow]
    enum Call<F, T, E> {
        Passing { #[pin] future: F },
        Signed { #[pin] future: F, seal: Seal },
        Waiting { future: Pin<Box<dyn Future<Output = Result<T, AuthorizeError<E>>> + Send>> },
    }
}

/// What is remembered of a request that was signed.
#[derive(Debug)]
struct Seal {
    endpoint: Endpoint,
    rules: Arc<Rules>,
    sent: Option<Fingerprint>,
}

impl<F, T, E> AuthorizeFuture<F, T, E> {
    pub(super) const fn passing(future: F) -> Self {
        Self { call: Call::Passing { future } }
    }

    pub(super) const fn signed(
        future: F,
        rules: Arc<Rules>,
        endpoint: Endpoint,
        sent: Option<Fingerprint>,
    ) -> Self {
        Self { call: Call::Signed { future, seal: Seal { endpoint, rules, sent } } }
    }

    pub(super) fn waiting(
        future: impl Future<Output = Result<T, AuthorizeError<E>>> + Send + 'static,
    ) -> Self {
        Self { call: Call::Waiting { future: Box::pin(future) } }
    }
}

impl<F, T, E> fmt::Debug for AuthorizeFuture<F, T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AuthorizeFuture")
    }
}

impl<F, T: Judged, E> Future for AuthorizeFuture<F, T, E>
where
    F: Future<Output = Result<T, E>>,
{
    type Output = Result<T, AuthorizeError<E>>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.project().call.project() {
            CallNow::Passing { future } => future.poll(cx).map_err(AuthorizeError::Service),
            CallNow::Signed { future, seal } => {
                // Judged where it lies: an answer is not moved once more.
                let polled = future.poll(cx);
                if let Poll::Ready(Ok(response)) = &polled {
                    seal.judge(response);
                }
                polled.map_err(AuthorizeError::Service)
            }
            CallNow::Waiting { future } => future.as_mut().poll(cx),
        }
    }
}

impl Seal {
    fn judge(&self, response: &impl Judged) -> Verdict {
        let (status, headers) = response.status_and_headers();
        self.rules.judge(self.endpoint, self.sent, status, headers)
    }
}

/// Signs a request when it can be, and sends it with a service that is ready.
pub(super) async fn once<S, Q>(
    mut inner: S,
    request: Q,
    rules: Arc<Rules>,
    endpoint: Endpoint,
) -> Result<S::Response, AuthorizeError<S::Error>>
where
    S: Service<Q, Response: Judged>,
    Q: Signable,
{
    let (response, _) = signed(&mut inner, request, &rules, endpoint).await?;
    Ok(response)
}

/// As [`once`], and once more with another token when the first was refused.
pub(super) async fn twice<S, Q>(
    mut inner: S,
    request: Q,
    copy: Q,
    rules: Arc<Rules>,
    endpoint: Endpoint,
) -> Result<S::Response, AuthorizeError<S::Error>>
where
    S: Service<Q, Response: Judged>,
    Q: Signable,
{
    let (response, refused) = signed(&mut inner, request, &rules, endpoint).await?;
    let Some(refused) = refused else { return Ok(response) };
    // The refusal says more than the reason why there is no other token.
    let Ok(Some(next)) = rules.source.signature().await else { return Ok(response) };
    if next.fingerprint() == Some(refused) {
        return Ok(response);
    }
    poll_fn(|cx| inner.poll_ready(cx)).await.map_err(AuthorizeError::Service)?;
    signed(&mut inner, copy, &rules, endpoint).await.map(|(response, _)| response)
}

/// Sends a signed request; returns the token that was refused, if it was.
async fn signed<S, Q>(
    inner: &mut S,
    mut request: Q,
    rules: &Arc<Rules>,
    endpoint: Endpoint,
) -> Result<(S::Response, Option<Fingerprint>), AuthorizeError<S::Error>>
where
    S: Service<Q, Response: Judged>,
    Q: Signable,
{
    rules.keep_pace(endpoint).await;
    let signature = rules.source.signature().await.map_err(AuthorizeError::Source)?;
    let sent = sign(request.headers_mut(), signature.as_deref());
    let response = inner.call(request).await.map_err(AuthorizeError::Service)?;
    let seal = Seal { endpoint, rules: Arc::clone(rules), sent };
    let refused = sent.filter(|_| seal.judge(&response) == Verdict::Refused);
    Ok((response, refused))
}
