//! x
use crate::{console::Console, exit::{Exit, Failure}};
/// x
#[derive(clap::Args, Debug)]
pub(crate) struct DemoArguments {}
pub(crate) async fn run(_: DemoArguments, _: &Console) -> Result<Exit, Failure> { Ok(Exit::Done) }
