//! `cargo xtask explore`: protects the rules of rotation; every order of events in small worlds.

use crate::flags;
use crate::workspace::Workspace;

/// Runs the exploration, an example of `sr-testkit` that is built for speed, with the same arguments.
///
/// # Errors
///
/// Fails when a promise breaks by the rules as designed, when none breaks by wrong ones, and with
/// `--check` when `docs/machines.md` is out of date.
pub(crate) fn run(workspace: &Workspace, flags: &flags::Explore) -> anyhow::Result<()> {
    let mut arguments = Vec::new();
    if let Some(scope) = &flags.scope {
        arguments.extend(["--scope", scope.as_str()]);
    }
    if flags.check {
        arguments.push("--check");
    }
    let build = ["run", "--locked", "--release", "--quiet", "--package", "sr-testkit"];
    let command = workspace.cargo(&build).args(["--example", "explore", "--"]);
    workspace.run(command.args(&arguments))
}

/// Runs the small scopes and compares the page of the machines.
///
/// # Errors
///
/// As [`run`].
pub(crate) fn check(workspace: &Workspace) -> anyhow::Result<()> {
    run(workspace, &flags::Explore { check: true, scope: None })
}
