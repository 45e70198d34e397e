//! The transport over reqwest and rustls.

mod addresses;
mod builder;
mod classify;
mod gate;
mod resolver;

pub use builder::ReqwestTransportBuilder;

use std::fmt;
use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use http::header::{AUTHORIZATION, HeaderMap, PROXY_AUTHORIZATION};
use sr_auth_core::{Authorization, ConfigError, SecretBytes};
use tokio::time::{Instant, timeout, timeout_at};
use zeroize::Zeroizing;

use crate::clock::Stopwatch;
use crate::transport::{LAST_LOOK, patiently};
use crate::{Limits, Transport, TransportError, TransportErrorKind};
use addresses::Addresses;
use gate::{Gate, GatedBody};

/// A [`Transport`] over reqwest 0.13 with rustls.
///
/// Server certificates are always verified, chain and name (RFC 6749 §10.9): there is no switch
/// for that. It speaks HTTP/1.1, follows no redirect, repeats nothing, keeps no cookies, sends no
/// `Referer` and unpacks nothing. A proxy named by the environment is used, except for targets on
/// loopback. Plain http goes to loopback only, and a URL with a user name or password nowhere.
///
/// An idle connection is used again for a few seconds only. A server that closes it just as a
/// request is written leaves open whether the request arrived, and for a refresh token that
/// question costs the grant; a new connection costs one handshake.
///
/// What can be wiped is wiped: the request body, which is not copied here, and the collected
/// answer. The buffers inside of the HTTP and TLS libraries are out of reach.
///
/// Needs a tokio runtime with its timer and its I/O enabled. Cloning is cheap; clones share their
/// connections.
///
/// # Examples
///
/// ```
/// use sr_auth_http::ReqwestTransport;
///
/// let transport = ReqwestTransport::builder().user_agent("acme-recruiting/2.1").build()?;
/// # Ok::<(), sr_auth_core::ConfigError>(())
/// ```
#[derive(Clone)]
pub struct ReqwestTransport {
    addresses: Addresses,
    /// For loopback targets: never through a proxy.
    direct: reqwest::Client,
    /// For all others: through the proxy of the environment, if there is one.
    proxied: reqwest::Client,
}

impl ReqwestTransport {
    /// Makes a transport that trusts the certificate authorities of the system.
    ///
    /// # Errors
    ///
    /// [`Fault::Unavailable`](sr_auth_core::Fault::Unavailable) when TLS cannot be set up, as on a
    /// system without any certificate authority.
    pub fn new() -> Result<Self, ConfigError> {
        Self::builder().build()
    }

    /// Begins a transport with settings of its own.
    #[must_use]
    pub fn builder() -> ReqwestTransportBuilder {
        ReqwestTransportBuilder::default()
    }

    fn client_for(&self, uri: &http::Uri) -> Result<&reqwest::Client, TransportError> {
        let unsupported = || TransportError::before_send(TransportErrorKind::Unsupported);
        let authority = uri.authority().ok_or_else(unsupported)?;
        if authority.as_str().contains('@') {
            return Err(unsupported());
        }
        match (uri.scheme_str(), is_loopback(authority.host())) {
            (Some("http" | "https"), true) => Ok(&self.direct),
            (Some("https"), false) => Ok(&self.proxied),
            _ => Err(unsupported()),
        }
    }
}

impl fmt::Debug for ReqwestTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The client would print the proxies, whose URLs may hold a password.
        f.debug_struct("ReqwestTransport").finish_non_exhaustive()
    }
}

#[async_trait]
impl Transport for ReqwestTransport {
    async fn send(
        &self,
        request: http::Request<SecretBytes>,
        limits: Limits,
    ) -> Result<http::Response<SecretBytes>, TransportError> {
        let clock = Stopwatch::begin();
        let client = self.client_for(request.uri())?;
        let (parts, body) = request.into_parts();
        let gate = Gate::new(&body, clock, limits.write_within)?;
        // If this future is dropped, what has not begun to leave will not leave any more.
        let closing = gate.close_on_drop();
        let url = self.addresses.url(&parts.uri)?;
        let mut request = reqwest::Request::new(parts.method, url);
        *request.headers_mut() = parts.headers;
        mark_sensitive(request.headers_mut());
        *request.body_mut() = Some(reqwest::Body::wrap(GatedBody::new(body, Arc::clone(&gate))));
        let deadline = Instant::now().checked_add(limits.answer_within);
        let exchange = pin!(exchange(client, request, limits.body_limit, &gate, deadline));
        let answer = within(limits, &gate, exchange).await;
        drop(closing);
        answer
    }
}

