//! How often token requests were refused lately: a table of bounded size.

use std::collections::{BTreeMap, BTreeSet};

use sr_auth_core::Timestamp;

use crate::ClientKey;
use crate::store::operation::{AttemptLimits, SourceKey};

#[derive(Clone, Debug, Default)]
pub(super) struct Refusals {
    by_end: BTreeSet<(Timestamp, Counted)>,
    windows: BTreeMap<Counted, Window>,
}

#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
enum Counted {
    Client(ClientKey),
    Source(SourceKey),
}

#[derive(Clone, Copy, Debug)]
struct Window {
    count: u32,
    ends_at: Timestamp,
}

impl Refusals {
    pub(super) const LIMIT: usize = 4_096;

    pub(super) fn len(&self) -> usize {
        self.windows.len()
    }

    pub(super) fn throttled_until(
        &self,
        now: Timestamp,
        client: ClientKey,
        source: Option<SourceKey>,
        limits: AttemptLimits,
    ) -> Option<Timestamp> {
        let until = |counted, limit| {
            let window = self.windows.get(&counted).filter(|it| now < it.ends_at)?;
            (window.count >= limit).then_some(window.ends_at)
        };
        let of_client = until(Counted::Client(client), limits.per_client());
        let of_source = source.and_then(|it| until(Counted::Source(it), limits.per_source()));
        of_client.max(of_source)
    }

    pub(super) fn count(
        &mut self,
        now: Timestamp,
        client: ClientKey,
        source: Option<SourceKey>,
        limits: AttemptLimits,
    ) {
        self.add(now, Counted::Client(client), limits);
        source.into_iter().for_each(|it| self.add(now, Counted::Source(it), limits));
    }

    fn add(&mut self, now: Timestamp, counted: Counted, limits: AttemptLimits) {
        if let Some(window) = self.windows.get_mut(&counted) {
            if now < window.ends_at {
                window.count = window.count.saturating_add(1);
                return;
            }
            self.by_end.remove(&(window.ends_at, counted));
        } else if self.windows.len() >= Self::LIMIT {
            // The one that is over first counts least.
            let over = self.by_end.pop_first();
            if let Some((_, counted)) = over {
                self.windows.remove(&counted);
            }
        }
        let ends_at = now.after(limits.window());
        self.windows.insert(counted, Window { count: 1, ends_at });
        self.by_end.insert((ends_at, counted));
    }
}
