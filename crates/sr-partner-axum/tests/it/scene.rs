//! The two servers, a browser that keeps no cookie, and a SmartRecruiters that calls.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use axum::Router;
use axum::routing::{get, post};
use http::request::{Builder, Parts};
use http::{Request, Response, StatusCode};
use sr_auth_core::{ClientCredentials, Scope, ScopeSet, Secret, SecretBytes};
use sr_auth_http::{Limits, ReqwestTransport, Transport, TransportError};
use sr_auth_store::{SealingKey, SealingKeys, SqliteBackend, Store};
use sr_partner::consent::{ConsentDisplayMode, RedirectOrigins, TicketKey};
use sr_partner::registration::{AppRegistration, InboundUrls, MasterCredentials, RequestedScope};
use sr_partner::store::{IntegrationRecord, PartnerOp, PartnerOutcome};
use sr_partner::{AppId, CompanyId, IntegrationKey, TenantId};
use sr_partner_axum::{
    Account, Awaiting, Caller, Connected, Left, PartnerHooks, PartnerService,
    PartnerServiceBuilder, Server, ServerLimits, SessionCookie, Unavailable,
};
use sr_testkit::{Client, PartnerApp, Sandbox, SandboxSettings};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

pub(crate) const APP: &str = "planner";
pub(crate) const COMPANY: &str = "60d1a4e2";
/// The part of a session that nobody guesses.
pub(crate) const SESSION: &str = "7d1f0c55a2b94e3386f1";
pub(crate) const MASTER_SECRET: &str = "9165228a-master-secret-82e4";

/// The application: its sessions are `<account>.<anything>`.
#[derive(Clone, Debug)]
pub(crate) struct Planner {
    cookie: SessionCookie,
    /// Whether the company has invited the account `stranger`.
    invites: Arc<AtomicBool>,
    told: Arc<Mutex<Vec<String>>>,
}

impl Planner {
    fn tell(&self, what: String) {
        self.told.lock().unwrap().push(what);
    }
}

#[async_trait]
impl PartnerHooks for Planner {
    async fn signed_in(&self, request: &Parts) -> Result<Option<Account>, Unavailable> {
        let Some(session) = self.cookie.read(&request.headers) else { return Ok(None) };
        let account = session.expose().split('.').next().unwrap_or_default().to_owned();
        if account == "broken" {
            return Err(Unavailable);
        }
        let tenant = TenantId::new(&account).map_err(|_| Unavailable)?;
        let name = format!("{account} <Ltd> & Sons");
        let signed_in = Account::new(tenant, &name, session);
        Ok(Some(if account == "intern" { signed_in.without_authority() } else { signed_in }))
    }

    fn sign_in(&self, return_to: &str) -> String {
        let query: String = url::form_urlencoded::byte_serialize(return_to.as_bytes()).collect();
        format!("/sign-in?return_to={query}")
    }

    async fn may_join(&self, account: &Account, company: &CompanyId) -> bool {
        let is_invited = company.as_str() == COMPANY && self.invites.load(Ordering::Relaxed);
        account.tenant().as_str() != "stranger" || is_invited
    }

    async fn company_name(&self, _: &Account, company: &CompanyId) -> Option<String> {
        (company.as_str() == COMPANY).then(|| "Acme \"Logistics\"".to_owned())
    }

    fn meaning(&self, scope: &Scope) -> Option<String> {
        (scope.as_str() == "interviews_read").then(|| "see <interviews>".to_owned())
    }

    async fn gives_up(&self, from: &TenantId, _: &CompanyId, to: &Account) -> bool {
        from.as_str() == "seller" && to.tenant().as_str() == "buyer"
    }

    async fn connected(&self, it: Connected) {
        let number = it.generation.number();
        self.tell(format!("{} #{number} connected with {}", it.key.company, it.tenant));
    }

    async fn awaits_owner(&self, it: Awaiting) {
        let number = it.generation.number();
        self.tell(format!("{} #{number} awaits {}", it.key.company, it.tenant));
    }

    async fn left(&self, it: Left) {
        let number = it.generation.number();
        self.tell(format!("{} #{number} left {}: {:?}", it.key.company, it.tenant, it.cause));
    }
}

