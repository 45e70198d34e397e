//! Looks for a broken promise, and says so in one line that a program can read; or for a story.

use std::time::Duration;

use sr_testkit::simulation::{Coverage, Invariant, PartnerDefect, Simulation, StoreDefect, shrink};

use super::options::Options;
use super::{Stopwatch, attempts, simulation};

/// Prints the names of the ways to break the store.
pub(crate) fn defects(options: &Options) {
    if options.partner {
        PartnerDefect::ALL.iter().for_each(|it| println!("{it:?}"));
    } else {
        StoreDefect::ALL.iter().for_each(|it| println!("{it:?}"));
    }
}

/// The simulation that is asked for, with the store that is asked for; `None` if there is no such.
fn broken(options: &Options) -> Option<Simulation> {
    let simulation = simulation(options);
    let Some(name) = &options.defect else { return Some(simulation) };
    let of_grants = StoreDefect::ALL.iter().find(|it| format!("{it:?}") == *name);
    let of_partners = PartnerDefect::ALL.iter().find(|it| format!("{it:?}") == *name);
    if options.partner {
        Some(simulation.with_partner_defect(*of_partners?))
    } else {
        Some(simulation.with_defect(*of_grants?))
    }
}

/// Runs until one of `promises` is broken, or the time is over. `false` if it could not.
///
/// The line has six fields between tabulators: `found` or `lost`, the promise, what was seen, the
/// seed, how many scenarios it took, and how many seconds of this thread.
pub(crate) fn run(options: &Options, promises: &[String]) -> bool {
    let Some(mut simulation) = broken(options) else {
        println!("there is no way {:?} to break the store", options.defect);
        return false;
    };
    let is_meant = |it: Invariant| promises.iter().any(|name| format!("{it:?}") == *name);
    let clock = Stopwatch::start();
    // What was broken instead of what is looked for: the last of it.
    let mut other = None;
    for seed in options.seed.. {
        let scenarios = seed - options.seed;
        let is_over = options.scenarios.is_some_and(|most| scenarios >= most);
        let seconds = spent(&clock);
        if is_over || seconds >= options.time {
            let (promise, detail) = other.map_or_else(
                || ("nothing".to_owned(), ""),
                |(promise, detail): (Invariant, &str)| (format!("{promise:?}"), detail),
            );
            let seconds = seconds.as_secs_f64();
            println!("lost\t{promise}\t{detail}\t{seed}\t{scenarios}\t{seconds:.2}");
            return true;
        }
        let Some(violation) = simulation.run_seed(seed).violation else { continue };
        let (promise, detail) = (violation.invariant, violation.detail);
        if is_meant(promise) {
            let (scenarios, seconds) = (scenarios + 1, spent(&clock).as_secs_f64());
            println!("found\t{promise:?}\t{detail}\t{seed}\t{scenarios}\t{seconds:.2}");
            return true;
        }
        other = Some((promise, detail));
    }
    true
}

/// Runs until a good run meets `story`, or the time is over; makes it short, and keeps it in a file.
/// `false` if there was none.
pub(crate) fn find(options: &Options, story: &str) -> bool {
    let mut simulation = simulation(options);
    simulation.coverage_mut().watch(true);
    let meets = |coverage: &Coverage| coverage.met().any(|it| it == story);
    let clock = Stopwatch::start();
    for seed in options.seed.. {
        if clock.elapsed() >= options.time {
            break;
        }
        simulation.coverage_mut().clear();
        let report = simulation.run_seed(seed);
        if report.violation.is_some() || !meets(simulation.coverage()) {
            continue;
        }
        let bytes =
            shrink(&mut simulation, report.choices, attempts(options), |report, coverage| {
                report.violation.is_none() && meets(coverage)
            });
        let folder = std::path::Path::new("target/sim");
        let file = folder.join(format!("{}.bin", story.replace(' ', "-")));
        let kept = std::fs::create_dir_all(folder).and_then(|()| std::fs::write(&file, &bytes));
        println!("seed {seed}: {} bytes, kept in {}: {kept:?}", bytes.len(), file.display());
        return kept.is_ok();
    }
    println!("no run met {story:?}");
    false
}

/// Returns how long this thread has run, where the system says so: a hunt shares the processor with
/// others. Elsewhere it is how long it took.
fn spent(clock: &Stopwatch) -> Duration {
    let said = std::fs::read_to_string("/proc/thread-self/schedstat").ok();
    let nanos = said.and_then(|it| it.split_whitespace().next()?.parse().ok());
    nanos.filter(|it| *it > 0).map_or_else(|| clock.elapsed(), Duration::from_nanos)
}
