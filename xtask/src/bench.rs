//! `cargo xtask bench`: protects what things cost; beside the limits and the peers, in one run.
//!
//! `bench` stands outside of the workspace with a lock file of its own: it holds the peers. Counts
//! gate, times are printed.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, ensure};

use crate::debian;
use crate::program::{self, output};
use crate::report::say;
use crate::workspace::Workspace;

/// Instructions that an operation may take, with a little room for another compiler.
const BOUNDS: [(&str, u64); 1] = [("wheel", 150)];
/// How many operations are counted: the difference of two runs leaves out what begins and ends.
const OPERATIONS: [u64; 2] = [100_000, 300_000];
/// Syncs of the disk that a rotation in SQLite takes: arming and committing.
const SYNCS: u64 = 2;
/// How many rotations are counted: few enough that the log is not written back meanwhile.
const ROTATIONS: [u64; 2] = [20, 60];
/// How long one run below callgrind may take.
const COUNTED_WITHIN: Duration = Duration::from_secs(300);

/// Prints the tables, and counts instructions where callgrind is or can be installed.
///
/// # Errors
///
/// Fails when a count is above its goal.
pub(crate) fn run(workspace: &Workspace) -> anyhow::Result<Vec<String>> {
    let program = build(workspace)?;
    let name = "bench";
    program::run(name, Command::new(&program), None).context("a count is above its goal")?;
    let folder = workspace.shell.create_temp_dir()?;
    let folder = folder.path();
    let mut left_out = Vec::new();
    if is_there("strace", workspace, folder)? {
        count_syncs(&program, folder)?;
    } else {
        left_out.push("syncs: strace is not here (Debian's package strace)".to_owned());
    }
    if is_there("valgrind", workspace, folder)? {
        count(&program, folder)?;
    } else {
        left_out.push("instructions: valgrind is not here (Debian's package valgrind)".to_owned());
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

fn build(workspace: &Workspace) -> anyhow::Result<PathBuf> {
    let target = workspace.metadata()?.target_directory.into_std_path_buf().join("bench");
    let build = ["build", "--locked", "--release", "--quiet", "--manifest-path"];
    let command = workspace.cargo(&build).arg("bench/Cargo.toml");
    workspace.run(command.env("CARGO_TARGET_DIR", &target))?;
    Ok(target.join("release/sr-auth-bench"))
}

/// Counts the instructions of each work, and judges those that are ours.
fn count(program: &Path, folder: &Path) -> anyhow::Result<()> {
    let mut list = Command::new(program);
    list.arg("works");
    let mut above = Vec::new();
    say("instructions for each operation, counted by callgrind");
    let empty = of_work(program, "nothing", folder)?;
    for work in output("works", list, COUNTED_WITHIN, folder)? {
        if work == "nothing" {
            continue;
        }
        let each = of_work(program, &work, folder)?.saturating_sub(empty);
        let bound = BOUNDS.iter().find(|(name, _)| *name == work).map(|(_, bound)| *bound);
        let said = bound.map_or_else(String::new, |bound| format!(", at most {bound}"));
        say(format_args!("{work:<24} {each:>8}{said}"));
        above.extend(bound.filter(|bound| each > *bound).map(|_| work));
    }
    ensure!(above.is_empty(), "more instructions than allowed: {}", above.join(", "));
    Ok(())
}

fn of_work(program: &Path, work: &str, folder: &Path) -> anyhow::Result<u64> {
    let [few, many] = OPERATIONS.map(|operations| {
        let mut command = Command::new("valgrind");
        command.args(["--tool=callgrind", "--callgrind-out-file=/dev/null", "--log-fd=1"]);
        command.arg(program).args(["work", work, &operations.to_string()]);
        let said = output("valgrind", command, COUNTED_WITHIN, folder)?;
        collected(&said).with_context(|| format!("callgrind said nothing of {work}"))
    });
    let [first, last] = OPERATIONS;
    Ok(many?.saturating_sub(few?) / (last - first))
}

/// Finds the total in what callgrind says.
fn collected(said: &[String]) -> Option<u64> {
    let total = said.iter().find_map(|line| line.split_once("Collected : "))?.1;
    total.split_whitespace().next()?.parse().ok()
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

    #[test]
    fn the_total_is_found_in_what_callgrind_says() {
        let said = ["==7== Events    : Ir", "==7== Collected : 25014203", "==7=="];
        assert_eq!(collected(&said.map(str::to_owned)), Some(25_014_203));
        assert_eq!(collected(&["==7== nothing".to_owned()]), None);
    }
}
