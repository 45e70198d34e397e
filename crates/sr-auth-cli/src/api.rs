//! `sr-auth api`: one call of the resource API.

mod credential;

use std::io::Read as _;
use std::path::Path;
use std::time::Duration;

use clap::Args;
use http::header::{ACCEPT, CONTENT_TYPE, HeaderName};
use http::{HeaderMap, HeaderValue, Method, Request, Response};
use sr_auth_core::wire::rate_limit::RateLimit;
use sr_auth_core::{ApiOrigin, SecretBytes};
use sr_auth_http::{ApiClient, ApiError};

use crate::console::{Console, harmless};
use crate::exit::{Exit, Failure};
use crate::interrupt::unless_interrupted;
use crate::settings::ServiceArguments;
use credential::CredentialArguments;

/// How long an answer may take: the service advises to wait for no less.
const ANSWER_WITHIN: Duration = Duration::from_secs(128);

/// The longest request body, in bytes.
const DATA_LIMIT: u64 = 8 * 1024 * 1024;

/// Headers that belong to the credential or to the connection.
const RESERVED: [&str; 10] = [
    "authorization",
    "connection",
    "content-length",
    "cookie",
    "expect",
    "host",
    "proxy-authorization",
    "transfer-encoding",
    "upgrade",
    "x-smarttoken",
];

/// Call the API, signed with a credential
///
/// Sends one request under the API origin and prints the body of the answer to standard output. The
/// credential goes to that origin only; a redirect is an error and is not followed. Without --auth
/// the first of these that is set is used: client credentials, API key, Partner API key.
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
    let source = arguments.credential.source(&endpoints, &transport)?;
    let client = ApiClient::new(endpoints.api().clone(), source, transport)
        .with_answer_within(ANSWER_WITHIN);
    unless_interrupted(async {
        match client.send(request).await {
            Ok(response) => {
                arguments.show(&response, console)?;
                judge(&response)
            }
            Err(ApiError::Refused(refused)) => {
                arguments.show(refused.response(), console)?;
                Err(refused.refusal().into())
            }
            Err(error) => Err(error.into()),
        }
    })
    .await
}

impl ApiArguments {
    fn request(&self, origin: &ApiOrigin) -> Result<Request<SecretBytes>, Failure> {
        refuse_key_in_url(&self.path)?;
        let url = origin.url(&self.path)?;
        let body = match &self.data {
            Some(file) if file == "-" && self.credential.reads_stdin() => {
                return Err(Failure::usage(
                    "--data - and --secret-stdin both want standard input",
                    "give one of them another way",
                ));
            }
            Some(file) => read_data(file)?,
            None => Vec::new(),
        };
        let mut request = Request::new(SecretBytes::new(body));
        *request.method_mut() = self.method.clone();
        *request.uri_mut() = url.parse().map_err(|_| {
            Failure::usage("the path cannot be sent", "percent-encode what is no letter or digit")
        })?;
        let json = HeaderValue::from_static("application/json");
        request.headers_mut().insert(ACCEPT, json.clone());
        if self.data.is_some() {
            request.headers_mut().insert(CONTENT_TYPE, json);
        }
        for header in &self.headers {
            add_header(request.headers_mut(), header)?;
        }
        Ok(request)
    }

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

/// The service takes a partner's key in the URL too, where logs and proxies keep it.
fn refuse_key_in_url(path: &str) -> Result<(), Failure> {
    let query = path.split_once('?').map_or("", |(_, query)| query);
    let names = url::form_urlencoded::parse(query.as_bytes());
    let mut names = names.map(|(name, _)| name.to_ascii_lowercase());
    if names.any(|name| name == "apikey" || name == "access_token") {
        return Err(Failure::new(
            Exit::Usage,
            "sr_auth::secret_argument",
            "the path holds a credential",
            "set SR_AUTH_PARTNER_API_KEY instead: it is sent in a header, which no log keeps",
        ));
    }
    Ok(())
}

fn read_data(file: &str) -> Result<Vec<u8>, Failure> {
    let failed = |error| Failure::io(format!("{file} cannot be read"), &error);
    let mut data = Vec::new();
    let reader: Box<dyn std::io::Read> = if file == "-" {
        Box::new(std::io::stdin().lock())
    } else {
        Box::new(std::fs::File::open(Path::new(file)).map_err(failed)?)
    };
    reader.take(DATA_LIMIT + 1).read_to_end(&mut data).map_err(failed)?;
    if data.len() as u64 > DATA_LIMIT {
        return Err(Failure::usage(format!("{file} is too long"), "send at most 8 MiB"));
    }
    Ok(data)
}

fn add_header(headers: &mut HeaderMap, text: &str) -> Result<(), Failure> {
    let pair = text.split_once(':').and_then(|(name, value)| {
        let name = HeaderName::from_bytes(name.trim().as_bytes()).ok()?;
        Some((name, HeaderValue::from_str(value.trim()).ok()?))
    });
    // Not repeated: what stands there may be a secret.
    let Some((name, value)) = pair else {
        return Err(Failure::usage("a header cannot be read", "write --header 'Name: value'"));
    };
    if RESERVED.contains(&name.as_str()) {
        return Err(Failure::usage(
            format!("the header {name} is set by the program"),
            "choose the credential with --auth; secrets are never arguments",
        ));
    }
    headers.insert(name, value);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn k04_a_key_in_the_path_is_refused_however_it_is_written() {
        for path in
            ["/feed?apiKey=x", "/feed?a=1&APIKEY=x", "/feed?%61piKey=x", "/a?access_token=x"]
        {
            assert!(refuse_key_in_url(path).is_err(), "{path}");
        }
        for path in ["/jobs", "/jobs?limit=5", "/jobs/apiKey=x"] {
            assert!(refuse_key_in_url(path).is_ok(), "{path}");
        }
    }

    #[test]
    fn k04_no_header_brings_a_second_credential() {
        for text in ["Authorization: Bearer x", "x-smarttoken:x", "Cookie: a=b", "no colon"] {
            assert!(add_header(&mut HeaderMap::new(), text).is_err(), "{text}");
        }
        let mut headers = HeaderMap::new();
        add_header(&mut headers, "Accept-Language:  de ").expect("it is harmless");
        assert_eq!(headers["accept-language"], "de");
    }
}
