//! Every order of what may happen, breadth first: what breaks, breaks in the fewest steps.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::action::Action;
use super::machines::Machines;
use super::step::Bench;
use super::story;
use super::world::{Ground, World};
use super::{Breach, Findings, Trace, Verdict};
use crate::simulation::{Excuse, Invariant};

/// How a world was reached first.
#[derive(Clone, Copy, Debug)]
struct Node {
    action: Action,
    parent: u32,
}

/// One exploration under way.
#[derive(Debug)]
pub(super) struct Search<'a> {
    /// Steps that happen by themselves, from one world to another.
    fair: Vec<(u32, u32)>,
    frontier: VecDeque<(u32, World)>,
    ground: &'a Ground,
    limit: usize,
    losses: BTreeMap<Excuse, u64>,
    machines: &'a mut Machines,
    nodes: Vec<Node>,
    rests: Vec<u32>,
    seen: BTreeMap<u128, u32>,
    steps: u64,
}

impl<'a> Search<'a> {
    pub(super) const fn new(ground: &'a Ground, limit: usize, machines: &'a mut Machines) -> Self {
        Self {
            fair: Vec::new(),
            frontier: VecDeque::new(),
            ground,
            limit,
            losses: BTreeMap::new(),
            machines,
            nodes: Vec::new(),
            rests: Vec::new(),
            seen: BTreeMap::new(),
            steps: 0,
        }
    }

    pub(super) fn run(mut self) -> Findings {
        let verdict = match self.explore() {
            Ok(()) if self.nodes.len() > self.limit => Verdict::TooLarge,
            Ok(()) => Verdict::Holds,
            Err((breach, path)) => Verdict::Broken(self.trace(breach, &path)),
        };
        Findings {
            losses: self.losses,
            rests: self.rests.len(),
            states: self.nodes.len(),
            steps: self.steps,
            verdict,
        }
    }

    fn explore(&mut self) -> Result<(), (Breach, Vec<Action>)> {
        let mut world = World::new(self.ground);
        world.begin(&mut self.bench()).map_err(|breach| (breach, Vec::new()))?;
        self.reach(0, Action::Advance, world);
        while let Some((at, world)) = self.frontier.pop_front() {
            if self.nodes.len() > self.limit {
                return Ok(());
            }
            self.expand(at, &world)?;
        }
        match self.stuck() {
            Some(at) => {
                let detail = "it does not come to rest by itself from here";
                let path = self.until_it_repeats(self.path(at));
                Err((Breach { detail, invariant: Invariant::CallersAreAnswered }, path))
            }
            None => Ok(()),
        }
    }

    const fn bench(&mut self) -> Bench<'_> {
        Bench { ground: self.ground, machines: Some(self.machines) }
    }

    fn expand(&mut self, at: u32, world: &World) -> Result<(), (Breach, Vec<Action>)> {
        let actions = world.actions(self.ground);
        if !actions.iter().any(|it| it.is_fair()) {
            let rests = world.rests(&mut self.bench());
            let lost = rests.map_err(|breach| (breach, self.path(at)))?;
            self.rests.push(at);
            if let Some(excuse) = lost {
                *self.losses.entry(excuse).or_default() += 1;
            }
        }
        for action in actions {
            self.steps += 1;
            let mut next = world.clone();
            let taken = next.take(action, &mut self.bench()).and_then(|()| {
                let views = next.views();
                next.live_token_exists(action, &views, self.ground)?;
                Ok(next.identity(&views, self.ground))
            });
            let identity = match taken {
                Ok(identity) => identity,
                Err(breach) => {
                    let mut path = self.path(at);
                    path.push(action);
                    return Err((breach, path));
                }
            };
            let to = match self.seen.get(&identity) {
                Some(known) => *known,
                None => self.add(identity, at, action, next),
            };
            if action.is_fair() {
                self.fair.push((at, to));
            }
        }
        Ok(())
    }

    fn reach(&mut self, parent: u32, action: Action, world: World) {
        let identity = world.identity(&world.views(), self.ground);
        self.add(identity, parent, action, world);
    }

    fn add(&mut self, identity: u128, parent: u32, action: Action, world: World) -> u32 {
        let at = u32::try_from(self.nodes.len()).unwrap_or(u32::MAX);
        self.seen.insert(identity, at);
        self.nodes.push(Node { action, parent });
        self.frontier.push_back((at, world));
        at
    }

    /// Returns the first world from which no rest is reached unless something goes wrong.
    fn stuck(&mut self) -> Option<u32> {
        // By where they lead, so that those into one world lie together.
        self.fair.sort_unstable_by_key(|(_, to)| *to);
        let mut rests = vec![false; self.nodes.len()];
        let mut open = self.rests.clone();
        while let Some(at) = open.pop() {
            let Some(reached) = rests.get_mut(at as usize).filter(|it| !**it) else { continue };
            *reached = true;
            let first = self.fair.partition_point(|(_, to)| *to < at);
            let into = self.fair.iter().skip(first).take_while(|(_, to)| *to == at);
            open.extend(into.map(|(from, _)| *from));
        }
        rests.iter().position(|it| !it).and_then(|it| u32::try_from(it).ok())
    }

    /// Returns what was done to reach a world.
    fn path(&self, mut at: u32) -> Vec<Action> {
        let mut path = Vec::new();
        while let Some(node) = self.nodes.get(at as usize).filter(|_| at != 0) {
            path.push(node.action);
            at = node.parent;
        }
        path.reverse();
        path
    }

    /// Goes on from the end of a path with what happens by itself, until a world comes again.
    fn until_it_repeats(&self, mut path: Vec<Action>) -> Vec<Action> {
        let mut bench = Bench { ground: self.ground, machines: None };
        let mut world = World::new(self.ground);
        let begun = world.begin(&mut bench);
        let mut taken = path.iter().map(|action| world.take(*action, &mut bench));
        if begun.and_then(|()| taken.try_for_each(|it| it)).is_err() {
            return path;
        }
        drop(taken);
        let mut met = BTreeSet::new();
        while met.insert(world.identity(&world.views(), self.ground)) {
            let actions = world.actions(self.ground);
            let Some(action) = actions.into_iter().find(|it| it.is_fair()) else { break };
            path.push(action);
            if world.take(action, &mut bench).is_err() {
                break;
            }
        }
        path
    }

    /// Tells what happened on a path.
    fn trace(&self, breach: Breach, path: &[Action]) -> Trace {
        let Breach { detail, invariant } = breach;
        Trace { detail, invariant, lines: story::tell(self.ground, path), steps: path.len() }
    }
}

#[cfg(test)]
mod tests;
