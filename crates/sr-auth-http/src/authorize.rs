//! Rules of those that sign requests for others: what is signed, and what an answer means. The tower
//! layer and the reqwest middleware only carry them out.

#[cfg(feature = "tower")]
mod layer;
#[cfg(feature = "reqwest-middleware")]
mod middleware;
mod pace;

#[cfg(feature = "tower")]
pub use layer::{Authorize, AuthorizeError, AuthorizeFuture, AuthorizeLayer, Once, Replaying};
#[cfg(feature = "reqwest-middleware")]
pub use middleware::AuthorizeMiddleware;

#[cfg(feature = "reqwest-middleware")]
use std::sync::Arc;

use http::{Extensions, HeaderMap, Method, StatusCode};
use sr_auth_core::{ApiOrigin, Authorization, Fingerprint};

#[cfg(feature = "tower")]
use crate::runtime::Recent;
use crate::{Clock, TokenSource};
use pace::Pace;

/// Marks a request that gets no credential: one to a public endpoint. Put it into the extensions of
/// the request.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "a mark")]
pub struct Public;

/// Marks a request that may be sent once more after a 401. GET, HEAD and OPTIONS need no mark. Put it
/// into the extensions of the request.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "a mark")]
pub struct Replayable;

/// What is signed with what, and how far it goes.
#[derive(Clone, Debug)]
struct Rules {
    clock: Clock,
    origin: ApiOrigin,
    pace: Option<Pace>,
    replays: bool,
    source: TokenSource,
}

/// What an answer means for the request.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Verdict {
    /// It is the caller's.
    Done,
    /// The token was refused, and reported: another one may do better.
    Refused,
}

impl Rules {
    fn new(origin: ApiOrigin, source: TokenSource) -> Self {
        Self { clock: Clock::system(), origin, pace: None, replays: false, source }
    }

    /// Tells whether a request of reqwest goes to the API.
    #[cfg(feature = "reqwest")]
    fn is_api(&self, url: &reqwest::Url) -> bool {
        // Nearly all are spelled as the origin is.
        self.origin.begins(url.as_str()) || {
            let has_user = !url.username().is_empty() || url.password().is_some();
            let is_it = |host| !has_user && self.origin.is(url.scheme(), host, url.port());
            url.host_str().is_some_and(is_it)
        }
    }

    /// Tells whether a request to the API may carry the credential.
    #[inline]
    fn signs(is_api: bool, extensions: &Extensions) -> bool {
        is_api && extensions.get::<Public>().is_none()
    }

    /// Tells whether a request may be sent once more after a 401.
    fn may_repeat(&self, method: &Method, extensions: &Extensions) -> bool {
        self.replays && (method.is_safe() || extensions.get::<Replayable>().is_some())
    }

    /// Takes in the answer to a request that was signed with a token.
    #[inline]
    fn judge(
        &self,
        endpoint: Endpoint,
        sent: Option<Fingerprint>,
        status: StatusCode,
        headers: &HeaderMap,
    ) -> Verdict {
        // Nearly all answers say nothing that has to be known.
        if self.pace.is_none() && status != StatusCode::UNAUTHORIZED {
            return Verdict::Done;
        }
        self.judge_closely(endpoint, sent, status, headers)
    }

    #[cold]
    #[inline(never)]
    fn judge_closely(
        &self,
        endpoint: Endpoint,
        sent: Option<Fingerprint>,
        status: StatusCode,
        headers: &HeaderMap,
    ) -> Verdict {
        if let Some(pace) = &self.pace {
            pace.learn(endpoint, self.clock.now(), status, headers);
        }
        match sent {
            // A 403 is about what the credential may do: another token could do no more.
            Some(fingerprint) if status == StatusCode::UNAUTHORIZED => {
                self.source.rejected(fingerprint);
                Verdict::Refused
            }
            Some(_) | None => Verdict::Done,
        }
    }

    /// Waits until the pace allows a request.
    async fn keep_pace(&self, endpoint: Endpoint) {
        if let Some(pace) = &self.pace {
            let turn = pace.turn(endpoint, self.clock.now());
            self.clock.sleep_until(turn).await;
        }
    }

