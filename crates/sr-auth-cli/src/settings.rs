//! Which SmartRecruiters is meant, and which client: shared by several commands.

use std::path::PathBuf;
use std::sync::Arc;

use clap::{Args, ValueEnum};
use sr_auth_core::{
    AllowedHosts, AuthorizationEndpoint, ClientCredentials, Endpoints, TokenEndpoint,
};
use sr_auth_http::{ReqwestTransport, Transport};

use crate::exit::Failure;
use crate::secret_source::{CLIENT_SECRET, SecretArguments};
use crate::{environment, secret_file};

/// Where the requests of this call go.
#[derive(Args, Debug)]
#[command(next_help_heading = "Addresses")]
pub(crate) struct ServiceArguments {
    /// Which SmartRecruiters environment; production unless said otherwise
    #[arg(long, env = "SR_AUTH_ENVIRONMENT", hide_env_values = true, value_enum)]
    #[arg(conflicts_with = "origin")]
    environment: Option<Environment>,
    /// One origin for everything: a sandbox on this machine
    #[arg(long, env = "SR_AUTH_ORIGIN", hide_env_values = true, value_name = "URL")]
    origin: Option<String>,
    /// The authorization endpoint, instead of the environment's
    #[arg(
        long,
        env = "SR_AUTH_AUTHORIZATION_ENDPOINT",
        hide_env_values = true,
        value_name = "URL"
    )]
    authorization_endpoint: Option<String>,
    /// The token endpoint, instead of the environment's
    #[arg(long, env = "SR_AUTH_TOKEN_ENDPOINT", hide_env_values = true, value_name = "URL")]
    token_endpoint: Option<String>,
    /// The origin of the API, instead of the environment's
    #[arg(long, env = "SR_AUTH_API_ORIGIN", hide_env_values = true, value_name = "URL")]
    api_origin: Option<String>,
    /// Allow addresses with an IP address or a port, which production never has
    #[arg(long)]
    any_host: bool,
    /// A PEM file (mode 0600) with the private key and certificate for mutual TLS
    #[arg(long, env = "SR_AUTH_CLIENT_CERTIFICATE", hide_env_values = true, value_name = "PATH")]
    client_certificate: Option<PathBuf>,
    /// A PEM file with the only certificate authorities to trust
    #[arg(long, env = "SR_AUTH_ROOT_CERTIFICATES", hide_env_values = true, value_name = "PATH")]
    root_certificates: Option<PathBuf>,
}

/// The environments of the vendor.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Environment {
    /// api.smartrecruiters.com
    Production,
    /// api.sandbox.smartrecruiters.com; its consent page has no documented address
    Sandbox,
}

impl ServiceArguments {
    /// Returns the addresses.
    pub(crate) fn endpoints(&self) -> Result<Endpoints, Failure> {
        let hosts = if self.any_host { AllowedHosts::Any } else { AllowedHosts::Named };
        let mut endpoints = match (&self.origin, self.environment) {
            (Some(origin), _) => at_origin(origin, hosts)?,
            (None, Some(Environment::Sandbox)) => Endpoints::sandbox(),
            (None, _) => Endpoints::production(),
        };
        if let Some(api) = &self.api_origin {
            let authorization = self.authorization_endpoint.as_deref();
            let known = endpoints.authorization().map(AuthorizationEndpoint::as_str);
            let Some(authorization) = authorization.or(known) else {
                return Err(Failure::usage(
                    "the authorization endpoint of this environment is not known",
                    "name it with --authorization-endpoint",
                ));
            };
            endpoints = Endpoints::custom(authorization, endpoints.token().as_str(), api, hosts)?;
        }
        if let Some(url) = &self.authorization_endpoint {
            endpoints = endpoints.with_authorization(AuthorizationEndpoint::parse(url, hosts)?);
        }
        if let Some(url) = &self.token_endpoint {
            endpoints = endpoints.with_token(TokenEndpoint::parse(url, hosts)?);
        }
        Ok(endpoints)
    }

    /// Returns what requests to these addresses are sent with.
    pub(crate) fn transport(&self, endpoints: &Endpoints) -> Result<Arc<dyn Transport>, Failure> {
        let agent = concat!("sr-auth/", env!("CARGO_PKG_VERSION"));
        let mut builder = ReqwestTransport::builder().user_agent(agent);
        if let Some(path) = &self.client_certificate {
            builder = builder.client_certificate_pem(secret_file::read(path)?);
        }
        if let Some(path) = &self.root_certificates {
            let pem = std::fs::read(path).map_err(|error| {
                Failure::io(format!("{} cannot be read", path.display()), &error)
            })?;
            builder = builder.root_certificates_pem(&pem);
        } else if is_plain(endpoints) {
            // A sandbox on this machine can be used where no certificate store is installed.
            builder = builder.without_root_certificates();
        }
        Ok(Arc::new(builder.build()?))
    }
}

/// Tells whether nothing is sent over TLS, as on loopback.
fn is_plain(endpoints: &Endpoints) -> bool {
    let addresses = [endpoints.token().as_str(), endpoints.api().as_str()];
    addresses.iter().all(|address| address.starts_with("http://"))
}

fn at_origin(origin: &str, hosts: AllowedHosts) -> Result<Endpoints, Failure> {
    if hosts == AllowedHosts::Named {
        return Ok(Endpoints::at_origin(origin)?);
    }
    let base = origin.trim_end_matches('/');
    let authorization = format!("{base}{}", Endpoints::AUTHORIZATION_PATH);
    let token = format!("{base}{}", Endpoints::TOKEN_PATH);
    Ok(Endpoints::custom(&authorization, &token, origin, hosts)?)
}

/// The client credentials of this call.
#[derive(Args, Debug)]
#[command(next_help_heading = "Credentials")]
pub(crate) struct ClientArguments {
    /// The client id [env: SR_AUTH_CLIENT_ID]
    #[arg(long, value_name = "ID")]
    client_id: Option<String>,
    /// Send id and secret as `Authorization: Basic` instead of in the form
    #[arg(long)]
    basic: bool,
    #[command(flatten)]
    pub(crate) secret: SecretArguments,
}

impl ClientArguments {
    /// Returns the client id, if one is given anywhere.
    pub(crate) fn id(&self) -> Result<Option<String>, Failure> {
        match &self.client_id {
            Some(id) => Ok(Some(id.clone())),
            None => environment::text("SR_AUTH_CLIENT_ID"),
        }
    }

    /// Tells whether the command line names a client.
    pub(crate) const fn is_named(&self) -> bool {
        self.client_id.is_some()
    }

    /// Returns id and secret; the secret may have to be typed.
    pub(crate) fn credentials(&self) -> Result<ClientCredentials, Failure> {
        let Some(id) = self.id()? else {
            return Err(Failure::usage(
                "the client id is missing",
                "set SR_AUTH_CLIENT_ID, or use --client-id",
            ));
        };
        self.with_secret(&id, CLIENT_SECRET)
    }

    /// Joins an id and the secret that belongs to it.
    pub(crate) fn with_secret(
        &self,
        id: &str,
        name: crate::secret_source::SecretName,
    ) -> Result<ClientCredentials, Failure> {
        let client = ClientCredentials::new(id, self.secret.read(name)?)?;
        Ok(if self.basic { client.in_header() } else { client })
    }
}
