//! Explores small worlds: `cargo run --release -p sr-testkit --example explore`.
#![expect(clippy::print_stdout, reason = "a program tells what it found")]

mod options;
mod scopes;

use std::process::ExitCode;
use std::time::{Duration, Instant};

use options::{Options, Task};
use scopes::Named;
use sr_testkit::exploration::{Findings, Machines, Verdict, explore};

/// More worlds than this are more than memory should hold.
const LIMIT: usize = 6_000_000;

fn main() -> ExitCode {
    match Options::read().and_then(run) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            println!("{error}\n\n{}", Options::HELP);
            ExitCode::from(2)
        }
    }
}

fn run(options: Options) -> Result<bool, String> {
    let chosen = match &options.task {
        Task::Help => {
            println!("{}", Options::HELP);
            return Ok(true);
        }
        Task::Explore(name) => scopes::chosen(name.as_deref())?,
    };
    println!(
        "{:<34} {:<6} {:<52} {:>9} {:>10} {:>7}  verdict",
        "variant", "server", "scope", "states", "steps", "seconds"
    );
    let mut machines = Machines::default();
    let mut is_good = true;
    for it in &chosen {
        is_good &= one(it, &mut machines);
    }
    if scopes::is_all_of_the_page(&options.task) {
        is_good &= page(&options, &machines);
    }
    Ok(is_good)
}

/// Explores one case, says what came of it, and returns whether that is what must come of it.
fn one(it: &Named, machines: &mut Machines) -> bool {
    let clock = Stopwatch::start();
    let is_of_the_page = it.is_of_the_page();
    let mut aside = Machines::default();
    let notes = if is_of_the_page { machines } else { &mut aside };
    let findings = explore(it.case, LIMIT, notes);
    let seconds = clock.elapsed().as_secs_f64();
    let (mode, variant) = (format!("{:?}", it.case.mode).to_lowercase(), it.case.variant);
    let (variant, scope) = (variant.to_string(), it.case.scope.to_string());
    let Findings { states, steps, .. } = findings;
    print!("{variant:<34} {mode:<6} {scope:<52} {states:>9} {steps:>10} {seconds:>7.1}  ");
    let is_good = it.case.variant.is_good();
    match &findings.verdict {
        Verdict::Broken(trace) => {
            let expected = if is_good { "BROKEN" } else { "found" };
            println!(
                "{expected}: {:?}, {}, in {} steps",
                trace.invariant, trace.detail, trace.steps
            );
            trace.lines.iter().for_each(|line| println!("    {line}"));
            !is_good
        }
        Verdict::Holds => {
            let lost: Vec<_> =
                findings.losses.iter().map(|(why, count)| format!("{why:?} {count}")).collect();
            let lost = if lost.is_empty() { "none".to_owned() } else { lost.join(", ") };
            let expected = if is_good { "holds" } else { "NOT FOUND" };
            println!("{expected}; at rest {}, lost: {lost}", findings.rests);
            is_good
        }
        Verdict::TooLarge => {
            println!("TOO LARGE: it was not explored to its end");
            false
        }
    }
}

/// Writes the page of the machines, or compares it.
fn page(options: &Options, machines: &Machines) -> bool {
    let unmet = machines.unmet();
    if !unmet.is_empty() {
        println!("no exploration meets {}", unmet.join(", "));
    }
    let page = machines.page();
    let file = &options.page;
    if options.check {
        let is_same = std::fs::read_to_string(file).is_ok_and(|it| it == page);
        if !is_same {
            println!("{} is out of date: write it with `cargo xtask explore`", file.display());
        }
        return is_same && unmet.is_empty();
    }
    match std::fs::write(file, page) {
        Ok(()) => println!("wrote {}", file.display()),
        Err(error) => {
            println!("{} cannot be written: {error}", file.display());
            return false;
        }
    }
    unmet.is_empty()
}

/// Real time, for figures; no exploration sees it.
struct Stopwatch(Instant);

impl Stopwatch {
    #[expect(clippy::disallowed_methods, reason = "how long an exploration takes is real time")]
    fn start() -> Self {
        Self(Instant::now())
    }

    #[expect(clippy::disallowed_methods, reason = "how long an exploration takes is real time")]
    fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }
}
