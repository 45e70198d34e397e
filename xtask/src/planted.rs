//! `cargo xtask planted`: protects the judge of the simulation; each fault that is known is planted,
//! and has to be found.
//!
//! The faults of the machines stand in `planted/faults` as small changes of the source. They are
//! made in a copy of the tree, where a switch decides which one is alive: one build serves them all,
//! and no product code knows of any.

mod change;
mod copy;
mod faults;

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, bail, ensure};

use crate::flags;
use crate::report::say;
use crate::workspace::Workspace;
use faults::{Crate, Fault, Place};

/// How long a fault may stay hidden, in seconds on one thread.
const SECONDS: &str = "60";

/// How many scenarios the copy runs with nothing planted.
const GOOD_SCENARIOS: &str = "500";

/// How many faults a merge looks for; all of them have their turn as the branch moves on.
pub(crate) const TURN: usize = 6;

/// Looks for the faults that are asked for.
///
/// # Errors
///
/// Fails when a fault is not found, when its change does not fit the source any more, and when the
/// copy breaks a promise without one.
pub(crate) fn run(workspace: &Workspace, flags: &flags::Planted) -> anyhow::Result<()> {
    let all = faults::all();
    let chosen = match (&flags.name, flags.rotate) {
        (Some(name), _) => all.iter().filter(|it| it.name == name.as_str()).collect(),
        (None, Some(count)) => turn(&all, count, &head(workspace)),
        (None, None) => all.iter().collect::<Vec<_>>(),
    };
    ensure!(!chosen.is_empty(), "there is no such fault; all of them: {}", names(&all));
    copy::make(workspace, &all)?;
    let sim = build(workspace)?;
    sim.is_good(&all)?;
    say(format_args!("{:<26} {:>9} {:>8}  broken promise", "fault", "scenarios", "seconds"));
    let mut hidden = Vec::new();
    for fault in &chosen {
        match sim.look_for(fault) {
            Ok(found) => say(found),
            Err(error) => {
                say(format_args!("{:<26} {error:#}", fault.name));
                hidden.push(fault.name);
            }
        }
    }
    ensure!(hidden.is_empty(), "not found: {}", hidden.join(", "));
    let rest = all.len() - chosen.len();
    say(format_args!("{} faults found; {rest} more with: cargo xtask planted", chosen.len()));
    Ok(())
}

/// Looks for a few faults, others at each commit, and says which it left for another time.
///
/// # Errors
///
/// As [`run`].
pub(crate) fn run_turn(workspace: &Workspace) -> anyhow::Result<()> {
    run(workspace, &flags::Planted { name: None, rotate: Some(TURN) })
}

/// Chooses `count` faults that stand side by side, by what names the state of the branch.
fn turn<'a>(all: &'a [Fault], count: usize, state: &str) -> Vec<&'a Fault> {
    let number =
        state.bytes().fold(0_usize, |sum, it| sum.wrapping_mul(31).wrapping_add(usize::from(it)));
    let first = number % all.len().max(1);
    all.iter().cycle().skip(first).take(count.min(all.len())).collect()
}

/// Returns the name of the last commit; nothing in a tree without a history.
fn head(workspace: &Workspace) -> String {
    let mut git = Command::new("git");
    git.current_dir(&workspace.root).args(["rev-parse", "HEAD"]);
    workspace.read(git).unwrap_or_default()
}

fn names(all: &[Fault]) -> String {
    all.iter().map(|it| it.name).collect::<Vec<_>>().join(", ")
}

/// The simulation of the copy.
#[derive(Debug)]
struct Sim<'a> {
    program: PathBuf,
    workspace: &'a Workspace,
}

fn build(workspace: &Workspace) -> anyhow::Result<Sim<'_>> {
    let target = copy::folder(workspace).join("target");
    let manifest = copy::tree(workspace).join("Cargo.toml");
    let command = workspace
        .cargo(&["build", "--locked", "--release", "--quiet", "--package", "sr-testkit"])
        .args(["--example", "sim", "--manifest-path"])
        .arg(manifest)
        .env("CARGO_TARGET_DIR", &target)
        // Less time to build is worth more here than speed.
        .env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "2")
        .env("RUSTFLAGS", "--allow warnings");
    workspace.run(command).context("the copy does not compile: which change is wrong?")?;
    let program = format!("sim{}", std::env::consts::EXE_SUFFIX);
    Ok(Sim { program: target.join("release/examples").join(program), workspace })
}

