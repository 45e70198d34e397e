//! What the store does.

use std::time::Duration;

use sr_auth_core::lifecycle::Recovery;
use sr_auth_core::store::{CauseOfDeath, Generation, Health, OwnerId};
use sr_auth_core::{Fingerprint, Timestamp};

use super::{Armed, Excuse, Grant, Invariant, Oracle, Seen};
use crate::simulation::storage::{Deed, Row};

/// So many refusals that nobody understands, over so long a time, are a death.
const UNRECOGNISED: (u32, Duration) = (5, Duration::from_secs(24 * 60 * 60));

/// What a process had to go by when it sent an operation.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::simulation) struct Evidence {
    /// The newest generation that it was ever shown.
    held: Generation,
    /// It had a refresh token that the server takes.
    holds_live: bool,
    /// Which look at the record it was, if it was one.
    look: Option<u32>,
    read_at: Timestamp,
    pub(super) refused: Option<(Fingerprint, Timestamp)>,
    /// What the record had aside when it was last read.
    sibling: Option<Fingerprint>,
    /// Its intent was written over another one.
    took_over: bool,
}

/// An operation that the store has carried out.
#[derive(Clone, Copy, Debug)]
pub(in crate::simulation) struct Change {
    pub(in crate::simulation) after: Option<Row>,
    pub(in crate::simulation) asked_at: Timestamp,
    pub(in crate::simulation) at: Timestamp,
    pub(in crate::simulation) before: Option<Row>,
    pub(in crate::simulation) deed: Deed,
    pub(in crate::simulation) evidence: Evidence,
    pub(in crate::simulation) grant: usize,
    /// The refresh token that the answer shows.
    pub(in crate::simulation) shown: Option<Fingerprint>,
    /// Whether the answer says that it was done.
    pub(in crate::simulation) told_done: bool,
}

impl Change {
    fn process(&self, oracle: &Oracle) -> Option<usize> {
        let owner = match self.deed {
            Deed::Arm { id, .. } | Deed::Disarm { id } => id.owner,
            Deed::Bury { owner, .. } | Deed::Commit { owner, .. } | Deed::Escrow { owner, .. } => {
                owner
            }
            Deed::Adopt { .. } | Deed::Due | Deed::End | Deed::Load | Deed::Pulse { .. } => {
                return None;
            }
        };
        oracle.process_of(owner)
    }
}

impl Oracle {
    /// Is told that an operation leaves a process.
    pub(in crate::simulation) fn op_left(
        &mut self,
        at: Timestamp,
        process: usize,
        grant: Option<usize>,
        deed: &Deed,
    ) -> Evidence {
        if let Some(grant) = grant {
            self.store_is_not_stormed(at, process, grant);
        }
        self.chain.departed(deed.carries());
        let Some(seen) = grant.and_then(|grant| self.seen_mut(process, grant)) else {
            return Evidence::default();
        };
        seen.looks += u32::from(*deed == Deed::Load);
        let Seen { armed, held, looks, read_at, refused, sibling, .. } = *seen;
        let look = (*deed == Deed::Load).then_some(looks);
        let took_over = armed.is_some_and(|it| it.over);
        let holds_live = grant.is_some_and(|grant| self.withholds(process, grant));
        Evidence { held, holds_live, look, read_at, refused, sibling, took_over }
    }

    /// Tells whether a process has asked to see a record again since: it does not await this answer
    /// any more.
    pub(in crate::simulation) fn is_outrun(
        &self,
        process: usize,
        grant: usize,
        evidence: &Evidence,
    ) -> bool {
        let seen = self.processes.get(process).and_then(|it| it.seen.get(grant));
        seen.zip(evidence.look).is_some_and(|(seen, look)| look < seen.looks)
    }

    /// Tells whether a process has taken in a newer record since: an older one is not taken any more,
    /// though the process has written it.
    pub(in crate::simulation) fn has_moved_on(
        &self,
        process: usize,
        grant: usize,
        evidence: &Evidence,
    ) -> bool {
        let seen = self.processes.get(process).and_then(|it| it.seen.get(grant));
        seen.is_some_and(|seen| seen.held > evidence.held)
    }

    fn store_is_not_stormed(&mut self, at: Timestamp, process: usize, grant: usize) {
        let Some(seen) = self.seen_mut(process, grant) else { return };
        if at.since(seen.asked.0) >= Duration::from_secs(60) {
            seen.asked = (at, 0);
        }
        seen.asked.1 += 1;
        if seen.asked.1 > Grant::ASKED_A_MINUTE {
            let detail = "the store is asked for one grant again and again";
            self.break_promise(at, Invariant::NoStorm, detail, Some(process), Some(grant));
        }
    }

