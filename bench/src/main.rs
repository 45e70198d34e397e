//! What it costs, beside the limits and the peers, in one run.
//!
//! Times are printed and gate nothing: they are those of this machine and this minute. Counts gate:
//! bytes and allocations here, instructions where this program runs below callgrind, see
//! `cargo xtask bench`.

mod memory;
mod schedule;
mod store;
mod timing;

use std::process::ExitCode;

use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};

/// Counts every allocation of the program.
#[global_allocator]
static ALLOCATOR: &StatsAlloc<std::alloc::System> = &INSTRUMENTED_SYSTEM;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        [] => {
            let kept = schedule::table() & memory::table();
            store::table();
            if kept { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        // A work of so many operations, for counting its instructions.
        ["work", name, operations] => match operations.parse() {
            Ok(operations) if schedule::work(name, operations) => ExitCode::SUCCESS,
            _ => usage(),
        },
        ["store"] => {
            store::table();
            ExitCode::SUCCESS
        }
        // So many rotations, for counting their syncs.
        ["syncs", rotations] => match rotations.parse() {
            Ok(rotations) => {
                store::syncs(rotations);
                ExitCode::SUCCESS
            }
            Err(_) => usage(),
        },
        ["works"] => {
            schedule::names().for_each(|name| println!("{name}"));
            ExitCode::SUCCESS
        }
        _ => usage(),
    }
}

fn usage() -> ExitCode {
    eprintln!(
        "usage: bench | bench store | bench syncs ROTATIONS | bench works | bench work NAME OPERATIONS"
    );
    ExitCode::from(2)
}
