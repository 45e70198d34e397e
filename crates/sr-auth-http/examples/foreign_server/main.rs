//! Every grant against any OAuth 2.0 server, with a person (or a script) as the browser.
//!
//! Says what it did on standard output, a line each: `ok <what>` when the server and this library
//! agreed, `approve <url>` and `decline <url>` when somebody has to go there and decide. The
//! address where the browser ends up is then read from standard input, a line each. `advance <seconds>`
//! when the clock of the server has to be moved, which is answered with a line as well. It ends
//! with an error at the first thing that is not as it should be.
//!
//! Settings come from the environment: `CLIENT_ID`, `CLIENT_SECRET`, `AUTHORIZATION_ENDPOINT`,
//! `TOKEN_ENDPOINT`, `RESOURCE` (a URL that takes the access token), `REDIRECT_URI`, `SCOPES`, and
//! if wanted `ISSUER`, `CLIENT_AUTHENTICATION=basic` and `PKCE=S256`.

mod hour;

use std::error::Error;
use std::time::Duration;

use http::StatusCode;
use sr_auth_core::grant::{
    AuthorizationCodeGrant, AuthorizationRequest, AuthorizationSettings, Pkce,
};
use sr_auth_core::wire::callback::{Callback, CallbackError};
use sr_auth_core::{
    AccessToken, AllowedHosts, Authorization, ClientCredentials, Endpoints, ErrorCode, GrantError,
    RedirectUri, RefreshToken, ScopeSet, Secret, SecretBytes, SingleUse, TokenSet,
};
use sr_auth_http::{Limits, TokenClient, entropy};

type Outcome<T = ()> = Result<T, Box<dyn Error>>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Outcome {
    let peer = Peer::from_environment()?;
    peer.asks_for_itself().await?;
    peer.meets_bad_callbacks()?;
    let tokens = peer.lets_a_user_agree().await?;
    peer.calls_the_resource(tokens.access()).await?;
    peer.rotates(tokens).await?;
    hour::live(&peer).await
}

/// The server, and how this application is known there.
struct Peer {
    client: TokenClient,
    /// The same application with a wrong secret.
    impostor: TokenClient,
    resource: String,
    settings: AuthorizationSettings,
}

impl Peer {
    fn from_environment() -> Outcome<Self> {
        let secret = Secret::new(required("CLIENT_SECRET")?);
        let wrong = Secret::new("not-the-secret-of-this-client".to_owned());
        let basic = variable("CLIENT_AUTHENTICATION").as_deref() == Some("basic");
        let id = required("CLIENT_ID")?;
        let credentials = |secret| {
            let credentials = ClientCredentials::new(&id, secret)?;
            Ok::<_, Box<dyn Error>>(if basic { credentials.in_header() } else { credentials })
        };
        let (credentials, impostor) = (credentials(secret)?, credentials(wrong)?);
        let endpoints = endpoints()?;
        let build = |credentials| TokenClient::builder(credentials).endpoints(endpoints.clone());
        let redirect_uri = RedirectUri::parse(&required("REDIRECT_URI")?)?;
        let pkce = match variable("PKCE").as_deref() {
            Some("S256") => Pkce::S256,
            _ => Pkce::Off,
        };
        let settings =
            AuthorizationSettings::new(credentials.clone(), endpoints.clone(), redirect_uri)
                .with_pkce(pkce)
                .with_scopes(ScopeSet::parse(&required("SCOPES")?)?)?;
        Ok(Self {
            client: build(credentials).build()?,
            impostor: build(impostor).build()?,
            resource: required("RESOURCE")?,
            settings,
        })
    }

    async fn asks_for_itself(&self) -> Outcome {
        self.client.client_credentials().await?;
        say("ok client credentials");
        let refused = self.impostor.client_credentials().await;
        expect_refusal(refused.err().as_ref(), ErrorCode::InvalidClient)?;
        say("ok wrong secret is invalid_client");
        Ok(())
    }

    /// Callbacks that belong to somebody else, or that bring no code.
    fn meets_bad_callbacks(&self) -> Outcome {
        let (ours, theirs) = (self.begin()?, self.begin()?);
        let callback = ask("approve", theirs.url())?;
        match self.accept(ours, &callback) {
            Err(CallbackError::StateMismatch) => say("ok foreign state is refused"),
            other => return wrong("a callback with a foreign state", &other.map(drop)),
        }
        let request = self.begin()?;
        let callback = ask("decline", request.url())?;
        match self.accept(request, &callback) {
            Err(CallbackError::Declined { .. }) => say("ok declined consent is told"),
            other => return wrong("a declined consent", &other.map(drop)),
        }
        if let Some(issuer) = self.settings.endpoints().issuer() {
            self.meets_another_issuer(&format!("{issuer}/other"))?;
        }
        Ok(())
    }

    /// The server is right, and our settings name another one (RFC 9207 §2.4).
    fn meets_another_issuer(&self, issuer: &str) -> Outcome {
        let endpoints = self.settings.endpoints().clone().with_issuer(issuer)?;
        // With PKCE in any case: a server that requires it must not be the one that refuses.
        let (client, redirect_uri) = (self.settings.client(), self.settings.redirect_uri());
        let settings = AuthorizationSettings::new(client.clone(), endpoints, redirect_uri.clone())
            .with_pkce(Pkce::S256);
        let request = AuthorizationRequest::new(&settings, entropy()?, self.client.clock().now())?;
        let callback = ask("approve", request.url())?;
        let now = self.client.clock().now();
        match request.into_pending().accept(&settings, &callback, now) {
            Err(CallbackError::IssuerMismatch) => say("ok another issuer is refused"),
            other => return wrong("a callback of another issuer", &other.map(drop)),
        }
        Ok(())
    }

