//! `sr-auth login`: the authorization code grant, with the user's own browser.

mod outcome;
mod reception;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::{Args, ValueEnum};
use sr_auth_core::grant::{
    AuthorizationRequest, AuthorizationSettings, PendingAuthorization, Pkce,
};
use sr_auth_core::wire::callback::Callback;
use sr_auth_core::{ClientCredentials, Endpoints, RedirectUri, ScopeSet, Secret};
use sr_auth_http::{Clock, TokenClient, Transport, entropy};
use zeroize::Zeroizing;

use crate::browser;
use crate::console::{BOLD, Console};
use crate::exit::{Exit, Failure};
use crate::grants::{Called, GrantArguments, OfServiceArguments};
use crate::interrupt::Interrupt;
use crate::loopback::Farewell;
use crate::secret_file::Reserved;
use crate::settings::{ClientArguments, ServiceArguments};
use outcome::{GrantStore, Keeping};
use reception::Reception;

/// Have a user authorize an application, in a browser
///
/// Stores the grant that the user gives, sealed; `sr-auth token` and `sr-auth api` use it from then on,
/// `sr-auth status` shows it and `sr-auth logout` ends it. Opens the authorize page and waits on
/// 127.0.0.1 for the way back. An application whose redirect
/// URI is elsewhere uses --paste: copy the address that the browser ends at, and paste it here; the
/// code in it lives 30 seconds. The client is SR_AUTH_APP_CLIENT_ID with SR_AUTH_APP_CLIENT_SECRET,
/// or else SR_AUTH_CLIENT_ID with SR_AUTH_CLIENT_SECRET.
#[derive(Args, Debug)]
#[command(after_long_help = "\
Examples:
  sr-auth login --scope 'candidates_read jobs_read'
  sr-auth login --name reporting
  sr-auth login --refresh-token-file refresh.secret
  sr-auth login --paste --redirect-uri https://yourapp.example/callback
  curl -H \"Authorization: Bearer $(sr-auth login --no-store --print token)\" \\
    https://api.smartrecruiters.com/users/me")]