    /// Names the endpoint of a request; only the pace asks which it is.
    #[inline]
    fn endpoint<'a>(&self, method: &Method, path: impl FnOnce() -> &'a str) -> Endpoint {
        self.pace.as_ref().map_or(Endpoint::ANY, |_| Endpoint::of(method, path()))
    }

    /// Returns the header, if one is sent, when neither it nor the pace makes the request wait.
    #[cfg(feature = "reqwest-middleware")]
    fn at_hand(&self, endpoint: Endpoint) -> Option<Option<Arc<Authorization>>> {
        if self.holds(endpoint) { None } else { self.source.signature_at_hand() }
    }

    /// As [`at_hand`](Self::at_hand), for one that remembers what it sent last.
    #[cfg(feature = "tower")]
    #[inline]
    fn again_at_hand<'a>(
        &'a self,
        endpoint: Endpoint,
        recent: &'a mut Option<Recent>,
    ) -> Option<Option<&'a Authorization>> {
        if self.holds(endpoint) { None } else { self.source.signature_again(recent) }
    }

    /// Tells whether the pace makes a request wait.
    #[inline]
    fn holds(&self, endpoint: Endpoint) -> bool {
        self.pace.as_ref().is_some_and(|it| it.holds(endpoint, self.clock.now()))
    }
}

/// Puts the header into a request; returns what a 401 is reported with.
#[inline]
fn sign(headers: &mut HeaderMap, signature: Option<&Authorization>) -> Option<Fingerprint> {
    let signature = signature?;
    signature.apply_to(headers);
    signature.fingerprint()
}

/// Names an endpoint as far as the pace tells them apart: by method and the first part of the path.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Endpoint(u8);

impl Endpoint {
    /// One of which nobody asks which it is.
    const ANY: Self = Self(0);

    fn of(method: &Method, path: &str) -> Self {
        let first = path.trim_start_matches('/').split('/').next().unwrap_or_default();
        let bytes = method.as_str().bytes().chain(first.bytes());
        // FNV-1a, folded: equal names are equal numbers, and few different ones are.
        let hash = bytes
            .fold(0x811c_9dc5_u32, |hash, it| (hash ^ u32::from(it)).wrapping_mul(0x0100_0193));
        Self((hash >> 24 ^ hash) as u8)
    }
}

#[cfg(test)]
mod tests {
    use sr_auth_core::{ApiKey, Endpoints, Secret};

    use super::*;

    #[test]
    fn only_the_api_gets_the_credential_and_public_requests_do_not() {
        let mut public = Extensions::new();
        public.insert(Public);
        let cases = [
            ("to the API", true, &Extensions::new(), true),
            ("elsewhere", false, &Extensions::new(), false),
            ("public", true, &public, false),
            ("public elsewhere", false, &public, false),
        ];
        for (name, is_api, extensions, expected) in cases {
            assert_eq!(Rules::signs(is_api, extensions), expected, "{name}");
        }
    }

    #[test]
    fn only_what_may_be_repeated_is_and_only_when_asked_for() {
        let mut marked = Extensions::new();
        marked.insert(Replayable);
        let none = Extensions::new();
        let cases = [
            ("a GET", true, Method::GET, &none, true),
            ("a POST", true, Method::POST, &none, false),
            ("a marked POST", true, Method::POST, &marked, true),
            ("a PUT", true, Method::PUT, &none, false),
            ("a GET, not asked for", false, Method::GET, &none, false),
            ("a marked POST, not asked for", false, Method::POST, &marked, false),
        ];
        for (name, replays, method, extensions, expected) in cases {
            let rules = Rules { replays, ..rules() };
            assert_eq!(rules.may_repeat(&method, extensions), expected, "{name}");
        }
    }

    #[test]
    fn only_a_401_to_a_token_is_a_refusal() {
        let token = Some(Fingerprint::from_bytes([7; 16]));
        let cases = [
            ("200", 200, token, Verdict::Done),
            ("401", 401, token, Verdict::Refused),
            ("401 to a key", 401, None, Verdict::Done),
            ("403", 403, token, Verdict::Done),
            ("429", 429, token, Verdict::Done),
            ("302", 302, token, Verdict::Done),
        ];
        for (name, status, sent, expected) in cases {
            let status = StatusCode::from_u16(status).expect("a status");
            let endpoint = Endpoint::of(&Method::GET, "/jobs");
            assert_eq!(
                rules().judge(endpoint, sent, status, &HeaderMap::new()),
                expected,
                "{name}"
            );
        }
    }

    #[test]
    fn endpoints_are_told_apart_by_method_and_first_part() {
        let of = |method, path| Endpoint::of(&method, path);
        assert_eq!(of(Method::GET, "/jobs/1/notes"), of(Method::GET, "/jobs"));
        assert_ne!(of(Method::GET, "/jobs"), of(Method::POST, "/jobs"));
        assert_ne!(of(Method::GET, "/jobs"), of(Method::GET, "/candidates"));
    }

    fn rules() -> Rules {
        let key = ApiKey::new(Secret::new("7cb555e318b3f847".to_owned())).expect("a key");
        Rules::new(Endpoints::production().api().clone(), TokenSource::api_key(key))
    }
}
