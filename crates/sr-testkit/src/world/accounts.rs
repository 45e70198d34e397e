//! Companies, users, and the credentials that they or their partners hold.

use std::fmt;
use std::sync::Arc;

use sr_auth_core::{ClientCredentials, ConfigError, ScopeSet, Secret};

/// A customer of SmartRecruiters.
#[derive(Clone, Debug)]
pub struct Company {
    pub(crate) api_access: bool,
    pub(crate) id: String,
    pub(crate) identifier: String,
    pub(crate) name: String,
}

impl Company {
    /// Makes a company with API access.
    ///
    /// `identifier` is the readable name in public URLs; `id` is opaque.
    #[must_use]
    pub fn new(id: &str, identifier: &str, name: &str) -> Self {
        let [id, identifier, name] = [id, identifier, name].map(str::to_owned);
        Self { api_access: true, id, identifier, name }
    }

    /// Takes the API subscription away: every call is refused with *No access to feature*.
    #[must_use]
    pub fn without_api_access(self) -> Self {
        Self { api_access: false, ..self }
    }

    /// Returns the opaque id, which a consent visit and an exchange name.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Returns the readable name in public URLs.
    #[must_use]
    pub fn identifier(&self) -> &str {
        &self.identifier
    }

    /// Returns the name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }
}

/// What a user, or a client-credentials client, may do within a company.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum SystemRole {
    /// Everything.
    Administrator,
    /// All jobs and candidates, no administration.
    Extended,
    /// Own jobs, and the candidates on them.
    Standard,
}

impl SystemRole {
    /// Returns the id on the wire.
    #[must_use]
    pub const fn id(self) -> &'static str {
        match self {
            Self::Administrator => "ADMINISTRATOR",
            Self::Extended => "EXTENDED",
            Self::Standard => "STANDARD",
        }
    }

    /// Returns the role of an id on the wire.
    pub(crate) fn from_id(id: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.id() == id)
    }

    /// Every role, the one that may most first.
    pub(crate) const ALL: [Self; 3] = [Self::Administrator, Self::Extended, Self::Standard];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Administrator => "Administrator",
            Self::Extended => "Extended",
            Self::Standard => "Standard",
        }
    }
}

/// Somebody with an account at a company.
#[derive(Clone, Debug)]
pub struct User {
    pub(crate) active: bool,
    pub(crate) company: String,
    pub(crate) email: String,
    pub(crate) first_name: String,
    pub(crate) id: String,
    pub(crate) last_name: String,
    pub(crate) role: SystemRole,
}

impl User {
    /// Makes an active user of the company with the id `company`.
    #[must_use]
    pub fn new(id: &str, company: &str, first: &str, last: &str, role: SystemRole) -> Self {
        let email = format!("{}.{}@example.com", first.to_lowercase(), last.to_lowercase());
        let [id, company, first_name, last_name] = [id, company, first, last].map(str::to_owned);
        Self { active: true, company, email, first_name, id, last_name, role }
    }

    /// Deactivates the user: no consent, and no call with an earlier one.
    #[must_use]
    pub fn deactivated(self) -> Self {
        Self { active: false, ..self }
    }

    /// Returns the id.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Returns first and last name.
    #[must_use]
    pub fn name(&self) -> String {
        format!("{} {}", self.first_name, self.last_name)
    }
}

/// Something with a client id and a client secret.
#[derive(Clone, Debug)]
pub struct Client {
    /// Taken as well, while the secret is rotated.
    pub(crate) also: Option<Secret>,
    pub(crate) description: String,
    pub(crate) id: Arc<str>,
    pub(crate) kind: ClientKind,
    pub(crate) name: String,
    pub(crate) scopes: Arc<ScopeSet>,
    pub(crate) secret: Secret,
}

