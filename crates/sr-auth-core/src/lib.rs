//! Sans-IO SmartRecruiters authentication.
//!
//! This crate does no I/O, reads no clock and draws no random number: requests, answers, time and
//! randomness are values that go in and come out. It holds the vocabulary of the field
//! ([`ClientCredentials`], [`AccessToken`], [`Endpoints`], …), the codecs between bytes and types
//! ([`wire`]), one state machine for each OAuth 2.0 grant ([`grant`]), where grants rest
//! ([`store`]), the life of a credential, which is never lost by our own doing ([`lifecycle`]), and
//! that of all credentials of a process together ([`fleet`]).

pub mod fleet;
pub mod grant;
pub mod lifecycle;
pub mod store;
pub mod wire;

mod credential;
mod endpoint;
mod error;
mod fingerprint;
mod machine;
mod scope;
mod secret;
mod time;

pub use credential::{
    AccessToken, ApiKey, Authorization, ClientAuthentication, ClientCredentials, ClientId,
    GrantedScope, PartnerApiKey, RefreshToken, StaticCredential, TokenSet,
};
pub use endpoint::{
    AllowedHosts, ApiOrigin, AuthorizationEndpoint, Endpoints, RedirectUri, TokenEndpoint,
};
pub use error::{
    ConfigError, ErrorCode, ErrorResponse, ExpiredCredential, Fault, GrantError, GrantFailure,
    Remedy, ServerMisbehaved, ServerText, Setting, SingleUse,
};
pub use fingerprint::{Fingerprint, FingerprintKey};
pub use machine::{Machine, Transmit, TransmitId, TransportFailure};
pub use scope::{Evidence, KnownScope, Scope, ScopeSet};
pub use secret::{Secret, SecretBytes, SecretDigest};
pub use time::Timestamp;
