//! `cargo xtask browser`: protects people; a real browser walks through a partner integration.
//!
//! A headless Chromium opens the pages of the sandbox and of a partner's service, both as users start
//! them (`sr-auth partner demo`), in both modes. The program in `xtask/browser` presses the buttons
//! and says what it saw, a line each; the journal of the sandbox says how often credentials were
//! asked for. What the pages look like is in `target/browser`. The commands of the guide for partners
//! are run too.

mod cases;
mod demo;
mod guide;
mod install;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::ensure;

use crate::interop::verdict;
use crate::program::Program;
use crate::report::say;
use crate::workspace::Workspace;
use demo::Demo;

/// How long the browser may take; a quiet machine needs half a minute.
const WITHIN: Duration = Duration::from_secs(240);

/// Runs all cases, and returns what was left out.
///
/// # Errors
///
/// Fails when browser, driver or servers cannot be had, and when a case fails or is not run.
pub(crate) fn run(workspace: &Workspace) -> anyhow::Result<Vec<String>> {
    if workspace.offline {
        return Ok(vec!["Chromium and what drives it: their packages need a network".to_owned()]);
    }
    // Removed with everything in it when this ends, however it ends: profiles of browsers too.
    let folder = workspace.shell.create_temp_dir()?;
    let folder = folder.path();
    let chromium = install::programs(folder)?;
    for path in workspace.shell.read_dir("xtask/browser")? {
        workspace.shell.copy_file(path, folder)?;
    }
    crate::interop::node_packages(folder)?;
    let debug = build(workspace)?;
    guide::run(&workspace.root, &debug, folder)?;
    let sr_auth = debug.join("sr-auth").with_extension(std::env::consts::EXE_EXTENSION);
    let screenshots = screenshots(workspace)?;
    let said = drive(&sr_auth, &chromium, &screenshots, folder);
    let (said, failure) = match said {
        Ok(said) => (said, None),
        Err((said, error)) => (said, Some(error)),
    };
    let rows = verdict::judge("chromium", &cases::expected(), &said);
    rows.iter().for_each(say);
    say(format_args!("with {}", verdict::versions(&said).join(", ")));
    say(format_args!("screenshots are in {}", screenshots.display()));
    if let Some(error) = failure {
        return Err(error);
    }
    let bad = rows.iter().filter(|row| !row.verdict.is_good()).count();
    ensure!(bad == 0, "browser: {bad} case(s) not as expected");
    Ok(Vec::new())
}

/// Builds what is started, and returns where it is.
fn build(workspace: &Workspace) -> anyhow::Result<PathBuf> {
    // As the tests build it, so that nothing is built twice.
    let build = ["build", "--locked", "--workspace", "--all-features"];
    let targets = ["--bin", "sr-auth", "--example", "planner"];
    workspace.run(workspace.cargo(&build).args(targets))?;
    Ok(workspace.metadata()?.target_directory.into_std_path_buf().join("debug"))
}

/// Returns the folder of the screenshots, without those of another run.
fn screenshots(workspace: &Workspace) -> anyhow::Result<PathBuf> {
    let folder = workspace.metadata()?.target_directory.into_std_path_buf().join("browser");
    workspace.shell.remove_path(&folder)?;
    workspace.shell.create_dir(&folder)?;
    Ok(folder)
}

/// Runs the program over two demos, and returns what it said; with a failure too.
fn drive(
    sr_auth: &Path,
    chromium: &Path,
    screenshots: &Path,
    folder: &Path,
) -> Result<Vec<String>, (Vec<String>, anyhow::Error)> {
    let mut said = Vec::new();
    let mut driven = || -> anyhow::Result<()> {
        let demos =
            [Demo::start(sr_auth, "redirect", folder)?, Demo::start(sr_auth, "popup", folder)?];
        let mut node = Command::new("node");
        node.arg("partner.mjs").current_dir(folder);
        for demo in &demos {
            node.envs(demo.addresses());
        }
        node.env("CHROMIUM", chromium).env("SCREENSHOTS", screenshots).env("TMPDIR", folder);
        // What a proxy of this machine answers is no answer of the servers.
        node.env("NO_PROXY", "127.0.0.1,localhost").env("no_proxy", "127.0.0.1,localhost");
        Program::start("the browser", node, WITHIN, folder)?.finish(|line| said.push(line))
    };
    match driven() {
        Ok(()) => Ok(said),
        Err(error) => Err((said, error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offline_all_of_it_is_left_out_and_said() {
        let left_out = run(&Workspace::open(true).unwrap()).unwrap().join("\n");
        assert!(left_out.contains("Chromium"), "{left_out}");
    }
}
