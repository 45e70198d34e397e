//! Codes and tokens: what was issued, to whom, and what is still alive.

mod sweep;

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::sync::Arc;

use sr_auth_core::{RefreshToken, ScopeSet, SecretDigest, Timestamp};

use super::fingerprint::{Fingerprint, Lookup, lookup};
use crate::world::World;
use sweep::SweepAt;

/// Names one consent of one user.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct GrantId(u64);

impl fmt::Display for GrantId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

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
    /// The last refresh tokens that were used, at most 1,024, in the order of their first use.
    pub spent_refresh: Vec<Fingerprint>,
    /// The user who gave it.
    pub user_id: String,
}

#[derive(Debug)]
pub(super) struct Access {
    pub(super) client: Arc<str>,
    pub(super) expires_at: Timestamp,
    pub(super) grant: Option<GrantId>,
    pub(super) number: AccessNumber,
    pub(super) scopes: Arc<ScopeSet>,
}

/// Counts the access tokens in the order in which they were issued, so that all earlier ones of a
/// grant are killed by remembering one number.
#[derive(Clone, Copy, Debug, Default, Eq, Ord, PartialEq, PartialOrd)]
pub(super) struct AccessNumber(u64);

#[derive(Clone, Debug)]
pub(super) struct Code {
    pub(super) challenge: Option<String>,
    pub(super) client: Arc<str>,
    pub(super) issued_at: Timestamp,
    pub(super) presented: Presented,
    pub(super) redirect_uri: String,
    pub(super) scopes: Arc<ScopeSet>,
    pub(super) user: Arc<str>,
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

#[derive(Debug)]
pub(super) struct Grant {
    pub(super) client: Arc<str>,
    /// The access tokens up to this one were killed.
    killed: AccessNumber,
    pub(super) revoked: bool,
    pub(super) scopes: Arc<ScopeSet>,
    spent: VecDeque<Lookup>,
    pub(super) user: Arc<str>,
}

/// All of it under the digests of the secrets, without what is long over.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    access: BTreeMap<Lookup, Access>,
    codes: BTreeMap<Lookup, Code>,
    grants: BTreeMap<GrantId, Grant>,
    issued: AccessNumber,
    /// The access tokens that a client got for itself, up to this one, were killed.
    killed: BTreeMap<Arc<str>, AccessNumber>,
    refresh: BTreeMap<Lookup, Refresh>,
    sweep_at: SweepAt,
}

impl Ledger {
    /// How many spent refresh tokens a grant's view names.
    const SPENT_SHOWN: usize = 1_024;
    /// By how many of its rotations the reuse of a refresh token is recognised: eight weeks of
    /// rotations every twenty minutes. Before that, a token was never heard of.
    const SPENT_KEPT: usize = 4_096;

    pub(super) fn add_access(&mut self, now: Timestamp, token: &str, access: Access) {
        self.issued = AccessNumber(self.issued.0.saturating_add(1));
        self.access.insert(lookup(token), Access { number: self.issued, ..access });
        self.sweep_if_due(now);
    }

    pub(super) fn add_code(&mut self, text: &str, code: Code) {
        let now = code.issued_at;
        self.codes.insert(lookup(text), code);
        self.sweep_if_due(now);
    }

    pub(super) fn add_grant(
        &mut self,
        client: Arc<str>,
        user: Arc<str>,
        scopes: Arc<ScopeSet>,
    ) -> GrantId {
        let next = self.grants.last_key_value().map_or(1, |(GrantId(last), _)| last + 1);
        let (killed, spent) = (AccessNumber::default(), VecDeque::new());
        let grant = Grant { client, killed, revoked: false, scopes, spent, user };
        self.grants.insert(GrantId(next), grant);
        GrantId(next)
    }

    pub(super) fn add_refresh(&mut self, now: Timestamp, token: &str, grant: GrantId) {
        let refresh = Refresh { grant, issued_at: now, spent_at: None };
        self.refresh.insert(lookup(token), refresh);
        self.sweep_if_due(now);
    }

    pub(super) fn access(&self, token: &Lookup) -> Option<&Access> {
        self.access.get(token)
    }

    pub(super) fn code_mut(&mut self, code: &str) -> Option<&mut Code> {
        self.codes.get_mut(&lookup(code))
    }

    pub(super) fn grant(&self, id: GrantId) -> Option<&Grant> {
        self.grants.get(&id)
    }

    pub(super) fn refresh(&self, token: &Lookup) -> Option<Refresh> {
        self.refresh.get(token).copied()
    }

    /// Marks a refresh token as used; the first use counts.
    pub(super) fn spend(&mut self, now: Timestamp, token: &Lookup) {
        let Some(refresh) = self.refresh.get_mut(token) else { return };
        if refresh.spent_at.is_some() {
            return;
        }
        refresh.spent_at = Some(now);
        let Some(grant) = self.grants.get_mut(&refresh.grant) else { return };
        grant.spent.push_back(*token);
        if grant.spent.len() > Self::SPENT_KEPT {
            let forgotten = grant.spent.pop_front();
            forgotten.and_then(|token| self.refresh.remove(&token));
        }
    }

    pub(super) fn revoke(&mut self, id: GrantId) -> bool {
        let grant = self.grants.get_mut(&id);
        grant.map(|grant| grant.revoked = true).is_some()
    }

    /// Kills the access tokens of a grant.
    pub(super) fn kill_access_of_grant(&mut self, grant: GrantId) {
        let issued = self.issued;
        self.grants.get_mut(&grant).into_iter().for_each(|grant| grant.killed = issued);
    }

    /// Kills the access tokens that a client got for itself.
    pub(super) fn kill_access_of_client(&mut self, client: &Arc<str>) {
        self.killed.insert(Arc::clone(client), self.issued);
    }

    /// Tells whether an access token was killed before its end.
    pub(super) fn is_killed(&self, access: &Access) -> bool {
        let killed = match access.grant {
            Some(grant) => self.grants.get(&grant).map(|grant| grant.killed),
            None => self.killed.get(&access.client).copied(),
        };
        killed.is_some_and(|killed| access.number <= killed)
    }

    /// Tells whether an access token works, as far as its grant, user and client do.
    fn is_live(&self, access: &Access, now: Timestamp) -> bool {
        now < access.expires_at && !self.is_killed(access)
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
        for (key, it) in self.access.iter().filter(|(_, it)| self.is_live(it, now)) {
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
    let forgotten = grant.spent.len().saturating_sub(Ledger::SPENT_SHOWN);
    GrantView {
        client_id: grant.client.as_ref().to_owned(),
        id,
        live_access: Vec::new(),
        live_refresh: Vec::new(),
        revoked: grant.revoked || gone,
        scopes: grant.scopes.as_ref().clone(),
        spent_refresh: grant.spent.iter().skip(forgotten).map(fingerprint).collect(),
        user_id: grant.user.as_ref().to_owned(),
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
