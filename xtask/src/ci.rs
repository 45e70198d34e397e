//! `cargo xtask ci` and `cargo xtask check`: protect the branch; all stages, or the fast ones.
//!
//! Cheapest first, so that a mistake is told early; the stages after it run all the same, so that one
//! run tells all. A stage is one of the other commands: what failed here is repeated there.

use std::time::Duration;

use anyhow::ensure;

use crate::flags;
use crate::program::{self, LIMIT_IN_BUDGETS};
use crate::report::say;
use crate::workspace::Workspace;
use crate::{
    bench, browser, deny, doc, explore, features, fmt, interop, layers, lint, package, planted,
    servers, sim, test, tidy, torture,
};

/// Runs every stage.
///
/// # Errors
///
/// Fails at the end when a stage failed, and before any if a CI service asks to leave things out.
pub(crate) fn run(flags: &flags::Ci) -> anyhow::Result<()> {
    let offline = flags.offline.offline;
    ensure!(
        !(offline && flags.is_service()),
        "CI={} and --offline: a CI service leaves nothing out; unset CI or drop --offline",
        flags.ci
    );
    run_stages(&Workspace::open(offline)?, &STAGES, flags.is_service())
}

/// Runs the fast stages.
///
/// # Errors
///
/// Fails at the end when a stage failed.
pub(crate) fn check(workspace: &Workspace) -> anyhow::Result<()> {
    run_stages(workspace, &FAST_STAGES, false)?;
    say("not part of this: documentation tests and the rest of ci, doc to interop");
    Ok(())
}

/// One check and what it may cost on two cores and a clean clone.
#[derive(Clone, Copy, Debug)]
struct Stage {
    name: &'static str,
    budget_minutes: u32,
    run: fn(&Workspace) -> anyhow::Result<LeftOut>,
}

/// What a stage could not do here, a sentence each.
type LeftOut = Vec<String>;

const STAGES: [Stage; 17] = [
    stage("fmt", 1, |it| fmt::run(it, true).map(none)),
    stage("tidy", 1, |it| tidy::run(it, false).map(none)),
    stage("layers", 1, |it| layers::run(it).map(none)),
    stage("lint", 3, |it| lint::run(it).map(none)),
    stage("test", 6, |it| test::run(it, None).map(none)),
    stage("doc", 2, |it| doc::run(it).map(none)),
    stage("features", 5, |it| features::run(it).map(none)),
    stage("package", 1, |it| package::run(it).map(none)),
    // Most of it is the build of the copy.
    stage("planted", 4, |it| planted::run_turn(it).map(none)),
    stage("deny", 2, deny::run),
    stage("sim", 5, |it| sim::stage(it).map(none)),
    stage("explore", 2, |it| explore::check(it).map(none)),
    stage("torture", 3, |it| torture::stage(it).map(none)),
    // The first time, apt-get brings the servers.
    stage("servers", 6, servers::stage),
    stage("bench", 4, bench::stage),
    // The first time that apt-get brings Node.js and Python costs more.
    stage("interop", 2, interop::run),
    // Half a minute; the first time that apt-get brings Chromium costs more.
    stage("browser", 2, browser::run),
];

const FAST_STAGES: [Stage; 5] = [
    stage("fmt", 1, |it| fmt::run(it, true).map(none)),
    stage("tidy", 1, |it| tidy::run(it, false).map(none)),
    stage("layers", 1, |it| layers::run(it).map(none)),
    stage("lint", 1, |it| lint::run(it).map(none)),
    stage("test", 2, |it| test::run_without_docs(it, None).map(none)),
];

const fn stage(
    name: &'static str,
    budget_minutes: u32,
    run: fn(&Workspace) -> anyhow::Result<LeftOut>,
) -> Stage {
    Stage { name, budget_minutes, run }
}

fn none((): ()) -> LeftOut {
    Vec::new()
}

fn run_stages(workspace: &Workspace, stages: &[Stage], is_service: bool) -> anyhow::Result<()> {
    let mut table = Vec::new();
    let mut left_out = Vec::new();
    let mut failures = Vec::new();
    for Stage { name, budget_minutes, run } in stages {
        say(format_args!("── {name} (budget {budget_minutes} min)"));
        let started = program::now();
        workspace.limit(limit(name, *budget_minutes));
        let outcome = run(workspace);
        let took = program::now().duration_since(started);
        let row = row(name, *budget_minutes, &outcome, took);
        say(&row);
        table.push(row);
        match outcome {
            Ok(rest) => left_out.extend(rest.into_iter().map(|what| format!("{name}: {what}"))),
            Err(error) => {
                let again = repeat(workspace, name);
                failures.push(format!("{name} failed: {error:#}\nrepeat it with: {again}"));
                say(failures.last().map_or("", String::as_str));
            }
        }
    }
    say("── summary");
    table.iter().for_each(say);
    left_out.iter().for_each(|what| say(format_args!("left out  {what}")));
    ensure!(failures.is_empty(), failures.join("\n"));
    let missing = left_out.iter().filter(|what| is_service && !is_excused(what)).count();
    ensure!(missing == 0, "a CI service leaves nothing out, and {missing} thing(s) were");
    Ok(())
}

/// Says whether even a CI service may go without: the network decides about the advisories.
fn is_excused(left_out: &str) -> bool {
    left_out.strip_prefix("deny: ") == Some(deny::UNREACHABLE)
}

