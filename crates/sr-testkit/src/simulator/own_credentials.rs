//! The Credential Manager: where an administrator makes credentials for the own company, sees them
//! once, and revokes them.

use sr_auth_core::{ScopeSet, Secret};

use super::Simulator;
use super::fingerprint::Fingerprint;
use crate::world::{Client, ClientKind, Key, KeyHolder, SystemRole};

/// A credential as the Credential Manager lists it: nothing of the secret.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct CredentialView {
    /// What it is for.
    pub description: String,
    /// The client id; for an API key, which has none, the fingerprint of the key.
    pub id: String,
    /// Which of the two it is, and what it may do.
    pub kind: CredentialKind,
    /// What it is called.
    pub name: String,
}

/// Which credential.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum CredentialKind {
    /// A key for `X-SmartToken`: all data of the company.
    ApiKey,
    /// A client for client credentials.
    OauthClient {
        /// The system role.
        role: SystemRole,
        /// The scopes.
        scopes: ScopeSet,
    },
}

/// What was made: the only moment at which the secret is shown.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct NewCredential {
    /// The client id; `None` for an API key.
    pub client_id: Option<String>,
    /// The client secret, or the key.
    pub secret: Secret,
}

impl Simulator {
    /// Makes a credential of a company: *Generate* in the Credential Manager. `None` for a company
    /// that does not exist, and for a client without a scope.
    pub fn create_credential(
        &mut self,
        company: &str,
        name: &str,
        description: &str,
        kind: CredentialKind,
    ) -> Option<NewCredential> {
        self.world.company(company)?;
        match kind {
            CredentialKind::ApiKey => {
                let secret = Secret::new(format!("DCRA1-{}", self.secrets.hex(32)));
                let key = Key::new(KeyHolder::Company(company.to_owned()), secret.clone());
                self.world.add_key(key.named(name, description));
                Some(NewCredential { client_id: None, secret })
            }
            CredentialKind::OauthClient { scopes, .. } if scopes.is_empty() => None,
            CredentialKind::OauthClient { role, scopes } => {
                let (id, secret) = (self.secrets.hex(32), Secret::new(self.secrets.hex(32)));
                let client = Client::service(&id, secret.clone(), name, company, role, scopes);
                self.world.add_client(client.with_description(description));
                Some(NewCredential { client_id: Some(id), secret })
            }
        }
    }

    /// Lists the credentials of a company: keys first, then clients. Those of its integrations are
    /// among them.
    #[must_use]
    pub fn credentials_of(&self, company: &str) -> Vec<CredentialView> {
        let keys = self.world.keys().filter(|key| key.is_of(company));
        let keys = keys.map(|key| CredentialView {
            description: key.description.clone(),
            id: Fingerprint::of(&key.secret).to_string(),
            kind: CredentialKind::ApiKey,
            name: key.name.clone(),
        });
        let clients = self.world.clients().filter_map(|client| match client.kind() {
            ClientKind::Service { company: of, role } if of == company => Some(CredentialView {
                description: client.description.clone(),
                id: client.id().to_owned(),
                kind: CredentialKind::OauthClient { role: *role, scopes: client.scopes().clone() },
                name: client.name().to_owned(),
            }),
            ClientKind::Service { .. }
            | ClientKind::Application { .. }
            | ClientKind::Master { .. } => None,
        });
        keys.chain(clients).collect()
    }

    /// Revokes a credential of a company by its id, at once. Tells whether there was one.
    pub fn revoke_credential(&mut self, company: &str, id: &str) -> bool {
        let listed = self.credentials_of(company).into_iter().find(|it| it.id == id);
        match listed.map(|it| it.kind) {
            None => false,
            Some(CredentialKind::OauthClient { .. }) => self.world.revoke_client(id),
            Some(CredentialKind::ApiKey) => {
                let secret = self.key_of(company, id).map(|key| key.secret.clone());
                secret.is_some_and(|secret| self.world.revoke_key(&secret))
            }
        }
    }

    fn key_of(&self, company: &str, id: &str) -> Option<&Key> {
        let mut keys = self.world.keys().filter(|key| key.is_of(company));
        keys.find(|key| Fingerprint::of(&key.secret).to_string() == id)
    }
}

impl Key {
    fn is_of(&self, company: &str) -> bool {
        matches!(&self.holder, KeyHolder::Company(of) if of == company)
    }
}
