//! `cargo xtask bench`: protects what things cost; beside the limits and the peers, in one run.
//!
//! `bench` stands outside of the workspace with a lock file of its own: it holds the peers. Counts
//! gate, times are printed.

mod instructions;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, ensure};

use crate::program::{self, output};
use crate::report::say;
use crate::workspace::Workspace;
use crate::{debian, flags, servers};
use instructions::Counter;

const WITHOUT_VALGRIND: &str = "instructions: valgrind is not here (Debian's package valgrind)";
/// Syncs of the disk that a rotation in SQLite takes: arming and committing.
const SYNCS: u64 = 2;
/// How many rotations are counted: few enough that the log is not written back meanwhile.
const ROTATIONS: [u64; 2] = [20, 60];
/// How long one run below strace may take.
const COUNTED_WITHIN: Duration = Duration::from_secs(300);

/// Prints the tables, and counts instructions where callgrind is or can be installed.
///
/// # Errors
///
/// Fails when a count is above its bound.
pub(crate) fn run(workspace: &Workspace, flags: flags::Bench) -> anyhow::Result<()> {
    if flags.servers {
        return servers::with_servers(|environment| on_servers(workspace, environment).map(|_| ()));
    }
    measure(workspace, !flags.without_peers).map(|_| ())
}

/// As [`run`], without the peers: they take longer to build, and no bound of ours depends on them.
///
/// # Errors
///
/// As [`run`].
pub(crate) fn stage(workspace: &Workspace) -> anyhow::Result<Vec<String>> {
    measure(workspace, false)
}

/// Measures stores on servers that are up, and returns what was left out.
///
/// # Errors
///
/// Fails when a count is above its bound.
pub(crate) fn on_servers(
    workspace: &Workspace,
    environment: &[(String, String)],
) -> anyhow::Result<Vec<String>> {
    let program = build(workspace, false)?;
    let mut command = Command::new(&program);
    command.arg("servers").envs(environment.iter().cloned());
    program::run("bench servers", command, None).context("a count is above its bound")?;
    let folder = workspace.shell.create_temp_dir()?;
    if !is_there("valgrind", workspace, folder.path())? {
        return Ok(vec![WITHOUT_VALGRIND.to_owned()]);
    }
    Counter { environment, folder: folder.path(), program: &program }.count_on_servers()?;
    Ok(Vec::new())
}

/// Measures everything else, and returns what was left out.
fn measure(workspace: &Workspace, peers: bool) -> anyhow::Result<Vec<String>> {
    let program = build(workspace, peers)?;
    let name = "bench";
    program::run(name, Command::new(&program), None).context("a count is above its bound")?;
    let folder = workspace.shell.create_temp_dir()?;
    let folder = folder.path();
    let mut left_out = Vec::new();
    if is_there("strace", workspace, folder)? {
        count_syncs(&program, folder)?;
    } else {
        left_out.push("syncs: strace is not here (Debian's package strace)".to_owned());
    }
    if is_there("valgrind", workspace, folder)? {
        Counter { environment: &[], folder, program: &program }.count(peers)?;
    } else {
        left_out.push(WITHOUT_VALGRIND.to_owned());
    }
    Ok(left_out)
}

/// Tells whether a program is here, after it was installed where that may be.
fn is_there(program: &str, workspace: &Workspace, folder: &Path) -> anyhow::Result<bool> {
    if !debian::answers(program, folder) && !workspace.offline && debian::may_install(folder) {
        debian::install(&[program], folder)?;
    }
    Ok(debian::answers(program, folder))
}

/// Counts the syncs of a rotation in SQLite, by what the operating system is asked for.
fn count_syncs(program: &Path, folder: &Path) -> anyhow::Result<()> {
    let of = |rotations: u64| {
        let mut command = Command::new("strace");
        command.args(["-f", "-qq", "-e", "trace=fsync,fdatasync", "-o", "/dev/stdout"]);
        command.arg(program).args(["syncs", &rotations.to_string()]);
        let said = output("strace", command, COUNTED_WITHIN, folder)?;
        anyhow::Ok(u64::try_from(said.iter().filter(|line| is_sync(line)).count())?)
    };
    let [few, many] = ROTATIONS;
    let syncs = of(many)?.saturating_sub(of(few)?);
    let rotations = many - few;
    say(format_args!("syncs of {rotations} rotations in SQLite: {syncs}, {SYNCS} for each"));
    ensure!(syncs == SYNCS * rotations, "a rotation takes another number of syncs than {SYNCS}");
    Ok(())
}

/// Tells whether a line of strace begins a call: one that was interrupted by another thread's has
/// a second line.
fn is_sync(line: &str) -> bool {
    line.contains("sync(") && !line.contains("resumed>")
}

fn build(workspace: &Workspace, peers: bool) -> anyhow::Result<PathBuf> {
    let target = workspace.metadata()?.target_directory.into_std_path_buf().join("bench");
    let build = ["build", "--locked", "--release", "--quiet", "--manifest-path"];
    let features: &[&str] = if peers { &["--features", "peers"] } else { &[] };
    let command = workspace.cargo(&build).arg("bench/Cargo.toml").args(features);
    workspace.run(command.env("CARGO_TARGET_DIR", &target))?;
    Ok(target.join("release/sr-auth-bench"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_is_counted_once() {
        let cases = [
            ("71 fdatasync(4)                      = 0", true),
            ("71 fsync(4 <unfinished ...>", true),
            ("71 <... fsync resumed>)              = 0", false),
            ("71 +++ exited with 0 +++", false),
        ];
        for (line, expected) in cases {
            assert_eq!(is_sync(line), expected, "{line}");
        }
    }
}
