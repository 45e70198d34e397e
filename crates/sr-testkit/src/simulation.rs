//! Fleets of the real machines in a world of choices: processes, callers, grants, a network, clocks
//! and a store, and everything that befalls them, in virtual time.
//!
//! A run is decided by a byte string ([`Choices`]) and by nothing else: a seed stands for one, a
//! fuzzer makes one, a file keeps one. A judge that knows what the server knows checks after every
//! step what must always hold ([`Invariant`]), and at the end, when the faults are over, that no
//! grant was lost that anybody could have saved.

mod choices;
mod clock;
mod coverage;
mod machines;
mod network;
mod oracle;
mod partner;
mod process;
mod queue;
mod run;
mod scenario;
mod shrink;
mod slab;
mod storage;
mod trace;

pub use choices::{Choices, Rate};
pub use coverage::Coverage;
pub use network::Trouble;
pub use oracle::{Excuse, Invariant, Violation};
pub use partner::PartnerDefect;
pub use run::Report;
pub use scenario::Mishap;
use scenario::Scenario;
pub use shrink::shrink;
pub(crate) use storage::Defective;
pub use storage::StoreDefect;

/// Runs worlds, one after the other.
///
/// # Examples
///
/// ```
/// use sr_testkit::simulation::Simulation;
///
/// let mut simulation = Simulation::new();
/// let report = simulation.run_seed(1);
/// assert_eq!(report.violation, None);
/// assert_eq!(simulation.run_bytes(report.choices).hash, report.hash);
/// ```
#[derive(Debug, Default)]
pub struct Simulation {
    coverage: Coverage,
    defect: Option<StoreDefect>,
    months: bool,
    partner_defect: Option<PartnerDefect>,
    partners: bool,
    readable: bool,
}

impl Simulation {
    /// What the worlds are made of, for whoever reads figures.
    pub const MIX: &str = scenario::MIX;

    /// What the worlds of months are made of.
    pub const MIX_OF_MONTHS: &str = scenario::MIX_OF_MONTHS;

    /// What the worlds of partners are made of.
    pub const MIX_OF_PARTNERS: &str = partner::PartnerScenario::MIX;

    /// Makes a simulation of good machines and a good store.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Breaks a rule of the store.
    #[must_use]
    pub fn with_defect(self, defect: StoreDefect) -> Self {
        Self { defect: Some(defect), ..self }
    }

    /// Has every run last for months instead of a day, so that grants that nobody uses grow old.
    #[must_use]
    pub fn of_months(self) -> Self {
        Self { months: true, ..self }
    }

    /// Has every run be one of a partner: exchanges, tokens for SmartRecruiters, notifications.
    #[must_use]
    pub fn of_partners(self) -> Self {
        Self { partners: true, ..self }
    }

    /// Breaks a rule of the store of integrations, in runs of partners.
    #[must_use]
    pub fn with_partner_defect(self, defect: PartnerDefect) -> Self {
        Self { partner_defect: Some(defect), ..self }
    }

    /// Has every run tell what happens, a line each.
    #[must_use]
    pub fn readable(self) -> Self {
        Self { readable: true, ..self }
    }

    /// Runs the world of a seed.
    pub fn run_seed(&mut self, seed: u64) -> Report {
        self.run(&mut Choices::from_seed(seed))
    }

    /// Runs the world of a byte string.
    pub fn run_bytes(&mut self, bytes: Vec<u8>) -> Report {
        self.run(&mut Choices::from_bytes(bytes))
    }

    /// Runs the world of the choices that are still to be read.
    pub fn run(&mut self, choices: &mut Choices) -> Report {
        if self.partners {
            let scenario = partner::PartnerScenario::decode(choices);
            let (defect, coverage) = (self.partner_defect, self.coverage.of_partners_mut());
            return partner::Run::new(choices, scenario, defect, coverage, self.readable).run();
        }
        let decode = if self.months { Scenario::of_months } else { Scenario::decode };
        let scenario = decode(choices);
        run::Run::new(choices, scenario, self.defect, &mut self.coverage, self.readable).run()
    }

    /// Returns the coverage, to watch more or less.
    pub const fn coverage_mut(&mut self) -> &mut Coverage {
        &mut self.coverage
    }

    /// Returns what the runs have met so far.
    #[must_use]
    pub const fn coverage(&self) -> &Coverage {
        &self.coverage
    }
}
