//! What has to be seen: a check that never gets there has checked nothing.

use super::report::{Report, Violation};
use super::rule::Rule;

/// Each outcome that each operation can have.
const ALL: [(&str, &[&str]); 10] = [
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

/// Holds against a backend what it was never seen to do.
pub(super) fn demand(report: &mut Report) {
    if !report.conforms() {
        // A scene that was ended by another rule has not seen all.
        return;
    }
    let all = ALL.into_iter().flat_map(|(op, outcomes)| outcomes.iter().map(move |it| (op, *it)));
    let missing: Vec<_> = all.filter(|(op, outcome)| !report.has_seen(op, outcome)).collect();
    for (op, outcome) in missing {
        let saw = format!("{op} was never answered with {outcome}");
        report.add(Violation::new(Rule::EveryOutcome, "all scenes and sequences", saw));
    }
}
