//! The two servers: the partner's service over a store in a file, and the sandbox that knows it.

use std::net::Ipv4Addr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use http::{Request, Response};
use sr_auth_core::{ApiOrigin, FingerprintKey, Scope, ScopeSet, Secret, SecretBytes};
use sr_auth_http::{ApiClient, Clock, ReqwestTransport, TokenSource, TokenSources, Transport};
use sr_auth_store::{SealingKeys, SqliteBackend, Store};
use sr_partner::consent::{ConsentDisplayMode, RedirectOrigins, TicketKey};
use sr_partner::exchange::{Probe, Verification};
use sr_partner::registration::{AppRegistration, InboundUrls, MasterCredentials, RequestedScope};
use sr_partner::store::{IntegrationRecord, PartnerOp, PartnerOutcome};
use sr_partner::{AppId, CompanyId, IntegrationKey, PartnerConfigError};
use sr_partner_axum::{CompanyError, CompanyTokens, PartnerService, Server, ServerLimits};
use sr_testkit::{DemoCredentials, Sandbox, SandboxSettings};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::application::{Application, NAME};
use super::site::{self, Site};
use crate::demo::{Recorder, UserAgent, WireLog};
use crate::exit::{Exit, Failure};

/// The company that connects.
pub(super) const COMPANY: &str = "60d1a4e2";
/// What SmartRecruiters may do at the partner.
const GRANTED: &str = "interviews_read";
/// How long the servers may take to end.
const END_WITHIN: Duration = Duration::from_secs(5);

/// Where the servers listen; 0 is any free port.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ports {
    pub(super) partner: u16,
    pub(super) sandbox: u16,
}

/// All that is there.
#[derive(Debug)]
pub(super) struct Stage {
    pub(super) application: Application,
    pub(super) customer: Customer,
    pub(super) log: WireLog,
    /// The origin of the partner's service.
    pub(super) origin: String,
    pub(super) registration: AppRegistration,
    pub(super) sandbox: Sandbox,
    pub(super) service: PartnerService,
    /// The browser, as far as the demo plays it.
    pub(super) user_agent: UserAgent,
    folder: TempDir,
    server: JoinHandle<()>,
    sources: TokenSources,
    stop: oneshot::Sender<()>,
}

