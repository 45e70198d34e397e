//! From a consent to a live integration.

use std::time::Duration;

use sr_auth_core::Timestamp;
use sr_auth_core::store::Generation;

use super::{PartnerModel, note};
use crate::store::answer::PartnerOutcome;
use crate::store::operation::NewAttempt;
use crate::store::record::{
    Attempt, Binding, Integrated, IntegrationEvent, IntegrationRecord, Phase, Verified,
};
use crate::{AttemptId, ExchangeId, IntegrationKey};

impl<V: Clone> PartnerModel<V> {
    pub(super) fn begin(
        &mut self,
        now: Timestamp,
        key: IntegrationKey,
        new: NewAttempt,
    ) -> PartnerOutcome<V> {
        let record = self.records.get(&key).cloned().unwrap_or_default();
        if let Some(attempt) = record.attempt.as_ref().filter(|it| it.id == new.id) {
            let own = attempt.exchange == new.exchange;
            let record = record.without_secrets();
            return if own { PartnerOutcome::Done(record) } else { PartnerOutcome::Taken(record) };
        }
        if record.binding.as_ref().is_some_and(|it| it.attempt == new.id) {
            return PartnerOutcome::Taken(record.without_secrets());
        }
        if record.generation != new.seen {
            return PartnerOutcome::Moved(record.without_secrets());
        }
        let elsewhere = record.binding.as_ref().map(|it| &it.tenant);
        let elsewhere = elsewhere.filter(|it| **it != new.tenant);
        if elsewhere.is_some() && elsewhere != new.rebind.as_ref() {
            return PartnerOutcome::BoundElsewhere(record.without_secrets());
        }
        let until = record.attempt.as_ref().map(|it| it.stands_until(&new.tenant));
        if let Some(until) = until.filter(|until| now < *until) {
            return PartnerOutcome::Busy { record: record.without_secrets(), until };
        }
        let outcome = self.replace_attempt(now, &key, record, new);
        PartnerOutcome::Done(outcome)
    }

    fn replace_attempt(
        &mut self,
        now: Timestamp,
        key: &IntegrationKey,
        mut record: IntegrationRecord<V>,
        new: NewAttempt,
    ) -> IntegrationRecord<()> {
        if let Some(old) = record.attempt.take() {
            self.clients.retire(key, old.generation);
            self.clients.forget_tokens(key, old.generation);
            note(&mut record, now, IntegrationEvent::Voided, old.generation, old.tenant);
        }
        let generation = record.generation.next();
        record.generation = generation;
        note(&mut record, now, IntegrationEvent::Begun, generation, new.tenant.clone());
        if let Some(outbound) = &new.outbound {
            self.clients.add(outbound.key(), key.clone(), generation);
        }
        record.attempt = Some(Attempt {
            begun_at: now,
            exchange: new.exchange,
            generation,
            id: new.id,
            outbound: new.outbound,
            phase: Phase::Prepared { until: now.after(new.prepared_for) },
            tenant: new.tenant,
            used_at: None,
        });
        let shown = record.without_secrets();
        self.records.insert(key.clone(), record);
        self.tell(key.clone(), &shown);
        shown
    }

    pub(super) fn arm(
        &mut self,
        now: Timestamp,
        key: &IntegrationKey,
        (id, exchange): (AttemptId, ExchangeId),
        post: u32,
        (quiet, provisional): (Duration, Duration),
    ) -> PartnerOutcome<V> {
        self.with_attempt(key, id, |record, attempt| {
            if attempt.exchange != exchange {
                return Changed::Refused;
            }
            let announced = match attempt.phase {
                Phase::Integrated { .. } => return Changed::Refused,
                Phase::Posting { posts, .. } => posts,
                Phase::Prepared { .. } => 0,
            };
            if announced > post {
                return Changed::Refused;
            }
            // An offer that is repeated is sent later: its quiet period begins anew.
            attempt.phase = Phase::Posting {
                armed_at: now,
                posts: post,
                quiet_until: now.after(quiet),
                until: now.after(provisional),
            };
            if announced < post {
                let tenant = attempt.tenant.clone();
                note(record, now, IntegrationEvent::Armed, attempt.generation, tenant);
            }
            Changed::Told
        })
    }

