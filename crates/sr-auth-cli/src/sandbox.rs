//! `sr-auth sandbox`: a SmartRecruiters on this machine, until Ctrl-C.

mod exports;
mod live_view;
mod outlet;

use clap::{Args, ValueEnum};
use sr_testkit::{Sandbox, SandboxSettings, SwitchError, Switches};

use crate::console::{BOLD, Console, DIM};
use crate::exit::{Exit, Failure};
use crate::interrupt::Interrupt;
pub(crate) use live_view::LiveView;
pub(crate) use outlet::Outlet;

/// Run a SmartRecruiters sandbox on this machine
///
/// Serves the authorize page, the token endpoint and some resources of the API on 127.0.0.1, with
/// the documented answers. Prints its address first, then lines for the shell that hold credentials
/// to try; what these open exists only in the sandbox. Then shows each request, without secrets,
/// until Ctrl-C or SIGTERM, which end it with exit code 0.
#[derive(Args, Debug)]
#[command(after_long_help = "\
Examples:
  sr-auth sandbox
  sr-auth sandbox --port 0 --approve auto
  sr-auth sandbox --switch spent_refresh_token=revokes_family --switch token_shape=uuid
  sr-auth sandbox --switches")]
pub(crate) struct SandboxArguments {
    /// The port on 127.0.0.1; 0 takes a free one
    #[arg(long, default_value_t = 8700)]
    port: u16,
    /// Draw the secrets from this number, so that they are the same at every start
    #[arg(long, value_name = "NUMBER")]
    seed: Option<u64>,
    /// Decide what the documentation leaves open
    #[arg(long = "switch", value_name = "NAME=VALUE")]
    switch: Vec<String>,
    /// Who answers on the authorize page
    #[arg(long, value_enum, value_name = "WHO")]
    approve: Option<Approve>,
    /// List all switches and end
    #[arg(long)]
    switches: bool,
    /// Do not show the requests
    #[arg(short, long)]
    quiet: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Approve {
    /// A person, in a browser
    Ask,
    /// Nobody: consent is given at once
    Auto,
    /// Nobody: consent is refused at once
    Decline,
}

pub(crate) async fn run(arguments: SandboxArguments, console: &Console) -> Result<Exit, Failure> {
    let settings = arguments.settings()?;
    if arguments.switches {
        return list_switches(&settings.switches, console);
    }
    let mut interrupt = Interrupt::listen()?;
    let sandbox = Sandbox::start(settings).await?;
    let (mut outlet, writer) = Outlet::open(*console);
    outlet.offer(exports::text(&sandbox));
    let view = LiveView::new(&sandbox);
    tokio::select! {
        () = interrupt.requested() => {}
        failure = writer.failure() => return Err(failure),
        () = view.show_forever(&mut outlet), if !arguments.quiet => {}
    }
    sandbox.stop().await;
    Ok(Exit::Done)
}

impl SandboxArguments {
    fn settings(&self) -> Result<SandboxSettings, Failure> {
        let mut settings = SandboxSettings::default();
        settings.port = self.port;
        settings.seed = self.seed;
        let decision = self.approve.map(|approve| match approve {
            Approve::Ask => "auto_decision=ask",
            Approve::Auto => "auto_decision=authorize",
            Approve::Decline => "auto_decision=decline",
        });
        let switches = self.switch.iter().map(String::as_str).chain(decision);
        for switch in switches {
            settings.switches.set(switch).map_err(unusable)?;
        }
        Ok(settings)
    }
}

fn unusable(error: SwitchError) -> Failure {
    Failure::usage(error.to_string(), "see `sr-auth sandbox --switches`")
}

fn list_switches(switches: &Switches, console: &Console) -> Result<Exit, Failure> {
    for switch in Switches::all() {
        let now = switch.value(switches);
        console.line(&format!("{BOLD}{}={now}{BOLD:#}", switch.name()))?;
        console.line(&format!("    {}", switch.meaning()))?;
        console.line(&format!("    {DIM}{}{DIM:#}", switch.values()))?;
    }
    Ok(Exit::Done)
}
