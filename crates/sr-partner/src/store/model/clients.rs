//! The clients of our token endpoint and the tokens that they got.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use sr_auth_core::store::Generation;
use sr_auth_core::{ScopeSet, SecretDigest, Timestamp};

use super::PartnerModel;
use super::part::IssuedToken;
use crate::store::answer::{DisableEffect, KnownClient, PartnerOutcome, Principal};
use crate::store::record::{EndCause, IntegrationRecord};
use crate::{ClientKey, IntegrationKey, OutboundClient, TenantId};

/// One integration of one company: what a client and its tokens belong to.
type Owner = (IntegrationKey, Generation);

#[derive(Clone, Debug, Default)]
pub(super) struct Clients {
    by_expiry: BTreeSet<(Timestamp, [u8; 32])>,
    by_owner: BTreeMap<Owner, VecDeque<[u8; 32]>>,
    names: BTreeMap<ClientKey, Owner>,
    of_owner: BTreeMap<Owner, ClientKey>,
    tokens: BTreeMap<[u8; 32], Token>,
}

#[derive(Clone, Debug)]
struct Token {
    expires_at: Timestamp,
    owner: Owner,
    scopes: ScopeSet,
    tenant: TenantId,
}

impl Clients {
    pub(super) const TOKENS_LIMIT: usize = 64;

    pub(super) fn add(&mut self, name: ClientKey, key: IntegrationKey, generation: Generation) {
        self.of_owner.insert((key.clone(), generation), name);
        self.names.insert(name, (key, generation));
    }

    /// No more tokens for the client of this generation.
    pub(super) fn retire(&mut self, key: &IntegrationKey, generation: Generation) {
        let name = self.of_owner.remove(&(key.clone(), generation));
        name.into_iter().for_each(|name| drop(self.names.remove(&name)));
    }

    pub(super) fn forget_tokens(&mut self, key: &IntegrationKey, generation: Generation) {
        let tokens = self.by_owner.remove(&(key.clone(), generation)).unwrap_or_default();
        for token in tokens {
            self.forget(&token);
        }
    }

    pub(super) fn tokens(&self) -> usize {
        self.tokens.len()
    }

    pub(super) fn put(&mut self, issued: IssuedToken) {
        let IssuedToken { digest, expires_at, generation, key, scopes, tenant } = issued;
        let digest = *digest.as_bytes();
        let owner = (key, generation);
        self.by_owner.entry(owner.clone()).or_default().push_back(digest);
        self.by_expiry.insert((expires_at, digest));
        self.tokens.insert(digest, Token { expires_at, owner, scopes, tenant });
    }

    pub(super) fn issued(&self) -> Vec<IssuedToken> {
        let issued = |digest: &[u8; 32]| {
            let token = self.tokens.get(digest)?;
            let (key, generation) = token.owner.clone();
            Some(IssuedToken {
                digest: SecretDigest::from_bytes(*digest),
                expires_at: token.expires_at,
                generation,
                key,
                scopes: token.scopes.clone(),
                tenant: token.tenant.clone(),
            })
        };
        self.by_owner.values().flatten().filter_map(issued).collect()
    }

    fn forget(&mut self, token: &[u8; 32]) {
        if let Some(gone) = self.tokens.remove(token) {
            self.by_expiry.remove(&(gone.expires_at, *token));
        }
    }

    /// Takes a token from the list of its owner.
    fn unlist(&mut self, token: &[u8; 32]) {
        let Some(owner) = self.tokens.get(token).map(|it| it.owner.clone()) else { return };
        let Some(list) = self.by_owner.get_mut(&owner) else { return };
        list.retain(|it| it != token);
        if list.is_empty() {
            self.by_owner.remove(&owner);
        }
    }

    fn keep(&mut self, now: Timestamp, digest: [u8; 32], token: Token) {
        while let Some((expires_at, old)) = self.by_expiry.first().copied() {
            if now < expires_at {
                break;
            }
            self.unlist(&old);
            self.forget(&old);
        }
        if self.tokens.get(&digest).is_some_and(|it| it.owner != token.owner) {
            self.unlist(&digest);
        }
        let list = self.by_owner.entry(token.owner.clone()).or_default();
        if !list.contains(&digest) {
            list.push_back(digest);
        }
        let oldest = if list.len() > Self::TOKENS_LIMIT { list.pop_front() } else { None };
        oldest.iter().for_each(|it| self.forget(it));
        self.forget(&digest);
        self.by_expiry.insert((token.expires_at, digest));
        self.tokens.insert(digest, token);
    }
}

