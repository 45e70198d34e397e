//! `cargo xtask test`: protects behaviour; all tests with all features, then the documentation's.

use crate::tools;
use crate::workspace::Workspace;

const COMMON: [&str; 3] = ["--locked", "--workspace", "--all-features"];

/// Runs the tests whose name contains the filter, or all, and then the documentation tests.
pub(crate) fn run(workspace: &Workspace, filter: Option<&str>) -> anyhow::Result<()> {
    run_without_docs(workspace, filter)?;
    workspace.run(workspace.cargo(&["test", "--doc"]).args(COMMON).args(filter))
}

/// Runs the tests, but not those in documentation.
pub(crate) fn run_without_docs(workspace: &Workspace, filter: Option<&str>) -> anyhow::Result<()> {
    let command = if tools::has(workspace, "nextest") {
        // A filter that fits only a documentation test leaves nothing to run here.
        let none = if filter.is_some() { "--no-tests=warn" } else { "--no-tests=fail" };
        workspace.cargo(&["nextest", "run", none])
    } else {
        workspace.cargo(&["test", "--lib", "--bins", "--tests", "--examples"])
    };
    workspace.run(command.args(COMMON).args(filter))
}
