//! The servers that `cargo xtask servers` has started, and what is asked of a store on them.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use sr_auth_core::store::{
    CauseOfDeath, End, Generation, GrantKey, IntentId, NewGrant, NewIntent, OwnerId, Refusals,
    Renewal, Sequence, Sibling, StoreOp, StoredToken, Successor,
};
use sr_auth_core::{Fingerprint, Timestamp};
use sr_auth_store::Sealed;

/// Returns a variable that `cargo xtask servers` sets.
#[expect(clippy::disallowed_methods, reason = "where the servers are is told in the environment")]
pub(crate) fn variable(name: &str) -> String {
    let Ok(value) = std::env::var(name) else {
        panic!("{name} is not set: `cargo xtask servers` starts the servers and runs this test")
    };
    value
}

/// Names a store that nobody else has.
pub(crate) fn fresh_name() -> String {
    use std::sync::atomic::{AtomicU64, Ordering};
    static NEXT: AtomicU64 = AtomicU64::new(0);
    format!("of_store_{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed))
}

/// Has a server killed or started.
pub(crate) fn order(verb: &str, server: &str) {
    let mut stream = TcpStream::connect(variable("SR_AUTH_TEST_SERVERS")).unwrap();
    writeln!(stream, "{verb} {server}").unwrap();
    let answer = BufReader::new(stream).lines().next().unwrap().unwrap();
    assert_eq!(answer, "ok", "{verb} {server}");
}

pub(crate) fn key() -> GrantKey {
    GrantKey::new("planner/acme").unwrap()
}

fn token(byte: u8) -> StoredToken<Sealed> {
    StoredToken {
        ends_at: Timestamp::MAX,
        fingerprint: Fingerprint::from_bytes([byte; 16]),
        renew_at: Timestamp::EPOCH,
        value: Sealed::from_bytes(vec![byte; 400]),
    }
}

pub(crate) fn adopt() -> StoreOp<Sealed> {
    let grant =
        NewGrant { access: Some(token(1)), refresh: Some(token(2)), renewal: Renewal::SingleUse };
    StoreOp::Adopt { grant, key: key(), only_if_missing: false }
}

pub(crate) fn arm(number: u64) -> StoreOp<Sealed> {
    let intent = NewIntent {
        fingerprint: Some(Fingerprint::from_bytes([2; 16])),
        id: intent(number),
        quiet: Duration::from_secs(135),
    };
    StoreOp::Arm { generation: Generation::from_number(1), intent, key: key(), over: None }
}

fn intent(number: u64) -> IntentId {
    IntentId { number, owner: OwnerId::new(7) }
}

pub(crate) fn load() -> StoreOp<Sealed> {
    StoreOp::Load { key: key() }
}

pub(crate) fn pulse(alive: bool) -> StoreOp<Sealed> {
    StoreOp::Pulse { alive, owner: OwnerId::new(7), since: Sequence(0) }
}

/// One of each, in an order in which each does what it is for.
pub(crate) fn one_of_each() -> Vec<(StoreOp<Sealed>, &'static str)> {
    let (owner, key) = (OwnerId::new(7), key());
    let of = Generation::from_number;
    let disarm = StoreOp::Disarm {
        intent: intent(1),
        key: key.clone(),
        not_before: Timestamp::EPOCH,
        refusals: Refusals::default(),
    };
    let successor = Successor { access: Some(token(3)), refresh: Some(token(4)) };
    let commit = StoreOp::Commit { generation: of(1), key: key.clone(), owner, successor };
    let sibling = Sibling { from: of(1), token: token(5) };
    let escrow = StoreOp::Escrow { key: key.clone(), owner, sibling };
    let refused = Some(Fingerprint::from_bytes([4; 16]));
    let cause = CauseOfDeath::RefusedByServer;
    let bury = StoreOp::Bury { cause, generation: of(2), key: key.clone(), owner, refused };
    vec![
        (load(), "Missing"),
        (adopt(), "Done"),
        (load(), "Loaded"),
        (arm(1), "Armed"),
        (arm(2), "Busy"),
        (disarm, "Done"),
        (StoreOp::Due { limit: 10, until: Timestamp::MAX }, "Due"),
        (arm(3), "Armed"),
        (commit, "Done"),
        (escrow, "Done"),
        (bury, "Done"),
        (StoreOp::End { end: End::Disabled, generation: None, key }, "Done"),
        (pulse(true), "Pulse"),
        (pulse(false), "Pulse"),
    ]
}
