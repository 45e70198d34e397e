//! Answers to browsers: a page or a redirect, with the headers that keep it where it belongs.

use axum::body::Body;
use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName, HeaderValue, LOCATION,
    REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use http::{Response, StatusCode};
use sr_partner::consent::{ConsentDisplayMode, RedirectOrigins};

/// Returns a page.
pub(crate) fn page(
    status: StatusCode,
    html: String,
    mode: ConsentDisplayMode,
    origins: &RedirectOrigins,
) -> Response<Body> {
    let mut response = plain(status, Body::from(html), mode, origins);
    insert(&mut response, CONTENT_TYPE, "text/html; charset=utf-8");
    response
}

/// Returns a redirect to a page of the application itself, or `None` when that is no address.
pub(crate) fn see_other(
    to: &str,
    mode: ConsentDisplayMode,
    origins: &RedirectOrigins,
) -> Option<Response<Body>> {
    let location = HeaderValue::from_str(to).ok()?;
    let mut response = plain(StatusCode::SEE_OTHER, Body::empty(), mode, origins);
    response.headers_mut().insert(LOCATION, location);
    Some(response)
}

/// Adds what every answer to a browser has.
pub(crate) fn guarded(
    mut response: Response<Body>,
    mode: ConsentDisplayMode,
    origins: &RedirectOrigins,
) -> Response<Body> {
    insert(&mut response, CACHE_CONTROL, "no-store");
    insert(&mut response, REFERRER_POLICY, "no-referrer");
    insert(&mut response, X_CONTENT_TYPE_OPTIONS, "nosniff");
    let listed: Vec<&str> = origins.iter().collect();
    let listed = listed.join(" ");
    let (frames, forms) = match mode {
        ConsentDisplayMode::Popup => (listed.as_str(), String::new()),
        // The answer to the form leads there, which some browsers judge by the same list.
        ConsentDisplayMode::Redirect => ("'none'", format!(" {listed}")),
    };
    let policy = format!(
        "default-src 'none'; style-src 'self'; img-src data:; form-action 'self'{forms}; \
         base-uri 'none'; frame-ancestors {frames}"
    );
    let policy = HeaderValue::from_str(&policy).expect("origins are visible ASCII");
    response.headers_mut().insert(CONTENT_SECURITY_POLICY, policy);
    if mode == ConsentDisplayMode::Redirect {
        insert(&mut response, X_FRAME_OPTIONS, "DENY");
    }
    response
}

fn plain(
    status: StatusCode,
    body: Body,
    mode: ConsentDisplayMode,
    origins: &RedirectOrigins,
) -> Response<Body> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    guarded(response, mode, origins)
}

fn insert(response: &mut Response<Body>, name: HeaderName, value: &'static str) {
    response.headers_mut().insert(name, HeaderValue::from_static(value));
}
