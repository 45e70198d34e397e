//! Refresh tokens that grow old: who could have renewed them, and what is said of their end.

use std::time::Duration;

use sr_auth_core::lifecycle::Recovery;
use sr_auth_core::store::{CauseOfDeath, Health};
use sr_auth_core::{RefreshToken, Timestamp};

use super::chain::Refresh;
use super::presentation::CLOCK_SET;
use super::record::{Change, is_ended};
use super::{Excuse, Invariant, Oracle, Row};

/// The spells in which nothing kept an idle grant from its renewal.
#[derive(Debug, Default)]
pub(super) struct Weather {
    spells: Vec<(Timestamp, Timestamp)>,
    well_since: Option<Timestamp>,
}

/// So much of its life is over when a refresh token is renewed though nobody asks for it, at the
/// latest; and at the earliest. In percent.
const OLD: (u32, u32) = (75, 60);

/// A spell in which everything works is long enough to renew what is due: scans, pauses after
/// failures, quiet periods and a few tries in vain take less.
const ENOUGH: Duration = Duration::from_secs(12 * 60 * 60);

impl Refresh {
    /// Tells whether it is so old that it is renewed though nobody asks for it.
    pub(super) fn is_old(&self, at: Timestamp) -> bool {
        at >= self.expires_at.before(RefreshToken::LIFE / 100 * (100 - OLD.1))
    }
}

impl Weather {
    fn changes(&mut self, at: Timestamp, is_well: bool) {
        match self.well_since {
            Some(since) if !is_well => {
                self.spells.push((since, at));
                self.well_since = None;
            }
            None if is_well => self.well_since = Some(at),
            Some(_) | None => {}
        }
    }

    /// Tells whether a spell between two moments was long enough.
    fn was_well(&self, from: Timestamp, to: Timestamp) -> bool {
        let current = self.well_since.map(|since| (since, to));
        let mut spells = self.spells.iter().copied().chain(current);
        spells.any(|(begin, end)| end.min(to) >= begin.max(from).after(ENOUGH))
    }
}

impl Oracle {
    /// Is told whether everything works just now.
    pub(in crate::simulation) fn weather(&mut self, at: Timestamp, is_well: bool) {
        self.weather.changes(at, is_well);
    }

    /// Is told to look at the age of a grant's refresh tokens: the server takes none that is older
    /// than its 28 days.
    pub(in crate::simulation) fn ages(&mut self, at: Timestamp, grant: usize) {
        let Some(it) = self.grants.get(grant).filter(|it| !it.repeatable) else { return };
        let mut live = it.live.iter().filter_map(|name| self.chain.refresh(*name)).peekable();
        if live.peek().is_none() || live.any(|token| at < token.expires_at) {
            return;
        }
        let kept = it.row.and_then(|row| self.chain.refresh(row.refresh?)).filter(|it| it.live);
        let excused = it.excuse.is_some() || it.restored_at.is_some();
        let could_renew = kept.is_some_and(|token| {
            let due = token.expires_at.before(RefreshToken::LIFE / 100 * (100 - OLD.0));
            let from = token.durable_at.map(|durable_at| durable_at.max(due));
            from.is_some_and(|from| self.weather.was_well(from, token.expires_at))
        });
        let wants = it.row.is_some_and(|row| self.wants_renewal(row));
        let ended = it.row.is_none_or(|row| is_ended(row.health));
        if could_renew && wants && !excused {
            let detail = "a refresh token grew too old, and there was time to renew it";
            let broken = Invariant::IdleGrantIsKeptAlive;
            self.break_promise(at, broken, detail, None, Some(grant));
        }
        if ended {
            self.ends_live(grant);
        } else {
            self.kill(grant, Excuse::Expired);
        }
    }

    /// Tells whether a record wants to be renewed, and may be.
    fn wants_renewal(&self, row: Row) -> bool {
        let waits = row.intent.is_some() && self.rules.recovery == Recovery::Never;
        row.health == Health::Live && !waits
    }

    /// A grant dies of its age if and only if its refresh token was past its end when it was
    /// refused.
    pub(super) fn age_is_told(&mut self, it: &Change, before: Row, cause: CauseOfDeath) {
        let Some((_, refused_at)) = it.evidence.refused else { return };
        let ends_at = before.refresh_ends_at;
        let is_over = refused_at >= ends_at.after(CLOCK_SET);
        let is_young = it.at.after(CLOCK_SET) < ends_at;
        let is_told = cause == CauseOfDeath::Expired;
        if (is_over && !is_told) || (is_young && is_told) {
            let detail = "the cause of death does not tell how old the refresh token was";
            self.fault(it, Invariant::CauseIsRight, detail);
        }
    }
}
