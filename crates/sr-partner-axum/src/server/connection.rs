//! One connection.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use bytes::Bytes;
use http::Request;
use http_body::{Frame, SizeHint};
use hyper::body::Incoming;
use hyper::service::Service as _;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpStream;
use tokio::sync::watch;

use super::ServerLimits;
use super::deadline::{Arriving, Deadlined, Phase};

/// Serves a connection until its peer, a deadline or the server ends it.
pub(super) async fn serve(
    stream: TcpStream,
    peer: SocketAddr,
    limits: ServerLimits,
    router: Router,
    mut stopped: watch::Receiver<bool>,
) {
    // An answer is one write, and must not wait for more; a socket that refuses is slower only.
    let _slower = stream.set_nodelay(true);
    let phase = Phase::default();
    let stream = Deadlined::new(stream, phase.clone(), limits);
    let router = TowerToHyperService::new(router);
    let service = hyper::service::service_fn(move |mut request: Request<Incoming>| {
        phase.serve();
        request.extensions_mut().insert(ConnectInfo(peer));
        let request = request.map(|body| Arriving::new(body, limits.body_within));
        let (answer, phase) = (router.call(request), phase.clone());
        async move {
            let response = answer.await?;
            Ok::<_, Infallible>(response.map(|body| Ended { body, phase }))
        }
    });
    let connection = hyper::server::conn::http1::Builder::new()
        .max_buf_size(limits.head_bytes.max(8 * 1024))
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = pin!(connection);
    // How a connection ends is the peer's business: there is nobody to tell.
    tokio::select! {
        _ended = connection.as_mut() => return,
        _ = stopped.wait_for(|stop| *stop) => connection.as_mut().graceful_shutdown(),
    }
    let _ended = connection.await;
}

/// The body of an answer, which tells when it is over.
#[derive(Debug)]
struct Ended {
    body: Body,
    phase: Phase,
}

impl http_body::Body for Ended {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Ended {
    fn drop(&mut self) {
        self.phase.rest();
    }
}