    /// Tells whether a process has a token that the server takes, that nobody has put aside, and that
    /// is not on its way as a new consent.
    fn withholds(&self, process: usize, grant: usize) -> bool {
        let Some(it) = self.grants.get(grant) else { return false };
        let seen = self.processes.get(process).and_then(|it| it.seen.get(grant));
        if seen.is_none_or(|it| it.commanded > 0) {
            return false;
        }
        let mut live = it.live.iter().filter_map(|name| self.chain.refresh(*name));
        live.any(|token| {
            token.is_with(process) && token.durable_at.is_none_or(|at| at > it.cleared_at)
        })
    }

    /// Is told that an operation will not reach the store any more.
    pub(in crate::simulation) fn op_lost(&mut self, deed: &Deed, grant: Option<usize>) {
        self.chain.landed(deed.carries());
        if let Some(grant) = grant.filter(|_| deed.carries().is_some()) {
            self.look_for_loss(grant, Excuse::HolderDied);
        }
    }

    /// Is told that the store has carried out an operation on a record.
    pub(in crate::simulation) fn changed(&mut self, it: &Change) {
        self.chain.stored(it.at, kept(it.before), kept(it.after));
        self.generation_grows(it);
        match it.deed {
            Deed::Adopt { .. } => {
                self.end_is_final(it);
                self.consent_is_outrun(it);
            }
            Deed::Arm { .. } => self.armed(it),
            Deed::Bury { generation, .. } => self.buried(it, generation),
            Deed::Commit { access, generation, owner, refresh } => {
                self.committed(it, owner, generation, (access, refresh));
            }
            Deed::Disarm { .. } => self.disarmed(it),
            Deed::End => {
                self.end_is_final(it);
                let ended = it.after.filter(|row| is_ended(row.health));
                if let Some((grant, row)) = self.grants.get_mut(it.grant).zip(ended) {
                    grant.ended_at.get_or_insert(it.at);
                    grant.ended_with = row.generation;
                }
            }
            Deed::Escrow { refresh, .. } => self.escrowed(it, refresh),
            Deed::Due | Deed::Load | Deed::Pulse { .. } => {}
        }
        let Some(grant) = self.grants.get_mut(it.grant) else { return };
        grant.row = it.after;
        if it.told_done && matches!(it.deed, Deed::Adopt { .. } | Deed::End) {
            grant.cleared_at = it.at;
        }
        if let Some(row) = it.after.filter(|row| !is_ended(row.health)) {
            grant.generation = grant.generation.max(row.generation);
            grant.ended_at = None;
        }
        self.chain.landed(it.deed.carries());
        self.look_for_loss(it.grant, Excuse::HolderDied);
    }

    fn generation_grows(&mut self, it: &Change) {
        let Some(after) = it.after else { return };
        let before = it.before.map(|row| row.generation).unwrap_or_default();
        let known = self.grants.get(it.grant).map(|grant| grant.generation).unwrap_or_default();
        if after.generation < before.max(known) {
            self.fault(it, Invariant::GenerationGrows, "the generation went back");
        }
    }

    /// An end or a new consent moves the generation on, so that what came before cannot undo it.
    fn end_is_final(&mut self, it: &Change) {
        let (Some(before), Some(after)) = (it.before, it.after) else { return };
        let as_it_was = before.health == after.health && before.refresh == after.refresh;
        if !as_it_was && after.generation == before.generation {
            self.fault(it, Invariant::EndIsFinal, "an end or a consent of no generation");
        }
    }

    /// A consent that was given before another one may be written over it when it is late.
    fn consent_is_outrun(&mut self, it: &Change) {
        let Some(row) = it.after.filter(|_| it.told_done) else { return };
        let Some(grant) = self.grants.get(it.grant) else { return };
        let older = row.refresh.and_then(|name| self.chain.refresh(name));
        if older.is_some_and(|token| !token.live && token.durable_at == Some(it.at)) {
            let is_live = !grant.live.is_empty();
            if is_live {
                self.kill(it.grant, Excuse::ConsentOutrun);
            }
        }
    }

