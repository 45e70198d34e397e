//! Which cases are explored.

use sr_testkit::exploration::{Case, Scope, ServerMode, Variant};

use super::options::Task;

/// A case and the scope that it belongs to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Named {
    pub(crate) case: Case,
    name: &'static str,
    size: Size,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Size {
    /// Minutes, by hand.
    Large,
    /// Seconds, in every `ci`.
    Small,
}

const MODES: [ServerMode; 3] = [ServerMode::Strict, ServerMode::Family, ServerMode::Grace];

const TWO: Scope =
    Scope { crashes: 0, drops: 0, faults: 0, oddities: 0, pauses: 0, processes: 2, rotations: 2 };
const THREE: Scope = Scope { processes: 3, ..TWO };

/// What the rules as designed are explored in, with each mode of the server.
const SCOPES: [(&str, Size, Scope); 17] = [
    ("calm", Size::Small, TWO),
    ("crash", Size::Small, Scope { crashes: 2, ..TWO }),
    ("crash-drop", Size::Small, Scope { crashes: 1, drops: 1, ..TWO }),
    ("crash-fault", Size::Small, Scope { crashes: 1, faults: 1, ..TWO }),
    ("crash-pause", Size::Small, Scope { crashes: 1, pauses: 1, ..TWO }),
    ("drop", Size::Small, Scope { drops: 2, ..TWO }),
    ("drop-fault", Size::Small, Scope { drops: 1, faults: 1, ..TWO }),
    ("drop-pause", Size::Small, Scope { drops: 1, pauses: 1, ..TWO }),
    ("fault", Size::Small, Scope { faults: 2, ..TWO }),
    ("fault-pause", Size::Small, Scope { faults: 1, pauses: 1, ..TWO }),
    ("oddity", Size::Small, Scope { oddities: 1, ..TWO }),
    ("three-crash", Size::Small, Scope { crashes: 1, ..THREE }),
    ("three-pause", Size::Small, Scope { pauses: 1, ..THREE }),
    ("three-crash-drop", Size::Small, Scope { crashes: 1, drops: 1, ..THREE }),
    ("crash-fault-pause", Size::Large, Scope { crashes: 1, faults: 1, pauses: 1, ..TWO }),
    ("crash-drop-pause", Size::Large, Scope { crashes: 1, drops: 1, pauses: 1, ..TWO }),
    ("three-crash-pause", Size::Large, Scope { crashes: 1, pauses: 1, ..THREE }),
];

/// What each wrong variant is found in. None needs a fault of the store, most need nothing but a
/// process that is slow.
const WRONG: [(Variant, Scope); 5] = [
    (Variant::CommitFencedByEpoch, Scope { pauses: 1, ..TWO }),
    (Variant::DeathBumpsGeneration, Scope { pauses: 1, ..TWO }),
    (Variant::LeaseEnds, Scope { pauses: 1, ..TWO }),
    (Variant::LeaseEnds, Scope { drops: 1, ..TWO }),
    (Variant::LockFreedByDeadOwner, Scope { crashes: 1, ..TWO }),
];

impl Named {
    /// Tells whether `docs/machines.md` is written from it.
    pub(crate) const fn is_of_the_page(&self) -> bool {
        self.case.variant.is_good() && matches!(self.size, Size::Small)
    }
}

/// Returns the cases of a name.
pub(crate) fn chosen(name: Option<&str>) -> Result<Vec<Named>, String> {
    let name = name.unwrap_or("small");
    let all = all();
    let is_chosen = |it: &&Named| match name {
        "all" => true,
        "large" => it.size == Size::Large,
        "small" => it.size == Size::Small,
        name => it.name == name,
    };
    let chosen: Vec<_> = all.iter().filter(is_chosen).copied().collect();
    if chosen.is_empty() {
        let mut names: Vec<_> = all.iter().map(|it| it.name).collect();
        names.dedup();
        return Err(format!("there is no scope {name}, only {}", names.join(", ")));
    }
    Ok(chosen)
}

/// Tells whether all that the page is written from is explored.
pub(crate) fn is_all_of_the_page(task: &Task) -> bool {
    match task {
        Task::Explore(name) => matches!(name.as_deref(), None | Some("all" | "small")),
        Task::Help => false,
    }
}

fn all() -> Vec<Named> {
    let good = SCOPES.into_iter().flat_map(|(name, size, scope)| {
        let variant = Variant::AsDesigned;
        MODES.map(|mode| Named { case: Case { mode, scope, variant }, name, size })
    });
    let wrong = WRONG.into_iter().map(|(variant, scope)| {
        let case = Case { mode: ServerMode::Strict, scope, variant };
        Named { case, name: "wrong", size: Size::Small }
    });
    good.chain(wrong).collect()
}
