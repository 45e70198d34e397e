//! One credential, ready to sign requests.

mod builder;
mod error;

pub use builder::TokenSourceBuilder;
pub use error::SourceError;

use http::HeaderMap;
use sr_auth_core::{ApiKey, Authorization, ClientCredentials, PartnerApiKey, StaticCredential};

use crate::TokenClient;

/// Gives the header that authenticates a request, whatever the method.
///
/// With client credentials every call is one exchange at the token endpoint: a source keeps no
/// token. Cloning is cheap.
///
/// # Examples
///
/// ```no_run
/// use sr_auth_core::{ClientCredentials, Secret};
/// use sr_auth_http::TokenSource;
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let secret = Secret::new("9165228a82e4".to_owned());
/// let client = ClientCredentials::new("82e4424135fe", secret)?;
/// let source = TokenSource::client_credentials(client).build()?;
///
/// let auth = source.authorization().await?;
/// let request = http::Request::get("https://api.smartrecruiters.com/jobs")
///     .header(auth.name(), auth.value())
///     .body(())?;
/// # Ok(())
/// # }
/// ```
///
/// A source without a credential signs by leaving requests as they are:
///
/// ```
/// use sr_auth_http::{SourceError, TokenSource};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let source = TokenSource::none();
/// let mut headers = http::HeaderMap::new();
/// assert_eq!(source.sign(&mut headers).await, Ok(()));
/// assert!(headers.is_empty());
/// assert_eq!(source.authorization().await.unwrap_err(), SourceError::NoCredential);
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct TokenSource(Credential);

#[derive(Clone, Debug)]
enum Credential {
    Exchanged(TokenClient),
    Static(StaticCredential),
}

impl TokenSource {
    /// Sends a company's API key.
    #[must_use]
    pub const fn api_key(key: ApiKey) -> Self {
        Self(Credential::Static(StaticCredential::ApiKey(key)))
    }

    /// Exchanges client credentials for access tokens.
    #[must_use]
    pub fn client_credentials(client: ClientCredentials) -> TokenSourceBuilder {
        TokenSourceBuilder::new(TokenClient::builder(client))
    }

    /// Sends no credential: for public endpoints.
    #[must_use]
    pub const fn none() -> Self {
        Self(Credential::Static(StaticCredential::None))
    }

    /// Sends a partner's API key.
    #[must_use]
    pub const fn partner_api_key(key: PartnerApiKey) -> Self {
        Self(Credential::Static(StaticCredential::PartnerApiKey(key)))
    }

    /// Returns the header to send.
    ///
    /// # Errors
    ///
    /// - [`SourceError::NoCredential`]: the source was made by [`none`](Self::none).
    /// - [`SourceError::Grant`]: no token could be had; see
    ///   [`TokenClient::client_credentials`].
    pub async fn authorization(&self) -> Result<Authorization, SourceError> {
        self.header().await?.ok_or(SourceError::NoCredential)
    }

    /// Puts the header into `headers`, instead of any earlier credential; without a credential,
    /// leaves them as they are.
    ///
    /// # Errors
    ///
    /// [`SourceError::Grant`]: no token could be had; the headers are then unchanged.
    pub async fn sign(&self, headers: &mut HeaderMap) -> Result<(), SourceError> {
        if let Some(header) = self.header().await? {
            header.apply_to(headers);
        }
        Ok(())
    }

    async fn header(&self) -> Result<Option<Authorization>, SourceError> {
        match &self.0 {
            Credential::Exchanged(client) => {
                Ok(Some(client.client_credentials().await?.authorization()))
            }
            Credential::Static(credential) => Ok(credential.authorization()),
        }
    }
}

impl From<StaticCredential> for TokenSource {
    fn from(credential: StaticCredential) -> Self {
        Self(Credential::Static(credential))
    }
}

impl From<TokenClient> for TokenSource {
    fn from(client: TokenClient) -> Self {
        Self(Credential::Exchanged(client))
    }
}
