//! One credential, ready to sign requests.

mod asking;
mod builder;
mod error;

pub use builder::TokenSourceBuilder;
pub use error::SourceError;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use http::HeaderMap;
use sr_auth_core::lifecycle::View;
use sr_auth_core::store::{End, GrantKey, NewGrant};
use sr_auth_core::{
    ApiKey, Authorization, ClientCredentials, Fingerprint, PartnerApiKey, StaticCredential,
    TokenSet,
};

use crate::TokenClient;
#[cfg(feature = "tower")]
use crate::runtime::Recent;
use crate::runtime::{Command, Entry, Runtime};
use asking::{Asking, Waiting};

/// Gives the header that authenticates a request, whatever the method.
///
/// A source of client credentials or of a user's grant keeps its access token and renews it ahead of
/// its end: most calls copy a finished header and wait for nothing. When there is none, all who ask
/// wait for one exchange, each under its own deadline; one that leaves changes nothing for the
/// others. Cloning is cheap, and clones are the same source.
///
/// # Tasks
///
/// A source that keeps something has one task, begun by the first call on the tokio runtime of that
/// call. When the last clone is dropped, the task finishes what was begun and ends; so a renewal
/// that is under way is not lost as long as the tokio runtime lives. [`shutdown`](Self::shutdown)
/// waits for that. If the runtime ends first, it is as if the process had died there: what a store
/// keeps is settled by whoever reads it next.
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
    Exchanged(Box<TokenClient>),
    Kept { entry: Arc<Entry>, runtime: Arc<Runtime> },
    None,
    Static(Arc<Authorization>),
}

impl TokenSource {
    /// How long a call waits for a header, unless set otherwise.
    pub const WAIT_WITHIN: Duration = Duration::from_secs(30);

    /// Sends a company's API key.
    #[must_use]
    pub fn api_key(key: ApiKey) -> Self {
        StaticCredential::ApiKey(key).into()
    }

    /// Keeps a user's grant, which [`adopt`](Self::adopt) or the store brings.
    ///
    /// Its refresh token works once, so it needs a store that does not forget: see
    /// [`TokenSourceBuilder::store`].
    #[must_use]
    pub fn authorization_code(client: ClientCredentials, key: GrantKey) -> TokenSourceBuilder {
        TokenSourceBuilder::single_use(client, key)
    }

    /// Exchanges client credentials for access tokens, and keeps them.
    #[must_use]
    pub fn client_credentials(client: ClientCredentials) -> TokenSourceBuilder {
        TokenSourceBuilder::repeatable(client)
    }

    /// Sends no credential: for public endpoints.
    #[must_use]
    pub const fn none() -> Self {
        Self(Credential::None)
    }

    /// Sends a partner's API key.
    #[must_use]
    pub fn partner_api_key(key: PartnerApiKey) -> Self {
        StaticCredential::PartnerApiKey(key).into()
    }

    pub(crate) const fn kept(entry: Arc<Entry>, runtime: Arc<Runtime>) -> Self {
        Self(Credential::Kept { entry, runtime })
    }

    /// Returns the header to send; waits up to 30 seconds for one, or as long as was
    /// [set](TokenSourceBuilder::wait_within).
    ///
    /// A failure that may pass is waited out, as long as the next attempt begins before the deadline.
    ///
    /// # Errors
    ///
    /// - [`SourceError::NoCredential`]: the source was made by [`none`](Self::none).
    /// - [`SourceError::Unavailable`]: there is no token, and no attempt to get one before the
    ///   deadline. All who waited for the same attempt are told the same.
    /// - [`SourceError::TimedOut`]: the deadline has passed first.
    /// - [`SourceError::Grant`]: a source made of a [`TokenClient`] got no token.
    /// - [`SourceError::ShutDown`] after [`shutdown`](Self::shutdown), and
    ///   [`SourceError::NoRuntime`] outside of a tokio runtime.
    #[inline]
    pub fn authorization(
        &self,
    ) -> impl Future<Output = Result<Arc<Authorization>, SourceError>> + Send {
        Asking::Asked { source: self, within: None }
    }

