//! Kills real processes over a real store, and judges what became of every grant:
//! `cargo xtask torture --store sqlite --kills 500`.
//!
//! One program is the supervisor, which runs the sandbox and the judge, and starts itself again as
//! each worker. Nothing of the library knows of it: a worker is what any user would write.
#![expect(clippy::print_stdout, reason = "a program tells what it found")]
#![expect(clippy::disallowed_methods, reason = "processes are killed in real time")]

#[cfg(unix)]
mod chance;
#[cfg(unix)]
mod children;
#[cfg(unix)]
mod facts;
#[cfg(unix)]
mod judge;
#[cfg(unix)]
mod options;
#[cfg(unix)]
mod place;
#[cfg(unix)]
mod report;
#[cfg(unix)]
mod scale;
#[cfg(unix)]
mod supervisor;
#[cfg(unix)]
mod worker;

#[cfg(unix)]
use std::process::ExitCode;

#[cfg(unix)]
use options::{Options, Task};

#[cfg(not(unix))]
fn main() {
    println!("processes are stopped and continued with the signals of Unix");
}

#[cfg(unix)]
fn main() -> ExitCode {
    let options = match Options::read() {
        Ok(options) => options,
        Err(error) => {
            println!("{error}\n\n{}", Options::HELP);
            return ExitCode::from(2);
        }
    };
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let outcome = runtime.map_err(Failure::from).and_then(|runtime| match &options.task {
        Task::Help => {
            println!("{}", Options::HELP);
            Ok(true)
        }
        Task::Run => runtime.block_on(supervisor::run(&options)),
        Task::Work => runtime.block_on(worker::run()),
    });
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            let causes = std::iter::successors(error.source(), |it| it.source());
            let causes: String = causes.map(|it| format!(": {it}")).collect();
            println!("the torture itself failed: {error}{causes}");
            ExitCode::FAILURE
        }
    }
}

/// Whatever went wrong outside of what is judged, in words.
#[cfg(unix)]
type Failure = Box<dyn std::error::Error + Send + Sync>;
