//! A complete partner service: people sign in, connect a company, and SmartRecruiters reads their
//! interviews.
//!
//! It is set by the environment, and keeps everything in one folder:
//!
//! ```text
//! export PLANNER_ORIGIN=https://planner.example     # where the world reaches it
//! export PLANNER_LISTEN=127.0.0.1:8080              # where the proxy reaches it
//! export PLANNER_FOLDER=/var/lib/planner
//! export PLANNER_APP_ID=… PLANNER_CLIENT_ID=… PLANNER_CLIENT_SECRET=…
//! export PLANNER_SEALING_KEYS=$(head -c 32 /dev/urandom | base64)    # once, and kept
//! cargo run --package sr-partner-axum --example partner_service
//! ```
//!
//! With `SMARTRECRUITERS_ORIGIN` it talks to a sandbox on this machine. Its accounts are made up,
//! and anybody may sign in: that is the one part which every application has already.

use std::collections::BTreeMap;
use std::error::Error;
use std::io::Write as _;
use std::path::Path;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use axum::extract::{Form, Query, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, LOCATION, SET_COOKIE};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{Html, IntoResponse as _, Response};
use axum::routing::get;
use axum::{Json, Router};
use sr_auth_core::{ClientCredentials, Endpoints, Scope, ScopeSet, Secret};
use sr_auth_http::{ReqwestTransport, entropy};
use sr_auth_store::{SealingKeys, SqliteBackend, Store};
use sr_partner::consent::{ConsentDisplayMode, RedirectOrigins, TicketKey};
use sr_partner::registration::{AppRegistration, InboundUrls, MasterCredentials, RequestedScope};
use sr_partner::{AppId, TenantId};
use sr_partner_axum::{
    Account, Caller, Connected, Left, PartnerHooks, PartnerService, Server, SessionCookie,
    Unavailable,
};
use tokio::net::TcpListener;

type Outcome<T> = Result<T, Box<dyn Error>>;

/// What SmartRecruiters may do here.
const OURS: &str = "interviews_read";
const MODE: ConsentDisplayMode = ConsentDisplayMode::Redirect;

#[tokio::main]
async fn main() -> Outcome<()> {
    let settings = Settings::read()?;
    let planner = Planner::new();
    let service = service(&settings, planner.clone())?;
    let router = Router::new()
        .route("/interviews", get(interviews))
        .route_layer(service.guard(Scope::new(OURS)?))
        .route("/sign-in", get(ask_to_sign_in).post(sign_in))
        .with_state(planner)
        .merge(service.router());
    let listener = TcpListener::bind(&settings.listen).await?;
    writeln!(std::io::stdout(), "listening on {}", listener.local_addr()?)?;
    Server::default().serve(listener, router, interrupted()).await;
    // A customer who has just connected must not lose what SmartRecruiters answers.
    service.settle().await;
    Ok(())
}

/// What this deployment is.
struct Settings {
    app: AppId,
    client: ClientCredentials,
    endpoints: Endpoints,
    folder: String,
    listen: String,
    origin: String,
    origins: RedirectOrigins,
}

impl Settings {
    fn read() -> Outcome<Self> {
        let client = Secret::new(variable("PLANNER_CLIENT_SECRET")?);
        let sandbox = variable("SMARTRECRUITERS_ORIGIN").ok();
        Ok(Self {
            app: AppId::new(&variable("PLANNER_APP_ID")?)?,
            client: ClientCredentials::new(&variable("PLANNER_CLIENT_ID")?, client)?,
            endpoints: match &sandbox {
                Some(origin) => Endpoints::at_origin(origin)?,
                None => Endpoints::production(),
            },
            folder: variable("PLANNER_FOLDER")?,
            listen: variable("PLANNER_LISTEN")?,
            origin: variable("PLANNER_ORIGIN")?,
            origins: match &sandbox {
                Some(origin) => RedirectOrigins::new([origin.as_str()])?,
                None => RedirectOrigins::production(),
            },
        })
    }
}

