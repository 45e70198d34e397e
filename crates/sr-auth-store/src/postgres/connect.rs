//! Addresses, TLS, the pool.

use std::sync::Arc;
use std::time::Duration;

use deadpool_postgres::{Manager, ManagerConfig, Pool, RecyclingMethod, Runtime};
use rustls::ClientConfig;
use rustls_platform_verifier::BuilderVerifierExt as _;
use sr_auth_core::Secret;
use sr_auth_core::lifecycle::StoreFailure;
use tokio_postgres::config::{Host, SslMode};
use tokio_postgres::{Config, NoTls};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::{BackendError, BackendFault, tls};

/// How soon a peer that is gone without a word is noticed.
const KEEPALIVE_AFTER: Duration = Duration::from_secs(10);

/// What an application may set.
pub(super) struct Settings {
    pub(super) answer_within: Duration,
    pub(super) connect_within: Duration,
    pub(super) connections: usize,
    pub(super) root_certificates: Option<Vec<u8>>,
    address: Config,
}

impl Settings {
    /// Reads an address.
    pub(super) fn parse(address: &Secret) -> Result<Self, BackendError> {
        // Not the error of the library, which may repeat a part of the address.
        let address = address.expose().parse::<Config>().map_err(|_| misconfigured())?;
        Ok(Self {
            answer_within: Duration::from_secs(10),
            connect_within: Duration::from_secs(5),
            connections: 8,
            root_certificates: None,
            address,
        })
    }

    /// Makes the pool; nothing is opened yet.
    pub(super) fn pool(&self) -> Result<Pool, BackendError> {
        let mut address = self.address.clone();
        address.connect_timeout(self.connect_within).keepalives_idle(KEEPALIVE_AFTER);
        if address.get_application_name().is_none() {
            address.application_name("sr-auth");
        }
        if address.get_ssl_mode() == SslMode::Prefer {
            // Whoever stands in the way could otherwise say that there is no TLS.
            let mode = if is_here(&address) { SslMode::Disable } else { SslMode::Require };
            address.ssl_mode(mode);
        }
        // A connection that was lost is noticed by its own task; asking would be a round trip more.
        let config = ManagerConfig { recycling_method: RecyclingMethod::Fast };
        let manager = if address.get_ssl_mode() == SslMode::Disable {
            Manager::from_config(address, NoTls, config)
        } else {
            Manager::from_config(address, MakeRustlsConnect::new(self.tls()?), config)
        };
        Pool::builder(manager)
            .max_size(self.connections)
            .wait_timeout(Some(self.connect_within))
            .create_timeout(Some(self.connect_within))
            .recycle_timeout(Some(self.connect_within))
            .runtime(Runtime::Tokio1)
            .build()
            .map_err(|_| misconfigured())
    }

    fn tls(&self) -> Result<ClientConfig, BackendError> {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let builder = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|_| misconfigured())?;
        let Some(pem) = &self.root_certificates else {
            let builder = builder.with_platform_verifier().map_err(|_| misconfigured())?;
            return Ok(builder.with_no_client_auth());
        };
        let roots = tls::roots(pem).ok_or_else(misconfigured)?;
        Ok(builder.with_root_certificates(roots).with_no_client_auth())
    }
}

/// Tells whether nothing leaves this machine.
fn is_here(address: &Config) -> bool {
    let is_loopback = |host: &Host| match host {
        Host::Tcp(name) => {
            name == "localhost" || name.parse().is_ok_and(|it: std::net::IpAddr| it.is_loopback())
        }
        #[cfg(unix)]
        Host::Unix(_) => true,
    };
    let elsewhere = address.get_hostaddrs().iter().any(|it| !it.is_loopback());
    !elsewhere && address.get_hosts().iter().all(is_loopback)
}

pub(super) const fn misconfigured() -> BackendError {
    BackendError::new(BackendFault::Misconfigured, StoreFailure::NotDone)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(address: &str) -> Settings {
        Settings::parse(&Secret::new(address.to_owned())).unwrap()
    }

    #[test]
    fn only_what_stays_on_this_machine_goes_without_tls() {
        let cases = [
            ("loopback", "postgres://a@127.0.0.1/a", true),
            ("loopback, version 6", "postgres://a@[::1]/a", true),
            ("by name", "postgres://a@localhost/a", true),
            ("a socket", "host=/var/run/postgresql user=a", true),
            ("elsewhere", "postgres://a@db.example.com/a", false),
            ("one of two elsewhere", "postgres://a@127.0.0.1,db.example.com/a", false),
            ("a name for an address elsewhere", "host=localhost hostaddr=192.0.2.1 user=a", false),
        ];
        for (name, address, expected) in cases {
            assert_eq!(is_here(&settings(address).address), expected, "{name}");
        }
    }

    #[test]
    fn roots_that_are_none_are_refused() {
        for pem in ["", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"] {
            let mut settings = settings("postgres://a@db.example.com/a");
            settings.root_certificates = Some(pem.as_bytes().to_vec());
            let fault = settings.pool().map(drop).map_err(|error| error.fault());
            assert_eq!(fault, Err(BackendFault::Misconfigured), "{pem}");
        }
    }

    #[test]
    fn an_address_that_cannot_be_read_is_not_repeated() {
        let address = Secret::new("postgres://a:canary@host:port/a".to_owned());
        let error = Settings::parse(&address).map(drop).unwrap_err();
        assert_eq!(error.fault(), BackendFault::Misconfigured);
        assert!(!format!("{error} {error:?}").contains("canary"));
    }
}
