//! What must hold: at every presentation, after every step, and at rest.

use std::time::Duration;

use sr_auth_core::lifecycle::{Availability, Event, Input, View};
use sr_auth_core::store::{Health, StoreOp};
use sr_auth_core::{Fingerprint, Remedy, Timestamp};

use super::action::Action;
use super::step::{Bench, StoredRefresh, broken};
use super::world::{Ground, Message, Op, Phase, Request, Waiter, What, World};
use super::{Breach, Held, Scope};
use crate::simulation::{Excuse, Invariant};

/// Longer than an access token is good.
const ACCESS_LIFE: Duration = Duration::from_secs(3_600);
/// More steps than any run takes to come to rest by itself.
const STEPS: usize = 400;

impl World {
    /// A presentation has a durable intent that names it, written within the fence, and no other of
    /// the same token can still be processed.
    pub(super) fn presented(&mut self, process: usize, it: &Request, ground: &Ground) -> Held {
        let armed = self.slots.get(process).and_then(|slot| slot.armed);
        let named = armed.filter(|armed| armed.token == ground.refresh(it.token));
        let Some(armed) = named else {
            let detail = "a refresh token is presented that no durable intent names";
            return broken(Invariant::IntentComesFirst, detail);
        };
        let fence = ground.settings.margins().fence();
        if self.now > armed.asked_at.after(fence) {
            return broken(Invariant::IntentComesFirst, "a presentation outside the fence");
        }
        // Who lost the intents cannot tell.
        let is_judged = !self.is_emptied;
        if is_judged
            && self.busy.iter().any(|(token, until)| *token == it.token && *until > self.now)
        {
            let detail = "another presentation of the token may still be processed";
            return broken(Invariant::TakeOverIsQuiet, detail);
        }
        self.busy.push((it.token, it.ends_at(ground)));
        self.busy.sort_unstable();
        Ok(())
    }

    /// A grant is dead only when its stored refresh token is.
    pub(super) fn dead_is_dead(&self, ground: &Ground) -> Held {
        let Some(record) = self.record(ground) else { return Ok(()) };
        let live = self.server.live.and_then(|it| ground.refresh(it));
        // A store that has lost everything counts its generations anew.
        let is_dead = !self.is_emptied && matches!(record.health, Health::Dead(_));
        if is_dead && live.is_some() && name(record.refresh.as_ref()) == live {
            let detail = "the store says dead, and the server takes its refresh token";
            return broken(Invariant::DeathIsVerified, detail);
        }
        Ok(())
    }

    /// A process says that something is durable only when it is.
    pub(super) fn told(&self, event: &Event, ground: &Ground) -> Held {
        let stored = self.record(ground).map(|it| it.generation).unwrap_or_default();
        if let Event::Rotated { generation, .. } | Event::Adopted { generation } = event
            && *generation > stored
            && !self.is_emptied
        {
            let detail = "a process says that tokens are durable, and they are not";
            return broken(Invariant::AcknowledgedWhenDurable, detail);
        }
        Ok(())
    }

    /// The server has revoked the grant because a spent token came again: that is nobody's fault
    /// only if nothing was left to lose, or if its holder had stood still.
    pub(super) fn revoked(&mut self, live: Option<u8>, presenter: Waiter, ground: &Ground) -> Held {
        let views = self.views();
        let exists = live.is_some_and(|live| self.exists(live, &views, ground));
        if !exists {
            self.loss.get_or_insert(Excuse::AnswerDestroyed);
            return Ok(());
        }
        if !live.is_some_and(|live| self.is_held(live, &views, ground)) {
            // Its commit travels on, and its holder is gone.
            self.loss = Some(Excuse::HolderDied);
            return Ok(());
        }
        let live = live.and_then(|it| ground.refresh(it));
        let stored = self.record(ground).is_some_and(|it| name(it.refresh.as_ref()) == live);
        let Waiter::Process(process) = presenter else {
            self.loss = Some(Excuse::OwnerSilent);
            return Ok(());
        };
        let over = self.slots.get(process).and_then(|it| it.armed);
        let over = over.is_some_and(|it| it.is_again);
        let ours = views.get(process).and_then(Option::as_ref);
        let ours = ours.is_some_and(|it| it.uncommitted == live && live.is_some());
        // It was written after the last look of who presents: else that look had shown it.
        let crossed = stored && over;
        if self.is_emptied {
            self.loss = Some(Excuse::Restored);
            return Ok(());
        }
        let had_pause = self.budget.pauses < ground.case.scope.pauses;
        if !crossed && (!over || ours || !had_pause) {
            let detail = "a spent refresh token was presented, and the server revoked the grant";
            return broken(Invariant::NoAvoidableLoss, detail);
        }
        self.loss = Some(if crossed { Excuse::CommitCrossed } else { Excuse::OwnerSilent });
        Ok(())
    }