fn service(settings: &Settings, planner: Planner) -> Outcome<PartnerService> {
    let origin = &settings.origin;
    let scopes = [RequestedScope::new(Scope::new("candidates_read")?, "show candidates")?];
    let inbound = InboundUrls::new(&format!("{origin}/oauth/token"))?
        .with_callback(&format!("{origin}/callback"))?;
    let consent = format!("{origin}/connect");
    let registration = AppRegistration::new("Interview Planner", &consent, MODE, scopes)?
        .with_app_id(settings.app.clone())
        .called_by_smartrecruiters(inbound, ScopeSet::parse(OURS)?);
    let master = MasterCredentials::new(settings.app.clone(), settings.client.clone());
    // The keys are elsewhere than the file: whoever has a backup of it has no credential.
    let folder = Path::new(&settings.folder);
    let backend = SqliteBackend::open(&folder.join("partner.db"))?;
    let store = Store::new(backend, SealingKeys::from_env("PLANNER_SEALING_KEYS")?);
    let transport = Arc::new(ReqwestTransport::new()?);
    // One process signs and reads its own forms. Several would share the key.
    let mut key = [0; 32];
    key.iter_mut().zip(entropy()?).for_each(|(kept, byte)| *kept = byte);
    let builder = PartnerService::builder(registration, master, store, transport)
        .endpoints(settings.endpoints.clone())
        .origins(settings.origins.clone());
    Ok(builder.build(planner, TicketKey::new(key))?)
}

/// The application: its accounts and who is signed in.
#[derive(Clone, Debug)]
struct Planner {
    cookie: SessionCookie,
    /// The digest of each session, and the account.
    sessions: Arc<Mutex<BTreeMap<[u8; 32], String>>>,
}

impl Planner {
    fn new() -> Self {
        let cookie = SessionCookie::new("planner", MODE);
        Self { cookie, sessions: Arc::default() }
    }

    fn account(&self, session: &Secret) -> Result<Option<String>, Unavailable> {
        let sessions = self.sessions.lock().map_err(|_| Unavailable)?;
        Ok(sessions.get(session.digest().as_bytes()).cloned())
    }
}

#[async_trait]
impl PartnerHooks for Planner {
    async fn signed_in(&self, request: &Parts) -> Result<Option<Account>, Unavailable> {
        let Some(session) = self.cookie.read(&request.headers) else { return Ok(None) };
        let Some(account) = self.account(&session)? else { return Ok(None) };
        let tenant = TenantId::new(&account).map_err(|_| Unavailable)?;
        Ok(Some(Account::new(tenant, &account, session)))
    }

    fn sign_in(&self, return_to: &str) -> String {
        let return_to: String =
            url::form_urlencoded::byte_serialize(return_to.as_bytes()).collect();
        format!("/sign-in?return_to={return_to}")
    }

    fn meaning(&self, scope: &Scope) -> Option<String> {
        (scope.as_str() == OURS).then(|| "see planned interviews".to_owned())
    }

    async fn connected(&self, connected: Connected) {
        // Here a person is told, and whatever waited for the company begins.
        say(&format!("{} is connected with {}", connected.key.company, connected.tenant));
    }

    async fn left(&self, left: Left) {
        say(&format!("{} has left {}", left.key.company, left.tenant));
    }
}

/// What SmartRecruiters reads: of the company of its token, and of no other.
async fn interviews(caller: Caller) -> Json<BTreeMap<String, Vec<String>>> {
    let company = caller.company().to_string();
    Json(BTreeMap::from([(company, vec!["Monday, 9:00".to_owned()])]))
}

#[derive(serde::Deserialize)]
struct ReturnTo {
    return_to: String,
}

async fn ask_to_sign_in(Query(query): Query<ReturnTo>) -> Response {
    let Some(return_to) = own_path(&query.return_to) else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    let return_to = return_to.replace('&', "&amp;");
    let page = format!(
        "<!DOCTYPE html><html lang=\"en\"><title>Sign in</title><h1>Sign in</h1>\
         <form method=\"post\"><input type=\"hidden\" name=\"return_to\" value=\"{return_to}\">\
         <label>Account <input name=\"account\" required></label> <button>Sign in</button></form>"
    );
    // Nobody else shows this form in a frame, and nothing but this page is loaded with it.
    let policy = "default-src 'none'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";
    let headers = [(CACHE_CONTROL, "no-store"), (CONTENT_SECURITY_POLICY, policy)];
    (headers, Html(page)).into_response()
}

#[derive(serde::Deserialize)]
struct SignIn {
    account: String,
    return_to: String,
}

