//! What steps refer to: what is there when they are taken.

use std::time::Duration;

use sr_auth_core::store::{
    Generation, GrantKey, IntentId, Model, NewGrant, NewIntent, Record, Refusals, Sequence,
    Sibling, StoreOp, StoredToken, Successor, TakeOver,
};
use sr_auth_core::{Fingerprint, Timestamp};
use sr_auth_store::Sealed;

use super::{At, Deed, Moment, Quiet, Which};
use crate::conformance::values::{LONG, intent, key, owner, token};

/// What the steps refer to.
#[derive(Debug)]
pub(in crate::conformance) struct Ground<'a> {
    pub(in crate::conformance) model: &'a Model<Sealed>,
    pub(in crate::conformance) now: Timestamp,
    pub(in crate::conformance) quiet: Duration,
    pub(in crate::conformance) sequence: Sequence,
}

/// The keys of the grants that steps are about.
pub(in crate::conformance) fn keys() -> [GrantKey; 2] {
    [grant_key(0), grant_key(1)]
}

fn grant_key(number: u8) -> GrantKey {
    key(if number == 0 { "planner/acme" } else { "planner/other" })
}

impl Ground<'_> {
    fn record(&self, grant: u8) -> Option<&Record<Sealed>> {
        self.model.record(&grant_key(grant))
    }

    fn refresh(&self, grant: u8) -> Option<Fingerprint> {
        self.record(grant)?.refresh.as_ref().map(|it| it.fingerprint)
    }

    fn generation(&self, grant: u8, at: At) -> Generation {
        let number = self.record(grant).map_or(0, |it| it.generation.number());
        Generation::from_number(match at {
            At::Current => number,
            At::Far => u64::MAX,
            At::Next => number.saturating_add(1),
            At::Previous => number.saturating_sub(1),
        })
    }

    fn intent(&self, grant: u8, which: Which) -> IntentId {
        let standing = || self.record(grant)?.intent.as_ref().map(|it| it.id);
        match which {
            Which::Named(of, number) => intent(of, number),
            Which::Standing => standing().unwrap_or_else(|| intent(9, 9)),
        }
    }

    fn moment(&self, moment: Moment) -> Timestamp {
        match moment {
            Moment::After(millis) => self.now.after(Duration::from_millis(millis)),
            Moment::End => Timestamp::MAX,
            Moment::Epoch => Timestamp::EPOCH,
            Moment::Renewal(name) => token(name, 0).renew_at,
        }
    }

    fn arm(
        &self,
        grant: u8,
        generation: Generation,
        id: IntentId,
        quiet: Quiet,
        over: Option<TakeOver>,
    ) -> StoreOp<Sealed> {
        let fingerprint = self.refresh(grant);
        let quiet = match quiet {
            Quiet::Long => LONG,
            Quiet::None => Duration::ZERO,
            Quiet::Short => self.quiet,
        };
        let intent = NewIntent { fingerprint, id, quiet };
        StoreOp::Arm { generation, intent, key: grant_key(grant), over }
    }

    /// Returns the operation that a deed means here and now.
    pub(in crate::conformance) fn op(&self, deed: &Deed) -> StoreOp<Sealed> {
        match *deed {
            Deed::Adopt { access, grant, only_if_missing, refresh, renewal } => {
                let (access, refresh) = (access.map(access_token), refresh.map(refresh_token));
                let new = NewGrant { access, refresh, renewal };
                StoreOp::Adopt { grant: new, key: grant_key(grant), only_if_missing }
            }
            Deed::Arm { at, grant, id: (of, number), over, quiet } => {
                let id = intent(of, number);
                let over = over.map(|(which, even_if_alive)| TakeOver {
                    even_if_alive,
                    intent: self.intent(grant, which),
                });
                self.arm(grant, self.generation(grant, at), id, quiet, over)
            }
            Deed::Bury { at, cause, grant, owner: of, refused } => {
                let (generation, key) = (self.generation(grant, at), grant_key(grant));
                let other = refused.map(|name| refresh_token(name).fingerprint);
                let refused = other.or_else(|| self.refresh(grant));
                StoreOp::Bury { cause, generation, key, owner: owner(of), refused }
            }
            Deed::Commit { access, at, grant, owner: of, refresh } => {
                let (access, refresh) = (access.map(access_token), refresh.map(refresh_token));
                StoreOp::Commit {
                    generation: self.generation(grant, at),
                    key: grant_key(grant),
                    owner: owner(of),
                    successor: Successor { access, refresh },
                }
            }
            Deed::Disarm { grant, id, not_before, refused } => {
                let before = self.record(grant).map(|it| it.refusals).unwrap_or_default();
                let refusals = refused.map(|status| before.after(self.now, status));
                StoreOp::Disarm {
                    intent: self.intent(grant, id),
                    key: grant_key(grant),
                    not_before: self.moment(not_before),
                    refusals: refusals.unwrap_or_else(Refusals::default),
                }
            }
            Deed::Due { limit, until } => StoreOp::Due { limit, until: self.moment(until) },
            Deed::End { at, end, grant } => {
                let generation = at.map(|at| self.generation(grant, at));
                StoreOp::End { end, generation, key: grant_key(grant) }
            }
            Deed::Escrow { at, grant, name, owner: of } => {
                let sibling = Sibling { from: self.generation(grant, at), token: token(name, 1) };
                StoreOp::Escrow { key: grant_key(grant), owner: owner(of), sibling }
            }
            Deed::Load { grant } => StoreOp::Load { key: grant_key(grant) },
            Deed::Pulse { alive, back, owner: of } => {
                let since = Sequence(self.sequence.0.saturating_sub(back));
                StoreOp::Pulse { alive, owner: owner(of), since }
            }
        }
    }
}

fn refresh_token(name: u64) -> StoredToken<Sealed> {
    token(name, 0)
}

fn access_token(name: u64) -> StoredToken<Sealed> {
    token(name + 500, 0)
}
