//! Tools that a fresh machine may lack: found, or installed, and said.

use anyhow::{Context as _, bail};

use crate::report::say;
use crate::workspace::Workspace;

/// The cargo-deny that the configuration is written for.
pub(crate) const CARGO_DENY: &str = "0.20.2";

/// Says whether cargo has a subcommand.
pub(crate) fn has(workspace: &Workspace, subcommand: &str) -> bool {
    let command = workspace.cargo(&[subcommand, "--version"]);
    command.quiet().ignore_stdout().ignore_stderr().run().is_ok()
}

/// Makes sure that a component of the toolchain is there.
///
/// # Errors
///
/// Fails, with the command to type, when rustup is absent or cannot install it.
pub(crate) fn component(workspace: &Workspace, name: &str) -> anyhow::Result<()> {
    let subcommand = if name == "rustfmt" { "fmt" } else { name };
    if has(workspace, subcommand) {
        return Ok(());
    }
    let by_hand = format!("install it with `rustup component add {name}`");
    if workspace.offline {
        bail!("{name} is not installed, and nothing is installed offline; {by_hand}");
    }
    say(format_args!("installing {name}: it is not part of this toolchain"));
    let rustup = workspace.shell.cmd("rustup").args(["component", "add", name]);
    workspace.run(rustup).with_context(|| format!("{name} is missing; {by_hand}"))
}

/// Returns the cargo-deny of this workspace, if it was installed before.
pub(crate) fn cargo_deny(workspace: &Workspace) -> Option<String> {
    let own = format!("{}/bin/cargo-deny", tools_folder(workspace));
    [own, "cargo-deny".to_owned()].into_iter().find(|program| {
        let version = workspace.shell.cmd(program).arg("--version").quiet().ignore_stderr().read();
        version.is_ok_and(|version| version.trim() == format!("cargo-deny {CARGO_DENY}"))
    })
}

/// Returns the cargo-deny of this workspace, installed into the target folder if need be.
///
/// # Errors
///
/// Fails when the registry cannot be reached or the tool does not build.
pub(crate) fn install_cargo_deny(workspace: &Workspace) -> anyhow::Result<String> {
    if let Some(program) = cargo_deny(workspace) {
        return Ok(program);
    }
    let folder = tools_folder(workspace);
    say(format_args!("installing cargo-deny {CARGO_DENY} into {folder}: once, some two minutes"));
    // Without optimisation: it is built more often than it is run, and it runs for a second.
    let install = ["install", "cargo-deny", "--locked", "--debug", "--version", CARGO_DENY];
    let build = format!("{folder}/build");
    let command = workspace.cargo(&install).args(["--root", &folder, "--target-dir", &build]);
    let command = command.env("CARGO_PROFILE_DEV_DEBUG", "false");
    workspace.run(command).context("cannot install cargo-deny")?;
    workspace.shell.remove_path(&build)?;
    cargo_deny(workspace).context("the installed cargo-deny does not answer")
}

fn tools_folder(workspace: &Workspace) -> String {
    workspace.root.join("target/tools").display().to_string()
}
