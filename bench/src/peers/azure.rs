//! azure_identity, over a transport that answers by itself: its authority must be https.

use std::sync::Arc;

use async_trait::async_trait;
use azure_core::credentials::TokenCredential as _;
use azure_core::http::headers::Headers;
use azure_core::http::{
    AsyncRawResponse, ClientOptions, HttpClient, Request, StatusCode, Transport,
};
use azure_identity::{ClientSecretCredential, ClientSecretCredentialOptions};
use http::HeaderValue;

use super::{ANSWER, SCOPES, bearer};

pub(super) struct Azure(Arc<ClientSecretCredential>);

impl Azure {
    pub(super) fn new() -> Self {
        let transport = Some(Transport::new(Arc::new(Answers)));
        let options = ClientSecretCredentialOptions {
            client_options: ClientOptions { transport, ..ClientOptions::default() },
        };
        let (id, secret) = ("82e4424135fe".to_owned(), "9165228a82e4".to_owned());
        let peer = ClientSecretCredential::new("planner", id, secret.into(), Some(options));
        Self(peer.expect("it is set up"))
    }

    pub(super) async fn header(&self) -> HeaderValue {
        let token = self.0.get_token(&SCOPES, None).await.expect("it is kept, or asked for once");
        bearer(token.token.secret())
    }
}

#[derive(Debug)]
struct Answers;

#[async_trait]
impl HttpClient for Answers {
    async fn execute_request(&self, _: &Request) -> azure_core::Result<AsyncRawResponse> {
        Ok(AsyncRawResponse::from_bytes(StatusCode::Ok, Headers::new(), ANSWER.as_bytes()))
    }
}
