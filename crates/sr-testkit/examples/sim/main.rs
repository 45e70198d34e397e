//! Runs the simulation: `cargo run --release -p sr-testkit --example sim -- --seconds 60`.
#![expect(clippy::print_stdout, reason = "a program tells what it found")]

mod hunt;
mod options;

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use options::{Options, Task};
use sr_testkit::simulation::{Coverage, Invariant, Report, Simulation, Violation, shrink};

/// So many runs may go into making a failure short.
const ATTEMPTS: u32 = 4_000;

/// So many, where a run takes months.
const ATTEMPTS_OF_MONTHS: u32 = 400;

/// How much of the story of a failure is shown.
const LINES: usize = 80;

fn main() -> ExitCode {
    let options = match Options::read() {
        Ok(options) => options,
        Err(error) => {
            println!("{error}\n\n{}", Options::HELP);
            return ExitCode::from(2);
        }
    };
    let is_good = match &options.task {
        Task::Defects => {
            hunt::defects(&options);
            true
        }
        Task::Find(story) => hunt::find(&options, story),
        Task::Help => {
            println!("{}", Options::HELP);
            true
        }
        Task::Hunt(promises) => hunt::run(&options, promises),
        Task::Replay(file) => replay(&options, file),
        Task::Run => run(&options),
        Task::Story => {
            tell(&simulation(&options).readable().run_seed(options.seed), usize::MAX);
            true
        }
    };
    if is_good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// What all threads have found.
#[derive(Default)]
struct Findings {
    coverage: Coverage,
    events: u64,
    /// Each kind of failure: how often, and the first seed.
    failures: BTreeMap<(Invariant, &'static str), (u64, u64)>,
    hash: u64,
    runs: u64,
}

/// The simulation that is asked for.
pub(crate) fn simulation(options: &Options) -> Simulation {
    let simulation = Simulation::new();
    let simulation = if options.months { simulation.of_months() } else { simulation };
    if options.partner { simulation.of_partners() } else { simulation }
}

pub(crate) const fn attempts(options: &Options) -> u32 {
    if options.months { ATTEMPTS_OF_MONTHS } else { ATTEMPTS }
}

const fn mix(options: &Options) -> &'static str {
    if options.partner {
        Simulation::MIX_OF_PARTNERS
    } else if options.months {
        Simulation::MIX_OF_MONTHS
    } else {
        Simulation::MIX
    }
}

fn run(options: &Options) -> bool {
    println!("{}", mix(options));
    let clock = Stopwatch::start();
    let findings = Mutex::new(Findings::default());
    let (next, stop) = (AtomicU64::new(options.seed), AtomicBool::new(false));
    std::thread::scope(|scope| {
        for _ in 0..options.threads {
            scope.spawn(|| work(options, &clock, &findings, &next, &stop));
        }
    });
    let seconds = clock.elapsed().as_secs_f64();
    let findings = findings.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    let per_second = |count: u64| count as f64 / seconds;
    println!(
        "{} scenarios, {} events in {seconds:.1} s on {} threads: {:.0} scenarios/s, \
         {:.0} events/s, {:.0} events/s on each thread",
        findings.runs,
        findings.events,
        options.threads,
        per_second(findings.runs),
        per_second(findings.events),
        per_second(findings.events) / options.threads as f64,
    );
    println!("trace hash {:016x} of the seeds from {} on", findings.hash, options.seed);
    let is_met = !options.coverage || is_met(options, &findings);
    for ((invariant, detail), (count, seed)) in &findings.failures {
        println!("{count} x {invariant:?}: {detail} (seed {seed})");
    }
    if let Some((_, (_, seed))) = findings.failures.first_key_value() {
        explain(options, *seed);
    }
    is_met && findings.failures.is_empty()
}

/// Tells what was met. A run that is long enough has to meet all that is declared.
fn is_met(options: &Options, findings: &Findings) -> bool {
    println!("{}", findings.coverage);
    let coverage = &findings.coverage;
    let (unmet, enough) = if options.partner {
        (coverage.unmet_of_partners(), Coverage::ENOUGH_PARTNERS)
    } else if options.months {
        (coverage.unmet_in_months(), Coverage::ENOUGH_MONTHS)
    } else {
        (coverage.unmet(), Coverage::ENOUGH)
    };
    unmet.iter().for_each(|it| println!("not met: {it}"));
    if findings.runs < enough {
        println!("the coverage of {} scenarios is not judged, that of {enough} is", findings.runs);
        return true;
    }
    unmet.is_empty()
}

fn work(
    options: &Options,
    clock: &Stopwatch,
    findings: &Mutex<Findings>,
    next: &AtomicU64,
    stop: &AtomicBool,
) {
    let mut simulation = simulation(options);
    simulation.coverage_mut().watch(options.coverage);
    let mut own = Findings::default();
    while !stop.load(Ordering::Relaxed) {
        let seed = next.fetch_add(1, Ordering::Relaxed);
        let done = seed - options.seed;
        if options.scenarios.is_some_and(|most| done >= most) || clock.elapsed() >= options.time {
            break;
        }
        let report = simulation.run_seed(seed);
        own.runs += 1;
        own.events += report.events;
        // Whichever thread runs which seed: the sum is the same.
        own.hash = own.hash.wrapping_add(report.hash.rotate_left(seed as u32 % 64));
        if let Some(Violation { invariant, detail, .. }) = report.violation {
            let failure = own.failures.entry((invariant, detail)).or_insert((0, seed));
            failure.0 += 1;
            stop.fetch_or(!options.all, Ordering::Relaxed);
        }
    }
    own.coverage = simulation.coverage().clone();
    let mut all = findings.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    all.runs += own.runs;
    all.events += own.events;
    all.hash = all.hash.wrapping_add(own.hash);
    all.coverage.add(&own.coverage);
    for (kind, (count, seed)) in own.failures {
        let failure = all.failures.entry(kind).or_insert((0, seed));
        *failure = (failure.0 + count, failure.1.min(seed));
    }
}

/// Makes a failure short, keeps it in a file, and tells its story.
fn explain(options: &Options, seed: u64) {
    let report = simulation(options).run_seed(seed);
    let Some(violation) = report.violation else { return };
    let before = report.choices.len();
    let bytes = shrink(&mut simulation(options), report.choices, attempts(options), |it, _| {
        it.violation.is_some_and(|it| it.invariant == violation.invariant)
    });
    println!("\nseed {seed}: {before} bytes of choices, {} after shrinking", bytes.len());
    let folder = std::path::Path::new("target/sim");
    let file = folder.join(format!("{:?}-{seed}.bin", violation.invariant));
    match std::fs::create_dir_all(folder).and_then(|()| std::fs::write(&file, &bytes)) {
        Ok(()) => println!("repeat it with --replay {}", file.display()),
        Err(error) => println!("it could not be kept: {error}"),
    }
    tell(&simulation(options).readable().run_bytes(bytes), LINES);
}

fn replay(options: &Options, file: &std::path::Path) -> bool {
    let bytes = match std::fs::read(file) {
        Ok(bytes) => bytes,
        Err(error) => {
            println!("{}: {error}", file.display());
            return false;
        }
    };
    let report = simulation(options).readable().run_bytes(bytes);
    tell(&report, usize::MAX);
    report.violation.is_none()
}

/// Prints the last lines of a story.
fn tell(report: &Report, lines: usize) {
    let from = report.lines.len().saturating_sub(lines);
    report.lines.iter().skip(from).for_each(|line| println!("{line}"));
    println!("{} events, trace hash {:016x}", report.events, report.hash);
}

/// Real time, for figures and for when to stop; no run sees it.
pub(crate) struct Stopwatch(Instant);

impl Stopwatch {
    #[expect(clippy::disallowed_methods, reason = "how long the simulation takes is real time")]
    pub(crate) fn start() -> Self {
        Self(Instant::now())
    }

    #[expect(clippy::disallowed_methods, reason = "how long the simulation takes is real time")]
    pub(crate) fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }
}