impl<V: Clone> PartnerModel<V> {
    pub(super) fn find_client(&self, now: Timestamp, client: ClientKey) -> Option<KnownClient> {
        let (key, generation) = self.clients.names.get(&client)?;
        let (client, _) = holder(self.records.get(key)?, now, *generation)?;
        Some(KnownClient {
            generation: *generation,
            key: key.clone(),
            scopes: client.scopes.clone(),
            secret: client.secret,
        })
    }

    pub(super) fn issue(
        &mut self,
        now: Timestamp,
        client: ClientKey,
        generation: Generation,
        (token, life): (SecretDigest, Duration),
    ) -> PartnerOutcome<V> {
        let owner = self.clients.names.get(&client).filter(|it| it.1 == generation).cloned();
        let Some(owner) = owner else { return PartnerOutcome::Missing };
        let Some(record) = self.records.get_mut(&owner.0) else { return PartnerOutcome::Missing };
        let Some((client, tenant)) = holder(record, now, generation) else {
            return PartnerOutcome::Missing;
        };
        let (scopes, tenant) = (client.scopes.clone(), tenant.clone());
        let attempt = record.attempt.as_mut().filter(|it| it.generation == generation);
        if let Some(attempt) = attempt {
            attempt.used_at.get_or_insert(now);
        }
        let expires_at = now.after(life);
        let kept = Token { expires_at, owner, scopes, tenant };
        self.clients.keep(now, *token.as_bytes(), kept);
        PartnerOutcome::Issued { expires_at }
    }

    pub(super) fn principal(&self, now: Timestamp, token: &SecretDigest) -> Option<Principal> {
        let token = self.clients.tokens.get(token.as_bytes()).filter(|it| now < it.expires_at)?;
        let (key, generation) = token.owner.clone();
        let record = self.records.get(&key)?;
        Some(Principal {
            current: holder(record, now, generation).is_some(),
            expires_at: token.expires_at,
            generation,
            key,
            scopes: token.scopes.clone(),
            tenant: token.tenant.clone(),
        })
    }

    pub(super) fn disable(&mut self, now: Timestamp, token: &SecretDigest) -> PartnerOutcome<V> {
        let Some(principal) = self.principal(now, token) else { return PartnerOutcome::Foreign };
        let (key, generation) = (principal.key.clone(), principal.generation);
        let record = self.records.get(&key);
        let stands = record.is_some_and(|it| {
            let attempt = it.attempt.as_ref().map(|it| it.generation);
            let binding = it.binding.as_ref().map(|it| it.generation);
            attempt == Some(generation) || binding == Some(generation)
        });
        let ended = record.and_then(|it| it.ended.as_ref()).map(|it| it.generation);
        let effect = match stands {
            true => DisableEffect::Ended,
            false if ended == Some(generation) => DisableEffect::AlreadyEnded,
            false => DisableEffect::Stale,
        };
        if stands {
            self.end(now, &key, Some(generation), EndCause::Disabled);
        }
        PartnerOutcome::Disabled { effect, principal: Principal { current: false, ..principal } }
    }
}

/// Returns the client of a generation, and whose account it is about, while it may act.
fn holder<V>(
    record: &IntegrationRecord<V>,
    now: Timestamp,
    generation: Generation,
) -> Option<(&OutboundClient, &TenantId)> {
    let binding = record.binding.as_ref().filter(|it| it.generation == generation);
    if let Some(binding) = binding {
        return Some((binding.outbound.as_ref()?, &binding.tenant));
    }
    let attempt = record.attempt.as_ref().filter(|it| it.generation == generation)?;
    let outbound = attempt.outbound.as_ref().filter(|_| attempt.admits_at(now))?;
    Some((outbound, &attempt.tenant))
}
