//! The application's own credentials (RFC 6749 §2.3).

use std::fmt;

use super::checked_text;
use crate::{ConfigError, Secret, Setting};

/// The public name of the application at the authorization server (RFC 6749 §2.2).
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct ClientId(String);

impl ClientId {
    /// Takes an id as it was issued; it is opaque.
    ///
    /// # Errors
    ///
    /// [`Fault::Empty`](crate::Fault::Empty) and
    /// [`Fault::ControlCharacter`](crate::Fault::ControlCharacter).
    pub fn new(id: &str) -> Result<Self, ConfigError> {
        checked_text(id, Setting::ClientId)?;
        Ok(Self(id.to_owned()))
    }

    /// Returns the id.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ClientId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A client id, and how the client proves that it is its own.
///
/// Client credentials do not expire; an administrator ends them with Revoke in the Credential
/// Manager. By default the secret travels in the form body, as every page of the service shows;
/// the method is a setting and is never found out by trying, since trying would resend single-use
/// credentials.
///
/// # Examples
///
/// ```
/// use sr_auth_core::{ClientCredentials, Secret};
///
/// let secret = Secret::new("9165228a82e4".to_owned());
/// let client = ClientCredentials::new("82e4424135fe", secret)?;
/// assert_eq!(client.id().as_str(), "82e4424135fe");
/// # Ok::<(), sr_auth_core::ConfigError>(())
/// ```
#[derive(Clone, Debug)]
pub struct ClientCredentials {
    id: ClientId,
    authentication: ClientAuthentication,
}

/// How the client authenticates at the token endpoint: exactly one method per request.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum ClientAuthentication {
    /// `Authorization: Basic`, id and secret form-encoded before base64 (RFC 6749 §2.3.1).
    Basic(Secret),
    /// `client_id` and `client_secret` in the form body: the documented way, and the default.
    Body(Secret),
    /// Only `client_id` in the form body; the TLS client certificate of the transport is the proof
    /// (RFC 8705 §2).
    Certificate,
}

impl ClientCredentials {
    /// Takes an id and a secret as they were issued; both are opaque.
    ///
    /// # Errors
    ///
    /// [`Fault::Empty`](crate::Fault::Empty) and
    /// [`Fault::ControlCharacter`](crate::Fault::ControlCharacter), for either.
    pub fn new(id: &str, secret: Secret) -> Result<Self, ConfigError> {
        let id = ClientId::new(id)?;
        checked_text(secret.expose(), Setting::ClientSecret)?;
        Ok(Self { id, authentication: ClientAuthentication::Body(secret) })
    }

    /// Takes the id of a client whose TLS certificate is its proof.
    ///
    /// # Errors
    ///
    /// [`Fault::Empty`](crate::Fault::Empty) and
    /// [`Fault::ControlCharacter`](crate::Fault::ControlCharacter).
    pub fn with_certificate(id: &str) -> Result<Self, ConfigError> {
        Ok(Self { id: ClientId::new(id)?, authentication: ClientAuthentication::Certificate })
    }

    /// Sends the secret as `Authorization: Basic` instead; the service accepts both.
    #[must_use]
    pub fn in_header(self) -> Self {
        let authentication = match self.authentication {
            ClientAuthentication::Basic(secret) | ClientAuthentication::Body(secret) => {
                ClientAuthentication::Basic(secret)
            }
            ClientAuthentication::Certificate => ClientAuthentication::Certificate,
        };
        Self { authentication, ..self }
    }

    /// Returns the client id.
    #[must_use]
    pub const fn id(&self) -> &ClientId {
        &self.id
    }

    /// Returns how the client authenticates.
    #[must_use]
    pub const fn authentication(&self) -> &ClientAuthentication {
        &self.authentication
    }
}
