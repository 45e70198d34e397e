//! What callers are given, and what a process says.

use std::time::Duration;

use sr_auth_core::lifecycle::Event;
use sr_auth_core::store::Generation;
use sr_auth_core::{Fingerprint, Timestamp};

use super::{CLOCK_ERROR, Invariant, Oracle};

/// What a caller gets, by name.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(in crate::simulation) enum Shown {
    /// A reason; `for_good` says that only a person can help.
    Failed { for_good: bool },
    /// A wait.
    Pending,
    /// A token.
    Ready { ends_at: Timestamp, token: Fingerprint },
}

/// How long a machine may take to make up its mind between two answers.
pub(super) const SETTLED: Duration = Duration::from_secs(10);

impl Oracle {
    /// Is told what a caller gets at `local`, by the process's clock.
    pub(in crate::simulation) fn served(
        &mut self,
        at: Timestamp,
        local: Timestamp,
        process: usize,
        grant: usize,
        shown: Shown,
    ) {
        self.callers_were_told(at, process, grant, shown);
        match shown {
            Shown::Failed { .. } | Shown::Pending => {
                self.good_token_is_served(at, local, process, grant);
            }
            Shown::Ready { ends_at, token } => {
                let broken = |this: &mut Self, invariant, detail| {
                    this.break_promise(at, invariant, detail, Some(process), Some(grant));
                };
                if local >= ends_at {
                    broken(self, Invariant::NoStaleToken, "a token is served past its end");
                }
                match self.chain.access(token).copied() {
                    None => {
                        let detail = "a token is served that nobody has issued";
                        broken(self, Invariant::NoCrossTalk, detail);
                    }
                    Some(known) if known.grant != grant => {
                        broken(self, Invariant::NoCrossTalk, "another grant's token is served");
                    }
                    Some(known) if at >= known.expires_at => {
                        broken(self, Invariant::NoStaleToken, "an expired token is served");
                    }
                    Some(_) => {}
                }
                self.end_is_heard(at, process, grant);
            }
        }
    }

    /// Is told that a caller has asked, and waits if there was nothing for it.
    pub(in crate::simulation) fn waits(&mut self, process: usize, grant: usize) {
        if let Some(seen) = self.seen_mut(process, grant) {
            seen.waits = seen.shows_pending;
            seen.in_vain |= seen.shows_pending;
        }
    }

    /// Is told that a process tells its callers to look again.
    pub(in crate::simulation) fn callers_are_told(&mut self, process: usize, grant: usize) {
        if let Some(seen) = self.seen_mut(process, grant) {
            seen.waits = false;
        }
    }

    /// Who waits must be told when there is something.
    fn callers_were_told(&mut self, at: Timestamp, process: usize, grant: usize, shown: Shown) {
        let Some(seen) = self.seen_mut(process, grant) else { return };
        seen.resident = true;
        seen.shows_pending = shown == Shown::Pending;
        seen.in_vain &= seen.shows_pending;
        if seen.waits && !seen.shows_pending {
            let detail = "a caller waits for what is there, and nobody tells it";
            let broken = Invariant::CallersAreAnswered;
            self.break_promise(at, broken, detail, Some(process), Some(grant));
        }
    }

    fn good_token_is_served(
        &mut self,
        at: Timestamp,
        local: Timestamp,
        process: usize,
        grant: usize,
    ) {
        // Of a grant whose record is gone nobody knows whether it has ended.
        let Some(it) = self.grants.get(grant).filter(|it| it.repeatable || it.row.is_some()) else {
            return;
        };
        let (has_ended, ended_with) = (it.ended_at.is_some(), it.ended_with);
        let Some(seen) = self.seen_mut(process, grant) else { return };
        let good = seen.access.is_some_and(|(name, ends_at)| {
            seen.rejected != Some(name) && local.after(CLOCK_ERROR) < ends_at
        });
        // Another answer may be on its way that the machine rather listens to.
        let good = good && at >= seen.access_at.after(SETTLED);
        if good && !seen.ended && !has_ended && seen.held >= ended_with && seen.commanded == 0 {
            let detail = "a good access token is held and not served";
            let broken = Invariant::GoodTokenIsServed;
            self.break_promise(at, broken, detail, Some(process), Some(grant));
        }
    }

