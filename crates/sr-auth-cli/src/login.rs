//! x
use crate::{console::Console, exit::{Exit, Failure}};
/// x
#[derive(clap::Args, Debug)]
pub(crate) struct LoginArguments {}
pub(crate) async fn run(_: LoginArguments, _: &Console) -> Result<Exit, Failure> { Ok(Exit::Done) }
