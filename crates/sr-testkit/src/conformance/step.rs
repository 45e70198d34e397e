//! Generated steps: operations that say what they mean relative to what is there, so that they still
//! mean it when steps before them are left out.

mod ground;

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use sr_auth_core::store::{CauseOfDeath, End, Renewal};

pub(super) use ground::{Ground, keys};

/// One step of a sequence.
#[derive(Clone, Debug)]
pub(super) enum Step<D = Deed> {
    /// An operation, on one of the connections; `again` as if its answer had been lost.
    Apply { again: bool, connection: usize, deed: D },
    /// The store goes down and comes up.
    Restart,
    /// A quiet period goes by.
    Wait,
}

/// An operation, relative to what is there.
#[derive(Clone, Debug)]
pub(super) enum Deed {
    Adopt {
        access: Option<u64>,
        grant: u8,
        only_if_missing: bool,
        refresh: Option<u64>,
        renewal: Renewal,
    },
    Arm {
        at: At,
        grant: u8,
        id: (u64, u64),
        over: Over,
        quiet: Quiet,
    },
    Bury {
        at: At,
        cause: CauseOfDeath,
        grant: u8,
        owner: u64,
        /// Another token than the record's.
        refused: Option<u64>,
    },
    Commit {
        access: Option<u64>,
        at: At,
        grant: u8,
        owner: u64,
        refresh: Option<u64>,
    },
    Disarm {
        grant: u8,
        id: Which,
        not_before: Moment,
        refused: Option<u16>,
    },
    Due {
        limit: usize,
        until: Moment,
    },
    End {
        at: Option<At>,
        end: End,
        grant: u8,
    },
    Escrow {
        at: At,
        grant: u8,
        name: u64,
        owner: u64,
    },
    Load {
        grant: u8,
    },
    Pulse {
        alive: bool,
        back: u64,
        owner: u64,
    },
}

/// Which generation.
#[derive(Clone, Copy, Debug)]
pub(super) enum At {
    Current,
    Far,
    Next,
    Previous,
}

/// Which intent.
#[derive(Clone, Copy, Debug)]
pub(super) enum Which {
    Named(u64, u64),
    Standing,
}

/// Over which intent, and over a process that lives.
pub(super) type Over = Option<(Which, bool)>;

#[derive(Clone, Copy, Debug)]
pub(super) enum Quiet {
    Long,
    None,
    Short,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Moment {
    /// So long after the last answer, in milliseconds.
    After(u64),
    Epoch,
    End,
    /// When the token of this name wants to be replaced.
    Renewal(u64),
}

/// Sequences of up to `longest` steps.
pub(super) fn sequence(longest: usize, restarts: bool) -> impl Strategy<Value = Vec<Step>> {
    steps(adopt(), deed(), longest, restarts)
}

/// Sequences of `deed`s, most of which begin with `first`.
pub(super) fn steps<D: Clone + std::fmt::Debug>(
    first: impl Strategy<Value = D>,
    deed: impl Strategy<Value = D>,
    longest: usize,
    restarts: bool,
) -> impl Strategy<Value = Vec<Step<D>>> {
    let restart = if restarts { 1 } else { 0 };
    let step = prop_oneof![
        40 => (any::<bool>(), 0..3_usize, deed).prop_map(|(again, connection, deed)| {
            Step::Apply { again, connection, deed }
        }),
        2 => Just(Step::Wait),
        restart => Just(Step::Restart),
    ];
    // Something to work on comes first; what follows may still meet an empty store.
    (option::weighted(0.9, first), vec(step, 1..=longest)).prop_map(|(first, mut steps)| {
        let first = first.map(|deed| Step::Apply { again: false, connection: 0, deed });
        steps.splice(0..0, first);
        steps
    })
}

/// Two grants, the first of them mostly.
fn grant() -> impl Strategy<Value = u8> {
    prop_oneof![4 => Just(0), 1 => Just(1)]
}

fn at() -> impl Strategy<Value = At> {
    prop_oneof![
        7 => Just(At::Current), 2 => Just(At::Previous), 1 => Just(At::Next), 1 => Just(At::Far),
    ]
}

fn id() -> impl Strategy<Value = (u64, u64)> {
    (1..4_u64, 0..3_u64)
}

fn which() -> impl Strategy<Value = Which> {
    prop_oneof![3 => Just(Which::Standing), 1 => id().prop_map(|(of, it)| Which::Named(of, it))]
}

fn tokens() -> impl Strategy<Value = Option<u64>> {
    option::weighted(0.8, 0..5_u64)
}

fn moment() -> impl Strategy<Value = Moment> {
    prop_oneof![
        3 => Just(Moment::Epoch),
        2 => (0..100_u64).prop_map(Moment::After),
        1 => Just(Moment::After(7_200_000)),
        1 => (0..5_u64).prop_map(Moment::Renewal),
        1 => Just(Moment::End),
    ]
}

fn adopt() -> impl Strategy<Value = Deed> {
    let renewal = prop_oneof![4 => Just(Renewal::SingleUse), 1 => Just(Renewal::Repeatable)];
    (tokens(), grant(), any::<bool>(), tokens(), renewal).prop_map(
        |(access, grant, only_if_missing, refresh, renewal)| Deed::Adopt {
            access,
            grant,
            only_if_missing,
            refresh,
            renewal,
        },
    )
}

fn arm() -> impl Strategy<Value = Deed> {
    let quiet = prop_oneof![Just(Quiet::None), Just(Quiet::Short), Just(Quiet::Long)];
    let over = option::of((which(), any::<bool>()));
    (at(), grant(), id(), over, quiet).prop_map(|(at, grant, id, over, quiet)| Deed::Arm {
        at,
        grant,
        id,
        over,
        quiet,
    })
}

fn deed() -> impl Strategy<Value = Deed> {
    let cause = prop_oneof![
        Just(CauseOfDeath::Expired),
        Just(CauseOfDeath::LostInRotation),
        Just(CauseOfDeath::RefusedByServer),
        Just(CauseOfDeath::Unrecognised),
    ];
    let end = prop_oneof![Just(End::Disabled), Just(End::Revoked)];
    let refused = option::weighted(0.3, prop_oneof![Just(400), Just(418)]);
    let limit = prop_oneof![Just(0), Just(1), Just(2), Just(usize::MAX)];
    prop_oneof![
        2 => adopt(),
        8 => arm(),
        2 => (at(), cause, grant(), 1..4_u64, option::weighted(0.2, 1..4_u64)).prop_map(
            |(at, cause, grant, owner, refused)| Deed::Bury { at, cause, grant, owner, refused }
        ),
        6 => (tokens(), at(), grant(), 1..4_u64, tokens()).prop_map(
            |(access, at, grant, owner, refresh)| Deed::Commit { access, at, grant, owner, refresh }
        ),
        5 => (grant(), which(), moment(), refused).prop_map(|(grant, id, not_before, refused)| {
            Deed::Disarm { grant, id, not_before, refused }
        }),
        2 => (limit, moment()).prop_map(|(limit, until)| Deed::Due { limit, until }),
        2 => (option::of(at()), end, grant()).prop_map(|(at, end, grant)| Deed::End { at, end, grant }),
        2 => (at(), grant(), 0..5_u64, 1..4_u64)
            .prop_map(|(at, grant, name, owner)| Deed::Escrow { at, grant, name, owner }),
        3 => grant().prop_map(|grant| Deed::Load { grant }),
        3 => (any::<bool>(), 0..6_u64, 1..4_u64)
            .prop_map(|(alive, back, owner)| Deed::Pulse { alive, back, owner }),
    ]
}
