//! The judge: knows what the server knows, sees all that is sent and stored, and believes nobody.
//!
//! It is told of every step of a run and checks what the step must not break, in a time that does
//! not depend on the length of the run. The first broken promise is the verdict.

mod age;
mod chain;
mod lesson;
mod presentation;
mod record;
mod rest;
mod service;
mod violation;

pub(super) use chain::Given;
pub(super) use lesson::Lesson;
pub(super) use presentation::{Heard, Presentation};
pub(super) use record::{Change, Evidence};
pub(super) use rest::Condition;
pub(super) use service::Shown;
pub use violation::{Invariant, Violation};

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use sr_auth_core::lifecycle::Recovery;
use sr_auth_core::store::{Generation, IntentId, OwnerId};
use sr_auth_core::{Fingerprint, Timestamp};

use super::storage::Row;
use age::Weather;
use chain::Chain;

/// By how much the clocks of processes that talk to the store may differ from it.
pub(super) const CLOCK_ERROR: Duration = Duration::from_secs(1);

/// The judge of one run.
#[derive(Debug)]
pub(super) struct Oracle {
    chain: Chain,
    excuses: BTreeMap<Excuse, u64>,
    grants: Vec<Grant>,
    processes: Vec<Process>,
    /// When a backup was put back last.
    restored_at: Option<Timestamp>,
    rules: Rules,
    /// When the store last heard of an owner that it lives.
    signs: BTreeMap<OwnerId, Timestamp>,
    verdict: Option<Violation>,
    weather: Weather,
}

/// The spans by which a run is judged.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rules {
    pub(super) fence: Duration,
    pub(super) network: Duration,
    pub(super) recovery: Recovery,
}

/// Why a grant was lost though nobody broke a promise.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub enum Excuse {
    /// The answer that carried the only live refresh token was destroyed on its way.
    AnswerDestroyed,
    /// A commit landed between a take-over's last look and its request: no client can make both one
    /// act.
    CommitCrossed,
    /// A consent that the store took late was written over a newer one.
    ConsentOutrun,
    /// Its refresh token grew too old while nobody could renew it.
    Expired,
    /// Every process that held the only live refresh token died before it was durable.
    HolderDied,
    /// Something in between delivered a request twice, and the server revokes on reuse.
    NetworkDuplicate,
    /// The owner of a presentation was silent for its whole quiet period and came back, and the
    /// server revokes on reuse.
    OwnerSilent,
    /// A restored backup took the live refresh token, or brought a spent one back.
    Restored,
    /// The server ended it: revoked, or its user is gone.
    ServerEnded,
    /// The server gave no successor.
    Withheld,
}

/// A grant, as the server and the store have it.
#[derive(Debug, Default)]
struct Grant {
    /// It was declared dead at some time.
    buried: bool,
    /// When what stood in the store was put aside by a person or a restored backup.
    cleared_at: Timestamp,
    /// When it was ended on purpose.
    ended_at: Option<Timestamp>,
    /// The generation that its last end made.
    ended_with: Generation,
    /// A successor of it was put aside at some time; only one is kept.
    escrowed: bool,
    excuse: Option<Excuse>,
    /// The highest generation that the store has had.
    generation: Generation,
    /// The refresh tokens that the server takes.
    live: Vec<Fingerprint>,
    repeatable: bool,
    /// When a restored backup changed it.
    restored_at: Option<Timestamp>,
    row: Option<Row>,
    /// When the token endpoint was asked for it lately.
    sent: VecDeque<Timestamp>,
}

impl Excuse {
    /// Those that every long run must meet. [`Expired`](Self::Expired) takes months;
    /// [`CommitCrossed`](Self::CommitCrossed) and [`OwnerSilent`](Self::OwnerSilent) need an instant
    /// that comes once in thousands of scenarios, so that a demand for them would be a lottery.
    pub const MET: [Self; 7] = [
        Self::AnswerDestroyed,
        Self::ConsentOutrun,
        Self::HolderDied,
        Self::NetworkDuplicate,
        Self::Restored,
        Self::ServerEnded,
        Self::Withheld,
    ];
}

impl Grant {
    /// How many requests to the token endpoint one process may make in a minute.
    const SENT_A_MINUTE: usize = 8;

    /// How many operations of the store one process may ask for in a minute: a caller who waits
    /// for another process has the record read every two seconds at last, and sooner at first.
    const ASKED_A_MINUTE: u32 = 240;
}

/// A process, as it may know the world.
#[derive(Debug)]
struct Process {
    /// When it was last asked to leave the token endpoint alone, and until when.
    asked_to_pause: (Timestamp, Timestamp),
    owner: OwnerId,
    /// When the store's changes were read for it last.
    pulsed_at: Timestamp,
    seen: Vec<Seen>,
}

