//! A partner's service in one file: the program of `docs/guide/partner-integration.md`.
//!
//! ```text
//! cargo run --package sr-auth-cli --example planner -- master.json http://127.0.0.1:8700 8800
//! ```

use std::error::Error;
use std::sync::Arc;

use async_trait::async_trait;
use axum::Router;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::get;
use http::header::SET_COOKIE;
use http::request::Parts;
use http::{HeaderMap, StatusCode};
use serde_json::Value;
use sr_auth_core::{ClientCredentials, Endpoints, Scope, ScopeSet, Secret};
use sr_auth_http::{ApiClient, ReqwestTransport, TokenSources, Transport};
use sr_auth_store::{SealingKeys, SqliteBackend, Store};
use sr_partner::consent::{ConsentDisplayMode, RedirectOrigins, TicketKey};
use sr_partner::exchange::{Probe, Verification};
use sr_partner::registration::{AppRegistration, InboundUrls, MasterCredentials, RequestedScope};
use sr_partner::{AppId, CompanyId, TenantId};
use sr_partner_axum::{
    Account, Caller, CompanyTokens, Connected, Left, PartnerHooks, PartnerService, Server,
    SessionCookie, Unavailable,
};
use tokio::net::TcpListener;

type Outcome<T> = Result<T, Box<dyn Error>>;

#[tokio::main]
async fn main() -> Outcome<()> {
    #[expect(clippy::disallowed_methods, reason = "the program's own arguments")]
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [master, smartrecruiters, port] = arguments.as_slice() else {
        return Err("say the file of the master credentials, the sandbox, and a port".into());
    };
    let folder = tempfile::tempdir()?;
    let backend = SqliteBackend::open(&folder.path().join("partner.db"))?;
    let store = Store::new(backend, SealingKeys::random()?);
    let origin = format!("http://localhost:{port}");

    let endpoints = Endpoints::at_origin(smartrecruiters)?;
    let transport = Arc::new(ReqwestTransport::builder().without_root_certificates().build()?);
    let service = service(&origin, master, &endpoints, store, transport.clone())?;
    let customers = Customers::new(service.clone(), endpoints, transport)?;
    let router = Router::new()
        .route("/api/interviews", get(interviews))
        .route_layer(service.guard(Scope::new("interviews_read")?))
        .route("/jobs/{company}", get(jobs).with_state(customers))
        .route("/sign-in", get(sign_in))
        .merge(service.router());

    let listener = TcpListener::bind(format!("127.0.0.1:{port}")).await?;
    Server::default().serve(listener, router, std::future::pending()).await;
    Ok(())
}

/// What the Partner & API Team was told, in the words of this library.
fn registration(origin: &str) -> Outcome<AppRegistration> {
    let scopes = [
        RequestedScope::new(Scope::new("company_read")?, "confirm which company has connected")?,
        RequestedScope::new(Scope::new("jobs_read")?, "show the jobs that interviews are for")?,
    ];
    let inbound = InboundUrls::new(&format!("{origin}/oauth/token"))?
        .with_callback(&format!("{origin}/callback"))?;
    let mode = ConsentDisplayMode::Redirect;
    let app =
        AppRegistration::new("Interview Planner", &format!("{origin}/connect"), mode, scopes)?;
    Ok(app.called_by_smartrecruiters(inbound, ScopeSet::parse("interviews_read")?))
}

/// The service: consent page, `oauthTokenUrl` and `callbackUrl`, each at its registered path.
fn service(
    origin: &str,
    master: &str,
    endpoints: &Endpoints,
    store: Store,
    transport: Arc<dyn Transport>,
) -> Outcome<PartnerService> {
    let probe = Probe::new("/configuration/company", "/id")?;
    let builder =
        PartnerService::builder(registration(origin)?, read_master(master)?, store, transport)
            .endpoints(endpoints.clone())
            .origins(RedirectOrigins::new([endpoints.api().as_str()])?)
            .verification(Verification::Probe(probe));
    // One process signs and reads its own forms, for as long as it lives.
    let mut key = [0; 32];
    key.iter_mut().zip(sr_auth_http::entropy()?).for_each(|(kept, byte)| *kept = byte);
    Ok(builder.build(Planner, TicketKey::new(key))?)
}

