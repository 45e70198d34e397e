//! A middleware for reqwest that signs requests.

use std::future::Future;
use std::pin::Pin;

use http::Extensions;
use reqwest::{Request, Response};
use reqwest_middleware::{ClientBuilder, ClientWithMiddleware, Error, Middleware, Next};
use sr_auth_core::{ApiOrigin, Fingerprint};

use super::pace::Pace;
use super::{Endpoint, Rules, Verdict};
use crate::{Clock, TokenSource};

/// Signs requests to one API origin with the header of a [`TokenSource`], and reports a 401 with the
/// fingerprint that was sent.
///
/// A request to another origin, and one that is marked [`Public`](crate::Public) with
/// [`with_extension`](reqwest_middleware::RequestBuilder::with_extension), passes as it is. The client
/// must not follow redirects, for reqwest would carry an API key elsewhere: [`client`](Self::client)
/// sees to that.
///
/// # Examples
///
/// ```no_run
/// use sr_auth_core::{ClientCredentials, Endpoints};
/// use sr_auth_http::{AuthorizeMiddleware, TokenSource};
///
/// # async fn run(client: ClientCredentials) -> Result<(), Box<dyn std::error::Error>> {
/// let source = TokenSource::client_credentials(client).build()?;
/// let origin = Endpoints::production().api().clone();
/// let api = AuthorizeMiddleware::new(origin, source).replay().pace();
/// let http = api.client(reqwest::Client::builder())?;
/// let jobs = http.get("https://api.smartrecruiters.com/jobs").send().await?;
/// # drop(jobs);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct AuthorizeMiddleware(Rules);

impl AuthorizeMiddleware {
    /// Signs requests to `origin` with the header of `source`.
    #[must_use]
    pub fn new(origin: ApiOrigin, source: TokenSource) -> Self {
        Self(Rules::new(origin, source))
    }

    /// Builds a client that follows no redirect, with this as its only middleware.
    ///
    /// # Errors
    ///
    /// As for [`reqwest::ClientBuilder::build`].
    pub fn client(self, builder: reqwest::ClientBuilder) -> reqwest::Result<ClientWithMiddleware> {
        let client = builder.redirect(reqwest::redirect::Policy::none()).build()?;
        Ok(ClientBuilder::new(client).with(self).build())
    }

    /// Sets the clock of the pace; the system's by default.
    #[must_use]
    pub fn clock(self, clock: Clock) -> Self {
        Self(Rules { clock, ..self.0 })
    }

    /// Keeps to the rate limits that answers name: requests wait until the API takes them, and after a
    /// 429 for as long as it says. Counted for each method and first part of the path.
    #[must_use]
    pub fn pace(self) -> Self {
        Self(Rules { pace: Some(Pace::new()), ..self.0 })
    }

    /// Sends a request once more when its token was refused with 401 and another is to be had: GET,
    /// HEAD and OPTIONS, and what is marked [`Replayable`](crate::Replayable). One whose body is a
    /// stream is not.
    #[must_use]
    pub fn replay(self) -> Self {
        Self(Rules { replays: true, ..self.0 })
    }

    /// Sends a signed request; returns the token that was refused, if it was.
    async fn signed(
        &self,
        endpoint: Endpoint,
        mut request: Request,
        extensions: &mut Extensions,
        next: Next<'_>,
    ) -> Result<(Response, Option<Fingerprint>), Error> {
        self.0.keep_pace(endpoint).await;
        let signature = self.0.source.signature().await.map_err(Error::middleware)?;
        let sent = super::sign(request.headers_mut(), signature.as_deref());
        let response = next.run(request, extensions).await?;
        let verdict = self.0.judge(endpoint, sent, response.status(), response.headers());
        Ok((response, sent.filter(|_| verdict == Verdict::Refused)))
    }

    /// Sends a request that has to wait, for its header or for its turn, or that may be repeated.
    async fn waiting(
        &self,
        endpoint: Endpoint,
        request: Request,
        extensions: &mut Extensions,
        next: Next<'_>,
    ) -> Result<Response, Error> {
        let repeats = self.0.may_repeat(request.method(), extensions);
        let copy = if repeats { request.try_clone() } else { None };
        let (response, refused) = self.signed(endpoint, request, extensions, next.clone()).await?;
        let Some((refused, copy)) = refused.zip(copy) else { return Ok(response) };
        // The refusal says more than the reason why there is no other token.
        let another = self.0.source.signature().await.ok().flatten();
        if another.is_none_or(|it| it.fingerprint() == Some(refused)) {
            return Ok(response);
        }
        self.signed(endpoint, copy, extensions, next).await.map(|(response, _)| response)
    }
}

type Sending<'a> = Pin<Box<dyn Future<Output = Result<Response, Error>> + Send + 'a>>;

impl Middleware for AuthorizeMiddleware {
    /// Written out, so that a request which waits for nothing is moved into one future only: that of
    /// the next link.
    fn handle<'a, 'b, 'c, 'sending>(
        &'a self,
        mut request: Request,
        extensions: &'b mut Extensions,
        next: Next<'c>,
    ) -> Sending<'sending>
    where
        'a: 'sending,
        'b: 'sending,
        'c: 'sending,
        Self: 'sending,
    {
        let rules = &self.0;
        if !Rules::signs(rules.is_api(request.url()), extensions) {
            return next.run(request, extensions);
        }
        let endpoint = rules.endpoint(request.method(), || request.url().path());
        if !rules.may_repeat(request.method(), extensions)
            && let Some(signature) = rules.at_hand(endpoint)
        {
            let sent = super::sign(request.headers_mut(), signature.as_deref());
            let sending = next.run(request, extensions);
            return Box::pin(async move {
                let response = sending.await?;
                rules.judge(endpoint, sent, response.status(), response.headers());
                Ok(response)
            });
        }
        Box::pin(self.waiting(endpoint, request, extensions, next))
    }
}
