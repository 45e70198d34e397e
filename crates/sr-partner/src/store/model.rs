//! What the operations mean: a store of integrations as a value, with the time as an argument.

mod attempts;
mod clients;
mod part;
mod refusals;

use std::collections::{BTreeMap, VecDeque};

use sr_auth_core::Timestamp;
use sr_auth_core::store::{Generation, Sequence, StoreIdentity};

use super::answer::{IntegrationChange, PartnerAnswer, PartnerNews, PartnerOutcome};
use super::operation::PartnerOp;
use super::record::{
    EndCause, Ending, IntegrationEvent, IntegrationLedgerEntry, IntegrationRecord,
};
use crate::{IntegrationKey, TenantId};
use clients::Clients;
pub use part::{CountedRefusals, IssuedToken, RefusedParty};
use refusals::Refusals;

/// A store of integrations, in memory and without a lock.
///
/// # Examples
///
/// ```
/// use sr_auth_core::Timestamp;
/// use sr_auth_core::store::StoreIdentity;
/// use sr_partner::store::{PartnerModel, PartnerOp, PartnerOutcome};
/// use sr_partner::{AppId, CompanyId, IntegrationKey};
///
/// let mut store = PartnerModel::<String>::new(StoreIdentity(7));
/// let key = IntegrationKey { app: AppId::new("planner")?, company: CompanyId::new("5f1b")? };
/// let answer = store.apply(Timestamp::from_unix_secs(0), PartnerOp::Load { key });
/// assert_eq!(answer.outcome, PartnerOutcome::Missing);
/// # Ok::<(), sr_partner::PartnerConfigError>(())
/// ```
#[derive(Clone, Debug)]
pub struct PartnerModel<V> {
    changes: VecDeque<IntegrationChange>,
    clients: Clients,
    identity: StoreIdentity,
    records: BTreeMap<IntegrationKey, IntegrationRecord<V>>,
    refusals: Refusals,
    sequence: Sequence,
}

impl<V: Clone> PartnerModel<V> {
    /// How many changes a pulse tells at most, and how many are remembered.
    pub const CHANGES_LIMIT: usize = 1_024;
    /// How many refused clients and sources are counted at a time.
    pub const REFUSALS_LIMIT: usize = Refusals::LIMIT;
    /// How many tokens of one client live at a time; one more ends the oldest.
    pub const TOKENS_LIMIT: usize = Clients::TOKENS_LIMIT;

    /// Makes an empty store.
    #[must_use]
    pub fn new(identity: StoreIdentity) -> Self {
        Self {
            changes: VecDeque::new(),
            clients: Clients::default(),
            identity,
            records: BTreeMap::new(),
            refusals: Refusals::default(),
            sequence: Sequence(0),
        }
    }

    /// Carries out one operation at `now`, by the store's clock.
    pub fn apply(&mut self, now: Timestamp, op: PartnerOp<V>) -> PartnerAnswer<V> {
        let outcome = match op {
            PartnerOp::Activate { attempt, key, verified } => {
                self.activate(now, &key, attempt, verified)
            }
            PartnerOp::Arm { attempt, exchange, key, post, provisional, quiet } => {
                self.arm(now, &key, (attempt, exchange), post, (quiet, provisional))
            }
            PartnerOp::Begin { attempt, key } => self.begin(now, key, attempt),
            PartnerOp::Commit { attempt, confirm_within, generation, integrated, key } => {
                self.commit(now, &key, (attempt, generation), integrated, confirm_within)
            }
            PartnerOp::CountRefusal { client, limits, source } => {
                self.refusals.count(now, client, source, limits);
                PartnerOutcome::Counted
            }
            PartnerOp::Disable { token } => self.disable(now, &token),
            PartnerOp::End { cause, generation, key } => self.end(now, &key, generation, cause),
            PartnerOp::EndAll { cause } => self.end_all(now, cause),
            PartnerOp::FindClient { client, limits, source } => {
                match self.refusals.throttled_until(now, client, source, limits) {
                    Some(until) => PartnerOutcome::Throttled { until },
                    None => PartnerOutcome::Client(self.find_client(now, client)),
                }
            }
            PartnerOp::Identify { token } => match self.principal(now, &token) {
                Some(principal) => PartnerOutcome::Identified(principal),
                None => PartnerOutcome::Foreign,
            },
            PartnerOp::Issue { client, generation, life, token } => {
                self.issue(now, client, generation, (token, life))
            }
            PartnerOp::Load { key } => {
                let record = self.records.get(&key).cloned();
                record.map_or(PartnerOutcome::Missing, PartnerOutcome::Loaded)
            }
            PartnerOp::Pulse { since } => self.pulse(since),
            PartnerOp::Unsettled { limit } => self.unsettled(limit),
            PartnerOp::Void { attempt, key } => self.void(now, &key, attempt),
        };
        PartnerAnswer { now, outcome }
    }