    pub(super) fn commit(
        &mut self,
        now: Timestamp,
        key: &IntegrationKey,
        (id, generation): (AttemptId, Generation),
        integrated: Integrated<V>,
        confirm_within: Duration,
    ) -> PartnerOutcome<V> {
        if let Some(record) = self.records.get_mut(key)
            && let Some(live) = record.binding.as_mut().filter(|it| it.attempt == id)
        {
            // The seal of the secret would not open under another generation.
            if live.generation == generation && live.integrated.client_id == integrated.client_id {
                live.integrated.secret = integrated.secret;
            }
            return PartnerOutcome::Done(record.without_secrets());
        }
        self.with_attempt(key, id, |record, attempt| {
            if attempt.generation != generation {
                return Changed::Refused;
            }
            match &mut attempt.phase {
                // The answer was lost, and the same credentials are offered again.
                Phase::Integrated { integrated: kept, .. }
                    if kept.client_id == integrated.client_id =>
                {
                    kept.secret = integrated.secret;
                    Changed::Again
                }
                // A late answer to an earlier request of the same attempt: the newer one counts.
                Phase::Integrated { .. } | Phase::Posting { .. } | Phase::Prepared { .. } => {
                    let until = now.after(confirm_within);
                    attempt.phase = Phase::Integrated { at: now, integrated, until };
                    let tenant = attempt.tenant.clone();
                    note(record, now, IntegrationEvent::Integrated, attempt.generation, tenant);
                    Changed::Told
                }
            }
        })
    }

    pub(super) fn activate(
        &mut self,
        now: Timestamp,
        key: &IntegrationKey,
        id: AttemptId,
        verified: Verified,
    ) -> PartnerOutcome<V> {
        let Some(mut record) = self.records.get(key).cloned() else {
            return PartnerOutcome::Missing;
        };
        if record.binding.as_ref().is_some_and(|it| it.attempt == id) {
            return PartnerOutcome::Done(record.without_secrets());
        }
        let Some(attempt) = record.attempt.take_if(|it| it.id == id) else {
            return PartnerOutcome::Superseded(record.without_secrets());
        };
        let Phase::Integrated { integrated, .. } = attempt.phase else {
            let record = self.records.get(key).map(IntegrationRecord::without_secrets);
            return PartnerOutcome::Superseded(record.unwrap_or_default());
        };
        if let Some(old) = record.binding.take() {
            self.clients.retire(key, old.generation);
        }
        let (generation, tenant) = (attempt.generation, attempt.tenant.clone());
        note(&mut record, now, IntegrationEvent::Bound(verified), generation, tenant);
        record.binding = Some(Binding {
            attempt: id,
            bound_at: now,
            generation,
            integrated,
            outbound: attempt.outbound,
            tenant: attempt.tenant,
            verified,
        });
        let shown = record.without_secrets();
        self.records.insert(key.clone(), record);
        self.tell(key.clone(), &shown);
        PartnerOutcome::Done(shown)
    }

    pub(super) fn void(
        &mut self,
        now: Timestamp,
        key: &IntegrationKey,
        id: AttemptId,
    ) -> PartnerOutcome<V> {
        let Some(record) = self.records.get_mut(key) else { return PartnerOutcome::Missing };
        if let Some(attempt) = record.attempt.take_if(|it| it.id == id) {
            note(record, now, IntegrationEvent::Voided, attempt.generation, attempt.tenant);
            let shown = record.without_secrets();
            self.clients.retire(key, attempt.generation);
            self.clients.forget_tokens(key, attempt.generation);
            self.tell(key.clone(), &shown);
            return PartnerOutcome::Done(shown);
        }
        PartnerOutcome::Done(record.without_secrets())
    }

    /// Changes the attempt that stands, if it is that one.
    fn with_attempt(
        &mut self,
        key: &IntegrationKey,
        id: AttemptId,
        change: impl FnOnce(&mut IntegrationRecord<V>, &mut Attempt<V>) -> Changed,
    ) -> PartnerOutcome<V> {
        let Some(record) = self.records.get_mut(key) else { return PartnerOutcome::Missing };
        let Some(mut attempt) = record.attempt.take_if(|it| it.id == id) else {
            return PartnerOutcome::Superseded(record.without_secrets());
        };
        let changed = change(record, &mut attempt);
        record.attempt = Some(attempt);
        let shown = record.without_secrets();
        match changed {
            Changed::Again => PartnerOutcome::Done(shown),
            Changed::Refused => PartnerOutcome::Superseded(shown),
            Changed::Told => {
                self.tell(key.clone(), &shown);
                PartnerOutcome::Done(shown)
            }
        }
    }
}

/// What became of an attempt that stands.
#[derive(Clone, Copy, Debug)]
enum Changed {
    /// It was so before; at most a secret was sealed anew.
    Again,
    /// The operation is not for it as it is.
    Refused,
    /// It has changed, and everybody is told.
    Told,
}
