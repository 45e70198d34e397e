//! What must be true when the faults are over and everybody has had time.

use sr_auth_core::Timestamp;
use sr_auth_core::lifecycle::Recovery;
use sr_auth_core::store::Health;

use super::record::is_ended;
use super::service::SETTLED;
use super::{Excuse, Grant, Invariant, Oracle, Row, Shown};

/// What the judge has to know of a run at rest.
#[derive(Clone, Copy, Debug)]
pub(in crate::simulation) struct Condition {
    /// The server lets a refresh token live on instead of giving a successor.
    pub(in crate::simulation) keeps: bool,
    /// The server refuses dead tokens in a way that is believed only after a day.
    pub(in crate::simulation) unrecognised: bool,
}

impl Oracle {
    /// Judges a grant as a process serves it, at the end of the rest.
    pub(in crate::simulation) fn rests(
        &mut self,
        at: Timestamp,
        process: usize,
        grant: usize,
        shown: Shown,
        condition: Condition,
    ) {
        let Some(it) = self.grants.get(grant) else { return };
        if self.waits_for_a_person(it) {
            return;
        }
        let broken = if it.repeatable {
            matches!(shown, Shown::Ready { .. })
                .then_some(())
                .ok_or((Invariant::CallersAreAnswered, "client credentials bring no token"))
        } else if it.row.is_none_or(|row| is_ended(row.health)) {
            match shown {
                Shown::Failed { for_good: true } => Ok(()),
                Shown::Failed { .. } | Shown::Pending | Shown::Ready { .. } => {
                    Err((Invariant::EndIsHeard, "an ended grant is not reported as such"))
                }
            }
        } else if self.can_live(it) {
            let seen = self.processes.get(process).and_then(|it| it.seen.get(grant));
            // Its token may have ended since somebody asked last, or a moment ago: a peer's renewal is
            // heard of soon.
            let nobody_asks = shown == Shown::Pending && seen.is_none_or(|seen| !seen.in_vain);
            let access = seen.and_then(|seen| seen.access);
            let just_ended = access.is_some_and(|(_, ends_at)| at < ends_at.after(SETTLED));
            self.lives(at, it, (shown, nobody_asks || just_ended), condition)
        } else {
            dies(it, shown, condition)
        };
        if let Err((invariant, detail)) = broken {
            self.break_promise(at, invariant, detail, Some(process), Some(grant));
        }
    }

    /// Tells whether a presentation is in doubt that nobody may repeat.
    fn waits_for_a_person(&self, grant: &Grant) -> bool {
        let stands = grant.row.is_some_and(|row| row.intent.is_some());
        stands && self.rules.recovery == Recovery::Never && !grant.repeatable
    }

    /// Tells whether a token that the server takes is anywhere.
    fn can_live(&self, grant: &Grant) -> bool {
        let mut live = grant.live.iter().filter_map(|name| self.chain.refresh(*name));
        live.any(|token| token.exists())
    }

    fn lives(
        &self,
        at: Timestamp,
        grant: &Grant,
        (shown, may_wait): (Shown, bool),
        condition: Condition,
    ) -> Result<(), (Invariant, &'static str)> {
        let Some(row) = grant.row else { return Ok(()) };
        if grant.excuse == Some(Excuse::Restored) && !matches!(shown, Shown::Ready { .. }) {
            return Ok(());
        }
        let is_kept = grant.live.iter().any(|name| row.keeps(*name));
        let is_doubted = condition.unrecognised && row.health == Health::Suspect;
        if is_doubted && is_kept && at < row.not_before {
            // What refused it is over, and the token will be presented again: refusals that nobody
            // understands have pauses of up to six hours, and what was put aside is tried when they
            // are believed.
            return match shown {
                Shown::Failed { for_good: true } => {
                    Err((Invariant::NoAvoidableLoss, "a live grant is reported dead"))
                }
                Shown::Failed { for_good: false } | Shown::Pending | Shown::Ready { .. } => Ok(()),
            };
        }
        if !row.refresh.is_some_and(|name| grant.live.contains(&name)) {
            return Err((Invariant::NoAvoidableLoss, "the store does not have the live token"));
        }
        if row.health != Health::Live && !(condition.keeps && row.health == Health::LastLeg) {
            return Err((Invariant::NoAvoidableLoss, "a grant that could live is not live"));
        }
        match shown {
            Shown::Ready { .. } => Ok(()),
            Shown::Failed { for_good: true } => {
                Err((Invariant::NoAvoidableLoss, "a live grant is reported dead"))
            }
            Shown::Failed { for_good: false } | Shown::Pending if may_wait => Ok(()),
            Shown::Failed { for_good: false } | Shown::Pending => {
                Err((Invariant::CallersAreAnswered, "a live grant brings no token"))
            }
        }
    }

    /// Judges the tokens that were received, at the end of the rest: each was offered to the store,
    /// though another may be its record's by now.
    pub(in crate::simulation) fn successors_rest(&mut self, at: Timestamp, grant: usize) {
        let Some(it) = self.grants.get(grant).filter(|it| !it.repeatable) else { return };
        let ended = it.row.is_none_or(|row| is_ended(row.health));
        if ended || it.escrowed || it.restored_at.is_some() || self.waits_for_a_person(it) {
            return;
        }
        let mut live = it.live.iter().filter_map(|name| self.chain.refresh(*name));
        if live.any(|token| token.is_withheld()) {
            let detail = "a successor was received, and the store never had it";
            self.break_promise(at, Invariant::SuccessorIsKept, detail, None, Some(grant));
        }
    }

    /// Judges an intent at the end of the rest.
    pub(in crate::simulation) fn intents_rest(&mut self, at: Timestamp, grant: usize) {
        let Some(it) = self.grants.get(grant).filter(|it| !it.repeatable) else { return };
        let over = |row: Row| {
            let waits = row.health == Health::Suspect;
            row.intent.is_some() && !waits && at > row.armed_at.after(row.quiet * 2)
        };
        if it.row.is_some_and(over) && !self.waits_for_a_person(it) {
            let detail = "an intent stands that nobody settles";
            self.break_promise(at, Invariant::IntentIsSettled, detail, None, Some(grant));
        }
    }
}

fn dies(
    grant: &Grant,
    shown: Shown,
    condition: Condition,
) -> Result<(), (Invariant, &'static str)> {
    let reported = matches!(shown, Shown::Failed { for_good: true });
    let last_leg = grant.row.is_some_and(|row| row.health == Health::LastLeg);
    let serves = matches!(shown, Shown::Ready { .. });
    let suspected = grant.row.is_some_and(|row| row.refusals > 0);
    if reported || (condition.unrecognised && suspected) || (last_leg && serves) {
        return Ok(());
    }
    Err((Invariant::DeathIsReported, "a grant that nobody can save is not reported dead"))
}
