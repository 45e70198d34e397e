//! Leaving out of the ledger what can make no difference any more.

use std::collections::BTreeSet;

use sr_auth_core::Timestamp;

use super::{Code, GrantId, Ledger, Presented};
use crate::simulator::Simulator;

/// The number of entries at which the ledger is swept next: whenever it has doubled, so that a run
/// of any length keeps what is alive and little else, at a constant cost for each entry.
#[derive(Debug)]
pub(super) struct SweepAt(usize);

impl SweepAt {
    const FIRST: usize = 4_096;
}

impl Default for SweepAt {
    fn default() -> Self {
        Self(Self::FIRST)
    }
}

impl Ledger {
    /// How many grants without a token that works are still told of, the newest.
    const DEAD_GRANTS: usize = 1_024;

    /// Sweeps when it is time; call it after something was put in, which then counts as alive.
    pub(super) fn sweep_if_due(&mut self, now: Timestamp) {
        if self.len() < self.sweep_at.0 {
            return;
        }
        self.sweep(now);
        self.sweep_at = SweepAt(self.len().saturating_mul(2).max(SweepAt::FIRST));
    }

    fn len(&self) -> usize {
        self.access.len() + self.codes.len() + self.grants.len() + self.refresh.len()
    }

    /// Leaves what is alive, and what the reuse of a code or of a refresh token is judged by for as
    /// long as the judgement can end a token.
    fn sweep(&mut self, now: Timestamp) {
        let live = self.live_grants(now);
        let mut access = std::mem::take(&mut self.access);
        access.retain(|_, it| self.is_live(it, now));
        self.access = access;
        self.codes.retain(|_, it| is_of_use(it, now, &live));
        self.refresh.retain(|_, it| live.contains(&it.grant));
        let dead = self.grants.keys().rev().filter(|id| !live.contains(id));
        if let Some(newest_left_out) = dead.copied().nth(Self::DEAD_GRANTS) {
            self.grants.retain(|id, _| *id > newest_left_out || live.contains(id));
        }
    }

    /// The grants that have a token which works, or may bring one.
    fn live_grants(&self, now: Timestamp) -> BTreeSet<GrantId> {
        let access =
            self.access.values().filter(|it| self.is_live(it, now)).filter_map(|it| it.grant);
        // A spent refresh token counts, since a switch can have it taken again.
        let refresh = self.refresh.values().filter(|it| it.is_young(now)).map(|it| it.grant);
        let alive = |id: &GrantId| self.grants.get(id).is_some_and(|grant| !grant.revoked);
        access.chain(refresh).filter(alive).collect()
    }
}

