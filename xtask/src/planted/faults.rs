//! The faults, and the promises that each must be seen to break.

mod answers;
mod fleet;
mod lifecycle;
mod partner;
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
    pub(super) krate: Crate,
    pub(super) place: Place,
}

/// Whose machines are broken, and in which worlds that shows.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Crate {
    /// Grants: fleets and their store.
    Core,
    /// Integrations: partners and their store.
    Partner,
}

impl Crate {
    pub(super) const ALL: [Self; 2] = [Self::Core, Self::Partner];

    /// Where its files lie.
    pub(super) const fn folder(self) -> &'static str {
        match self {
            Self::Core => "crates/sr-auth-core/src/",
            Self::Partner => "crates/sr-partner/src/",
        }
    }

    /// What the simulation takes to run its worlds.
    pub(super) const fn option(self) -> Option<&'static str> {
        match self {
            Self::Core => None,
            Self::Partner => Some("--partner"),
        }
    }
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
    let core = lifecycle::FAULTS.iter().chain(&answers::FAULTS).chain(&fleet::FAULTS);
    let core = core.map(|it| (Crate::Core, it));
    let partner = partner::FAULTS.iter().map(|it| (Crate::Partner, it));
    let machines = core.chain(partner).enumerate().map(|(number, (krate, it))| {
        let Planted { name, breaks, changes } = *it;
        Fault { name, breaks, changes, krate, place: Place::Machine { number } }
    });
    let core = store::FAULTS.iter().map(|it| (Crate::Core, it));
    let partner = partner::STORE.iter().map(|it| (Crate::Partner, it));
    let stores = core.chain(partner).map(|(krate, (name, breaks))| {
        let (changes, place): (&[Change], _) = (&[], Place::Store);
        Fault { name, breaks, changes, krate, place }
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
