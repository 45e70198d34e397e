//! A SmartRecruiters on your own machine.
//!
//! [`Simulator`] is the authorization server and the resource server as documented, without
//! sockets and clock: requests and moments go in, answers come out, and the same seed gives the
//! same run. [`World`] is who and what exists there, [`Switches`] decide what the documentation
//! leaves open, [`Fault`]s make things go wrong. With the feature `server`, `Sandbox` serves it on
//! loopback; with `conformance`, any store backend can be checked. [`strategy`] generates whatever
//! may happen to a machine, and a [`Canary`] finds out whether a secret got loose into a
//! [`Transcript`].
//!
//! # Examples
//!
//! ```
//! use http::{Request, header::CONTENT_TYPE};
//! use sr_auth_core::{ClientAuthentication, SecretBytes, Timestamp};
//! use sr_testkit::{Simulator, World};
//!
//! let (world, credentials) = World::demo(7);
//! let mut simulator = Simulator::new(world, 7);
//! let client = credentials.service();
//! let ClientAuthentication::Body(secret) = client.authentication() else { unreachable!() };
//! let form = format!(
//!     "grant_type=client_credentials&client_id={}&client_secret={}",
//!     client.id(),
//!     secret.expose(),
//! );
//! let request = Request::post("/identity/oauth/token")
//!     .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
//!     .body(SecretBytes::new(form.into_bytes()))?;
//! let reply = simulator.handle(Timestamp::from_unix_secs(0), &request);
//! assert_eq!(reply.into_response().expect("nothing was lost").status(), 200);
//! # Ok::<(), http::Error>(())
//! ```

#[cfg(feature = "conformance")]
pub mod conformance;
pub mod exploration;
pub mod simulation;
pub mod strategy;

mod canary;
mod drive;
#[cfg(feature = "server")]
mod sandbox;
mod simulator;
mod transcript;
mod world;

pub use canary::{Canary, Encoding, Sighting};
pub use drive::drive;
#[cfg(feature = "server")]
pub use sandbox::{Sandbox, SandboxError, SandboxSettings};
pub use simulator::{
    AccessTokenLife, AnswerScope, AutoDecision, BasicAuthentication, CodeReplay, Connection,
    CredentialKind, CredentialView, DeclineSpaces, DisableRequests, Effect, ErrorBody,
    ExchangeRedirect, ExpiresIn, Fault, Fingerprint, GrantId, GrantView, IntegrationView,
    InvalidClientStatus, Issued, JournalEntry, LoopbackPort, MissingScope, NewCredential,
    OldAccessToken, PartnerAuthentication, PartnerCall, PartnerCallInput, PartnerCallOutput,
    PartnerCallRecord, PartnerStep, Pkce, RefreshTokenType, RepeatedIntegration, Reply,
    RequestScope, ResponseType, SecondToken, Simulator, Slot, SpentRefreshToken, Successor, Switch,
    SwitchError, Switches, Target, TokenErrors, TokenShape, UnconsentedIntegration, UnreadableBody,
};
pub use transcript::Transcript;
pub use world::{
    Candidate, Client, ClientKind, Company, DemoCredentials, Job, Key, KeyHolder, PartnerApp,
    SystemRole, User, World,
};

#[cfg(doctest)]
#[cfg(feature = "server")]
#[doc = include_str!("../../../docs/sandbox.md")]
struct SandboxPage;

#[cfg(doctest)]
#[cfg(feature = "conformance")]
#[doc = include_str!("../../../docs/guide/custom-backend.md")]
struct CustomBackendPage;
