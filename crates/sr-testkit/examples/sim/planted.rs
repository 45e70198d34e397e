//! Whether the judge finds what is wrong: each planted fault has to be found.

use std::time::Duration;

use sr_testkit::simulation::{Simulation, StoreDefect};

use super::Stopwatch;
use super::options::Options;

/// Every fault must be found in this time.
const LIMIT: Duration = Duration::from_secs(60);

pub(crate) fn run(options: &Options, only: Option<&str>) -> bool {
    let defects = StoreDefect::ALL.into_iter();
    let chosen: Vec<_> =
        defects.filter(|it| only.is_none_or(|name| format!("{it:?}") == name)).collect();
    if chosen.is_empty() {
        println!("there is no such fault");
        return false;
    }
    println!("{:<24} {:>10} {:>8}  broken promise", "fault", "scenarios", "seconds");
    let mut is_good = true;
    for defect in chosen {
        is_good &= look_for(options, defect);
    }
    is_good
}

fn look_for(options: &Options, defect: StoreDefect) -> bool {
    let clock = Stopwatch::start();
    let mut broken = Simulation::new().with_defect(defect);
    let mut good = Simulation::new();
    for seed in options.seed.. {
        let scenarios = seed - options.seed + 1;
        let found = broken.run_seed(seed).violation;
        // What the good store breaks as well shows nothing about the fault.
        let found = found.filter(|_| good.run_seed(seed).violation.is_none());
        let seconds = clock.elapsed().as_secs_f64();
        let name = format!("{defect:?}");
        if let Some(found) = found {
            let (invariant, detail) = (found.invariant, found.detail);
            println!("{name:<24} {scenarios:>10} {seconds:>8.2}  {invariant:?}: {detail}");
            return true;
        }
        if clock.elapsed() > LIMIT {
            println!("{name:<24} {scenarios:>10} {seconds:>8.2}  NOT FOUND");
            break;
        }
    }
    false
}
