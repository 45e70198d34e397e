//! Credentials that are sent as they are: API key, Partner API key, and none at all.

use super::{Authorization, checked_header_secret};
use crate::{ConfigError, Secret, Setting};

/// A company's API key: the whole company, no scopes, no expiry.
///
/// The documentation speaks of 32 characters while its samples have 38, so a key is opaque and is
/// sent as it is.
#[derive(Clone, Debug)]
pub struct ApiKey(Secret);

impl ApiKey {
    /// Takes a key as the Credential Manager showed it.
    ///
    /// # Errors
    ///
    /// [`Fault::Empty`](crate::Fault::Empty),
    /// [`Fault::ControlCharacter`](crate::Fault::ControlCharacter), and
    /// [`Fault::NotPrintable`](crate::Fault::NotPrintable) for what no header can carry.
    pub fn new(key: Secret) -> Result<Self, ConfigError> {
        checked_header_secret(&key, Setting::ApiKey)?;
        Ok(Self(key))
    }
}

/// A partner's API key: the legacy method of job boards and assessment vendors.
///
/// Not interchangeable with a company's [`ApiKey`], though both use the header `X-SmartToken`. The
/// service also takes it as the URL parameter `apiKey`; it is never sent there, since URLs end up
/// in logs.
#[derive(Clone, Debug)]
pub struct PartnerApiKey(Secret);

impl PartnerApiKey {
    /// Takes a key as the Partner Portal showed it.
    ///
    /// # Errors
    ///
    /// As for [`ApiKey::new`].
    pub fn new(key: Secret) -> Result<Self, ConfigError> {
        checked_header_secret(&key, Setting::PartnerApiKey)?;
        Ok(Self(key))
    }
}

/// A credential that needs no exchange.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum StaticCredential {
    /// `X-SmartToken` with the key of a company.
    ApiKey(ApiKey),
    /// Nothing is sent: public endpoints need no authentication.
    None,
    /// `X-SmartToken` with the key of a partner.
    PartnerApiKey(PartnerApiKey),
}

impl StaticCredential {
    /// Returns the header to send, or `None` for no authentication.
    #[must_use]
    pub fn authorization(&self) -> Option<Authorization> {
        match self {
            Self::ApiKey(ApiKey(key)) | Self::PartnerApiKey(PartnerApiKey(key)) => {
                Some(Authorization::smart_token(key))
            }
            Self::None => None,
        }
    }
}

impl From<ApiKey> for StaticCredential {
    fn from(key: ApiKey) -> Self {
        Self::ApiKey(key)
    }
}

impl From<PartnerApiKey> for StaticCredential {
    fn from(key: PartnerApiKey) -> Self {
        Self::PartnerApiKey(key)
    }
}