    fn armed(&mut self, it: &Change) {
        let Deed::Arm { generation, id, presents, takes_over } = it.deed else { return };
        let Some(after) = it.after.filter(|_| it.told_done) else { return };
        if after.intent != Some(id) {
            self.fault(it, Invariant::IntentComesFirst, "an intent was acknowledged and not kept");
        }
        if it.shown != after.refresh {
            self.fault(
                it,
                Invariant::PresentsTheNewest,
                "another token than the record's is shown",
            );
        }
        let standing = it.before.filter(|row| row.intent.is_some_and(|other| other != id));
        if standing.is_some_and(|row| !takes_over || it.at < row.armed_at.after(row.quiet)) {
            self.fault(it, Invariant::TakeOverIsQuiet, "an intent was written over too early");
        }
        if let Some(standing) = standing {
            self.owner_is_gone(it, standing);
        }
        let single_use = self.grants.get(it.grant).is_some_and(|grant| !grant.repeatable);
        if single_use && after.attempt > 1 && self.rules.recovery == Recovery::Never {
            let detail = "the settings forbid to present a token that is in doubt";
            self.fault(it, Invariant::TakeOverIsQuiet, detail);
        }
        if it.before.is_none_or(|row| row.intent != Some(id)) {
            self.signs.insert(id.owner, it.at);
        }
        let Some(process) = self.process_of(id.owner) else { return };
        let Some(seen) = self.seen_mut(process, it.grant) else { return };
        if seen.armed.is_some_and(|armed| armed.id == id) {
            // The same intent, asked for again: the fence counts from the first time.
            return;
        }
        let (asked_at, at, refresh) = (it.asked_at, it.at, after.refresh);
        // Somebody has presented it before, and nobody knows what came of it.
        let (over, used) = (after.attempt > 1, false);
        seen.armed = Some(Armed { asked_at, at, generation, id, over, presents, refresh, used });
    }

    /// Where the settings say so, nobody arms over the intent of a process that has shown that it
    /// lives. What the store heard before a backup was put back, it may have forgotten.
    fn owner_is_gone(&mut self, it: &Change, standing: Row) {
        let Deed::Arm { id, .. } = it.deed else { return };
        let owner = standing.intent.map(|it| it.owner).filter(|owner| *owner != id.owner);
        let sign = owner.and_then(|owner| self.signs.get(&owner)).copied();
        let sign = sign.filter(|sign| self.restored_at.is_none_or(|at| at < *sign));
        let is_alive = sign.is_some_and(|sign| it.at < sign.after(standing.quiet));
        if is_alive && self.rules.recovery == Recovery::OwnerGone {
            let detail = "an intent was written over whose owner lives";
            self.fault(it, Invariant::TakeOverIsQuiet, detail);
        }
    }

    /// Is told that the store hears from a process that it lives.
    pub(in crate::simulation) fn lives_on(&mut self, at: Timestamp, owner: OwnerId) {
        self.signs.insert(owner, at);
    }

    fn disarmed(&mut self, it: &Change) {
        let (Deed::Disarm { id }, Some(before)) = (it.deed, it.before) else { return };
        let gone = it.after.is_none_or(|row| row.intent.is_none());
        if gone && before.intent.is_some_and(|standing| standing != id) {
            self.fault(it, Invariant::IntentIsItsOwners, "somebody else's intent was removed");
        }
    }

    fn committed(
        &mut self,
        it: &Change,
        owner: OwnerId,
        generation: Generation,
        (access, refresh): (Option<Fingerprint>, Option<Fingerprint>),
    ) {
        let (Some(before), Some(after)) = (it.before, it.after) else { return };
        let broken = Invariant::CommitFollowsGeneration;
        let taken = after.generation != before.generation;
        let repeated = refresh.is_some() && before.refresh == refresh;
        let follows = generation == before.generation;
        // Without a successor, the token that another process presents is the one that stays.
        let others = before.intent.filter(|it| it.owner != owner && before.presents.is_some());
        let ends_intent = refresh.is_none() && others.is_some();
        if taken && is_ended(before.health) {
            self.fault(it, Invariant::EndIsFinal, "a commit has undone an end");
        } else if taken && !follows && !repeated {
            self.fault(it, broken, "a commit was taken that follows another generation");
        } else if taken && ends_intent {
            let detail = "a commit without a successor has ended another's intent";
            self.fault(it, Invariant::TakeOverIsQuiet, detail);
        } else if follows && !taken && !ends_intent && !is_ended(before.health) {
            self.fault(it, broken, "a commit was not taken though it follows the record");
        }
        if it.told_done && !taken && follows {
            let detail = "a commit was acknowledged and not kept";
            self.fault(it, Invariant::AcknowledgedWhenDurable, detail);
        }
        if taken && after.access != access {
            let detail = "another access token is kept than the one of the commit";
            self.fault(it, Invariant::TokensBelongTogether, detail);
        }
        if taken && follows && repeated {
            let detail = "a refresh token that was spent stands as its own successor";
            self.fault(it, Invariant::TokensBelongTogether, detail);
        }
        // What was saved of a broken answer stands beside the access token of the answer before.
        if taken && refresh.is_some() && access != before.access {
            self.tokens_belong_together(it, after);
        }
    }

