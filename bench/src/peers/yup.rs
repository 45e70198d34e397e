//! yup-oauth2, with a user's grant whose code a delegate brings.

use std::future::{Future, ready};
use std::pin::Pin;

use http::HeaderValue;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use sr_auth_core::Endpoints;
use yup_oauth2::authenticator::Authenticator;
use yup_oauth2::authenticator_delegate::InstalledFlowDelegate;
use yup_oauth2::{
    ApplicationSecret, CustomHyperClientBuilder, InstalledFlowAuthenticator,
    InstalledFlowReturnMethod,
};

use super::{SCOPES, bearer};

pub(super) struct Yup(Authenticator<HttpConnector>);

impl Yup {
    pub(super) async fn new(origin: &str) -> Self {
        let secret = ApplicationSecret {
            auth_uri: format!("{origin}/identity/oauth/allow"),
            client_id: "82e4424135fe".to_owned(),
            client_secret: "9165228a82e4".to_owned(),
            token_uri: format!("{origin}{}", Endpoints::TOKEN_PATH),
            ..ApplicationSecret::default()
        };
        let client: Client<_, String> = Client::builder(TokioExecutor::new()).build_http();
        let method = InstalledFlowReturnMethod::Interactive;
        let builder = InstalledFlowAuthenticator::with_client(
            secret,
            method,
            CustomHyperClientBuilder::from(client),
        );
        let peer = builder.flow_delegate(Box::new(User)).build().await.expect("it is set up");
        peer.token(&SCOPES).await.expect("a token");
        Self(peer)
    }

    pub(super) async fn header(&self) -> HeaderValue {
        let token = self.0.token(&SCOPES).await.expect("it is kept");
        bearer(token.token().expect("an access token"))
    }
}

/// Consents at once.
struct User;

impl InstalledFlowDelegate for User {
    fn present_user_url<'a>(
        &'a self,
        _: &'a str,
        _: bool,
    ) -> Pin<Box<dyn Future<Output = Result<String, String>> + Send + 'a>> {
        Box::pin(ready(Ok("e63d".to_owned())))
    }
}
