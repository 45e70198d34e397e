//! What the application knows and this crate does not: who is signed in, what to show, what to do.

use std::fmt;

use async_trait::async_trait;
use http::request;
use sr_auth_core::store::Generation;
use sr_auth_core::{Scope, Secret};
use sr_partner::exchange::Unverified;
use sr_partner::store::{EndCause, Verified};
use sr_partner::{CompanyId, IntegrationId, IntegrationKey, TenantId};

/// The application's side of an integration.
///
/// Only [`signed_in`](Self::signed_in) and [`sign_in`](Self::sign_in) have to be written. What is
/// told afterwards ([`connected`](Self::connected), [`awaits_owner`](Self::awaits_owner),
/// [`left`](Self::left)) is durable by then and is told by the process in which it happened, once; a
/// process that dies in between tells nobody. So do there what may be missed, such as a message to a
/// person, and read the store for the rest.
///
/// # Examples
///
/// ```
/// use async_trait::async_trait;
/// use http::request;
/// use sr_auth_core::Secret;
/// use sr_partner::TenantId;
/// use sr_partner_axum::{Account, PartnerHooks, Unavailable};
///
/// #[derive(Debug)]
/// struct Planner;
///
/// #[async_trait]
/// impl PartnerHooks for Planner {
///     async fn signed_in(&self, request: &request::Parts) -> Result<Option<Account>, Unavailable> {
///         let Some(session) = request.headers.get("x-session") else { return Ok(None) };
///         let session = session.to_str().map_err(|_| Unavailable)?;
///         // Here the session is looked up.
///         let tenant = TenantId::new("acme").map_err(|_| Unavailable)?;
///         Ok(Some(Account::new(tenant, "Acme Logistics", Secret::new(session.to_owned()))))
///     }
///
///     fn sign_in(&self, return_to: &str) -> String {
///         let query: String = url::form_urlencoded::byte_serialize(return_to.as_bytes()).collect();
///         format!("/sign-in?return_to={query}")
///     }
/// }
/// ```
#[async_trait]
pub trait PartnerHooks: fmt::Debug + Send + Sync {
    /// Returns the account that is signed in at the browser, if one is.
    ///
    /// # Errors
    ///
    /// [`Unavailable`] when that cannot be told now; the browser is asked to come again.
    async fn signed_in(&self, request: &request::Parts) -> Result<Option<Account>, Unavailable>;

    /// Returns the address of the application's own sign-in page, which leads to `return_to`
    /// afterwards: a path with a query on the origin of `consentUrl`.
    ///
    /// It is always opened as a page of its own: nobody should type a password into a frame on the
    /// page of somebody else.
    fn sign_in(&self, return_to: &str) -> String;

    /// Tells whether this account may be connected with this company; every account may by default.
    ///
    /// A visit is not signed: the company is what the address says. So whoever is signed in here can
    /// name a company that has just consented in SmartRecruiters, and be connected with it before its
    /// own people are. An application that knows which company an account belongs to, from an
    /// invitation perhaps, closes that gap here. It is asked when the page is shown and again when
    /// the form comes back.
    async fn may_join(&self, _account: &Account, _company: &CompanyId) -> bool {
        true
    }

    /// Returns what to call a company on the consent page, beside its id. Whoever is signed in can
    /// ask for any company, so this must tell nobody what they may not know.
    async fn company_name(&self, _account: &Account, _company: &CompanyId) -> Option<String> {
        None
    }

    /// Returns what one of the application's own scopes allows, for the consent page.
    fn meaning(&self, _scope: &Scope) -> Option<String> {
        None
    }

    /// Tells whether the owner of `from`, which the company is connected with, has agreed that this
    /// account takes it over. Nobody has by default.
    async fn gives_up(&self, _from: &TenantId, _company: &CompanyId, _to: &Account) -> bool {
        false
    }

    /// A company is connected: its credentials are kept and can be used.
    async fn connected(&self, _connected: Connected) {}

    /// The credentials of a company are kept, and its owner has to confirm them: on the consent page,
    /// or by [`PartnerService::confirm`](crate::PartnerService::confirm).
    async fn awaits_owner(&self, _awaiting: Awaiting) {}

    /// An integration has ended: its credentials are gone.
    ///
    /// It may be told more than once of the same generation: by two processes that find it out at the
    /// same time, and again when the store went back and it was ended once more.
    async fn left(&self, _left: Left) {}
}

/// The application cannot tell now.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the application cannot tell now")]
#[expect(clippy::exhaustive_structs, reason = "it has nothing to say")]
pub struct Unavailable;

/// The account of the application that is signed in at a browser.
#[derive(Clone, Debug)]
pub struct Account {
    pub(crate) may_connect: bool,
    pub(crate) name: String,
    pub(crate) session: Secret,
    pub(crate) tenant: TenantId,
}

impl Account {
    /// Takes the account, its name for people, and what names the session of this browser, such as
    /// the value of its cookie: the form of the consent page works in no other session.
    #[must_use]
    pub fn new(tenant: TenantId, name: &str, session: Secret) -> Self {
        Self { may_connect: true, name: name.to_owned(), session, tenant }
    }

    /// Says that the person may not connect the account with anything: another one has to.
    #[must_use]
    pub fn without_authority(self) -> Self {
        Self { may_connect: false, ..self }
    }

    /// Returns the name for people.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the application's own name for the account.
    #[must_use]
    pub const fn tenant(&self) -> &TenantId {
        &self.tenant
    }
}

/// A company that is connected with an account.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Connected {
    /// Which integration of the company it is.
    pub generation: Generation,
    /// The id of the integration at SmartRecruiters.
    pub integration: Option<IntegrationId>,
    /// The application and the company.
    pub key: IntegrationKey,
    /// The account.
    pub tenant: TenantId,
    /// How it is known which company the credentials open.
    pub verified: Verified,
}

/// Credentials that wait for the owner of an account.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Awaiting {
    /// Which integration of the company it would be.
    pub generation: Generation,
    /// The application and the company.
    pub key: IntegrationKey,
    /// The account.
    pub tenant: TenantId,
    /// Why nothing but the owner can tell.
    pub why: Unverified,
}

/// An integration that has ended.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Left {
    /// Why.
    pub cause: EndCause,
    /// Which integration of the company it was.
    pub generation: Generation,
    /// The application and the company.
    pub key: IntegrationKey,
    /// The account.
    pub tenant: TenantId,
}