    fn tokens_belong_together(&mut self, it: &Change, row: Row) {
        let access = row.access.and_then(|name| self.chain.access(name)).copied();
        let refresh = row.refresh.and_then(|name| self.chain.refresh(name)).copied();
        let (Some(access), Some(refresh)) = (access, refresh) else { return };
        if access.answer != refresh.answer && !access.alone {
            self.fault(it, Invariant::TokensBelongTogether, "two answers are mixed in a record");
        }
    }

    fn escrowed(&mut self, it: &Change, refresh: Fingerprint) {
        let (Some(before), Some(after)) = (it.before, it.after) else { return };
        self.grants.get_mut(it.grant).into_iter().for_each(|grant| grant.escrowed = true);
        if it.told_done && before.sibling.is_none() && !after.keeps(refresh) {
            self.fault(it, Invariant::SuccessorIsKept, "a successor was put aside and thrown away");
        }
    }

    /// Only the process that was refused the stored token, and has read the record since, may
    /// declare the grant dead.
    fn buried(&mut self, it: &Change, generation: Generation) {
        let (Some(before), Some(after)) = (it.before, it.after) else { return };
        let Health::Dead(cause) = after.health else { return };
        if before.health == after.health {
            return;
        }
        if let Some(grant) = self.grants.get_mut(it.grant) {
            grant.buried = true;
        }
        let broken = Invariant::DeathIsVerified;
        if generation != before.generation {
            self.fault(it, broken, "a newer generation was declared dead");
        }
        if after.generation != before.generation {
            self.fault(it, broken, "a death has moved the generation on");
        }
        let Evidence { holds_live, read_at, refused, sibling, took_over, .. } = it.evidence;
        if cause == CauseOfDeath::Unrecognised {
            let (times, over) = UNRECOGNISED;
            let long =
                it.at.since(before.refused_first_at).saturating_add(super::CLOCK_ERROR) >= over;
            if before.refusals + 1 < times || !long {
                self.fault(it, broken, "a few refusals that nobody understands were believed");
            }
            return;
        }
        match refused {
            Some((token, at)) if before.refresh == Some(token) => {
                if read_at < at {
                    self.fault(it, broken, "a grant was declared dead without a second look");
                }
            }
            _ => self.fault(it, broken, "a grant was declared dead that was not refused"),
        }
        self.age_is_told(it, before, cause);
        let restored = self.grants.get(it.grant).is_some_and(|grant| grant.restored_at.is_some());
        // What stands beside the token that was refused is shown with the verdict, and tried next, when
        // a replica did not show it before.
        let is_kept = sibling.is_none()
            && self.grants.get(it.grant).is_some_and(|grant| {
                before.sibling.is_some_and(|sibling| grant.live.contains(&sibling))
            });
        if !restored && holds_live && !is_kept {
            let detail = "a grant was declared dead by a process that has its live token";
            self.fault(it, Invariant::NoAvoidableLoss, detail);
        }
        if !restored && took_over && cause == CauseOfDeath::RefusedByServer {
            self.fault(it, Invariant::CauseIsRight, "the cause of death is not the one it died of");
        }
    }

    /// Is told that a backup was put back: the rows are what it held.
    pub(in crate::simulation) fn restored(&mut self, at: Timestamp, rows: &[Option<Row>]) {
        for (at_grant, row) in rows.iter().enumerate() {
            let Some(grant) = self.grants.get_mut(at_grant) else { continue };
            let before = std::mem::replace(&mut grant.row, *row);
            grant.generation = row.map_or(Generation::default(), |row| row.generation);
            grant.cleared_at = at;
            // A backup may be from after the end.
            if grant.generation < grant.ended_with {
                grant.ended_with = Generation::default();
            }
            if before != *row {
                grant.restored_at = Some(at);
            }
            let ended = row.is_some_and(|row| is_ended(row.health));
            grant.ended_at = ended.then_some(at);
            self.chain.stored(at, kept(before), kept(*row));
            self.look_for_loss(at_grant, Excuse::Restored);
        }
        self.restored_at = Some(at);
        for process in &mut self.processes {
            for seen in &mut process.seen {
                seen.generation = Generation::default();
                let told = seen.told_end.take();
                if seen.ended || told.is_some() {
                    (seen.access, seen.told_lost_end) = (None, 2);
                }
            }
        }
    }

    pub(super) fn fault(&mut self, it: &Change, invariant: Invariant, detail: &'static str) {
        let process = it.process(self);
        self.break_promise(it.at, invariant, detail, process, Some(it.grant));
    }
}

/// Tells whether somebody has ended the grant on purpose.
pub(super) const fn is_ended(health: Health) -> bool {
    matches!(health, Health::Disabled | Health::Revoked)
}

/// The refresh tokens of a row.
pub(super) fn kept(row: Option<Row>) -> [Option<Fingerprint>; 2] {
    row.map_or([None, None], |row| [row.refresh, row.sibling])
}
