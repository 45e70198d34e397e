//! A transport that remembers where each request went and what was in it.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use http::header::AUTHORIZATION;
use http::{Request, Response};
use sr_auth_core::{Authorization, SecretBytes};
use sr_auth_http::{Limits, ReqwestTransport, Transport, TransportError};

/// One request, taken apart.
#[derive(Clone, Debug)]
pub(crate) struct Sent {
    pub(crate) body: String,
    pub(crate) credential: String,
    pub(crate) method: String,
    pub(crate) other_headers: String,
    pub(crate) path: String,
    pub(crate) url: String,
}

#[derive(Debug)]
pub(crate) struct Recorder {
    inner: ReqwestTransport,
    sent: Mutex<Vec<Sent>>,
}

impl Recorder {
    pub(crate) fn new() -> Arc<Self> {
        let inner = ReqwestTransport::builder().without_root_certificates().build().unwrap();
        Arc::new(Self { inner, sent: Mutex::default() })
    }

    pub(crate) fn sent(&self) -> Vec<Sent> {
        self.sent.lock().unwrap().clone()
    }
}

#[async_trait]
impl Transport for Recorder {
    async fn send(
        &self,
        request: Request<SecretBytes>,
        limits: Limits,
    ) -> Result<Response<SecretBytes>, TransportError> {
        let (mut credential, mut other_headers) = (String::new(), String::new());
        for (name, value) in request.headers() {
            let is_credential = *name == AUTHORIZATION || *name == Authorization::SMART_TOKEN;
            let into = if is_credential { &mut credential } else { &mut other_headers };
            into.push_str(&format!("{name}: {}\n", value.to_str().unwrap()));
        }
        let sent = Sent {
            body: String::from_utf8(request.body().expose().to_vec()).unwrap(),
            credential,
            method: request.method().to_string(),
            other_headers,
            path: request.uri().path().to_owned(),
            url: request.uri().to_string(),
        };
        self.sent.lock().unwrap().push(sent);
        self.inner.send(request, limits).await
    }
}
