//! Bodies: read up to a limit and for a while, and wiped.

use std::pin::pin;
use std::time::Duration;

use axum::body::Body;
use bytes::{Buf as _, Bytes};
use http::{Request, Response, StatusCode};
use http_body::Body as _;
use sr_auth_core::SecretBytes;
use zeroize::Zeroizing;

/// How long the body of a request may take.
const WITHIN: Duration = Duration::from_secs(5);

/// Reads a request, at most one byte more of its body than the limit: that it is too long then shows.
///
/// # Errors
///
/// The status to answer with, when the body does not arrive.
pub(crate) async fn read(
    request: Request<Body>,
    limit: usize,
) -> Result<Request<SecretBytes>, StatusCode> {
    let (head, body) = request.into_parts();
    let reading = tokio::time::timeout(WITHIN, collect(body, limit));
    let body = reading.await.map_err(|_| StatusCode::REQUEST_TIMEOUT)??;
    Ok(Request::from_parts(head, body))
}

async fn collect(body: Body, limit: usize) -> Result<SecretBytes, StatusCode> {
    let limit = limit.saturating_add(1);
    let told = body.size_hint().exact().and_then(|it| usize::try_from(it).ok());
    // With room for all of it: a buffer that grows leaves copies of secrets behind.
    let mut read = Zeroizing::new(Vec::with_capacity(told.unwrap_or(limit).min(limit)));
    let mut body = pin!(body);
    while read.len() < limit {
        let frame = std::future::poll_fn(|cx| body.as_mut().poll_frame(cx)).await;
        let Some(frame) = frame else { break };
        let frame = frame.map_err(|_| StatusCode::BAD_REQUEST)?;
        let Ok(mut data) = frame.into_data() else { continue };
        data.truncate(limit - read.len());
        read.extend_from_slice(data.chunk());
    }
    Ok(SecretBytes::new(std::mem::take(&mut *read)))
}

/// Hands an answer to the socket; its bytes are wiped when they have been sent.
pub(crate) fn to_socket(response: Response<SecretBytes>) -> Response<Body> {
    response.map(|body| {
        if body.is_empty() {
            return Body::empty();
        }
        Body::from(Bytes::from_owner(Sent(body)))
    })
}

/// What is being sent.
struct Sent(SecretBytes);

impl AsRef<[u8]> for Sent {
    fn as_ref(&self) -> &[u8] {
        self.0.expose()
    }
}
