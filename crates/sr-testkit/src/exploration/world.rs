//! Everything there is at one moment: processes, the store, the server, and what is under way.

use std::sync::Arc;
use std::time::Duration;

use sr_auth_core::lifecycle::{
    Application, Process, Settings, Stage, StoreOpId, TokenLifecycle, View,
};
use sr_auth_core::store::{
    GrantKey, IntentId, Model, NewGrant, OwnerId, Record, Renewal, StoreAnswer, StoreIdentity,
    StoreOp, StoreOutcome, StoredToken,
};
use sr_auth_core::{
    ClientCredentials, Endpoints, Fingerprint, FingerprintKey, RefreshToken, Secret, Timestamp,
    TransmitId,
};

use super::case::{Case, Scope, Variant};
use super::server::{Answer, Server};
use crate::simulation::{Defective, Excuse, StoreDefect};

/// When every run begins.
pub(super) const BEGIN: Timestamp = Timestamp::from_unix_secs(1_800_000_000);
/// How long the first access token is good: what is left when a token of half an hour is due.
const FIRST_LEFT: Duration = Duration::from_secs(719);
/// The lease of [`Variant::LeaseEnds`].
const LEASE: Duration = Duration::from_secs(30);
/// More tokens than any scope issues.
const TOKENS: u8 = 64;

/// What never changes in one exploration.
#[derive(Debug)]
pub(super) struct Ground {
    application: Application,
    pub(super) case: Case,
    fingerprints: FingerprintKey,
    pub(super) key: GrantKey,
    /// The fingerprints of `r0`, `r1`, ….
    refreshes: Vec<Fingerprint>,
    pub(super) settings: Settings,
}

impl Ground {
    pub(super) fn new(case: Case) -> Self {
        let secret = Secret::new("secret-of-the-application".to_owned());
        let client = ClientCredentials::new("application", secret).expect("printable text");
        let fingerprints = FingerprintKey::new([7; 32]);
        let name = |number| fingerprints.fingerprint(&Secret::new(format!("r{number}")));
        Self {
            application: Application::new(client, Endpoints::production().token().clone()),
            case,
            key: GrantKey::new("grant").expect("a short text"),
            refreshes: (0..TOKENS).map(name).collect(),
            fingerprints,
            settings: Settings::default(),
        }
    }

    /// Returns the fingerprint of a refresh token.
    pub(super) fn refresh(&self, number: u8) -> Option<Fingerprint> {
        self.refreshes.get(usize::from(number)).copied()
    }

    /// Returns the number of a refresh token.
    pub(super) fn number(&self, name: Fingerprint) -> Option<u8> {
        u8::try_from(self.refreshes.iter().position(|it| *it == name)?).ok()
    }

    /// Makes the grant of a consent: the access token is due at `renew_at`.
    pub(super) fn grant(
        &self,
        now: Timestamp,
        (access, refresh): (u8, u8),
        (renew_at, ends_at): (Timestamp, Timestamp),
    ) -> NewGrant<Secret> {
        let value = Secret::new(format!("a{access}"));
        let fingerprint = self.fingerprints.fingerprint(&value);
        let token = RefreshToken::new(Secret::new(format!("r{refresh}")), now)
            .expect("a text that is not empty");
        let grant = NewGrant::from_refresh_token(&token, &self.fingerprints);
        let access = Some(StoredToken { ends_at, fingerprint, renew_at, value });
        NewGrant { access, ..grant }
    }
}

/// The store: the model, with at most one broken rule.
#[derive(Clone, Debug)]
pub(super) struct Store {
    lease: Option<Duration>,
    model: Defective,
}

impl Store {
    pub(super) fn new(variant: Variant) -> Self {
        let (defect, lease) = match variant {
            Variant::AsDesigned => (None, None),
            Variant::CommitFencedByEpoch => (Some(StoreDefect::CommitFencedByEpoch), None),
            Variant::DeathBumpsGeneration => (Some(StoreDefect::BuryBumpsGeneration), None),
            Variant::LeaseEnds => (Some(StoreDefect::ArmIgnoresQuiet), Some(LEASE)),
            Variant::LockFreedByDeadOwner => (Some(StoreDefect::LockFreedByDeadOwner), None),
        };
        Self { lease, model: Defective::new(Model::new(StoreIdentity(1)), defect) }
    }

