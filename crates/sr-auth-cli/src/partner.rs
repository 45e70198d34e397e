//! `sr-auth partner`: for those who build an application that customers of SmartRecruiters connect.

mod demo;

use clap::{Args, Subcommand};

use crate::console::Console;
use crate::exit::{Exit, Failure};

/// Build an application that customers of SmartRecruiters connect
#[derive(Args, Debug)]
pub(crate) struct PartnerArguments {
    #[command(subcommand)]
    command: PartnerCommand,
}

#[derive(Debug, Subcommand)]
enum PartnerCommand {
    Demo(demo::PartnerDemoArguments),
}

pub(crate) async fn run(arguments: PartnerArguments, console: &Console) -> Result<Exit, Failure> {
    match arguments.command {
        PartnerCommand::Demo(arguments) => demo::run(arguments, console).await,
    }
}
