//! The settings of the reqwest transport.

use std::time::Duration;

use reqwest::{Certificate, ClientBuilder, Identity};
use sr_auth_core::{ConfigError, Fault, Secret, Setting};

use super::ReqwestTransport;
use super::addresses::Addresses;
use super::resolver::SystemResolver;

/// How long an idle connection may be used again.
const IDLE: Duration = Duration::from_secs(4);

/// How long making a connection may take, unless set otherwise.
const CONNECT_WITHIN: Duration = Duration::from_secs(10);

/// Settings of a [`ReqwestTransport`]; see [`ReqwestTransport::builder`].
///
/// A client made elsewhere cannot be brought in: nothing could check that it follows no redirect
/// and repeats nothing. Who needs another client implements [`Transport`](crate::Transport).
#[derive(Debug)]
pub struct ReqwestTransportBuilder {
    connect_within: Duration,
    identity: Option<Secret>,
    roots: Option<(Roots, Vec<u8>)>,
    user_agent: String,
}

/// What the certificates given to the builder mean for those of the system.
#[derive(Clone, Copy, Debug)]
enum Roots {
    Merged,
    None,
    Only,
}

impl ReqwestTransportBuilder {
    /// Shows a certificate to servers that ask for one (mutual TLS, RFC 8705 §2).
    ///
    /// `pem` holds the private key and the certificate chain, the client's own first.
    #[must_use]
    pub fn client_certificate_pem(self, pem: Secret) -> Self {
        Self { identity: Some(pem), ..self }
    }

    /// Limits how long making a connection may take, handshake included; 10 s by default.
    #[must_use]
    pub fn connect_within(self, span: Duration) -> Self {
        Self { connect_within: span, ..self }
    }

    /// Trusts these certificate authorities besides those of the system.
    #[must_use]
    pub fn extra_root_certificates_pem(self, pem: &[u8]) -> Self {
        Self { roots: Some((Roots::Merged, pem.to_owned())), ..self }
    }

    /// Trusts these certificate authorities and no others: for a private server, or for a system
    /// without a certificate store.
    #[must_use]
    pub fn root_certificates_pem(self, pem: &[u8]) -> Self {
        Self { roots: Some((Roots::Only, pem.to_owned())), ..self }
    }

    /// Trusts no certificate authority at all: for plain http on loopback, as to a simulator on
    /// this machine, which works without a certificate store then. Every https server is refused.
    #[must_use]
    pub fn without_root_certificates(self) -> Self {
        Self { roots: Some((Roots::None, Vec::new())), ..self }
    }

    /// Sets the `User-Agent`; by default name and version of this crate.
    #[must_use]
    pub fn user_agent(self, user_agent: &str) -> Self {
        Self { user_agent: user_agent.to_owned(), ..self }
    }

    /// Makes the transport.
    ///
    /// # Errors
    ///
    /// About [`Setting::Transport`]:
    ///
    /// - [`Fault::NotACertificate`]: a PEM text without a certificate, or without the private key
    ///   that belongs to it.
    /// - [`Fault::Unavailable`]: TLS cannot be set up, as on a system without any certificate
    ///   authority or cryptography provider.
    /// - [`Fault::ControlCharacter`]: a user agent that no header can carry.
    pub fn build(self) -> Result<ReqwestTransport, ConfigError> {
        if http::HeaderValue::from_str(&self.user_agent).is_err() {
            return Err(fault(Fault::ControlCharacter));
        }
        let make = |client: ClientBuilder| {
            self.settings(client)?.build().map_err(|_| fault(self.build_fault()))
        };
        Ok(ReqwestTransport {
            addresses: Addresses::default(),
            direct: make(ClientBuilder::new().no_proxy())?,
            proxied: make(ClientBuilder::new())?,
        })
    }

    fn settings(&self, client: ClientBuilder) -> Result<ClientBuilder, ConfigError> {
        let mut client = client
            .connect_timeout(self.connect_within)
            .dns_resolver(SystemResolver)
            .http1_only()
            .pool_idle_timeout(IDLE)
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            .retry(reqwest::retry::never())
            .tls_backend_rustls()
            .tls_version_min(reqwest::tls::Version::TLS_1_2)
            .user_agent(&self.user_agent);
        if let Some(pem) = &self.identity {
            let identity = Identity::from_pem(pem.expose().as_bytes());
            client = client.identity(identity.map_err(|_| fault(Fault::NotACertificate))?);
        }
        if let Some((roots, pem)) = &self.roots {
            let found = Certificate::from_pem_bundle(pem).unwrap_or_default();
            if found.is_empty() && !matches!(roots, Roots::None) {
                return Err(fault(Fault::NotACertificate));
            }
            client = match roots {
                Roots::Merged => client.tls_certs_merge(found),
                Roots::None | Roots::Only => client.tls_certs_only(found),
            };
        }
        Ok(client)
    }

    /// Names the likelier cause: what was given, or else the system.
    const fn build_fault(&self) -> Fault {
        if self.identity.is_some() || self.roots.is_some() {
            Fault::NotACertificate
        } else {
            Fault::Unavailable
        }
    }
}

impl Default for ReqwestTransportBuilder {
    fn default() -> Self {
        let user_agent = concat!(env!("CARGO_PKG_NAME"), "/", env!("CARGO_PKG_VERSION"));
        Self {
            connect_within: CONNECT_WITHIN,
            identity: None,
            roots: None,
            user_agent: user_agent.to_owned(),
        }
    }
}

const fn fault(fault: Fault) -> ConfigError {
    ConfigError::new(Setting::Transport, fault)
}
