//! What a check says, and where.

use std::fmt;

/// Prints one line on standard output.
#[expect(clippy::print_stdout, reason = "a check speaks on standard output")]
pub(crate) fn say(line: impl fmt::Display) {
    println!("{line}");
}

/// A rule that does not hold, the place, and the way out.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) struct Finding {
    /// `file:line`, a crate, or a file.
    pub(crate) place: String,
    /// The name of the rule.
    pub(crate) rule: &'static str,
    /// What is wrong there.
    pub(crate) what: String,
    /// What to do about it.
    pub(crate) way_out: &'static str,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { place, rule, what, way_out } = self;
        write!(f, "{place}: {what}; {way_out} [{rule}]")
    }
}

/// Prints findings and fails if there are any.
///
/// # Errors
///
/// Fails when the list is not empty.
pub(crate) fn verdict(check: &str, mut findings: Vec<Finding>) -> anyhow::Result<()> {
    findings.sort();
    for finding in &findings {
        say(finding);
    }
    anyhow::ensure!(findings.is_empty(), "{check}: {} rule(s) broken", findings.len());
    Ok(())
}
