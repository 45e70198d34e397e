//! `sr-auth demo`: every method, really exchanged with a sandbox inside the process.

mod consent;
mod html;
mod keys;
mod lost_answer;
mod refusals;
mod report;
mod service_client;
mod stage;
mod tokens;
mod user_agent;
mod wire_log;

use clap::Args;

use crate::console::Console;
use crate::exit::{Exit, Failure};
use crate::interrupt::unless_interrupted;
pub(crate) use report::Report;
use stage::Stage;
pub(crate) use stage::json;
pub(crate) use user_agent::{Shown, UserAgent};
pub(crate) use wire_log::{Recorder, WireLog};

/// Show every way to authenticate, against a sandbox inside the process
///
/// Starts a SmartRecruiters sandbox and runs each exchange against it over real HTTP, step by step:
/// the requests, with secrets left out, and what came of them. Ends with 0 only if everything
/// behaved as the step says, and with 1 otherwise. Takes some seconds and leaves nothing behind.
#[derive(Args, Debug)]
#[command(after_long_help = "\
Examples:
  sr-auth demo
  sr-auth demo --browser
  sr-auth demo --ascii > demo.txt")]
pub(crate) struct DemoArguments {
    /// Give consent in your own browser, instead of having the demo play it
    #[arg(long)]
    browser: bool,
    /// Use ASCII characters only
    #[arg(long)]
    ascii: bool,
}

/// What to do when all is seen.
const NEXT: &str = "`sr-auth sandbox` keeps a sandbox running, with credentials to try.";

pub(crate) async fn run(arguments: DemoArguments, console: &Console) -> Result<Exit, Failure> {
    let console = if arguments.ascii { console.ascii_only() } else { *console };
    unless_interrupted(async {
        let stage = Stage::set(arguments.browser).await?;
        let mut report = Report::new(console, 13);
        report.open("Authentication at SmartRecruiters, step by step", &stage.sandbox.origin())?;
        run_steps(&stage, &mut report).await?;
        let exit = report.close(NEXT)?;
        stage.sandbox.stop().await;
        Ok(exit)
    })
    .await
}

async fn run_steps(stage: &Stage, report: &mut Report) -> Result<(), Failure> {
    keys::public_endpoint(stage, report).await?;
    keys::api_key(stage, report).await?;
    keys::partner_api_key(stage, report).await?;
    let token = service_client::client_credentials(stage, report).await?;
    service_client::revoked(stage, report, token).await?;
    let tokens = consent::authorized(stage, report).await?;
    tokens::refreshed(stage, report, tokens).await?;
    consent::declined(stage, report).await?;
    tokens::expired_code(stage, report).await?;
    refusals::missing_scope(stage, report).await?;
    refusals::no_api_access(stage, report).await?;
    lost_answer::lost(stage, report).await?;
    lost_answer::survived(stage, report).await
}
