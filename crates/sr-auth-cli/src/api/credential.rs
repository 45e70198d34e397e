//! Which credential a call is signed with.

use std::sync::Arc;

use clap::{Args, ValueEnum};
use sr_auth_core::{ApiKey, Endpoints, PartnerApiKey};
use sr_auth_http::{TokenClient, TokenSource, Transport};

use crate::exit::Failure;
use crate::grants::{Place, Stored, UseArguments};
use crate::secret_source::{API_KEY, CLIENT_SECRET, PARTNER_API_KEY};
use crate::settings::ClientArguments;

/// How a call authenticates.
#[derive(Args, Debug)]
#[command(next_help_heading = "Credentials")]
pub(super) struct CredentialArguments {
    /// How to authenticate
    #[arg(long, value_enum, value_name = "METHOD")]
    auth: Option<Authentication>,
    /// Send no credential: the same as --auth none
    #[arg(long, conflicts_with = "auth")]
    public: bool,
    #[command(flatten)]
    client: ClientArguments,
    #[command(flatten)]
    grant: UseArguments,
}

/// The methods.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
enum Authentication {
    /// Client id and secret, exchanged for an access token
    ClientCredentials,
    /// The API key of a company
    ApiKey,
    /// The grant that `sr-auth login` has stored
    Login,
    /// The legacy key of a partner
    PartnerApiKey,
    /// Nothing: for public endpoints
    None,
}

impl CredentialArguments {
    /// Tells whether the secret is read from standard input.
    pub(super) const fn reads_stdin(&self) -> bool {
        self.client.secret.reads_stdin()
    }

    /// Makes what signs the call, and says where it rests if it is stored.
    pub(super) async fn source(
        &self,
        endpoints: &Endpoints,
        transport: &Arc<dyn Transport>,
    ) -> Result<(TokenSource, Option<Place>), Failure> {
        let stored = match self.auth {
            Some(Authentication::Login) => {
                Some(self.grant.demanded(&self.client, endpoints, transport).await?)
            }
            Some(_) => None,
            None if self.public => None,
            None => self.grant.stored(&self.client, endpoints, transport).await?,
        };
        Ok(match stored {
            Some(Stored { place, source }) => (source, Some(place)),
            None => (self.unstored(endpoints, transport).await?, None),
        })
    }

    /// Makes what signs the call when no grant is stored for it.
    async fn unstored(
        &self,
        endpoints: &Endpoints,
        transport: &Arc<dyn Transport>,
    ) -> Result<TokenSource, Failure> {
        let secret = &self.client.secret;
        Ok(match self.authentication()? {
            Authentication::ApiKey => {
                TokenSource::api_key(ApiKey::new(secret.read(API_KEY).await?)?)
            }
            Authentication::ClientCredentials => {
                // One call needs one token: there is nothing to keep.
                TokenClient::builder(self.client.credentials().await?)
                    .endpoints(endpoints.clone())
                    .transport(Arc::clone(transport))
                    .build()?
                    .into()
            }
            // A stored grant was found before, or was an error.
            Authentication::Login | Authentication::None => TokenSource::none(),
            Authentication::PartnerApiKey => TokenSource::partner_api_key(PartnerApiKey::new(
                secret.read(PARTNER_API_KEY).await?,
            )?),
        })
    }

    /// Decides by the flags, or else, when no grant is stored, by what is complete in the environment:
    /// the credential that may do least comes first.
    fn authentication(&self) -> Result<Authentication, Failure> {
        if self.public {
            return Ok(Authentication::None);
        }
        if let Some(authentication) = self.auth {
            return Ok(authentication);
        }
        let has_id = self.client.id()?.is_some();
        if self.client.is_named() || (has_id && self.client.secret.is_given()) {
            return Ok(Authentication::ClientCredentials);
        }
        if self.client.secret.is_given() {
            return Err(Failure::usage(
                "it is not said what the secret is",
                "add --auth api-key, --auth partner-api-key, or --client-id",
            ));
        }
        if has_id && CLIENT_SECRET.in_environment()?.is_some() {
            return Ok(Authentication::ClientCredentials);
        }
        if API_KEY.in_environment()?.is_some() {
            return Ok(Authentication::ApiKey);
        }
        if PARTNER_API_KEY.in_environment()?.is_some() {
            return Ok(Authentication::PartnerApiKey);
        }
        if has_id {
            return Ok(Authentication::ClientCredentials);
        }
        Err(Failure::usage(
            "there is no credential",
            "set SR_AUTH_CLIENT_ID and SR_AUTH_CLIENT_SECRET, or SR_AUTH_API_KEY; or add --public",
        ))
    }
}
