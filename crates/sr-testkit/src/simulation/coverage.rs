//! What the runs have reached: a simulation that never meets a fault proves nothing about it.

use std::collections::BTreeMap;
use std::fmt::{self, Debug};

use sr_auth_core::fleet::{self, FleetEvent};
use sr_auth_core::lifecycle::{Event, Input, Stage};
use sr_auth_core::store::CauseOfDeath;

use super::network::Trouble;
use super::oracle::Excuse;
use super::partner::PartnerCoverage;
use super::scenario::Mishap;
use super::storage::StoreWay;
use crate::simulator::Switches;

/// Counts what was met.
///
/// Its `Display` is a table: troubles of the network and of the store, mishaps, modes of the server,
/// why grants were lost, what fleets told, and each state of a renewal with what happened in it.
#[derive(Clone, Debug, Default)]
pub struct Coverage {
    cells: BTreeMap<(Option<Stage>, &'static str), u64>,
    excuses: BTreeMap<Excuse, u64>,
    mishaps: BTreeMap<Mishap, u64>,
    modes: BTreeMap<String, u64>,
    notices: BTreeMap<&'static str, u64>,
    partners: PartnerCoverage,
    store_ways: BTreeMap<StoreWay, u64>,
    troubles: BTreeMap<Trouble, u64>,
    watches: bool,
    words: BTreeMap<&'static str, u64>,
}

impl Coverage {
    /// So many scenarios meet all that is declared.
    pub const ENOUGH: u64 = 2_000;

    /// So many scenarios of months meet all that is declared of months.
    pub const ENOUGH_MONTHS: u64 = 40;

    /// So many scenarios of partners meet all that is declared of them.
    pub const ENOUGH_PARTNERS: u64 = PartnerCoverage::ENOUGH;

    /// Adds what another one has counted.
    pub fn add(&mut self, other: &Self) {
        add(&mut self.cells, &other.cells);
        add(&mut self.excuses, &other.excuses);
        add(&mut self.mishaps, &other.mishaps);
        add(&mut self.modes, &other.modes);
        add(&mut self.notices, &other.notices);
        add(&mut self.store_ways, &other.store_ways);
        add(&mut self.troubles, &other.troubles);
        add(&mut self.words, &other.words);
        self.partners.add(&other.partners);
    }

    /// Forgets what was met, and goes on watching what it watches.
    pub fn clear(&mut self) {
        *self = Self { watches: self.watches, ..Self::default() };
    }

    /// Returns what was met, by the names that [`unmet`](Self::unmet) has for it.
    pub fn met(&self) -> impl Iterator<Item = String> {
        let cells = self.cells.keys().map(|(stage, input)| match stage {
            Some(stage) => format!("{stage:?} with {input}"),
            None => format!("not resident with {input}"),
        });
        let words = self.words.keys().chain(self.notices.keys()).map(|it| (*it).to_owned());
        cells
            .chain(self.excuses.keys().map(|it| format!("{it:?}")))
            .chain(self.mishaps.keys().map(|it| format!("{it:?}")))
            .chain(self.modes.keys().cloned())
            .chain(self.store_ways.keys().map(|it| format!("{it:?}")))
            .chain(self.troubles.keys().map(|it| format!("{it:?}")))
            .chain(words)
            .chain(self.partners.met())
    }

    /// Sets whether states are looked at before each input, which takes time.
    pub const fn watch(&mut self, watches: bool) {
        self.watches = watches;
    }

    /// Returns what is declared and was not met: of a run of [`ENOUGH`](Self::ENOUGH) scenarios,
    /// nothing is left.
    #[must_use]
    pub fn unmet(&self) -> Vec<String> {
        let mut unmet = missing(&self.troubles, &Trouble::ALL);
        unmet.extend(missing(&self.mishaps, &Mishap::ALL));
        unmet.extend(missing(&self.store_ways, &StoreWay::ALL));
        unmet.extend(missing(&self.excuses, &Excuse::MET));
        unmet.extend(missing(&self.notices, &NOTICES));
        let modes = MODES.iter().filter(|it| !self.modes.contains_key(**it));
        unmet.extend(modes.map(|it| (*it).to_owned()));
        let cells = CELLS.iter().flat_map(|(stage, inputs)| inputs.iter().map(|it| (*stage, *it)));
        let cells =
            cells.filter(|(stage, input)| !self.cells.contains_key(&(Some(*stage), *input)));
        // Without looking at the states nothing is known of them.
        let cells = cells.filter(|_| !self.cells.is_empty());
        unmet.extend(cells.map(|(stage, input)| format!("{stage:?} with {input}")));
        unmet
    }

    /// Returns what is declared of months and was not met: of a run of
    /// [`ENOUGH_MONTHS`](Self::ENOUGH_MONTHS) scenarios, nothing is left.
    #[must_use]
    pub fn unmet_in_months(&self) -> Vec<String> {
        let mut unmet = missing(&self.excuses, &[Excuse::Expired]);
        let words = WORDS_OF_MONTHS.iter().filter(|it| !self.words.contains_key(**it));
        unmet.extend(words.map(|it| (*it).to_owned()));
        unmet
    }