/// Which grant a client may use.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum ClientKind {
    /// A partner's application: authorization code and refresh.
    Application {
        /// The scopes of a request that names none.
        default_scopes: ScopeSet,
        /// Where the browser may go back to, at most three.
        redirect_uris: Vec<String>,
    },
    /// A partner's master credentials: client credentials, for the exchange with its customers.
    Master {
        /// The id of its application.
        app: String,
    },
    /// A customer's own credential: client credentials.
    Service {
        /// The id of its company.
        company: String,
        /// What it may do there.
        role: SystemRole,
    },
}

impl Client {
    /// How many redirect URIs an application may register.
    pub const REDIRECT_URIS: usize = 3;

    /// Makes a client-credentials client of the company with the id `company`.
    #[must_use]
    pub fn service(
        id: &str,
        secret: Secret,
        name: &str,
        company: &str,
        role: SystemRole,
        scopes: ScopeSet,
    ) -> Self {
        let kind = ClientKind::Service { company: company.to_owned(), role };
        Self::new(id, secret, name, kind, scopes)
    }

    /// Makes the master credentials of a partner's application, with the scope that the exchange
    /// needs.
    #[must_use]
    pub fn master(id: &str, secret: Secret, app: &sr_partner::AppId) -> Self {
        let kind = ClientKind::Master { app: app.as_str().to_owned() };
        let scopes = ScopeSet::parse("client_credentials_write").unwrap_or_default();
        Self::new(id, secret, app.as_str(), kind, scopes)
    }

    /// Makes a partner's application whose default scopes are all its approved ones; redirect URIs
    /// past the third are left out.
    #[must_use]
    pub fn application(
        id: &str,
        secret: Secret,
        name: &str,
        redirect_uris: &[&str],
        scopes: ScopeSet,
    ) -> Self {
        let uris = redirect_uris.iter().take(Self::REDIRECT_URIS);
        let redirect_uris = uris.map(|uri| (*uri).to_owned()).collect();
        let kind = ClientKind::Application { default_scopes: scopes.clone(), redirect_uris };
        Self::new(id, secret, name, kind, scopes)
    }

    fn new(id: &str, secret: Secret, name: &str, kind: ClientKind, scopes: ScopeSet) -> Self {
        let (description, name) = (String::new(), name.to_owned());
        let scopes = Arc::new(scopes);
        Self { also: None, description, id: id.into(), kind, name, scopes, secret }
    }

    /// Sets what the Credential Manager says about it.
    #[must_use]
    pub fn with_description(self, description: &str) -> Self {
        Self { description: description.to_owned(), ..self }
    }

    /// Sets the scopes of an application's request that names none.
    #[must_use]
    pub fn with_default_scopes(mut self, scopes: ScopeSet) -> Self {
        if let ClientKind::Application { default_scopes, .. } = &mut self.kind {
            *default_scopes = scopes;
        }
        self
    }

    /// Takes another secret as well, as while a secret is rotated.
    #[must_use]
    pub fn with_another_secret(self, secret: Secret) -> Self {
        Self { also: Some(secret), ..self }
    }

    /// Takes this secret and no other.
    #[must_use]
    pub fn with_secret(self, secret: Secret) -> Self {
        Self { also: None, secret, ..self }
    }

    /// Tells whether a secret is one of this client's.
    pub(crate) fn takes(&self, secret: &Secret) -> bool {
        let is_also = self.also.as_ref().is_some_and(|it| it.matches(secret));
        self.secret.matches(secret) || is_also
    }

    /// Returns the client id.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Returns the name that users see.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns what the client may do at most.
    #[must_use]
    pub fn scopes(&self) -> &ScopeSet {
        &self.scopes
    }

    /// Returns which grant the client may use.
    #[must_use]
    pub const fn kind(&self) -> &ClientKind {
        &self.kind
    }

    /// Returns id and secret as a library takes them.
    ///
    /// # Errors
    ///
    /// Those of [`ClientCredentials::new`], when the world was given an id or a secret that it
    /// refuses.
    pub fn credentials(&self) -> Result<ClientCredentials, ConfigError> {
        ClientCredentials::new(&self.id, self.secret.clone())
    }
}

impl fmt::Display for SystemRole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id())
    }
}
