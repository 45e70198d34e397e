//! What has to be seen: a check that never gets there has checked nothing.

use super::report::{Report, Violation};
use super::rule::Rule;

/// Operations, and each outcome that each of them can have.
type Outcomes = [(&'static str, &'static [&'static str])];

const OF_GRANTS: &Outcomes = &[
    ("Adopt", &["Done", "Moved"]),
    ("Arm", &["Armed", "Busy", "Ended", "Missing", "Moved", "NotDue"]),
    ("Bury", &["Done", "Ended", "Missing", "Moved"]),
    ("Commit", &["Done", "Missing", "Moved"]),
    ("Disarm", &["Done", "Missing"]),
    ("Due", &["Due"]),
    ("End", &["Done", "Missing", "Moved"]),
    ("Escrow", &["Done", "Missing"]),
    ("Load", &["Loaded", "Missing"]),
    ("Pulse", &["Pulse"]),
];

const OF_INTEGRATIONS: &Outcomes = &[
    ("Activate", &["Done", "Missing", "Superseded"]),
    ("Arm", &["Done", "Missing", "Superseded"]),
    ("Begin", &["BoundElsewhere", "Busy", "Done", "Moved", "Taken"]),
    ("Commit", &["Done", "Missing", "Superseded"]),
    ("CountRefusal", &["Counted"]),
    ("Disable", &["Disabled", "Disabled (already)", "Disabled (stale)", "Foreign"]),
    ("End", &["Done", "Missing"]),
    ("EndAll", &["AllEnded"]),
    ("FindClient", &["Client", "Client (none)", "Throttled"]),
    ("Identify", &["Foreign", "Identified"]),
    ("Issue", &["Issued", "Missing"]),
    ("Load", &["Loaded", "Missing"]),
    ("Pulse", &["News"]),
    ("Unsettled", &["Keys"]),
    ("Void", &["Done", "Missing"]),
];

/// Holds against a backend what it was never seen to do to grants.
pub(super) fn demand_of_grants(report: &mut Report) {
    demand(report, OF_GRANTS);
}

/// The same for integrations.
pub(super) fn demand_of_integrations(report: &mut Report) {
    demand(report, OF_INTEGRATIONS);
}

fn demand(report: &mut Report, all: &Outcomes) {
    if !report.conforms() {
        // A scene that was ended by another rule has not seen all.
        return;
    }
    let all = all.iter().flat_map(|(op, outcomes)| outcomes.iter().map(move |it| (*op, *it)));
    let missing: Vec<_> = all.filter(|(op, outcome)| !report.has_seen(op, outcome)).collect();
    for (op, outcome) in missing {
        let saw = format!("{op} was never answered with {outcome}");
        report.add(Violation::new(Rule::EveryOutcome, "all scenes and sequences", saw));
    }
}
