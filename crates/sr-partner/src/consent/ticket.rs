//! One consent: what the page was made for, and proof that it is that page which comes back.

use std::fmt;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, Mac as _};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use sr_auth_core::store::Generation;
use sr_auth_core::{Remedy, Secret, SecretDigest, Timestamp};
use zeroize::{ZeroizeOnDrop, Zeroizing};

use super::{BrowserReturn, ConsentVisit, RedirectOrigins};
use crate::outbound::hex;
use crate::{AppId, AttemptId, CompanyId, IntegrationKey, TenantId};

/// The key that consent pages are signed with: 32 random bytes, shared by all processes.
#[derive(Clone, ZeroizeOnDrop)]
pub struct TicketKey([u8; 32]);

impl TicketKey {
    /// Takes the key.
    #[must_use]
    pub const fn new(key: [u8; 32]) -> Self {
        Self(key)
    }

    fn sign(&self, bytes: &[u8]) -> Hmac<Sha256> {
        let mac = Hmac::<Sha256>::new_from_slice(&self.0).expect("HMAC takes keys of any length");
        mac.chain_update(bytes)
    }
}

impl fmt::Debug for TicketKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TicketKey(••••)")
    }
}

/// Who is at the browser: its session, and the account that is signed in there.
#[derive(Clone, Debug)]
pub struct Visitor {
    session: SecretDigest,
    tenant: TenantId,
}

impl Visitor {
    /// Takes the value that names the browser's session, such as its cookie, and the account.
    #[must_use]
    pub fn new(session: &Secret, tenant: TenantId) -> Self {
        Self { session: session.digest(), tenant }
    }

    /// Returns the account.
    #[must_use]
    pub const fn tenant(&self) -> &TenantId {
        &self.tenant
    }
}

/// What a consent page was made for: one session, one account, one company, and the generation of
/// the integration that the page told of.
///
/// It travels in the form as a signed text, so that a page that is only looked at writes nothing
/// anywhere. It is good once: the attempt that it begins carries its name.
#[derive(Clone, Debug)]
pub struct ConsentTicket {
    app: AppId,
    expires_at: Timestamp,
    nonce: Secret,
    rebind: Option<TenantId>,
    seen: Generation,
    visit: ConsentVisit,
    visitor: Visitor,
}

/// What is signed: version 1.
#[derive(Deserialize, Serialize)]
struct Signed<'a> {
    app: &'a str,
    company: &'a str,
    expires_at: u64,
    nonce: &'a str,
    rebind: Option<String>,
    redirect: Option<&'a str>,
    seen: u64,
    session: [u8; 32],
    tenant: String,
    version: u8,
}

impl ConsentTicket {
    /// How long a person may take to decide.
    pub const LIFE: Duration = Duration::from_secs(600);
    /// The longest text that is read back, in bytes.
    pub const LIMIT: usize = 8 * 1024;

    /// Makes a ticket for a page that is about to be shown.
    ///
    /// `seen` is the generation of the record that the page tells of.
    #[must_use]
    pub fn new(
        now: Timestamp,
        app: AppId,
        visit: ConsentVisit,
        visitor: Visitor,
        seen: Generation,
        entropy: [u8; 32],
    ) -> Self {
        let nonce = Secret::new(hex(&*Zeroizing::new(entropy)).to_string());
        let expires_at = now.after(Self::LIFE);
        Self { app, expires_at, nonce, rebind: None, seen, visit, visitor }
    }

    /// Allows the company to be taken from this tenant, whose owner has agreed to it.
    #[must_use]
    pub fn taking_over_from(self, tenant: TenantId) -> Self {
        Self { rebind: Some(tenant), ..self }
    }

    /// Writes it for the form of the page.
    #[must_use]
    #[expect(clippy::missing_panics_doc, reason = "writing texts and numbers as JSON cannot fail")]
    pub fn to_secret(&self, key: &TicketKey) -> Secret {
        let signed = Signed {
            app: self.app.as_str(),
            company: self.visit.company().as_str(),
            expires_at: self.expires_at.as_unix_millis(),
            nonce: self.nonce.expose(),
            rebind: self.rebind.as_ref().map(|it| it.as_str().to_owned()),
            redirect: self.visit.redirect().map(super::RedirectTarget::as_str),
            seen: self.seen.number(),
            session: *self.visitor.session.as_bytes(),
            tenant: self.visitor.tenant.as_str().to_owned(),
            version: 1,
        };
        let text = serde_json::to_vec(&signed).expect("texts and numbers are always JSON");
        let text = Zeroizing::new(text);
        let mac = key.sign(&text).finalize().into_bytes();
        let (text, mac) = (URL_SAFE_NO_PAD.encode(&*text), URL_SAFE_NO_PAD.encode(mac));
        Secret::new(format!("{text}.{mac}"))
    }

