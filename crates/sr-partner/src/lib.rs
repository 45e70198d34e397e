//! Sans-IO General Partner Integration of SmartRecruiters, in both directions.
//!
//! A partner's application is connected by its customers: a browser comes to the application's
//! consent page ([`consent`]), the application trades its master credentials for that company's own
//! ([`exchange`]), and from then on each calls the other: the application with the company's
//! credentials, SmartRecruiters with those that the application invented for it ([`inbound`]). What
//! has to be kept is a value too ([`store`]).
//!
//! Like `sr-auth-core`, this crate does no I/O, reads no clock and draws no random number.
//!
//! # Examples
//!
//! A customer connects. The loop is all that a shell has to do, with a store, a token client and a
//! transport in the places of those below.
//!
//! ```
//! use sr_auth_core::store::{Generation, StoreIdentity};
//! use sr_auth_core::*;
//! use sr_partner::consent::*;
//! use sr_partner::exchange::*;
//! use sr_partner::store::PartnerModel;
//! use sr_partner::{AppId, TenantId};
//!
//! // The browser comes from SmartRecruiters. Nothing that it brings is believed.
//! let (app, now) = (AppId::new("planner")?, Timestamp::from_unix_secs(0));
//! let origins = RedirectOrigins::production();
//! let query = "companyId=5f1b&redirect=https%3A%2F%2Fwww.smartrecruiters.com%2Fapps";
//! let visit = ConsentVisit::parse(query, ConsentDisplayMode::Redirect, &origins)?;
//!
//! // The page is made for this session and this account, and comes back with a form.
//! let visitor = Visitor::new(&Secret::new("cookie".into()), TenantId::new("acme")?);
//! let key = TicketKey::new([7; 32]);
//! let seen = Generation::default();
//! let ticket = ConsentTicket::new(now, app.clone(), visit, visitor.clone(), seen, [1; 32]);
//! let form = ticket.to_secret(&key);
//! let consent = ConsentTicket::accept(&form, &key, now, &app, &visitor, &origins)?;
//!
//! // One consent becomes one integration.
//! let settings = ExchangeSettings::new(&Endpoints::production())
//!     .calling_us(ScopeSet::parse("interviews_read")?);
//! let mut exchange = IntegrationExchange::new(now, settings, consent, [2; 80]);
//! let mut store = PartnerModel::new(StoreIdentity(1));
//! let back = loop {
//!     let input = match exchange.poll_output().ok_or("the exchange waits for its timeout")? {
//!         Output::Store(request) => {
//!             Input::Stored { id: request.id, result: Ok(store.apply(now, request.op)) }
//!         }
//!         Output::Token(request) => {
//!             let token = Secret::new("cd251a04-4a00-4e7d".into());
//!             let token = AccessToken::new(token, Timestamp::MAX, GrantedScope::AsRequested)?;
//!             Input::Token { id: request.id, result: Ok(token) }
//!         }
//!         Output::Transmit(transmit) => {
//!             let body = br#"{"clientId":"82e4","clientSecret":"9165","integrationId":"7cbc"}"#;
//!             let response = http::Response::new(SecretBytes::new(body.to_vec()));
//!             Input::Response { id: transmit.id, response }
//!         }
//!         // Everything is kept by now: the browser may go back, and the owner confirms.
//!         Output::Event(ExchangeEvent::AwaitsOwner { back, .. }) => break back,
//!         Output::Event(event) => return Err(format!("{event:?}").into()),
//!     };
//!     exchange.handle_input(now, input);
//! };
//! let answer = back.to_response().ok_or("not in a pop-up")?;
//! assert_eq!(answer.status(), 303);
//! assert_eq!(answer.headers()["location"], "https://www.smartrecruiters.com/apps");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod consent;
pub mod exchange;
pub mod inbound;
pub mod registration;
pub mod store;
pub mod wire;

mod error;
mod identity;
mod outbound;
mod profile;

pub use error::{PartnerConfigError, PartnerSetting};
pub use identity::{
    AppId, AttemptId, CompanyId, ExchangeId, IntegrationId, IntegrationKey, TenantId,
};
pub use outbound::{ClientKey, OutboundClient, OutboundCredentials};
pub use profile::Profile;
