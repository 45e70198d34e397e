//! `sr-auth completions`: a script that has a shell complete our commands and flags.

use clap::{Args, CommandFactory as _};
use clap_complete::Shell;

use crate::arguments::Arguments;
use crate::console::Console;
use crate::exit::{Exit, Failure};

/// Print a completion script for a shell
#[derive(Args, Debug)]
#[command(after_long_help = "\
Examples:
  sr-auth completions bash > ~/.local/share/bash-completion/completions/sr-auth
  sr-auth completions zsh > ~/.zfunc/_sr-auth
  sr-auth completions fish > ~/.config/fish/completions/sr-auth.fish")]
pub(crate) struct CompletionsArguments {
    /// Which shell
    #[arg(value_enum)]
    shell: Shell,
}

pub(crate) fn run(arguments: &CompletionsArguments, console: &Console) -> Result<Exit, Failure> {
    let mut script = Vec::new();
    let mut command = Arguments::command();
    clap_complete::generate(arguments.shell, &mut command, "sr-auth", &mut script);
    console.bytes(&script)?;
    Ok(Exit::Done)
}