impl Stage {
    pub(super) async fn set(mode: ConsentDisplayMode, ports: Ports) -> Result<Self, Failure> {
        let mut settings = SandboxSettings::default();
        settings.port = ports.sandbox;
        let sandbox = Sandbox::start(settings).await?;
        let cannot = |error| Failure::io("the partner's service cannot listen", &error);
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, ports.partner)).await;
        let listener = listener.map_err(cannot)?;
        // Another site than the sandbox, as a partner is: a browser tells sites apart by host.
        let port = listener.local_addr().map_err(cannot)?.port();
        let origin = format!("http://localhost:{port}");
        let registration = registration(&origin, mode)?;
        let master = sandbox.with(|simulator| simulator.register_partner(registration.clone()));
        let log = WireLog::default();
        let sending = ReqwestTransport::builder().without_root_certificates().build()?;
        let sending: Arc<dyn Transport> = Arc::new(sending);
        let user_agent = UserAgent::new(Recorder::new("browser", Arc::clone(&sending), &log));
        let partner: Arc<dyn Transport> = Arc::new(Recorder::new("partner", sending, &log));
        let folder = TempDir::new()
            .map_err(|error| Failure::io("a folder for the store cannot be made", &error))?;
        let store = store(folder.path())?;
        let sources = sources(&sandbox, &store, Arc::clone(&partner))?;
        let application = Application::new(mode);
        let transport = Arc::clone(&partner);
        let service = service(&sandbox, &registration, master, store, transport)?;
        let service = service.build(application.clone(), TicketKey::new(random()?))?;
        let api = sandbox.endpoints()?.api().clone();
        let tokens = CompanyTokens::new(&service, sources.clone());
        let customer = Customer { api, partner, service, tokens };
        let scope = Scope::new(GRANTED)?;
        let site = Site { application: application.clone(), customer: customer.clone() };
        let router = site::router(&customer.service, site, scope);
        let (stop, stopped) = oneshot::channel();
        let server = tokio::spawn(async move {
            let stopped = async { drop(stopped.await) };
            Server::new(limits()).serve(listener, router, stopped).await;
        });
        let service = customer.service.clone();
        Ok(Self {
            application,
            customer,
            log,
            origin,
            registration,
            sandbox,
            service,
            user_agent,
            folder,
            server,
            sources,
            stop,
        })
    }

    /// Returns the name of the integration.
    pub(super) fn key(&self) -> Result<IntegrationKey, Failure> {
        Ok(self.service.key(CompanyId::new(COMPANY)?))
    }

    /// Returns the page of the application at SmartRecruiters.
    pub(super) fn page(&self) -> String {
        let app = DemoCredentials::PARTNER_APP;
        format!("{}/pages/apps/{app}?company={COMPANY}", self.sandbox.origin())
    }

    /// Returns where a form of that page leads.
    pub(super) fn action(&self, verb: &str) -> String {
        format!("{}/pages/apps/{}/{verb}", self.sandbox.origin(), DemoCredentials::PARTNER_APP)
    }

    /// Counts the requests for credentials that SmartRecruiters has received: its word, not ours.
    pub(super) fn exchanges(&self) -> usize {
        let path = sr_partner::Profile::GENERAL_PATH;
        self.sandbox.with(|simulator| simulator.journal().filter(|it| it.path == path).count())
    }

    /// Ends both servers, once what they have begun is done, and removes what was kept.
    pub(super) async fn strike(self) {
        let _gone = self.stop.send(());
        let ending = async {
            let _ended = self.server.await;
            self.service.settle().await;
            self.sources.shutdown().await;
        };
        let _in_time = tokio::time::timeout(END_WITHIN, ending).await;
        self.sandbox.stop().await;
        // What cannot be removed is in a folder that the system empties.
        let _removed = self.folder.close();
    }
}

/// The partner as a client of SmartRecruiters, for one company at a time.
#[derive(Clone, Debug)]
pub(super) struct Customer {
    api: ApiOrigin,
    partner: Arc<dyn Transport>,
    service: PartnerService,
    tokens: CompanyTokens,
}

impl Customer {
    /// Reads a resource on a company's behalf.
    pub(super) async fn read(
        &self,
        company: &CompanyId,
        path: &str,
    ) -> Result<serde_json::Value, Failure> {
        let source = self.source(company).await?;
        let client = ApiClient::new(self.api.clone(), source, Arc::clone(&self.partner));
        let answer = client.get(path).await?;
        Ok(crate::demo::json(&answer).unwrap_or_default())
    }

    /// Returns the source of a company's tokens.
    pub(super) async fn source(&self, company: &CompanyId) -> Result<TokenSource, Failure> {
        let advice = "have an administrator of the company connect it at SmartRecruiters";
        let not_connected =
            || Failure::new(Exit::Refused, "sr_auth::partner", "no company is connected", advice);
        match self.tokens.source(&self.service.key(company.clone())).await {
            Ok(source) => Ok(source),
            Err(CompanyError::NotConnected) => Err(not_connected()),
            Err(error) => Err(Failure::new(
                Exit::Failed,
                "sr_auth::partner",
                error.to_string(),
                "try again in a minute",
            )),
        }
    }

    /// Waits until there is no source for a company any more. Tells whether that was in time.
    pub(super) async fn is_retired_within(&self, company: &CompanyId, span: Duration) -> bool {
        let clock = Clock::system();
        let retired = async {
            while self.source(company).await.is_ok() {
                clock.sleep_until(clock.now().after(Duration::from_millis(50))).await;
            }
        };
        tokio::time::timeout(span, retired).await.is_ok()
    }