    /// Returns the record of a company, to look at.
    #[must_use]
    pub fn record(&self, key: &IntegrationKey) -> Option<&IntegrationRecord<V>> {
        self.records.get(key)
    }

    /// Returns how many tokens and counted refusals there are: what grows with strangers.
    #[must_use]
    pub fn held(&self) -> (usize, usize) {
        (self.clients.tokens(), self.refusals.len())
    }

    fn end(
        &mut self,
        now: Timestamp,
        key: &IntegrationKey,
        only: Option<Generation>,
        cause: EndCause,
    ) -> PartnerOutcome<V> {
        let Some(record) = self.records.get_mut(key) else { return PartnerOutcome::Missing };
        let ended = end_record(now, record, only, cause);
        let record = record.without_secrets();
        for generation in &ended {
            self.clients.retire(key, *generation);
            // A customer's notification may come again with the same token; nothing else may.
            if cause != EndCause::Disabled {
                self.clients.forget_tokens(key, *generation);
            }
        }
        if !ended.is_empty() {
            self.tell(key.clone(), &record);
        }
        PartnerOutcome::Done(record)
    }

    fn end_all(&mut self, now: Timestamp, cause: EndCause) -> PartnerOutcome<V> {
        let open = |it: &IntegrationRecord<V>| it.attempt.is_some() || it.binding.is_some();
        let keys = self.records.iter().filter(|(_, it)| open(it)).map(|(key, _)| key.clone());
        let keys: Vec<IntegrationKey> = keys.collect();
        for key in &keys {
            self.end(now, key, None, cause);
        }
        PartnerOutcome::AllEnded { count: keys.len() }
    }

    fn pulse(&self, since: Sequence) -> PartnerOutcome<V> {
        let changes = self.changes.iter().filter(|change| change.sequence > since);
        PartnerOutcome::News(PartnerNews {
            changes: changes.cloned().collect(),
            sequence: self.sequence,
            store: self.identity,
        })
    }

    fn unsettled(&self, limit: usize) -> PartnerOutcome<V> {
        let waits = self.records.iter().filter(|(_, it)| it.attempt.is_some());
        PartnerOutcome::Keys(waits.map(|(key, _)| key.clone()).take(limit).collect())
    }

    fn tell(&mut self, key: IntegrationKey, record: &IntegrationRecord<()>) {
        self.sequence = Sequence(self.sequence.0.saturating_add(1));
        let live = record.binding.as_ref().map(|it| it.generation);
        self.changes.push_back(IntegrationChange { key, live, sequence: self.sequence });
        if self.changes.len() > Self::CHANGES_LIMIT {
            self.changes.pop_front();
        }
    }
}

/// Ends what there is of a record, and returns the generations that ended.
fn end_record<V>(
    now: Timestamp,
    record: &mut IntegrationRecord<V>,
    only: Option<Generation>,
    cause: EndCause,
) -> Vec<Generation> {
    let meant = |generation| only.is_none_or(|only| only == generation);
    let attempt = record.attempt.take_if(|it| meant(it.generation));
    let binding = record.binding.take_if(|it| meant(it.generation));
    let ended = attempt.map(|it| (it.generation, it.tenant));
    let ended = ended.into_iter().chain(binding.map(|it| (it.generation, it.tenant)));
    let mut generations = Vec::new();
    for (generation, tenant) in ended {
        record.ended = Some(Ending { at: now, cause, generation });
        note(record, now, IntegrationEvent::Ended(cause), generation, tenant);
        generations.push(generation);
    }
    generations
}

fn note<V>(
    record: &mut IntegrationRecord<V>,
    at: Timestamp,
    event: IntegrationEvent,
    generation: Generation,
    tenant: TenantId,
) {
    record.ledger.push(IntegrationLedgerEntry { at, event, generation, tenant });
    if record.ledger.len() > IntegrationRecord::<V>::LEDGER_LIMIT {
        record.ledger.remove(0);
    }
}
