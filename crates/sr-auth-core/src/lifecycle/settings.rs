//! Who renews, for which application, and by which rules.

use std::sync::Arc;

use super::Margins;
use crate::store::OwnerId;
use crate::{ClientCredentials, FingerprintKey, TokenEndpoint};

/// An application at the token endpoint: what every renewal of its grants is sent with.
///
/// A clone shares the credentials: a company that has its own holds them once, wherever they are
/// used.
#[derive(Clone, Debug)]
pub struct Application {
    client: Arc<ClientCredentials>,
    endpoint: TokenEndpoint,
}

impl Application {
    /// Joins the client's credentials and the endpoint that they belong to.
    #[must_use]
    pub fn new(client: ClientCredentials, endpoint: TokenEndpoint) -> Self {
        Self { client: Arc::new(client), endpoint }
    }

    /// Returns these credentials at another endpoint.
    pub(crate) fn at(&self, endpoint: TokenEndpoint) -> Self {
        Self { client: Arc::clone(&self.client), endpoint }
    }

    /// Returns the client's credentials.
    #[must_use]
    pub fn client(&self) -> &ClientCredentials {
        &self.client
    }

    /// Returns the token endpoint.
    #[must_use]
    pub const fn endpoint(&self) -> &TokenEndpoint {
        &self.endpoint
    }
}

/// A process, from its start to its end.
#[derive(Clone, Debug)]
pub struct Process {
    fingerprints: FingerprintKey,
    owner: OwnerId,
}

impl Process {
    /// Names a process. `owner` is random and made anew at every start: a process that took the name
    /// of the one before would think that its intents are its own. `fingerprints` is the same in
    /// all processes that share a store.
    #[must_use]
    pub const fn new(owner: OwnerId, fingerprints: FingerprintKey) -> Self {
        Self { fingerprints, owner }
    }

    /// Returns the key of the fingerprints.
    #[must_use]
    pub const fn fingerprints(&self) -> &FingerprintKey {
        &self.fingerprints
    }

    /// Returns its name.
    #[must_use]
    pub const fn owner(&self) -> OwnerId {
        self.owner
    }
}

/// When a refresh token whose presentation is in doubt may be presented once more.
///
/// A server that answers a second presentation with the revocation of the whole grant makes every
/// choice a risk; the default accepts the smallest.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "by nobody, by the careful, by anybody")]
pub enum Recovery {
    /// Never: a person decides. Grants whose request never arrived stay in doubt, too.
    Never,
    /// After the quiet period, by its own process; by another one when the owner has shown no sign
    /// of life for as long.
    #[default]
    OwnerGone,
    /// After the quiet period, by anybody.
    QuietOver,
}

/// The rules of a lifecycle.
#[derive(Clone, Copy, Debug, Default)]
pub struct Settings {
    margins: Margins,
    recovery: Recovery,
}

impl Settings {
    /// Sets the spans.
    #[must_use]
    pub const fn with_margins(self, margins: Margins) -> Self {
        Self { margins, ..self }
    }

    /// Sets when a token in doubt may be presented again.
    #[must_use]
    pub const fn with_recovery(self, recovery: Recovery) -> Self {
        Self { recovery, ..self }
    }

    /// Returns the spans.
    #[must_use]
    pub const fn margins(&self) -> &Margins {
        &self.margins
    }

    /// Returns when a token in doubt may be presented again.
    #[must_use]
    pub const fn recovery(&self) -> Recovery {
        self.recovery
    }
}
