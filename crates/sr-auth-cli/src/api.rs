//! `sr-auth api`: one call of the resource API.

mod credential;
mod request;

use std::time::Duration;

use clap::Args;
use http::header::CONTENT_TYPE;
use http::{Method, Response};
use sr_auth_core::SecretBytes;
use sr_auth_core::wire::api_refusal::ApiRefusal;
use sr_auth_core::wire::rate_limit::RateLimit;
use sr_auth_http::{ApiClient, ApiError, TokenSource};

use crate::console::{Console, harmless};
use crate::exit::{Exit, Failure};
use crate::interrupt::and_finish;
use crate::settings::ServiceArguments;
use credential::CredentialArguments;

/// How long an answer may take: the service advises to wait for no less.
const ANSWER_WITHIN: Duration = Duration::from_secs(128);

/// Call the API, signed with a credential
///
/// Sends one request under the API origin and prints the body of the answer to standard output. The
/// credential goes to that origin only; a redirect is an error and is not followed. Without --auth
/// the first of these that there is is used: the grant that `sr-auth login` has stored, client
/// credentials, API key, Partner API key.
#[derive(Args, Debug)]
#[command(after_long_help = "\
Examples:
  sr-auth api GET '/jobs?limit=5'
  sr-auth api GET /v1/companies/AcmeLogistics/postings --public
  sr-auth api POST /candidates --data candidate.json
  sr-auth api GET /feed/publications --auth partner-api-key -i")]
pub(crate) struct ApiArguments {
    /// GET, POST, PUT, PATCH or DELETE
    #[arg(value_parser = read_method)]
    method: Method,
    /// The path, with its query: /jobs?limit=5
    path: String,
    /// Send the content of a file; - is standard input
    #[arg(short, long, value_name = "FILE")]
    data: Option<String>,
    /// Add a header to the request
    #[arg(short = 'H', long = "header", value_name = "NAME: VALUE")]
    headers: Vec<String>,
    /// Show status, content type and rate limits on standard error
    #[arg(short, long)]
    include: bool,
    #[command(flatten)]
    credential: CredentialArguments,
    #[command(flatten)]
    service: ServiceArguments,
}

fn read_method(text: &str) -> Result<Method, String> {
    let methods = [Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE];
    let known = methods.into_iter().find(|it| it.as_str().eq_ignore_ascii_case(text));
    known.ok_or_else(|| "use GET, POST, PUT, PATCH or DELETE".to_owned())
}

pub(crate) async fn run(arguments: ApiArguments, console: &Console) -> Result<Exit, Failure> {
    let endpoints = arguments.service.endpoints()?;
    let request = arguments.request(endpoints.api())?;
    let transport = arguments.service.transport(&endpoints)?;
    let (source, place) = arguments.credential.source(&endpoints, &transport).await?;
    let client = ApiClient::new(endpoints.api().clone(), source.clone(), transport)
        .with_answer_within(ANSWER_WITHIN);
    let outcome = and_finish(&source, async {
        match client.send(request).await {
            Ok(response) => {
                arguments.show(&response, console)?;
                judge(&response)
            }
            Err(ApiError::Refused(refused)) => {
                arguments.show(refused.response(), console)?;
                let failure = Failure::from(refused.refusal());
                let renewed = renew(&source, place.is_some(), refused.refusal()).await?;
                Err(if renewed {
                    failure.advising("call again: the token was renewed")
                } else {
                    failure
                })
            }
            Err(error) => Err(error.into()),
        }
    })
    .await;
    match (outcome, place) {
        (Err(failure), Some(place)) => Err(place.explain(failure).await),
        (outcome, _) => outcome,
    }
}

/// Has a stored grant renew the token that was refused, so that the next call has another; tells
/// whether it did.
async fn renew(
    source: &TokenSource,
    is_stored: bool,
    refusal: &ApiRefusal,
) -> Result<bool, Failure> {
    if !is_stored || !matches!(refusal, ApiRefusal::Unauthenticated) {
        return Ok(false);
    }
    source.authorization().await?;
    Ok(true)
}

impl ApiArguments {
    fn show(&self, response: &Response<SecretBytes>, console: &Console) -> Result<(), Failure> {
        if self.include {
            let status = response.status();
            console.note(&format!("{} {}", status.as_u16(), reason(response)));
            if let Some(kind) = response.headers().get(CONTENT_TYPE) {
                let kind = String::from_utf8_lossy(kind.as_bytes()).into_owned();
                console.note(&format!("content-type: {}", harmless(&kind)));
            }
            show_limits(RateLimit::read(response.headers()), console);
        }
        console.bytes(response.body().expose())
    }
}

fn show_limits(limit: RateLimit, console: &Console) {
    let pairs = [
        ("requests this second", limit.remaining, limit.limit),
        ("requests at a time", limit.concurrent_remaining, limit.concurrent_limit),
    ];
    for (what, remaining, limit) in pairs {
        if let (Some(remaining), Some(limit)) = (remaining, limit) {
            console.note(&format!("{what}: {remaining} of {limit} left"));
        }
    }
}

fn reason(response: &Response<SecretBytes>) -> &'static str {
    response.status().canonical_reason().unwrap_or_default()
}

fn judge(response: &Response<SecretBytes>) -> Result<Exit, Failure> {
    let status = response.status();
    if status.is_success() {
        return Ok(Exit::Done);
    }
    let what = format!("the API answered {} {}", status.as_u16(), reason(response));
    if status.is_server_error() {
        let advice = "try again later";
        return Err(Failure::new(Exit::Unavailable, "sr_auth::api::unavailable", what, advice));
    }
    let advice = "compare method, path and data with the documentation; the answer may say more";
    Err(Failure::new(Exit::Failed, "sr_auth::api::status", what, advice))
}
