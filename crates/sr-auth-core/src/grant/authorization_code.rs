//! Authorization code grant (RFC 6749 §4.1): a user lets the application act for them.
//!
//! ```text
//!  AuthorizationRequest ── url() ──▶ browser ── Callback ──▶ PendingAuthorization
//!                                                                 │ accept: state, error, code
//!                                                                 ▼
//!                                                       AuthorizationCodeGrant ──▶ TokenSet
//! ```
//!
//! Separate nouns, because the user's browser stands between the steps and another process may go
//! on. A [`PendingAuthorization`] is used up by its first callback, before the code is sent, and
//! the code is sent at most once, inside its 30 seconds.

mod pending;
mod request;

pub use pending::PendingAuthorization;
pub use request::{AuthorizationRequest, AuthorizationSettings, Pkce};

use std::time::Duration;

use super::presentation::{Presentation, Window};
use super::{Input, Output, RetryPolicy};
use crate::wire::token_request::{self, CodeExchange};
use crate::{GrantFailure, Machine, Secret, Timestamp, TokenSet};

/// Exchanges an authorization code for tokens.
///
/// Made by [`PendingAuthorization::accept`]. The code lives 30 seconds from its reception; three of
/// them are kept for the way to the server.
#[derive(Debug)]
pub struct AuthorizationCodeGrant(Presentation);

impl AuthorizationCodeGrant {
    /// How long a code lives from the moment the application received it.
    pub const CODE_LIFE: Duration = Duration::from_secs(30);

    /// The part of the life that is left for the way to the server.
    pub const NETWORK_ALLOWANCE: Duration = Duration::from_secs(3);

    fn new(
        settings: &AuthorizationSettings,
        code: &Secret,
        verifier: Option<&Secret>,
        received_at: Timestamp,
    ) -> Self {
        let redirect_uri = settings.sends_redirect_uri().then(|| settings.redirect_uri());
        let request = token_request::authorization_code(
            settings.client(),
            settings.endpoints().token(),
            CodeExchange { code, redirect_uri, verifier },
        );
        let closes_at = received_at.after(Self::CODE_LIFE).before(Self::NETWORK_ALLOWANCE);
        let window = Window { opens_at: received_at, closes_at };
        let retry: RetryPolicy = settings.retry();
        Self(Presentation::of_code(request, retry, window, received_at))
    }
}

impl Machine for AuthorizationCodeGrant {
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
