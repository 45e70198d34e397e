//! The browser of the user, as far as the demo plays it: over real HTTP, and reading what it gets.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use http::header::{CONTENT_TYPE, COOKIE, LOCATION, SET_COOKIE};
use http::{HeaderValue, Method, Request, Response};
use sr_auth_core::SecretBytes;
use sr_auth_http::{Limits, Transport as _};
use url::{Url, form_urlencoded};

use super::html::Page;
use super::wire_log::Recorder;
use crate::exit::{Exit, Failure};

/// How long an answer may take, and how long it may be.
const LIMITS: Limits = Limits::new(Duration::from_secs(5), Duration::from_secs(5), 1024 * 1024);

/// Fetches pages, submits forms, and goes where it is sent.
#[derive(Debug)]
pub(crate) struct UserAgent {
    /// By host: a cookie knows no port.
    cookies: Mutex<BTreeMap<String, BTreeMap<String, String>>>,
    transport: Recorder,
}

/// What the browser shows.
#[derive(Debug)]
pub(crate) struct Shown {
    /// The address bar.
    pub(crate) url: Url,
    response: Response<SecretBytes>,
}

impl UserAgent {
    pub(crate) const fn new(transport: Recorder) -> Self {
        Self { cookies: Mutex::new(BTreeMap::new()), transport }
    }

    /// Fetches a page.
    pub(crate) async fn get(&self, url: &str) -> Result<Shown, Failure> {
        let url = Url::parse(url).map_err(|_| strange("a link leads nowhere"))?;
        self.send(Method::GET, url, String::new()).await
    }

    /// Goes where an answer sends it.
    pub(crate) async fn follow(&self, shown: &Shown) -> Result<Shown, Failure> {
        let url = shown.target().ok_or_else(|| strange("the browser is not sent on"))?;
        self.send(Method::GET, url, String::new()).await
    }

    /// Fills in the form of a page and submits it.
    pub(crate) async fn submit(
        &self,
        shown: &Shown,
        page: &Page,
        choices: &[(&str, &str)],
    ) -> Result<Shown, Failure> {
        let action = page.action.as_deref().ok_or_else(|| strange("the page has no form"))?;
        let url = shown.url.join(action).map_err(|_| strange("the form leads nowhere"))?;
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.extend_pairs(page.hidden.iter().map(|(name, value)| (name, value)));
        form.extend_pairs(choices);
        self.send(Method::POST, url, form.finish()).await
    }

    /// Submits a form without looking at its page.
    pub(crate) async fn post(&self, url: &str, fields: &[(&str, &str)]) -> Result<Shown, Failure> {
        let url = Url::parse(url).map_err(|_| strange("a form leads nowhere"))?;
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.extend_pairs(fields);
        self.send(Method::POST, url, form.finish()).await
    }

    async fn send(&self, method: Method, url: Url, form: String) -> Result<Shown, Failure> {
        let mut request = Request::new(SecretBytes::new(form.into_bytes()));
        *request.uri_mut() = url.as_str().parse().map_err(|_| strange("a link leads nowhere"))?;
        if method == Method::POST {
            let kind = HeaderValue::from_static("application/x-www-form-urlencoded");
            request.headers_mut().insert(CONTENT_TYPE, kind);
        }
        *request.method_mut() = method;
        if let Some(cookies) = self.cookies_for(&url) {
            request.headers_mut().insert(COOKIE, cookies);
        }
        let response = self.transport.send(request, LIMITS).await?;
        self.keep_cookies(&url, &response);
        Ok(Shown { url, response })
    }

    fn cookies_for(&self, url: &Url) -> Option<HeaderValue> {
        let cookies = self.cookies.lock().unwrap_or_else(PoisonError::into_inner);
        let pairs = cookies.get(url.host_str()?)?.iter();
        let text = pairs.map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>();
        HeaderValue::from_str(&text.join("; ")).ok()
    }

    fn keep_cookies(&self, url: &Url, response: &Response<SecretBytes>) {
        let mut cookies = self.cookies.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = cookies.entry(url.host_str().unwrap_or_default().to_owned()).or_default();
        for header in response.headers().get_all(SET_COOKIE) {
            let pair = header.to_str().ok().and_then(|it| it.split(';').next()?.split_once('='));
            kept.extend(pair.map(|(name, value)| (name.to_owned(), value.to_owned())));
        }
    }
}

impl Shown {
    /// Returns where the answer sends the browser.
    pub(crate) fn target(&self) -> Option<Url> {
        let location = self.response.headers().get(LOCATION)?.to_str().ok()?;
        self.url.join(location).ok()
    }

    /// Reads the page.
    pub(crate) fn page(&self) -> Page {
        Page::read(&String::from_utf8_lossy(self.response.body().expose()))
    }
}

/// The sandbox or the listener showed something that the played browser cannot go on with.
fn strange(what: &str) -> Failure {
    let advice = "report this: the pages of the sandbox have changed";
    Failure::new(Exit::Misbehaved, "sr_auth::demo", what, advice)
}
