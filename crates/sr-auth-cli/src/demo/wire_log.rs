//! A transport that remembers what it sent, without the secrets.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{Request, Response, Uri};
use sr_auth_core::{Authorization, SecretBytes};
use sr_auth_http::{Limits, Transport, TransportError};
use url::form_urlencoded;

/// The requests of one or several parties, in the order in which they began.
#[derive(Clone, Debug, Default)]
pub(crate) struct WireLog(Arc<Mutex<Vec<Exchange>>>);

/// One request.
#[derive(Clone, Debug)]
pub(crate) struct Exchange {
    /// What it carried besides its URL.
    pub(crate) carried: Option<String>,
    /// The method.
    pub(crate) method: String,
    /// The status of the answer, if one came.
    pub(crate) status: Option<u16>,
    /// The URL, with secrets hidden.
    pub(crate) url: String,
    /// Who sent it.
    pub(crate) who: &'static str,
}

impl WireLog {
    /// Stands where a secret stood.
    pub(crate) const HIDDEN: &str = "\u{0}";

    /// Returns the requests so far, and forgets them.
    pub(crate) fn take(&self) -> Vec<Exchange> {
        std::mem::take(&mut *self.entries())
    }

    fn entries(&self) -> MutexGuard<'_, Vec<Exchange>> {
        // A panic elsewhere says nothing about this list.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn begin(&self, who: &'static str, request: &Request<SecretBytes>) -> usize {
        let mut entries = self.entries();
        entries.push(Exchange {
            carried: carried(request),
            method: request.method().to_string(),
            status: None,
            url: url(request.uri()),
            who,
        });
        entries.len() - 1
    }

    fn end(&self, index: usize, status: u16) {
        if let Some(entry) = self.entries().get_mut(index) {
            entry.status = Some(status);
        }
    }
}

/// Sends with another transport, and writes down what was sent.
pub(crate) struct Recorder {
    inner: Arc<dyn Transport>,
    log: WireLog,
    who: &'static str,
}

impl Recorder {
    pub(crate) fn new(who: &'static str, inner: Arc<dyn Transport>, log: &WireLog) -> Self {
        Self { inner, log: log.clone(), who }
    }
}

impl fmt::Debug for Recorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recorder").field("who", &self.who).finish_non_exhaustive()
    }
}

#[async_trait]
impl Transport for Recorder {
    async fn send(
        &self,
        request: Request<SecretBytes>,
        limits: Limits,
    ) -> Result<Response<SecretBytes>, TransportError> {
        let index = self.log.begin(self.who, &request);
        let answer = self.inner.send(request, limits).await;
        if let Ok(response) = &answer {
            self.log.end(index, response.status().as_u16());
        }
        answer
    }
}

/// Parameters that hold no secret.
const SHOWN: [&str; 14] = [
    "account",
    "company",
    "companyId",
    "decision",
    "error",
    "error_description",
    "grant_type",
    "path",
    "redirect",
    "redirect_uri",
    "response_type",
    "return_to",
    "scope",
    "user",
];

fn url(uri: &Uri) -> String {
    let authority = uri.authority().map_or("", http::uri::Authority::as_str);
    let base = format!("http://{authority}{}", uri.path());
    match uri.query() {
        Some(query) => format!("{base}?{}", hidden(query.as_bytes())),
        None => base,
    }
}

/// Writes a query or a form with its secrets hidden.
fn hidden(form: &[u8]) -> String {
    let pairs: Vec<_> = form_urlencoded::parse(form).collect();
    let declined = pairs.iter().any(|(name, _)| name == "error");
    let shown = pairs.iter().map(|(name, value)| {
        // Beside an error the service writes the number 500 there, which is no code.
        let number = declined && name == "code" && value.len() <= 3;
        let value = if number || SHOWN.contains(&&**name) { value } else { WireLog::HIDDEN };
        format!("{name}={value}")
    });
    shown.collect::<Vec<_>>().join("&")
}

fn carried(request: &Request<SecretBytes>) -> Option<String> {
    let headers = request.headers();
    if headers.contains_key(AUTHORIZATION) {
        return Some(format!("Authorization: Bearer {}", WireLog::HIDDEN));
    }
    if headers.contains_key(Authorization::SMART_TOKEN) {
        return Some(format!("X-SmartToken: {}", WireLog::HIDDEN));
    }
    let kind = headers.get(CONTENT_TYPE)?.to_str().ok()?;
    let is_form = kind.starts_with("application/x-www-form-urlencoded");
    is_form.then(|| hidden(request.body().expose()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn k04_what_is_shown_of_a_request_holds_no_secret() {
        let uri = "http://127.0.0.1:1/callback?code=c0de&state=5tate&scope=a%20b".parse().unwrap();
        assert_eq!(
            url(&uri),
            "http://127.0.0.1:1/callback?code=\u{0}&state=\u{0}&scope=a b".to_owned()
        );
        let body = b"grant_type=client_credentials&client_id=id&client_secret=s3cr3t".to_vec();
        let request = Request::post("/")
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(SecretBytes::new(body))
            .unwrap();
        let shown = "grant_type=client_credentials&client_id=\u{0}&client_secret=\u{0}";
        assert_eq!(carried(&request).as_deref(), Some(shown));
    }

    #[test]
    fn the_number_beside_an_error_is_shown_and_a_code_never_is() {
        assert_eq!(hidden(b"error=access_denied&code=500"), "error=access_denied&code=500");
        assert_eq!(hidden(b"error=x&code=c0dec0de"), "error=x&code=\u{0}");
        assert_eq!(hidden(b"code=500"), "code=\u{0}");
    }
}
