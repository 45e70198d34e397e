//! A token endpoint and a guarded API, with companies that are connected already: what `cargo xtask
//! load` loads, and what foreign clients meet in `cargo xtask interop`.
//!
//! ```text
//! cargo run --release --package sr-partner-axum --example token_endpoint -- sqlite 256
//! ```
//!
//! The first line of what it says is its address; the others are the bodies of good requests.

use std::error::Error;
use std::io::Write as _;
use std::sync::Arc;

use async_trait::async_trait;
use axum::Router;
use axum::routing::get;
use http::request::Parts;
use sr_auth_core::{ClientCredentials, ClientId, Scope, ScopeSet, Secret, SecretBytes};
use sr_auth_http::{Limits, Transport, TransportError, TransportErrorKind, entropy};
use sr_auth_store::{SealingKeys, SqliteBackend, Store};
use sr_partner::consent::{ConsentDisplayMode, TicketKey};
use sr_partner::exchange::ExchangeSpans;
use sr_partner::registration::{AppRegistration, InboundUrls, MasterCredentials, RequestedScope};
use sr_partner::store::{Integrated, NewAttempt, PartnerOp, PartnerOutcome, Verified};
use sr_partner::{
    AppId, AttemptId, CompanyId, ExchangeId, IntegrationKey, OutboundCredentials, TenantId,
};
use sr_partner_axum::{Account, Caller, PartnerHooks, PartnerService, Server, Unavailable};
use tokio::net::TcpListener;

type Outcome<T> = Result<T, Box<dyn Error>>;

const SCOPES: &str = "interviews_read";

#[tokio::main]
async fn main() -> Outcome<()> {
    #[expect(clippy::disallowed_methods, reason = "this is the program's own file")]
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [store, companies] = arguments.as_slice() else {
        return Err("say `memory` or `sqlite`, and how many companies".into());
    };
    let folder = tempfile::tempdir()?;
    let store = match store.as_str() {
        "memory" => Store::in_memory()?.accept_volatile(),
        "sqlite" => {
            let backend = SqliteBackend::open(&folder.path().join("partner.db"))?;
            Store::new(backend, SealingKeys::random()?)
        }
        _ => return Err("there are the stores `memory` and `sqlite`".into()),
    };
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let app = AppId::new("planner")?;
    let mut said = format!("{address}\n");
    for number in 0..companies.parse::<u32>()? {
        let company = CompanyId::new(&format!("company-{number}"))?;
        let key = IntegrationKey { app: app.clone(), company };
        let client = connect(&store, key, number).await?;
        let (id, secret) = (client.id(), client.secret().expose());
        let body = format!("grant_type=client_credentials&client_id={id}&client_secret={secret}\n");
        said.push_str(&body);
    }
    let service = service(&format!("http://{address}"), app, store)?;
    std::io::stdout().lock().write_all(said.as_bytes())?;
    // It serves until it is ended from outside.
    let company = get(|caller: Caller| async move { caller.company().to_string() });
    let router = Router::new()
        .route("/interviews", company)
        .route_layer(service.guard(Scope::new(SCOPES)?))
        .merge(service.router());
    Server::default().serve(listener, router, std::future::pending()).await;
    Ok(())
}

fn service(origin: &str, app: AppId, store: Store) -> Outcome<PartnerService> {
    let scopes = [RequestedScope::new(Scope::new("jobs_read")?, "show jobs")?];
    let consent = format!("{origin}/connect");
    let mode = ConsentDisplayMode::Redirect;
    let inbound = InboundUrls::new(&format!("{origin}/oauth/token"))?;
    let registration = AppRegistration::new("Interview Planner", &consent, mode, scopes)?
        .called_by_smartrecruiters(inbound, ScopeSet::parse(SCOPES)?);
    let client = ClientCredentials::new("master", Secret::new("of no account".to_owned()))?;
    let master = MasterCredentials::new(app, client);
    let builder = PartnerService::builder(registration, master, store, Arc::new(Nowhere));
    Ok(builder.build(Nobody, TicketKey::new([0; 32]))?)
}

/// Connects a company as an exchange would.
async fn connect(store: &Store, key: IntegrationKey, number: u32) -> Outcome<OutboundCredentials> {
    let client = OutboundCredentials::generate(entropy()?, ScopeSet::parse(SCOPES)?);
    let spans = ExchangeSpans::default();
    let mut name = [0; 16];
    name.iter_mut().zip(number.to_be_bytes()).for_each(|(kept, byte)| *kept = byte);
    let (attempt, exchange) = (AttemptId::from_bytes(name), ExchangeId::from_bytes(name));
    let new = NewAttempt {
        exchange,
        id: attempt,
        outbound: Some(client.to_client()),
        prepared_for: spans.quiet(),
        rebind: None,
        seen: sr_auth_core::store::Generation::default(),
        tenant: TenantId::new("acme")?,
    };
    let begun = store.apply_partner(PartnerOp::Begin { attempt: new, key: key.clone() }).await?;
    let PartnerOutcome::Done(record) = begun.outcome else { return Err("it was begun".into()) };
    let integrated = Integrated {
        client_id: ClientId::new("82e4")?,
        integration: None,
        secret: Secret::new("9165".to_owned()),
    };
    let (quiet, generation) = (spans.quiet(), record.generation);
    for op in [
        PartnerOp::Arm {
            attempt,
            exchange,
            key: key.clone(),
            post: 1,
            provisional: spans.provisional(),
            quiet,
        },
        PartnerOp::Commit {
            attempt,
            confirm_within: quiet,
            generation,
            integrated,
            key: key.clone(),
        },
        PartnerOp::Activate { attempt, key, verified: Verified::ByOwner },
    ] {
        let PartnerOutcome::Done(_) = store.apply_partner(op).await?.outcome else {
            return Err("a company cannot be connected".into());
        };
    }
    Ok(client)
}

/// An application whose consent page nobody opens.
#[derive(Debug)]
struct Nobody;

#[async_trait]
impl PartnerHooks for Nobody {
    async fn signed_in(&self, _: &Parts) -> Result<Option<Account>, Unavailable> {
        Ok(None)
    }

    fn sign_in(&self, return_to: &str) -> String {
        return_to.to_owned()
    }
}

/// A network without SmartRecruiters.
#[derive(Debug)]
struct Nowhere;

#[async_trait]
impl Transport for Nowhere {
    async fn send(
        &self,
        _: http::Request<SecretBytes>,
        _: Limits,
    ) -> Result<http::Response<SecretBytes>, TransportError> {
        Err(TransportError::before_send(TransportErrorKind::Connect))
    }
}
