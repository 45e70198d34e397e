//! `cargo xtask sim`: protects grants; fleets of real machines in simulated time, with every fault.

use anyhow::{Context as _, bail, ensure};
use clap::Parser as _;

use crate::flags::{self, Flags};
use crate::planted;
use crate::report::say;
use crate::workspace::Workspace;

/// How many scenarios the stage of `ci` runs: enough for the coverage to be judged.
const SCENARIOS: u64 = 6_000;

/// How many of months: enough for what is declared of them.
const OF_MONTHS: u64 = 100;

/// How many of partners: enough for what is declared of them.
const OF_PARTNERS: u64 = 2_000;

/// How many scenarios are compared between a build for speed and one with all checks.
const COMPARED: u64 = 40;

/// Runs the simulation, an example of `sr-testkit` that is built for speed, with the same arguments;
/// or the same seeds in both profiles; or, with `--planted`, the command of that name.
///
/// # Errors
///
/// Fails when a promise breaks, a planted fault is not found, something that is declared is not met,
/// or a trace depends on the profile.
pub(crate) fn run(workspace: &Workspace, flags: &flags::Sim) -> anyhow::Result<()> {
    match flags.arguments.split_first() {
        Some((first, rest)) if first == "--compare-profiles" => {
            let seed = rest.first().map(|it| it.parse()).transpose().context("the first seed")?;
            compare(workspace, seed.unwrap_or(0))
        }
        Some((first, rest)) if first == "--planted" => {
            let words = ["xtask", "planted"].into_iter().chain(rest.iter().map(String::as_str));
            let flags::Command::Planted(flags) = Flags::parse_from(words).command else {
                bail!("`planted` is a command of its own");
            };
            planted::run(workspace, &flags)
        }
        _ => workspace.run(example(workspace, true).args(&flags.arguments)),
    }
}

/// The first seed of the stage. The seeds are the same at every commit, so that what fails there is
/// the commit's: a search over other seeds may still find what is older. `docs/testing.md` says how
/// far one has come.
const FIRST: u64 = 821_000_000;

/// Runs the seeds of the stage, demands their coverage, and compares the profiles.
///
/// # Errors
///
/// Like [`run`].
pub(crate) fn stage(workspace: &Workspace) -> anyhow::Result<()> {
    let first = FIRST.to_string();
    let kinds =
        [(None, SCENARIOS), (Some("--months"), OF_MONTHS), (Some("--partner"), OF_PARTNERS)];
    for (kind, count) in kinds {
        let count = count.to_string();
        let options = ["--coverage", "--scenarios", &count, "--seed", &first, "--threads", "2"];
        workspace.run(example(workspace, true).args(kind).args(options))?;
    }
    compare(workspace, FIRST)
}

/// Holds that a seed has one trace, whatever the profile.
fn compare(workspace: &Workspace, seed: u64) -> anyhow::Result<()> {
    let hash = |fast: bool| {
        let (count, first) = (COMPARED.to_string(), seed.to_string());
        let command = example(workspace, fast).args(["--scenarios", &count, "--seed", &first]);
        say(format_args!("$ {command}"));
        let text = workspace.read(command.into())?;
        let line = text.lines().find(|line| line.starts_with("trace hash"));
        line.map(str::to_owned).context("the simulation tells no trace hash")
    };
    let (fast, checked) = (hash(true)?, hash(false)?);
    say(format_args!("built for speed:       {fast}\nbuilt with all checks: {checked}"));
    ensure!(fast == checked, "the same seeds have other traces in the other profile");
    Ok(())
}

fn example(workspace: &Workspace, fast: bool) -> xshell::Cmd<'_> {
    let build = ["run", "--locked", "--quiet", "--package", "sr-testkit", "--example", "sim"];
    let speed: &[&str] = if fast { &["--release"] } else { &[] };
    workspace.cargo(&build).args(speed).arg("--")
}
