//! What is sent to the token endpoint, what the server makes of it, and what comes back.

use std::time::Duration;

use sr_auth_core::{Fingerprint, Timestamp};

use super::chain::Given;
use super::{Armed, CLOCK_ERROR, Excuse, Grant, Invariant, Oracle};

/// A request that was sent, as the judge remembers it.
#[derive(Clone, Copy, Debug)]
pub(in crate::simulation) struct Presentation {
    armed: Option<Armed>,
    grant: usize,
    process: usize,
    /// The refresh token; `None` for client credentials.
    token: Option<Fingerprint>,
}

/// What a process hears of a request that it sent.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(in crate::simulation) enum Heard {
    /// A refusal that has nothing to do with the grant: the presentation is over.
    Clean,
    /// Nothing, or nothing that tells whether the server acted.
    Doubtful,
    /// The refresh token is refused.
    Refused,
    /// Tokens, or at least a refresh token.
    Tokens,
    /// It was not sent.
    Unsent,
}

/// The span in which requests are counted.
const STORM: Duration = Duration::from_secs(60);

/// By how much a clock may be set when the store first tells the time.
pub(super) const CLOCK_SET: Duration = Duration::from_secs(10);

impl Oracle {
    /// Is told that the first byte of a request leaves.
    pub(in crate::simulation) fn presented(
        &mut self,
        at: Timestamp,
        process: usize,
        grant: usize,
        token: Option<Fingerprint>,
        answer_within: Duration,
    ) -> Presentation {
        let seen = self.processes.get(process).and_then(|it| it.seen.get(grant)).copied();
        let seen = seen.unwrap_or_default();
        let armed = seen.armed.filter(|it| !it.used);
        let presentation = Presentation { armed, grant, process, token };
        if let Some(seen) = self.seen_mut(process, grant) {
            seen.in_flight = Some(at.after(answer_within));
            seen.armed.iter_mut().for_each(|it| it.used = true);
        }
        let one_flight = seen.in_flight.is_none().then_some(());
        self.hold(one_flight, Invariant::OneFlight, "a second request", at, &presentation);
        self.intent_comes_first(at, &presentation);
        self.presents_the_newest(at, &presentation, seen.generation);
        self.no_storm(at, &presentation);
        self.pause_is_kept(at, &presentation);
        if token.is_some() {
            self.take_over_is_quiet(at, &presentation, answer_within);
        }
        presentation
    }

    /// A durable intent of this process names the token, and it was written a moment ago.
    fn intent_comes_first(&mut self, at: Timestamp, it: &Presentation) {
        let broken = Invariant::IntentComesFirst;
        let Some(armed) = it.armed else {
            return self.hold(None, broken, "a request without an intent", at, it);
        };
        let named = (armed.presents == it.token).then_some(());
        self.hold(named, broken, "the intent names another token", at, it);
        let fence = self.rules.fence + CLOCK_ERROR;
        let in_time = (at.since(armed.asked_at) <= fence).then_some(());
        self.hold(in_time, broken, "a request outside the fence", at, it);
        let Some(grant) = self.grants.get(it.grant).filter(|it| !it.repeatable) else { return };
        let stands = grant.row.is_some_and(|row| row.intent == Some(armed.id));
        let cleared = grant.cleared_at >= armed.at;
        // A late commit may land between the claim and the request; no client can make both one act.
        let crossed = grant.row.is_some_and(|row| row.generation > armed.generation);
        let stands = (stands || cleared || crossed).then_some(());
        self.hold(stands, broken, "the intent does not stand any more", at, it);
    }

    /// The token is the one that the record had when it was claimed, and the process has seen
    /// nothing newer.
    fn presents_the_newest(
        &mut self,
        at: Timestamp,
        it: &Presentation,
        seen: sr_auth_core::store::Generation,
    ) {
        let (Some(armed), Some(token)) = (it.armed, it.token) else { return };
        let broken = Invariant::PresentsTheNewest;
        let inside = (armed.refresh == Some(token)).then_some(());
        self.hold(inside, broken, "the token was not read inside the claim", at, it);
        let newest = (seen <= armed.generation).then_some(());
        self.hold(newest, broken, "a newer generation was seen before", at, it);
        let foreign = self.chain.refresh(token).is_some_and(|token| token.grant != it.grant);
        let own = (!foreign).then_some(());
        self.hold(own, Invariant::NoCrossTalk, "another grant's token is presented", at, it);
    }

    /// No other presentation of the token can still reach the server.
    fn take_over_is_quiet(&mut self, at: Timestamp, it: &Presentation, answer_within: Duration) {
        let restored = self.grants.get(it.grant).and_then(|grant| grant.restored_at);
        let window = at.after(answer_within + self.rules.network);
        let Some(token) = it.token.and_then(|token| self.chain.refresh_mut(token)) else { return };
        let busy = token.busy_until > at.after(CLOCK_ERROR);
        token.busy_until = token.busy_until.max(window);
        // A backup that is put back forgets the intents of its future.
        let forgotten = restored.is_some_and(|restored| restored.after(STORM * 3) > at);
        let quiet = (!busy || forgotten).then_some(());
        let detail = "another presentation of the token may still be processed";
        self.hold(quiet, Invariant::TakeOverIsQuiet, detail, at, it);
    }

    fn no_storm(&mut self, at: Timestamp, it: &Presentation) {
        let limit = Grant::SENT_A_MINUTE * self.processes.len();
        let Some(grant) = self.grants.get_mut(it.grant) else { return };
        grant.sent.retain(|sent| at.since(*sent) < STORM);
        grant.sent.push_back(at);
        let calm = (grant.sent.len() <= limit).then_some(());
        let detail = "the token endpoint is asked for one grant again and again";
        self.hold(calm, Invariant::NoStorm, detail, at, it);
    }