async fn sign_in(
    State(planner): State<Planner>,
    headers: HeaderMap,
    Form(form): Form<SignIn>,
) -> Response {
    // Nobody is signed in by a page of another site, with an account of its choice.
    let from = headers.get("sec-fetch-site").map(|it| it.as_bytes());
    if !matches!(from, None | Some(b"same-origin")) {
        return StatusCode::FORBIDDEN.into_response();
    }
    let (Some(return_to), Ok(_)) = (own_path(&form.return_to), TenantId::new(&form.account)) else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    // Here the password is checked.
    let Ok(random) = entropy() else { return StatusCode::SERVICE_UNAVAILABLE.into_response() };
    let session = random.iter().take(32).map(|byte| format!("{byte:02x}")).collect::<String>();
    let session = Secret::new(session);
    let (Some(cookie), Ok(mut sessions)) = (planner.cookie.set(&session), planner.sessions.lock())
    else {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    };
    sessions.insert(*session.digest().as_bytes(), form.account);
    let mut response = StatusCode::SEE_OTHER.into_response();
    response.headers_mut().insert(SET_COOKIE, cookie);
    match return_to.parse() {
        Ok(location) => response.headers_mut().insert(LOCATION, location),
        Err(_) => return StatusCode::BAD_REQUEST.into_response(),
    };
    response
}

/// Takes a path of our own, and no other address: a page that sends people anywhere is a trap.
fn own_path(path: &str) -> Option<&str> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~/?=&%".contains(&byte);
    (path.starts_with("/connect") && path.bytes().all(is_plain)).then_some(path)
}

#[expect(clippy::disallowed_methods, reason = "this is the program's own file")]
fn variable(name: &str) -> Outcome<String> {
    std::env::var(name).map_err(|_| format!("{name} is not set").into())
}

fn say(what: &str) {
    // Nobody may be listening.
    let _unheard = writeln!(std::io::stdout(), "{what}");
}

async fn interrupted() {
    // Without signals it ends when it is ended.
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_sent_elsewhere_after_signing_in() {
        let cases = [
            ("the page", "/connect?companyId=5f1b&redirect=https%3A%2F%2Fa.example", true),
            ("another host", "//evil.example/connect", false),
            ("another scheme", "https://evil.example/connect", false),
            ("a backslash", "/connect\\evil", false),
            ("a tag", "/connect\"><script>", false),
            ("another page", "/interviews", false),
        ];
        for (name, path, expected) in cases {
            assert_eq!(own_path(path).is_some(), expected, "{name}: {path}");
        }
    }

    #[tokio::test]
    async fn a_session_is_known_by_its_digest_and_names_its_account() {
        let planner = Planner::new();
        let form = SignIn { account: "acme".to_owned(), return_to: "/connect?a=b".to_owned() };
        let response = sign_in(State(planner.clone()), HeaderMap::new(), Form(form)).await;
        assert_eq!(response.status(), StatusCode::SEE_OTHER);
        assert_eq!(response.headers()[LOCATION], "/connect?a=b");
        let cookie = response.headers()[SET_COOKIE].to_str().unwrap();
        let pair = cookie.split(';').next().unwrap();
        let (mut head, ()) =
            http::Request::get("/connect").header("cookie", pair).body(()).unwrap().into_parts();
        let account = planner.signed_in(&head).await.unwrap().unwrap();
        assert_eq!((account.name(), account.tenant().as_str()), ("acme", "acme"));
        head.headers.clear();
        assert!(planner.signed_in(&head).await.unwrap().is_none());
    }

    #[tokio::test]
    async fn p16_no_other_site_signs_anybody_in_or_shows_the_form() {
        let cases = [
            (None, StatusCode::SEE_OTHER),
            (Some("same-origin"), StatusCode::SEE_OTHER),
            (Some("same-site"), StatusCode::FORBIDDEN),
            (Some("cross-site"), StatusCode::FORBIDDEN),
        ];
        for (site, expected) in cases {
            let planner = Planner::new();
            let form = SignIn { account: "acme".to_owned(), return_to: "/connect?a=b".to_owned() };
            let mut headers = HeaderMap::new();
            if let Some(site) = site {
                headers.insert("sec-fetch-site", site.parse().unwrap());
            }
            let response = sign_in(State(planner.clone()), headers, Form(form)).await;
            assert_eq!(response.status(), expected, "{site:?}");
            let begun = planner.sessions.lock().unwrap().len();
            assert_eq!(begun, usize::from(expected == StatusCode::SEE_OTHER), "{site:?}");
        }
        let query = ReturnTo { return_to: "/connect?a=b".to_owned() };
        let page = ask_to_sign_in(Query(query)).await;
        let policy = page.headers()[CONTENT_SECURITY_POLICY].to_str().unwrap();
        assert!(policy.contains("frame-ancestors 'none'"), "{policy}");
    }
}
