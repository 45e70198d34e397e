//! Lists of slots that need no allocation to change.

/// A fixed number of lists in which each slot stands at most once, with a value of its own.
///
/// Each list is a ring through a node of its own at the front of the nodes, so that joining and
/// leaving touch two neighbours and ask no question.
#[derive(Clone, Debug)]
pub(super) struct Rings<const LISTS: usize, T> {
    /// A bit for each list that is not empty.
    busy: [u64; 7],
    nodes: Vec<Node<T>>,
}

#[derive(Clone, Copy, Debug)]
struct Node<T> {
    next: u32,
    prev: u32,
    value: T,
}

/// The neighbour of a node that stands in no list.
const NONE: u32 = u32::MAX;

impl<const LISTS: usize, T: Copy + Default> Rings<LISTS, T> {
    /// One more than the last slot that can be named: four thousand times what a process holds,
    /// and no number of a node reaches [`NONE`].
    pub(super) const SLOTS: u32 = 1 << 28;

    /// Makes empty lists, with room for slots from 0.
    pub(super) fn with_capacity(slots: usize) -> Self {
        const { assert!(LISTS <= 7 * 64, "a bit for each list") };
        let mut rings = Self { busy: [0; 7], nodes: Vec::new() };
        rings.nodes.reserve_exact(LISTS.saturating_add(slots));
        rings.nodes.resize(LISTS, Node { next: NONE, prev: NONE, value: T::default() });
        rings.clear();
        rings
    }

    /// Puts a slot at the end of a list; it must stand in none. A slot or a list that does not
    /// exist changes nothing.
    pub(super) fn push(&mut self, list: u32, slot: u32, value: T) {
        if slot >= Self::SLOTS || list as usize >= LISTS {
            return;
        }
        let node = node_of::<LISTS>(slot);
        self.grow(node);
        let last = self.node(list).prev;
        self.set(node, Node { next: list, prev: last, value });
        self.node_mut(last, |it| it.next = node);
        self.node_mut(list, |it| it.prev = node);
        if let Some(bits) = self.busy.get_mut(list as usize / 64) {
            *bits |= 1 << (list % 64);
        }
    }

    /// Takes a slot out of its list; `None` when it stood in none.
    pub(super) fn remove(&mut self, slot: u32) -> Option<T> {
        let value = self.value(slot)?;
        let node = node_of::<LISTS>(slot);
        let Node { next, prev, .. } = self.node(node);
        self.set(node, Node { next: NONE, prev: NONE, value });
        self.node_mut(prev, |it| it.next = next);
        self.node_mut(next, |it| it.prev = prev);
        // Only the node of a list can be both neighbours.
        if next == prev
            && let Some(bits) = self.busy.get_mut(next as usize / 64)
        {
            *bits &= !(1 << (next % 64));
        }
        Some(value)
    }

    /// Returns the value of a slot that stands in a list.
    pub(super) fn value(&self, slot: u32) -> Option<T> {
        let node = self.nodes.get(node_of::<LISTS>(slot) as usize)?;
        (node.next != NONE).then_some(node.value)
    }

    /// Returns the first slot of a list.
    pub(super) fn first(&self, list: u32) -> Option<u32> {
        self.slot_of(self.node(list).next)
    }

    /// Returns the slot behind another one in its list.
    pub(super) fn after(&self, slot: u32) -> Option<u32> {
        self.value(slot)?;
        self.slot_of(self.node(node_of::<LISTS>(slot)).next)
    }

    /// Returns which of 64 lists, from `64 * word` on, are not empty: the lowest bit is the first.
    pub(super) fn busy(&self, word: usize) -> u64 {
        self.busy.get(word).copied().unwrap_or(0)
    }

    /// Empties all lists. Says of each slot whether it stood in one, and its value.
    pub(super) fn take_all(&mut self) -> Vec<(u32, T)> {
        let slots = (0..).zip(self.nodes.iter().skip(LISTS));
        let taken = slots.filter(|(_, node)| node.next != NONE);
        let taken = taken.map(|(slot, node)| (slot, node.value)).collect();
        self.clear();
        taken
    }