pub(crate) struct Scene {
    pub(crate) invites: Arc<AtomicBool>,
    pub(crate) origin: String,
    pub(crate) sandbox: Sandbox,
    pub(crate) service: PartnerService,
    folder: tempfile::TempDir,
    http: ReqwestTransport,
    server: Option<(oneshot::Sender<()>, JoinHandle<()>)>,
    told: Arc<Mutex<Vec<String>>>,
}

impl Scene {
    pub(crate) async fn new(mode: ConsentDisplayMode) -> Self {
        Self::with(mode, |it| it, ServerLimits::default()).await
    }

    pub(crate) async fn with(
        mode: ConsentDisplayMode,
        settings: impl FnOnce(PartnerServiceBuilder) -> PartnerServiceBuilder,
        limits: ServerLimits,
    ) -> Self {
        let sandbox = Sandbox::start(SandboxSettings::default()).await.unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        let app = AppId::new(APP).unwrap();
        let inbound = InboundUrls::new(&format!("{origin}/oauth/token")).unwrap();
        let inbound = inbound.with_callback(&format!("{origin}/callback")).unwrap();
        sandbox.with(|it| {
            let scopes = ScopeSet::parse("company_read jobs_read").unwrap();
            let secret = Secret::new(MASTER_SECRET.to_owned());
            it.world_mut().add_client(Client::master("master-client", secret, &app));
            let partner = PartnerApp::new(app.clone(), scopes).with_inbound(inbound.clone());
            it.world_mut().add_partner_app(partner);
        });
        let registration = registration(&origin, mode, inbound);
        let client = ClientCredentials::new("master-client", Secret::new(MASTER_SECRET.into()));
        let master = MasterCredentials::new(app, client.unwrap());
        let folder = tempfile::tempdir().unwrap();
        let store = open(folder.path());
        let transport = Arc::new(ReqwestTransport::new().unwrap());
        let builder = PartnerService::builder(registration, master, store, transport)
            .endpoints(sandbox.endpoints().unwrap())
            .origins(RedirectOrigins::new([sandbox.origin().as_str()]).unwrap());
        let told = Arc::new(Mutex::new(Vec::new()));
        let cookie = SessionCookie::new("planner", mode);
        let invites = Arc::new(AtomicBool::new(false));
        let planner = Planner { cookie, invites: Arc::clone(&invites), told: Arc::clone(&told) };
        let service = settings(builder).build(planner, TicketKey::new([7; 32])).unwrap();
        let router = router(&service);
        let (stop, stopped) = oneshot::channel();
        let server = tokio::spawn(async move {
            Server::new(limits).serve(listener, router, async { stopped.await.unwrap() }).await;
        });
        let http = ReqwestTransport::new().unwrap();
        Self { invites, origin, sandbox, service, folder, http, server: Some((stop, server)), told }
    }

    pub(crate) fn key(&self) -> IntegrationKey {
        self.service.key(CompanyId::new(COMPANY).unwrap())
    }

    /// The same application in another process: its own connections to the same file.
    pub(crate) fn elsewhere(&self) -> PartnerServiceBuilder {
        self.elsewhere_over(open(self.folder.path()))
    }

    pub(crate) fn elsewhere_over(&self, store: Store) -> PartnerServiceBuilder {
        let client = ClientCredentials::new("master-client", Secret::new(MASTER_SECRET.into()));
        let master = MasterCredentials::new(self.key().app, client.unwrap());
        let transport = Arc::new(ReqwestTransport::new().unwrap());
        PartnerService::builder(self.service.registration().clone(), master, store, transport)
            .endpoints(self.sandbox.endpoints().unwrap())
    }

    /// What the application does in such a process.
    pub(crate) fn hooks(&self) -> Planner {
        let cookie = SessionCookie::new("planner", self.service.registration().mode());
        Planner { cookie, invites: Arc::clone(&self.invites), told: Arc::clone(&self.told) }
    }

    /// What the application was told.
    pub(crate) fn told(&self) -> Vec<String> {
        self.told.lock().unwrap().clone()
    }

