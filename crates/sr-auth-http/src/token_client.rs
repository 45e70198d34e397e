//! The grants over a transport: one call for each.

mod builder;

pub use builder::TokenClientBuilder;
pub(crate) use builder::default_transport;

use std::sync::Arc;

use sr_auth_core::grant::{
    AuthorizationCodeGrant, ClientCredentialsGrant, RefreshTokenGrant, RetryPolicy,
};
use sr_auth_core::{
    AccessToken, ClientCredentials, Endpoints, GrantError, GrantFailure, RefreshToken, SecretBytes,
    TokenSet,
};
use tracing::{Instrument as _, debug_span};

use crate::entropy::fraction;
use crate::{Clock, Transport, drive};

/// An application at its token endpoint: runs each grant once, and keeps nothing.
///
/// Cloning is cheap; clones share the transport and the clock.
///
/// # Cancelling
///
/// A code and a refresh token can be spent once. A dropped future loses the answer, and with it
/// the tokens; so run these calls, *and* what stores their outcome, in a task that no caller can
/// drop, such as one of `tokio::spawn`.
///
/// # Examples
///
/// ```no_run
/// use sr_auth_core::{ClientCredentials, RefreshToken, Secret};
/// use sr_auth_http::TokenClient;
///
/// # async fn example(stored: RefreshToken) -> Result<(), Box<dyn std::error::Error>> {
/// let secret = Secret::new("9165228a82e4".to_owned());
/// let client = TokenClient::builder(ClientCredentials::new("82e4424135fe", secret)?).build()?;
/// let tokens = client.refresh(stored).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct TokenClient {
    client: ClientCredentials,
    clock: Clock,
    endpoints: Endpoints,
    /// What asks for a token of the client itself: the same each time.
    request: Arc<http::Request<SecretBytes>>,
    retry: RetryPolicy,
    transport: Arc<dyn Transport>,
}

impl TokenClient {
    /// Begins with the application's credentials, in the production environment.
    #[must_use]
    pub fn builder(client: ClientCredentials) -> TokenClientBuilder {
        TokenClientBuilder::new(client)
    }

    /// Exchanges the client credentials for an access token (RFC 6749 §4.4).
    ///
    /// Repeated as the retry policy says: asking twice yields another token and costs nothing.
    ///
    /// # Errors
    ///
    /// - [`GrantError::Refused`]: the server said no; it is asked once only.
    /// - [`GrantError::ServerMisbehaved`]: its answer is outside of the protocol.
    /// - [`GrantError::Unavailable`]: no attempt got a usable answer.
    pub async fn client_credentials(&self) -> Result<AccessToken, GrantError> {
        let grant = ClientCredentialsGrant::with_request(
            Arc::clone(&self.request),
            self.retry.with_jitter(fraction()),
            self.clock.now(),
        );
        let span = debug_span!(target: "sr_auth", "grant", kind = "client_credentials");
        drive(grant, &*self.transport, &self.clock).instrument(span).await
    }

    /// Exchanges the code that a callback brought (RFC 6749 §4.1.3).
    ///
    /// The grant comes from
    /// [`PendingAuthorization::accept`](sr_auth_core::grant::PendingAuthorization::accept), and
    /// with it the endpoint, the credentials and the retry policy of the authorization's settings:
    /// of this client only transport and clock are used. Store the refresh token before anything
    /// else is done with the outcome.
    ///
    /// # Errors
    ///
    /// A [`GrantFailure`]; its [`error`](GrantFailure::error) is [`GrantError::Expired`] when the
    /// code could not be sent inside its 30 seconds, [`GrantError::OutcomeUnknown`] when it was
    /// sent and the answer lost, and otherwise as for
    /// [`client_credentials`](Self::client_credentials).
    pub async fn authorization_code(
        &self,
        grant: AuthorizationCodeGrant,
    ) -> Result<TokenSet, GrantFailure> {
        let span = debug_span!(target: "sr_auth", "grant", kind = "authorization_code");
        drive(grant, &*self.transport, &self.clock).instrument(span).await
    }

    /// Exchanges a refresh token for the next pair of tokens (RFC 6749 §6).
    ///
    /// The token is spent by this: store the new one before anything else is done with the outcome.
    ///
    /// # Errors
    ///
    /// A [`GrantFailure`], which may hold a refresh token that was
    /// [salvaged](GrantFailure::salvaged). Its [`error`](GrantFailure::error) is
    /// [`GrantError::OutcomeUnknown`] when the token was sent and the answer lost, and otherwise as
    /// for [`client_credentials`](Self::client_credentials).
    pub async fn refresh(&self, token: RefreshToken) -> Result<TokenSet, GrantFailure> {
        let grant = RefreshTokenGrant::new(
            &self.client,
            self.endpoints.token(),
            token,
            self.retry.with_jitter(fraction()),
            self.clock.now(),
        );
        let span = debug_span!(target: "sr_auth", "grant", kind = "refresh_token");
        drive(grant, &*self.transport, &self.clock).instrument(span).await
    }

    /// Returns the clock.
    #[must_use]
    pub const fn clock(&self) -> &Clock {
        &self.clock
    }

    /// Returns the addresses.
    #[must_use]
    pub const fn endpoints(&self) -> &Endpoints {
        &self.endpoints
    }

    /// Returns the transport.
    #[must_use]
    pub const fn transport(&self) -> &Arc<dyn Transport> {
        &self.transport
    }
}
