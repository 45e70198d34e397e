//! What the tests have in common: requests, a browser without a screen, and the demo world.

use http::header::{AUTHORIZATION, CONTENT_TYPE, LOCATION};
use http::{Method, Request, Response};
use serde_json::Value;
use sr_auth_core::grant::{
    AuthorizationRequest, AuthorizationSettings, ClientCredentialsGrant, Pkce, RefreshTokenGrant,
    RetryPolicy,
};
use sr_auth_core::wire::callback::Callback;
use sr_auth_core::{
    AccessToken, ClientAuthentication, ClientCredentials, Endpoints, GrantError, GrantFailure,
    RefreshToken, ScopeSet, Secret, SecretBytes, Timestamp, TokenSet,
};
use sr_testkit::{DemoCredentials, Simulator, World, drive};

pub(crate) const AUTHORIZE: &str = "/identity/oauth/allow";
pub(crate) const TOKEN: &str = "/identity/oauth/token";

/// A simulator with its credentials and a clock, and what people and programs do with it.
pub(crate) struct Scene {
    pub(crate) credentials: DemoCredentials,
    pub(crate) now: Timestamp,
    pub(crate) simulator: Simulator,
}

pub(crate) fn at(secs: u64) -> Timestamp {
    Timestamp::from_unix_secs(secs)
}

/// A scene with switches, written as a person writes them.
pub(crate) fn scene(switches: &[&str]) -> Scene {
    let (world, credentials) = World::demo(7);
    let mut simulator = Simulator::new(world, 7);
    for switch in switches {
        simulator.switches_mut().set(switch).expect("a switch");
    }
    Scene { credentials, now: at(0), simulator }
}

pub(crate) fn secret(client: &ClientCredentials) -> String {
    match client.authentication() {
        ClientAuthentication::Basic(it) | ClientAuthentication::Body(it) => it.expose().to_owned(),
        ClientAuthentication::Certificate | _ => String::new(),
    }
}

pub(crate) fn request(method: Method, uri: &str, body: &str) -> Request<SecretBytes> {
    let mut request = Request::new(SecretBytes::new(body.as_bytes().to_vec()));
    *request.method_mut() = method;
    *request.uri_mut() = uri.parse().expect("a URI");
    request
}

pub(crate) fn form(uri: &str, body: &str) -> Request<SecretBytes> {
    let mut request = request(Method::POST, uri, body);
    let kind = http::HeaderValue::from_static("application/x-www-form-urlencoded");
    request.headers_mut().insert(CONTENT_TYPE, kind);
    request
}

pub(crate) fn text(response: &Response<SecretBytes>) -> String {
    String::from_utf8_lossy(response.body().expose()).into_owned()
}

pub(crate) fn json(response: &Response<SecretBytes>) -> Value {
    serde_json::from_slice(response.body().expose()).unwrap_or(Value::Null)
}

/// A member of a JSON body as a text, empty when it is not there.
pub(crate) fn member(response: &Response<SecretBytes>, name: &str) -> String {
    let body = json(response);
    body.get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
}

pub(crate) fn header(response: &Response<SecretBytes>, name: &str) -> String {
    let value = response.headers().get(name).and_then(|value| value.to_str().ok());
    value.unwrap_or_default().to_owned()
}

/// Status and error code of a token answer.
pub(crate) fn verdict(response: &Response<SecretBytes>) -> (u16, String) {
    (response.status().as_u16(), member(response, "error"))
}

impl Scene {
    pub(crate) fn send(&mut self, request: &Request<SecretBytes>) -> Response<SecretBytes> {
        let reply = self.simulator.handle(self.now, request);
        reply.into_response().expect("nothing is lost here")
    }

    pub(crate) fn get(&mut self, uri: &str) -> Response<SecretBytes> {
        self.send(&request(Method::GET, uri, ""))
    }

