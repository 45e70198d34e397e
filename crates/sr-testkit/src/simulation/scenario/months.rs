//! Worlds of months: a grant that nobody uses grows old, and what should renew it is gone for weeks.

use std::time::Duration;

use super::{Mishap, Scenario, Successor};
use crate::simulation::choices::Choices;

/// The worlds of months in words.
pub(in crate::simulation) const MIX: &str = "\
each scenario is 35, 60 or 90 virtual days, the last two hours without faults:
  1 or 2 processes, 1 or 2 grants of users; a caller for each grant in each process, every few days,
  weeks, or never
  pulse every 60 s, keep-alive scan every 30 min
  network, store and server as in the worlds of a day; in one of eight the server gives no successor
  mishaps: none, or one of 12 kinds on average every 2, 5 or 10 days; outages last up to 60 days,
  sleep, a refused secret and backups longer";

const MISHAPS: [Mishap; 16] = [
    Mishap::None,
    Mishap::ServerOutage,
    Mishap::ServerOutage,
    Mishap::ServerOutage,
    Mishap::StoreOutage,
    Mishap::StoreOutage,
    Mishap::Crash,
    Mishap::Suspend,
    Mishap::SecretRefused,
    Mishap::Partition,
    Mishap::Consent,
    Mishap::End,
    Mishap::CrashAtStep,
    Mishap::ServerRevokes,
    Mishap::Shutdown,
    Mishap::Restore,
];

impl Scenario {
    /// Decodes the parameters of a run of months.
    pub(in crate::simulation) fn of_months(choices: &mut Choices) -> Self {
        let days = |count: u64| Duration::from_secs(count * 24 * 60 * 60);
        let mut day = Self::decode(choices);
        if choices.below(8) == 7 {
            day.switches.successor = Successor::Omitted;
        }
        Self {
            call_gap: choices.pick(&[days(200), days(200), days(40), days(5)]),
            grants: choices.pick(&[1, 1, 2]),
            length: choices.pick(&[days(35), days(35), days(60), days(90)]),
            mishap_gap: choices.pick(&[None, Some(days(40)), Some(days(20)), Some(days(8))]),
            mishaps: &MISHAPS,
            pace: 720,
            processes: choices.pick(&[1, 1, 2]),
            pulse_every: Duration::from_secs(60),
            repeatable: 0,
            ..day
        }
    }

    /// Tells whether it is a world of months.
    pub(in crate::simulation) const fn is_long(&self) -> bool {
        self.pace > 1
    }
}
