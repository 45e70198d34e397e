//! Every check of the workspace: `cargo xtask ci` runs them all, `cargo xtask check` the fast part.

mod bench;
mod browser;
mod ci;
mod debian;
mod deny;
mod doc;
mod explore;
mod features;
mod flags;
mod fmt;
mod interop;
mod layers;
mod lint;
mod load;
mod package;
mod planted;
mod program;
mod report;
mod servers;
mod sim;
mod test;
mod tidy;
mod tools;
mod torture;
mod workspace;

use std::process::ExitCode;

use clap::Parser as _;

use flags::{Command, Flags};
use workspace::Workspace;

fn main() -> ExitCode {
    match dispatch(Flags::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            report::say(format_args!("error: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn dispatch(command: Command) -> anyhow::Result<()> {
    let open = || Workspace::open(false);
    match command {
        Command::Bench(flags) => bench::run(&open()?, flags),
        Command::Browser => browser::run(&open()?).map(|_| ()),
        Command::Check => ci::check(&open()?),
        Command::Ci(flags) => ci::run(&flags),
        Command::Deny(flags) => deny::run(&Workspace::open(flags.offline)?).map(|_| ()),
        Command::Doc => doc::run(&open()?),
        Command::Explore(flags) => explore::run(&open()?, &flags),
        Command::Features => features::run(&open()?),
        Command::Fmt(flags) => fmt::run(&open()?, flags.check),
        Command::Interop => interop::run(&open()?).map(|_| ()),
        Command::Layers => layers::run(&open()?),
        Command::Lint => lint::run(&open()?),
        Command::Load => load::run(&open()?),
        Command::Package => package::run(&open()?),
        Command::Planted(flags) => planted::run(&open()?, &flags),
        Command::Servers(flags) => servers::run(&open()?, &flags),
        Command::Sim(flags) => sim::run(&open()?, &flags),
        Command::Test(flags) => test::run(&open()?, flags.filter.as_deref()),
        Command::Tidy(flags) => tidy::run(&open()?, flags.rows),
        Command::Torture(flags) => torture::run(&open()?, &flags),
    }
}
