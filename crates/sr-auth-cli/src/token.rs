//! `sr-auth token`: an access token on standard output, and nothing else.

use clap::Args;
use sr_auth_http::TokenClient;

use crate::console::Console;
use crate::exit::{Exit, Failure};
use crate::interrupt::unless_interrupted;
use crate::settings::{ClientArguments, ServiceArguments};

/// Print an access token, from client credentials
///
/// Exchanges client id and secret at the token endpoint and prints the access token with a line
/// break, and nothing else, to standard output. Each call is one exchange; the token lives about
/// 30 minutes.
#[derive(Args, Debug)]
#[command(after_long_help = "\
Examples:
  export SR_AUTH_CLIENT_ID=82e4424135fe01c1
  export SR_AUTH_CLIENT_SECRET_FILE=~/.config/smartrecruiters.secret
  curl -H \"Authorization: Bearer $(sr-auth token)\" https://api.smartrecruiters.com/jobs

  pass show smartrecruiters | sr-auth token --client-id 82e4424135fe01c1 --secret-stdin")]
pub(crate) struct TokenArguments {
    #[command(flatten)]
    client: ClientArguments,
    #[command(flatten)]
    service: ServiceArguments,
}

pub(crate) async fn run(arguments: TokenArguments, console: &Console) -> Result<Exit, Failure> {
    let endpoints = arguments.service.endpoints()?;
    let transport = arguments.service.transport(&endpoints)?;
    let credentials = arguments.client.credentials().await?;
    let client =
        TokenClient::builder(credentials).endpoints(endpoints).transport(transport).build()?;
    unless_interrupted(async {
        let token = client.client_credentials().await?;
        console.line(token.secret().expose())?;
        Ok(Exit::Done)
    })
    .await
}
