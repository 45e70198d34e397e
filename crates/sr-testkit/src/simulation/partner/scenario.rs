//! What a world of partners is made of.

use std::time::Duration;

use sr_partner::exchange::Reconciliation;

use crate::simulation::choices::{Choices, Rate};
use crate::simulation::network::{NetworkWeather, Trouble};
use crate::simulation::storage::StoreWeather;
use crate::simulator::{PartnerAuthentication, RepeatedIntegration};

/// How a run begins, and how the weather is.
#[derive(Clone, Debug)]
pub(in crate::simulation) struct PartnerScenario {
    pub(super) authentication: PartnerAuthentication,
    pub(super) companies: usize,
    pub(super) crashes: Rate,
    pub(super) length: Duration,
    pub(super) network: NetworkWeather,
    pub(super) probes: bool,
    pub(super) processes: usize,
    pub(super) reconciliation: Reconciliation,
    pub(super) repeated: RepeatedIntegration,
    pub(super) store: StoreWeather,
}

impl PartnerScenario {
    /// What the worlds are made of, for whoever reads figures.
    pub(in crate::simulation) const MIX: &'static str =
        "1 to 3 processes, 1 to 3 companies, 2 tenants, 1 to 6 hours; a third of the worlds calm";

    /// When the faults are over, so long before the end.
    pub(super) const REST: Duration = Duration::from_secs(2 * 3_600);

    pub(in crate::simulation) fn decode(choices: &mut Choices) -> Self {
        let hours = 3 + choices.below(6);
        let is_calm = choices.below(3) == 0;
        let rate = |choices: &mut Choices| match choices.below(4) {
            _ if is_calm => Rate::NEVER,
            0 => Rate::NEVER,
            1 => Rate::once_in(40),
            2 => Rate::once_in(12),
            _ => Rate::once_in(5),
        };
        let troubles: Vec<Trouble> = Trouble::ALL.into_iter().skip(1).collect();
        let network = rate(choices);
        let few = 1 + choices.below(4);
        let rates = (0..few).map(|_| (network, choices.pick(&troubles))).collect();
        let slowness = Duration::from_millis(u64::from(choices.below(2_000)));
        let store = rate(choices);
        let all = StoreWeather {
            answer_lost: store,
            carried_out_late: store,
            lost: store,
            refused: store,
            slowness: Duration::from_millis(u64::from(choices.below(400))),
            stale: Rate::NEVER,
        };
        let companies = 1 + choices.below(3) as usize;
        let processes = 1 + choices.below(3) as usize;
        Self {
            authentication: choices
                .pick(&[PartnerAuthentication::Body, PartnerAuthentication::Basic]),
            companies,
            crashes: rate(choices),
            length: Duration::from_secs(3_600) * hours,
            network: NetworkWeather { rates, slowness },
            probes: choices.below(2) == 1,
            processes,
            reconciliation: choices
                .pick(&[Reconciliation::AskCustomer, Reconciliation::PostOnceMore]),
            repeated: choices.pick(&[
                RepeatedIntegration::Refused,
                RepeatedIntegration::Replaces,
                RepeatedIntegration::Adds,
                RepeatedIntegration::Same,
            ]),
            store: all,
        }
    }

    /// Takes every fault out.
    pub(super) fn calm_down(&mut self) {
        self.network.rates.clear();
        self.store = StoreWeather { slowness: self.store.slowness, ..StoreWeather::default() };
        self.crashes = Rate::NEVER;
    }
}
