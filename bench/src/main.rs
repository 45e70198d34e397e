//! What it costs, beside the limits and the peers, in one run.
//!
//! Times are printed and gate nothing: they are those of this machine and this minute. Counts gate:
//! bytes and allocations here, instructions where this program runs below callgrind, see
//! `cargo xtask bench`.

mod companies;
mod header;
mod kept;
mod memory;
#[cfg(feature = "peers")]
mod peers;
mod schedule;
mod server;
mod servers;
mod store;
mod timing;
mod wire;

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
            let kept = schedule::table() & memory::table() & header::table() & companies::table();
            store::table();
            if kept { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        // A work of so many operations, for counting its instructions.
        ["work", name, operations] => match operations.parse() {
            Ok(operations) if work(name, operations) => ExitCode::SUCCESS,
            _ => usage(),
        },
        // Answers requests for one that measures.
        ["server"] => server::serve().map_or(ExitCode::FAILURE, |()| ExitCode::SUCCESS),
        ["servers"] => {
            if servers::table() {
                ExitCode::SUCCESS
            } else {
                ExitCode::FAILURE
            }
        }
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
        _ => usage(),
    }
}

fn work(name: &str, operations: u32) -> bool {
    #[cfg(feature = "peers")]
    if peers::work(name, operations) {
        return true;
    }
    schedule::work(name, operations)
        || header::work(name, operations)
        || servers::work(name, operations)
        || wire::work(name, operations)
}

fn usage() -> ExitCode {
    eprintln!(
        "usage: bench | bench server | bench servers | bench store | bench syncs ROTATIONS | bench work NAME OPERATIONS"
    );
    ExitCode::from(2)
}
