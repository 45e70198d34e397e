//! `sr-auth partner demo`: a partner's service and a SmartRecruiters to connect it with.

mod application;
mod connect;
mod disable;
mod site;
mod stage;

use clap::{Args, ValueEnum};
use sr_partner::consent::ConsentDisplayMode;

use crate::console::{BOLD, Console, DIM};
use crate::demo::Report;
use crate::exit::{Exit, Failure};
use crate::interrupt::{Interrupt, unless_interrupted};
use crate::sandbox::{LiveView, Outlet};
use stage::{Ports, Stage};

/// Run a partner's service and a SmartRecruiters sandbox to connect it with
///
/// Starts a complete partner's service over a store in a file, and a sandbox in which it is
/// registered. Prints the two addresses to open, then shows each request to the sandbox, without
/// secrets, until Ctrl-C. With --headless nothing has to be opened: the whole life of an integration
/// is walked, step by step, and the exit code is 0 only if everything went as said. Either way
/// nothing is left behind.
#[derive(Args, Debug)]
#[command(after_long_help = "\
Examples:
  sr-auth partner demo
  sr-auth partner demo --mode popup
  sr-auth partner demo --headless --ascii > integration.txt")]
pub(crate) struct PartnerDemoArguments {
    /// Walk through all of it without a browser, and end
    #[arg(long)]
    headless: bool,
    /// How the customer meets the consent page
    #[arg(long, value_enum, value_name = "MODE", default_value = "redirect")]
    mode: Mode,
    /// The port of the partner's service on 127.0.0.1; 0 takes a free one, as --headless does
    #[arg(long, default_value_t = 8800)]
    port: u16,
    /// The port of the sandbox on 127.0.0.1; 0 takes a free one, as --headless does
    #[arg(long, default_value_t = 8700)]
    sandbox_port: u16,
    /// Use ASCII characters only
    #[arg(long)]
    ascii: bool,
    /// Do not show the requests
    #[arg(short, long, conflicts_with = "headless")]
    quiet: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Mode {
    /// In a frame on the page of SmartRecruiters
    Popup,
    /// In place of that page
    Redirect,
}

impl From<Mode> for ConsentDisplayMode {
    fn from(mode: Mode) -> Self {
        match mode {
            Mode::Popup => Self::Popup,
            Mode::Redirect => Self::Redirect,
        }
    }
}

/// How many steps the walk has.
const STEPS: usize = 7;

pub(crate) async fn run(
    arguments: PartnerDemoArguments,
    console: &Console,
) -> Result<Exit, Failure> {
    let console = if arguments.ascii { console.ascii_only() } else { *console };
    let mode = arguments.mode.into();
    if arguments.headless {
        return unless_interrupted(walk(mode, console)).await;
    }
    let mut interrupt = Interrupt::listen()?;
    let ports = Ports { partner: arguments.port, sandbox: arguments.sandbox_port };
    let stage = Stage::set(mode, ports).await?;
    let (mut outlet, writer) = Outlet::open(console);
    outlet.offer(welcome(&stage));
    let view = LiveView::new(&stage.sandbox);
    tokio::select! {
        () = interrupt.requested() => {}
        failure = writer.failure() => return Err(failure),
        () = view.show_forever(&mut outlet), if !arguments.quiet => {}
    }
    stage.strike().await;
    Ok(Exit::Done)
}

/// Says where to go, each address on a line of its own.
fn welcome(stage: &Stage) -> String {
    let (sandbox, partner) = (stage.sandbox.origin(), &stage.origin);
    format!(
        "# {BOLD}SmartRecruiters:{BOLD:#} {sandbox}/pages/apps\n\
         # {BOLD}The partner's service:{BOLD:#} {partner}/\n\
         #\n\
         # Open the first, choose {name}, and press Connect. Sign in at the partner with any account,\n\
         # allow the connection, and have each call the other from its page. Then press Disable.\n\
         # {DIM}Ctrl-C ends both. What the documentation leaves open is a switch of the sandbox:\n\
         # {sandbox}/__sandbox/switches{DIM:#}",
        name = application::NAME,
    )
}

async fn walk(mode: ConsentDisplayMode, console: Console) -> Result<Exit, Failure> {
    let stage = Stage::set(mode, Ports { partner: 0, sandbox: 0 }).await?;
    let next = "`sr-auth partner demo` keeps both running, for your own browser.";
    let mut report = Report::new(console, STEPS);
    report.open("A partner integration, from registration to its end", &stage.sandbox.origin())?;
    connect::registration(&stage, &mut report)?;
    let consent = connect::consent(&stage, &mut report).await?;
    connect::exchange(&stage, &mut report, consent).await?;
    connect::first_call(&stage, &mut report).await?;
    let token = disable::called(&stage, &mut report).await?;
    disable::disabled(&stage, &mut report).await?;
    disable::retired(&stage, &mut report, token).await?;
    let exit = report.close(next)?;
    stage.strike().await;
    Ok(exit)
}
