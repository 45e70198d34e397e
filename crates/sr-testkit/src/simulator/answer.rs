//! Answers, and what the journal is told about them.

use http::header::{
    ALLOW, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName, HeaderValue, LOCATION,
    PRAGMA, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use http::{Response, StatusCode};
use serde_json::{Value, json};
use sr_auth_core::SecretBytes;

use super::fingerprint::Fingerprint;
use super::rate_limit::Slot;
use super::switches::ErrorBody;

/// An answer with what is known about the request.
#[derive(Debug)]
pub(super) struct Handled {
    pub(super) credential: Option<Fingerprint>,
    /// Whether the journal is told.
    pub(super) is_noted: bool,
    pub(super) reason: Option<&'static str>,
    pub(super) response: Response<SecretBytes>,
    pub(super) slot: Slot,
}

impl Handled {
    pub(super) fn new(response: Response<SecretBytes>) -> Self {
        Self { credential: None, is_noted: true, reason: None, response, slot: Slot::none() }
    }

    /// Keeps the request out of the journal.
    pub(super) fn unnoted(self) -> Self {
        Self { is_noted: false, ..self }
    }

    pub(super) fn because(self, reason: &'static str) -> Self {
        Self { reason: Some(reason), ..self }
    }

    pub(super) fn by(self, credential: Option<Fingerprint>) -> Self {
        Self { credential, ..self }
    }

    pub(super) fn header(mut self, name: HeaderName, value: &str) -> Self {
        set(&mut self.response, name, value);
        self
    }
}

/// Sets a header; a value that no header can carry is left out.
pub(super) fn set(response: &mut Response<SecretBytes>, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(name, value);
    }
}

pub(super) fn with_body(
    status: StatusCode,
    kind: &'static str,
    body: String,
) -> Response<SecretBytes> {
    let mut response = Response::new(SecretBytes::new(body.into_bytes()));
    *response.status_mut() = status;
    if !kind.is_empty() {
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    }
    response
}

pub(super) fn empty(status: StatusCode) -> Response<SecretBytes> {
    with_body(status, "", String::new())
}

pub(super) const JSON: &str = "application/json;charset=UTF-8";

pub(super) fn json(status: StatusCode, body: &Value) -> Response<SecretBytes> {
    with_body(status, JSON, body.to_string())
}

/// An object with its members in the given order, and never in a cache: a token answer. The names
/// are plain words, which need no escapes.
pub(super) fn uncached_object(
    status: StatusCode,
    members: &[(&str, Value)],
) -> Response<SecretBytes> {
    let mut body = String::with_capacity(256);
    for (name, value) in members {
        let before = if body.is_empty() { '{' } else { ',' };
        body.extend([before, '"']);
        body.push_str(name);
        body.push_str("\":");
        body.push_str(&value.to_string());
    }
    body.push_str(if members.is_empty() { "{}" } else { "}" });
    let mut response = with_body(status, JSON, body);
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response.headers_mut().insert(PRAGMA, HeaderValue::from_static("no-cache"));
    response
}

/// An error of the resource server, without and with codes.
pub(super) fn message(status: StatusCode, text: &str) -> Response<SecretBytes> {
    json(status, &json!({ "message": text }))
}

pub(super) fn coded(status: StatusCode, code: &str, text: &str) -> Response<SecretBytes> {
    json(status, &json!({ "message": text, "errors": [{ "code": code, "message": text }] }))
}

/// An error whose body is not documented.
pub(super) fn undocumented(
    status: StatusCode,
    body: ErrorBody,
    text: &str,
) -> Response<SecretBytes> {
    match body {
        ErrorBody::Empty => empty(status),
        ErrorBody::Html => {
            with_body(status, "text/html", format!("<html><body><h1>{text}</h1></body></html>"))
        }
        ErrorBody::Message => message(status, text),
    }
}

pub(super) fn method_not_allowed(allow: &str) -> Response<SecretBytes> {
    let mut response = message(StatusCode::METHOD_NOT_ALLOWED, "method not allowed");
    set(&mut response, ALLOW, allow);
    response
}

/// What a page may have from elsewhere, each as sources of a content security policy.
#[derive(Debug, Default)]
pub(super) struct Sources {
    /// Where its forms may lead: a browser applies that rule to the redirect after a post as well.
    pub(super) form_targets: String,
    /// What it may show in a frame.
    pub(super) frames: String,
    /// Whether it has a script of this server, which asks this server.
    pub(super) has_script: bool,
    /// What it may show as an image.
    pub(super) images: String,
}

impl Sources {
    /// Allows the image at an address.
    pub(super) fn add_image(&mut self, url: &str) {
        self.images.push_str(&super::page::form_target(url));
    }
}

/// A page that nobody may frame, cache or learn the address of.
pub(super) fn page(status: StatusCode, html: String, sources: &Sources) -> Response<SecretBytes> {
    let mut response = with_body(status, "text/html; charset=utf-8", html);
    let directive = |name: &str, sources: &str| match sources {
        "" => String::new(),
        sources => format!(" {name}{sources};"),
    };
    let script = if sources.has_script { " script-src 'self'; connect-src 'self';" } else { "" };
    let policy = format!(
        "default-src 'none'; style-src 'self';{script}{}{} form-action 'self'{}; \
         base-uri 'none'; frame-ancestors 'none'",
        directive("img-src", &sources.images),
        directive("frame-src", &sources.frames),
        sources.form_targets,
    );
    set(&mut response, CONTENT_SECURITY_POLICY, &policy);
    protect(&mut response);
    response
}

/// A redirect of the browser by GET (RFC 9700 §4.12).
pub(super) fn see_other(location: &str) -> Response<SecretBytes> {
    let mut response = empty(StatusCode::SEE_OTHER);
    set(&mut response, LOCATION, location);
    protect(&mut response);
    response
}

fn protect(response: &mut Response<SecretBytes>) {
    set(response, CACHE_CONTROL, "no-store");
    set(response, REFERRER_POLICY, "no-referrer");
    set(response, X_CONTENT_TYPE_OPTIONS, "nosniff");
    set(response, X_FRAME_OPTIONS, "DENY");
}