    /// Returns what is declared of partners and was not met: of a run of
    /// [`ENOUGH_PARTNERS`](Self::ENOUGH_PARTNERS) scenarios, nothing is left.
    #[must_use]
    pub fn unmet_of_partners(&self) -> Vec<String> {
        self.partners.unmet()
    }

    pub(super) const fn of_partners_mut(&mut self) -> &mut PartnerCoverage {
        &mut self.partners
    }

    pub(super) const fn watches(&self) -> bool {
        self.watches
    }

    pub(super) fn cell(&mut self, stage: Option<Stage>, input: &fleet::Input) {
        let name = match input {
            fleet::Input::Adopt { .. } => "Adopt",
            fleet::Input::ClockDiverged => "ClockDiverged",
            fleet::Input::End { .. } => "End",
            fleet::Input::Grant { input, .. } => of_lifecycle(input),
            fleet::Input::HoldsChanged => "HoldsChanged",
            fleet::Input::Judge(_) => "Judge",
            fleet::Input::Open { .. } => "Open",
            fleet::Input::Rejected { .. } => "Rejected",
            fleet::Input::Replace { .. } => "Replace",
            fleet::Input::Resume => "Resume",
            fleet::Input::Shutdown => "Shutdown",
            fleet::Input::Stored { .. } => "Stored",
            fleet::Input::Timeout => "Timeout",
            fleet::Input::Want { .. } => "Want",
        };
        *self.cells.entry((stage, name)).or_default() += 1;
    }

    pub(super) fn notice(&mut self, event: &FleetEvent) {
        let name = match event {
            FleetEvent::ApplicationResumed { .. } => "ApplicationResumed",
            FleetEvent::ApplicationStopped { .. } => "ApplicationStopped",
            FleetEvent::EndpointResumed { .. } => "EndpointResumed",
            FleetEvent::EndpointStopped { .. } => "EndpointStopped",
            FleetEvent::Evicted { .. } => "Evicted",
            FleetEvent::Held { .. } => "Held",
            FleetEvent::RefusalsBelieved => "RefusalsBelieved",
            FleetEvent::RefusalsDoubted => "RefusalsDoubted",
            FleetEvent::Released { .. } => "Released",
            FleetEvent::StoreRolledBack => "StoreRolledBack",
            FleetEvent::StoreTrusted => "StoreTrusted",
            FleetEvent::Unplaced { .. } => "Unplaced",
            _ => "another",
        };
        *self.notices.entry(name).or_default() += 1;
    }

    pub(super) fn mode(&mut self, switches: &Switches) {
        let spent = format!("spent token: {:?}", switches.spent_refresh_token);
        let old = format!("old access token: {:?}", switches.old_access_token);
        let successor = format!("successor: {:?}", switches.successor);
        let errors = format!("errors: {:?}", switches.token_errors);
        let life = format!("expires_in: {:?}", switches.expires_in);
        for mode in [spent, old, successor, errors, life] {
            *self.modes.entry(mode).or_default() += 1;
        }
    }

    pub(super) fn excuses(&mut self, excuses: &BTreeMap<Excuse, u64>) {
        add(&mut self.excuses, excuses);
    }

    pub(super) fn mishap(&mut self, mishap: Mishap) {
        *self.mishaps.entry(mishap).or_default() += 1;
    }

    pub(super) fn store_way(&mut self, way: StoreWay) {
        *self.store_ways.entry(way).or_default() += 1;
    }

    /// Counts what a machine says of a grant, where it tells a story that takes long.
    #[expect(clippy::wildcard_enum_match_arm, reason = "few words are about age")]
    pub(super) fn told(&mut self, event: &Event) {
        self.word(match event {
            Event::Died { cause: CauseOfDeath::Expired, .. } => "died of age",
            Event::Died { cause: CauseOfDeath::LostInRotation, .. } => "died of a lost answer",
            Event::Died { cause: CauseOfDeath::RefusedByServer, .. } => {
                "died refused by the server"
            }
            Event::Died { cause: CauseOfDeath::Unrecognised, .. } => "died of odd refusals",
            Event::Dying { percent: 85, .. } => "warned at 85 %",
            Event::Dying { percent: 95, .. } => "warned at 95 %",
            Event::LastLeg { .. } => "a last leg begins",
            _ => return,
        });
    }

    pub(super) fn word(&mut self, word: &'static str) {
        *self.words.entry(word).or_default() += 1;
    }