    /// A process that was told of an end serves nothing more.
    fn end_is_heard(&mut self, at: Timestamp, process: usize, grant: usize) {
        let ended_at = self.grants.get(grant).filter(|it| it.restored_at.is_none());
        let ended_at = ended_at.and_then(|it| it.ended_at);
        let pulsed_at = self.processes.get(process).map(|it| it.pulsed_at);
        let is_heard = ended_at.zip(pulsed_at).is_some_and(|(ended, pulsed)| ended < pulsed);
        let Some(seen) = self.seen_mut(process, grant) else { return };
        // Who came later and was shown an old record by a replica does not know better.
        let knows = seen.ended || seen.told_end.is_some() || (is_heard && !seen.outdated);
        if knows && seen.commanded == 0 {
            let detail = "a grant is served that has ended, and the process knows it";
            self.break_promise(at, Invariant::EndIsHeard, detail, Some(process), Some(grant));
        }
    }

    /// Is told that a process is told to end a grant or to take a new one.
    pub(in crate::simulation) fn commanded(&mut self, process: usize, grant: usize) {
        if let Some(seen) = self.seen_mut(process, grant) {
            seen.commanded += 1;
        }
    }

    /// Is told that the API refuses an access token to a process, which will be told.
    pub(in crate::simulation) fn rejects(
        &mut self,
        process: usize,
        grant: usize,
        token: Fingerprint,
    ) {
        // The rejection of a token that nobody has issued says nothing of the one that is served.
        if self.chain.access(token).is_none() {
            return;
        }
        if let Some(seen) = self.seen_mut(process, grant) {
            seen.rejected = Some(token);
        }
    }

    /// Is told that a process knows of a rejection: `before` and `after` are what callers get.
    pub(in crate::simulation) fn rejected(
        &mut self,
        at: Timestamp,
        process: usize,
        grant: usize,
        token: Fingerprint,
        (before, after): (Shown, Shown),
    ) {
        let other = matches!(before, Shown::Ready { token: served, .. } if served != token);
        if other && before != after {
            let detail = "the rejection of one token has taken another";
            let broken = Invariant::RejectionIsPrecise;
            self.break_promise(at, broken, detail, Some(process), Some(grant));
        }
    }

    /// Is told what a process says. It may not say that something is durable before it is.
    #[expect(clippy::wildcard_enum_match_arm, reason = "few events claim to be durable")]
    pub(in crate::simulation) fn told(
        &mut self,
        at: Timestamp,
        process: usize,
        grant: usize,
        event: &Event,
    ) {
        if let (Event::Adopted { .. } | Event::Ended { .. }, Some(seen)) =
            (event, self.seen_mut(process, grant))
        {
            seen.commanded = seen.commanded.saturating_sub(1);
        }
        let Some(it) = self.grants.get(grant) else { return };
        if self.restored_at.is_some() {
            // What was durable may be gone since.
            return;
        }
        let durable = match event {
            Event::Adopted { generation } | Event::Rotated { generation, .. } => {
                *generation <= it.generation || generation_of(it.row) >= *generation
            }
            Event::Died { .. } => it.buried,
            Event::Ended { .. } => it.ended_at.is_some() || it.cleared_at != Timestamp::EPOCH,
            // Nothing else claims to be durable.
            _ => true,
        };
        if !durable {
            let detail = "a process says that something is durable, and it is not";
            let broken = Invariant::AcknowledgedWhenDurable;
            self.break_promise(at, broken, detail, Some(process), Some(grant));
        }
    }
}

fn generation_of(row: Option<super::Row>) -> Generation {
    row.map(|row| row.generation).unwrap_or_default()
}