/// Returns how long a stage may take. What is fast when little changed may begin from nothing, so
/// that its budget is that of a clean clone.
fn limit(name: &str, budget_minutes: u32) -> Duration {
    let whole = STAGES.iter().find(|it| it.name == name).map_or(0, |it| it.budget_minutes);
    Duration::from_secs(60) * LIMIT_IN_BUDGETS * budget_minutes.max(whole)
}

fn row(
    name: &str,
    budget_minutes: u32,
    outcome: &anyhow::Result<LeftOut>,
    took: Duration,
) -> String {
    let verdict = match outcome {
        Ok(left_out) if left_out.is_empty() => "ok",
        Ok(_) => "part",
        Err(_) => "FAIL",
    };
    let minutes = took.as_secs_f64() / 60.0;
    let over = if minutes > f64::from(budget_minutes) { ", over budget" } else { "" };
    format!("{verdict:<4}  {name:<9} {minutes:>4.1} min of {budget_minutes}{over}")
}

fn repeat(workspace: &Workspace, name: &str) -> String {
    match name {
        "bench" => "cargo xtask bench --without-peers".to_owned(),
        "deny" if workspace.offline => "cargo xtask deny --offline".to_owned(),
        "fmt" => "cargo xtask fmt --check (and repair it with: cargo xtask fmt)".to_owned(),
        "planted" => format!("cargo xtask planted --rotate {}", planted::TURN),
        "explore" => "cargo xtask explore (and see what changed in docs/machines.md)".to_owned(),
        name => format!("cargo xtask {name}"),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_budgets_leave_room_in_fifty_minutes() {
        let total = |stages: &[Stage]| stages.iter().map(|it| it.budget_minutes).sum::<u32>();
        assert!(total(&STAGES) <= 50, "all: {}", total(&STAGES));
        assert!(total(&FAST_STAGES) <= 6, "fast: {}", total(&FAST_STAGES));
    }

    #[test]
    fn a_stage_is_ended_after_three_times_its_budget_from_a_clean_clone() {
        for (name, budget, minutes) in [("lint", 3, 9), ("lint", 1, 9), ("elsewhere", 2, 6)] {
            assert_eq!(limit(name, budget), Duration::from_secs(minutes * 60), "{name} {budget}");
        }
    }

    #[test]
    fn a_command_that_hangs_ends_its_stage() {
        let workspace = Workspace::open(false).unwrap();
        workspace.limit(Duration::from_millis(300));
        let error = workspace.run(workspace.shell.cmd("sleep").arg("600")).unwrap_err();
        assert!(error.to_string().contains("`sleep 600` takes too long"), "{error}");
    }

    #[test]
    fn each_stage_is_a_command_that_repeats_it() {
        let command = flags::Flags::command();
        for stage in STAGES.iter().chain(&FAST_STAGES) {
            assert!(command.find_subcommand(stage.name).is_some(), "{}", stage.name);
        }
    }

    #[test]
    fn every_failure_is_told_with_its_command() {
        let workspace = Workspace::open(false).unwrap();
        let stages = [
            stage("fmt", 1, |_| Ok(vec!["nothing".to_owned()])),
            stage("lint", 1, |_| anyhow::bail!("planted")),
            stage("test", 1, |_| anyhow::bail!("planted as well")),
        ];
        let error = run_stages(&workspace, &stages, false).unwrap_err();
        let expected = "lint failed: planted\nrepeat it with: cargo xtask lint\n\
                        test failed: planted as well\nrepeat it with: cargo xtask test";
        assert_eq!(format!("{error:#}"), expected);
    }

    #[test]
    fn a_service_that_asks_to_leave_things_out_is_refused() {
        let offline = flags::Offline { offline: true };
        let error = run(&flags::Ci { offline, ci: "true".to_owned() }).unwrap_err();
        assert!(error.to_string().contains("leaves nothing out"), "{error}");
    }

    #[test]
    fn a_service_goes_without_the_advisories_at_most() {
        let workspace = Workspace::open(false).unwrap();
        let excused = stage("deny", 1, |_| Ok(vec![deny::UNREACHABLE.to_owned()]));
        let other = stage("interop", 1, |_| Ok(vec!["planted".to_owned()]));
        let elsewhere = stage("lint", 1, |_| Ok(vec![deny::UNREACHABLE.to_owned()]));
        let cases = [
            ("advisories", excused, true, true),
            ("another part", other, true, false),
            ("another part of a person's run", other, false, true),
            ("the same words of another stage", elsewhere, true, false),
        ];
        for (name, stage, is_service, expected) in cases {
            assert_eq!(run_stages(&workspace, &[stage], is_service).is_ok(), expected, "{name}");
        }
    }

    #[test]
    fn a_row_says_how_long_a_stage_took_and_whether_that_was_planned() {
        let part = || Ok(vec!["one thing".to_owned()]);
        let cases = [
            ("in time", Ok(Vec::new()), 108, "ok    lint       1.8 min of 6"),
            ("late", Ok(Vec::new()), 366, "ok    lint       6.1 min of 6, over budget"),
            ("not all of it", part(), 60, "part  lint       1.0 min of 6"),
            ("failed", Err(anyhow::anyhow!("planted")), 30, "FAIL  lint       0.5 min of 6"),
        ];
        for (name, outcome, secs, expected) in cases {
            assert_eq!(row("lint", 6, &outcome, Duration::from_secs(secs)), expected, "{name}");
        }
    }
}
