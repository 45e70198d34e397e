//! Requests per second and at a time, per endpoint and credential.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue};
use sr_auth_core::Timestamp;

use super::fingerprint::Lookup;

/// What an endpoint allows each credential.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Limit {
    pub(super) at_a_time: u32,
    pub(super) per_second: u32,
}

impl Limit {
    /// Most endpoints.
    pub(super) const USUAL: Self = Self { at_a_time: 8, per_second: 10 };
    /// `POST` and `DELETE /jobs/{id}/publication`.
    pub(super) const PUBLICATION: Self = Self { at_a_time: 8, per_second: 2 };
    /// `GET /candidates`.
    pub(super) const ONE_AT_A_TIME: Self = Self { at_a_time: 1, per_second: 10 };
}

/// Who calls what.
pub(super) type Caller = (Lookup, &'static str);

/// The place that a request takes up until it is answered.
///
/// Give it back with [`Simulator::end`](super::Simulator::end); it cannot be copied.
#[derive(Debug)]
#[must_use = "the place is taken until it is given back"]
pub struct Slot(Option<Caller>);

impl Slot {
    pub(super) const fn none() -> Self {
        Self(None)
    }
}

/// What is left of a budget after a request was counted, or refused.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Budget {
    limit: Limit,
    left: u32,
    left_at_a_time: u32,
}

impl Budget {
    pub(super) const fn untouched(limit: Limit) -> Self {
        Self { limit, left: limit.per_second, left_at_a_time: limit.at_a_time }
    }

    /// Writes the four documented headers.
    pub(super) fn write_to(self, headers: &mut HeaderMap) {
        let pairs = [
            ("x-ratelimit-limit", self.limit.per_second),
            ("x-ratelimit-remaining", self.left),
            ("x-ratelimit-concurrent-limit", self.limit.at_a_time),
            ("x-ratelimit-concurrent-remaining", self.left_at_a_time),
        ];
        for (name, value) in pairs {
            headers.insert(HeaderName::from_static(name), HeaderValue::from(value));
        }
    }
}

/// The requests of the last second, and those under way.
#[derive(Debug)]
pub(super) struct RateLimits {
    forgotten_at: Timestamp,
    recent: BTreeMap<Caller, VecDeque<Timestamp>>,
    under_way: BTreeMap<Caller, u32>,
}

impl Default for RateLimits {
    fn default() -> Self {
        let forgotten_at = Timestamp::from_unix_millis(0);
        Self { forgotten_at, recent: BTreeMap::new(), under_way: BTreeMap::new() }
    }
}

impl RateLimits {
    const WINDOW: Duration = Duration::from_secs(1);

    /// Counts a request, unless it is one too many.
    pub(super) fn take(
        &mut self,
        now: Timestamp,
        caller: Caller,
        limit: Limit,
    ) -> Result<(Budget, Slot), Budget> {
        self.forget(now);
        let recent = self.recent.entry(caller).or_default();
        recent.retain(|at| is_recent(now, *at));
        let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        let used = count(recent.len());
        let busy = self.under_way.get(&caller).copied().unwrap_or(0);
        let left = limit.per_second.saturating_sub(used);
        let left_at_a_time = limit.at_a_time.saturating_sub(busy);
        if left == 0 || left_at_a_time == 0 {
            return Err(Budget { limit, left, left_at_a_time });
        }
        recent.push_back(now);
        self.under_way.insert(caller, busy + 1);
        let budget = Budget { limit, left: left - 1, left_at_a_time: left_at_a_time - 1 };
        Ok((budget, Slot(Some(caller))))
    }

    /// Gives the place of a request back.
    pub(super) fn give_back(&mut self, slot: Slot) {
        let Slot(Some(caller)) = slot else { return };
        let busy = self.under_way.remove(&caller).unwrap_or(0);
        if busy > 1 {
            self.under_way.insert(caller, busy - 1);
        }
    }

    /// Forgets callers who were silent, once in a window.
    fn forget(&mut self, now: Timestamp) {
        if is_recent(now, self.forgotten_at) {
            return;
        }
        self.forgotten_at = now;
        self.recent.retain(|_, times| times.iter().any(|at| is_recent(now, *at)));
    }
}

/// Tells whether a moment lies in the window that ends now; what a clock that was set back left in
/// the future does not.
fn is_recent(now: Timestamp, at: Timestamp) -> bool {
    at <= now && now.since(at) < RateLimits::WINDOW
}