    pub(super) fn apply(&mut self, now: Timestamp, op: StoreOp<Secret>) -> StoreAnswer<Secret> {
        let mut answer = self.model.apply(now, op);
        if let (Some(lease), StoreOutcome::Busy { record, until }) =
            (self.lease, &mut answer.outcome)
        {
            let end = record.intent.as_ref().map(|it| it.armed_at.after(lease));
            *until = end.map_or(*until, |end| end.min(*until));
        }
        answer
    }

    pub(super) fn owner_died(&mut self, now: Timestamp, owner: OwnerId) {
        self.model.owner_died(now, owner);
    }

    pub(super) fn record(&self, key: &GrantKey) -> Option<&Record<Secret>> {
        self.model.model().record(key)
    }
}

/// One moment.
#[derive(Clone, Debug)]
pub(super) struct World {
    /// What may still happen.
    pub(super) budget: Scope,
    /// Until when a presentation of a token may still be processed.
    pub(super) busy: Vec<(u8, Timestamp)>,
    /// How often callers will still ask.
    pub(super) calls: u8,
    /// Whether the store has lost everything once, and its intents with it.
    pub(super) is_emptied: bool,
    /// Why no copy of the live token was left.
    pub(super) loss: Option<Excuse>,
    pub(super) messages: Vec<Message>,
    pub(super) now: Timestamp,
    /// How many processes there have been.
    pub(super) owners: u8,
    /// When the owner of the intent that stands was last seen by the store.
    pub(super) seen_at: Timestamp,
    pub(super) server: Server,
    pub(super) slots: Vec<Slot>,
    pub(super) store: Arc<Store>,
}

/// A process, or the place of one.
#[derive(Clone, Debug)]
pub(super) struct Slot {
    /// The refresh token of a consent that it has not told to be durable.
    pub(super) adopts: Option<u8>,
    pub(super) armed: Option<Armed>,
    /// The intent that it was last told of.
    pub(super) believes: Option<IntentId>,
    pub(super) closing: bool,
    /// The last operation that it had asked for when a clock was set.
    pub(super) diverged: Option<StoreOpId>,
    pub(super) last_op: StoreOpId,
    pub(super) last_transmit: Option<TransmitId>,
    /// `None` while it is dead.
    pub(super) machine: Option<Arc<TokenLifecycle>>,
    /// Whether the store has changed since it was told.
    pub(super) news: bool,
    pub(super) owner: OwnerId,
    pub(super) paused: bool,
    /// Whether the outcome of its last operation was unknown.
    pub(super) unsure: bool,
}

/// An intent that was durable.
#[derive(Clone, Copy, Debug)]
pub(super) struct Armed {
    pub(super) asked_at: Timestamp,
    pub(super) id: IntentId,
    /// Whether an earlier presentation of the token is in doubt.
    pub(super) is_again: bool,
    pub(super) token: Option<Fingerprint>,
}

/// Something under way.
#[derive(Clone, Debug)]
pub(super) struct Message {
    pub(super) waiter: Waiter,
    pub(super) what: What,
}

/// Who waits for the answer.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(super) enum Waiter {
    /// Nobody: the process has died.
    Died,
    /// Nobody: the process has given up.
    GaveUp,
    Process(usize),
}

#[derive(Clone, Debug)]
pub(super) enum What {
    Op(Op),
    Request(Request),
}

/// An operation of the store, on its way there or back.
#[derive(Clone, Debug)]
pub(super) struct Op {
    pub(super) answer: Option<Arc<StoreAnswer<Secret>>>,
    pub(super) asked_at: Timestamp,
    pub(super) id: StoreOpId,
    pub(super) op: Arc<StoreOp<Secret>>,
}

/// A presentation.
#[derive(Clone, Copy, Debug)]
pub(super) struct Request {
    pub(super) answer_within: Duration,
    pub(super) id: TransmitId,
    /// Whether time may pass over it.
    pub(super) late: bool,
    pub(super) not_after: Timestamp,
    pub(super) phase: Phase,
    pub(super) sent_at: Timestamp,
    pub(super) token: u8,
}

