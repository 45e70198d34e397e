//! How often token requests were refused lately: a table of bounded size.

use std::collections::{BTreeMap, BTreeSet};

use sr_auth_core::Timestamp;

use super::part::{CountedRefusals, RefusedParty};
use crate::ClientKey;
use crate::store::operation::{AttemptLimits, SourceKey};

#[derive(Clone, Debug, Default)]
pub(super) struct Refusals {
    by_end: BTreeSet<(Timestamp, RefusedParty)>,
    /// How many more there are in a store of which this is a part.
    others: usize,
    windows: BTreeMap<RefusedParty, Window>,
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

    pub(super) fn put(
        &mut self,
        refusals: impl IntoIterator<Item = CountedRefusals>,
        others: usize,
    ) {
        for CountedRefusals { count, ends_at, of } in refusals {
            if let Some(old) = self.windows.insert(of, Window { count, ends_at }) {
                self.by_end.remove(&(old.ends_at, of));
            }
            self.by_end.insert((ends_at, of));
        }
        self.others = others;
    }

    pub(super) fn counted(&self) -> Vec<CountedRefusals> {
        let windows = self.windows.iter();
        windows
            .map(|(of, it)| CountedRefusals { count: it.count, ends_at: it.ends_at, of: *of })
            .collect()
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
        let of_client = until(RefusedParty::Client(client), limits.per_client());
        let of_source = source.and_then(|it| until(RefusedParty::Source(it), limits.per_source()));
        of_client.max(of_source)
    }

    pub(super) fn count(
        &mut self,
        now: Timestamp,
        client: ClientKey,
        source: Option<SourceKey>,
        limits: AttemptLimits,
    ) {
        self.add(now, RefusedParty::Client(client), limits);
        source.into_iter().for_each(|it| self.add(now, RefusedParty::Source(it), limits));
    }

    fn add(&mut self, now: Timestamp, counted: RefusedParty, limits: AttemptLimits) {
        if let Some(window) = self.windows.get_mut(&counted) {
            if now < window.ends_at {
                window.count = window.count.saturating_add(1);
                return;
            }
            self.by_end.remove(&(window.ends_at, counted));
        } else if self.windows.len().saturating_add(self.others) >= Self::LIMIT {
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