/// Runs the exchange inside both spans.
async fn within(
    limits: Limits,
    gate: &Gate,
    mut exchange: Pin<
        &mut impl Future<Output = Result<http::Response<SecretBytes>, TransportError>>,
    >,
) -> Result<http::Response<SecretBytes>, TransportError> {
    let write_within = limits.write_within.min(limits.answer_within);
    if let Ok(answer) = timeout(write_within, &mut exchange).await {
        return answer;
    }
    if gate.close() {
        // Still resolving, connecting or shaking hands: waiting longer cannot help.
        let kind = if write_within < limits.answer_within {
            TransportErrorKind::Fenced
        } else {
            TransportErrorKind::Timeout
        };
        return Err(TransportError::before_send(kind));
    }
    let rest: Duration = limits.answer_within.saturating_sub(write_within);
    patiently(rest, LAST_LOOK * 2, exchange)
        .await
        .unwrap_or(Err(TransportError::after_send(TransportErrorKind::Timeout)))
}

async fn exchange(
    client: &reqwest::Client,
    request: reqwest::Request,
    body_limit: usize,
    gate: &Gate,
    deadline: Option<Instant>,
) -> Result<http::Response<SecretBytes>, TransportError> {
    let mut answer = match client.execute(request).await {
        Ok(answer) => answer,
        Err(error) => return Err(classify::failed(&error, gate)),
    };
    let mut response = http::Response::new(());
    *response.status_mut() = answer.status();
    *response.headers_mut() = std::mem::take(answer.headers_mut());
    let (body, broken) = collect(answer, body_limit, deadline).await;
    let response = response.map(|()| body);
    match broken {
        None => Ok(response),
        Some(kind) => Err(TransportError::after_send(kind).with_received(response)),
    }
}

/// Reads a body up to `limit` bytes; what is left of a longer one is dropped with its connection.
///
/// When the connection breaks or stalls, what arrived until then is returned with the reason.
async fn collect(
    mut answer: reqwest::Response,
    limit: usize,
    mut deadline: Option<Instant>,
) -> (SecretBytes, Option<TransportErrorKind>) {
    // With the length that the server names there is no larger buffer to wipe.
    let named = answer.content_length().and_then(|it| usize::try_from(it).ok());
    let mut body = Zeroizing::new(Vec::with_capacity(named.map_or(0, |it| it.min(limit))));
    let mut broken = None;
    let mut looked_again = false;
    while body.len() < limit {
        let chunk = answer.chunk();
        let chunk = match deadline {
            Some(deadline) => timeout_at(deadline, chunk).await,
            None => Ok(chunk.await),
        };
        match chunk {
            Ok(Ok(Some(chunk))) => {
                let room = limit.saturating_sub(body.len());
                append(&mut body, chunk.get(..room).unwrap_or(&chunk));
            }
            Ok(Ok(None)) => break,
            Ok(Err(error)) => {
                broken = Some(classify::kind(&error));
                break;
            }
            Err(_) if !looked_again => {
                looked_again = true;
                deadline = Instant::now().checked_add(LAST_LOOK);
            }
            Err(_) => {
                broken = Some(TransportErrorKind::Timeout);
                break;
            }
        }
    }
    (SecretBytes::new(std::mem::take(&mut *body)), broken)
}

/// Appends, and wipes the old buffer when a larger one is needed: `Vec` would only free it.
fn append(body: &mut Zeroizing<Vec<u8>>, chunk: &[u8]) {
    let needed = body.len().saturating_add(chunk.len());
    if needed > body.capacity() {
        let mut larger = Zeroizing::new(Vec::with_capacity(needed.saturating_mul(2).max(4_096)));
        larger.extend_from_slice(body);
        *body = larger;
    }
    body.extend_from_slice(chunk);
}

/// Marks what must not be printed by anything below.
fn mark_sensitive(headers: &mut HeaderMap) {
    for name in [AUTHORIZATION, PROXY_AUTHORIZATION, Authorization::SMART_TOKEN] {
        if let http::header::Entry::Occupied(mut entry) = headers.entry(name) {
            entry.iter_mut().for_each(|value| value.set_sensitive(true));
        }
    }
}

