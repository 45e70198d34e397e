//! Requests to the token endpoint (RFC 6749 §4.1.3, §4.4.2, §6).
//!
//! The documented samples for code and refresh show a JSON object under a form content type. That
//! is a slip of the pages: working clients send a form, and so does this module.

use http::Request;

use super::captured::{capture, client as configured};
use crate::{ClientCredentials, RedirectUri, RefreshToken, Secret, SecretBytes, TokenEndpoint};

/// Writes the request of the client credentials grant (RFC 6749 §4.4.2).
///
/// No `scope` is sent: the scopes of a SmartRecruiters credential are fixed when it is made.
#[must_use]
pub fn client_credentials(
    client: &ClientCredentials,
    endpoint: &TokenEndpoint,
) -> Request<SecretBytes> {
    let client = configured(client, endpoint);
    capture(|keep| client.exchange_client_credentials().request(&keep))
}

/// What an authorization code is exchanged with.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CodeExchange<'a> {
    /// The code of the callback.
    pub(crate) code: &'a Secret,
    /// The redirect URI of the authorization request, byte for byte.
    pub(crate) redirect_uri: Option<&'a RedirectUri>,
    /// The PKCE verifier (RFC 7636 §4.5), when a challenge was sent.
    pub(crate) verifier: Option<&'a Secret>,
}

/// Writes the request that exchanges an authorization code (RFC 6749 §4.1.3).
pub(crate) fn authorization_code(
    client: &ClientCredentials,
    endpoint: &TokenEndpoint,
    exchange: CodeExchange<'_>,
) -> Request<SecretBytes> {
    let mut client = configured(client, endpoint);
    if let Some(uri) = exchange.redirect_uri {
        let uri = oauth2::RedirectUrl::new(uri.as_str().to_owned())
            .expect("the constructor of the redirect URI parsed it");
        client = client.set_redirect_uri(uri);
    }
    let code = oauth2::AuthorizationCode::new(exchange.code.expose().to_owned());
    let mut request = client.exchange_code(code);
    if let Some(verifier) = exchange.verifier {
        let verifier = oauth2::PkceCodeVerifier::new(verifier.expose().to_owned());
        request = request.set_pkce_verifier(verifier);
    }
    capture(|keep| request.request(&keep))
}

/// Writes the request that spends a refresh token (RFC 6749 §6).
#[must_use]
pub fn refresh_token(
    client: &ClientCredentials,
    endpoint: &TokenEndpoint,
    token: &RefreshToken,
) -> Request<SecretBytes> {
    let client = configured(client, endpoint);
    let token = oauth2::RefreshToken::new(token.secret().expose().to_owned());
    capture(|keep| client.exchange_refresh_token(&token).request(&keep))
}
