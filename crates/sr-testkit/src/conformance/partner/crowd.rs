//! What clients do with two companies.

use std::time::Duration;

use sr_auth_core::store::Sequence;
use sr_partner::IntegrationKey;
use sr_partner::store::{
    AttemptLimits, EndCause, IntegrationRecord, NewAttempt, PartnerOp, PartnerOutcome,
};

use super::values::{
    activate, begin, begin_with, client_key, commit_with, consent, disable, end, find, identify,
    integrated, issue, key, load, new_attempt, run, tenant,
};
use super::{Integrations, judge};
use crate::conformance::concurrency::Crowded;
use crate::conformance::kind::Kind;
use crate::conformance::values::{Draw, LONG};

/// What a process knows of the two companies.
#[derive(Debug, Default)]
pub(in crate::conformance) struct Memory {
    seen: [Option<IntegrationRecord<()>>; 2],
    sequence: Sequence,
}

fn keys() -> [IntegrationKey; 2] {
    [key("planner", "acme"), key("planner", "other")]
}

/// The consents that clients may have in hand.
const CONSENTS: u64 = 100;

impl Crowded for Integrations {
    type Memory = Memory;

    fn beginning() -> Vec<Self::Op> {
        keys().iter().take(1).map(|key| begin(key, 1, 0)).collect()
    }

    fn choose(client: u64, turn: u64, draw: &mut Draw, memory: &mut Memory) -> Self::Op {
        let [one, other] = keys();
        let [first, second] = &memory.seen;
        let (key, seen) = match draw.below(4) {
            0 => (other, second),
            _ => (one, first),
        };
        let own = client * 10 + turn;
        // The second company is not there at first: all begin at once.
        let Some(seen) = seen else {
            return if turn < 3 { begin(&key, own, 0) } else { load(&key) };
        };
        let generation = seen.generation.number();
        let standing = seen.attempt.as_ref();
        let number = standing.and_then(|it| (0..CONSENTS).find(|n| consent(*n) == it.id));
        let number = number.unwrap_or(own);
        let exchange = standing.map_or_else(|| run(number), |it| it.exchange);
        match draw.below(16) {
            0..=1 => {
                // One that is over at once, so that the next may begin.
                let prepared_for = if draw.below(2) == 0 { Duration::ZERO } else { LONG };
                let name = if draw.below(4) == 0 { "other" } else { "acme" };
                let attempt = new_attempt(&key, own, generation);
                begin_with(&key, NewAttempt { prepared_for, tenant: tenant(name), ..attempt })
            }
            2..=4 => PartnerOp::Arm {
                attempt: consent(number),
                exchange,
                key,
                post: u32::try_from(1 + draw.below(2)).unwrap_or(1),
                provisional: LONG,
                quiet: Duration::ZERO,
            },
            5..=7 => commit_with(&key, number, generation, integrated(own, 0)),
            8..=9 => activate(&key, number),
            10..=11 => issue(&key, number, generation, turn % 3),
            12 => match draw.below(3) {
                0 => disable(&key, number, turn % 3),
                1 => end(&key, EndCause::Refused, Some(generation)),
                _ => PartnerOp::EndAll { cause: EndCause::Revoked },
            },
            13 => identify(&key, number, turn % 3),
            14 => find(client_key(&key, number), None, AttemptLimits::default()),
            _ => PartnerOp::Pulse { since: memory.sequence },
        }
    }

    fn learn(memory: &mut Memory, op: &Self::Op, outcome: &Self::Outcome) {
        if let PartnerOutcome::News(news) = outcome {
            memory.sequence = news.sequence;
        }
        let about = keys().iter().position(|key| Self::key(op) == Some(key));
        let seen = about.and_then(|about| memory.seen.get_mut(about));
        if let (Some(seen), Some(record)) = (seen, judge::of(outcome)) {
            *seen = Some(record);
        }
    }

    fn ending() -> Vec<Self::Op> {
        keys().iter().map(load).chain([Self::look()]).collect()
    }
}
