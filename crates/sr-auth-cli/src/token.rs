//! `sr-auth token`: an access token on standard output, and nothing else.

use clap::{Args, ValueEnum};
use sr_auth_http::{TokenClient, TokenSource};

use crate::console::Console;
use crate::exit::{Exit, Failure};
use crate::grants::{Stored, UseArguments};
use crate::interrupt::{and_finish, unless_interrupted};
use crate::settings::{ClientArguments, ServiceArguments};

/// Print an access token: of a stored grant, or else from client credentials
///
/// Prints the access token with a line break, and nothing else, to standard output. If `sr-auth
/// login` has stored a grant of the client, it is the user's token, renewed when it is due; however
/// many shells ask, the refresh token is presented once. Otherwise client id and secret are
/// exchanged at the token endpoint, and each call is one exchange. A token lives about 30 minutes.
#[derive(Args, Debug)]
#[command(after_long_help = "\
Examples:
  export SR_AUTH_CLIENT_ID=82e4424135fe01c1
  export SR_AUTH_CLIENT_SECRET_FILE=~/.config/smartrecruiters.secret
  curl -H \"Authorization: Bearer $(sr-auth token)\" https://api.smartrecruiters.com/jobs

  pass show smartrecruiters | sr-auth token --client-id 82e4424135fe01c1 --secret-stdin
  sr-auth token --auth client-credentials")]
pub(crate) struct TokenArguments {
    /// Whose token it is; without it the user's who has logged in, or else the client's
    #[arg(long, value_enum, value_name = "METHOD")]
    auth: Option<Authentication>,
    #[command(flatten)]
    client: ClientArguments,
    #[command(flatten)]
    grant: UseArguments,
    #[command(flatten)]
    service: ServiceArguments,
}

/// The methods that bring an access token.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
enum Authentication {
    /// Client id and secret, exchanged for an access token
    ClientCredentials,
    /// The grant that `sr-auth login` has stored
    Login,
}

pub(crate) async fn run(arguments: TokenArguments, console: &Console) -> Result<Exit, Failure> {
    let endpoints = arguments.service.endpoints()?;
    let transport = arguments.service.transport(&endpoints)?;
    let (client, grant) = (&arguments.client, &arguments.grant);
    let stored = match arguments.auth {
        Some(Authentication::ClientCredentials) => None,
        Some(Authentication::Login) => Some(grant.demanded(client, &endpoints, &transport).await?),
        None => grant.stored(client, &endpoints, &transport).await?,
    };
    if let Some(Stored { place, source }) = stored {
        return match and_finish(&source, print(&source, console)).await {
            Ok(exit) => Ok(exit),
            Err(failure) => Err(place.explain(failure).await),
        };
    }
    let credentials = client.credentials().await?;
    let client =
        TokenClient::builder(credentials).endpoints(endpoints).transport(transport).build()?;
    unless_interrupted(async {
        let token = client.client_credentials().await?;
        console.line(token.secret().expose())?;
        Ok(Exit::Done)
    })
    .await
}

/// Prints the token of a stored grant: what its header has after the scheme.
async fn print(source: &TokenSource, console: &Console) -> Result<Exit, Failure> {
    let header = source.authorization().await?;
    let token = header.value().to_str().ok().and_then(|it| it.strip_prefix("Bearer "));
    let Some(token) = token else {
        let what = "the stored access token cannot be printed";
        return Err(Failure::new(Exit::Failed, "sr_auth::token", what, "log in again"));
    };
    console.line(token)?;
    Ok(Exit::Done)
}