/// What a process knows of a grant.
#[derive(Clone, Copy, Debug, Default)]
struct Seen {
    /// The newest access token that the store has told it of, and its end.
    access: Option<(Fingerprint, Timestamp)>,
    /// When it was told.
    access_at: Timestamp,
    armed: Option<Armed>,
    /// Since when its operations of the store are counted, and how many there were.
    asked: (Timestamp, u32),
    /// How many ends and new consents it was told of that the store does not have yet.
    commanded: u32,
    /// Whether the store told it that the grant has ended.
    ended: bool,
    /// Somebody has asked, and there has been nothing for it since.
    in_vain: bool,
    /// A request is under way: until when its answer is awaited.
    in_flight: Option<Timestamp>,
    /// The newest generation that it was shown in this store.
    generation: Generation,
    /// The newest generation that it was ever shown; older ones are not taken.
    held: Generation,
    /// How often it has asked to see the record: it awaits the answer to the last time.
    looks: u32,
    /// It was shown the record as it was some time ago.
    outdated: bool,
    /// It has the grant in memory.
    resident: bool,
    /// The generation with which it was told, while it had the grant in memory, that it has ended.
    told_end: Option<Generation>,
    /// It was told of an end that the store has lost since: how many pulses there are until it has
    /// read the record again. One tells it that the store went back, and with the next one it reads.
    told_lost_end: u8,
    /// When the store was last read for it.
    read_at: Timestamp,
    /// The token that stood beside the other one when it last read the record.
    sibling: Option<Fingerprint>,
    /// A caller waits.
    waits: bool,
    /// The refresh token that the server refused to it, and when.
    refused: Option<(Fingerprint, Timestamp)>,
    rejected: Option<Fingerprint>,
    /// Whether callers were last seen to get nothing.
    shows_pending: bool,
}

/// An intent that is durable.
#[derive(Clone, Copy, Debug)]
struct Armed {
    asked_at: Timestamp,
    at: Timestamp,
    generation: Generation,
    id: IntentId,
    /// Whether an earlier presentation of the token is in doubt.
    over: bool,
    presents: Option<Fingerprint>,
    /// The refresh token of the record when it was written.
    refresh: Option<Fingerprint>,
    used: bool,
}

impl Oracle {
    pub(super) fn new(rules: Rules, grants: usize, processes: usize) -> Self {
        let pulsed_at = Timestamp::EPOCH;
        let unborn = || Process {
            asked_to_pause: (pulsed_at, pulsed_at),
            owner: OwnerId::new(0),
            pulsed_at,
            seen: vec![Seen::default(); grants],
        };
        Self {
            chain: Chain::default(),
            excuses: BTreeMap::new(),
            grants: (0..grants).map(|_| Grant::default()).collect(),
            processes: (0..processes).map(|_| unborn()).collect(),
            restored_at: None,
            rules,
            signs: BTreeMap::new(),
            verdict: None,
            weather: Weather::default(),
        }
    }

    /// Returns the first promise that was broken.
    pub(super) const fn verdict(&self) -> Option<&Violation> {
        self.verdict.as_ref()
    }

    /// Returns why grants were lost, and how many.
    pub(super) const fn excuses(&self) -> &BTreeMap<Excuse, u64> {
        &self.excuses
    }

    /// Is told that a process starts, under a new name and with an empty head.
    pub(super) fn started(&mut self, process: usize, owner: OwnerId) {
        let Some(it) = self.processes.get_mut(process) else { return };
        (it.owner, it.pulsed_at) = (owner, Timestamp::EPOCH);
        it.asked_to_pause = (Timestamp::EPOCH, Timestamp::EPOCH);
        it.seen.fill(Seen::default());
    }

    /// Is told that a process has died, with all that it held.
    pub(super) fn died(&mut self, process: usize) {
        let live = self.grants.iter().flat_map(|grant| grant.live.iter().copied());
        self.chain.forget(process, live);
        if let Some(it) = self.processes.get_mut(process) {
            it.seen.fill(Seen::default());
        }
        for grant in 0..self.grants.len() {
            self.look_for_loss(grant, Excuse::HolderDied);
        }
    }

    /// Is told that a process says it has finished what it began.
    pub(super) fn drained(&mut self, at: Timestamp, process: usize) {
        for grant in 0..self.grants.len() {
            let detail = "a process says that it is done, and what it began would be lost";
            self.leaves_nothing(at, process, grant, Invariant::ShutdownEnds, detail);
        }
    }

    /// Whatever leaves memory may take no answer that is awaited with it, and no token that is
    /// nowhere else. After a restored backup the store may lack what everybody thought durable.
    fn leaves_nothing(
        &mut self,
        at: Timestamp,
        process: usize,
        grant: usize,
        broken: Invariant,
        detail: &'static str,
    ) {
        let Some(it) = self.grants.get(grant).filter(|it| it.restored_at.is_none()) else { return };
        if it.row.is_none_or(|row| record::is_ended(row.health)) {
            return;
        }
        let mut live = it.live.iter().filter_map(|name| self.chain.refresh(*name));
        let is_alone = live.any(|token| token.is_only_with(process));
        let seen = self.processes.get(process).and_then(|it| it.seen.get(grant));
        let is_awaited =
            seen.and_then(|it| it.in_flight).is_some_and(|until| at.after(CLOCK_ERROR) < until);
        if is_alone || is_awaited {
            self.break_promise(at, broken, detail, Some(process), Some(grant));
        }
    }

