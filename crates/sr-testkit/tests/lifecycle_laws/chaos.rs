//! What may happen to a lifecycle, in any order: the network, the store, other processes, people
//! and clocks.

use proptest::collection::vec;
use proptest::prelude::*;
use sr_auth_core::store::End;

/// A run: what becomes of the operations of the store, in their order and over again, and what
/// else happens.
#[derive(Clone, Debug)]
pub(crate) struct Run {
    pub(crate) fates: Vec<Fate>,
    pub(crate) steps: Vec<Step>,
}

/// One thing that happens. Numbers called `pick` choose among what there is.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    /// A new consent or an import.
    Adopt,
    /// The store tells of the record as it is, or of something older or newer.
    Changed {
        ahead: i8,
    },
    ClockDiverged,
    End(End),
    /// An operation that is kept ends in one way or another.
    Operation(u8, Fate),
    /// Another process or an administrator does something.
    Peer(Peer),
    /// Time passes, and every time-out comes at its moment.
    Pass(u32),
    /// The API refuses the token that is served, or the one before it.
    Rejected {
        current: bool,
    },
    /// A request of ours ends in one way or another.
    Request(u8, Reply),
    /// The store goes back to the last [`Step::Save`], or loses everything.
    Restore,
    Save,
    Shutdown,
    /// Our clock is set, forwards or backwards.
    Skew(i32),
    /// Time passes, and nobody looks: a suspended process.
    Sleep(u32),
    /// A time-out comes, early or not.
    Timeout,
    Want,
    /// An operation that was given up is carried out after all.
    Zombie(u8),
}

/// What becomes of an operation.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Fate {
    Answered,
    /// Carried out; its answer comes later.
    CarriedOut,
    /// Comes later.
    Kept,
    /// Not carried out now, and nobody can tell; perhaps later.
    Lost,
    Refused,
    /// Answered twice.
    Twice,
    /// Carried out, and the answer is lost.
    Unseen,
}

/// What becomes of a request.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Reply {
    /// Cut off after the refresh token of a success.
    Cut,
    Failed,
    Garbled,
    /// A success without a refresh token.
    Granted,
    InvalidClient,
    InvalidGrant,
    Lost,
    NotSent,
    /// A success with a refresh token, delivered twice or once.
    Rotated {
        twice: bool,
    },
    Throttled,
    Unknown,
    /// A success whose access token has no life.
    Useless,
}

/// What others do.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Peer {
    Adopts,
    Arms,
    ArmsOver,
    Buries,
    Commits,
    Disarms,
    Ends(End),
    Escrows,
    Lives,
}

fn end() -> impl Strategy<Value = End> {
    prop_oneof![Just(End::Disabled), Just(End::Revoked)]
}

fn fate() -> impl Strategy<Value = Fate> {
    prop_oneof![
        30 => Just(Fate::Answered),
        1 => Just(Fate::CarriedOut),
        1 => Just(Fate::Kept),
        1 => Just(Fate::Lost),
        1 => Just(Fate::Refused),
        1 => Just(Fate::Twice),
        1 => Just(Fate::Unseen),
    ]
}

fn reply() -> impl Strategy<Value = Reply> {
    prop_oneof![
        2 => Just(Reply::Cut),
        3 => Just(Reply::Failed),
        2 => Just(Reply::Garbled),
        2 => Just(Reply::Granted),
        1 => Just(Reply::InvalidClient),
        3 => Just(Reply::InvalidGrant),
        4 => Just(Reply::Lost),
        3 => Just(Reply::NotSent),
        8 => any::<bool>().prop_map(|twice| Reply::Rotated { twice }),
        1 => Just(Reply::Throttled),
        2 => Just(Reply::Unknown),
        1 => Just(Reply::Useless),
    ]
}

fn peer() -> impl Strategy<Value = Peer> {
    prop_oneof![
        2 => Just(Peer::Adopts),
        8 => Just(Peer::Arms),
        4 => Just(Peer::ArmsOver),
        2 => Just(Peer::Buries),
        8 => Just(Peer::Commits),
        4 => Just(Peer::Disarms),
        1 => end().prop_map(Peer::Ends),
        4 => Just(Peer::Escrows),
        4 => Just(Peer::Lives),
    ]
}

/// A span in milliseconds: within a fence, a time-out, a quiet period, a life or a month.
fn span() -> impl Strategy<Value = u32> {
    prop_oneof![
        6 => 0..2_500_u32,
        6 => 2_500..140_000_u32,
        4 => 140_000..1_900_000_u32,
        1 => 1_900_000..2_700_000_000_u32,
    ]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        1 => Just(Step::Adopt),
        2 => (-2..3_i8).prop_map(|ahead| Step::Changed { ahead }),
        1 => Just(Step::ClockDiverged),
        1 => end().prop_map(Step::End),
        6 => (any::<u8>(), fate()).prop_map(|(pick, fate)| Step::Operation(pick, fate)),
        4 => peer().prop_map(Step::Peer),
        12 => span().prop_map(Step::Pass),
        3 => any::<bool>().prop_map(|current| Step::Rejected { current }),
        16 => (any::<u8>(), reply()).prop_map(|(pick, reply)| Step::Request(pick, reply)),
        1 => Just(Step::Skew(0)),
        2 => (-200_000..200_000_i32).prop_map(Step::Skew),
        3 => span().prop_map(Step::Sleep),
        3 => Just(Step::Timeout),
        10 => Just(Step::Want),
        1 => any::<u8>().prop_map(Step::Zombie),
    ]
}

/// A run that a process survives.
pub(crate) fn run() -> impl Strategy<Value = Run> {
    (vec(fate(), 1..40), vec(step(), 1..80)).prop_map(|(fates, steps)| Run { fates, steps })
}

/// A run at whose end the process is asked to end.
pub(crate) fn run_and_shutdown() -> impl Strategy<Value = Run> {
    (run(), vec(step(), 0..30)).prop_map(|(Run { fates, mut steps }, rest)| {
        steps.push(Step::Shutdown);
        steps.extend(rest);
        Run { fates, steps }
    })
}

/// A run over a store that is restored from backups.
pub(crate) fn run_with_backups() -> impl Strategy<Value = Run> {
    let backup = prop_oneof![
        12 => step(),
        2 => Just(Step::Save),
        1 => Just(Step::Restore),
    ];
    (vec(fate(), 1..40), vec(backup, 1..80)).prop_map(|(fates, steps)| Run { fates, steps })
}