    fn clear(&mut self) {
        self.busy = [0; 7];
        for (number, node) in (0..).zip(&mut self.nodes) {
            let neighbour = if (number as usize) < LISTS { number } else { NONE };
            *node = Node { next: neighbour, prev: neighbour, value: node.value };
        }
    }

    fn grow(&mut self, node: u32) {
        let len = node as usize + 1;
        if len > self.nodes.capacity() {
            // An eighth more, not twice as many: there is a node for every grant in memory.
            self.nodes.reserve_exact(len + len / 8 - self.nodes.len());
        }
        if len > self.nodes.len() {
            let unused = Node { next: NONE, prev: NONE, value: T::default() };
            self.nodes.resize(len, unused);
        }
    }

    /// Returns the slot of a node; `None` for the node of a list, where a ring begins and ends.
    fn slot_of(&self, node: u32) -> Option<u32> {
        ((node as usize) < self.nodes.len()).then(|| node.checked_sub(LISTS as u32))?
    }

    fn node(&self, node: u32) -> Node<T> {
        let unused = Node { next: NONE, prev: NONE, value: T::default() };
        self.nodes.get(node as usize).copied().unwrap_or(unused)
    }

    fn node_mut(&mut self, node: u32, change: impl FnOnce(&mut Node<T>)) {
        if let Some(node) = self.nodes.get_mut(node as usize) {
            change(node);
        }
    }

    fn set(&mut self, node: u32, value: Node<T>) {
        self.node_mut(node, |it| *it = value);
    }
}

/// Returns the node of a slot, behind the nodes of the lists.
const fn node_of<const LISTS: usize>(slot: u32) -> u32 {
    slot.saturating_add(LISTS as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_keep_the_order_of_joining_and_anyone_may_leave() {
        let mut rings = Rings::<2, ()>::with_capacity(0);
        for slot in [4, 0, 7, 2] {
            rings.push(1, slot, ());
        }
        assert_eq!(all(&rings, 1), [4, 0, 7, 2]);
        assert_eq!((rings.busy(0), rings.first(0)), (0b10, None));
        for (gone, left) in [(0, &[4, 7, 2][..]), (4, &[7, 2]), (2, &[7]), (7, &[])] {
            assert_eq!(rings.remove(gone), Some(()), "{gone}");
            assert_eq!(rings.remove(gone), None, "{gone} has left");
            assert_eq!(all(&rings, 1), left, "without {gone}");
        }
        assert_eq!(rings.busy(0), 0);
    }

    #[test]
    fn a_slot_with_a_moment_takes_sixteen_bytes() {
        assert_eq!(size_of::<Node<u64>>(), 16);
        let rings = Rings::<2, u64>::with_capacity(1_000);
        assert_eq!(rings.nodes.capacity(), 1_002);
        let mut rings = Rings::<2, u64>::with_capacity(0);
        for slot in 0..10_000 {
            rings.push(0, slot, 0);
            let (len, capacity) = (rings.nodes.len(), rings.nodes.capacity());
            assert!(capacity <= len + len / 8, "{capacity} for {len}");
        }
    }

    #[test]
    fn slots_and_lists_that_do_not_exist_change_nothing() {
        let mut rings = Rings::<2, u8>::with_capacity(3);
        rings.push(0, u32::MAX, 1);
        rings.push(0, Rings::<2, u8>::SLOTS, 1);
        rings.push(2, 0, 1);
        assert_eq!((rings.first(0), rings.first(1), rings.value(0)), (None, None, None));
        assert_eq!((rings.remove(0), rings.remove(u32::MAX), rings.first(9)), (None, None, None));
    }

    #[test]
    fn taking_all_leaves_empty_lists_that_can_be_used() {
        let mut rings = Rings::<2, u8>::with_capacity(3);
        rings.push(1, 5, 50);
        rings.push(0, 3, 30);
        assert_eq!(rings.take_all(), [(3, 30), (5, 50)]);
        assert_eq!((rings.busy(0), rings.value(3)), (0, None));
        rings.push(0, 5, 51);
        assert_eq!((all(&rings, 0), rings.value(5)), (vec![5], Some(51)));
    }

    fn all<T: Copy + Default>(rings: &Rings<2, T>, list: u32) -> Vec<u32> {
        std::iter::successors(rings.first(list), |slot| rings.after(*slot)).collect()
    }
}