/// Reads what the team gave, from a file that only its owner may read.
fn read_master(path: &str) -> Outcome<MasterCredentials> {
    let master: Value = serde_json::from_slice(&std::fs::read(path)?)?;
    let member = |name: &str| master.get(name).and_then(Value::as_str).ok_or("a member is missing");
    let secret = Secret::new(member("clientSecret")?.to_owned());
    let client = ClientCredentials::new(member("clientId")?, secret)?;
    Ok(MasterCredentials::new(AppId::new(member("appId")?)?, client))
}

/// The API that SmartRecruiters calls; who calls is known by the token alone.
async fn interviews(caller: Caller) -> String {
    format!("the interviews of company {}\n", caller.company())
}

/// What calls SmartRecruiters, with the credentials of one company at a time.
#[derive(Clone)]
struct Customers {
    endpoints: Endpoints,
    service: PartnerService,
    tokens: CompanyTokens,
    transport: Arc<dyn Transport>,
}

impl Customers {
    fn new(
        service: PartnerService,
        endpoints: Endpoints,
        transport: Arc<dyn Transport>,
    ) -> Outcome<Self> {
        let sources = TokenSources::client_credentials()
            .endpoints(endpoints.clone())
            .transport(Arc::clone(&transport))
            .build()?;
        let tokens = CompanyTokens::new(&service, sources);
        Ok(Self { endpoints, service, tokens, transport })
    }

    async fn read(&self, company: &str, account: &TenantId, path: &str) -> Outcome<String> {
        let company = self.service.key(CompanyId::new(company)?);
        let source = self.tokens.source_for(&company, account).await?;
        let api = self.endpoints.api().clone();
        let answer = ApiClient::new(api, source, Arc::clone(&self.transport)).get(path).await?;
        Ok(String::from_utf8_lossy(answer.body().expose()).into_owned())
    }
}

/// A page of the application: the jobs of a company, as SmartRecruiters tells them.
async fn jobs(
    State(customers): State<Customers>,
    Path(company): Path<String>,
    headers: HeaderMap,
) -> Result<String, (StatusCode, String)> {
    let Some(account) = account(&headers) else {
        return Err((StatusCode::UNAUTHORIZED, "sign in first\n".to_owned()));
    };
    let jobs = customers.read(&company, account.tenant(), "/jobs").await;
    jobs.map_err(|error| (StatusCode::BAD_GATEWAY, format!("no jobs: {error}\n")))
}

/// What the library asks of the application.
#[derive(Debug)]
struct Planner;

#[async_trait]
impl PartnerHooks for Planner {
    async fn signed_in(&self, request: &Parts) -> Result<Option<Account>, Unavailable> {
        Ok(account(&request.headers))
    }

    fn sign_in(&self, return_to: &str) -> String {
        let query: String = url::form_urlencoded::byte_serialize(return_to.as_bytes()).collect();
        format!("/sign-in?return_to={query}")
    }

    fn meaning(&self, scope: &Scope) -> Option<String> {
        (scope.as_str() == "interviews_read").then(|| "read planned interviews".to_owned())
    }

    async fn connected(&self, it: Connected) {
        tell(&format!("{} is connected with {}", it.key.company, it.tenant));
    }

    async fn left(&self, it: Left) {
        tell(&format!("{} has left {}", it.key.company, it.tenant));
    }
}

/// Your own sessions belong here: this program has one account, and believes every cookie.
fn account(headers: &HeaderMap) -> Option<Account> {
    let session = cookie().read(headers)?;
    Some(Account::new(TenantId::new("acme").ok()?, "Acme Logistics", session))
}

fn cookie() -> SessionCookie {
    SessionCookie::new("planner", ConsentDisplayMode::Redirect)
}

/// The application's own sign-in: this one asks for nothing.
async fn sign_in(Query(query): Query<Vec<(String, String)>>) -> Response {
    let wanted = query.into_iter().find(|(name, _)| name == "return_to").map(|(_, to)| to);
    let to = wanted.filter(|to| to.starts_with("/connect?")).unwrap_or_else(|| "/".to_owned());
    let mut response = Redirect::to(&to).into_response();
    if let Some(cookie) = cookie().set(&Secret::new("a-session".to_owned())) {
        response.headers_mut().insert(SET_COOKIE, cookie);
    }
    response
}

#[expect(clippy::print_stdout, reason = "a program for a terminal")]
fn tell(what: &str) {
    println!("{what}");
}
