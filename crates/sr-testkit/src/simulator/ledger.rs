//! Codes and tokens: what was issued, to whom, and what is still alive.

mod sweep;

use std::collections::{BTreeMap, VecDeque};

use sr_auth_core::{RefreshToken, ScopeSet, SecretDigest, Timestamp};

use super::fingerprint::{Fingerprint, Lookup, lookup};
use crate::world::World;
use sweep::SweepAt;

/// Names one consent of one user.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct GrantId(u64);

/// One consent of one user, as the authorization server sees it.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct GrantView {
    /// The client it was given to.
    pub client_id: String,
    /// Its name.
    pub id: GrantId,
    /// The access tokens that work.
    pub live_access: Vec<Fingerprint>,
    /// The refresh tokens that work: one, unless a switch allows more.
    pub live_refresh: Vec<Fingerprint>,
    /// Whether it was revoked, or its user or client is gone.
    pub revoked: bool,
    /// What it allows.
    pub scopes: ScopeSet,
    /// The refresh tokens that were used, in the order of their first use.
    pub spent_refresh: Vec<Fingerprint>,
    /// The user who gave it.
    pub user_id: String,
}

#[derive(Debug)]
pub(super) struct Access {
    pub(super) client: String,
    pub(super) expires_at: Timestamp,
    pub(super) grant: Option<GrantId>,
    pub(super) killed: bool,
    pub(super) scopes: ScopeSet,
}

#[derive(Clone, Debug)]
pub(super) struct Code {
    pub(super) challenge: Option<String>,
    pub(super) client: String,
    pub(super) issued_at: Timestamp,
    pub(super) presented: Presented,
    pub(super) redirect_uri: String,
    pub(super) scopes: ScopeSet,
    pub(super) user: String,
}

/// Whether a code was presented by its client, and what came of it.
#[derive(Clone, Copy, Debug)]
pub(super) enum Presented {
    /// It was, and brought no tokens.
    InVain,
    Never,
    /// It was, and brought the tokens of a grant.
    With(GrantId),
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Refresh {
    pub(super) grant: GrantId,
    pub(super) issued_at: Timestamp,
    pub(super) spent_at: Option<Timestamp>,
}

#[derive(Clone, Debug)]
pub(super) struct Grant {
    pub(super) client: String,
    pub(super) revoked: bool,
    pub(super) scopes: ScopeSet,
    spent: VecDeque<Fingerprint>,
    pub(super) user: String,
}

/// All of it under the digests of the secrets, without what is long over.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    access: BTreeMap<Lookup, Access>,
    codes: BTreeMap<Lookup, Code>,
    grants: BTreeMap<GrantId, Grant>,
    refresh: BTreeMap<Lookup, Refresh>,
    sweep_at: SweepAt,
}

impl Ledger {
    /// How many spent refresh tokens a grant's view names.
    const SPENT_SHOWN: usize = 1_024;

    pub(super) fn add_access(&mut self, now: Timestamp, token: &str, access: Access) {
        self.access.insert(lookup(token), access);
        self.sweep_if_due(now);
    }

    pub(super) fn add_code(&mut self, text: &str, code: Code) {
        let now = code.issued_at;
        self.codes.insert(lookup(text), code);
        self.sweep_if_due(now);
    }

    pub(super) fn add_grant(&mut self, client: &str, user: &str, scopes: ScopeSet) -> GrantId {
        let next = self.grants.last_key_value().map_or(1, |(GrantId(last), _)| last + 1);
        let [client, user] = [client, user].map(str::to_owned);
        let grant = Grant { client, revoked: false, scopes, spent: VecDeque::new(), user };
        self.grants.insert(GrantId(next), grant);
        GrantId(next)
    }

    pub(super) fn add_refresh(&mut self, now: Timestamp, token: &str, grant: GrantId) {
        let refresh = Refresh { grant, issued_at: now, spent_at: None };
        self.refresh.insert(lookup(token), refresh);
        self.sweep_if_due(now);
    }

    pub(super) fn access(&self, token: &str) -> Option<&Access> {
        self.access.get(&lookup(token))
    }

