//! Refresh token grant (RFC 6749 §6), for those who keep the grant themselves.
//!
//! A refresh token works once and every success brings the next, so a lost answer is a case of its
//! own: [`GrantError::OutcomeUnknown`](crate::GrantError::OutcomeUnknown) means that the token may
//! be used up and is not sent again. The states are those of a single presentation:
//!
//! ```text
//!  new ──▶ Waiting ── answer, or lost after bytes may have left, or late ──▶ Done
//!           ▲   │ provably not sent                                           ▲
//!   Timeout │   ▼                                                             │
//!         BackingOff ── no attempts left ─────────────────────────────────────┘
//! ```

use std::time::Duration;

use super::presentation::Presentation;
use super::{Input, Output, RetryPolicy};
use crate::wire::token_request;
use crate::{
    ClientCredentials, GrantFailure, Machine, RefreshToken, Timestamp, TokenEndpoint, TokenSet,
};

/// Exchanges a refresh token for an access token and the next refresh token.
///
/// Before the first output is carried out, make sure that the refresh token is stored where the
/// next one will be: a process that dies between answer and storage loses the grant.
///
/// # Examples
///
/// ```
/// use sr_auth_core::grant::{Input, Output, RefreshTokenGrant, RetryPolicy};
/// use sr_auth_core::{
///     ClientCredentials, Endpoints, GrantError, Machine, RefreshToken, Secret, Timestamp,
///     TransportFailure,
/// };
///
/// let client = ClientCredentials::new("82e4424135fe", Secret::new("9165228a82e4".to_owned()))?;
/// let now = Timestamp::from_unix_secs(0);
/// let token = RefreshToken::new(Secret::new("b2591f58e63d".to_owned()), now)?;
/// let endpoints = Endpoints::production();
/// let mut grant =
///     RefreshTokenGrant::new(&client, endpoints.token(), token, RetryPolicy::default(), now);
///
/// let Some(Output::Transmit(transmit)) = grant.poll_output() else { panic!("a request first") };
/// // The connection broke after the request had been written:
/// let failure = TransportFailure::AfterSend;
/// grant.handle_input(now, Input::TransportFailed { id: transmit.id, failure, received: None });
///
/// let Some(Output::Event(Err(failure))) = grant.poll_output() else { panic!("then the outcome") };
/// assert_eq!(failure.error(), &GrantError::OutcomeUnknown);
/// # Ok::<(), sr_auth_core::ConfigError>(())
/// ```
#[derive(Debug)]
pub struct RefreshTokenGrant(Presentation);

impl RefreshTokenGrant {
    /// How long to wait before a refresh token whose answer was lost may be presented once more:
    /// longer than the lost request can still be on its way (128 s for its answer, and a margin).
    pub const QUIET_PERIOD: Duration = Duration::from_secs(135);

    /// Starts the grant; the request is ready in [`Machine::poll_output`].
    ///
    /// A token past its documented 28 days is presented all the same: the server judges its age.
    #[must_use]
    pub fn new(
        client: &ClientCredentials,
        endpoint: &TokenEndpoint,
        token: RefreshToken,
        retry: RetryPolicy,
        now: Timestamp,
    ) -> Self {
        let request = token_request::refresh_token(client, endpoint, &token);
        Self(Presentation::of_refresh_token(request, retry, token, now))
    }
}

impl Machine for RefreshTokenGrant {
    type Input = Input;
    type Output = Output<Result<TokenSet, GrantFailure>>;

    fn handle_input(&mut self, now: Timestamp, input: Input) {
        self.0.handle_input(now, input);
    }

    fn poll_output(&mut self) -> Option<Self::Output> {
        self.0.poll_output()
    }

    fn poll_timeout(&self) -> Option<Timestamp> {
        self.0.poll_timeout()
    }
}
