//! The parameters of an authorization request (RFC 6749 §4.1.1), judged in a safe order.

use sr_auth_core::ScopeSet;
use url::{Host, Url};

use crate::simulator::form::Form;
use crate::simulator::switches::{LoopbackPort, Pkce, ResponseType, Switches};
use crate::world::{ClientKind, World};

/// What a user is asked to agree to.
#[derive(Debug)]
pub(in crate::simulator) struct Consent {
    pub(in crate::simulator) challenge: Option<String>,
    pub(in crate::simulator) client: String,
    pub(in crate::simulator) redirect_uri: String,
    pub(in crate::simulator) scopes: ScopeSet,
    pub(in crate::simulator) state: Option<String>,
}

/// An error that the application is told.
#[derive(Clone, Copy, Debug)]
pub(super) struct AuthorizationError {
    pub(super) code: &'static str,
    pub(super) description: &'static str,
}

/// Why there is nothing to ask.
#[derive(Debug)]
pub(super) enum Rejected {
    /// Told to the application.
    Redirected { error: AuthorizationError, redirect_uri: String, state: Option<String> },
    /// Told to the user only: where the browser would go cannot be trusted.
    Shown(&'static str),
}

/// Client and redirect URI are judged first, and errors in them never leave the page.
pub(super) fn read(query: &str, world: &World, switches: &Switches) -> Result<Consent, Rejected> {
    let form = Form::read(query.as_bytes()).ok_or(Rejected::Shown("the query cannot be read"))?;
    if let Some("client_id" | "redirect_uri" | "state") = form.repeated() {
        return Err(Rejected::Shown("a parameter is repeated"));
    }
    let id = form.filled("client_id").ok_or(Rejected::Shown("client_id is missing"))?;
    let client = world.client(id).ok_or(Rejected::Shown("client_id is not known"))?;
    let ClientKind::Application { default_scopes, redirect_uris } = &client.kind else {
        return Err(Rejected::Shown("this client may not ask users"));
    };
    let uri = form.filled("redirect_uri").ok_or(Rejected::Shown("redirect_uri is missing"))?;
    if !redirect_uris.iter().any(|registered| matches(registered, uri, switches.loopback_port)) {
        return Err(Rejected::Shown("redirect_uri is not registered"));
    }
    let state = form.get("state").map(str::to_owned);
    let rejected = |(code, description)| Rejected::Redirected {
        error: AuthorizationError { code, description },
        redirect_uri: uri.to_owned(),
        state: state.clone(),
    };
    if form.repeated().is_some() {
        return Err(rejected(("invalid_request", "A parameter is repeated")));
    }
    judge_response_type(&form, switches).map_err(rejected)?;
    let scopes = scopes(&form, default_scopes, &client.scopes).map_err(rejected)?;
    let challenge = challenge(&form, switches).map_err(rejected)?;
    let (client, redirect_uri) = (client.id().to_owned(), uri.to_owned());
    Ok(Consent { challenge, client, redirect_uri, scopes, state })
}

type Judged<T> = Result<T, (&'static str, &'static str)>;

fn judge_response_type(form: &Form<'_>, switches: &Switches) -> Judged<()> {
    match (form.filled("response_type"), switches.response_type) {
        (_, ResponseType::Ignored)
        | (Some("code"), ResponseType::Optional | ResponseType::Required)
        | (None, ResponseType::Optional) => Ok(()),
        (Some(_), ResponseType::Optional | ResponseType::Required) => {
            Err(("unsupported_response_type", "Only code is supported"))
        }
        (None, ResponseType::Required) => Err(("invalid_request", "response_type is missing")),
    }
}

/// No `scope` means the default ones; an empty one is an error.
fn scopes(form: &Form<'_>, default: &ScopeSet, approved: &ScopeSet) -> Judged<ScopeSet> {
    let Some(text) = form.get("scope") else { return Ok(default.clone()) };
    let invalid = |description| ("invalid_scope", description);
    let asked = ScopeSet::parse(text).map_err(|_| invalid("A scope is malformed"))?;
    if asked.is_empty() {
        return Err(invalid("The scope is empty"));
    }
    if !asked.iter().all(|scope| approved.contains(scope)) {
        return Err(invalid("A scope is not approved for this application"));
    }
    Ok(asked)
}

/// Only `S256`: `plain` is refused, and so is a challenge without a method, which would mean it.
fn challenge(form: &Form<'_>, switches: &Switches) -> Judged<Option<String>> {
    let method = form.filled("code_challenge_method");
    match (switches.pkce, form.filled("code_challenge")) {
        (Pkce::Ignored, _) | (Pkce::Verified, None) => Ok(None),
        (Pkce::Required, None) => Err(("invalid_request", "code_challenge is missing")),
        (_, Some(challenge)) if method == Some("S256") => Ok(Some(challenge.to_owned())),
        (_, Some(_)) => Err(("invalid_request", "code_challenge_method must be S256")),
    }
}

/// Compares byte for byte; with the switch, without the port on loopback (RFC 8252 §7.3).
fn matches(registered: &str, sent: &str, loopback_port: LoopbackPort) -> bool {
    if registered == sent {
        return true;
    }
    let (Ok(mut left), Ok(mut right)) = (Url::parse(registered), Url::parse(sent)) else {
        return false;
    };
    // What the parser would write otherwise, such as another spelling of the host, is no match.
    if loopback_port == LoopbackPort::Exact || !is_loopback(&left) || right.as_str() != sent {
        return false;
    }
    let cleared = left.set_port(None).is_ok() && right.set_port(None).is_ok();
    cleared && left == right
}

fn is_loopback(url: &Url) -> bool {
    url.scheme() == "http"
        && match url.host() {
            Some(Host::Domain(name)) => name == "localhost",
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        }
}
