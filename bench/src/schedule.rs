//! Scheduling the renewal of 100,000 grants: our wheel, the limit, and what others use.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::hint::black_box;
use std::time::Duration;

use sr_auth_core::Timestamp;
use sr_auth_core::fleet::Wheel;
use stats_alloc::{INSTRUMENTED_SYSTEM, Region};
use tokio_util::time::{DelayQueue, delay_queue};

use crate::timing::{in_turns, judge};

/// How many grants there are.
const SLOTS: u32 = 100_000;
/// Renewals of tokens that live half an hour lie within it.
const SPAN_MILLIS: u64 = 1_800_000;

/// Something in which each slot has one moment.
trait Schedule {
    fn new() -> Self
    where
        Self: Sized;
    /// Gives a slot its moment, in milliseconds, and takes the one before from it where that can be
    /// done.
    fn set(&mut self, slot: u32, at: u64);
}

impl Schedule for Wheel {
    fn new() -> Self {
        Self::with_capacity(SLOTS as usize)
    }

    fn set(&mut self, slot: u32, at: u64) {
        self.schedule(slot, Timestamp::from_unix_millis(at));
    }
}

/// The limit: lists by the tenth of a second, a link for each slot, and no way to take one out.
struct Buckets {
    heads: Vec<u32>,
    next: Vec<u32>,
}

impl Schedule for Buckets {
    fn new() -> Self {
        let heads = vec![u32::MAX; SPAN_MILLIS as usize / 100];
        Self { heads, next: vec![u32::MAX; SLOTS as usize] }
    }

    fn set(&mut self, slot: u32, at: u64) {
        let head = &mut self.heads[(at % SPAN_MILLIS) as usize / 100];
        self.next[slot as usize] = std::mem::replace(head, slot);
    }
}

/// A heap: what was scheduled before stays in it, to be skipped when it comes.
struct Heap(BinaryHeap<Reverse<(u64, u32)>>);

impl Schedule for Heap {
    fn new() -> Self {
        Self(BinaryHeap::with_capacity(SLOTS as usize))
    }

    fn set(&mut self, slot: u32, at: u64) {
        self.0.push(Reverse((at, slot)));
        if self.0.len() > SLOTS as usize {
            self.0.pop();
        }
    }
}

/// A tree with the moment of each slot beside it, so that it can be taken out.
struct Tree {
    tree: BTreeMap<(u64, u32), ()>,
    moments: Vec<u64>,
}

impl Schedule for Tree {
    fn new() -> Self {
        Self { tree: BTreeMap::new(), moments: vec![u64::MAX; SLOTS as usize] }
    }

    fn set(&mut self, slot: u32, at: u64) {
        let before = std::mem::replace(&mut self.moments[slot as usize], at);
        self.tree.remove(&(before, slot));
        self.tree.insert((at, slot), ());
    }
}

/// The queue of `tokio-util`.
struct Delays {
    queue: DelayQueue<u32>,
    keys: Vec<Option<delay_queue::Key>>,
    start: tokio::time::Instant,
}

impl Schedule for Delays {
    fn new() -> Self {
        let queue = DelayQueue::with_capacity(SLOTS as usize);
        Self { queue, keys: vec![None; SLOTS as usize], start: tokio::time::Instant::now() }
    }

    fn set(&mut self, slot: u32, at: u64) {
        let at = self.start + Duration::from_millis(at % SPAN_MILLIS);
        match &self.keys[slot as usize] {
            Some(key) => self.queue.reset_at(key, at),
            None => self.keys[slot as usize] = Some(self.queue.insert_at(slot, at)),
        }
    }
}

/// The moments of a run: spread, and the same in every run.
fn moments(round: u64) -> impl Iterator<Item = (u32, u64)> {
    (0..u64::from(SLOTS)).map(move |slot| {
        let mixed = (slot + round * u64::from(SLOTS)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        (slot as u32, mixed % SPAN_MILLIS)
    })
}

fn fill<S: Schedule>(schedule: &mut S, round: u64) {
    for (slot, at) in moments(round) {
        schedule.set(black_box(slot), black_box(at));
    }
}

/// What a schedule of all slots takes from the heap, for each slot.
struct Heaped {
    bytes: f64,
    /// Allocations of scheduling all of them once more.
    again: usize,
}

fn heaped<S: Schedule>() -> Heaped {
    let region = Region::new(&INSTRUMENTED_SYSTEM);
    let mut schedule = S::new();
    fill(&mut schedule, 0);
    let taken = region.change();
    let bytes = taken.bytes_allocated - taken.bytes_deallocated;
    let region = Region::new(&INSTRUMENTED_SYSTEM);
    fill(&mut schedule, 1);
    let again = region.change().allocations;
    Heaped { bytes: bytes as f64 / f64::from(SLOTS), again }
}

fn timed<S: Schedule + 'static>() -> Box<dyn FnMut()> {
    let mut schedule = S::new();
    let mut round = 0;
    Box::new(move || {
        round += 1;
        fill(&mut schedule, round);
    })
}

const WHEEL: &str = "wheel";
const NAMES: [&str; 5] =
    [WHEEL, "limit: buckets", "binary heap", "b-tree", "tokio-util DelayQueue"];

/// Does a work, so that its instructions can be counted: those of `nothing` are to be subtracted.
pub(crate) fn work(name: &str, operations: u32) -> bool {
    fn run<S: Schedule>(operations: u32) {
        let mut schedule = S::new();
        fill(&mut schedule, 0);
        for (slot, at) in (1..).flat_map(moments).take(operations as usize) {
            schedule.set(black_box(slot), black_box(at));
        }
    }
    match name {
        WHEEL => run::<Wheel>(operations),
        "b-tree" => run::<Tree>(operations),
        "delay-queue" => in_runtime(|| run::<Delays>(operations)),
        "nothing" => (1..).flat_map(moments).take(operations as usize).for_each(|it| {
            black_box(it);
        }),
        _ => return false,
    }
    true
}

fn in_runtime<T>(work: impl FnOnce() -> T) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
    runtime.expect("a runtime without I/O starts").block_on(async { work() })
}

/// Prints the table, and tells whether the goals are met.
pub(crate) fn table() -> bool {
    in_runtime(|| {
        let heaped = [
            heaped::<Wheel>(),
            heaped::<Buckets>(),
            heaped::<Heap>(),
            heaped::<Tree>(),
            heaped::<Delays>(),
        ];
        let works = [
            timed::<Wheel>(),
            timed::<Buckets>(),
            timed::<Heap>(),
            timed::<Tree>(),
            timed::<Delays>(),
        ];
        let mut works: Vec<_> = NAMES.into_iter().zip(works).collect();
        let times = in_turns(&mut works, SLOTS);
        println!("schedule the renewal of each of {SLOTS} grants");
        println!(
            "{:<24} {:>12} {:>12} {:>22}",
            "", "bytes each", "ns each", "allocations in a round"
        );
        for ((name, heaped), time) in NAMES.iter().zip(&heaped).zip(&times) {
            println!("{name:<24} {:>12.1} {time:>12.1} {:>22}", heaped.bytes, heaped.again);
        }
        let [wheel, ..] = heaped;
        let bytes = judge("bytes of the wheel for a grant", wheel.bytes, 16.1);
        let allocations = judge("allocations of scheduling again", wheel.again as f64, 0.0);
        println!("(printed, not judged) ns to schedule: {:.1}, goal 20", times[0]);
        bytes & allocations
    })
}
