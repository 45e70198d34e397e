//! `cargo xtask torture`: protects grants; real processes over a real store, killed at random.

use crate::flags;
use crate::workspace::Workspace;

/// How many processes the stage of `ci` kills.
const KILLS: &str = "60";

/// Runs the torture, an example of `sr-auth-http` that is built for speed, with the same arguments.
///
/// # Errors
///
/// Fails when a token is presented against the rules, or a grant is lost that no kill excuses.
pub(crate) fn run(workspace: &Workspace, flags: &flags::Torture) -> anyhow::Result<()> {
    workspace.run(example(workspace).args(&flags.arguments))
}

/// Runs a short one.
///
/// # Errors
///
/// Like [`run`].
pub(crate) fn stage(workspace: &Workspace) -> anyhow::Result<()> {
    workspace.run(example(workspace).args(["--kills", KILLS]))
}

fn example(workspace: &Workspace) -> xshell::Cmd<'_> {
    let build = ["run", "--locked", "--release", "--quiet", "--package", "sr-auth-http"];
    workspace.cargo(&build).args(["--example", "torture", "--"])
}
