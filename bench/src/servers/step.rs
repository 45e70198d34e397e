//! The life of a grant, step by step: as the store is asked, and as the same is asked by hand.

use std::time::Duration;

use sr_auth_core::store::{
    CauseOfDeath, End, Generation, GrantKey, IntentId, NewGrant, NewIntent, OwnerId, Refusals,
    Renewal, Sequence, Sibling, StoreOp, StoredToken, Successor,
};
use sr_auth_core::{FingerprintKey, Secret, Timestamp};

/// One parameter of a statement.
pub(super) enum Value {
    Bytes(Option<Vec<u8>>),
    Flag(bool),
    Number(Option<i64>),
    Text(String),
}

/// One operation, in both ways.
pub(super) struct Step {
    pub(super) by_hand: (&'static str, Vec<Value>),
    pub(super) of_store: StoreOp<Secret>,
    /// What comes of it either way.
    pub(super) outcome: &'static str,
}

/// How long a token is when it is sealed.
const SEALED: usize = 110;
const OWNER: u128 = 1;
const QUIET: Duration = Duration::from_secs(135);

/// The operations that are timed, in the order in which each does what it is for.
pub(super) const NAMES: [&str; 11] = [
    "adopt",
    "load",
    "arm",
    "disarm",
    "arm again",
    "commit",
    "escrow",
    "bury",
    "end",
    "due",
    "pulse",
];

/// Which of them reads a token.
pub(super) const LOAD: usize = 1;

/// The life of the grant of this number.
pub(super) fn life(number: u64) -> [Step; NAMES.len()] {
    let (key, hand) = (key("ours", number), key("hand", number));
    let of = Generation::from_number;
    let (owner, first, second) = (OwnerId::new(OWNER), token(number, 1), token(number, 2));
    let refused = Some(second.fingerprint);
    let grant =
        NewGrant { access: Some(first.clone()), refresh: Some(first), renewal: Renewal::SingleUse };
    let successor = Successor { access: Some(second.clone()), refresh: Some(second) };
    let sibling = Sibling { from: of(1), token: token(number, 3) };
    let disarm = StoreOp::Disarm {
        intent: IntentId { number: 1, owner },
        key: key.clone(),
        not_before: Timestamp::EPOCH,
        refusals: Refusals::default(),
    };
    let operations = [
        (StoreOp::Adopt { grant, key: key.clone(), only_if_missing: false }, "Done"),
        (StoreOp::Load { key: key.clone() }, "Loaded"),
        (arm(&key, number, 1), "Armed"),
        (disarm, "Done"),
        (arm(&key, number, 2), "Armed"),
        (StoreOp::Commit { generation: of(1), key: key.clone(), owner, successor }, "Done"),
        (StoreOp::Escrow { key: key.clone(), owner, sibling }, "Done"),
        (
            StoreOp::Bury {
                cause: CauseOfDeath::RefusedByServer,
                generation: of(2),
                key: key.clone(),
                owner,
                refused,
            },
            "Done",
        ),
        (StoreOp::End { end: End::Disabled, generation: None, key }, "Done"),
        (StoreOp::Due { limit: 10, until: Timestamp::MAX }, "Due"),
        // What has changed is not asked for: it would be more the longer this runs.
        (StoreOp::Pulse { alive: true, owner, since: Sequence(u64::MAX) }, "Pulse"),
    ];
    let mut by_hand = written_by_hand(hand.as_str(), number).into_iter();
    operations.map(|(of_store, outcome)| Step {
        by_hand: by_hand.next().expect("as many in both ways"),
        of_store,
        outcome,
    })
}

/// What somebody would write who knows the functions of the server.
fn written_by_hand(key: &str, number: u64) -> [(&'static str, Vec<Value>); 11] {
    use Value::{Bytes, Flag, Number, Text};

    let key = || Text(key.to_owned());
    let bytes = |bytes: &[u8]| Bytes(Some(bytes.to_vec()));
    let owner = || bytes(&OWNER.to_be_bytes());
    let count = |number| Number(Some(number));
    let fingerprint =
        |generation| bytes(token(number, generation).fingerprint.as_bytes().as_slice());
    let token =
        |generation| [bytes(&[7; SEALED]), fingerprint(generation), count(1_000), count(2_000)];
    let arm = |intent| {
        let quiet = i64::try_from(QUIET.as_millis()).expect("minutes");
        let new = [key(), count(1), owner(), count(intent), fingerprint(1), count(quiet)];
        let over = [Bytes(None), Number(None), Flag(false), bytes(&[10])];
        new.into_iter().chain(over).collect()
    };
    let two_tokens = |head: Vec<Value>, generation| {
        head.into_iter().chain(token(generation)).chain(token(generation)).collect()
    };
    [
        (
            "adopt",
            two_tokens(vec![key(), Flag(false), bytes(&[1]), Text("single_use".to_owned())], 1),
        ),
        ("load", vec![key()]),
        ("arm", arm(1)),
        ("disarm", vec![key(), owner(), count(1), count(0), count(0), count(0), count(0)]),
        ("arm", arm(2)),
        ("commit", two_tokens(vec![key(), count(1), owner(), bytes(&[9])], 2)),
        (
            "escrow",
            vec![key(), owner(), bytes(&[8]), count(1)].into_iter().chain(token(3)).collect(),
        ),
        (
            "bury",
            vec![
                key(),
                count(2),
                owner(),
                Text("dead: refused_by_server".to_owned()),
                bytes(&[4]),
                fingerprint(2),
            ],
        ),
        ("end_grant", vec![key(), Number(None), Text("disabled".to_owned()), bytes(&[6])]),
        ("due", vec![count(i64::MAX), count(10)]),
        ("pulse", vec![owner(), count(i64::MAX), Flag(true), count(1_024), count(10_000)]),
    ]
}

fn arm(key: &GrantKey, number: u64, intent: u64) -> StoreOp<Secret> {
    let intent = NewIntent {
        fingerprint: Some(token(number, 1).fingerprint),
        id: IntentId { number: intent, owner: OwnerId::new(OWNER) },
        quiet: QUIET,
    };
    StoreOp::Arm { generation: Generation::from_number(1), intent, key: key.clone(), over: None }
}

/// The key of a grant that is kept this way.
fn key(way: &str, number: u64) -> GrantKey {
    GrantKey::new(&format!("{way}/company-{number}")).expect("a good key")
}

fn token(number: u64, generation: u64) -> StoredToken<Secret> {
    let value = Secret::new(format!("DCRD10-{number:032x}{generation:08x}"));
    let fingerprint = FingerprintKey::new([7; 32]).fingerprint(&value);
    let [renew_at, ends_at] = [1, 2].map(Timestamp::from_unix_secs);
    StoredToken { ends_at, fingerprint, renew_at, value }
}
