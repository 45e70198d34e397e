//! The `X-RateLimit-*` headers of every answer of the resource API.

use http::HeaderMap;

/// What one credential may still do at one endpoint, as of the answer.
///
/// Counted for each credential and endpoint: ten requests a second and eight at once for most.
/// The service names no moment of reset.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct RateLimit {
    /// Requests at the same time (`X-RateLimit-Concurrent-Limit`).
    pub concurrent_limit: Option<u32>,
    /// How many more may run now (`X-RateLimit-Concurrent-Remaining`).
    pub concurrent_remaining: Option<u32>,
    /// Requests a second (`X-RateLimit-Limit`).
    pub limit: Option<u32>,
    /// How many more may be sent in this second (`X-RateLimit-Remaining`).
    pub remaining: Option<u32>,
}

impl RateLimit {
    /// Reads the headers; one that is missing or no number is `None`.
    #[must_use]
    pub fn read(headers: &HeaderMap) -> Self {
        let number = |name: &str| headers.get(name)?.to_str().ok()?.trim().parse().ok();
        Self {
            concurrent_limit: number("x-ratelimit-concurrent-limit"),
            concurrent_remaining: number("x-ratelimit-concurrent-remaining"),
            limit: number("x-ratelimit-limit"),
            remaining: number("x-ratelimit-remaining"),
        }
    }
}
