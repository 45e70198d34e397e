//! Sans-IO General Partner Integration of SmartRecruiters, in both directions.
//!
//! A partner's application is connected by its customers: a browser comes to the application's
//! consent page ([`consent`]), the application trades its master credentials for that company's own
//! ([`exchange`]), and from then on each calls the other: the application with the company's
//! credentials, SmartRecruiters with those that the application invented for it ([`inbound`]). What
//! has to be kept is a value too ([`store`]).
//!
//! Like `sr-auth-core`, this crate does no I/O, reads no clock and draws no random number.
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
