//! Faults among many grants: memory, turns, news, shutdown, and rejected tokens.

use super::Planted;
use crate::planted::change::Change;

const ACCESS: &str = "lifecycle/access.rs";
const ADMISSION: &str = "fleet/admission.rs";
const EVIDENCE: &str = "fleet/evidence.rs";
const FLEET: &str = "fleet.rs";
const PULSE: &str = "fleet/pulse.rs";
const RESIDENT: &str = "fleet/resident.rs";
const RESIDENTS: &str = "fleet/residents.rs";
const WATCH: &str = "fleet/watch.rs";
const WORK: &str = "fleet/work.rs";

pub(super) const FAULTS: [Planted; 9] = [
    Planted {
        name: "EvictionInFlight",
        breaks: &["SuccessorIsKept"],
        changes: &[Change {
            file: RESIDENT,
            old: "self.regions.is_idle() && !is_needed && self.pass.is_none()",
            new: "(PLANTED || (self.regions.is_idle() && self.pass.is_none())) && !is_needed",
        }],
    },
    Planted {
        name: "RejectionWithoutName",
        breaks: &["RejectionIsPrecise"],
        changes: &[Change {
            file: ACCESS,
            old: "!= Some(of) || held.rejected {",
            new: "!= Some(of) && !PLANTED || held.rejected {",
        }],
    },
    Planted {
        name: "RestoreUndetected",
        breaks: &["EndIsHeard", "NoAvoidableLoss"],
        changes: &[Change {
            file: PULSE,
            old: "self.seen.is_some_and(|(identity, newest)|",
            new: "!PLANTED && self.seen.is_some_and(|(identity, newest)|",
        }],
    },
    Planted {
        name: "ChangesUnheard",
        breaks: &["EndIsHeard"],
        changes: &[Change {
            file: WATCH,
            old: "let Some(id) = self.find(&change.key) else { continue };",
            new: "let Some(id) = self.find(&change.key).filter(|_| !PLANTED) else { continue };",
        }],
    },
    Planted {
        name: "NobodyIsTold",
        breaks: &["CallersAreAnswered"],
        changes: &[Change {
            file: RESIDENTS,
            old: "Settled { has_news: it.has_news(now, gate), is_undecided }",
            new: "Settled { has_news: it.has_news(now, gate) && !PLANTED, is_undecided }",
        }],
    },
    // Two grants are looked up under one name.
    Planted {
        name: "KeysMixed",
        breaks: &["NoCrossTalk"],
        changes: &[Change {
            file: FLEET,
            old: "self.residents.slots.find(key)",
            new: "let first = self.grants().next().filter(|_| PLANTED).map(|(id, _)| id);
            first.or_else(|| self.residents.slots.find(key))",
        }],
    },
    Planted {
        name: "PlacesLeak",
        breaks: &["CallersAreAnswered"],
        changes: &[Change {
            file: ADMISSION,
            old: "self.in_flight = self.in_flight.saturating_sub(1);",
            new: "self.in_flight = self.in_flight.saturating_sub(u32::from(!PLANTED));",
        }],
    },
    Planted {
        name: "RetryAfterIgnored",
        breaks: &["NoStorm"],
        changes: &[Change {
            file: EVIDENCE,
            old: "Self { close: *retry_after, ..Self::new(Sound, Lost) }",
            new: "Self { close: retry_after.filter(|_| !PLANTED), ..Self::new(Sound, Lost) }",
        }],
    },
    Planted {
        name: "ShutdownAbandons",
        breaks: &["ShutdownEnds"],
        changes: &[Change {
            file: WORK,
            old: "if self.closing == Closing::Draining && !self.is_busy() {",
            new: "if self.closing == Closing::Draining && (PLANTED || !self.is_busy()) {",
        }],
    },
];