    /// The server has answered a request that nobody waits for any more.
    pub(super) fn answered_nobody(&mut self, waiter: Waiter, ground: &Ground) {
        let Some(live) = self.server.live else { return };
        if !self.exists(live, &self.views(), ground) {
            let died = waiter == Waiter::Died;
            let excuse = if died { Excuse::HolderDied } else { Excuse::AnswerDestroyed };
            self.loss.get_or_insert(excuse);
        }
    }

    /// The live token is somewhere, or it is known why it is not.
    pub(super) fn live_token_exists(
        &mut self,
        action: Action,
        views: &[Option<View>],
        ground: &Ground,
    ) -> Held {
        let Some(live) = self.server.live else { return Ok(()) };
        let is_ended = self.record(ground).is_some_and(|it| is_ended(it.health));
        if is_ended || self.loss.is_some() || self.exists(live, views, ground) {
            return Ok(());
        }
        self.loss = match action {
            Action::Advance | Action::Drop(_) | Action::GiveUp(_) | Action::Odd(..) => {
                Some(Excuse::AnswerDestroyed)
            }
            Action::Crash(_) | Action::Exit(_) | Action::Vanish(_) => Some(Excuse::HolderDied),
            Action::Empty => Some(Excuse::Restored),
            Action::Arrive(_)
            | Action::CarryOut(_)
            | Action::Deliver(_)
            | Action::Lose(_)
            | Action::Pause(_)
            | Action::Refuse(_)
            | Action::Restart(_)
            | Action::Resume(_)
            | Action::Slow(_)
            | Action::Timeout(_)
            | Action::Word(..)
            | Action::Write(_) => {
                let detail = "the only copy of the live refresh token is thrown away";
                return broken(Invariant::SuccessorIsKept, detail);
            }
        };
        Ok(())
    }

    /// Tells whether a copy of a refresh token is anywhere from where it can come to use.
    fn exists(&self, token: u8, views: &[Option<View>], ground: &Ground) -> bool {
        self.is_held(token, views, ground)
            || self.messages.iter().any(|message| carries(message, token, ground))
    }

    /// Tells whether the store has a refresh token, or a process that lives, or the answer to one.
    fn is_held(&self, token: u8, views: &[Option<View>], ground: &Ground) -> bool {
        let known = ground.refresh(token);
        let stored = self.record(ground).is_some_and(|it| {
            name(it.refresh.as_ref()) == known
                || name(it.sibling.as_ref().map(|it| &it.token)) == known
        });
        let held = |view: &View| view.refresh_token == known || view.uncommitted == known;
        let answers = self.messages.iter().any(|message| {
            matches!((message.waiter, &message.what), (Waiter::Process(_), What::Request(_)))
                && carries(message, token, ground)
        });
        let adopts = self.slots.iter().any(|it| it.adopts == Some(token));
        stored || answers || adopts || views.iter().flatten().any(held)
    }

    /// Judges a world in which nothing more happens by itself: when the access tokens have ended, a
    /// caller asks each process. Says why the grant is lost, if it is and nobody could have saved it.
    pub(super) fn rests(&self, bench: &mut Bench<'_>) -> Result<Option<Excuse>, Breach> {
        let mut world = self.clone();
        world.budget = Scope::default();
        world.now = world.now.after(ACCESS_LIFE);
        for process in 0..world.slots.len() {
            world.input(process, Input::Want, bench)?;
        }
        for _ in 0..STEPS {
            let Some(action) = world.actions(bench.ground).first().copied() else { break };
            world.take(action, bench)?;
        }
        let lost = world.is_lost(bench.ground)?;
        let is_ended = world.record(bench.ground).is_some_and(|it| is_ended(it.health));
        world.callers_are_answered(lost.is_some() || is_ended)?;
        Ok(lost)
    }

