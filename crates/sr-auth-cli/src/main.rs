//! The program `sr-auth`: one file for each command.

mod api;
mod arguments;
mod browser;
mod completions;
mod console;
mod demo;
mod environment;
mod exit;
mod grants;
mod hold;
mod interrupt;
mod logging;
mod login;
mod logout;
mod loopback;
mod moment;
mod partner;
mod sandbox;
mod secret_file;
mod secret_source;
mod settings;
mod status;
mod token;

use std::process::ExitCode;

use arguments::{Arguments, Command};
use console::Console;
use exit::{Exit, Failure};

fn main() -> ExitCode {
    let console = Console::new();
    let arguments = match arguments::read(&console) {
        Ok(arguments) => arguments,
        Err(exit) => return exit.into(),
    };
    let exit = match run(arguments, &console) {
        Ok(exit) => exit,
        Err(failure) => {
            console.failure(&failure);
            failure.exit()
        }
    };
    exit.into()
}

fn run(arguments: Arguments, console: &Console) -> Result<Exit, Failure> {
    logging::start(arguments.verbose)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|error| Failure::io("the runtime cannot be started", &error))?;
    let exit = runtime.block_on(async {
        match arguments.command {
            Command::Api(arguments) => api::run(arguments, console).await,
            Command::Completions(arguments) => completions::run(&arguments, console),
            Command::Demo(arguments) => demo::run(arguments, console).await,
            Command::Hold(arguments) => hold::hold(&arguments, console).await,
            Command::Login(arguments) => login::run(*arguments, console).await,
            Command::Logout(arguments) => logout::run(&arguments, console).await,
            Command::Partner(arguments) => partner::run(arguments, console).await,
            Command::Release(arguments) => hold::release(&arguments, console).await,
            Command::Sandbox(arguments) => sandbox::run(arguments, console).await,
            Command::Status(arguments) => status::run(&arguments, console).await,
            Command::Token(arguments) => token::run(arguments, console).await,
        }
    });
    // A thread that waits for standard input cannot be woken, and nothing depends on it.
    runtime.shutdown_background();
    exit
}