    pub(super) fn trouble(&mut self, trouble: Trouble) {
        *self.troubles.entry(trouble).or_default() += 1;
    }
}

/// What fleets must have told. `RefusalsBelieved` is left out: it takes an operator's word, which no
/// caller of the simulation gives.
const NOTICES: [&str; 9] = [
    "ApplicationResumed",
    "ApplicationStopped",
    "EndpointResumed",
    "EndpointStopped",
    "Evicted",
    "RefusalsDoubted",
    "StoreRolledBack",
    "StoreTrusted",
    "Unplaced",
];

/// What is counted when a grant is renewed that nobody asks for.
pub(super) const KEPT_ALIVE: &str = "an idle grant is kept alive";

/// What must have happened in months.
const WORDS_OF_MONTHS: [&str; 5] =
    ["a last leg begins", KEPT_ALIVE, "died of age", "warned at 85 %", "warned at 95 %"];

/// The modes of the server that must have been met.
const MODES: [&str; 18] = [
    "errors: Empty",
    "errors: Rfc",
    "errors: SmartRecruiters",
    "expires_in: Absent",
    "expires_in: Float",
    "expires_in: Huge",
    "expires_in: Negative",
    "expires_in: Number",
    "expires_in: Text",
    "old access token: Dies",
    "old access token: Lives",
    "spent token: Grace { seconds: 300 }",
    "spent token: Grace { seconds: 30 }",
    "spent token: Refused",
    "spent token: RevokesFamily",
    "successor: Always",
    "successor: Kept",
    "successor: Omitted",
];

/// What must have happened in each state of a renewal for the runs to count.
///
/// Left out: what a state cannot be told (an answer to an operation it has not asked for comes only
/// where an operation is under way), and what short states (a founding, a burial, a second look) are
/// told so seldom that a demand for it would be a lottery.
const CELLS: [(Stage, &[&str]); 13] = [
    (Stage::Adopting, &["Stored", "Stored (failed)"]),
    (Stage::Arming, TOLD),
    (Stage::BackingOff, &["Adopt", "ClockDiverged", "End", "Shutdown", "Stored", "Want"]),
    (Stage::Burying, &["Stored", "Stored (failed)"]),
    (Stage::Committing, TOLD),
    (Stage::Disarming, TOLD),
    (Stage::Escrowing, &["Stored"]),
    (Stage::Idle, &["Adopt", "ClockDiverged", "End", "Rejected", "Shutdown", "Stored", "Want"]),
    (Stage::InFlight, &["Adopt", "End", "Rejected", "Response", "TransportFailed", "Want"]),
    (Stage::Quiet, &["Adopt", "ClockDiverged", "End", "Shutdown", "Stored", "Want"]),
    (Stage::Reading, TOLD),
    (Stage::Ripe, &["Want"]),
    (Stage::Verifying, &["Stored", "Stored (failed)"]),
];

/// What any state is told in which an operation is under way for long enough.
const TOLD: &[&str] =
    &["Adopt", "ClockDiverged", "End", "Rejected", "Stored", "Stored (failed)", "Want"];

/// Names what happens to one grant.
const fn of_lifecycle(input: &Input) -> &'static str {
    match input {
        Input::Adopt(_) => "Adopt",
        Input::Admitted => "Admitted",
        Input::Changed { .. } => "Changed",
        Input::ClockDiverged => "ClockDiverged",
        Input::End { .. } => "End",
        Input::Rejected { .. } => "Rejected",
        Input::Response { .. } => "Response",
        Input::Shutdown => "Shutdown",
        Input::Stored { result: Err(_), .. } => "Stored (failed)",
        Input::Stored { result: Ok(_), .. } => "Stored",
        Input::Timeout => "Timeout",
        Input::TransportFailed { .. } => "TransportFailed",
        Input::Want => "Want",
    }
}

fn add<K: Clone + Ord>(to: &mut BTreeMap<K, u64>, from: &BTreeMap<K, u64>) {
    for (key, count) in from {
        *to.entry(key.clone()).or_default() += count;
    }
}

fn missing<K: Debug + Ord>(met: &BTreeMap<K, u64>, all: &[K]) -> Vec<String> {
    let is_missing = |it: &&K| !met.contains_key(*it);
    all.iter().filter(is_missing).map(|it| format!("{it:?}")).collect()
}

impl fmt::Display for Coverage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.partners.is_empty() {
            return write!(f, "{}", self.partners);
        }
        table(f, "on the way to the token endpoint", &self.troubles)?;
        table(f, "on the way to the store", &self.store_ways)?;
        table(f, "mishaps", &self.mishaps)?;
        table(f, "modes of the server, in runs", &self.modes)?;
        table(f, "grants lost without fault", &self.excuses)?;
        table(f, "what fleets told", &self.notices)?;
        table(f, "how grants fared", &self.words)?;
        if self.cells.is_empty() {
            return Ok(());
        }
        writeln!(f, "\nwhat happened in each state of a renewal")?;
        for ((stage, input), count) in &self.cells {
            let stage = stage.map_or_else(|| "not resident".to_owned(), |it| format!("{it:?}"));
            writeln!(f, "  {stage:<14} {input:<18} {count:>12}")?;
        }
        Ok(())
    }
}

fn table<K: Debug>(
    f: &mut fmt::Formatter<'_>,
    title: &str,
    counts: &BTreeMap<K, u64>,
) -> fmt::Result {
    writeln!(f, "\n{title}")?;
    for (key, count) in counts {
        let name = format!("{key:?}");
        writeln!(f, "  {:<40} {count:>12}", name.trim_matches('"'))?;
    }
    Ok(())
}
