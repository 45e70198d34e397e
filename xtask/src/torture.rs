//! `cargo xtask torture`: protects grants; real processes over a real store, killed at random.

use crate::workspace::Workspace;
use crate::{flags, servers};

/// How many processes the stage of `ci` kills.
const KILLS: &str = "60";
/// How many the stage `servers` kills on each of the other stores.
const KILLS_ON_SERVERS: &str = "25";

/// Runs the torture, an example of `sr-auth-http` that is built for speed, with the same arguments.
///
/// # Errors
///
/// Fails when a token is presented against the rules, or a grant is lost that no kill excuses.
pub(crate) fn run(workspace: &Workspace, flags: &flags::Torture) -> anyhow::Result<()> {
    let has = |name: &str| flags.arguments.iter().any(|it| it == name);
    if !has("postgres") && !has("redis") {
        return workspace.run(example(workspace).args(&flags.arguments));
    }
    servers::with_servers(|environment| {
        let example = example(workspace).args(&flags.arguments);
        workspace.run(example.envs(environment.iter().cloned()))
    })
}

/// Runs a short one on each of these stores, whose servers are up.
///
/// # Errors
///
/// Like [`run`].
pub(crate) fn on_servers(
    workspace: &Workspace,
    environment: &[(String, String)],
) -> anyhow::Result<()> {
    for store in ["postgres", "redis"] {
        let example = example(workspace).args(["--store", store, "--kills", KILLS_ON_SERVERS]);
        workspace.run(example.envs(environment.iter().cloned()))?;
    }
    Ok(())
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
