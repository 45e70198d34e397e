//! Which SmartRecruiters is meant, and which client: shared by several commands.

use std::path::PathBuf;
use std::sync::Arc;

use clap::{Args, ValueEnum};
use sr_auth_core::{
    AllowedHosts, ApiOrigin, AuthorizationEndpoint, ClientCredentials, Endpoints, TokenEndpoint,
};
use sr_auth_http::{ReqwestTransport, Transport};

use crate::exit::Failure;
use crate::secret_source::{APP_CLIENT_SECRET, CLIENT_SECRET, SecretArguments, SecretName};
use crate::{environment, secret_file};

/// Where the requests of this call go.
#[derive(Args, Debug)]
#[command(next_help_heading = "Addresses")]
pub(crate) struct ServiceArguments {
    /// Which SmartRecruiters environment; production unless said otherwise [env: SR_AUTH_ENVIRONMENT]
    #[arg(long, value_enum, conflicts_with = "origin")]
    environment: Option<Environment>,
    /// One origin for everything: a sandbox on this machine [env: SR_AUTH_ORIGIN]
    #[arg(long, value_name = "URL")]
    origin: Option<String>,
    /// The authorization endpoint, instead of the environment's [env: SR_AUTH_AUTHORIZATION_ENDPOINT]
    #[arg(long, value_name = "URL")]
    authorization_endpoint: Option<String>,
    /// The token endpoint, instead of the environment's [env: SR_AUTH_TOKEN_ENDPOINT]
    #[arg(long, value_name = "URL")]
    token_endpoint: Option<String>,
    /// The origin of the API, instead of the environment's [env: SR_AUTH_API_ORIGIN]
    #[arg(long, value_name = "URL")]
    api_origin: Option<String>,
    /// Allow addresses with an IP address or a port, which production never has
    #[arg(long)]
    any_host: bool,
    /// A PEM file (mode 0600) with the private key and certificate for mutual TLS
    /// [env: SR_AUTH_CLIENT_CERTIFICATE]
    #[arg(long, value_name = "PATH")]
    client_certificate: Option<PathBuf>,
    /// A PEM file with the only certificate authorities to trust [env: SR_AUTH_ROOT_CERTIFICATES]
    #[arg(long, value_name = "PATH")]
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

/// Where the addresses are that are not named one by one.
enum Place {
    Environment(Environment),
    Origin(String),
}

impl ServiceArguments {
    /// Returns the addresses for a call that needs no user.
    pub(crate) fn endpoints(&self) -> Result<Endpoints, Failure> {
        let hosts = if self.any_host { AllowedHosts::Any } else { AllowedHosts::Named };
        let mut endpoints = match self.place()? {
            Place::Origin(origin) => at_origin(&origin, hosts)?,
            Place::Environment(Environment::Sandbox) => Endpoints::sandbox(),
            Place::Environment(Environment::Production) => Endpoints::production(),
        };
        if let Some(url) = given(&self.api_origin, "SR_AUTH_API_ORIGIN")? {
            endpoints = endpoints.with_api(ApiOrigin::parse(&url, hosts)?);
        }
        if let Some(url) = given(&self.authorization_endpoint, "SR_AUTH_AUTHORIZATION_ENDPOINT")? {
            endpoints = endpoints.with_authorization(AuthorizationEndpoint::parse(&url, hosts)?);
        }
        if let Some(url) = given(&self.token_endpoint, "SR_AUTH_TOKEN_ENDPOINT")? {
            endpoints = endpoints.with_token(TokenEndpoint::parse(&url, hosts)?);
        }
        Ok(endpoints)
    }

    /// Returns the addresses for a login, with a known address to send the user to.
    pub(crate) fn login_endpoints(&self) -> Result<Endpoints, Failure> {
        let named = given(&self.authorization_endpoint, "SR_AUTH_AUTHORIZATION_ENDPOINT")?;
        if named.is_none() && matches!(self.place()?, Place::Environment(Environment::Sandbox)) {
            return Err(Failure::usage(
                "the authorization endpoint of this environment is not known",
                "name it with --authorization-endpoint",
            ));
        }
        self.endpoints()
    }

