//! The names of applications, companies, integrations and tenants: each a type, none a bare text.

use std::fmt;
use std::sync::Arc;

use sr_auth_core::store::{Generation, GrantKey};
use sr_auth_core::{Fault, SecretDigest};

use crate::outbound::OutboundCredentials;
use crate::{PartnerConfigError, PartnerSetting};

/// The longest id of the service that is taken, in bytes. No length is documented.
const ID_LIMIT: usize = 100;

/// The id of the application, given by SmartRecruiters' Partner & API Team.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct AppId(Arc<str>);

impl AppId {
    /// Takes an id of unreserved characters (RFC 3986 §2.3), at most 100.
    ///
    /// # Errors
    ///
    /// [`Fault::Empty`], [`Fault::NotPrintable`] and [`Fault::OutOfRange`].
    pub fn new(id: &str) -> Result<Self, PartnerConfigError> {
        checked(id, PartnerSetting::AppId).map(Self)
    }

    /// Returns the id.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The id of a company at SmartRecruiters, as the consent visit carries it.
///
/// Its format is not documented, so it is opaque: never parsed, and never confused with the readable
/// company identifier of public URLs. Only unreserved characters (RFC 3986 §2.3) are taken, so that
/// it is harmless in a path, a page and a log.
///
/// # Examples
///
/// ```
/// use sr_partner::CompanyId;
///
/// assert_eq!(CompanyId::new("5f1b2c")?.as_str(), "5f1b2c");
/// assert!(CompanyId::new("../admin").is_err());
/// # Ok::<(), sr_partner::PartnerConfigError>(())
/// ```
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct CompanyId(Arc<str>);

impl CompanyId {
    /// Takes an id of at most 100 unreserved characters.
    ///
    /// # Errors
    ///
    /// [`Fault::Empty`], [`Fault::NotPrintable`], and [`Fault::OutOfRange`] for a longer one, and for
    /// one that looks like a client id of ours: the two must never be taken for each other.
    pub fn new(id: &str) -> Result<Self, PartnerConfigError> {
        if id.starts_with(OutboundCredentials::ID_PREFIX) {
            return Err(PartnerConfigError::new(PartnerSetting::CompanyId, Fault::OutOfRange));
        }
        checked(id, PartnerSetting::CompanyId).map(Self)
    }

    /// Returns the id.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The id of one integration of one company at SmartRecruiters: a UUID as documented, opaque here.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct IntegrationId(Arc<str>);

impl IntegrationId {
    /// Takes an id of at most 100 unreserved characters.
    ///
    /// # Errors
    ///
    /// [`Fault::Empty`], [`Fault::NotPrintable`] and [`Fault::OutOfRange`].
    pub fn new(id: &str) -> Result<Self, PartnerConfigError> {
        checked(id, PartnerSetting::IntegrationId).map(Self)
    }

    /// Returns the id.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The application's own name for the customer whose account is joined with a company.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct TenantId(Arc<str>);

impl TenantId {
    /// The longest name, in bytes.
    pub const LIMIT: usize = 255;

    /// Takes any text without control characters.
    ///
    /// # Errors
    ///
    /// [`Fault::Empty`], [`Fault::ControlCharacter`] and [`Fault::OutOfRange`].
    pub fn new(id: &str) -> Result<Self, PartnerConfigError> {
        let error = |fault| Err(PartnerConfigError::new(PartnerSetting::TenantId, fault));
        match id {
            "" => error(Fault::Empty),
            id if id.len() > Self::LIMIT => error(Fault::OutOfRange),
            id if id.chars().any(char::is_control) => error(Fault::ControlCharacter),
            id => Ok(Self(id.into())),
        }
    }

    /// Returns the name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// One application at one company: what an integration rests under.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[expect(clippy::exhaustive_structs, reason = "backends write and read every field")]
pub struct IntegrationKey {
    /// The application.
    pub app: AppId,
    /// The company.
    pub company: CompanyId,
}

impl IntegrationKey {
    /// Returns the key of the company's own credential in a store of grants: one for each
    /// generation, so that the end of an older one cannot touch a newer.
    #[must_use]
    #[expect(
        clippy::missing_panics_doc,
        reason = "both ids are short and without control characters"
    )]
    pub fn grant_key(&self, generation: Generation) -> GrantKey {
        let text = format!("partner/{}/{}/{}", self.app, self.company, generation.number());
        GrantKey::new(&text).expect("both ids are short and without control characters")
    }
}

impl fmt::Display for IntegrationKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.app, self.company)
    }
}

/// Names one consent: the first half of the digest of its one-time ticket.
#[derive(Clone, Copy, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct AttemptId([u8; 16]);

impl AttemptId {
    /// Takes over a stored name.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// Returns the name, for storing it.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    pub(crate) fn of(ticket: &SecretDigest) -> Self {
        let mut half = [0; 16];
        half.iter_mut().zip(ticket.as_bytes()).for_each(|(kept, byte)| *kept = *byte);
        Self(half)
    }
}

/// Names one run of an exchange, so that an operation that is offered again is told from another's.
#[derive(Clone, Copy, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct ExchangeId([u8; 16]);

impl ExchangeId {
    /// Takes 128 random bits, or a stored name.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// Returns the name, for storing it.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

macro_rules! shows_its_text {
    ($($name:ident),*) => {$(
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    )*};
}
shows_its_text!(AppId, CompanyId, IntegrationId, TenantId);

macro_rules! shows_eight_digits {
    ($($name:ident),*) => {$(
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.iter().take(4).try_for_each(|byte| write!(f, "{byte:02x}"))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self)
            }
        }
    )*};
}
shows_eight_digits!(AttemptId, ExchangeId);

fn checked(id: &str, setting: PartnerSetting) -> Result<Arc<str>, PartnerConfigError> {
    let error = |fault| Err(PartnerConfigError::new(setting, fault));
    let unreserved = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    match id {
        "" => error(Fault::Empty),
        id if id.len() > ID_LIMIT => error(Fault::OutOfRange),
        // A dot or two would be a step in a path.
        "." | ".." => error(Fault::NotPrintable),
        id if id.bytes().all(unreserved) => Ok(id.into()),
        _ => error(Fault::NotPrintable),
    }
}
