//! Issued things under the digests of their secrets, without those that are long over.

use std::collections::BTreeMap;

use crate::simulator::fingerprint::Lookup;

/// A map that is swept now and then: whenever it has doubled since the last time, so that a run of
/// any length keeps what is alive and little else, at a constant cost for each thing put in.
#[derive(Debug)]
pub(super) struct Shelf<T> {
    items: BTreeMap<Lookup, T>,
    sweep_at: usize,
}

impl<T> Default for Shelf<T> {
    fn default() -> Self {
        Self { items: BTreeMap::new(), sweep_at: Self::FIRST_SWEEP }
    }
}

impl<T> Shelf<T> {
    const FIRST_SWEEP: usize = 4_096;

    /// Puts a thing in; `keep` says what a sweep leaves.
    pub(super) fn put(&mut self, key: Lookup, item: T, keep: impl Fn(&T) -> bool) {
        if self.items.len() >= self.sweep_at {
            self.items.retain(|_, it| keep(it));
            self.sweep_at = self.items.len().saturating_mul(2).max(Self::FIRST_SWEEP);
        }
        self.items.insert(key, item);
    }

    pub(super) fn find(&self, key: &Lookup) -> Option<&T> {
        self.items.get(key)
    }

    pub(super) fn find_mut(&mut self, key: &Lookup) -> Option<&mut T> {
        self.items.get_mut(key)
    }

    pub(super) fn has(&self, key: &Lookup) -> bool {
        self.items.contains_key(key)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&Lookup, &T)> {
        self.items.iter()
    }

    pub(super) fn values_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.items.values_mut()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_over_does_not_pile_up_and_what_is_not_stays() {
        let mut shelf = Shelf::default();
        for count in 0..20_000_u32 {
            let mut key = [0; 32];
            key[..4].copy_from_slice(&count.to_be_bytes());
            // Every hundredth lives for ever, the others until a thousand more have come.
            shelf.put(key, count, |it| it % 100 == 0 || it + 1_000 > count);
        }
        assert!(shelf.items.len() < 5_000, "{}", shelf.items.len());
        assert_eq!(shelf.items.values().filter(|it| *it % 100 == 0).count(), 200);
    }
}