    async fn lets_a_user_agree(&self) -> Outcome<TokenSet> {
        let tokens = self.consents().await?;
        say("ok authorization code");
        Ok(tokens)
    }

    async fn consents(&self) -> Outcome<TokenSet> {
        let request = self.begin()?;
        let callback = ask("approve", request.url())?;
        let grant = self.accept(request, &callback)?;
        Ok(self.client.authorization_code(grant).await?)
    }

    async fn calls_the_resource(&self, access: &AccessToken) -> Outcome {
        self.resource_takes(&access.authorization()).await?;
        say("ok resource");
        Ok(())
    }

    async fn resource_takes(&self, header: &Authorization) -> Outcome {
        let mut request = http::Request::get(&self.resource).body(SecretBytes::new(Vec::new()))?;
        header.apply_to(request.headers_mut());
        let limits = Limits::new(ANSWER_WITHIN, ANSWER_WITHIN, BODY_LIMIT);
        let response = self.client.transport().send(request, limits).await?;
        if response.status() != StatusCode::OK {
            return wrong("the resource", &response.status());
        }
        Ok(())
    }

    /// Refreshes twice, and then presents a token that is used up.
    async fn rotates(&self, tokens: TokenSet) -> Outcome {
        let first = refresh_token(tokens)?;
        let refused = self.impostor.refresh(first.clone()).await;
        let error = refused.err().map(|failure| failure.error().clone());
        expect_refusal(error.as_ref(), ErrorCode::InvalidClient)?;
        if error.map(|error| error.single_use()) != Some(SingleUse::Unspent) {
            return wrong("a refresh token that was refused with its client", &"spent");
        }
        let second = self.refresh(&first).await?;
        say("ok refresh, after a refusal that spent nothing");
        let third = self.refresh(&second).await?;
        say("ok second refresh");
        let refused = self.client.refresh(second).await;
        let error = refused.err().map(|failure| failure.error().clone());
        expect_refusal(error.as_ref(), ErrorCode::InvalidGrant)?;
        say("ok spent refresh token is invalid_grant");
        // RFC 9700 §4.14.2: a strict server takes reuse for theft and ends the whole family.
        let refused = self.client.refresh(third).await;
        let error = refused.err().map(|failure| failure.error().clone());
        expect_refusal(error.as_ref(), ErrorCode::InvalidGrant)?;
        say("ok reuse ended the family");
        Ok(())
    }

    async fn refresh(&self, token: &RefreshToken) -> Outcome<RefreshToken> {
        let tokens = self.client.refresh(token.clone()).await?;
        if !tokens.rotated() {
            return Err("the refresh token was not replaced".into());
        }
        refresh_token(tokens)
    }

    fn begin(&self) -> Outcome<AuthorizationRequest> {
        let now = self.client.clock().now();
        Ok(AuthorizationRequest::new(&self.settings, entropy()?, now)?)
    }

    fn accept(
        &self,
        request: AuthorizationRequest,
        callback: &Callback,
    ) -> Result<AuthorizationCodeGrant, CallbackError> {
        request.into_pending().accept(&self.settings, callback, self.client.clock().now())
    }
}

const ANSWER_WITHIN: Duration = Duration::from_secs(15);
const BODY_LIMIT: usize = 64 * 1024;

fn endpoints() -> Outcome<Endpoints> {
    let (authorization, token) = (required("AUTHORIZATION_ENDPOINT")?, required("TOKEN_ENDPOINT")?);
    // The origin is that of an API of SmartRecruiters, which nothing here calls.
    let api = Endpoints::production().api().as_str().to_owned();
    let endpoints = Endpoints::custom(&authorization, &token, &api, AllowedHosts::Any)?;
    Ok(match variable("ISSUER") {
        Some(issuer) => endpoints.with_issuer(&issuer)?,
        None => endpoints,
    })
}

fn refresh_token(tokens: TokenSet) -> Outcome<RefreshToken> {
    let (_, refresh) = tokens.into_parts();
    refresh.ok_or_else(|| "the answer brought no refresh token".into())
}

fn expect_refusal(error: Option<&GrantError>, expected: ErrorCode) -> Outcome {
    match error {
        Some(GrantError::Refused(response)) if response.code() == expected => Ok(()),
        other => wrong("the token endpoint", &other),
    }
}

fn wrong<T>(what: &str, found: &dyn std::fmt::Debug) -> Outcome<T> {
    Err(format!("{what} gave {found:?}").into())
}

/// Has somebody decide at `url`, and reads where the browser ended up.
fn ask(decision: &str, url: &str) -> Outcome<Callback> {
    Ok(Callback::new(&hear(&format!("{decision} {url}"))?))
}

/// Says something that is answered with a line.
fn hear(line: &str) -> Outcome<String> {
    say(line);
    let mut answer = String::new();
    if std::io::stdin().read_line(&mut answer)? == 0 {
        return Err("standard input ended where an answer was awaited".into());
    }
    Ok(answer)
}

fn required(name: &str) -> Outcome<String> {
    variable(name).ok_or_else(|| format!("{name} is not set").into())
}

#[expect(clippy::disallowed_methods, reason = "the one place where this program is configured")]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

#[expect(clippy::print_stdout, reason = "what this program says is its result")]
fn say(line: &str) {
    println!("{line}");
}
