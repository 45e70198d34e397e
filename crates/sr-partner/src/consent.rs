//! The consent visit: a browser comes from SmartRecruiters, and nothing that it brings is believed.
//!
//! ```text
//!  GET consentUrl?companyId=…&redirect=… ──▶ ConsentVisit ──▶ page with a ConsentTicket
//!                                                                   │ POST, by the signed-in owner
//!                                                                   ▼
//!  303 back, or the pop-up is closed ◀── IntegrationExchange ◀── Consent
//! ```
//!
//! `companyId` and `redirect` carry no signature, no state and no nonce. So a redirect leads only to
//! an origin on a list, and a company is joined with an account only by a [`ConsentTicket`]: made
//! for one session, one account, one company and one state of the record, and good once.

mod redirect;
mod ticket;
mod visit;

pub use redirect::{BrowserReturn, RedirectError, RedirectOrigins, RedirectTarget};
pub use ticket::{Consent, ConsentTicket, TicketError, TicketKey, Visitor};
pub use visit::{ConsentError, ConsentVisit};

/// How the customer meets the consent page.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "the service documents two modes")]
pub enum ConsentDisplayMode {
    /// In a frame on the setup page of SmartRecruiters, which closes it by itself.
    Popup,
    /// In place of that page; `redirect` says where to go afterwards.
    Redirect,
}

impl ConsentDisplayMode {
    /// Returns the value of `consentDisplayMode`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Popup => "POPUP",
            Self::Redirect => "REDIRECT",
        }
    }
}
