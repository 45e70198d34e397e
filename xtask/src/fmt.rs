//! `cargo xtask fmt`: protects diffs from layout, with the settings of `rustfmt.toml`.

use crate::tools;
use crate::workspace::Workspace;

/// Formats the code, or fails where it is not formatted.
pub(crate) fn run(workspace: &Workspace, check: bool) -> anyhow::Result<()> {
    tools::component(workspace, "rustfmt")?;
    let command = workspace.cargo(&["fmt", "--all"]);
    let command = if check { command.args(["--", "--check"]) } else { command };
    workspace.run(command)
}
