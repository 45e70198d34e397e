//! Everything that can happen to one grant in a small world, tried in every order.
//!
//! The real machines run over the model of the store and a server with one grant. In each world all
//! that may happen next is tried: a message arrives or is lost, a process dies or stands still, an
//! operation fails, time passes to the next moment at which something is due. What is found holds
//! for every run of that size, not for those that chance has tried; the
//! [`simulation`](crate::simulation) goes further than such a scope, and not everywhere.
//!
//! A [`Case`] says how much may happen, how the server treats a spent token, and by which rules the
//! grant is kept: the design, or one that is known to be wrong and has to be found out. [`Machines`]
//! keeps what each state of the machines did with each input.
//!
//! # Examples
//!
//! ```
//! use sr_testkit::exploration::{Case, Machines, Scope, ServerMode, Variant, Verdict, explore};
//!
//! let scope = Scope { processes: 2, rotations: 1, ..Scope::default() };
//! let case = Case { mode: ServerMode::Strict, scope, variant: Variant::AsDesigned };
//! let findings = explore(case, 100_000, &mut Machines::default());
//! assert_eq!(findings.verdict, Verdict::Holds);
//! ```

mod action;
mod case;
mod identity;
mod judge;
mod machines;
mod occurrence;
mod search;
mod server;
mod step;
mod story;
mod world;

pub use case::{Case, Scope, ServerMode, Variant};
pub use machines::Machines;

use std::collections::BTreeMap;
use std::time::Duration;

use crate::simulation::{Excuse, Invariant};

/// What is due later than this is not waited for.
const HORIZON: Duration = Duration::from_secs(24 * 60 * 60);

/// Tries all that can happen in a case, in at most `limit` different worlds.
pub fn explore(case: Case, limit: usize, machines: &mut Machines) -> Findings {
    let ground = world::Ground::new(case);
    search::Search::new(&ground, limit, machines).run()
}

/// What came of an exploration.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Findings {
    /// In how many worlds at rest the grant was lost though nobody could have saved it, and why.
    pub losses: BTreeMap<Excuse, u64>,
    /// In how many worlds nothing more happened by itself.
    pub rests: usize,
    /// How many different worlds were met.
    pub states: usize,
    /// How many steps led from one to another.
    pub steps: u64,
    /// Whether the promises hold.
    pub verdict: Verdict,
}

/// Whether the promises hold.
#[derive(Clone, Debug, Eq, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "they hold, they do not, or nobody knows")]
pub enum Verdict {
    /// One is broken.
    Broken(Trace),
    /// In every world.
    Holds,
    /// There are more worlds than were allowed; those that were met hold.
    TooLarge,
}

/// The shortest way to a broken promise.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Trace {
    /// What was seen.
    pub detail: &'static str,
    /// Which promise.
    pub invariant: Invariant,
    /// What happens, a line each.
    pub lines: Vec<String>,
    /// How many steps it takes.
    pub steps: usize,
}

/// A promise that is broken.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Breach {
    detail: &'static str,
    invariant: Invariant,
}

type Held = Result<(), Breach>;
