//! `cargo xtask lint`: protects the decisions of the lint table and of `clippy.toml`.
//!
//! Warnings are errors only here, so that they do not stop anybody who is in the middle of a change.
//! The feature sets in between are those of `cargo xtask features`.

use crate::tools;
use crate::workspace::Workspace;

/// Runs clippy over all targets, with all features and with the default ones.
pub(crate) fn run(workspace: &Workspace) -> anyhow::Result<()> {
    tools::component(workspace, "clippy")?;
    let common = ["clippy", "--locked", "--workspace", "--all-targets"];
    for features in [&["--all-features"][..], &[]] {
        let command = workspace.cargo(&common).args(features).args(["--", "-D", "warnings"]);
        workspace.run(command)?;
    }
    // What `cargo xtask servers` runs is not among all targets.
    let servers = workspace.cargo(&["clippy", "--locked", "--workspace", "--all-features"]);
    workspace.run(servers.args(["--test", "servers", "--", "-D", "warnings"]))
}
