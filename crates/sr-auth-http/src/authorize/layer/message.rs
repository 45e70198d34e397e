//! Requests and answers, of whichever library.

use http::{HeaderMap, Request, Response, StatusCode};

/// A request that can be signed.
pub(super) trait Signable {
    fn headers_mut(&mut self) -> &mut HeaderMap;
}

/// An answer that says what it means for the token.
pub(super) trait Judged {
    fn status_and_headers(&self) -> (StatusCode, &HeaderMap);
}

impl<B> Signable for Request<B> {
    fn headers_mut(&mut self) -> &mut HeaderMap {
        self.headers_mut()
    }
}

impl<R> Judged for Response<R> {
    #[inline]
    fn status_and_headers(&self) -> (StatusCode, &HeaderMap) {
        (self.status(), self.headers())
    }
}

#[cfg(feature = "reqwest")]
impl Signable for reqwest::Request {
    fn headers_mut(&mut self) -> &mut HeaderMap {
        self.headers_mut()
    }
}

#[cfg(feature = "reqwest")]
impl Judged for reqwest::Response {
    #[inline]
    fn status_and_headers(&self) -> (StatusCode, &HeaderMap) {
        (self.status(), self.headers())
    }
}
