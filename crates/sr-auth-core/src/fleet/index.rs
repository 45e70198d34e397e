//! Which place a key has: a table of places alone, since the keys stand in their places already.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use crate::store::GrantKey;

/// The places of keys, by their digests: four bytes for each entry, an eighth to nine sixteenths of
/// them empty.
///
/// A digest depends on a number of the process, so nobody outside can choose keys that fall
/// together. Nothing is ever listed from here: the order of places is of no interest.
#[derive(Clone, Debug)]
pub(super) struct Index {
    /// The place of a key, with four bits of its digest above, or [`EMPTY`].
    entries: Vec<u32>,
    len: usize,
    seed: u128,
}

const EMPTY: u32 = u32::MAX;

/// The bits of a place; above them are those of the digest.
const PLACE: u32 = 28;

impl Index {
    /// One more than the greatest place: the one above would look like no entry.
    pub(super) const PLACES: u32 = (1 << PLACE) - 1;

    pub(super) const fn new(seed: u128) -> Self {
        Self { entries: Vec::new(), len: 0, seed }
    }

    pub(super) const fn len(&self) -> usize {
        self.len
    }

    /// Returns the place of a key; `key_at` tells which key stands in a place.
    pub(super) fn find<'a>(
        &self,
        key: &GrantKey,
        key_at: impl Fn(u32) -> Option<&'a GrantKey>,
    ) -> Option<u32> {
        self.entry(key, key_at).map(|(_, place)| place)
    }

    /// Takes in the place of a key that has none yet.
    pub(super) fn insert<'a>(
        &mut self,
        key: &GrantKey,
        place: u32,
        key_at: impl Fn(u32) -> Option<&'a GrantKey>,
    ) {
        if self.len.saturating_add(1) > self.entries.len() / 8 * 7 {
            self.grow(key_at);
        }
        self.put(key, place);
        self.len = self.len.saturating_add(1);
    }

    /// Takes the place of a key out; all keys must still stand in their places.
    pub(super) fn remove<'a>(
        &mut self,
        key: &GrantKey,
        key_at: impl Fn(u32) -> Option<&'a GrantKey>,
    ) {
        let Some((mut hole, _)) = self.entry(key, &key_at) else { return };
        self.len = self.len.saturating_sub(1);
        // Whoever came to stand behind the hole because it was taken moves into it.
        let mut at = self.after(hole);
        while let Some(entry) = self.entries.get(at).copied().filter(|it| *it != EMPTY) {
            let home = key_at(entry & Self::PLACES).map_or(at, |it| self.home(self.digest(it)));
            if self.distance(home, at) >= self.distance(hole, at) {
                self.set(hole, entry);
                hole = at;
            }
            at = self.after(at);
        }
        self.set(hole, EMPTY);
    }

    fn entry<'a>(
        &self,
        key: &GrantKey,
        key_at: impl Fn(u32) -> Option<&'a GrantKey>,
    ) -> Option<(usize, u32)> {
        let digest = self.digest(key);
        let mut at = self.home(digest);
        loop {
            // An eighth of the table is empty, so the search ends.
            let entry = self.entries.get(at).copied().filter(|it| *it != EMPTY)?;
            let place = entry & Self::PLACES;
            if entry == tagged(place, digest) && key_at(place) == Some(key) {
                return Some((at, place));
            }
            at = self.after(at);
        }
    }

    fn put(&mut self, key: &GrantKey, place: u32) {
        let digest = self.digest(key);
        let mut at = self.home(digest);
        while self.entries.get(at).is_some_and(|it| *it != EMPTY) {
            at = self.after(at);
        }
        self.set(at, tagged(place, digest));
    }

    fn grow<'a>(&mut self, key_at: impl Fn(u32) -> Option<&'a GrantKey>) {
        let entries = vec![EMPTY; self.entries.len().saturating_mul(2).max(16)];
        let entries = std::mem::replace(&mut self.entries, entries);
        for entry in entries.into_iter().filter(|it| *it != EMPTY) {
            let place = entry & Self::PLACES;
            if let Some(key) = key_at(place) {
                self.put(key, place);
            }
        }
    }

    fn digest(&self, key: &GrantKey) -> u64 {
        let mut hasher = DefaultHasher::new();
        hasher.write_u128(self.seed);
        key.hash(&mut hasher);
        hasher.finish()
    }

    /// Returns where the search for a digest begins. The number of entries is a power of two.
    fn home(&self, digest: u64) -> usize {
        digest as usize & self.entries.len().saturating_sub(1)
    }

    fn after(&self, at: usize) -> usize {
        at.wrapping_add(1) & self.entries.len().saturating_sub(1)
    }

    fn distance(&self, from: usize, to: usize) -> usize {
        to.wrapping_sub(from) & self.entries.len().saturating_sub(1)
    }

    fn set(&mut self, at: usize, entry: u32) {
        if let Some(place) = self.entries.get_mut(at) {
            *place = entry;
        }
    }
}

/// Returns the entry of a place, with the highest bits of the digest: the lowest are in its home.
const fn tagged(place: u32, digest: u64) -> u32 {
    place | ((digest >> 60) as u32) << PLACE
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_hundred_thousand_keys_take_less_than_six_bytes_each() {
        let keys: Vec<_> = (0..100_000).map(key).collect();
        let mut index = Index::new(7);
        for (place, key) in (0..).zip(&keys) {
            index.insert(key, place, |it| keys.get(it as usize));
        }
        assert!(index.entries.capacity() * size_of::<u32>() < 6 * keys.len());
        for (place, key) in (0..).zip(&keys) {
            assert_eq!(index.find(key, |it| keys.get(it as usize)), Some(place));
        }
        assert_eq!(index.find(&key(100_000), |it| keys.get(it as usize)), None);
    }

    #[test]
    fn the_number_of_the_process_decides_where_keys_fall() {
        let homes = |seed| {
            let mut index = Index::new(seed);
            index.entries = vec![EMPTY; 1 << 16];
            (0..4).map(key).map(|key| index.home(index.digest(&key))).collect::<Vec<_>>()
        };
        assert_eq!(homes(1), homes(1));
        assert_ne!(homes(1), homes(2));
    }

    #[test]
    fn the_greatest_place_with_all_bits_of_a_digest_is_an_entry() {
        assert_ne!(tagged(Index::PLACES - 1, u64::MAX), EMPTY);
        assert_eq!(tagged(Index::PLACES - 1, u64::MAX) & Index::PLACES, Index::PLACES - 1);
    }

    proptest! {
        /// Keys that fall together are told apart, and whoever stood behind one that left is found.
        #[test]
        fn the_index_agrees_with_a_map(
            seed in 0_u128..4,
            steps in proptest::collection::vec((any::<bool>(), 0_u32..24), 1..200),
        ) {
            let keys: Vec<_> = (0..24).map(key).collect();
            let key_at = |place| keys.get(place as usize);
            let (mut index, mut model) = (Index::new(seed), BTreeMap::new());
            for (is_insert, place) in steps {
                let key = &keys[place as usize];
                if !is_insert {
                    index.remove(key, key_at);
                    model.remove(&place);
                } else if model.insert(place, ()).is_none() {
                    index.insert(key, place, key_at);
                }
                prop_assert_eq!(index.len(), model.len());
                for (place, key) in (0..).zip(&keys) {
                    let expected = model.contains_key(&place).then_some(place);
                    prop_assert_eq!(index.find(key, key_at), expected);
                }
            }
        }
    }

    fn key(number: u32) -> GrantKey {
        GrantKey::new(&format!("planner/company-{number:08}")).expect("a key")
    }
}
