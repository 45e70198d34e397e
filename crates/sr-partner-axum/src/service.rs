//! The partner's side of the integration, as one value.

mod builder;
mod owner;

pub use builder::PartnerServiceBuilder;
pub use owner::ConfirmError;

use std::sync::Arc;

use axum::Router;
use sr_auth_core::{ClientCredentials, Endpoints, Scope};
use sr_auth_http::{Clock, TokenClient, Transport};
use sr_auth_store::Store;
use sr_partner::consent::{ConsentDisplayMode, RedirectOrigins, TicketKey};
use sr_partner::exchange::ExchangeSettings;
use sr_partner::inbound::TokenIssuer;
use sr_partner::registration::{AppRegistration, MasterCredentials};
use sr_partner::{AppId, CompanyId, IntegrationKey, Profile};

use crate::guard::GuardLayer;
use crate::peers::Peers;
use crate::running::Running;
use crate::{PartnerHooks, routes};

/// The partner's side of the General Partner Integration: what answers browsers and SmartRecruiters,
/// and what carries the exchange out.
///
/// A clone is the same service. It needs a tokio runtime with its timer enabled.
///
/// # Examples
///
/// ```no_run
/// use std::sync::Arc;
/// use axum::Router;
/// use axum::routing::get;
/// use sr_auth_core::{ClientCredentials, Scope, ScopeSet, Secret};
/// use sr_auth_http::Transport;
/// use sr_auth_store::Store;
/// use sr_partner::AppId;
/// use sr_partner::consent::{ConsentDisplayMode, TicketKey};
/// use sr_partner::registration::{
///     AppRegistration, InboundUrls, MasterCredentials, RequestedScope,
/// };
/// use sr_partner_axum::{Caller, PartnerHooks, PartnerService, Server};
///
/// # async fn example(
/// #     store: Store, transport: Arc<dyn Transport>, hooks: impl PartnerHooks + 'static,
/// #     secret: Secret, key: [u8; 32],
/// # ) -> Result<(), Box<dyn std::error::Error>> {
/// let scopes = [RequestedScope::new(Scope::new("candidates_read")?, "show candidates")?];
/// let inbound = InboundUrls::new("https://planner.example/oauth/token")?
///     .with_callback("https://planner.example/callback")?;
/// let registration = AppRegistration::new(
///     "Interview Planner",
///     "https://planner.example/connect",
///     ConsentDisplayMode::Redirect,
///     scopes,
/// )?
/// .called_by_smartrecruiters(inbound, ScopeSet::parse("interviews_read")?);
/// let client = ClientCredentials::new("82e4424135fe", secret)?;
/// let master = MasterCredentials::new(AppId::new("planner")?, client);
///
/// let service = PartnerService::builder(registration, master, store, transport)
///     .build(hooks, TicketKey::new(key))?;
/// let interviews = get(|caller: Caller| async move { format!("of {}", caller.company()) });
/// let router = Router::new()
///     .route("/interviews", interviews)
///     .route_layer(service.guard(Scope::new("interviews_read")?))
///     .merge(service.router());
///
/// let listener = tokio::net::TcpListener::bind("127.0.0.1:8080").await?;
/// Server::default().serve(listener, router, std::future::pending()).await;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct PartnerService(pub(crate) Arc<Shared>);

/// What the requests of a service share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) app: AppId,
    pub(crate) clock: Clock,
    pub(crate) endpoints: Endpoints,
    pub(crate) exchange: ExchangeSettings,
    pub(crate) hooks: Arc<dyn PartnerHooks>,
    pub(crate) issuer: TokenIssuer,
    pub(crate) key: TicketKey,
    pub(crate) master: ClientCredentials,
    pub(crate) origins: RedirectOrigins,
    pub(crate) paths: Paths,
    pub(crate) peers: Peers,
    pub(crate) profile: Profile,
    pub(crate) registration: AppRegistration,
    pub(crate) running: Running,
    pub(crate) store: Store,
    pub(crate) transport: Arc<dyn Transport>,
}

/// Where the registered addresses lead to on this server.
#[derive(Debug)]
pub(crate) struct Paths {
    pub(crate) callback: Option<String>,
    pub(crate) consent: String,
    /// The origin of `consentUrl`.
    pub(crate) origin: String,
    pub(crate) token: Option<String>,
}

impl PartnerService {
    /// Begins with what every application has: its registration, its master credentials, a store of
    /// integrations, and what its requests are sent with.
    #[must_use]
    pub fn builder(
        registration: AppRegistration,
        master: MasterCredentials,
        store: Store,
        transport: Arc<dyn Transport>,
    ) -> PartnerServiceBuilder {
        PartnerServiceBuilder::new(registration, master, store, transport)
    }

    /// Returns the routes: the consent page, and what of `oauthTokenUrl` and `callbackUrl` is
    /// registered, each at the path of its address.
    pub fn router(&self) -> Router {
        routes::router(&self.0)
    }

    /// Returns a layer that admits SmartRecruiters to the application's own API, with a token of
    /// ours that has this scope; the handlers behind it take a [`Caller`](crate::Caller).
    #[must_use]
    pub fn guard(&self, needs: Scope) -> GuardLayer {
        GuardLayer::new(Arc::clone(&self.0), Some(needs))
    }

    /// Returns a layer like [`guard`](Self::guard) for what needs no scope.
    #[must_use]
    pub fn guard_without_scope(&self) -> GuardLayer {
        GuardLayer::new(Arc::clone(&self.0), None)
    }

    /// Returns the name of a company in the store.
    #[must_use]
    pub fn key(&self, company: CompanyId) -> IntegrationKey {
        IntegrationKey { app: self.0.app.clone(), company }
    }

    /// Returns the registration.
    #[must_use]
    pub fn registration(&self) -> &AppRegistration {
        &self.0.registration
    }

    /// Returns the store.
    #[must_use]
    pub fn store(&self) -> &Store {
        &self.0.store
    }

    /// Waits until no exchange and no notification is left to finish: before the process ends, and
    /// after the server has. An exchange whose answer does not come is waited for until it is
    /// certain that none will, so put this under a deadline of your own.
    pub async fn settle(&self) {
        self.0.running.settled().await;
    }
}

impl Shared {
    pub(crate) fn mode(&self) -> ConsentDisplayMode {
        self.registration.mode()
    }

    /// Tells whether the application is reached by https: always, but for a sandbox on loopback.
    pub(crate) fn is_secure(&self) -> bool {
        self.paths.origin.starts_with("https:")
    }

    /// Returns an application at the token endpoint of SmartRecruiters.
    pub(crate) fn token_client(&self, client: ClientCredentials) -> TokenClient {
        TokenClient::builder(client)
            .clock(self.clock.clone())
            .endpoints(self.endpoints.clone())
            .transport(Arc::clone(&self.transport))
            .build()
            .expect("only the default transport can fail, and one is given")
    }
}