impl Sim<'_> {
    /// Runs the copy with nothing planted.
    fn is_good(&self, all: &[Fault]) -> anyhow::Result<()> {
        for krate in Crate::ALL {
            let names = self.workspace.read(self.command(krate, &["--defects"]))?;
            for name in names.lines() {
                let is_known = |it: &Fault| {
                    matches!(it.place, Place::Store) && it.krate == krate && it.name == name
                };
                ensure!(all.iter().any(is_known), "{name} of a store is not in the list of faults");
            }
            let good = ["--hunt", "none", "--scenarios", GOOD_SCENARIOS];
            let said = self.hunt(self.command(krate, &good))?;
            let (promise, detail) = (said.promise, said.detail);
            ensure!(promise == "nothing", "with nothing planted: {promise} {detail}");
        }
        Ok(())
    }

    /// Looks for a fault, and returns its row.
    fn look_for(&self, fault: &Fault) -> anyhow::Result<String> {
        let promises = fault.breaks.join(",");
        let krate = fault.krate;
        let mut hunt = self.command(krate, &["--hunt", &promises, "--seconds", SECONDS]);
        match fault.place {
            Place::Machine { number } => {
                hunt.env(copy::SWITCH, number.to_string());
            }
            Place::Store => {
                hunt.args(["--defect", fault.name]);
            }
        }
        let Said { detail, is_found, promise, scenarios, seconds, seed } = self.hunt(hunt)?;
        ensure!(
            is_found,
            "NOT FOUND in {scenarios} scenarios and {seconds} s; broken was: {promise} {detail}"
        );
        // What a good machine breaks as well shows nothing about the fault.
        let once = ["--hunt", &promises, "--seed", &seed, "--scenarios", "1"];
        let again = self.command(krate, &once);
        if self.hunt(again)?.promise != "nothing" {
            bail!("seed {seed} breaks {promise} with nothing planted");
        }
        Ok(format!("{:<26} {scenarios:>9} {seconds:>8}  {promise}: {detail}", fault.name))
    }

    fn command(&self, krate: Crate, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command.current_dir(&self.workspace.root).env_remove(copy::SWITCH);
        command.args(krate.option()).args(arguments);
        command
    }

    fn hunt(&self, command: Command) -> anyhow::Result<Said> {
        let line = self.workspace.read(command)?;
        Said::read(&line).with_context(|| format!("the simulation says {line:?}"))
    }
}

/// What a hunt of the simulation says.
#[derive(Debug, Eq, PartialEq)]
struct Said {
    detail: String,
    is_found: bool,
    promise: String,
    scenarios: String,
    seconds: String,
    seed: String,
}

impl Said {
    fn read(line: &str) -> Option<Self> {
        let fields: Vec<String> = line.split('\t').map(str::to_owned).collect();
        let [verdict, promise, detail, seed, scenarios, seconds] = fields.try_into().ok()?;
        let is_found = match verdict.as_str() {
            "found" => true,
            "lost" => false,
            _ => return None,
        };
        Some(Self { detail, is_found, promise, scenarios, seconds, seed })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_has_its_turn() {
        let all = faults::all();
        let states: Vec<String> = (0..500).map(|it| format!("{it:040x}")).collect();
        let mut seen: Vec<&str> =
            states.iter().flat_map(|it| turn(&all, TURN, it)).map(|it| it.name).collect();
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen.len(), all.len());
        assert_eq!(turn(&all, usize::MAX, "any").len(), all.len(), "each once");
    }

    #[test]
    fn a_hunt_says_six_things_or_is_not_understood() {
        let said = Said::read("found\tNoStorm\tagain and again\t7\t8\t0.12").expect("six fields");
        assert!(said.is_found);
        assert_eq!((said.promise.as_str(), said.seed.as_str()), ("NoStorm", "7"));
        assert_eq!(Said::read("lost\tnothing\t\t7\t8\t0.12").map(|it| it.is_found), Some(false));
        for line in ["", "found", "perhaps\tNoStorm\t\t7\t8\t0.12"] {
            assert_eq!(Said::read(line), None, "{line}");
        }
    }
}
