//! The entries by key, in shards, each behind a lock that readers share.

use std::hash::{BuildHasher as _, RandomState};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use hashbrown::HashTable;
use sr_auth_core::store::GrantKey;

use super::Entry;

/// Finds entries. Keys come from outside, so the hash has a random key of its own.
#[derive(Debug)]
pub(super) struct Index {
    hasher: RandomState,
    len: AtomicUsize,
    shards: Box<[Shard]>,
    /// With so many entries, those that nobody uses are looked for.
    sweep_at: AtomicUsize,
}

type Shard = RwLock<HashTable<Arc<Entry>>>;

impl Index {
    const SHARDS: usize = 64;

    /// As many entries are never swept.
    const FEW: usize = 1_024;

    pub(super) fn new(many: bool) -> Self {
        let shards = if many { Self::SHARDS } else { 1 };
        Self {
            hasher: RandomState::new(),
            len: AtomicUsize::new(0),
            shards: (0..shards).map(|_| Shard::default()).collect(),
            sweep_at: AtomicUsize::new(Self::FEW),
        }
    }

    pub(super) fn find(&self, key: &GrantKey) -> Option<Arc<Entry>> {
        let (hash, shard) = self.place(key);
        read(shard).find(hash, |it| it.key() == key).cloned()
    }

    /// Returns the entry of a key, a new one if need be, and whether a sweep is due.
    pub(super) fn entry(&self, key: &GrantKey, application: u32) -> (Arc<Entry>, bool) {
        if let Some(entry) = self.find(key) {
            return (entry, false);
        }
        let (hash, shard) = self.place(key);
        let mut shard = write(shard);
        if let Some(entry) = shard.find(hash, |it| it.key() == key) {
            return (Arc::clone(entry), false);
        }
        let entry = Arc::new(Entry::new(key.clone(), application));
        shard.insert_unique(hash, Arc::clone(&entry), |it| self.hash(it.key()));
        let len = self.len.fetch_add(1, Ordering::Relaxed) + 1;
        (entry, len == self.sweep_at.load(Ordering::Relaxed))
    }

    /// Drops the entry of a key, unless somebody holds it; returns the place of its application.
    pub(super) fn drop_unused(&self, key: &GrantKey) -> Option<u32> {
        let (hash, shard) = self.place(key);
        let is_unused = |it: &Arc<Entry>| it.key() == key && Arc::strong_count(it) == 1;
        let (entry, _) = write(shard).find_entry(hash, is_unused).ok()?.remove();
        self.len.fetch_sub(1, Ordering::Relaxed);
        entry.application()
    }

    /// Drops the entries that nobody holds and that are of no use; returns the places of their
    /// applications.
    pub(super) fn sweep(&self, is_of_use: impl Fn(&Entry) -> bool) -> Vec<u32> {
        let mut places = Vec::new();
        for shard in &self.shards {
            let mut shard = write(shard);
            let before = shard.len();
            shard.retain(|it| {
                // Both are asked: an entry that is held may have something to drop.
                let stays = is_of_use(it) | (Arc::strong_count(it) > 1);
                places.extend(it.application().filter(|_| !stays));
                stays
            });
            self.len.fetch_sub(before - shard.len(), Ordering::Relaxed);
            if shard.capacity() / 4 > shard.len() {
                // The room of many that have left is not kept for those who may come.
                shard.shrink_to_fit(|it| self.hash(it.key()));
            }
        }
        let next = self.len.load(Ordering::Relaxed).saturating_mul(2).max(Self::FEW);
        self.sweep_at.store(next, Ordering::Relaxed);
        places
    }

    /// Takes back whatever is published.
    pub(super) fn withdraw_all(&self) {
        for shard in &self.shards {
            read(shard).iter().for_each(|it| it.withdraw_all());
        }
    }

    /// Returns all entries of one shard after the other.
    pub(super) fn for_each(&self, mut look: impl FnMut(&Arc<Entry>)) {
        for shard in &self.shards {
            read(shard).iter().for_each(&mut look);
        }
    }

    fn hash(&self, key: &GrantKey) -> u64 {
        self.hasher.hash_one(key.as_str())
    }

    fn place(&self, key: &GrantKey) -> (u64, &Shard) {
        let hash = self.hash(key);
        // The table takes its bits from both ends; those in the middle are free.
        let number = usize::try_from(hash >> 32 & 0xffff).unwrap_or_default() % self.shards.len();
        let shard = self.shards.get(number).expect("a remainder is smaller than its divisor");
        (hash, shard)
    }
}

fn read(shard: &Shard) -> RwLockReadGuard<'_, HashTable<Arc<Entry>>> {
    // Nothing that can panic leaves a table half changed.
    shard.read().unwrap_or_else(PoisonError::into_inner)
}

fn write(shard: &Shard) -> RwLockWriteGuard<'_, HashTable<Arc<Entry>>> {
    shard.write().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_has_one_entry_until_nobody_uses_it() {
        let index = Index::new(true);
        let (first, _) = index.entry(&key(1), 0);
        let (again, _) = index.entry(&key(1), 7);
        assert!(Arc::ptr_eq(&first, &again));
        assert_eq!(again.application(), Some(0), "the first word counts");
        drop(again);
        assert_eq!(index.drop_unused(&key(1)), None);
        assert!(index.find(&key(1)).is_some(), "somebody holds it");
        drop(first);
        assert_eq!(index.drop_unused(&key(1)), Some(0));
        assert_eq!(index.drop_unused(&key(1)), None);
        assert!(index.find(&key(1)).is_none());
        assert_eq!(index.len.load(Ordering::Relaxed), 0);
    }

    #[test]
    fn entries_of_no_use_are_swept_when_there_are_many() {
        let index = Index::new(true);
        let held = index.entry(&key(0), 0).0;
        let due = (1..Index::FEW).filter(|it| index.entry(&key(*it), 0).1).count();
        assert_eq!(due, 1);
        assert_eq!(index.sweep(|it| *it.key() == key(5)).len(), Index::FEW - 2);
        assert_eq!(index.len.load(Ordering::Relaxed), 2);
        assert!(index.find(held.key()).is_some() && index.find(&key(5)).is_some());
        assert!(index.find(&key(6)).is_none());
    }

    fn key(number: usize) -> GrantKey {
        GrantKey::new(&format!("planner/{number}")).expect("a key")
    }
}