pub(crate) struct LoginArguments {
    /// The scopes to ask for, separated by spaces; those of the registration unless given
    #[arg(long, value_name = "SCOPES")]
    scope: Option<String>,
    /// Where the browser is sent back to, exactly as registered [env: SR_AUTH_REDIRECT_URI]
    #[arg(long, value_name = "URI")]
    redirect_uri: Option<String>,
    /// Wait for the browser on loopback (the default)
    #[arg(long, conflicts_with = "paste")]
    listen: bool,
    /// The port to wait on; 0 takes a free one
    #[arg(long, default_value_t = 0, conflicts_with = "paste")]
    port: u16,
    /// Read the address that the browser was sent back to from standard input
    #[arg(long)]
    paste: bool,
    /// Print the URL only, and open no browser
    #[arg(long)]
    no_browser: bool,
    /// Send a proof key with the code (PKCE, S256); the service does not document it
    #[arg(long)]
    pkce: bool,
    /// How many seconds the user has
    #[arg(long, default_value_t = 300, value_name = "SECONDS")]
    #[arg(value_parser = clap::value_parser!(u64).range(1..=PendingAuthorization::LIFE.as_secs()))]
    timeout: u64,
    /// Print this to standard output, and everything else to standard error
    #[arg(long, value_enum, value_name = "WHAT")]
    print: Option<Print>,
    /// Keep the refresh token in a file that only its owner may read, instead of storing the grant
    #[arg(long, value_name = "PATH")]
    refresh_token_file: Option<PathBuf>,
    /// Replace that file if it exists
    #[arg(long, requires = "refresh_token_file")]
    force: bool,
    /// Store no grant: the refresh token is discarded
    #[arg(long, conflicts_with = "refresh_token_file")]
    no_store: bool,
    #[command(flatten)]
    client: ClientArguments,
    #[command(flatten)]
    grant: GrantArguments,
    #[command(flatten)]
    of_service: OfServiceArguments,
    #[command(flatten)]
    service: ServiceArguments,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
enum Print {
    /// The access token
    Token,
}

pub(crate) async fn run(arguments: LoginArguments, console: &Console) -> Result<Exit, Failure> {
    if arguments.paste && arguments.client.secret.reads_stdin() {
        return Err(Failure::usage(
            "--paste and --secret-stdin both want standard input",
            "give the secret another way",
        ));
    }
    let endpoints = arguments.service.login_endpoints()?;
    let transport = arguments.service.transport(&endpoints)?;
    let credentials = arguments.client.application().await?;
    let keeping = arguments.keeping(&credentials, &endpoints, &transport).await?;
    let reception = Reception::new(&arguments).await?;
    let redirect_uri = RedirectUri::parse(reception.redirect_uri())?;
    let clock = Clock::system();
    let client = TokenClient::builder(credentials.clone())
        .clock(clock.clone())
        .endpoints(endpoints.clone())
        .transport(transport)
        .build()?;
    let settings = AuthorizationSettings::new(credentials, endpoints, redirect_uri);
    let settings = arguments.with_choices(settings, console)?;
    let request = AuthorizationRequest::new(&settings, entropy()?, clock.now())?;
    let url = Zeroizing::new(request.url().to_owned());
    let pending = request.into_pending();
    // From here on Ctrl-C ends the waiting, but never cuts off the exchange of a code.
    let mut interrupt = Interrupt::listen()?;
    let (callback, farewell) = tokio::select! {
        answer = arguments.ask(&url, pending.state(), reception, console) => answer?,
        () = interrupt.requested() => return Err(Failure::interrupted()),
    };
    let farewell = farewell.map(|farewell| tokio::spawn(farewell.serve()));
    let outcome = match pending.accept(&settings, &callback, clock.now()) {
        Ok(grant) => {
            let outcome = client.authorization_code(grant).await;
            outcome::report(outcome, keeping, arguments.print, clock.now(), console).await
        }
        Err(error) => Err(error.into()),
    };
    if let Some(farewell) = farewell {
        // The browser has its page, or will not fetch it any more.
        let _served = farewell.await;
    }
    outcome
}

impl LoginArguments {
    /// Makes ready to keep what comes, before the user is asked: what cannot work shows now.
    async fn keeping(
        &self,
        client: &ClientCredentials,
        endpoints: &Endpoints,
        transport: &Arc<dyn Transport>,
    ) -> Result<Keeping, Failure> {
        if let Some(path) = &self.refresh_token_file {
            return Ok(Keeping::File(Reserved::new(path, self.force)?));
        }
        if self.no_store {
            return Ok(Keeping::Nowhere);
        }
        let place = match self.of_service.place()? {
            Some(place) => place,
            None => self.grant.known_place(endpoints, client.id().as_str())?,
        };
        let opened = place.prepare().await?;
        let name = match place.called {
            Called::Own { name, .. } => name.name,
            Called::OfService(_) => format!("{} in {}", place.called, place.at),
        };
        let (client, endpoints) = (client.clone(), endpoints.clone());
        let transport = Arc::clone(transport);
        Ok(Keeping::Store(Box::new(GrantStore { client, endpoints, name, opened, transport })))
    }

    fn with_choices(
        &self,
        settings: AuthorizationSettings,
        console: &Console,
    ) -> Result<AuthorizationSettings, Failure> {
        let settings = if self.pkce { settings.with_pkce(Pkce::S256) } else { settings };
        let Some(scope) = &self.scope else { return Ok(settings) };
        let scopes = ScopeSet::parse(scope)?;
        for scope in scopes.unrecognised() {
            console.note(&format!("note: the scope {scope} is not known; is it spelt right?"));
        }
        Ok(settings.with_scopes(scopes)?)
    }

    /// Sends the user to the authorize page, and waits for the way back.
    async fn ask(
        &self,
        url: &str,
        state: &Secret,
        reception: Reception,
        console: &Console,
    ) -> Result<(Callback, Option<Farewell>), Failure> {
        let waiting = reception.hint();
        let opened = !self.no_browser && browser::open(url).await;
        if opened {
            console.note(&format!("The browser shows the authorize page. {waiting}"));
            console.note(&format!("If it does not, open this URL:\n\n  {url}\n"));
        } else {
            console.note(&format!("{BOLD}Open this URL in a browser:{BOLD:#}\n\n  {url}\n"));
            console.note(waiting);
        }
        let span = Duration::from_secs(self.timeout);
        tokio::time::timeout(span, reception.callback(state)).await.unwrap_or_else(|_| {
            Err(Failure::new(
                Exit::Refused,
                "sr_auth::login::timeout",
                format!("no answer came from the browser in {} s", self.timeout),
                "start again; --timeout gives more time, up to 600 s",
            ))
        })
    }
}
