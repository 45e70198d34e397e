//! Takes the finished request out of `oauth2`, which would rather send it.

use std::cell::Cell;
use std::fmt;

use http::header::AUTHORIZATION;
use oauth2::{AuthType, HttpRequest, HttpResponse};

use crate::{ClientAuthentication, ClientCredentials, SecretBytes, TokenEndpoint};

/// A client of `oauth2` that knows its token endpoint.
pub(super) type Client = oauth2::basic::BasicClient<
    oauth2::EndpointNotSet,
    oauth2::EndpointNotSet,
    oauth2::EndpointNotSet,
    oauth2::EndpointNotSet,
    oauth2::EndpointSet,
>;

pub(super) fn client(client: &ClientCredentials, endpoint: &TokenEndpoint) -> Client {
    // It was parsed once, and is not parsed again for each request.
    let url = oauth2::TokenUrl::from_url(endpoint.url().clone());
    let built = oauth2::basic::BasicClient::new(oauth2::ClientId::new(client.id().as_str().into()))
        .set_token_uri(url);
    match client.authentication() {
        ClientAuthentication::Basic(secret) => built
            .set_client_secret(oauth2::ClientSecret::new(secret.expose().into()))
            .set_auth_type(AuthType::BasicAuth),
        ClientAuthentication::Body(secret) => built
            .set_client_secret(oauth2::ClientSecret::new(secret.expose().into()))
            .set_auth_type(AuthType::RequestBody),
        ClientAuthentication::Certificate => built.set_auth_type(AuthType::RequestBody),
    }
}

/// Runs `send` with an HTTP client that keeps the request instead of sending it.
pub(super) fn capture<T>(
    send: impl FnOnce(&dyn Fn(HttpRequest) -> Result<HttpResponse, Kept>) -> T,
) -> http::Request<SecretBytes> {
    let kept = Cell::new(None);
    send(&|request| {
        kept.set(Some(request));
        Err(Kept)
    });
    let request = kept.into_inner().expect("a checked endpoint always makes a request");
    let mut request = request.map(SecretBytes::new);
    if let Some(credential) = request.headers_mut().get_mut(AUTHORIZATION) {
        credential.set_sensitive(true);
    }
    request
}

/// Tells `oauth2` that its request was not sent; says nothing, since nobody reads it.
#[derive(Debug)]
pub(super) struct Kept;

impl fmt::Display for Kept {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        Ok(())
    }
}

impl std::error::Error for Kept {}
