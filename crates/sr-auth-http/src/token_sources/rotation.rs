//! A new secret of the application takes over when it has been shown to work.

use sr_auth_core::grant::{ClientCredentialsGrant, RetryPolicy};
use sr_auth_core::lifecycle::Application;
use sr_auth_core::{ClientCredentials, ErrorCode, GrantError};
use tracing::Instrument as _;
use tracing::{debug_span, error, info};

use super::TokenSources;
use crate::drive;
use crate::entropy::fraction;

impl TokenSources {
    /// Puts a new secret in the place of the application's, once the token endpoint has taken it:
    /// for a rotation without downtime, while the old secret is still good.
    ///
    /// The new one is shown in a request for client credentials, which spends nothing. An application
    /// that may not use that grant is told so only after its secret was accepted, which is as good.
    /// Until then, and if it is refused, the old one goes on being used; no grant is presented with a
    /// secret that has not been taken. A refusal is told once, as `secret_refused` in the log, and
    /// here.
    ///
    /// Each process of a fleet does this for itself, in any order. Revoke the old secret when all have
    /// done so. A program that begins takes the secret that works, then calls this with the new one.
    ///
    /// # Errors
    ///
    /// - [`GrantError::Refused`]: the new secret is wrong, or not known everywhere yet.
    /// - [`GrantError::Unavailable`] and [`GrantError::ServerMisbehaved`]: nothing was learnt of it.
    pub async fn rotate_client(&self, client: ClientCredentials) -> Result<(), GrantError> {
        let parts = self.0.runtime.parts();
        let retry = RetryPolicy::default().with_jitter(fraction());
        let now = parts.clock.now();
        let grant = ClientCredentialsGrant::new(&client, &self.0.endpoint, retry, now);
        let span = debug_span!(target: "sr_auth", "rotation", client = %client.id());
        let outcome = drive(grant, &*parts.transport, &parts.clock).instrument(span).await;
        if let Err(refusal) = outcome
            && !is_taken(&refusal)
        {
            error!(
                target: "sr_auth", event = "secret_refused", client = %client.id(),
                code = refusal.code(), "the new secret was not taken; the old one goes on being used"
            );
            return Err(refusal);
        }
        info!(target: "sr_auth", event = "secret_rotated", client = %client.id(), "application");
        let application = Application::new(client, self.0.endpoint.clone());
        self.0.runtime.replace(self.0.application, application);
        Ok(())
    }
}

/// Tells whether a refusal is about the grant, and so of a client whose secret was accepted (RFC 6749
/// §5.2).
fn is_taken(refusal: &GrantError) -> bool {
    let taken = [ErrorCode::InvalidScope, ErrorCode::UnauthorizedClient];
    matches!(refusal, GrantError::Refused(it) if taken.contains(&it.code()))
}
