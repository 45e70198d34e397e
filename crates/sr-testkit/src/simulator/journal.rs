//! What happened, without a secret in it.

use std::collections::VecDeque;

use sr_auth_core::Timestamp;

use super::fingerprint::Fingerprint;

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
    /// The grant type of a token request, if it is a known one.
    pub grant_type: Option<&'static str>,
    /// The method, its first 32 bytes; `-` instead of one with a secret in it.
    pub method: http::Method,
    /// The path without the query, its first 256 characters; `/…` instead of one with a secret in it.
    pub path: String,
    /// Why it was refused.
    pub reason: Option<&'static str>,
    /// Whether a secret of this simulator was in the URL or in the `Referer`.
    pub secret_in_url: bool,
    /// The status of the answer; `None` when the answer or the request was lost.
    pub status: Option<u16>,
}

/// The last requests.
#[derive(Debug, Default)]
pub(super) struct Journal {
    dropped: u64,
    entries: VecDeque<JournalEntry>,
}

impl Journal {
    /// How many requests are kept.
    const CAPACITY: usize = 10_000;
    /// How much of a method is kept, in bytes.
    pub(super) const METHOD_LIMIT: usize = 32;
    /// How much of a path is kept, in characters.
    pub(super) const PATH_LIMIT: usize = 256;

    pub(super) fn add(&mut self, entry: JournalEntry) {
        if self.entries.len() >= Self::CAPACITY {
            self.entries.pop_front();
            self.dropped = self.dropped.saturating_add(1);
        }
        self.entries.push_back(entry);
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