    /// Returns the header to send; waits at most so long for one.
    ///
    /// # Errors
    ///
    /// As for [`authorization`](Self::authorization).
    #[inline]
    pub fn authorization_within(
        &self,
        span: Duration,
    ) -> impl Future<Output = Result<Arc<Authorization>, SourceError>> + Send {
        Asking::Asked { source: self, within: Some(span) }
    }

    /// Returns the header if it is at hand: never waits. Asks for the renewal of a token that will
    /// end soon, and for nothing else.
    #[must_use]
    pub fn ready(&self) -> Option<Arc<Authorization>> {
        // Asked first, for it is asked most often.
        if let Credential::Kept { entry, runtime } = &self.0 {
            return runtime.ready(entry);
        }
        self.static_header()
    }

    // Apart, so that a kept header is read without its registers.
    #[inline(never)]
    fn static_header(&self) -> Option<Arc<Authorization>> {
        match &self.0 {
            Credential::Exchanged(_) | Credential::Kept { .. } | Credential::None => None,
            Credential::Static(header) => Some(Arc::clone(header)),
        }
    }

    /// Puts the header into `headers`, instead of any earlier credential; without a credential,
    /// leaves them as they are.
    ///
    /// # Errors
    ///
    /// As for [`authorization`](Self::authorization), without
    /// [`NoCredential`](SourceError::NoCredential); the headers are then unchanged.
    pub async fn sign(&self, headers: &mut HeaderMap) -> Result<(), SourceError> {
        if let Some(header) = self.signature().await? {
            header.apply_to(headers);
        }
        Ok(())
    }

    /// Returns the header to send, if one is.
    pub(crate) async fn signature(&self) -> Result<Option<Arc<Authorization>>, SourceError> {
        match &self.0 {
            Credential::None => Ok(None),
            Credential::Exchanged(_) | Credential::Kept { .. } | Credential::Static(_) => {
                self.authorization().await.map(Some)
            }
        }
    }

    /// Returns what remembers the header that was sent last, for a source that keeps one.
    #[cfg(feature = "tower")]
    pub(crate) fn recent(&self) -> Option<Recent> {
        match &self.0 {
            Credential::Kept { entry, .. } => Some(Recent::new(entry)),
            Credential::Exchanged(_) | Credential::None | Credential::Static(_) => None,
        }
    }

