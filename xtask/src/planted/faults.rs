//! The faults, and the promises that each must be seen to break.

mod answers;
mod fleet;
mod lifecycle;
mod store;

use super::change::Change;

/// A fault that is planted to see whether anybody notices.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fault {
    pub(super) name: &'static str,
    /// What it breaks, as the judge names it: one of them must be seen.
    pub(super) breaks: &'static [&'static str],
    /// None of a fault of the store.
    pub(super) changes: &'static [Change],
    pub(super) place: Place,
}

/// Where a fault is.
#[derive(Clone, Copy, Debug)]
pub(super) enum Place {
    /// In the machines of the copy, alive by its number.
    Machine { number: usize },
    /// In the store of the simulation, which has it by name.
    Store,
}

/// A fault of the machines, before it is numbered.
#[derive(Clone, Copy, Debug)]
struct Planted {
    name: &'static str,
    breaks: &'static [&'static str],
    changes: &'static [Change],
}

/// Returns all of them, in the order of their names.
pub(super) fn all() -> Vec<Fault> {
    let machines = lifecycle::FAULTS.iter().chain(&answers::FAULTS).chain(&fleet::FAULTS);
    let machines = machines.enumerate().map(|(number, it)| {
        let Planted { name, breaks, changes } = *it;
        Fault { name, breaks, changes, place: Place::Machine { number } }
    });
    let stores = store::FAULTS.iter().map(|(name, breaks)| {
        let (changes, place): (&[Change], _) = (&[], Place::Store);
        Fault { name, breaks, changes, place }
    });
    let mut all: Vec<Fault> = machines.chain(stores).collect();
    all.sort_by_key(|it| it.name);
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_has_a_name_of_its_own_and_breaks_something() {
        let all = all();
        for pair in all.windows(2) {
            assert_ne!(pair.first().map(|it| it.name), pair.last().map(|it| it.name));
        }
        for fault in all {
            assert!(!fault.breaks.is_empty(), "{}", fault.name);
        }
    }
}