fn is_of_use(code: &Code, now: Timestamp, live: &BTreeSet<GrantId>) -> bool {
    match code.presented {
        Presented::InVain | Presented::Never => now.since(code.issued_at) < Simulator::CODE_LIFE,
        Presented::With(grant) => live.contains(&grant),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use sr_auth_core::RefreshToken;

    use super::super::{Access, AccessNumber, GrantId, lookup};
    use super::*;

    fn at(secs: u64) -> Timestamp {
        Timestamp::from_unix_secs(secs)
    }

    /// A grant that was given by code, and one refresh token for each rotation.
    fn grant(ledger: &mut Ledger, now: Timestamp, name: &str, rotations: usize) -> GrantId {
        let code = Code {
            challenge: None,
            client: "c".into(),
            issued_at: now,
            presented: Presented::Never,
            redirect_uri: String::new(),
            scopes: Arc::default(),
            user: "u".into(),
        };
        ledger.add_code(name, code);
        let id = ledger.add_grant("c".into(), "u".into(), Arc::default());
        ledger.code_mut(name).expect("it was added").presented = Presented::With(id);
        for rotation in 0..=rotations {
            ledger.spend(now, &lookup(&format!("{name} refresh {}", rotation.saturating_sub(1))));
            let access = Access {
                client: "c".into(),
                expires_at: now.after(Simulator::ACCESS_TOKEN_LIFE),
                grant: Some(id),
                number: AccessNumber::default(),
                scopes: Arc::default(),
            };
            ledger.add_access(now, &format!("{name} access {rotation}"), access);
            ledger.add_refresh(now, &format!("{name} refresh {rotation}"), id);
        }
        id
    }

    #[test]
    fn what_is_over_does_not_pile_up_and_what_is_not_stays() {
        let mut ledger = Ledger::default();
        let kept = grant(&mut ledger, at(0), "kept", 3);
        for count in 0..20_000_u64 {
            let id = grant(&mut ledger, at(count), &format!("revoked {count}"), 0);
            assert!(ledger.revoke(id), "{count}");
        }
        assert!(ledger.len() < 2 * SweepAt::FIRST, "{}", ledger.len());
        assert!(ledger.grant(kept).is_some_and(|grant| !grant.revoked));
        assert!(ledger.code_mut("kept").is_some(), "its reuse may end the grant");
        let refresh = |it| ledger.refresh(&lookup(&format!("kept refresh {it}")));
        assert!((0..=3).all(|it| refresh(it).is_some()));
        assert!(ledger.access(&lookup("kept access 3")).is_none(), "it expired long ago");
        let newest = ledger.grants.last_key_value().map(|(GrantId(id), _)| *id);
        assert_eq!(newest, Some(20_001), "ids are not given twice");
    }

    #[test]
    fn a_grant_that_rotates_for_ever_keeps_its_last_spent_tokens() {
        let mut ledger = Ledger::default();
        let rotations = 3 * Ledger::SPENT_KEPT;
        grant(&mut ledger, at(0), "busy", rotations);
        let refresh = |it: usize| ledger.refresh(&lookup(&format!("busy refresh {it}")));
        let kept: Vec<_> = (0..=rotations).filter(|it| refresh(*it).is_some()).collect();
        assert_eq!(kept, (rotations - Ledger::SPENT_KEPT..=rotations).collect::<Vec<_>>());
        let spent = |it| refresh(it).and_then(|it| it.spent_at);
        assert_eq!((spent(rotations - 1), spent(rotations)), (Some(at(0)), None));
    }

    #[test]
    fn what_is_killed_is_what_was_issued_before() {
        let mut ledger = Ledger::default();
        let [first, second] = ["first", "second"].map(|it| grant(&mut ledger, at(0), it, 0));
        ledger.kill_access_of_grant(first);
        let killed = |name: &str| {
            let access = ledger.access(&lookup(&format!("{name} access 0"))).expect("it is young");
            ledger.is_killed(access)
        };
        assert_eq!([killed("first"), killed("second")], [true, false]);
        assert!(ledger.grant(second).is_some());
    }

    #[test]
    fn a_grant_ends_with_its_last_token_and_is_told_of_for_a_while() {
        let mut ledger = Ledger::default();
        let ids: Vec<_> =
            (0..2_000).map(|it| grant(&mut ledger, at(0), &format!("{it}"), 0)).collect();
        let day_28 = at(0).after(RefreshToken::LIFE);
        ledger.sweep(day_28.before(Duration::from_secs(1)));
        assert_eq!((ledger.grants.len(), ledger.refresh.len()), (2_000, 2_000));
        ledger.sweep(day_28);
        assert_eq!(ledger.grants.keys().copied().collect::<Vec<_>>(), ids[2_000 - 1_024..]);
        assert_eq!((ledger.access.len(), ledger.codes.len(), ledger.refresh.len()), (0, 0, 0));
    }

    #[test]
    fn a_code_that_brought_nothing_is_kept_for_its_life() {
        let mut ledger = Ledger::default();
        grant(&mut ledger, at(0), "of a grant", 0);
        for (name, presented) in [("never", Presented::Never), ("in vain", Presented::InVain)] {
            grant(&mut ledger, at(0), name, 0);
            ledger.code_mut(name).expect("it was added").presented = presented;
        }
        for (now, left) in [(29, 3), (30, 1)] {
            ledger.sweep(at(now));
            assert_eq!(ledger.codes.len(), left, "after {now} s");
        }
    }
}
