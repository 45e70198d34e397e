//! What only the server knows: the truth that a client is judged by.

use std::sync::Arc;

use sr_auth_core::{Secret, Timestamp};

use super::Simulator;
use super::fingerprint::lookup;
use super::ledger::{GrantId, GrantView};
use crate::world::ClientKind;

/// The tokens that were issued at a time.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Issued {
    /// The access token.
    pub access: Secret,
    /// The grant; `None` for client credentials.
    pub grant: Option<GrantId>,
    /// The refresh token, if there is one.
    pub refresh: Option<Secret>,
}

impl Issued {
    pub(super) fn new(grant: Option<GrantId>, access: String, refresh: Option<String>) -> Self {
        Self { access: Secret::new(access), grant, refresh: refresh.map(Secret::new) }
    }
}

impl Simulator {
    /// Returns the grants that users gave, with what is alive of each at `now`: the truth that a
    /// client is judged by. Of those without a token that works, old ones are left out in time.
    pub fn grants(&self, now: Timestamp) -> Vec<GrantView> {
        self.ledger.grants(now, &self.world)
    }

    /// Revokes a grant: all its tokens are worth nothing from now on. Tells whether there was one.
    pub fn revoke_grant(&mut self, grant: GrantId) -> bool {
        self.ledger.revoke(grant)
    }

    /// Gives a consent without a browser: as if a code for all that the application may do had been
    /// asked for and exchanged at `now`.
    ///
    /// `None` when there is no such application or no such active user.
    pub fn consent(&mut self, now: Timestamp, client_id: &str, user_id: &str) -> Option<Issued> {
        let client = Arc::clone(self.world.shared_client(client_id)?);
        let user = self.world.user(user_id).filter(|user| user.active)?;
        if !matches!(client.kind, ClientKind::Application { .. }) {
            return None;
        }
        let user = user.id.as_str().into();
        let scopes = &client.scopes;
        let grant = self.ledger.add_grant(Arc::clone(&client.id), user, Arc::clone(scopes));
        let access = self.issue_access(now, &client, Some(grant), scopes);
        let refresh = self.issue_refresh(now, grant);
        Some(Issued::new(Some(grant), access, Some(refresh)))
    }

    /// Takes out what the last request to the token endpoint has issued; `None` when it was refused,
    /// or taken out before.
    pub const fn take_issued(&mut self) -> Option<Issued> {
        self.issued.take()
    }

    /// Tells whether a grant was revoked.
    #[must_use]
    pub fn is_revoked(&self, grant: GrantId) -> bool {
        self.ledger.grant(grant).is_none_or(|grant| grant.revoked)
    }

    /// Tells whether the resource server takes an access token at `now`.
    #[must_use]
    pub fn accepts(&self, now: Timestamp, access: &Secret) -> bool {
        let access = self.ledger.access(&lookup(access.expose()));
        access.is_some_and(|it| {
            let alive = it.grant.is_none_or(|grant| !self.is_revoked(grant));
            alive && now < it.expires_at && !self.ledger.is_killed(it)
        })
    }
}
