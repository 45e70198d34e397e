//! What browsers say about where a request comes from (Fetch Metadata), and who else says nothing.

use http::HeaderMap;
use http::header::{HeaderName, ORIGIN};
use sr_partner::consent::ConsentDisplayMode;

const SEC_FETCH_DEST: HeaderName = HeaderName::from_static("sec-fetch-dest");
const SEC_FETCH_MODE: HeaderName = HeaderName::from_static("sec-fetch-mode");
const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Tells whether a page may be shown: to a person, in a window, or in a frame where that is the mode.
pub(crate) fn may_see(headers: &HeaderMap, mode: ConsentDisplayMode) -> bool {
    let navigates = told(headers, &SEC_FETCH_MODE).is_none_or(|it| it == b"navigate");
    let shown = match told(headers, &SEC_FETCH_DEST) {
        None | Some(b"document") => true,
        Some(b"iframe") => mode == ConsentDisplayMode::Popup,
        Some(_) => false,
    };
    navigates && shown
}

/// Tells whether the page has a window of its own, as far as its browser says.
pub(crate) fn is_in_window(headers: &HeaderMap, mode: ConsentDisplayMode) -> bool {
    match told(headers, &SEC_FETCH_DEST) {
        None => mode == ConsentDisplayMode::Redirect,
        Some(it) => it == b"document",
    }
}

/// Tells whether a form comes from our own page.
///
/// The page forbids a referrer, so a browser writes `Origin: null` and tells the truth in
/// `Sec-Fetch-Site` alone; a browser that knows neither leaves it to the ticket.
pub(crate) fn is_from_us(headers: &HeaderMap, own_origin: &str) -> bool {
    let site = told(headers, &SEC_FETCH_SITE);
    let mut origins = headers.get_all(ORIGIN).iter();
    let origins_agree = origins.all(|origin| match origin.as_bytes() {
        b"null" => site == Some(b"same-origin"),
        origin => origin == own_origin.as_bytes(),
    });
    site.is_none_or(|it| it == b"same-origin") && origins_agree
}

fn told<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a [u8]> {
    headers.get(name).map(http::HeaderValue::as_bytes)
}
