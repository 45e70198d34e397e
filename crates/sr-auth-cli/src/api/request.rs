//! The request of a call: what the user may set, and what is refused.

use std::io::Read as _;
use std::path::Path;

use http::header::{ACCEPT, CONTENT_TYPE, HeaderName};
use http::{HeaderMap, HeaderValue, Request};
use sr_auth_core::{ApiOrigin, SecretBytes};

use super::ApiArguments;
use crate::exit::{Exit, Failure};

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

impl ApiArguments {
    /// Writes the request, without its credential.
    pub(super) fn request(&self, origin: &ApiOrigin) -> Result<Request<SecretBytes>, Failure> {
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
}

/// Parameters that would put a credential into a URL.
const SECRET_PARAMETERS: [&str; 6] =
    ["access_token", "apikey", "client_secret", "refresh_token", "token", "x-smarttoken"];

/// The service takes a partner's key in the URL too, where logs and proxies keep it.
fn refuse_key_in_url(path: &str) -> Result<(), Failure> {
    let query = path.split_once('?').map_or("", |(_, query)| query);
    let names = url::form_urlencoded::parse(query.as_bytes());
    let mut names = names.map(|(name, _)| name.to_ascii_lowercase());
    if names.any(|name| SECRET_PARAMETERS.contains(&name.as_str())) {
        return Err(Failure::new(
            Exit::Usage,
            "sr_auth::secret_argument",
            "the path holds a credential",
            "choose the credential with --auth: it is sent in a header, which no log keeps",
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
        let paths = [
            "/feed?apiKey=x",
            "/feed?a=1&APIKEY=x",
            "/feed?%61piKey=x",
            "/a?access_token=x",
            "/a?token=x",
            "/a?b=1&client_secret=x",
            "/a?refresh_token=x",
            "/a?X-SmartToken=x",
        ];
        for path in paths {
            assert!(refuse_key_in_url(path).is_err(), "{path}");
        }
        for path in ["/jobs", "/jobs?limit=5", "/jobs/apiKey=x", "/jobs?nextPageToken=x"] {
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