    /// Returns the header to send, if one is; the outer `None` when it is not at hand. `recent` is
    /// what [`recent`](Self::recent) made of this source.
    #[cfg(feature = "tower")]
    #[inline]
    pub(crate) fn signature_again<'a>(
        &'a self,
        recent: &'a mut Option<Recent>,
    ) -> Option<Option<&'a Authorization>> {
        match &self.0 {
            Credential::Exchanged(_) => None,
            Credential::Kept { entry, runtime } => {
                runtime.ready_again(entry, recent.as_mut()?).map(Some)
            }
            Credential::None => Some(None),
            Credential::Static(header) => Some(Some(header)),
        }
    }

    /// Returns the header to send, if one is; the outer `None` when it is not at hand.
    #[cfg(feature = "reqwest-middleware")]
    pub(crate) fn signature_at_hand(&self) -> Option<Option<Arc<Authorization>>> {
        match (self.ready(), &self.0) {
            (None, Credential::None) => Some(None),
            (ready, _) => ready.map(Some),
        }
    }

    /// Reports that the API refused a token with 401: it is not handed out any more, and is renewed.
    ///
    /// `fingerprint` is the [`Authorization::fingerprint`] of the header that was sent. A late report
    /// about a token that was replaced meanwhile changes nothing.
    pub fn rejected(&self, fingerprint: Fingerprint) {
        if let Credential::Kept { entry, runtime } = &self.0 {
            runtime.rejected(entry, fingerprint);
        }
    }

    /// Takes in what a user's consent brought, instead of whatever was there; returns when it is
    /// durable.
    ///
    /// # Cancelling
    ///
    /// Nothing is lost: the tokens are kept in memory and offered to the store until it takes them.
    ///
    /// # Errors
    ///
    /// - [`SourceError::NotKept`]: the source keeps nothing.
    /// - [`SourceError::TimedOut`]: the store has not taken the tokens yet.
    /// - [`SourceError::ShutDown`] and [`SourceError::NoRuntime`].
    pub async fn adopt(&self, tokens: &TokenSet) -> Result<(), SourceError> {
        let (entry, runtime) = self.parts()?;
        let parts = runtime.parts();
        let sent_at = tokens.refresh().map_or_else(|| runtime.now(), |it| it.obtained_at());
        let margins = parts.settings.lifecycle().margins();
        let grant = NewGrant::from_tokens(tokens, sent_at, margins, &parts.fingerprints);
        let entry = Arc::clone(entry);
        let command = |reply| Command::Adopt { entry, grant, reply };
        runtime.ask(parts.wait_within, command).await
    }

    /// Ends the grant on purpose: its tokens are gone; returns when that is durable. Callers are
    /// refused at once.
    ///
    /// # Errors
    ///
    /// As for [`adopt`](Self::adopt).
    pub async fn end(&self, end: End) -> Result<(), SourceError> {
        let (entry, runtime) = self.parts()?;
        let entry = Arc::clone(entry);
        let command = |reply| Command::End { end, entry, generation: None, reply };
        runtime.ask(runtime.parts().wait_within, command).await
    }

    /// Returns what is known of the grant, without secrets; `None` when it is not in memory.
    ///
    /// # Errors
    ///
    /// As for [`adopt`](Self::adopt).
    pub async fn view(&self) -> Result<Option<View>, SourceError> {
        let (entry, runtime) = self.parts()?;
        let entry = Arc::clone(entry);
        runtime.ask(runtime.parts().wait_within, |reply| Command::View { entry, reply }).await
    }

    /// Begins nothing new, and returns when what was begun is finished: above all a renewal whose
    /// tokens are not durable yet. Afterwards the source gives no header.
    ///
    /// One of [`TokenSources`](crate::TokenSources) shuts all of them down. While a store takes
    /// nothing this does not end: put it under a deadline of your own. What was begun may also wait
    /// for a moment, such as the end of the pause before it is tried again; a
    /// [manual clock](crate::Clock::manual) that nobody moves does not get there.
    pub async fn shutdown(&self) {
        if let Credential::Kept { runtime, .. } = &self.0 {
            runtime.shutdown().await;
        }
    }

    /// Apart and behind a pointer: most calls need none of its memory and of its registers.
    #[cold]
    #[inline(never)]
    fn waiting(&self, within: Option<Duration>) -> Waiting<'_> {
        Box::pin(self.obtain(within))
    }

    async fn obtain(&self, within: Option<Duration>) -> Result<Arc<Authorization>, SourceError> {
        match &self.0 {
            Credential::Exchanged(client) => {
                let exchange = client.client_credentials();
                let token = match within {
                    Some(span) => tokio::time::timeout(span, exchange)
                        .await
                        .map_err(|_| SourceError::TimedOut)?,
                    None => exchange.await,
                };
                Ok(Arc::new(token?.authorization()))
            }
            Credential::Kept { entry, runtime } => {
                let within = within.unwrap_or_else(|| runtime.parts().wait_within);
                runtime.authorization(entry, within).await
            }
            Credential::None => Err(SourceError::NoCredential),
            Credential::Static(header) => Ok(Arc::clone(header)),
        }
    }

    fn parts(&self) -> Result<(&Arc<Entry>, &Arc<Runtime>), SourceError> {
        match &self.0 {
            Credential::Kept { entry, .. } if entry.application().is_none() => {
                Err(SourceError::NoClient)
            }
            Credential::Kept { entry, runtime } => Ok((entry, runtime)),
            Credential::Exchanged(_) | Credential::None | Credential::Static(_) => {
                Err(SourceError::NotKept)
            }
        }
    }
}

impl From<StaticCredential> for TokenSource {
    fn from(credential: StaticCredential) -> Self {
        let header = credential.authorization().map(Arc::new);
        Self(header.map_or(Credential::None, Credential::Static))
    }
}

/// A source that keeps nothing: every call is one exchange at the token endpoint. For programs that
/// make one call.
impl From<TokenClient> for TokenSource {
    fn from(client: TokenClient) -> Self {
        Self(Credential::Exchanged(Box::new(client)))
    }
}