/// How far a presentation has come.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(super) enum Phase {
    /// The answer is on its way.
    Answered(Answer),
    /// It is lost, or its answer is.
    Lost,
    /// No byte has left.
    Queued,
    /// It is on its way.
    Sent,
}

impl Request {
    /// When its process stops waiting.
    pub(super) fn gives_up_at(&self) -> Timestamp {
        self.sent_at.after(self.answer_within)
    }

    /// From when it cannot reach the server any more.
    pub(super) fn ends_at(&self, ground: &Ground) -> Timestamp {
        self.gives_up_at().after(ground.settings.margins().network())
    }
}

impl Slot {
    /// Returns the machine of a process that is not paused.
    pub(super) fn running(&self) -> Option<&TokenLifecycle> {
        self.machine.as_deref().filter(|_| !self.paused)
    }

    /// Tells whether it has an intent that may stand, for all that it knows: then it shows that it
    /// lives.
    pub(super) fn has_intent(&self, stage: Stage) -> bool {
        match stage {
            Stage::BackingOff | Stage::Idle => false,
            Stage::Quiet | Stage::Reading | Stage::Ripe => {
                self.believes.is_some_and(|it| it.owner == self.owner)
            }
            Stage::Adopting
            | Stage::Arming
            | Stage::Burying
            | Stage::Committing
            | Stage::Disarming
            | Stage::Escrowing
            | Stage::InFlight
            | Stage::Verifying
            | _ => true,
        }
    }
}

impl World {
    /// Makes the world in which a run begins; no process is there yet.
    pub(super) fn new(ground: &Ground) -> Self {
        let Case { mode, scope, variant } = ground.case;
        let mut store = Store::new(variant);
        let grant = ground.grant(BEGIN, (1, 1), (BEGIN, BEGIN.after(FIRST_LEFT)));
        let key = ground.key.clone();
        store.apply(BEGIN, StoreOp::Adopt { grant, key, only_if_missing: false });
        let unborn = Slot {
            adopts: None,
            armed: None,
            believes: None,
            closing: false,
            diverged: None,
            last_op: StoreOpId(0),
            last_transmit: None,
            machine: None,
            news: false,
            owner: OwnerId::new(0),
            paused: false,
            unsure: false,
        };
        Self {
            budget: scope,
            busy: Vec::new(),
            calls: scope.rotations.saturating_sub(1),
            is_emptied: false,
            loss: None,
            messages: Vec::new(),
            now: BEGIN,
            owners: 0,
            seen_at: BEGIN,
            server: Server::new(mode),
            slots: vec![unborn; usize::from(scope.processes)],
            store: Arc::new(store),
        }
    }

    /// Puts a new process, with an empty head, in its place.
    pub(super) fn place(&mut self, process: usize, ground: &Ground) {
        self.owners += 1;
        let owner = OwnerId::new(self.owners.into());
        let Some(slot) = self.slots.get_mut(process) else { return };
        let machine = TokenLifecycle::new(
            ground.key.clone(),
            ground.application.clone(),
            Renewal::SingleUse,
            Process::new(owner, ground.fingerprints.clone()),
            ground.settings,
        );
        *slot = Slot {
            adopts: None,
            armed: None,
            believes: None,
            closing: false,
            diverged: None,
            last_op: StoreOpId(0),
            last_transmit: None,
            machine: Some(Arc::new(machine)),
            // What was there before it is read, not told.
            news: false,
            owner,
            paused: false,
            unsure: false,
        };
    }

    /// Returns the record of the grant.
    pub(super) fn record(&self, ground: &Ground) -> Option<&Record<Secret>> {
        self.store.record(&ground.key)
    }

    /// Returns what each process knows and does.
    pub(super) fn views(&self) -> Vec<Option<View>> {
        let view = |slot: &Slot| Some(slot.machine.as_deref()?.view(self.now));
        self.slots.iter().map(view).collect()
    }

    /// Tells whether a message is of a process that lives and is not paused.
    pub(super) fn is_awaited(&self, message: &Message) -> bool {
        let Waiter::Process(process) = message.waiter else { return false };
        self.slots.get(process).is_some_and(|slot| slot.running().is_some())
    }
}
