//! HTTP binding of `sr-partner` for axum: a partner's side of the General Partner Integration, to be
//! mounted in a web service.
//!
//! | part | what it is |
//! |---|---|
//! | [`PartnerService`] | the consent page, `oauthTokenUrl` and `callbackUrl` as one `Router`, at the paths of the registered addresses |
//! | [`PartnerHooks`] | what the application brings: who is signed in, what to show, what to do |
//! | [`CompanyTokens`] | each connected company's credentials as a `TokenSource`, retired everywhere when the integration ends |
//! | [`GuardLayer`], [`Caller`] | admit the calls of SmartRecruiters to the application's own API, and name the company |
//! | [`Server`] | serves a router with a limit to everything that a peer can make large or slow |
//! | [`SessionCookie`] | a session cookie that reaches the consent page, in a frame or outside of one |
//!
//! A whole service in one file is the example `partner_service`.
//!
//! The rules are those of `sr-partner`; here are sockets, browsers and tasks. A consent page needs no
//! JavaScript. In a pop-up a person who is not signed in there is led to a window of its own, so
//! that nothing depends on cookies of third parties and nobody types a password into a frame.

mod answer;
mod body;
mod browser;
mod companies;
mod consents;
mod cookie;
mod drive;
mod exchange;
mod guard;
mod hooks;
mod page;
mod peers;
mod random;
mod routes;
mod running;
mod server;
mod service;

pub use companies::{CompanyError, CompanyTokens};
pub use cookie::SessionCookie;
pub use guard::{Caller, Guard, GuardLayer, NoGuard};
pub use hooks::{Account, Awaiting, Connected, Left, PartnerHooks, Unavailable};
pub use peers::{AddressRange, NotARange, Peers};
pub use server::{Server, ServerLimits};
pub use service::{ConfirmError, PartnerService, PartnerServiceBuilder};
