//! Parts of a store: what a backend with rows reads before an operation, and writes after it.

use sr_auth_core::store::Generation;
use sr_auth_core::{ScopeSet, SecretDigest, Timestamp};

use super::PartnerModel;
use crate::store::operation::SourceKey;
use crate::store::record::IntegrationRecord;
use crate::{ClientKey, IntegrationKey, OutboundClient, TenantId};

/// A token of ours as a store keeps it.
#[derive(Clone, Debug, Eq, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "backends write and read every field")]
pub struct IssuedToken {
    /// The digest of the token.
    pub digest: SecretDigest,
    /// When it ends, by the store's clock.
    pub expires_at: Timestamp,
    /// The generation of its client.
    pub generation: Generation,
    /// The application and the company.
    pub key: IntegrationKey,
    /// What it may do.
    pub scopes: ScopeSet,
    /// Whose account the company was joined with, or was to be, when it was issued.
    pub tenant: TenantId,
}

/// How often token requests of one client, or from one source, were refused lately.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "backends write and read every field")]
pub struct CountedRefusals {
    /// How often.
    pub count: u32,
    /// When the span ends in which they are counted, by the store's clock.
    pub ends_at: Timestamp,
    /// Of whom.
    pub of: RefusedParty,
}

/// Who was refused.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[expect(clippy::exhaustive_enums, reason = "a request names a client and comes from somewhere")]
pub enum RefusedParty {
    /// The client that was named.
    Client(ClientKey),
    /// Where the request came from.
    Source(SourceKey),
}

/// A backend with rows makes a model of the part that an operation is about, applies the operation
/// to it, and writes what has changed, inside one transaction.
///
/// | operation | part |
/// |---|---|
/// | `Activate`, `Arm`, `Commit`, `Load` | the record |
/// | `Begin`, `End`, `Void` | the record, and all tokens of the company |
/// | `Issue` | the record that names the client, and all tokens of the company |
/// | `Disable`, `Identify` | the token, and the record of its company |
/// | `FindClient` | the record that names the client, and the refusals of client and source |
/// | `CountRefusal` | those refusals, and the two that [end first](Self::put_refusals) |
///
/// `EndAll` is an `End` of each company that has an attempt or a binding; `Pulse` and `Unsettled`
/// only read.
impl<V: Clone> PartnerModel<V> {
    /// Takes over a record, with the clients that it names.
    pub fn put(&mut self, key: IntegrationKey, record: IntegrationRecord<V>) {
        if let Some(old) = self.records.remove(&key) {
            for (generation, _) in old.clients() {
                self.clients.retire(&key, generation);
            }
        }
        for (generation, client) in record.clients() {
            self.clients.add(client.key(), key.clone(), generation);
        }
        self.records.insert(key, record);
    }

    /// Takes over a token. Those of one company are taken over in the order in which they were
    /// issued.
    pub fn put_token(&mut self, token: IssuedToken) {
        self.clients.put(token);
    }

    /// Takes over counted refusals, of a store with so many others.
    ///
    /// The one that ends first makes room for a new one; a request counts for two, its client and
    /// its source. Of those that end at the same moment the lesser [`RefusedParty`] goes.
    pub fn put_refusals(
        &mut self,
        refusals: impl IntoIterator<Item = CountedRefusals>,
        others: usize,
    ) {
        self.refusals.put(refusals, others);
    }

    /// Returns the tokens, those of each generation in the order in which they were issued.
    #[must_use]
    pub fn tokens(&self) -> Vec<IssuedToken> {
        self.clients.issued()
    }

    /// Returns the counted refusals, sorted by party.
    #[must_use]
    pub fn refusals(&self) -> Vec<CountedRefusals> {
        self.refusals.counted()
    }
}

impl<V> IntegrationRecord<V> {
    /// Returns the clients of our token endpoint that are good or may become so, by generation.
    pub fn clients(&self) -> impl Iterator<Item = (Generation, &OutboundClient)> {
        let attempt = self.attempt.as_ref().map(|it| (it.generation, it.outbound.as_ref()));
        let binding = self.binding.as_ref().map(|it| (it.generation, it.outbound.as_ref()));
        let both = attempt.into_iter().chain(binding);
        both.filter_map(|(generation, client)| Some((generation, client?)))
    }
}