    pub(super) fn code_mut(&mut self, code: &str) -> Option<&mut Code> {
        self.codes.get_mut(&lookup(code))
    }

    pub(super) fn grant(&self, id: GrantId) -> Option<&Grant> {
        self.grants.get(&id)
    }

    pub(super) fn refresh(&self, token: &str) -> Option<Refresh> {
        self.refresh.get(&lookup(token)).copied()
    }

    /// Marks a refresh token as used; the first use counts.
    pub(super) fn spend(&mut self, now: Timestamp, token: &str) {
        let key = lookup(token);
        let Some(refresh) = self.refresh.get_mut(&key) else { return };
        if refresh.spent_at.is_some() {
            return;
        }
        refresh.spent_at = Some(now);
        if let Some(grant) = self.grants.get_mut(&refresh.grant) {
            if grant.spent.len() >= Self::SPENT_SHOWN {
                grant.spent.pop_front();
            }
            grant.spent.push_back(fingerprint(&key));
        }
    }

    pub(super) fn revoke(&mut self, id: GrantId) -> bool {
        let grant = self.grants.get_mut(&id);
        grant.map(|grant| grant.revoked = true).is_some()
    }

    /// Kills the access tokens of a grant.
    pub(super) fn kill_access_of_grant(&mut self, grant: GrantId) {
        let tokens = self.access.values_mut().filter(|it| it.grant == Some(grant));
        tokens.for_each(|it| it.killed = true);
    }

    /// Kills the access tokens that a client got for itself.
    pub(super) fn kill_access_of_client(&mut self, client: &str) {
        let tokens = self.access.values_mut();
        let own = tokens.filter(|it| it.grant.is_none() && it.client == client);
        own.for_each(|it| it.killed = true);
    }

    pub(super) fn knows(&self, secret: &Lookup) -> bool {
        self.access.contains_key(secret)
            || self.refresh.contains_key(secret)
            || self.codes.contains_key(secret)
    }

    pub(super) fn grants(&self, now: Timestamp, world: &World) -> Vec<GrantView> {
        let views = self.grants.iter().map(|(id, grant)| (*id, view(world, *id, grant)));
        let mut views: BTreeMap<GrantId, GrantView> = views.collect();
        let live = |grant: &GrantView| !grant.revoked;
        for (key, it) in self.access.iter().filter(|(_, it)| it.is_live(now)) {
            let grant = it.grant.and_then(|id| views.get_mut(&id)).filter(|it| live(it));
            grant.into_iter().for_each(|grant| grant.live_access.push(fingerprint(key)));
        }
        for (key, it) in &self.refresh {
            if it.spent_at.is_none() && it.is_young(now) {
                let grant = views.get_mut(&it.grant).filter(|it| live(it));
                grant.into_iter().for_each(|grant| grant.live_refresh.push(fingerprint(key)));
            }
        }
        views.into_values().collect()
    }
}

/// A grant without its live tokens.
fn view(world: &World, id: GrantId, grant: &Grant) -> GrantView {
    let gone = world.client(&grant.client).is_none()
        || !world.user(&grant.user).is_some_and(|user| user.active);
    GrantView {
        client_id: grant.client.clone(),
        id,
        live_access: Vec::new(),
        live_refresh: Vec::new(),
        revoked: grant.revoked || gone,
        scopes: grant.scopes.clone(),
        spent_refresh: grant.spent.iter().copied().collect(),
        user_id: grant.user.clone(),
    }
}

impl Access {
    /// Tells whether it works, as far as its grant, user and client do.
    pub(super) fn is_live(&self, now: Timestamp) -> bool {
        !self.killed && now < self.expires_at
    }
}

impl Refresh {
    /// Tells whether it is within its 28 days.
    pub(super) fn is_young(self, now: Timestamp) -> bool {
        now < self.issued_at.after(RefreshToken::LIFE)
    }
}

fn fingerprint(key: &Lookup) -> Fingerprint {
    Fingerprint::of_digest(&SecretDigest::from_bytes(*key))
}
