//! Steps that lead somewhere: most are about what stands at that moment.

use std::time::Duration;

use proptest::prelude::*;
use sr_auth_core::SecretDigest;
use sr_auth_core::store::{Generation, Sequence};
use sr_auth_store::Sealed;
use sr_partner::store::{
    AttemptLimits, EndCause, IntegrationRecord, NewAttempt, PartnerModel, PartnerOp, SourceKey,
    Verified,
};
use sr_partner::{AttemptId, ClientKey, ExchangeId, IntegrationKey, OutboundClient};

use crate::fixture::{client, integrated, key, new_attempt, tenant};

/// What is done next, once it is known what stands.
#[derive(Clone, Debug)]
pub(crate) struct Step {
    pub(crate) by_second: bool,
    pub(crate) pause: u64,
    company: &'static str,
    is_wild: bool,
    kind: u8,
    number: u8,
    tenant: &'static str,
}

pub(crate) fn step() -> impl Strategy<Value = Step> {
    let pause = prop_oneof![6 => 0..20_u64, 1 => 20..1_000_u64];
    let company = prop_oneof![3 => Just("5f1b"), 1 => Just("77aa")];
    let tenant = prop_oneof![3 => Just("acme"), 1 => Just("globex")];
    (any::<bool>(), pause, company, prop::bool::weighted(0.15), 0..26_u8, 0..5_u8, tenant).prop_map(
        |(by_second, pause, company, is_wild, kind, number, tenant)| Step {
            by_second,
            pause,
            company,
            is_wild,
            kind,
            number,
            tenant,
        },
    )
}

impl Step {
    pub(crate) fn to_op(&self, model: &PartnerModel<Sealed>) -> PartnerOp<Sealed> {
        let key = key(self.company);
        let record = model.record(&key).cloned().unwrap_or_default();
        let standing = record.attempt.as_ref().filter(|_| !self.is_wild);
        let attempt = standing.map_or_else(|| AttemptId::from_bytes([self.number; 16]), |it| it.id);
        let exchange =
            standing.map_or_else(|| ExchangeId::from_bytes([self.number; 16]), |it| it.exchange);
        let generation = Generation::from_number(
            record.generation.number().saturating_sub(u64::from(self.number % 3)),
        );
        let cause = match self.number {
            0 | 1 => EndCause::Disabled,
            2 => EndCause::Refused,
            _ => EndCause::Revoked,
        };
        match self.kind {
            0..=3 => PartnerOp::Begin { attempt: self.new_attempt(&key, &record), key },
            4..=6 => PartnerOp::Arm {
                attempt,
                exchange,
                key,
                post: 1 + u32::from(self.number % 2),
                provisional: Duration::from_secs(900),
                quiet: Duration::from_secs(135),
            },
            7..=9 => PartnerOp::Commit {
                attempt,
                confirm_within: Duration::from_secs(600),
                generation: standing.map_or(generation, |it| it.generation),
                integrated: integrated(Sealed::from_bytes(vec![self.number; 60])),
                key,
            },
            10..=11 => {
                let verified = if self.number < 2 { Verified::ByOwner } else { Verified::ByProbe };
                PartnerOp::Activate { attempt, key, verified }
            }
            12..=14 => self.issue(&key, &record, generation),
            15 => PartnerOp::Identify { token: self.token(generation) },
            16 if self.number < 3 => PartnerOp::Disable { token: self.token(generation) },
            16 => PartnerOp::Void { attempt, key },
            17 => PartnerOp::End { cause, generation: self.is_wild.then_some(generation), key },
            18 if self.number == 0 => PartnerOp::EndAll { cause },
            18 => PartnerOp::Unsettled { limit: usize::from(self.number) },
            19 => PartnerOp::Pulse { since: Sequence(u64::from(self.number) * 4) },
            20..=22 => PartnerOp::CountRefusal {
                client: client(&key, self.number % 2).key(),
                limits: limits(),
                source: self.source(),
            },
            23..=24 => PartnerOp::FindClient {
                client: self.client_key(&key, &record),
                limits: limits(),
                source: self.source(),
            },
            _ => PartnerOp::Load { key },
        }
    }

    fn new_attempt(&self, key: &IntegrationKey, record: &IntegrationRecord<Sealed>) -> NewAttempt {
        let seen = if self.is_wild { u64::from(self.number) } else { record.generation.number() };
        let exchange = if self.is_wild { 9 } else { self.number };
        NewAttempt {
            exchange: ExchangeId::from_bytes([exchange; 16]),
            outbound: (self.number != 4).then(|| client(key, self.number)),
            rebind: self.number.is_multiple_of(2).then(|| tenant("acme")),
            tenant: tenant(self.tenant),
            ..new_attempt(key, self.number, seen)
        }
    }

    fn issue(
        &self,
        key: &IntegrationKey,
        record: &IntegrationRecord<Sealed>,
        generation: Generation,
    ) -> PartnerOp<Sealed> {
        let standing = record.clients().next().filter(|_| !self.is_wild);
        let generation = standing.map_or(generation, |(generation, _)| generation);
        PartnerOp::Issue {
            client: self.client_key(key, record),
            generation,
            life: Duration::from_secs(300),
            token: self.token(generation),
        }
    }

    fn client_key(&self, key: &IntegrationKey, record: &IntegrationRecord<Sealed>) -> ClientKey {
        let standing = record.clients().next().filter(|_| !self.is_wild);
        standing.map_or_else(
            || client(key, self.number).key(),
            |(_, it): (_, &OutboundClient)| it.key(),
        )
    }

    /// One of a few tokens of a generation: no token is that of two.
    fn token(&self, generation: Generation) -> SecretDigest {
        let mut digest = [self.number / 3; 32];
        digest[..8].copy_from_slice(&generation.number().to_be_bytes());
        digest[8..12].copy_from_slice(self.company.as_bytes());
        SecretDigest::from_bytes(digest)
    }

    fn source(&self) -> Option<SourceKey> {
        (self.number > 0).then(|| SourceKey::of(self.tenant))
    }
}

fn limits() -> AttemptLimits {
    AttemptLimits::new(2, 3, Duration::from_secs(300)).unwrap()
}
