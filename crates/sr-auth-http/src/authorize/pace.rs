//! Keeps to the rate limits that the API names, and backs off when it says 429.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use http::{HeaderMap, StatusCode};
use sr_auth_core::Timestamp;
use sr_auth_core::wire::rate_limit::RateLimit;
use sr_auth_core::wire::retry_after;

use super::Endpoint;

/// When the next request to each endpoint may go. Endpoints are few; two may share a place, and then
/// share their pace.
#[derive(Clone, Debug)]
pub(super) struct Pace(Arc<[Place; 256]>);

#[derive(Debug, Default)]
struct Place {
    /// Milliseconds of the clock; zero while nothing holds.
    next_at: AtomicU64,
    /// How many 429 in a row.
    refusals: AtomicU64,
    /// Milliseconds between two requests while they are held; zero until the API has named a limit.
    spacing: AtomicU64,
}

impl Pace {
    /// What the API counts in.
    const WINDOW: Duration = Duration::from_secs(1);

    /// The longest pause after answers 429 that name none.
    const LONGEST: Duration = Duration::from_secs(32);

    /// Between two requests, where no limit was named: ten a second, as for most endpoints.
    const SPACING: u64 = 100;

    pub(super) fn new() -> Self {
        Self(Arc::new(std::array::from_fn(|_| Place::default())))
    }

    /// Takes in what an answer says about its endpoint.
    pub(super) fn learn(
        &self,
        endpoint: Endpoint,
        now: Timestamp,
        status: StatusCode,
        headers: &HeaderMap,
    ) {
        let place = self.place(endpoint);
        let limit = RateLimit::read(headers);
        if let Some(limit) = limit.limit.filter(|it| *it > 0) {
            place.spacing.store((1_000 / u64::from(limit)).max(1), Ordering::Relaxed);
        }
        let pause = if status == StatusCode::TOO_MANY_REQUESTS {
            let refusals = place.refusals.fetch_add(1, Ordering::Relaxed).min(5);
            let own = Self::WINDOW * (1 << refusals);
            retry_after::read(headers, now).unwrap_or_else(|| own.min(Self::LONGEST))
        } else {
            place.refusals.store(0, Ordering::Relaxed);
            match (limit.remaining, limit.concurrent_remaining) {
                (Some(0), _) => Self::WINDOW,
                // One of those that run will be done soon.
                (_, Some(0)) => Duration::from_millis(place.spacing()),
                _ => return,
            }
        };
        place.next_at.fetch_max(now.after(pause).as_unix_millis(), Ordering::Relaxed);
    }

    /// Tells whether a request has to wait.
    pub(super) fn holds(&self, endpoint: Endpoint, now: Timestamp) -> bool {
        self.place(endpoint).next_at.load(Ordering::Relaxed) > now.as_unix_millis()
    }

    /// Returns when a request may go, and takes that turn. Those that are held go one after the other.
    pub(super) fn turn(&self, endpoint: Endpoint, now: Timestamp) -> Timestamp {
        let place = self.place(endpoint);
        let later =
            |at: u64| (at > now.as_unix_millis()).then(|| at.saturating_add(place.spacing()));
        let (order, next_at) = (Ordering::Relaxed, &place.next_at);
        next_at.fetch_update(order, order, later).map_or(now, Timestamp::from_unix_millis)
    }

    fn place(&self, endpoint: Endpoint) -> &Place {
        let place = self.0.get(usize::from(endpoint.0));
        place.expect("there are as many places as numbers of endpoints")
    }
}

impl Place {
    fn spacing(&self) -> u64 {
        match self.spacing.load(Ordering::Relaxed) {
            0 => Pace::SPACING,
            spacing => spacing,
        }
    }
}

#[cfg(test)]
mod tests {
    use http::{HeaderName, HeaderValue, Method};

    use super::*;

    const NOW: Timestamp = Timestamp::from_unix_secs(1_000);

    #[test]
    fn an_answer_says_when_the_next_request_may_go() {
        let cases: [(&str, u16, &[(&str, &str)], u64); 8] = [
            ("nothing said", 200, &[], 0),
            ("some left", 200, &[("x-ratelimit-remaining", "3")], 0),
            ("none left", 200, &[("x-ratelimit-remaining", "0")], 1_000),
            ("none left at once", 200, &[("x-ratelimit-concurrent-remaining", "0")], 100),
            (
                "none left at once, of twenty a second",
                200,
                &[("x-ratelimit-limit", "20"), ("x-ratelimit-concurrent-remaining", "0")],
                50,
            ),
            ("too many", 429, &[], 1_000),
            ("too many, and how long", 429, &[("retry-after", "7")], 7_000),
            ("no number", 200, &[("x-ratelimit-remaining", "none")], 0),
        ];
        for (name, status, headers, held) in cases {
            let (pace, endpoint) = (Pace::new(), Endpoint::of(&Method::GET, "/jobs"));
            learn(&pace, status, headers);
            let turn = pace.turn(endpoint, NOW);
            assert_eq!(turn.since(NOW), Duration::from_millis(held), "{name}");
            let other = Endpoint::of(&Method::GET, "/candidates");
            assert_eq!(pace.turn(other, NOW), NOW, "{name}: another endpoint");
        }
    }

    #[test]
    fn those_that_are_held_go_one_after_the_other() {
        let (pace, endpoint) = (Pace::new(), Endpoint::of(&Method::GET, "/jobs"));
        learn(&pace, 200, &[("x-ratelimit-limit", "4"), ("x-ratelimit-remaining", "0")]);
        let turns: Vec<_> = (0..3).map(|_| pace.turn(endpoint, NOW).since(NOW)).collect();
        assert_eq!(turns, [1_000, 1_250, 1_500].map(Duration::from_millis));
        let later = NOW.after(Duration::from_secs(5));
        assert_eq!(pace.turn(endpoint, later), later);
    }

    #[test]
    fn refusals_in_a_row_are_answered_with_longer_pauses() {
        let (pace, endpoint) = (Pace::new(), Endpoint::of(&Method::GET, "/jobs"));
        let mut pauses = Vec::new();
        for _ in 0..7 {
            learn(&pace, 429, &[]);
            let next_at = pace.place(endpoint).next_at.load(Ordering::Relaxed);
            pauses.push(Timestamp::from_unix_millis(next_at).since(NOW).as_secs());
        }
        assert_eq!(pauses, [1, 2, 4, 8, 16, 32, 32]);
        learn(&pace, 200, &[]);
        assert_eq!(pace.place(endpoint).refusals.load(Ordering::Relaxed), 0);
    }

    fn learn(pace: &Pace, status: u16, headers: &[(&str, &str)]) {
        let of = |(name, value): &(&str, &str)| {
            let name = HeaderName::from_bytes(name.as_bytes()).expect("a name");
            (name, HeaderValue::from_str(value).expect("a value"))
        };
        let status = StatusCode::from_u16(status).expect("a status");
        let endpoint = Endpoint::of(&Method::GET, "/jobs");
        pace.learn(endpoint, NOW, status, &headers.iter().map(of).collect());
    }
}