    /// Calls a resource with a header, such as `authorization` or `x-smarttoken`.
    pub(crate) fn call(
        &mut self,
        method: Method,
        uri: &str,
        credential: (&'static str, &str),
        body: &str,
    ) -> Response<SecretBytes> {
        let mut request = request(method, uri, body);
        let value = http::HeaderValue::from_str(credential.1).expect("a header value");
        request.headers_mut().insert(credential.0, value);
        self.send(&request)
    }

    pub(crate) fn with_token(&mut self, uri: &str, token: &AccessToken) -> Response<SecretBytes> {
        let mut request = request(Method::GET, uri, "");
        token.authorization().apply_to(request.headers_mut());
        assert!(request.headers().contains_key(AUTHORIZATION));
        self.send(&request)
    }

    pub(crate) fn post_form(&mut self, body: &str) -> Response<SecretBytes> {
        self.send(&form(TOKEN, body))
    }

    /// `client_id` and `client_secret` of the application, as form members.
    pub(crate) fn application_form(&self) -> String {
        let client = self.credentials.application();
        format!("client_id={}&client_secret={}", client.id(), secret(client))
    }

    pub(crate) fn service_form(&self) -> String {
        let client = self.credentials.service();
        let (id, secret) = (client.id(), secret(client));
        format!("grant_type=client_credentials&client_id={id}&client_secret={secret}")
    }

    /// The URL of a plain authorization request, with more parameters after it.
    pub(crate) fn authorize_url(&self, more: &str) -> String {
        let id = self.credentials.application().id();
        let redirect = "http%3A%2F%2F127.0.0.1%2Fcallback";
        format!("{AUTHORIZE}?client_id={id}&redirect_uri={redirect}{more}")
    }

    /// Opens a URL as a browser would, answers the page if there is one, and returns where the
    /// browser ends up.
    pub(crate) fn browse(&mut self, url: &str, decision: &str, user: &str) -> String {
        let page = self.get(url);
        if page.status() != 200 {
            return header(&page, LOCATION.as_str());
        }
        let ticket = ticket(&page);
        let body = format!("ticket={ticket}&decision={decision}&user={user}");
        let answer = self.send(&form(AUTHORIZE, &body));
        header(&answer, LOCATION.as_str())
    }

    /// The code of a consent by a user.
    pub(crate) fn code(&mut self, user: &str) -> String {
        let url = self.authorize_url("");
        let location = self.browse(&url, "authorize", user);
        location.split_once("code=").map(|(_, code)| code.to_owned()).expect("a code")
    }

    pub(crate) fn settings(&self) -> AuthorizationSettings {
        let endpoints = Endpoints::production();
        let uri = self.credentials.redirect_uri().clone();
        AuthorizationSettings::new(self.credentials.application().clone(), endpoints, uri)
            .with_scopes(ScopeSet::parse("jobs_read user_me_read").expect("scopes"))
            .expect("not empty")
    }

    /// The whole authorization code grant: library, browser, library.
    pub(crate) fn sign_in(
        &mut self,
        settings: &AuthorizationSettings,
        user: &str,
    ) -> Result<TokenSet, GrantFailure> {
        let begun = AuthorizationRequest::new(settings, [9; 64], self.now).expect("an endpoint");
        let url = begun.url().to_owned();
        let pending = begun.into_pending();
        let location = self.browse(&url, "authorize", user);
        let callback = Callback::new(&location);
        let mut grant = pending.accept(settings, &callback, self.now).expect("a code");
        drive(&mut grant, &mut self.simulator, &mut self.now).expect("it ends")
    }

    pub(crate) fn tokens(&mut self) -> TokenSet {
        let settings = self.settings().with_pkce(Pkce::Off);
        self.sign_in(&settings, DemoCredentials::ADMINISTRATOR).expect("tokens")
    }

    pub(crate) fn refresh(&mut self, token: &RefreshToken) -> Result<TokenSet, GrantFailure> {
        let (endpoints, retry) = (Endpoints::production(), RetryPolicy::default());
        let client = self.credentials.application();
        let mut grant =
            RefreshTokenGrant::new(client, endpoints.token(), token.clone(), retry, self.now);
        drive(&mut grant, &mut self.simulator, &mut self.now).expect("it ends")
    }

    pub(crate) fn client_credentials(
        &mut self,
        client: &ClientCredentials,
    ) -> Result<AccessToken, GrantError> {
        let (endpoints, retry) = (Endpoints::production(), RetryPolicy::default());
        let mut grant = ClientCredentialsGrant::new(client, endpoints.token(), retry, self.now);
        drive(&mut grant, &mut self.simulator, &mut self.now).expect("it ends")
    }

    /// How many requests of a grant type the token endpoint saw.
    pub(crate) fn presentations(&self, grant_type: &str) -> usize {
        self.simulator.journal().filter(|it| it.grant_type == Some(grant_type)).count()
    }
}

/// The one-time value in the form of a consent page.
pub(crate) fn ticket(page: &Response<SecretBytes>) -> String {
    let html = text(page);
    let (_, rest) = html.split_once("name=\"ticket\" value=\"").expect("a form");
    rest.split('"').next().unwrap_or_default().to_owned()
}

/// The refresh token of a set.
pub(crate) fn refresh_of(tokens: &TokenSet) -> RefreshToken {
    tokens.refresh().expect("a refresh token").clone()
}

/// The fingerprint of a text, as the journal and the grants show it.
pub(crate) fn fingerprint(secret: &Secret) -> sr_testkit::Fingerprint {
    sr_testkit::Fingerprint::of(secret)
}
