//! Made-up keys, owners, intents and tokens.

use std::time::Duration;

use sr_auth_core::store::{
    CauseOfDeath, Generation, GrantKey, IntentId, NewGrant, NewIntent, OwnerId, Refusals, Renewal,
    Sibling, StoreOp, StoredToken, Successor, TakeOver,
};
use sr_auth_core::{Fingerprint, Timestamp};
use sr_auth_store::Sealed;

/// A quiet period that outlasts every run.
pub(super) const LONG: Duration = Duration::from_secs(3_600);

/// A moment that every run is over before.
pub(super) const FAR: Timestamp = Timestamp::from_unix_secs(20_000_000_000);

/// Draws numbers that look random: the same seed, the same numbers (SplitMix64).
#[derive(Clone, Debug)]
pub(super) struct Draw(u64);

impl Draw {
    pub(super) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(super) const fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Returns a number below `bound`, which is not zero.
    pub(super) const fn below(&mut self, bound: u64) -> u64 {
        self.number() % bound
    }

    pub(super) fn bytes(&mut self, length: usize) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(length + 8);
        while bytes.len() < length {
            bytes.extend_from_slice(&self.number().to_le_bytes());
        }
        bytes.truncate(length);
        bytes
    }
}

pub(super) fn key(text: &str) -> GrantKey {
    GrantKey::new(text).expect("the keys of the suite are valid")
}

/// A process: all bits of its name count.
pub(super) fn owner(number: u64) -> OwnerId {
    let mut draw = Draw::new(number);
    OwnerId::new((u128::from(draw.number()) << 64) | u128::from(draw.number()))
}

pub(super) fn intent(of: u64, number: u64) -> IntentId {
    IntentId { number, owner: owner(of) }
}

pub(super) const fn at(number: u64) -> Generation {
    Generation::from_number(number)
}

/// A token: its name decides its fingerprint and its moments, its copy the sealed bytes alone, for
/// sealing the same token twice gives different bytes.
pub(super) fn token(name: u64, copy: u64) -> StoredToken<Sealed> {
    let length = 40 + usize::try_from(name % 90).unwrap_or(0);
    sized_token(name, copy, length)
}

pub(super) fn sized_token(name: u64, copy: u64, length: usize) -> StoredToken<Sealed> {
    let mut half = [0; 16];
    half.copy_from_slice(&Draw::new(name ^ 0x5eed).bytes(16));
    StoredToken {
        ends_at: FAR.after(Duration::from_secs(name)),
        fingerprint: Fingerprint::from_bytes(half),
        renew_at: Timestamp::from_unix_secs(1_000).after(Duration::from_secs(name * 7)),
        value: sealed(Draw::new(name.wrapping_mul(31).wrapping_add(copy)).bytes(length)),
    }
}

pub(super) fn sealed(bytes: Vec<u8>) -> Sealed {
    Sealed::from_bytes(bytes)
}

/// The access token that comes with a refresh token.
fn access(name: u64, copy: u64) -> StoredToken<Sealed> {
    token(name + 500_000, copy)
}

pub(super) fn adopt(key: &GrantKey, name: u64) -> StoreOp<Sealed> {
    consent(key, grant(name))
}

/// A new consent: over whatever is there.
pub(super) fn consent(key: &GrantKey, grant: NewGrant<Sealed>) -> StoreOp<Sealed> {
    StoreOp::Adopt { grant, key: key.clone(), only_if_missing: false }
}

/// A lost record that is founded anew: only where nothing is.
pub(super) fn found(key: &GrantKey, name: u64) -> StoreOp<Sealed> {
    StoreOp::Adopt { grant: grant(name), key: key.clone(), only_if_missing: true }
}

fn grant(name: u64) -> NewGrant<Sealed> {
    let (access, refresh) = (Some(access(name, 0)), Some(token(name, 0)));
    NewGrant { access, refresh, renewal: Renewal::SingleUse }
}

pub(super) fn arm(key: &GrantKey, of: u64, id: IntentId, quiet: Duration) -> StoreOp<Sealed> {
    arm_over(key, of, id, quiet, None)
}

/// The same, over a standing intent.
pub(super) fn arm_over(
    key: &GrantKey,
    of: u64,
    id: IntentId,
    quiet: Duration,
    over: Option<TakeOver>,
) -> StoreOp<Sealed> {
    let (generation, fingerprint) = (at(of), Some(token(of % 1_000, 0).fingerprint));
    let intent = NewIntent { fingerprint, id, quiet };
    StoreOp::Arm { generation, intent, key: key.clone(), over }
}

pub(super) fn commit(key: &GrantKey, of: u64, by: u64, name: u64) -> StoreOp<Sealed> {
    let successor = Successor { access: Some(access(name, 0)), refresh: Some(token(name, 0)) };
    StoreOp::Commit { generation: at(of), key: key.clone(), owner: owner(by), successor }
}

/// Declares a generation dead whose refresh token has this name.
pub(super) fn bury(
    key: &GrantKey,
    of: u64,
    by: u64,
    name: u64,
    cause: CauseOfDeath,
) -> StoreOp<Sealed> {
    let (generation, refused) = (at(of), Some(token(name, 0).fingerprint));
    StoreOp::Bury { cause, generation, key: key.clone(), owner: owner(by), refused }
}

pub(super) fn disarm(key: &GrantKey, intent: IntentId) -> StoreOp<Sealed> {
    back_off(key, intent, Timestamp::EPOCH, Refusals::default())
}

pub(super) fn back_off(
    key: &GrantKey,
    intent: IntentId,
    not_before: Timestamp,
    refusals: Refusals,
) -> StoreOp<Sealed> {
    StoreOp::Disarm { intent, key: key.clone(), not_before, refusals }
}

pub(super) fn escrow(key: &GrantKey, by: u64, from: u64, name: u64) -> StoreOp<Sealed> {
    let sibling = Sibling { from: at(from), token: token(name, 0) };
    StoreOp::Escrow { key: key.clone(), owner: owner(by), sibling }
}

pub(super) fn load(key: &GrantKey) -> StoreOp<Sealed> {
    StoreOp::Load { key: key.clone() }
}

/// The same operation with the same tokens, sealed once more: other bytes.
pub(super) fn sealed_again(op: StoreOp<Sealed>) -> StoreOp<Sealed> {
    let again = |token: StoredToken<Sealed>| {
        let bytes = token.value.as_bytes().iter().rev().map(|byte| !byte);
        StoredToken { value: Sealed::from_bytes(bytes.collect::<Vec<_>>()), ..token }
    };
    match op {
        StoreOp::Adopt { grant, key, only_if_missing } => {
            let NewGrant { access, refresh, renewal } = grant;
            let (access, refresh) = (access.map(again), refresh.map(again));
            StoreOp::Adopt { grant: NewGrant { access, refresh, renewal }, key, only_if_missing }
        }
        StoreOp::Commit { generation, key, owner, successor } => {
            let Successor { access, refresh } = successor;
            let successor = Successor { access: access.map(again), refresh: refresh.map(again) };
            StoreOp::Commit { generation, key, owner, successor }
        }
        StoreOp::Escrow { key, owner, sibling } => {
            let sibling = Sibling { token: again(sibling.token), ..sibling };
            StoreOp::Escrow { key, owner, sibling }
        }
        op @ (StoreOp::Arm { .. }
        | StoreOp::Bury { .. }
        | StoreOp::Disarm { .. }
        | StoreOp::Due { .. }
        | StoreOp::End { .. }
        | StoreOp::Load { .. }
        | StoreOp::Pulse { .. }) => op,
    }
}
