//! Worlds that are called the same are the same, as far as the next step shows.

use std::collections::btree_map::{BTreeMap, Entry};

use super::*;
use crate::exploration::{Case, Scope, ServerMode, Variant};

/// Returns what may come of a world: for each step the world that it leads to, or what breaks.
fn successors(world: &World, ground: &Ground) -> Vec<(World, Result<u128, &'static str>)> {
    let mut bench = Bench { ground, machines: None };
    let actions = world.actions(ground).into_iter();
    let successors = actions.map(|action| {
        let mut next = world.clone();
        let taken = next.take(action, &mut bench);
        let mut views = next.views();
        // How long it pauses after a failure, or before a look, is spread by the name of a process.
        let spread = views.iter_mut().flatten();
        let spread = spread.filter(|it| it.failures > 0 || !it.access.is_good());
        spread.for_each(|it| it.timeout_in = None);
        let identity = taken.map(|()| next.identity(&views, ground));
        (next, identity.map_err(|it| it.detail))
    });
    successors.collect()
}

/// Walks through a case, and counts the worlds and those that differ from one that has their name.
fn walk(case: Case) -> (usize, usize) {
    let ground = Ground::new(case);
    let mut world = World::new(&ground);
    world.begin(&mut Bench { ground: &ground, machines: None }).unwrap();
    let (mut known, mut open, mut differ) = (BTreeMap::new(), vec![world], 0);
    while let Some(world) = open.pop() {
        let next = successors(&world, &ground);
        let mut leads_to: Vec<_> = next.iter().map(|(_, identity)| *identity).collect();
        leads_to.sort_unstable();
        leads_to.dedup();
        match known.entry(world.identity(&world.views(), &ground)) {
            Entry::Occupied(before) => differ += usize::from(*before.get() != leads_to),
            Entry::Vacant(place) => {
                place.insert(leads_to);
                open.extend(next.into_iter().map(|(world, _)| world));
            }
        }
    }
    (known.len(), differ)
}

#[test]
fn worlds_that_look_alike_behave_alike() {
    let scope = Scope { processes: 2, rotations: 2, ..Scope::default() };
    let cases = [
        (ServerMode::Strict, Scope { crashes: 1, ..scope }),
        (ServerMode::Family, Scope { drops: 1, ..scope }),
        (ServerMode::Grace, Scope { pauses: 1, ..scope }),
        (ServerMode::Strict, Scope { faults: 1, ..scope }),
        (ServerMode::Strict, Scope { oddities: 1, ..scope }),
    ];
    for (mode, scope) in cases {
        let (worlds, differ) = walk(Case { mode, scope, variant: Variant::AsDesigned });
        assert!(worlds > 500, "{mode:?} {scope}: {worlds}");
        assert_eq!(differ, 0, "{mode:?} {scope}");
    }
}
