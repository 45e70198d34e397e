//! What each state of the machines did with each input, as far as explorations have met it.

mod page;

use std::collections::{BTreeMap, BTreeSet};

use sr_auth_core::lifecycle::{Access, Output, Stage, View};
use sr_auth_core::store::Health;

use super::occurrence::{Occurrence, of_output};

/// What each state of the regions did with each input.
///
/// Its [`page`](Self::page) is `docs/machines.md`.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Machines {
    access: Cells<&'static str>,
    health: Cells<&'static str>,
    rotation: Cells<Stage>,
}

/// Each state with each input, and what came of it.
type Cells<S> = BTreeMap<(S, Occurrence), BTreeSet<Course<S>>>;

/// What came of an input: the next state, and what the machine asked for.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
struct Course<S> {
    next: S,
    outputs: Vec<&'static str>,
}

impl Machines {
    /// Takes a step of a machine in.
    pub(super) fn note(
        &mut self,
        before: &View,
        what: Occurrence,
        after: &View,
        outputs: &[Output],
    ) {
        let outputs: Vec<_> = outputs.iter().map(of_output).collect();
        put(&mut self.rotation, before.stage, what, after.stage, outputs);
        self.note_data(before, what, after);
    }

    /// Takes in what has become of the data of a machine.
    pub(super) fn note_data(&mut self, before: &View, what: Occurrence, after: &View) {
        let (from, to) = (of_access(before.access), of_access(after.access));
        put(&mut self.access, from, what, to, Vec::new());
        let (from, to) = (of_health(before.health), of_health(after.health));
        put(&mut self.health, from, what, to, Vec::new());
    }
}

fn put<S: Copy + Ord>(
    cells: &mut Cells<S>,
    from: S,
    what: Occurrence,
    next: S,
    outputs: Vec<&'static str>,
) {
    cells.entry((from, what)).or_default().insert(Course { next, outputs });
}

const fn of_access(access: Access) -> &'static str {
    match access {
        Access::Absent => "Absent",
        Access::Due => "Due",
        Access::Expired => "Expired",
        Access::Fresh => "Fresh",
        Access::Rejected => "Rejected",
    }
}

const fn of_health(health: Health) -> &'static str {
    match health {
        Health::Dead(_) => "Dead",
        Health::Disabled => "Disabled",
        Health::LastLeg => "LastLeg",
        Health::Live => "Live",
        Health::Revoked => "Revoked",
        Health::Suspect => "Suspect",
    }
}
