//! What clients do with two grants.

use std::time::Duration;

use sr_auth_core::Timestamp;
use sr_auth_core::store::{
    CauseOfDeath, End, GrantKey, IntentId, Record, Sequence, StoreOp, StoreOutcome, TakeOver,
};
use sr_auth_store::Sealed;

use super::Crowded;
use crate::conformance::judge;
use crate::conformance::kind::{Grants, Kind as _};
use crate::conformance::values::{
    Draw, FAR, LONG, adopt, arm_over, at, back_off, commit, disarm, escrow, found, intent, key,
    load, owner,
};

/// What a process knows of the two grants.
#[derive(Debug, Default)]
pub(in crate::conformance) struct Memory {
    armed: Option<IntentId>,
    seen: [Option<Record<Sealed>>; 2],
    sequence: Sequence,
}

fn keys() -> [GrantKey; 2] {
    ["planner/acme", "planner/other"].map(key)
}

impl Crowded for Grants {
    type Memory = Memory;

    fn beginning() -> Vec<Self::Op> {
        keys().iter().take(1).map(|key| adopt(key, 1)).collect()
    }

    fn choose(client: u64, turn: u64, draw: &mut Draw, memory: &mut Memory) -> Self::Op {
        let [one, other] = keys();
        let [first, second] = &memory.seen;
        let (key, seen) = match draw.below(4) {
            0 => (other, second),
            _ => (one, first),
        };
        // The second grant is not there at first: all found it anew at once.
        let Some(seen) = seen else {
            return if turn < 3 { found(&key, client) } else { load(&key) };
        };
        let (of, by) = (seen.generation.number(), client);
        let name = by * 1_000 + turn;
        let standing = seen.intent.as_ref().map(|it| it.id);
        match draw.below(16) {
            0..=4 => {
                let id = intent(by, turn);
                memory.armed = Some(id);
                let quiet = if draw.below(2) == 0 { Duration::ZERO } else { LONG };
                let over = standing.map(|intent| TakeOver { even_if_alive: true, intent });
                arm_over(&key, of, id, quiet, over)
            }
            5..=7 => commit(&key, of, by, name),
            8..=9 => {
                let id = memory.armed.or(standing).unwrap_or_else(|| intent(by, turn));
                disarm(&key, id)
            }
            10 => {
                let id = standing.unwrap_or_else(|| intent(by, turn));
                let until = if draw.below(4) == 0 { FAR } else { Timestamp::EPOCH };
                back_off(&key, id, until, seen.refusals)
            }
            11 => {
                let end = if draw.below(2) == 0 { End::Disabled } else { End::Revoked };
                StoreOp::End { end, generation: Some(at(of)), key }
            }
            12 => {
                let (cause, owner) = (CauseOfDeath::LostInRotation, owner(by));
                let refused = seen.refresh.as_ref().map(|it| it.fingerprint);
                StoreOp::Bury { cause, generation: at(of), key, owner, refused }
            }
            13 => adopt(&key, name),
            14 => escrow(&key, by, of, name),
            _ => {
                let alive = draw.below(2) == 0;
                StoreOp::Pulse { alive, owner: owner(by), since: memory.sequence }
            }
        }
    }

    fn learn(memory: &mut Memory, op: &Self::Op, outcome: &Self::Outcome) {
        if let StoreOutcome::Pulse(pulse) = outcome {
            memory.sequence = pulse.sequence;
        }
        let seen = keys().iter().zip(&mut memory.seen).find_map(|(key, seen)| {
            let is_about = op.key() == Some(key);
            is_about.then_some(seen)
        });
        if let (Some(seen), Some(record)) = (seen, judge::of(outcome)) {
            *seen = Some(record.clone());
        }
    }

    fn ending() -> Vec<Self::Op> {
        keys().iter().map(load).chain([Self::look()]).collect()
    }
}
