//! Whether a browser sends a request for a page of another site.

use http::header::{HOST, HeaderName, ORIGIN};
use http::{HeaderMap, Method, request};
use sr_auth_core::Endpoints;

use crate::simulator::PAGES;

/// The header in which browsers tell whether a page of another site asks.
const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Tells whether a browser says that its user did not start this on a page of this server; programs
/// say nothing.
pub(super) fn is_foreign(headers: &HeaderMap) -> bool {
    let site = headers.get(SEC_FETCH_SITE).map(http::HeaderValue::as_bytes);
    !matches!(site, None | Some(b"same-origin" | b"none"))
}

/// Tells whether a request is a form of a page of ours that is posted from elsewhere.
///
/// The pages forbid a referrer, so a browser that posts a form writes `Origin: null` and tells
/// the truth in `Sec-Fetch-Site` alone.
pub(super) fn posts_form(head: &request::Parts) -> bool {
    let path = head.uri.path();
    let is_form = path == Endpoints::AUTHORIZATION_PATH || path.starts_with(PAGES);
    if head.method != Method::POST || !is_form {
        return false;
    }
    let same_origin = head.headers.get(SEC_FETCH_SITE).is_some_and(|it| it == "same-origin");
    let own = head.headers.get(HOST).map(|host| [b"http://", host.as_bytes()].concat());
    let mut origins = head.headers.get_all(ORIGIN).iter();
    let foreign_origin = origins.any(|origin| match origin.as_bytes() {
        b"null" => !same_origin,
        origin => own.as_deref() != Some(origin),
    });
    is_foreign(&head.headers) || foreign_origin
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_posted_from_its_own_page_or_by_a_program() {
        let cases = [
            ("a program", &[][..], false),
            ("a browser of today", &[("origin", "null"), ("sec-fetch-site", "same-origin")], false),
            ("a browser that tells the origin", &[("origin", "http://127.0.0.1:8700")], false),
            (
                "both",
                &[("origin", "http://127.0.0.1:8700"), ("sec-fetch-site", "same-origin")],
                false,
            ),
            ("another site", &[("sec-fetch-site", "cross-site")], true),
            ("another site, hidden", &[("origin", "null"), ("sec-fetch-site", "cross-site")], true),
            ("another port", &[("sec-fetch-site", "same-site")], true),
            ("another origin", &[("origin", "https://evil.example")], true),
            ("another port by its origin", &[("origin", "http://127.0.0.1:9000")], true),
            ("another scheme", &[("origin", "https://127.0.0.1:8700")], true),
            ("no origin to speak of", &[("origin", "null")], true),
            (
                "two origins",
                &[("origin", "http://127.0.0.1:8700"), ("origin", "https://evil.example")],
                true,
            ),
        ];
        for (name, headers, foreign) in cases {
            for path in [Endpoints::AUTHORIZATION_PATH, "/pages/credentials"] {
                let mut request = http::Request::post(path).header("host", "127.0.0.1:8700");
                for (name, value) in headers {
                    request = request.header(*name, *value);
                }
                let (mut head, ()) = request.body(()).unwrap().into_parts();
                assert_eq!(posts_form(&head), foreign, "{name}");
                head.method = Method::GET;
                assert!(!posts_form(&head), "a link may lead here from anywhere: {name}");
            }
        }
    }
}