    /// Tells whether the grant is lost, and why nobody could have saved it.
    fn is_lost(&self, ground: &Ground) -> Result<Option<Excuse>, Breach> {
        let invariant = Invariant::NoAvoidableLoss;
        let record = self.record(ground);
        if record.is_some_and(|it| is_ended(it.health)) {
            return Ok(None);
        }
        let views = self.views();
        let live = self.server.live.filter(|live| self.exists(*live, &views, ground));
        let is_stored = record.is_some_and(|it| {
            let lives = matches!(it.health, Health::LastLeg | Health::Live | Health::Suspect);
            lives && live.and_then(|it| ground.refresh(it)) == name(it.refresh.as_ref())
        });
        match (live, self.loss) {
            (Some(_), _) if is_stored => Ok(None),
            (Some(_), _) if self.is_emptied => Ok(Some(Excuse::Restored)),
            (Some(_), _) => {
                let detail = "a live refresh token is there, and the grant is lost";
                Err(Breach { detail, invariant })
            }
            (None, Some(excuse)) => Ok(Some(excuse)),
            (None, None) => {
                let detail = "a grant is lost, and nothing was destroyed";
                Err(Breach { detail, invariant })
            }
        }
    }

    /// Every caller has a token, or the reason why a person is needed.
    fn callers_are_answered(&self, is_lost: bool) -> Held {
        for slot in &self.slots {
            let Some(machine) = slot.machine.as_deref().filter(|_| !slot.closing) else { continue };
            return match (machine.availability(self.now), is_lost) {
                (Availability::Ready(_), false) => continue,
                (Availability::Failed(it), true) if is_for_good(it.remedy()) => continue,
                (_, false) => broken(Invariant::CallersAreAnswered, "a live grant brings no token"),
                (_, true) => {
                    let detail = "a grant that nobody can save is not reported";
                    broken(Invariant::DeathIsReported, detail)
                }
            };
        }
        Ok(())
    }

    /// Returns until when nobody may arm over the intent that stands.
    pub(super) fn quiet_until(&self, ground: &Ground) -> Timestamp {
        let intent = self.record(ground).and_then(|it| it.intent.as_ref());
        intent.map_or(Timestamp::EPOCH, |it| it.armed_at.max(self.seen_at).after(it.quiet))
    }
}

const fn is_ended(health: Health) -> bool {
    matches!(health, Health::Disabled | Health::Revoked)
}

const fn is_for_good(remedy: Remedy) -> bool {
    matches!(remedy, Remedy::AskAdministrator | Remedy::Reauthorize)
}

fn name(token: Option<&StoredRefresh>) -> Option<Fingerprint> {
    token.map(|it| it.fingerprint)
}

/// Tells whether a message carries a refresh token to where it can come to use.
fn carries(message: &Message, token: u8, ground: &Ground) -> bool {
    let known = ground.refresh(token);
    match &message.what {
        What::Op(Op { answer: Some(_), .. }) => false,
        What::Op(op) => match &*op.op {
            StoreOp::Adopt { grant, .. } => name(grant.refresh.as_ref()) == known,
            StoreOp::Commit { successor, .. } => name(successor.refresh.as_ref()) == known,
            StoreOp::Escrow { sibling, .. } => Some(sibling.token.fingerprint) == known,
            StoreOp::Arm { .. }
            | StoreOp::Bury { .. }
            | StoreOp::Disarm { .. }
            | StoreOp::Due { .. }
            | StoreOp::End { .. }
            | StoreOp::Load { .. }
            | StoreOp::Pulse { .. } => false,
        },
        What::Request(request) => {
            let Phase::Answered(answer) = request.phase else { return false };
            answer.refresh() == Some(token)
        }
    }
}