    /// The folder of the store.
    pub(crate) fn folder(&self) -> &std::path::Path {
        self.folder.path()
    }

    /// Another process over the same store, and what it answers.
    pub(crate) async fn another_process(&self) -> Other {
        let store = open(self.folder());
        let transport = Arc::new(ReqwestTransport::new().unwrap());
        let app = self.key().app;
        let client = ClientCredentials::new("master-client", Secret::new(MASTER_SECRET.into()));
        let master = MasterCredentials::new(app, client.unwrap());
        let registration = self.service.registration().clone();
        let mode = registration.mode();
        let planner = Planner {
            cookie: SessionCookie::new("planner", mode),
            invites: Arc::clone(&self.invites),
            told: Arc::default(),
        };
        let service = PartnerService::builder(registration, master, store, transport)
            .build(planner, TicketKey::new([7; 32]))
            .unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        let router = router(&service);
        let server = Server::default();
        tokio::spawn(async move { server.serve(listener, router, std::future::pending()).await });
        Other { origin }
    }

    pub(crate) async fn record(&self) -> IntegrationRecord<()> {
        let op = PartnerOp::Load { key: self.key() };
        let outcome = self.service.store().apply_partner(op).await.unwrap().outcome;
        let PartnerOutcome::Loaded(record) = outcome else { return IntegrationRecord::default() };
        record.without_secrets()
    }

    pub(crate) async fn send(
        &self,
        request: Request<SecretBytes>,
    ) -> Result<Response<SecretBytes>, TransportError> {
        let within = Duration::from_secs(30);
        self.http.send(request, Limits::new(within, within, 64 * 1024)).await
    }

    /// Sends a request that the server must answer.
    pub(crate) async fn ask(&self, request: Builder, body: &str) -> Response<SecretBytes> {
        let body = SecretBytes::new(body.as_bytes().to_vec());
        self.send(request.body(body).unwrap()).await.unwrap()
    }

    pub(crate) fn get(&self, path: &str) -> Builder {
        Request::get(format!("{}{path}", self.origin))
    }

    pub(crate) fn post(&self, path: &str) -> Builder {
        Request::post(format!("{}{path}", self.origin))
    }

    /// The customer's administrator connects the application, and the browser comes to us.
    pub(crate) fn visit(&self, account: &str) -> Builder {
        assert!(self.sandbox.with(|it| it.consent_to(&self.key().app, &self.key().company)));
        self.get(&self.consent_path()).header("cookie", cookie(account))
    }

    pub(crate) fn consent_path(&self) -> String {
        let mut query = format!("/connect?companyId={COMPANY}");
        if self.service.registration().mode() == ConsentDisplayMode::Redirect {
            let back = format!("{}/settings/apps", self.sandbox.origin());
            let back: String = url::form_urlencoded::byte_serialize(back.as_bytes()).collect();
            query = format!("{query}&redirect={back}");
        }
        query
    }

    /// Opens the page, and returns the ticket of its form.
    pub(crate) async fn ticket(&self, account: &str) -> String {
        let page = self.ask(self.visit(account), "").await;
        assert_eq!(page.status(), StatusCode::OK, "{}", text(&page));
        ticket_of(&page)
    }

    /// Presses a button.
    pub(crate) async fn press(
        &self,
        account: &str,
        ticket: &str,
        decision: &str,
    ) -> Response<SecretBytes> {
        self.ask(self.form(account), &fields(ticket, decision)).await
    }

    pub(crate) fn form(&self, account: &str) -> Builder {
        self.post("/connect")
            .header("cookie", cookie(account))
            .header("content-type", "application/x-www-form-urlencoded")
            .header("origin", "null")
            .header("sec-fetch-site", "same-origin")
    }

    /// Connects the company with an account, confirmation included.
    pub(crate) async fn connect(&self, account: &str) {
        let ticket = self.ticket(account).await;
        let page = self.press(account, &ticket, "allow").await;
        assert_eq!(page.status(), StatusCode::OK, "{}", text(&page));
        let confirmed = self.press(account, &ticket_of(&page), "confirm").await;
        assert!(matches!(confirmed.status().as_u16(), 200 | 303), "{}", text(&confirmed));
    }

