//! `cargo xtask sim`: protects grants; fleets of real machines in simulated time, with every fault.

use crate::flags;
use crate::workspace::Workspace;

/// Runs the simulation, an example of `sr-testkit` that is built for speed, with the same arguments.
///
/// # Errors
///
/// Fails when a promise breaks or a planted fault is not found.
pub(crate) fn run(workspace: &Workspace, flags: &flags::Sim) -> anyhow::Result<()> {
    let build = ["run", "--locked", "--release", "--quiet", "--package", "sr-testkit"];
    let command = workspace.cargo(&build).args(["--example", "sim", "--"]);
    workspace.run(command.args(&flags.arguments))
}