    /// Is told that a grant has left the memory of a process.
    pub(super) fn evicted(&mut self, at: Timestamp, process: usize, grant: usize) {
        let detail = "a grant leaves memory, and what was begun with it would be lost";
        self.leaves_nothing(at, process, grant, Invariant::SuccessorIsKept, detail);
        let Some(it) = self.grants.get(grant) else { return };
        self.chain.forget(process, it.live.iter().copied());
        if let Some(seen) = self.seen_mut(process, grant) {
            *seen = Seen { generation: seen.generation, ..Seen::default() };
        }
        self.look_for_loss(grant, Excuse::HolderDied);
    }

    /// Is told that a process has read what changed in the store, at `at`; or has not, when the answer
    /// comes too `late` to be sure.
    pub(super) fn pulsed(&mut self, process: usize, at: Timestamp, late: bool) {
        let Some(it) = self.processes.get_mut(process) else { return };
        if late {
            it.seen.iter_mut().for_each(|seen| seen.told_end = None);
            return;
        }
        it.pulsed_at = it.pulsed_at.max(at);
        for (seen, grant) in it.seen.iter_mut().zip(&self.grants) {
            let ended = grant.ended_at.is_some_and(|ended| ended < at);
            let is_told = seen.resident && ended && grant.restored_at.is_none();
            seen.told_end = is_told.then_some(grant.ended_with);
            seen.told_lost_end = seen.told_lost_end.saturating_sub(1);
        }
    }

    /// Is told that a user has given consent: the chain of a grant begins anew.
    pub(super) fn consented(&mut self, grant: usize, at: Timestamp, given: Given) {
        self.chain.issue(at, grant, given);
        self.ends_live(grant);
        let Some(it) = self.grants.get_mut(grant) else { return };
        it.live.extend(given.refresh);
        (it.excuse, it.restored_at) = (None, None);
    }

    /// Is told that a process has the tokens of a consent in its hands.
    pub(super) fn taken_in(&mut self, grant: usize, process: usize) {
        let Some(it) = self.grants.get(grant) else { return };
        for name in it.live.clone() {
            self.chain.held(Some(name), process);
            self.chain.landed(Some(name));
        }
    }

    /// Is told that a run does not get anywhere, or that things under way pile up.
    pub(super) fn runs_hot(&mut self, at: Timestamp) {
        let detail = "a machine acts without end, or what it begins piles up";
        self.break_promise(at, Invariant::Bounded, detail, None, None);
    }

    /// Is told that a request leaves for another place than the token endpoint.
    pub(super) fn sends_elsewhere(&mut self, at: Timestamp, process: usize, grant: usize) {
        let detail = "a token request leaves for another place than the token endpoint";
        let broken = Invariant::StaysAtItsEndpoint;
        self.break_promise(at, broken, detail, Some(process), Some(grant));
    }

    /// Is told that a grant is one of client credentials.
    pub(super) fn repeatable(&mut self, grant: usize) {
        self.grants.get_mut(grant).into_iter().for_each(|it| it.repeatable = true);
    }

    /// Is told that the server has ended a grant by itself.
    pub(super) fn ended_by_server(&mut self, grant: usize) {
        self.kill(grant, Excuse::ServerEnded);
    }

    /// The server takes none of a grant's refresh tokens any more.
    fn ends_live(&mut self, grant: usize) {
        let Some(it) = self.grants.get_mut(grant) else { return };
        for name in it.live.drain(..) {
            if let Some(token) = self.chain.refresh_mut(name) {
                token.live = false;
            }
        }
    }

    fn kill(&mut self, grant: usize, excuse: Excuse) {
        self.ends_live(grant);
        let Some(it) = self.grants.get_mut(grant) else { return };
        if it.excuse.is_none() {
            it.excuse = Some(excuse);
            *self.excuses.entry(excuse).or_default() += 1;
        }
    }

    /// Notes why a grant is lost, if no copy of a live token is left.
    fn look_for_loss(&mut self, grant: usize, excuse: Excuse) {
        let Some(it) = self.grants.get_mut(grant) else { return };
        let exists = |name: &Fingerprint| self.chain.refresh(*name).is_some_and(|it| it.exists());
        if it.excuse.is_none() && !it.live.is_empty() && !it.live.iter().any(exists) {
            it.excuse = Some(excuse);
            *self.excuses.entry(excuse).or_default() += 1;
        }
    }

    fn break_promise(
        &mut self,
        at: Timestamp,
        invariant: Invariant,
        detail: &'static str,
        process: Option<usize>,
        grant: Option<usize>,
    ) {
        if self.verdict.is_none() {
            self.verdict = Some(Violation { at, detail, grant, invariant, process });
        }
    }

    fn seen_mut(&mut self, process: usize, grant: usize) -> Option<&mut Seen> {
        self.processes.get_mut(process)?.seen.get_mut(grant)
    }

    fn process_of(&self, owner: OwnerId) -> Option<usize> {
        self.processes.iter().position(|it| it.owner == owner)
    }
}