    /// SmartRecruiters gets a token at our endpoint.
    pub(crate) async fn their_token(&self) -> String {
        let request = self.sandbox.with(|it| it.partner_token_request(&self.key())).unwrap();
        let answer = self.send(request).await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK, "{}", text(&answer));
        member(&answer, "access_token")
    }

    /// SmartRecruiters calls the application's own API.
    pub(crate) async fn call(&self, path: &str, token: &str) -> Response<SecretBytes> {
        self.ask(self.get(path).header("authorization", format!("Bearer {token}")), "").await
    }

    pub(crate) async fn stop(mut self) {
        let (stop, server) = self.server.take().unwrap();
        stop.send(()).unwrap();
        server.await.unwrap();
        self.service.settle().await;
        self.sandbox.stop().await;
    }
}

/// A process that shares the store.
pub(crate) struct Other {
    origin: String,
}

impl Other {
    pub(crate) async fn call(&self, scene: &Scene, path: &str, token: &str) -> StatusCode {
        let request = Request::get(format!("{}{path}", self.origin));
        scene.ask(request.header("authorization", format!("Bearer {token}")), "").await.status()
    }
}

fn open(folder: &std::path::Path) -> Store {
    Store::new(open_backend(folder), keys())
}

pub(crate) fn open_backend(folder: &std::path::Path) -> SqliteBackend {
    SqliteBackend::open(&folder.join("partner.db")).unwrap()
}

pub(crate) fn keys() -> SealingKeys {
    SealingKeys::new(SealingKey::from_bytes([9; 32]))
}

fn registration(origin: &str, mode: ConsentDisplayMode, inbound: InboundUrls) -> AppRegistration {
    let scopes = [("company_read", "name the company"), ("jobs_read", "show open <jobs>")];
    let scopes = scopes
        .map(|(scope, reason)| RequestedScope::new(Scope::new(scope).unwrap(), reason).unwrap());
    let consent = format!("{origin}/connect");
    AppRegistration::new("Interview & Planner", &consent, mode, scopes)
        .unwrap()
        .called_by_smartrecruiters(inbound, ScopeSet::parse("interviews_read").unwrap())
}

/// What a handler behind the guard sees of the token.
async fn token_seen(headers: http::HeaderMap) -> String {
    headers.contains_key("authorization").to_string()
}

pub(crate) fn router(service: &PartnerService) -> Router {
    let show = |caller: Caller| async move {
        format!("{} of {} by {}", caller.company(), caller.tenant(), caller.scopes())
    };
    let guarded = |scope: &str| service.guard(Scope::new(scope).unwrap());
    Router::new()
        .route("/interviews", get(show).route_layer(guarded("interviews_read")))
        .route("/offers", get(show).route_layer(guarded("offers_read")))
        .route("/anything", get(show).route_layer(service.guard_without_scope()))
        .route("/token-seen", get(token_seen).route_layer(guarded("interviews_read")))
        .route("/notes", post(|note: String| async move { note }))
        .route("/unguarded", get(show))
        .merge(service.router())
}

pub(crate) fn cookie(account: &str) -> String {
    format!("theme=dark; __Host-planner={account}.{SESSION}")
}

pub(crate) fn fields(ticket: &str, decision: &str) -> String {
    format!("ticket={ticket}&decision={decision}")
}

pub(crate) fn text(response: &Response<SecretBytes>) -> String {
    String::from_utf8(response.body().expose().to_vec()).unwrap()
}

pub(crate) fn ticket_of(page: &Response<SecretBytes>) -> String {
    let page = text(page);
    let (_, rest) = page.split_once("name=\"ticket\" value=\"").expect("a page with a form");
    rest.split('"').next().unwrap().to_owned()
}

pub(crate) fn header<'a>(response: &'a Response<SecretBytes>, name: &str) -> Option<&'a str> {
    response.headers().get(name).map(|it| it.to_str().unwrap())
}

pub(crate) fn member(response: &Response<SecretBytes>, name: &str) -> String {
    let text = text(response);
    let (_, rest) = text.split_once(&format!("\"{name}\":\"")).expect("a member of the answer");
    rest.split('"').next().unwrap().to_owned()
}
