//! Things under way, found again by a number.

/// A place for each thing; places are used again.
#[derive(Debug)]
pub(super) struct Slab<T> {
    free: Vec<u32>,
    things: Vec<Option<T>>,
}

impl<T> Slab<T> {
    pub(super) const fn new() -> Self {
        Self { free: Vec::new(), things: Vec::new() }
    }

    /// Puts a thing in, and returns its number.
    pub(super) fn put(&mut self, thing: T) -> u32 {
        let place = self.free.pop().unwrap_or_else(|| {
            self.things.push(None);
            u32::try_from(self.things.len() - 1).expect("a run has few things under way")
        });
        if let Some(slot) = self.things.get_mut(place as usize) {
            *slot = Some(thing);
        }
        place
    }

    pub(super) fn at_mut(&mut self, place: u32) -> Option<&mut T> {
        self.things.get_mut(place as usize)?.as_mut()
    }

    /// Drops a thing.
    pub(super) fn remove(&mut self, place: u32) {
        if let Some(slot @ Some(_)) = self.things.get_mut(place as usize) {
            *slot = None;
            self.free.push(place);
        }
    }

    /// Returns how many things are in it.
    pub(super) fn len(&self) -> usize {
        self.things.len() - self.free.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_used_again_when_it_is_free() {
        let mut slab = Slab::new();
        let [a, b] = ['a', 'b'].map(|it| slab.put(it));
        slab.remove(a);
        slab.remove(a);
        assert_eq!(slab.at_mut(a), None);
        assert_eq!(slab.at_mut(b).copied(), Some('b'));
        assert_eq!((slab.put('c'), slab.len()), (a, 2));
    }
}
