//! Calls of the resource API with a credential that goes nowhere else.

mod error;

pub use error::{ApiError, RefusedCall};

use std::sync::Arc;
use std::time::Duration;

use http::{Request, Response, StatusCode};
use sr_auth_core::wire::api_refusal::ApiRefusal;
use sr_auth_core::{ApiOrigin, ConfigError, Fault, SecretBytes, Setting};
use tracing::{Instrument as _, debug, debug_span};

use crate::{Clock, Limits, TokenSource, Transport};

/// Sends requests to one API origin, each with the header of a [`TokenSource`].
///
/// A request to another origin is refused before the source is asked; a redirect is an error and
/// is never followed; nothing is sent twice. Cloning is cheap.
///
/// # Examples
///
/// ```no_run
/// use std::sync::Arc;
/// use sr_auth_core::{ApiKey, Endpoints, Secret};
/// use sr_auth_http::{ApiClient, TokenSource, Transport};
///
/// # async fn example(transport: Arc<dyn Transport>) -> Result<(), Box<dyn std::error::Error>> {
/// let key = ApiKey::new(Secret::new("7cb555e318b3f847".to_owned()))?;
/// let origin = Endpoints::production().api().clone();
/// let api = ApiClient::new(origin, TokenSource::api_key(key), transport);
/// let jobs = api.get("/jobs?limit=10").await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct ApiClient {
    clock: Clock,
    limits: Limits,
    origin: ApiOrigin,
    source: TokenSource,
    transport: Arc<dyn Transport>,
}

impl ApiClient {
    /// How long an answer may take, unless set otherwise.
    pub const ANSWER_WITHIN: Duration = Duration::from_secs(30);

    /// The longest answer that is read, in bytes, unless set otherwise.
    pub const BODY_LIMIT: usize = 8 * 1024 * 1024;

    /// Takes what every call needs.
    #[must_use]
    pub fn new(origin: ApiOrigin, source: TokenSource, transport: Arc<dyn Transport>) -> Self {
        let limits = Limits::new(Self::ANSWER_WITHIN, Self::ANSWER_WITHIN, Self::BODY_LIMIT);
        Self { clock: Clock::system(), limits, origin, source, transport }
    }

    /// Sets how long an answer may take.
    #[must_use]
    pub fn with_answer_within(self, span: Duration) -> Self {
        let limits = Limits::new(span, span, self.limits.body_limit);
        Self { limits, ..self }
    }

    /// Sets the longest answer that is read, in bytes.
    #[must_use]
    pub fn with_body_limit(self, limit: usize) -> Self {
        let limits = Limits { body_limit: limit, ..self.limits };
        Self { limits, ..self }
    }

    /// Sets the clock by which `Retry-After` is read; the system's by default.
    #[must_use]
    pub fn with_clock(self, clock: Clock) -> Self {
        Self { clock, ..self }
    }

    /// Returns the only origin that it sends to.
    #[must_use]
    pub const fn origin(&self) -> &ApiOrigin {
        &self.origin
    }

    /// Reads the resource at a path of the API, with its query.
    ///
    /// # Errors
    ///
    /// As for [`send`](Self::send); [`ApiError::Config`] also for a path that is none.
    pub async fn get(&self, path: &str) -> Result<Response<SecretBytes>, ApiError> {
        let url = self.origin.url(path)?;
        let not_a_url = ConfigError::new(Setting::ApiPath, Fault::NotAUrl);
        let request = Request::get(url).body(SecretBytes::default()).map_err(|_| not_a_url)?;
        self.send(request).await
    }

    /// Signs and sends one request, whose URL is absolute, and returns its answer.
    ///
    /// An answer that refuses the credential is an error; any other status is the caller's to
    /// judge. A 401 is reported to the source, so that the next call has another token. What may still be sent is in its headers:
    /// [`RateLimit::read`](sr_auth_core::wire::rate_limit::RateLimit::read).
    ///
    /// # Errors
    ///
    /// - [`ApiError::Config`]: the URL is not under the API origin; nothing was sent.
    /// - [`ApiError::Source`]: there is no credential to be had; nothing was sent.
    /// - [`ApiError::Transport`]: no complete answer.
    /// - [`ApiError::Redirected`]: the server wants the request elsewhere.
    /// - [`ApiError::Refused`]: 401, 403 or 429.
    /// - [`ApiError::TooLong`]: the answer is longer than the limit.
    pub async fn send(
        &self,
        mut request: Request<SecretBytes>,
    ) -> Result<Response<SecretBytes>, ApiError> {
        if !self.origin.contains(request.uri()) {
            return Err(ConfigError::new(Setting::ApiPath, Fault::OtherOrigin).into());
        }
        let signature = self.source.signature().await?;
        if let Some(signature) = &signature {
            signature.apply_to(request.headers_mut());
        }
        let span = debug_span!(target: "sr_auth", "api_call", method = %request.method());
        let limit = self.limits.body_limit;
        let limits = Limits { body_limit: limit.saturating_add(1), ..self.limits };
        let response = self.transport.send(request, limits).instrument(span.clone()).await?;
        debug!(target: "sr_auth", parent: &span, status = response.status().as_u16(), "answered");
        if response.status() == StatusCode::UNAUTHORIZED
            && let Some(fingerprint) = signature.and_then(|it| it.fingerprint())
        {
            self.source.rejected(fingerprint);
        }
        if response.status().is_redirection() && response.status() != StatusCode::NOT_MODIFIED {
            return Err(ApiError::Redirected);
        }
        if response.body().len() > limit {
            return Err(ApiError::TooLong);
        }
        match ApiRefusal::read(&response, self.clock.now()) {
            Some(refusal) => Err(ApiError::Refused(RefusedCall::new(refusal, response))),
            None => Ok(response),
        }
    }
}