    /// Nothing is begun while the server wants to be left alone. A clock that is set meanwhile may
    /// make the wait a little shorter.
    fn pause_is_kept(&mut self, at: Timestamp, it: &Presentation) {
        let (told_at, until) =
            self.processes.get(it.process).map(|it| it.asked_to_pause).unwrap_or_default();
        // What was begun before may still leave, within its fence.
        let told_at = told_at.after(self.rules.fence);
        let begun_after = it.armed.is_some_and(|armed| armed.asked_at > told_at);
        let kept = (!begun_after || at.after(CLOCK_SET) >= until).then_some(());
        let detail = "the token endpoint is asked while it wants to be left alone";
        self.hold(kept, Invariant::NoStorm, detail, at, it);
    }

    /// Is told that the server asks a process to leave it alone for a while.
    pub(in crate::simulation) fn pause_is_asked(
        &mut self,
        at: Timestamp,
        process: usize,
        span: Duration,
    ) {
        if let Some(it) = self.processes.get_mut(process) {
            it.asked_to_pause = (at, at.after(span).max(it.asked_to_pause.1));
        }
    }

    fn hold(
        &mut self,
        held: Option<()>,
        invariant: Invariant,
        detail: &'static str,
        at: Timestamp,
        it: &Presentation,
    ) {
        if held.is_none() {
            self.break_promise(at, invariant, detail, Some(it.process), Some(it.grant));
        }
    }

    /// Is told that the server has processed a request: what it gave, and whether the token that was
    /// presented is spent by it. `true` if that has kept alive a grant whose token was old.
    pub(in crate::simulation) fn processed(
        &mut self,
        at: Timestamp,
        it: &Presentation,
        given: Option<Given>,
        spends: bool,
    ) -> bool {
        let Some(given) = given else { return false };
        self.chain.issue(at, it.grant, given);
        let Some(grant) = self.grants.get_mut(it.grant).filter(|it| !it.repeatable) else {
            return false;
        };
        grant.live.extend(given.refresh);
        if !spends {
            return false;
        }
        let presented = it.token.and_then(|token| self.chain.refresh(token));
        let is_old = presented.is_some_and(|token| token.is_old(at));
        if let Some(token) = it.token {
            grant.live.retain(|live| *live != token);
            self.chain.refresh_mut(token).into_iter().for_each(|token| token.live = false);
        }
        if given.refresh.is_none() {
            self.kill(it.grant, Excuse::Withheld);
        }
        is_old && given.refresh.is_some()
    }

    /// Is told that the server has revoked a grant because a spent token came again.
    pub(in crate::simulation) fn revoked_by_reuse(
        &mut self,
        at: Timestamp,
        it: &Presentation,
        is_second: bool,
    ) {
        let excuse = self.excuse_for_reuse(it, is_second);
        if excuse.is_none() {
            let detail = "a spent refresh token was presented, and the server revoked the grant";
            self.hold(None, Invariant::NoAvoidableLoss, detail, at, it);
        }
        self.kill(it.grant, excuse.unwrap_or(Excuse::OwnerSilent));
    }

    fn excuse_for_reuse(&self, it: &Presentation, is_second: bool) -> Option<Excuse> {
        let grant: &Grant = self.grants.get(it.grant)?;
        if is_second {
            return Some(Excuse::NetworkDuplicate);
        }
        if grant.restored_at.is_some() {
            return Some(Excuse::Restored);
        }
        let held = grant.live.iter().filter_map(|name| self.chain.refresh(*name));
        let mut existing = held.filter(|token| token.exists()).peekable();
        if existing.peek().is_none() {
            // Nothing was left to lose.
            return Some(grant.excuse.unwrap_or(Excuse::AnswerDestroyed));
        }
        let armed = it.armed.filter(|it| it.over)?;
        let own = 1_u64 << it.process;
        let mut excuse = Excuse::OwnerSilent;
        for token in existing {
            match token.durable_at {
                Some(durable_at) if durable_at <= armed.at => return None,
                Some(_) => excuse = Excuse::CommitCrossed,
                None if token.holders & own != 0 => return None,
                None => {}
            }
        }
        Some(excuse)
    }

    /// Is told what a process hears of its request; `given` is what the answer carries, if it
    /// carries all of it.
    pub(in crate::simulation) fn heard(
        &mut self,
        at: Timestamp,
        it: &Presentation,
        heard: Heard,
        given: Option<Given>,
    ) {
        let refresh = given.and_then(|given| given.refresh);
        if heard == Heard::Tokens {
            self.chain.held(refresh, it.process);
        }
        if let Some(seen) = self.seen_mut(it.process, it.grant) {
            seen.in_flight = None;
            if heard == Heard::Refused {
                seen.refused = it.token.map(|token| (token, at));
            }
        }
        let over = matches!(heard, Heard::Clean | Heard::Refused | Heard::Tokens | Heard::Unsent);
        if let Some(token) = it.token.filter(|_| over).and_then(|it| self.chain.refresh_mut(it)) {
            // A complete answer, or none at all: nothing of the request is left on the way.
            token.busy_until = at;
        }
    }

    /// Is told that an answer is gone, with what it carried: `arrived` says that it reached a
    /// process that lives.
    pub(in crate::simulation) fn answer_is_gone(
        &mut self,
        it: &Presentation,
        given: Option<Given>,
        arrived: bool,
    ) {
        self.chain.landed(given.and_then(|given| given.refresh));
        if !arrived {
            self.look_for_loss(it.grant, Excuse::AnswerDestroyed);
        }
    }
}
