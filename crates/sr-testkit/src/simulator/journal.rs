//! What happened, without a secret in it.

use std::collections::VecDeque;

use sr_auth_core::Timestamp;

use super::fingerprint::Fingerprint;
use super::ledger::GrantId;

/// One request and what became of it.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct JournalEntry {
    /// When it arrived.
    pub at: Timestamp,
    /// The secret that it was made with, by name: a key, an access token, or at the token endpoint
    /// that of the client.
    pub credential: Option<Fingerprint>,
    /// The fault that was injected, by kind.
    pub fault: Option<&'static str>,
    /// The user's grant that a token was issued for.
    pub grant: Option<GrantId>,
    /// The grant type of a token request, if it is a known one.
    pub grant_type: Option<&'static str>,
    /// The refresh token that was issued, by name.
    pub issued: Option<Fingerprint>,
    /// The method, its first 32 bytes; `-` instead of one with a secret in it.
    pub method: http::Method,
    /// The path without the query, its first 256 characters; `/…` instead of one with a secret in it.
    pub path: String,
    /// The refresh token that was presented, by name.
    pub presented: Option<Fingerprint>,
    /// Why it was refused.
    pub reason: Option<&'static str>,
    /// Whether a secret of this simulator was in the URL or in the `Referer`.
    pub secret_in_url: bool,
    /// The status of the answer; `None` when the answer or the request was lost.
    pub status: Option<u16>,
    /// The `User-Agent`, its first 64 characters; `-` instead of one with a secret in it.
    pub user_agent: Option<String>,
}

/// The last requests.
#[derive(Debug)]
pub(super) struct Journal {
    dropped: u64,
    entries: VecDeque<JournalEntry>,
    limit: usize,
}

impl Default for Journal {
    fn default() -> Self {
        Self { dropped: 0, entries: VecDeque::new(), limit: Self::LIMIT }
    }
}

impl Journal {
    /// How many requests are kept, unless somebody sets another limit.
    const LIMIT: usize = 10_000;
    /// How much of a method is kept, in bytes.
    pub(super) const METHOD_LIMIT: usize = 32;
    /// How much of a path is kept, in characters.
    pub(super) const PATH_LIMIT: usize = 256;
    /// How much of a user agent is kept, in characters.
    pub(super) const USER_AGENT_LIMIT: usize = 64;

    pub(super) fn add(&mut self, entry: JournalEntry) {
        self.entries.push_back(entry);
        self.shorten();
    }

    /// Tells whether it keeps nothing: then nobody need look at a request for it.
    pub(super) const fn is_off(&self) -> bool {
        self.limit == 0
    }

    pub(super) fn set_limit(&mut self, limit: usize) {
        self.limit = limit;
        self.shorten();
    }

    fn shorten(&mut self) {
        while self.entries.len() > self.limit {
            self.entries.pop_front();
            self.dropped = self.dropped.saturating_add(1);
        }
    }

    pub(super) fn entries(&self) -> impl DoubleEndedIterator<Item = &JournalEntry> {
        self.entries.iter()
    }

    pub(super) const fn dropped(&self) -> u64 {
        self.dropped
    }

    pub(super) fn clear(&mut self) {
        self.entries.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(secs: u64) -> JournalEntry {
        JournalEntry {
            at: Timestamp::from_unix_secs(secs),
            credential: None,
            fault: None,
            grant: None,
            grant_type: None,
            issued: None,
            method: http::Method::GET,
            path: "/".to_owned(),
            presented: None,
            reason: None,
            secret_in_url: false,
            status: Some(200),
            user_agent: None,
        }
    }

    #[test]
    fn the_oldest_requests_make_room() {
        let mut journal = Journal::default();
        journal.set_limit(2);
        (0..3).for_each(|secs| journal.add(entry(secs)));
        assert_eq!(journal.entries().cloned().collect::<Vec<_>>(), [entry(1), entry(2)]);
        journal.set_limit(0);
        assert!(journal.is_off());
        assert_eq!((journal.entries().count(), journal.dropped()), (0, 3));
    }
}