    /// Reads what is kept of a company.
    pub(super) async fn record(
        &self,
        key: &IntegrationKey,
    ) -> Result<IntegrationRecord<Secret>, Failure> {
        let op = PartnerOp::Load { key: key.clone() };
        let answer = self.service.store().apply_partner(op).await?;
        let PartnerOutcome::Loaded(record) = answer.outcome else {
            return Ok(IntegrationRecord::default());
        };
        Ok(record)
    }

    /// Sends a request as anybody could.
    pub(super) async fn send(
        &self,
        request: Request<SecretBytes>,
    ) -> Result<Response<SecretBytes>, Failure> {
        let within = Duration::from_secs(5);
        Ok(self.partner.send(request, sr_auth_http::Limits::new(within, within, 64 * 1024)).await?)
    }
}

fn registration(
    origin: &str,
    mode: ConsentDisplayMode,
) -> Result<AppRegistration, PartnerConfigError> {
    let scopes = [
        ("candidates_read", "show candidates beside their interviews"),
        ("company_read", "confirm which company has connected"),
        ("jobs_read", "show the jobs that interviews are for"),
    ];
    let scope = |name| Scope::new(name).expect("the scopes of this file are valid");
    let requested = |(name, reason)| RequestedScope::new(scope(name), reason);
    let scopes = scopes.into_iter().map(requested).collect::<Result<Vec<_>, _>>()?;
    let inbound = InboundUrls::new(&format!("{origin}/oauth/token"))?
        .with_callback(&format!("{origin}/callback"))?;
    let registration = AppRegistration::new(NAME, &format!("{origin}/connect"), mode, scopes)?
        .with_app_id(AppId::new(DemoCredentials::PARTNER_APP)?)
        .with_description("Plans interviews, from a partner on your own machine.")?;
    let granted: ScopeSet = [scope(GRANTED)].into_iter().collect();
    Ok(registration.called_by_smartrecruiters(inbound, granted))
}

fn service(
    sandbox: &Sandbox,
    registration: &AppRegistration,
    master: MasterCredentials,
    store: Store,
    transport: Arc<dyn Transport>,
) -> Result<sr_partner_axum::PartnerServiceBuilder, Failure> {
    // The browser may know the sandbox by either name.
    let origin = sandbox.origin();
    let other = origin.replace("127.0.0.1", "localhost");
    let probe = Probe::new("/configuration/company", "/id")?;
    Ok(PartnerService::builder(registration.clone(), master, store, transport)
        .endpoints(sandbox.endpoints()?)
        .origins(RedirectOrigins::new([origin.as_str(), other.as_str()])?)
        .verification(Verification::Probe(probe)))
}

fn store(folder: &Path) -> Result<Store, Failure> {
    let advice = "check the temporary folder of the system";
    let failed = |what: String| Failure::new(Exit::Failed, "sr_auth::partner", what, advice);
    let backend = SqliteBackend::open(&folder.join("partner.db"));
    let backend = backend.map_err(|error| failed(error.to_string()))?;
    let keys = SealingKeys::random().map_err(|error| failed(error.to_string()))?;
    Ok(Store::new(backend, keys))
}

fn sources(
    sandbox: &Sandbox,
    store: &Store,
    transport: Arc<dyn Transport>,
) -> Result<TokenSources, Failure> {
    Ok(TokenSources::client_credentials()
        .endpoints(sandbox.endpoints()?)
        .store(store.clone(), FingerprintKey::new(random()?))
        .transport(transport)
        .build()?)
}

fn limits() -> ServerLimits {
    let mut limits = ServerLimits::default();
    limits.stop_within = Duration::from_secs(2);
    limits
}

fn random() -> Result<[u8; 32], Failure> {
    let drawn = sr_auth_http::entropy()?;
    let mut random = [0; 32];
    random.iter_mut().zip(drawn).for_each(|(byte, drawn)| *byte = drawn);
    Ok(random)
}