fn is_loopback(host: &str) -> bool {
    let bare = host.strip_prefix('[').and_then(|it| it.strip_suffix(']')).unwrap_or(host);
    host.eq_ignore_ascii_case("localhost")
        || bare.parse().is_ok_and(|address: std::net::IpAddr| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use sr_auth_core::TransportFailure;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::{TcpListener, TcpStream};

    use super::*;

    #[test]
    fn only_safe_targets_are_accepted() {
        let transport = ReqwestTransport::builder().without_root_certificates().build().unwrap();
        let cases = [
            ("https://api.smartrecruiters.com/identity/oauth/token", true),
            ("http://127.0.0.1:8080/", true),
            ("http://[::1]:8080/", true),
            ("http://localhost/", true),
            ("http://api.smartrecruiters.com/", false),
            ("http://localhost.example.com/", false),
            ("http://127.0.0.1.example.com/", false),
            ("https://user:pass@api.smartrecruiters.com/", false),
            ("ftp://127.0.0.1/", false),
            ("/identity/oauth/token", false),
        ];
        for (uri, accepted) in cases {
            assert_eq!(transport.client_for(&uri.parse().unwrap()).is_ok(), accepted, "{uri}");
        }
    }

    /// What the gate promises rests on this: no layer below writes the head before it has asked
    /// for the body, on a new connection or on a kept one.
    #[tokio::test]
    async fn c36_when_the_body_is_refused_the_head_stays_here_too() {
        let transport = ReqwestTransport::builder().without_root_certificates().build().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());

        let (error, bytes) = tokio::join!(refused(&transport, &url), async {
            read_all(listener.accept().await.unwrap().0).await
        });
        assert_eq!(error.failure(), TransportFailure::BeforeSend);
        assert_eq!(bytes, 0, "on a new connection");

        let answered = http::Request::post(&url).body(SecretBytes::new(b"a=b".to_vec())).unwrap();
        let second = Duration::from_secs(10);
        let (answer, kept) =
            tokio::join!(transport.send(answered, Limits::new(second, second, 100)), async {
                let mut stream = listener.accept().await.unwrap().0;
                let mut seen = Vec::new();
                while !seen.ends_with(b"a=b") {
                    assert_ne!(stream.read_buf(&mut seen).await.unwrap(), 0);
                }
                stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await.unwrap();
                stream
            });
        assert_eq!(answer.unwrap().status(), 200);
        let (error, bytes) = tokio::join!(refused(&transport, &url), read_all(kept));
        assert_eq!(error.failure(), TransportFailure::BeforeSend);
        assert_eq!(bytes, 0, "on a kept connection");
    }

    /// Sends a request whose gate closes before the body is asked for.
    async fn refused(transport: &ReqwestTransport, url: &str) -> TransportError {
        let body = SecretBytes::new(b"code=e63d".to_vec());
        let gate = Gate::new(&body, Stopwatch::begin(), Duration::MAX).expect("there is time");
        assert!(gate.close());
        let body = reqwest::Body::wrap(GatedBody::new(body, Arc::clone(&gate)));
        let request = http::Request::post(url).header(AUTHORIZATION, "Basic c2VjcmV0").body(body);
        let request = reqwest::Request::try_from(request.expect("a request")).expect("a request");
        let deadline = None;
        let sent = timeout(
            Duration::from_secs(10),
            exchange(&transport.direct, request, 1, &gate, deadline),
        );
        sent.await.expect("it ends in time").expect_err("the body is refused")
    }

    #[tokio::test]
    async fn a_name_without_an_address_is_told_apart() {
        let transport = ReqwestTransport::builder().without_root_certificates().build().unwrap();
        // A label of more than 63 characters is no name: the resolver knows without asking.
        let url = format!("http://{}.invalid/", "n".repeat(64));
        let body = SecretBytes::new(b"code=e63d".to_vec());
        let gate = Gate::new(&body, Stopwatch::begin(), Duration::MAX).expect("there is time");
        let body = reqwest::Body::wrap(GatedBody::new(body, Arc::clone(&gate)));
        let request = http::Request::post(&url).body(body).expect("a request");
        let request = reqwest::Request::try_from(request).expect("a request");
        let sent = exchange(&transport.direct, request, 1, &gate, None);
        let error = timeout(Duration::from_secs(60), sent).await.expect("in time").unwrap_err();
        assert_eq!(error, TransportError::before_send(TransportErrorKind::Resolve));
    }

    #[tokio::test]
    async fn spans_without_an_end_are_allowed() {
        let transport = ReqwestTransport::builder().without_root_certificates().build().unwrap();
        let socket = tokio::net::TcpSocket::new_v4().unwrap();
        socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let url = format!("http://{}/", socket.local_addr().unwrap());
        let request = http::Request::get(url).body(SecretBytes::default()).unwrap();
        let limits = Limits::new(Duration::MAX, Duration::MAX, usize::MAX);
        let error = transport.send(request, limits).await.unwrap_err();
        assert_eq!(error, TransportError::before_send(TransportErrorKind::Connect));
    }

    async fn read_all(mut stream: TcpStream) -> usize {
        let mut bytes = Vec::new();
        let read = timeout(Duration::from_secs(10), stream.read_to_end(&mut bytes)).await;
        // A reset is an end as well.
        read.expect("the connection is closed in time").unwrap_or(bytes.len())
    }

    #[test]
    fn credentials_in_headers_are_marked() {
        let mut headers = HeaderMap::new();
        headers.insert(AUTHORIZATION, "Basic c2VjcmV0".parse().unwrap());
        headers.insert(Authorization::SMART_TOKEN, "k3y".parse().unwrap());
        mark_sensitive(&mut headers);
        assert!(headers.values().all(http::HeaderValue::is_sensitive));
    }
}
