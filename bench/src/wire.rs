//! What a request pays, in this process alone: fetching a token beside bare reqwest, signing beside
//! the same client with a constant header.

use std::fmt;
use std::future::poll_fn;
use std::sync::Arc;

use http::header::{ACCEPT, AUTHORIZATION};
use http::{HeaderValue, Request, Uri};
use http_body_util::Empty;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use reqwest::redirect::Policy;
use serde::Deserialize;
use sr_auth_core::Endpoints;
use sr_auth_http::{AuthorizeLayer, AuthorizeMiddleware, ReqwestTransport, TokenClient};
use tokio::runtime::Builder;
use tower_layer::Layer as _;
use tower_service::Service;

use crate::kept;
use crate::server::Server;

/// Does a work, so that its instructions can be counted: those of the server are not.
pub(crate) fn work(name: &str, operations: u32) -> bool {
    let server = Server::start();
    let origin = server.origin.as_str();
    // A header that is at hand; its driver has nothing to do.
    let (_kept, source) = kept::one();
    let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        match name {
            "fetch" => fetch(origin, operations).await,
            "fetch-reqwest" => fetch_bare(origin, operations).await,
            "sign-tower" => {
                let layer = AuthorizeLayer::new(endpoints(origin).api().clone(), source);
                call(layer.layer(hyper()), origin, None, operations).await;
            }
            "sign-hyper-constant" => call(hyper(), origin, Some(constant()), operations).await,
            "sign-reqwest" => {
                let api = AuthorizeMiddleware::new(endpoints(origin).api().clone(), source);
                let client = api.client(builder()).expect("a client");
                adapted(client, origin, None, operations).await;
            }
            "sign-reqwest-layer" => {
                let layer = AuthorizeLayer::new(endpoints(origin).api().clone(), source);
                layered(layer, origin, operations).await;
            }
            "sign-reqwest-chain" => {
                let client = reqwest_middleware::ClientBuilder::new(bare()).build();
                adapted(client, origin, Some(constant()), operations).await;
            }
            "sign-reqwest-constant" => constant_over_reqwest(origin, operations).await,
            _ => return false,
        }
        true
    })
}

fn endpoints(origin: &str) -> Endpoints {
    Endpoints::at_origin(origin).expect("loopback")
}

fn builder() -> reqwest::ClientBuilder {
    reqwest::Client::builder().no_proxy().redirect(Policy::none())
}

fn bare() -> reqwest::Client {
    builder().build().expect("a client")
}

async fn fetch(origin: &str, operations: u32) {
    let transport = ReqwestTransport::builder().without_root_certificates().build();
    let client = TokenClient::builder(kept::client())
        .endpoints(endpoints(origin))
        .transport(Arc::new(transport.expect("a transport without roots")))
        .build()
        .expect("the settings go together");
    for _ in 0..operations {
        client.client_credentials().await.expect("a token");
    }
}

/// What a program would write that has reqwest alone.
async fn fetch_bare(origin: &str, operations: u32) {
    #[derive(Deserialize)]
    struct Answer {
        access_token: String,
        expires_in: u64,
    }
    let client = builder().http1_only().user_agent("planner/1.0").build().expect("a client");
    let url = format!("{origin}{}", Endpoints::TOKEN_PATH);
    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", "82e4424135fe"),
        ("client_secret", "9165228a82e4"),
    ];
    for _ in 0..operations {
        let request = client.post(&url).header(ACCEPT, "application/json").form(&form);
        let answer = request.send().await.expect("an answer");
        assert!(answer.status().is_success());
        let answer: Answer = answer.json().await.expect("a token");
        assert!(!answer.access_token.is_empty() && answer.expires_in > 0);
    }
}

fn constant() -> HeaderValue {
    let value = HeaderValue::from_str(&format!("Bearer DCRD10-{:032x}", 0));
    let mut value = value.expect("a header");
    value.set_sensitive(true);
    value
}

type Body = Empty<&'static [u8]>;

fn hyper() -> Client<HttpConnector, Body> {
    Client::builder(TokioExecutor::new()).build_http()
}

async fn call<S, R>(mut client: S, origin: &str, constant: Option<HeaderValue>, operations: u32)
where
    S: Service<Request<Body>, Response = http::Response<R>>,
    S::Error: fmt::Debug,
{
    let uri: Uri = format!("{origin}/jobs").parse().expect("a URI");
    for _ in 0..operations {
        let mut request = Request::new(Body::new());
        *request.uri_mut() = uri.clone();
        if let Some(constant) = &constant {
            request.headers_mut().insert(AUTHORIZATION, constant.clone());
        }
        poll_fn(|cx| client.poll_ready(cx)).await.expect("it is ready");
        let answer = client.call(request).await.expect("an answer");
        assert_eq!(answer.status(), 204);
    }
}

async fn adapted(
    client: reqwest_middleware::ClientWithMiddleware,
    origin: &str,
    constant: Option<HeaderValue>,
    operations: u32,
) {
    let url = format!("{origin}/jobs");
    for _ in 0..operations {
        let mut request = client.get(&url);
        if let Some(constant) = &constant {
            request = request.header(AUTHORIZATION, constant);
        }
        let answer = request.send().await.expect("an answer");
        assert_eq!(answer.status(), 204);
    }
}

async fn layered(layer: AuthorizeLayer, origin: &str, operations: u32) {
    let (client, url) = (bare(), format!("{origin}/jobs"));
    let mut api = layer.layer(client.clone());
    for _ in 0..operations {
        let request = client.get(&url).build().expect("a request");
        let answer = api.call(request).await.expect("an answer");
        assert_eq!(answer.status(), 204);
    }
}

async fn constant_over_reqwest(origin: &str, operations: u32) {
    let (client, constant, url) = (bare(), constant(), format!("{origin}/jobs"));
    for _ in 0..operations {
        let request = client.get(&url).header(AUTHORIZATION, &constant);
        let answer = request.send().await.expect("an answer");
        assert_eq!(answer.status(), 204);
    }
}