    /// Decides by the flags, or else by the variables: what is typed beats what is exported.
    fn place(&self) -> Result<Place, Failure> {
        if let Some(origin) = &self.origin {
            return Ok(Place::Origin(origin.clone()));
        }
        if let Some(environment) = self.environment {
            return Ok(Place::Environment(environment));
        }
        let environment = environment::text("SR_AUTH_ENVIRONMENT")?;
        match (environment::text("SR_AUTH_ORIGIN")?, environment) {
            (Some(_), Some(_)) => Err(Failure::usage(
                "SR_AUTH_ORIGIN and SR_AUTH_ENVIRONMENT are both set",
                "unset one of them, or use --origin or --environment",
            )),
            (Some(origin), None) => Ok(Place::Origin(origin)),
            (None, Some(name)) => {
                let known = Environment::from_str(&name, false).map_err(|_| {
                    let advice = "set it to production or sandbox";
                    Failure::usage("SR_AUTH_ENVIRONMENT names no environment", advice)
                })?;
                Ok(Place::Environment(known))
            }
            (None, None) => Ok(Place::Environment(Environment::Production)),
        }
    }

    /// Returns what requests to these addresses are sent with.
    pub(crate) fn transport(&self, endpoints: &Endpoints) -> Result<Arc<dyn Transport>, Failure> {
        let agent = concat!("sr-auth/", env!("CARGO_PKG_VERSION"));
        let mut builder = ReqwestTransport::builder().user_agent(agent);
        if let Some(path) = given(&self.client_certificate, "SR_AUTH_CLIENT_CERTIFICATE")? {
            builder = builder.client_certificate_pem(secret_file::read(&path)?);
        }
        if let Some(path) = given(&self.root_certificates, "SR_AUTH_ROOT_CERTIFICATES")? {
            let pem = std::fs::read(&path).map_err(|error| {
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

/// Returns what a flag says, or else a variable.
pub(crate) fn given<T: Clone + From<String>>(
    flag: &Option<T>,
    variable: &str,
) -> Result<Option<T>, Failure> {
    match flag {
        Some(value) => Ok(Some(value.clone())),
        None => Ok(environment::text(variable)?.map(T::from)),
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
    pub(crate) async fn credentials(&self) -> Result<ClientCredentials, Failure> {
        let id = self.id()?.ok_or_else(no_client_id)?;
        self.with_secret(&id, CLIENT_SECRET).await
    }

    /// Returns the pair that `login` uses: id and secret of the application, or else of the client.
    pub(crate) async fn application(&self) -> Result<ClientCredentials, Failure> {
        match application_id(self.client_id.as_deref())? {
            Some((id, secret)) => self.with_secret(&id, secret).await,
            None => self.credentials().await,
        }
    }

    /// Returns the id whose stored grant a call uses, and which secret belongs to it. A secret that
    /// a flag gives is the client's.
    pub(crate) fn of_grant(&self) -> Result<Option<(String, SecretName)>, Failure> {
        if self.secret.is_given() {
            return Ok(self.id()?.map(|id| (id, CLIENT_SECRET)));
        }
        application_id(self.client_id.as_deref())
    }

    /// Joins an id and the secret that belongs to it.
    pub(crate) async fn with_secret(
        &self,
        id: &str,
        name: SecretName,
    ) -> Result<ClientCredentials, Failure> {
        let client = ClientCredentials::new(id, self.secret.read(name).await?)?;
        Ok(if self.basic { client.in_header() } else { client })
    }
}

/// Returns the id of the application, or else of the client, and which secret belongs to it: the two
/// pairs are never mixed, and what is typed beats what is exported.
pub(crate) fn application_id(named: Option<&str>) -> Result<Option<(String, SecretName)>, Failure> {
    if let Some(id) = named {
        return Ok(Some((id.to_owned(), CLIENT_SECRET)));
    }
    if let Some(id) = environment::text("SR_AUTH_APP_CLIENT_ID")? {
        return Ok(Some((id, APP_CLIENT_SECRET)));
    }
    Ok(environment::text("SR_AUTH_CLIENT_ID")?.map(|id| (id, CLIENT_SECRET)))
}

/// Nobody said which client is meant.
pub(crate) fn no_client_id() -> Failure {
    Failure::usage("the client id is missing", "set SR_AUTH_CLIENT_ID, or use --client-id")
}