    /// Judges what a form brought back, and makes it a consent.
    ///
    /// `visitor` is who posted, and `origins` are those of now: what was allowed when the page was
    /// made may not be any more.
    ///
    /// # Errors
    ///
    /// In this order: [`TicketError::Forged`], [`TicketError::OtherApplication`],
    /// [`TicketError::OtherSession`], [`TicketError::Expired`] and [`TicketError::Redirect`].
    pub fn accept(
        text: &Secret,
        key: &TicketKey,
        now: Timestamp,
        app: &AppId,
        visitor: &Visitor,
        origins: &RedirectOrigins,
    ) -> Result<Consent, TicketError> {
        let signed = verified(text, key).ok_or(TicketError::Forged)?;
        let signed: Signed<'_> =
            serde_json::from_slice(&signed).map_err(|_| TicketError::Forged)?;
        if signed.version != 1 {
            return Err(TicketError::Forged);
        }
        if signed.app != app.as_str() {
            return Err(TicketError::OtherApplication);
        }
        let own = SecretDigest::from_bytes(signed.session) == visitor.session;
        if !own || signed.tenant != visitor.tenant.as_str() {
            return Err(TicketError::OtherSession);
        }
        let expires_at = Timestamp::from_unix_millis(signed.expires_at);
        if now >= expires_at || now.after(Self::LIFE).after(Self::LIFE) < expires_at {
            return Err(TicketError::Expired);
        }
        let back = match signed.redirect {
            None => BrowserReturn::Popup,
            Some(text) => {
                BrowserReturn::Redirect(origins.admit(text).map_err(|_| TicketError::Redirect)?)
            }
        };
        let forged = |_| TicketError::Forged;
        let company = CompanyId::new(signed.company).map_err(forged)?;
        let rebind = signed.rebind.map(|it| TenantId::new(&it)).transpose().map_err(forged)?;
        Ok(Consent {
            attempt: AttemptId::of(&Secret::new(signed.nonce.to_owned()).digest()),
            back,
            key: IntegrationKey { app: app.clone(), company },
            rebind,
            seen: Generation::from_number(signed.seen),
            tenant: visitor.tenant.clone(),
        })
    }
}

fn verified(text: &Secret, key: &TicketKey) -> Option<Zeroizing<Vec<u8>>> {
    let text = text.expose();
    if text.len() > ConsentTicket::LIMIT {
        return None;
    }
    let (text, mac) = text.split_once('.')?;
    let text = Zeroizing::new(URL_SAFE_NO_PAD.decode(text).ok()?);
    let mac = URL_SAFE_NO_PAD.decode(mac).ok()?;
    key.sign(&text).verify_slice(&mac).ok()?;
    Some(text)
}

/// A consent of the owner of an account, given on our own page.
#[derive(Clone, Debug)]
pub struct Consent {
    pub(crate) attempt: AttemptId,
    pub(crate) back: BrowserReturn,
    pub(crate) key: IntegrationKey,
    pub(crate) rebind: Option<TenantId>,
    pub(crate) seen: Generation,
    pub(crate) tenant: TenantId,
}

impl Consent {
    /// Returns the name of the attempt that it begins.
    #[must_use]
    pub const fn attempt(&self) -> AttemptId {
        self.attempt
    }

    /// Returns where the browser goes when the integration is made.
    #[must_use]
    pub const fn back(&self) -> &BrowserReturn {
        &self.back
    }

    /// Returns the application and the company.
    #[must_use]
    pub const fn key(&self) -> &IntegrationKey {
        &self.key
    }

    /// Returns the generation of the integration that the page told of.
    #[must_use]
    pub const fn seen(&self) -> Generation {
        self.seen
    }

    /// Returns whose account it is.
    #[must_use]
    pub const fn tenant(&self) -> &TenantId {
        &self.tenant
    }

    /// Returns the visit that it came from, for a page about the same company.
    #[must_use]
    pub fn to_visit(&self) -> ConsentVisit {
        let redirect = match &self.back {
            BrowserReturn::Popup => None,
            BrowserReturn::Redirect(target) => Some(target.clone()),
        };
        ConsentVisit { company: self.key.company.clone(), redirect }
    }
}

/// Why a form that came back is no consent.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum TicketError {
    /// The page is older than [`ConsentTicket::LIFE`].
    #[error("the page was open for too long")]
    Expired,
    /// Not signed by us, or damaged.
    #[error("the form was not made here")]
    Forged,
    /// Made for another application.
    #[error("the form was made for another application")]
    OtherApplication,
    /// Made for another session or another account.
    #[error("the form was made for another session")]
    OtherSession,
    /// The address to go back to is no longer on the list.
    #[error("the redirect is no longer allowed")]
    Redirect,
}

impl TicketError {
    /// Returns what can be done: the customer connects again, from SmartRecruiters.
    #[must_use]
    pub const fn remedy(&self) -> Remedy {
        match self {
            Self::Redirect => Remedy::FixConfiguration,
            Self::Expired | Self::Forged | Self::OtherApplication | Self::OtherSession => {
                Remedy::Reauthorize
            }
        }
    }

    /// Returns a stable name for logs.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Expired => "sr_partner::ticket::expired",
            Self::Forged => "sr_partner::ticket::forged",
            Self::OtherApplication => "sr_partner::ticket::other_application",
            Self::OtherSession => "sr_partner::ticket::other_session",
            Self::Redirect => "sr_partner::ticket::redirect",
        }
    }
}
