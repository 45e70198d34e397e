//! The URL that the user's browser is sent to (RFC 6749 §4.1.1).
//!
//! The documented sample has no `response_type`; the service's own client library sends
//! `response_type=code`. It is sent, as RFC 6749 asks, unless a setting leaves it out. Blanks
//! between scopes are written `%20`, as documented, where a form would have `+`.

use crate::{AuthorizationEndpoint, ClientId, RedirectUri, ScopeSet, Secret};

/// The parameters of an authorization request.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AuthorizationUrl<'a> {
    pub(crate) client_id: &'a ClientId,
    pub(crate) endpoint: &'a AuthorizationEndpoint,
    /// The PKCE verifier; its S256 challenge is sent (RFC 7636 §4.3).
    pub(crate) pkce_verifier: Option<&'a Secret>,
    pub(crate) redirect_uri: &'a RedirectUri,
    pub(crate) response_type: bool,
    /// `None` asks for the scopes that the application was registered with.
    pub(crate) scopes: Option<&'a ScopeSet>,
    pub(crate) state: &'a Secret,
}

impl AuthorizationUrl<'_> {
    pub(crate) fn write(&self) -> String {
        let checked = "the constructors of the endpoint and the redirect URI parsed them";
        let endpoint = oauth2::AuthUrl::new(self.endpoint.as_str().to_owned()).expect(checked);
        let redirect = oauth2::RedirectUrl::new(self.redirect_uri.as_str().to_owned());
        let client =
            oauth2::basic::BasicClient::new(oauth2::ClientId::new(self.client_id.as_str().into()))
                .set_auth_uri(endpoint)
                .set_redirect_uri(redirect.expect(checked));
        let state = oauth2::CsrfToken::new(self.state.expose().to_owned());
        let mut request = client.authorize_url(|| state);
        for scope in self.scopes.into_iter().flat_map(ScopeSet::iter) {
            request = request.add_scope(oauth2::Scope::new(scope.as_str().to_owned()));
        }
        if let Some(verifier) = self.pkce_verifier {
            let verifier = oauth2::PkceCodeVerifier::new(verifier.expose().to_owned());
            let challenge = oauth2::PkceCodeChallenge::from_code_verifier_sha256(&verifier);
            request = request.set_pkce_challenge(challenge);
        }
        let (mut url, _) = request.url();
        let query = url.query().unwrap_or_default();
        let parameters =
            query.split('&').filter(|it| self.response_type || *it != "response_type=code");
        let query = parameters.collect::<Vec<_>>().join("&").replace('+', "%20");
        url.set_query(Some(&query));
        url.into()
    }
}
